"""Lists of near rows for the rows that were asked about, made as they are asked: for pools too large to list every row.

The searches of one class ask about the same few thousand rows again and again: its members, and what lies near. The
first question about a row costs a pass over the bounds, which leaves a list that is complete to a reach of its own; a
later question is answered from lists wherever its answer lies within the reach of all of them.
"""

from collections import OrderedDict

import numpy as np

from elsa_nb.search import kernels
from elsa_nb.search.neighbours.ordering import NOTHING, Found, nearest_allowed
from elsa_nb.search.neighbours.shortlist import Shortlist
from elsa_nb.threads import one_blas_thread

LEAST_ROWS = 2**18  # of a pool: in smaller ones a pass is quick
LISTED = 1000  # rows in a list, about
_SAMPLE = 2**15  # rows that tell how far a list goes
_AT_ONCE = 64  # queries of one pass
_MULTIPLIED = 2048  # rows multiplied together: their products stay in the cache
_KEPT_BYTES = 2**29  # of lists; the oldest go


class AskedLists:
    """Lists of the rows asked about among `vectors` (n, d), by their bounds: `points` (n, w) float32 with `error`.

    The squared distance of two points exceeds that of their vectors by `error` at most.
    """

    def __init__(self, vectors: np.ndarray, points: np.ndarray, norms: np.ndarray, error: float):
        self._vectors, self._points, self._norms, self._error = vectors, points, norms, error
        self._rounded = 2 * (points.shape[1] + 8) * np.finfo(np.float32).eps  # of |x|^2 + |q|^2
        self._lists: OrderedDict[int, tuple[np.ndarray, np.ndarray, float]] = OrderedDict()
        self._sample = np.sort(np.random.default_rng(0).choice(len(points), min(_SAMPLE, len(points)), replace=False))

    def complete(self, known: Found, queries: np.ndarray, count: int, allowed: np.ndarray) -> tuple[Found, bool]:
        """Return the `count` allowed rows nearest to any of `queries` (m,) but themselves, and whether they are it.

        `known` are rows known to be near, as for `OnePass.complete`. Where lists end before the last of the rows, these
        are near ones, measured, and maybe not the nearest.
        """
        fresh = np.array([query for query in queries.tolist() if query not in self._lists], np.int64)
        for start in range(0, len(fresh), _AT_ONCE):
            self._add(fresh[start : start + _AT_ONCE])
        mine = [self._lists[query] for query in queries.tolist()]
        found = nearest_allowed([known, *((rows, distances) for rows, distances, _ in mine)], count, allowed)
        farthest = found[1][-1] if len(found[1]) == count else NOTHING
        self._forget(len(queries))
        return found, bool(farthest < min(reach for *_, reach in mine))

    def _add(self, queries: np.ndarray) -> None:
        """Make the lists of rows (m,) that have none, in one pass."""
        wanted, room = self._points[queries], np.empty(_AT_ONCE * _MULTIPLIED, np.float32)
        shortlist = Shortlist(len(queries), min(LISTED, len(self._points) - 1))
        with one_blas_thread():
            sample = self._norms[self._sample] - 2 * (wanted @ self._points[self._sample].T)
            rank = min(max(4, round(LISTED * sample.shape[1] / len(self._points))), sample.shape[1] - 1)
            shortlist.limits[:] = np.partition(sample, rank, axis=1)[:, rank]
            for start in range(0, len(self._points), _MULTIPLIED):
                block = self._points[start : start + _MULTIPLIED]
                products = room[: len(wanted) * len(block)].reshape(len(wanted), len(block))
                np.matmul(wanted, block.T, out=products)
                shortlist.offer(products, self._norms[start : start + _MULTIPLIED], start)
        columns, own = shortlist.smallest(), self._norms[queries].astype(np.float64)
        reach = shortlist.limits + own - self._rounded * (self._norms.max() + own) - self._error
        for k, query in enumerate(queries.tolist()):
            rows = columns[k][(columns[k] >= 0) & (columns[k] != query)].astype(np.int64)
            distances = kernels.squared_distances(self._vectors, queries[k : k + 1], rows[None])[0]
            near = distances < reach[k]
            self._lists[query] = rows[near], distances[near], float(reach[k])

    def _forget(self, spared: int) -> None:
        """Drop the oldest lists where they are too many, but never the latest `spared`."""
        most = max(spared, _KEPT_BYTES // (16 * LISTED))
        while len(self._lists) > most:
            self._lists.popitem(last=False)
