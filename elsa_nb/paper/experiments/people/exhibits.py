"""What notebook 15 shows."""

from elsa_nb.paper.measures.exhibit import Exhibit

_NOTEBOOK = "15-people-who-err"
EXHIBITS = (
    Exhibit("errors-flips", "What flipped answers cost, by their share", "beyond the paper", _NOTEBOOK),
    Exhibit("errors-goal", "Labels to 80 % with 10 % of the answers wrong", "beyond the paper", _NOTEBOOK),
    Exhibit("errors-people", "What three people's answers cost", "beyond the paper", _NOTEBOOK),
    Exhibit("errors-compared", "What each kind of error costs", "beyond the paper", _NOTEBOOK),
    Exhibit("errors-real-or-random", "Real errors against as many random ones", "beyond the paper", _NOTEBOOK),
)
