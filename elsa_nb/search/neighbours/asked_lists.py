"""Lists of near rows for the rows that were asked about, made as they are asked: for pools too large to list every row.

The searches of one class ask about the same few thousand rows again and again: its members, and what lies near. The
first question about a row costs a pass over the bounds, which leaves a list that is complete up to a distance of its
own, its reach; a later question is answered from lists if its answer lies within the reach of all of them.
"""

from collections import OrderedDict
from typing import NamedTuple

import numpy as np

from elsa_nb.search import kernels
from elsa_nb.search.neighbours.ordering import Found, farthest_of, nearest_allowed
from elsa_nb.search.neighbours.shortlist import Shortlist
from elsa_nb.threads import one_blas_thread

LEAST_ROWS = 2**18  # of a pool: in smaller ones a pass is quick
LISTED = 1000  # rows in a list, about; a list that proves too short is made again, four times as long ...
LONGEST = 64_000  # ... up to here
_SAMPLE = 2**15  # rows that tell how far a list goes
_AT_ONCE = 64  # queries of one pass
_MULTIPLIED = 2048  # rows multiplied together: their products stay in the cache
_KEPT_BYTES = 2**29  # of lists; the oldest go


class _List(NamedTuple):
    """All rows nearer than `reach`, a squared distance, with their distances; `length` is how many were wanted."""

    rows: np.ndarray
    distances: np.ndarray
    reach: float
    length: int


class AskedLists:
    """Lists of the rows asked about among `vectors` (n, d), by `points` (n, w) that bound their distances.

    The points are those of `bounds.Bounds`, `norms` (n,) their squared lengths, all float32.
    """

    def __init__(self, vectors: np.ndarray, points: np.ndarray, norms: np.ndarray):
        self._vectors, self._points = vectors, points
        # Of |x|^2 + |q|^2: what the points themselves are off by (`Bounds.error`, of the two rows at hand where that is
        # of the longest one), and what a product of them in float32 rounds off.
        terms = vectors.shape[1] + 3 * points.shape[1] + 31
        self._norms = (1 - 4 * terms * np.finfo(np.float32).eps) * norms
        self._lists: OrderedDict[int, _List] = OrderedDict()
        self._held = 0  # rows in all lists
        self._sample = np.sort(np.random.default_rng(0).choice(len(points), min(_SAMPLE, len(points)), replace=False))

    def complete(self, known: Found, queries: np.ndarray, count: int, allowed: np.ndarray) -> tuple[Found, bool]:
        """Return the `count` allowed rows nearest to any of `queries` (m,) but themselves, and whether that is certain.

        `known` are rows known to be near, as for `OnePass.complete`. Where lists end before the last of the rows, these
        are near ones, measured, and maybe not the nearest.
        """
        self._add([query for query in queries.tolist() if query not in self._lists], LISTED)
        length = LISTED
        while True:
            mine = [self._lists[query] for query in queries.tolist()]
            found = nearest_allowed([known, *((one.rows, one.distances) for one in mine)], count, allowed)
            farthest = farthest_of(found[1], count)
            short = [query for query, one in zip(queries.tolist(), mine, strict=True) if not farthest < one.reach]
            length *= 4
            if not short or length > LONGEST or len(short) > _AT_ONCE:
                self._forget(len(queries))
                return found, not short
            self._add([query for query in short if self._lists[query].length < length], length)

    def _add(self, queries: list[int], length: int) -> None:
        """Make the lists of rows anew, as many in each pass as fit."""
        for start in range(0, len(queries), _AT_ONCE):
            self._pass(np.array(queries[start : start + _AT_ONCE], np.int64), length)

    def _pass(self, queries: np.ndarray, length: int) -> None:
        """Make the lists of rows (m,) in one pass."""
        wanted, room = self._points[queries], np.empty(_AT_ONCE * _MULTIPLIED, np.float32)
        shortlist = Shortlist(len(queries), min(length, len(self._points) - 1))
        with one_blas_thread():
            sample = self._norms[self._sample] - 2 * (wanted @ self._points[self._sample].T)
            rank = min(max(4, round(length * sample.shape[1] / len(self._points))), sample.shape[1] - 1)
            shortlist.limits[:] = np.partition(sample, rank, axis=1)[:, rank]
            for start in range(0, len(self._points), _MULTIPLIED):
                block = self._points[start : start + _MULTIPLIED]
                products = room[: len(wanted) * len(block)].reshape(len(wanted), len(block))
                np.matmul(wanted, block.T, out=products)
                shortlist.offer(products, self._norms[start : start + _MULTIPLIED], start)
        columns, own = shortlist.smallest(), self._norms[queries].astype(np.float64)
        reach = shortlist.limits + own - self._points.shape[1] * 16 * np.finfo(np.float32).tiny
        for k, query in enumerate(queries.tolist()):
            rows = columns[k][(columns[k] >= 0) & (columns[k] != query)].astype(np.int64)
            distances = kernels.squared_distances(self._vectors, queries[k : k + 1], rows[None])[0]
            near = distances < reach[k]
            self._held += int(near.sum()) - (len(self._lists.pop(query).rows) if query in self._lists else 0)
            self._lists[query] = _List(rows[near], distances[near], float(reach[k]), length)

    def _forget(self, spared: int) -> None:
        """Drop the oldest lists where they take too much room, but never the latest `spared`."""
        while len(self._lists) > spared and self._held > _KEPT_BYTES // 16:
            _, oldest = self._lists.popitem(last=False)
            self._held -= len(oldest.rows)
