"""How many are probably left: a plain estimate, behind an interface that a better estimator can replace."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np


@dataclass(frozen=True)
class Evidence:
    """What an estimator sees: the head's confidence in every row now, and the answers with the confidence then.

    `scores` (n,) float64 (None: no head yet), `asked` (n,) bool marks rows with an answer; `labels` (m,) int and
    `given` (m,) float64 are the answers in order and the score each row had when it was asked (nan: none),
    `components` (m,) str who asked.
    """

    scores: np.ndarray | None
    asked: np.ndarray
    labels: np.ndarray
    given: np.ndarray
    components: np.ndarray


class Left(NamedTuple):
    """Between `low` and `high`, `middle` at best guess; `how` says in one sentence what that rests on."""

    middle: float
    low: float
    high: float
    how: str


class LeftEstimator(Protocol):
    """Estimate how many positives have not been asked yet."""

    def __call__(self, evidence: Evidence) -> Left | None:
        """Return the estimate, None where there is nothing to go by."""


EDGES = np.array([0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, np.inf])
LEAST = 40  # answers with a score below which there is nothing to go by


def by_score(evidence: Evidence) -> Left | None:
    """Carry the hit rate of each range of scores over to what was not asked in that range.

    The rate counts answers by the score they had before they were given. A range in which nothing was asked is taken
    to hold nothing: this is a rough guess, and too low where the search never looked.
    """
    scored = np.isfinite(evidence.given) & (evidence.labels >= 0)
    if evidence.scores is None or np.count_nonzero(scored) < LEAST:
        return None
    answers = np.digitize(evidence.given[scored], EDGES) - 1
    bins = len(EDGES) - 1
    asked = np.bincount(answers, minlength=bins)
    hits = np.bincount(answers, evidence.labels[scored] == 1, minlength=bins)
    waiting = np.bincount(np.digitize(evidence.scores[~evidence.asked], EDGES) - 1, minlength=bins)
    looked = asked > 0
    rate = hits[looked] / asked[looked]
    rough = (hits[looked] + 0.5) / (asked[looked] + 1)
    middle = float(waiting[looked] @ rate)
    spread = 1.64 * float(np.sqrt(waiting[looked] ** 2 @ (rough * (1 - rough) / (asked[looked] + 1))))
    unseen = int(waiting[~looked].sum())
    how = "a rough guess: the hit rate at each level of score, carried over to what was not asked at that level" + (
        f"; {unseen:,} items at levels never asked about are taken to hold none" if unseen else ""
    )
    return Left(middle, max(0.0, middle - spread), middle + spread, how)
