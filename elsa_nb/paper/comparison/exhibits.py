"""What notebook 99 shows; `publishing.exhibits` takes its names from here."""

from elsa_nb.paper.measures.exhibit import Exhibit

_NOTEBOOK = "99-paper-against-here"
EXHIBITS = (
    Exhibit("against-paper", "Every printed number against ours", "Tables 2-11", _NOTEBOOK),
    Exhibit("verdicts", "A verdict for every claim", "every claim of the text", _NOTEBOOK),
)
