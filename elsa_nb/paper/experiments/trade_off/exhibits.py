"""What notebook 06 shows."""

from elsa_nb.paper.experiments.trade_off.tables import budget_curves, setting_points
from elsa_nb.paper.measures.exhibit import Exhibit

_NOTEBOOK, _SWEEP = "06-trade-off", "trade-off"
EXHIBITS = (
    Exhibit("fig03-trade-off", "Discovery against efficiency", "Fig. 3", _NOTEBOOK, _SWEEP, setting_points),
    Exhibit("trade-off-equal-budget", "The same at equal budget", "beyond the paper", _NOTEBOOK, _SWEEP, budget_curves),
)
