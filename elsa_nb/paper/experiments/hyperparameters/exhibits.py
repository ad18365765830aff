"""What notebook 07 shows."""

from functools import partial

from elsa_nb.paper.experiments.hyperparameters.tables import (
    choices_by_arm,
    choices_in_pairs,
    hyperparameter_table,
    silent_choices,
)
from elsa_nb.paper.measures.exhibit import Exhibit

_NOTEBOOK, _SWEEP = "07-hyperparameters", "hyperparameters"
_TABLES = {number: partial(hyperparameter_table, number=number) for number in (6, 7, 8, 9)}
EXHIBITS = (
    Exhibit("table06", "ELSA by the radius a", "Table 6", _NOTEBOOK, _SWEEP, _TABLES[6]),
    Exhibit("fig07-radius", "Discovery and efficiency over a", "Fig. 7", _NOTEBOOK, _SWEEP, _TABLES[6]),
    Exhibit("table07", "ELSA by the threshold alpha_1", "Table 7", _NOTEBOOK, _SWEEP, _TABLES[7]),
    Exhibit("table08", "ELSA by the threshold alpha_2", "Table 8", _NOTEBOOK, _SWEEP, _TABLES[8]),
    Exhibit("table09", "ELSA by the points sampled, l", "Table 9", _NOTEBOOK, _SWEEP, _TABLES[9]),
    Exhibit("silent-choices", "What the paper does not say", "beyond the paper", _NOTEBOOK, _SWEEP, silent_choices),
    Exhibit(
        "choices-by-arm", "The choices in every arm", "beyond the paper", _NOTEBOOK, "choices-by-arm", choices_by_arm
    ),
    Exhibit(
        "choices-in-pairs", "Two choices at a time", "beyond the paper", _NOTEBOOK, "choices-in-pairs", choices_in_pairs
    ),
)
