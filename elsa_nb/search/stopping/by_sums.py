"""Plain estimates of the missing positives, for comparison: the sum of the confidences, and the curve of the finds."""

import numpy as np

from elsa_nb.search.contract import POSITIVE
from elsa_nb.search.stopping.remaining import Evidence, Missing, silence

_SURE = 2.0  # standard deviations of the intervals
_LEAST = 5


def score_sum(evidence: Evidence) -> Missing:
    """Sum the confidences of the rows without an answer, plus or minus two standard deviations of independent draws.

    The estimate of QuantCI (Yang, Lewis and Frieder, 2021). It takes confidences for probabilities.
    """
    if evidence.scores is None:
        return silence("Nothing is scored yet.")
    p = evidence.scores
    middle, deviation = float(p.sum()), float(np.sqrt((p * (1 - p)).sum()))
    how = f"the confidences of {len(p):,} rows without an answer, added up"
    return Missing(middle, max(0.0, middle - _SURE * deviation), middle + _SURE * deviation, how)


def finds_curve(evidence: Evidence) -> Missing:
    """Continue the curve of finds by answers as the exponential through its quarters: found(k) = N (1 - exp(-k / s)).

    The hit rates h1 and h2 of the last two quarters of the answers fall by the factor q = h2 / h1 per quarter; what is
    still to come is the geometric series h2 (q + q^2 + ...), times the length of a quarter. The interval moves each
    count by two standard deviations of Poisson counts. Silent while the rate does not fall.
    """
    found = evidence.labels == POSITIVE
    quarter = len(found) // 4
    before, last = (int(np.count_nonzero(part)) for part in (found[-2 * quarter : -quarter], found[-quarter:]))
    if quarter < _LEAST or before < _LEAST:
        return silence("Too few finds to see where their curve leads.")
    if last >= before:
        return silence("The share of finds does not fall yet.")

    def still(before: float, last: float) -> float:
        return last**2 / max(before - last, 1.0)

    slack = _SURE * np.sqrt(max(last, 1)), _SURE * np.sqrt(before)
    low = still(before + slack[1], max(last - slack[0], 0.0))
    high = still(max(before - slack[1], 0.0), last + slack[0])
    how = f"{last} finds among the last {quarter} answers after {before} among as many before"
    return Missing(still(before, last), low, high, how)
