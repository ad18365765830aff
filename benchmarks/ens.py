"""ENS, efficient nonmyopic search, in batches, as a rival: a question's value is what the budget would still find.

Jiang et al. (ICML 2017; batches: NeurIPS 2018). A labelled row speaks for its `nearest` rows: p of a row is the share
of positives among the labelled rows that speak for it, weighed by the kernel of Harvest, with `prior` of one answer to
begin with. A question's value is its p plus what the most likely rows would yield after its answer, as many as the
budget has left: only the rows that it speaks for change, so that sum changes by what these gain above the last row
that would still be asked. Within a batch each row is chosen as if those before it had been refused.
"""

from functools import lru_cache

import numpy as np
from numba import njit

from benchmarks.near_rows import REACH, near_rows
from benchmarks.rankers import Ranker, new_answers
from elsa_nb.bench.arms import Arm, Seeds, Spaces
from elsa_nb.search.contract import Ledger
from elsa_nb.search.heads.kernel_sums import kernel


class SpokenFor:
    """What labelled rows say of the rows near them: `near` (n, k) rows and `weights` (n, k) float32 of each row."""

    def __init__(self, near: np.ndarray, weights: np.ndarray, prior: float):
        self.near, self.weights, self.prior = near, weights, prior
        self.positive, self.answered = np.zeros(len(near), np.float32), np.zeros(len(near), np.float32)

    def label(self, rows: np.ndarray, found: np.ndarray) -> None:
        """Learn the answers `found` (m,) bool of `rows` (m,)."""
        np.add.at(self.answered, self.near[rows], self.weights[rows])
        np.add.at(self.positive, self.near[rows[found]], self.weights[rows[found]])

    def likely(self) -> np.ndarray:
        """Return p (n,) float32."""
        return (self.prior + self.positive) / (1 + self.answered)

    def gains(self, rows: np.ndarray, last: float, unasked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what the likeliest rows would yield more if each of `rows` (m,) were a member, and if it were not.

        `last` is p of the last row that would still be asked, `unasked` (n,) says which may be.
        """
        return _gains(self.near, self.weights, self.prior + self.positive, 1 + self.answered, rows, last, unasked)


@njit(cache=True)
def _gains(near, weights, positive, answered, rows, last, unasked):
    yes, no = np.zeros(len(rows), np.float32), np.zeros(len(rows), np.float32)
    for i, row in enumerate(rows):
        for j in range(near.shape[1]):
            at, weight = near[row, j], weights[row, j]
            if unasked[at]:
                now = max(positive[at] / answered[at], last)
                yes[i] += max((positive[at] + weight) / (answered[at] + weight), last) - now
                no[i] += max(positive[at] / (answered[at] + weight), last) - now
    return yes, no


def ens(prior: float = 1e-4, nearest: int = REACH) -> Arm:
    """Return the arm; prior and reach were chosen on classes that no result is reported on."""

    def of(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Ranker:
        near, weights = _near(spaces, nearest)
        model, known = SpokenFor(near, weights, prior), np.zeros(len(near), bool)

        def deal(ledger: Ledger, size: int, _: np.random.Generator) -> np.ndarray:
            model.label(*new_answers(ledger, known))
            rows = np.flatnonzero(ledger.unasked)
            left = min(budget + len(seeds) - int(known.sum()), len(rows)) - size
            p = model.likely()
            last = float(np.partition(p[rows], -left)[-left]) if left else np.inf
            yes, no = np.zeros((2, len(near)), np.float32)
            if left:
                yes[rows], no[rows] = model.gains(rows, last, ledger.unasked)
            worth = np.full(len(near), -np.inf, np.float32)
            worth[rows] = p[rows] * (1 + yes[rows]) + (1 - p[rows]) * no[rows]
            answered, chosen = model.answered.copy(), []
            while len(chosen) < size:
                chosen.append(best := int(worth.argmax()))
                worth[best] = -np.inf
                answered[near[best]] += weights[best]
                of_it = near[best][np.isfinite(worth[near[best]])]
                less = (prior + model.positive[of_it]) / (1 + answered[of_it])
                worth[of_it] = less * (1 + yes[of_it]) + (1 - less) * no[of_it]
            return np.array(chosen)

        return Ranker(len(near), seeds, budget, rng, deal=deal)

    return of


@lru_cache(maxsize=1)
def _near(spaces: Spaces, nearest: int) -> tuple[np.ndarray, np.ndarray]:
    rows, distances = (lists[:, :nearest] for lists in near_rows(spaces))
    return rows, kernel(1 - distances / 4).astype(np.float32)  # (1 + cosine) / 2 of rows of unit length
