"""What is near to any of a few queries, by one pass over all vectors: no lists, and exact."""

from collections import deque

import numpy as np

from elsa_nb.search import kernels
from elsa_nb.search.bounds import BLOCK, Bounds
from elsa_nb.search.merging import NOTHING
from elsa_nb.search.shortlist import in_single

WIDTH = 96  # leading directions of the pass: of 256 dimensions they leave a few rows in a hundred for a closer look
TOGETHER = 2**22  # pairs measured at once: 64 MiB
LIKELY = 8  # times the rows wanted are measured to know how far to look
KEPT_BYTES = 2**25  # of passes remembered


class OnePass:
    """Search by one pass over `vectors` (n, d); `norms` (n,) float64 are their squared lengths.

    The pass reads bounds of `WIDTH` + 1 numbers a row, made when first asked for; rows bounded near enough are compared
    in float32, and those that are near enough, give or take its rounding, are measured in float64.

    A search that finds nothing new asks about the same rows again, or about a few more: the latest passes are kept,
    and a pass is made for the new ones only.
    """

    def __init__(self, vectors: np.ndarray, norms: np.ndarray):
        self._vectors, self._norms = vectors, in_single(norms)
        self._speaks = 8 * norms.max() < np.finfo(np.float32).max  # else float32 tells nothing
        self._bounds: Bounds | None = None
        self._passes: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=max(1, KEPT_BYTES // (4 * len(vectors))))

    def within(
        self, short: np.ndarray, queries: np.ndarray, farthest: float, count: int, allowed: np.ndarray, error: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return every allowed row that can be among the `count` nearest to any of `short`, within `farthest`.

        `queries` (m,) are all queries of the round, `short` some of them, both rows, ascending; others may be heeded
        too. `error` bounds what float32 rounds off a squared distance. Returns (rows, distances to the nearest of the
        queries heeded but itself, float64).
        """
        rows = np.flatnonzero(allowed)
        if self._speaks and self._bounded().speaks:
            short, bounds = self._least_bounds(short, queries)
            bounds = bounds[rows]
            if farthest == NOTHING and count < len(rows):  # so many lie no farther than the nearest of likely ones do
                likely = rows[np.argpartition(bounds, min(LIKELY * count, len(rows)) - 1)[: LIKELY * count]]
                near = self._least(self._vectors, self._norms, short, likely)
                farthest = np.partition(near, count - 1)[count - 1] + error
            rows = rows[bounds <= farthest + 2 * self._bounds.error]
            rows = rows[self._least(self._vectors, self._norms, short, rows) <= farthest + error]
        distances = np.empty(len(rows))
        step = max(1, TOGETHER // len(short))
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            pairs = kernels.squared_distances(self._vectors, part, np.broadcast_to(short, (len(part), len(short))))
            pairs[part[:, None] == short] = np.inf
            distances[start : start + step] = pairs.min(1)
        return rows[distances < np.inf], distances[distances < np.inf]

    def _bounded(self) -> Bounds:
        self._bounds = self._bounds or Bounds(self._vectors, WIDTH, progress=False)
        return self._bounds

    def _least_bounds(self, short: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows heeded, and a bound (n,) float32 on each row's squared distance to the nearest of them."""
        fitting = [one for one in self._passes if np.isin(one[0], queries, assume_unique=True).all()]
        if not fitting:
            heeded, least = short, self._pass(short)
        else:
            known, least = max(fitting, key=lambda one: np.isin(one[0], short, assume_unique=True).sum())
            heeded, fresh = np.union1d(known, short), np.setdiff1d(short, known, assume_unique=True)
            if not len(fresh):
                return heeded, least
            least = np.minimum(least, self._pass(fresh))
        self._passes.append((heeded, least))
        return heeded, least

    def _pass(self, queries: np.ndarray) -> np.ndarray:
        """Bound every row's squared distance to the nearest of the queries but itself: (n,) float32."""
        return self._least(self._bounds.coordinates, in_single(self._bounds.norms), queries)

    def _least(
        self, vectors: np.ndarray, norms: np.ndarray, queries: np.ndarray, rows: np.ndarray | None = None
    ) -> np.ndarray:
        """Return roughly the squared distance by `vectors` of each of `rows` (all) to the nearest other query."""
        asked = -2 * kernels.as_single(vectors[queries])
        everything = rows is None
        least = np.empty(len(vectors) if everything else len(rows), np.float32)
        for start in range(0, len(least), BLOCK):
            part = slice(start, min(start + BLOCK, len(least)))
            block = vectors[part] if everything else vectors[rows[part]]
            few = len(queries) < kernels.FEW
            # So many rows against so few columns are multiplied faster this way round.
            products = kernels.project(block, asked).T if few else kernels.as_single(block) @ asked.T
            own, mine = _own(queries, part, rows)
            products[own, mine] = np.inf  # no row is its own neighbour
            kernels.least_sums(products, norms[queries], least[part])
        return least + (norms if everything else norms[rows])


def _own(queries: np.ndarray, part: slice, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return where a part of the rows meets itself among the queries: (places in the part, places in the queries)."""
    if rows is None:
        mine = np.flatnonzero((queries >= part.start) & (queries < part.stop))
        return queries[mine] - part.start, mine
    _, own, mine = np.intersect1d(rows[part], queries, assume_unique=True, return_indices=True)
    return own, mine
