"""LAS, linear active search on graphs, as a rival: labels spread over the graph of all rows, and impact counts too.

Every row is a node of one graph (Wang, Garnett & Schneider, KDD 2013). Two rows are joined by (1 + cosine) / 2 of their
prepared vectors, which is a product of features x = (vector, 1) / sqrt(2), so that the n x n graph is never made
(Venkatesan et al., IJCAI 2017). The values f of all rows solve

    f = g + B D^-1 X X^T f,    D = the rows' degrees, X X^T 1,

where a labelled row takes B = `HEARD` of its value from its neighbours and the rest from its label, and an unlabelled
row takes a little from the expected share of the class. With z = X^T f this is a system with as many unknowns as
features. A row's score is f plus `impact` times f times how much all values would grow if it were a member.
"""

from functools import lru_cache

import numpy as np

from benchmarks.rankers import Ranker, new_answers
from elsa_nb.bench.arms import Arm, Seeds, Spaces
from elsa_nb.search.contract import Ledger

HEARD = 0.5  # of a labelled row's value comes from its neighbours, the rest from its label
EXPECTED = 0.05  # share of the class


class LabelSpread:
    """The values of all rows by a graph with features `x` (n, r) float64, `weight` on what is expected of each."""

    def __init__(self, x: np.ndarray, weight: float):
        self.x, self.degree = x, x @ x.sum(0)
        self.kept = np.full(len(x), 1 / (1 + weight))  # the diagonal of B
        self.given = (1 - self.kept) * EXPECTED  # g
        self._mixed = x.T @ (x * (self.kept / self.degree)[:, None])  # X^T B D^-1 X

    def label(self, rows: np.ndarray, labels: np.ndarray) -> None:
        """Learn the labels (m,) of `rows` (m,), 1 or 0."""
        x = self.x[rows]
        self._mixed += x.T @ (x * ((HEARD - self.kept[rows]) / self.degree[rows])[:, None])
        self.kept[rows], self.given[rows] = HEARD, (1 - HEARD) * labels

    def values(self) -> np.ndarray:
        """Return f (n,)."""
        z = np.linalg.solve(np.eye(len(self._mixed)) - self._mixed, self.x.T @ self.given)
        return self.given + self.kept / self.degree * (self.x @ z)

    def impact(self, f: np.ndarray) -> np.ndarray:
        """Return (n,) how much the values of all others would grow if a row were labelled a member.

        Labelling a row changes one row of the system, and the solution by a multiple of a column of its inverse
        (Sherman and Morrison): `columns` are the sums of these, `own` is what comes back to a row by way of the others.
        """
        inverse = np.linalg.inv(np.eye(len(self._mixed)) - self._mixed)
        columns = 1 + self.x @ (inverse.T @ (self.x.T @ (self.kept / self.degree)))
        own = np.einsum("ij,ij->i", self.x @ inverse, self.x) / self.degree
        said = (f - self.given) / self.kept  # D^-1 X X^T f
        less = HEARD - self.kept
        grows = (1 - HEARD - self.given + less * said) / (1 - less * own)
        return (columns - 1 - self.kept * own) * grows


def las(weight: float | None = None, impact: float = 0.0) -> Arm:
    """Return the arm; `weight` is that on what is expected of an unlabelled row, by default one row's for all.

    Weight and impact were chosen on classes that no result is reported on: more of either cost labels.
    """

    def of(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Ranker:
        x = _features(spaces)
        spread, known = LabelSpread(x, weight or 1 / len(x)), np.zeros(len(x), bool)

        def score(ledger: Ledger, _: np.random.Generator) -> np.ndarray:
            spread.label(*new_answers(ledger, known))
            f = spread.values()
            return f + impact * f * spread.impact(f) if impact else f

        return Ranker(len(x), seeds, budget, rng, score=score)

    return of


@lru_cache(maxsize=1)
def _features(spaces: Spaces) -> np.ndarray:
    vectors = spaces.rows().vectors
    return np.column_stack([vectors, np.ones(len(vectors))]).astype(np.float64) / np.sqrt(2)
