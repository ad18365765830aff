"""What notebook 12 shows."""

from elsa_nb.paper.measures.exhibit import Exhibit

_NOTEBOOK = "12-complexity"
EXHIBITS = (
    Exhibit("complexity-time", "Time of a round against n, k, l and d", "Section 5", _NOTEBOOK),
    Exhibit("complexity-memory", "Memory of a round against n and l", "Section 5", _NOTEBOOK),
)
