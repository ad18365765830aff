"""Which rows are near any of a few queries, by one pass over all rows: no lists, and exact.

The pass compares every row with a few of the queries only, the pivots. By the triangle inequality a row x within r of
a query q is as far from a pivot p as q is, give or take r: |d(x, p) - d(q, p)| <= r. That leaves few rows for a closer
look (LAESA: Micó, Oncina and Vidal, 1994).
"""

import numpy as np
from numba import njit, prange

from elsa_nb.search import kernels
from elsa_nb.search.neighbours.ordering import NOTHING, Found, farthest_of, nearest_first

PIVOTS = 16  # more leave fewer rows, and take longer
PAIRS = 2**21  # of rows and queries compared at once
SPARE = 400  # more rows than wanted are measured while nothing says how far to look


class OnePass:
    """Search by one pass over `points` (n, w): the vectors themselves, or fewer numbers for each of them.

    `vectors` (n, d) are what is measured. The squared distance of two points exceeds that of their vectors by `error`
    at most. `longest` is the largest squared length of a point; if it leaves float32, points tell nothing and all is
    measured.
    """

    def __init__(self, vectors: np.ndarray, points: np.ndarray, longest: float, error: float = 0.0):
        self._vectors, self._points, self._error = vectors, points, error
        single, width = np.finfo(np.float32), points.shape[1]
        self._speaks = bool(8 * longest < single.max)
        # How far from a distance of points float32 may be: the roundings of a sum, and squares too small for it.
        self._blur = (width + 4) * single.eps * 2 * np.sqrt(longest) + np.sqrt(width * single.tiny)

    def complete(self, known: Found, queries: np.ndarray, count: int, allowed: np.ndarray) -> Found:
        """Return the `count` allowed rows nearest to any of `queries` but themselves, and rows known to be near.

        `queries` (m,) are rows, each once. `known` are at most `count` rows, each with a squared distance that is its
        own or more. Returns (rows, squared distances float64), ordered by (distance, row), as `known` is.
        """
        if self._speaks:
            known, rows, least = self._candidates(known, queries, count, allowed)
        else:
            rows = np.flatnonzero(allowed)
            least = np.zeros(len(rows), np.float32)
        order = np.argsort(least, kind="stable")
        rows, least = rows[order], least[order]
        start, step = 0, count  # the first few tell best how far to go
        while start < len(rows) and least[start] <= self._reach(known, count):
            part = rows[start : start + min(step, max(1, PAIRS // len(queries)))]
            i, j = np.nonzero(self._compared(part, queries) <= self._reach(known, count))
            known = self._measure(known, part[i], queries[j], count)
            start, step = start + len(part), 2 * step
        return known

    def _candidates(
        self, known: Found, queries: np.ndarray, count: int, allowed: np.ndarray
    ) -> tuple[Found, np.ndarray, np.ndarray]:
        """Return what is known so far, all rows that can be nearer, and how far each is from the nearest query."""
        pivots = self._farthest_first(queries)
        across = self._distances(slice(None), pivots)
        if farthest_of(known[1], count) == NOTHING:
            known = self._first(known, across.min(1), queries, count, allowed)
        possible = self._possible(queries, across, self._reach(known, count) + 2 * self._blur)
        rows = np.flatnonzero(possible & allowed)
        return known, rows, self._nearest(rows, queries)[0]

    def _first(self, known: Found, near: np.ndarray, queries: np.ndarray, count: int, allowed: np.ndarray) -> Found:
        """Measure `count` rows and a few more, those with the least of `near` (n,), to the query that seems nearest."""
        near = np.where(allowed, near, np.float32(np.inf))
        likely = np.argpartition(near, min(count + SPARE, len(near) - 1))[: count + SPARE]
        likely = likely[near[likely] < np.inf]
        least, nearest = self._nearest(likely, queries)
        return self._measure(known, likely[least < np.inf], queries[nearest[least < np.inf]], count)

    def _reach(self, known: Found, count: int) -> np.float32:
        """Return the distance of points, as float32 computes it, beyond which no row can be among the `count`."""
        farthest = np.sqrt(farthest_of(known[1], count) + self._error) + self._blur
        return np.float32(min(farthest, np.finfo(np.float32).max))

    def _measure(self, known: Found, rows: np.ndarray, queries: np.ndarray, count: int) -> Found:
        """Measure pairs of a row and a query; return the `count` nearest of their rows and those known."""
        distances = kernels.squared_distances(self._vectors, rows, queries[:, None])[:, 0]
        found, reach = nearest_first(np.append(known[0], rows), np.append(known[1], distances))
        return found[:count], reach[:count]

    def _distances(self, rows: np.ndarray | slice, queries: np.ndarray) -> np.ndarray:
        return kernels.distances(self._points[rows], kernels.as_single(self._points[queries]))

    def _farthest_first(self, queries: np.ndarray) -> np.ndarray:
        """Return up to `PIVOTS` of the queries, each the farthest from those before (Gonzalez, 1985)."""
        chosen, nearest = [0], self._distances(queries, queries[:1])[:, 0]
        while len(chosen) < min(PIVOTS, len(queries)):
            chosen.append(int(nearest.argmax()))
            nearest = np.minimum(nearest, self._distances(queries, queries[chosen[-1:]])[:, 0])
        return queries[chosen]

    def _possible(self, queries: np.ndarray, across: np.ndarray, reach: float) -> np.ndarray:
        """Return a mask (n,) of the rows that distances to the pivots, `across` (n, p), let be within `reach`."""
        own = across[queries]
        nearest = own.argmin(1)
        order = np.argsort(nearest, kind="stable")
        starts = np.searchsorted(nearest[order], np.arange(own.shape[1] + 1))
        radius = np.zeros(own.shape[1], np.float32)
        np.maximum.at(radius, nearest, own.min(1))
        possible = np.empty(len(across), bool)
        with kernels.one_at_a_time:
            _within_reach(across, own[order], starts, radius, np.float32(reach), possible)
        return possible

    def _nearest(self, rows: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how far each row is from the query nearest to it, but itself, and which that is (its position)."""
        least, nearest = np.empty(len(rows), np.float32), np.empty(len(rows), np.int64)
        step = max(1, PAIRS // len(queries))
        for start in range(0, len(rows), step):
            compared = self._compared(rows[start : start + step], queries)
            nearest[start : start + step] = compared.argmin(1)
            least[start : start + step] = compared.min(1)
        return least, nearest

    def _compared(self, rows: np.ndarray, queries: np.ndarray) -> np.ndarray:
        """Return the distances of rows to queries, (r, m) float32: infinite to itself, 0 where float32 cannot tell."""
        compared = self._distances(rows, queries) if self._speaks else np.zeros((len(rows), len(queries)), np.float32)
        _, i, j = np.intersect1d(rows, queries, assume_unique=True, return_indices=True)
        compared[i, j] = np.inf
        return compared


@njit(parallel=True, cache=True)
def _within_reach(across, own, starts, radius, reach, possible):
    """Tell of each row whether some query is as far from every pivot as it is, give or take `reach`.

    `across` (n, p) and `own` (m, p) are distances to the pivots, of rows and of queries; those of a pivot p, all within
    radius[p] of it, are starts[p] to starts[p + 1].
    """
    for i in prange(len(across)):
        possible[i] = False
        for p in range(len(radius)):
            if possible[i] or across[i, p] > radius[p] + reach:
                continue
            for q in range(starts[p], starts[p + 1]):
                similar = True
                for j in range(len(radius)):
                    if abs(across[i, j] - own[q, j]) > reach:
                        similar = False
                        break
                if similar:
                    possible[i] = True
                    break
