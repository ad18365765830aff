"""What is near to any of a few queries, by one pass over all vectors: no lists, and exact."""

from collections import deque

import numpy as np

from elsa_nb.search import kernels
from elsa_nb.search.merging import NOTHING
from elsa_nb.search.shortlist import in_single

BLOCK = 8192  # vectors multiplied at once
TOGETHER = 2**22  # pairs measured at once: 64 MiB
KEPT_BYTES = 2**25  # of passes remembered


class OnePass:
    """Search by one pass over `vectors` (n, d); `norms` (n,) float64 are their squared lengths.

    A search that finds nothing new asks about the same rows again, or about a few more: the latest passes are kept,
    and a pass over the vectors is made for the new ones only.
    """

    def __init__(self, vectors: np.ndarray, norms: np.ndarray):
        self._vectors, self._norms = vectors, in_single(norms)
        self._speaks = 8 * norms.max() < np.finfo(np.float32).max  # else float32 tells nothing
        self._passes: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=max(1, KEPT_BYTES // (4 * len(vectors))))

    def within(
        self, short: np.ndarray, queries: np.ndarray, farthest: float, count: int, allowed: np.ndarray, error: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return every allowed row that can be among the `count` nearest to any of `short`, within `farthest`.

        `queries` (m,) are all queries of the round, `short` some of them, both rows, ascending; others may be heeded
        too. `error` bounds what float32 rounds off a squared distance. Returns (rows, distances to the nearest of the
        queries heeded but itself, float64). The pass says in float32 which rows are near enough, give or take `error`;
        those are measured.
        """
        rows = np.flatnonzero(allowed)
        if self._speaks:
            short, near = self._nearest(short, queries)
            near = near[rows]
            if farthest == NOTHING and count < len(rows):  # so many lie no farther than that
                farthest = np.partition(near, count - 1)[count - 1] + error
            rows = rows[near <= farthest + error]
        distances = np.empty(len(rows))
        step = max(1, TOGETHER // len(short))
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            pairs = kernels.squared_distances(self._vectors, part, np.broadcast_to(short, (len(part), len(short))))
            pairs[part[:, None] == short] = np.inf
            distances[start : start + step] = pairs.min(1)
        return rows[distances < np.inf], distances[distances < np.inf]

    def _nearest(self, short: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows heeded, and roughly each row's squared distance (n,) float32 to the nearest of them."""
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
        asked = -2 * kernels.as_single(self._vectors[queries])
        n, least = len(self._vectors), np.empty(len(self._vectors), np.float32)
        for start in range(0, n, BLOCK):
            block = slice(start, min(start + BLOCK, n))
            vectors = self._vectors[block]
            few = len(queries) < kernels.FEW
            # So many rows against so few columns are multiplied faster this way round.
            products = kernels.project(vectors, asked).T if few else kernels.as_single(vectors) @ asked.T
            mine = np.flatnonzero((queries >= start) & (queries < block.stop))
            products[queries[mine] - start, mine] = np.inf  # no row is its own neighbour
            kernels.least_sums(products, self._norms[queries], least[block])
        return least + self._norms
