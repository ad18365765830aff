"""What notebook 14 shows."""

from elsa_nb.paper.measures.exhibit import Exhibit

_NOTEBOOK = "14-what-is-missing"
EXHIBITS = (
    Exhibit("missing-sizes", "The size of the class by each estimate", "beyond the paper", _NOTEBOOK),
    Exhibit("missing-coverage", "How often each interval holds the truth", "beyond the paper", _NOTEBOOK),
    Exhibit("missing-estimates", "Estimates of what is missing, compared", "beyond the paper", _NOTEBOOK),
    Exhibit("missing-stops", "Where rules for stopping would have stopped", "beyond the paper", _NOTEBOOK),
    Exhibit("audit-prices", "What a promise costs", "beyond the paper", _NOTEBOOK),
)
