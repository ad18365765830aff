"""The estimates of what is missing, by name: the one that the panel shows, and its rivals."""

from collections.abc import Mapping
from types import MappingProxyType

from elsa_nb.search.stopping.by_captures import capture_recapture
from elsa_nb.search.stopping.by_scores import bracket
from elsa_nb.search.stopping.by_sums import finds_curve, score_sum
from elsa_nb.search.stopping.remaining import Estimator

SHOWN = "bracket"
ESTIMATORS: Mapping[str, Estimator] = MappingProxyType(
    {SHOWN: bracket, "score sum": score_sum, "curve of finds": finds_curve, "capture-recapture": capture_recapture}
)
