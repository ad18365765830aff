"""What notebooks 03 and 11 show."""

from functools import partial

from elsa_nb.paper.experiments.components.tables import equal_rules
from elsa_nb.paper.measures.budgets import equal_budget
from elsa_nb.paper.measures.by_arm import arms_beside_paper
from elsa_nb.paper.measures.exhibit import Exhibit

_ARMS, _ROUNDS = "03-seeds-and-components", "11-round-by-round"
_SWEEP = "components"
_TABLES = {number: partial(arms_beside_paper, table=number) for number in (2, 3, 4)}
EXHIBITS = (
    Exhibit("table01", "The arms and their components", "Table 1", _ARMS, _SWEEP),
    Exhibit("table02", "ELSA by the number of seeds", "Table 2", _ARMS, _SWEEP, _TABLES[2]),
    Exhibit("table03", "Component-wise analysis, VICReg", "Table 3", _ARMS, _SWEEP, _TABLES[3]),
    Exhibit("table04", "Component-wise analysis, Barlow Twins", "Table 4", _ARMS, _SWEEP, _TABLES[4]),
    Exhibit("fig02-components", "Component-wise analysis over seeds", "Fig. 2", _ARMS, _SWEEP),
    Exhibit("equal-budget", "Discovery at equal budget", "beyond the paper", _ARMS, _SWEEP, equal_budget),
    Exhibit("fig09-rounds", "New positives of each round", "Fig. 9", _ROUNDS, _SWEEP),
    Exhibit("equal-rules", "NN alone under the rule of ELSA", "beyond the paper", _ROUNDS, "equal-rules", equal_rules),
)
