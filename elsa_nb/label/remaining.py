"""How many positives probably remain: what an estimator is told, and a plain one.

The controller calls the estimator that `Panel(estimate=...)` was given, by default none: `among_likely` says "0 to 6"
where 23 are left, since what the head does not expect is not in it. What can be promised is in `search.stopping.audit`.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np


@dataclass(frozen=True)
class Evidence:
    """What an estimator sees: the head's confidence in every row now, and the answers with the confidence then.

    `scores` (n,) float64 (None: no head yet), `asked` (n,) bool marks rows with an answer and seeds; the answers in
    the order of asking: `labels` (m,) int, `given` (m,) float64 the score each had when it was asked (nan: none),
    `components` (m,) str who asked, `rounds` (m,) int when.
    """

    scores: np.ndarray | None
    asked: np.ndarray
    labels: np.ndarray
    given: np.ndarray
    components: np.ndarray
    rounds: np.ndarray


class RemainingEstimate(NamedTuple):
    """Between `low` and `high`, `middle` at best guess; `how` says in one sentence what that rests on."""

    middle: float
    low: float
    high: float
    how: str


class RemainingEstimator(Protocol):
    """Estimate how many positives have not been asked yet."""

    def __call__(self, evidence: Evidence) -> RemainingEstimate | None:
        """Return the estimate, None where there is nothing to go by."""


LAST_ROUNDS = 3
LEAST = 30  # answers to RandS below which there is nothing to go by


def among_likely(evidence: Evidence) -> RemainingEstimate | None:
    """Carry the hit rate of RandS in the last rounds over to the likely rows that were not asked.

    Likely is what the head scores above mean + 1 std, where RandS draws its points. The range is a 90 % interval of a
    rate (normal, with one count of slack; without any hit the rule of three). It is rough: RandS prefers dense places,
    its answers are not a random sample, and what the head does not expect is not in it at all.
    """
    if evidence.scores is None or not len(evidence.rounds):
        return None
    recent = evidence.rounds > evidence.rounds.max() - LAST_ROUNDS
    drawn = recent & (evidence.rounds > 0) & (evidence.components == "RandS") & (evidence.labels >= 0)
    n = int(np.count_nonzero(drawn))
    if n < LEAST:
        return None
    likely = int(np.count_nonzero((evidence.scores > evidence.scores.mean() + evidence.scores.std()) & ~evidence.asked))
    hits = np.count_nonzero(evidence.labels[drawn] == 1)
    rate = float(hits / n)
    margin = 1.64 * math.sqrt((rate * (1 - rate) + 1 / n) / n)
    low, high = max(0.0, rate - margin) * likely, min(1.0, max(rate + margin, 3 / n)) * likely
    how = (
        f"a rough guess: {hits} of the last {n} drawn by RandS were positive, and {likely:,} more items look likely; "
        "what does not look likely is not counted, so there may be more"
    )
    return RemainingEstimate(rate * likely, low, high, how)
