"""Exact neighbours in pools too large for neighbour lists: bounds of 65 numbers a row say what need not be measured.

Pairs are measured in the order of their bound (`bounds`), and whatever is bounded beyond the last row returned is never
read.
"""

import numpy as np

from elsa_nb.search import kernels
from elsa_nb.search.bounds import BLOCK, Bounds
from elsa_nb.search.merging import NOTHING, farthest_of, nearest_allowed, nearest_first
from elsa_nb.search.neighbours import Neighbours
from elsa_nb.search.onepass import OnePass
from elsa_nb.search.shortlist import Shortlist

WIDTH = 64  # leading directions
LARGE = 2**27  # numbers in a pool, from where comparing a round's queries with every vector takes too long
FETCHED = 512  # pairs bounded for each query at first; where they prove too few, the rest goes block by block
PAIRS = 2**21  # looked at together


class Sketch:
    """Exact nearest neighbours among the rows of one pool, like `Neighbours`, without its n x k lists.

    `vectors` is (n, d) float32 or float16, finite, and may be mapped from a file: a search reads the sketch, 260 bytes
    a row, and the few vectors it measures. Same answers, same order as `Neighbours`.
    """

    def __init__(self, vectors: np.ndarray, *, width: int = WIDTH, progress: bool | None = None):
        half = np.asarray(vectors).dtype == np.float16
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float16 if half else np.float32)
        self.n, self.dimension = self.vectors.shape
        self._bounds = Bounds(self.vectors, width, progress=progress)
        self._one_pass = OnePass(self.vectors, np.full(1, np.inf))

    def nearest_to_any(
        self, queries: np.ndarray, count: int, allowed: np.ndarray, *, include_queries: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the `count` allowed rows with the smallest distance to any of the query rows (Algorithm 1).

        Arguments and result are those of `Neighbours.nearest_to_any`.
        """
        queries = np.unique(np.asarray(queries, dtype=np.int64))
        count = min(count, int(np.count_nonzero(allowed)))
        if not len(queries) or not count:
            return np.empty(0, np.int64), np.empty(0)
        own = queries[allowed[queries]] if include_queries else queries[:0]
        found, reach = own[:count], np.zeros(len(own[:count]))
        if not self._bounds.speaks:
            rest = self._one_pass.within(queries, queries, NOTHING, count, allowed, 0.0)
            return nearest_allowed([(found, reach), rest], count, allowed)
        norms = np.where(allowed, self._bounds.norms, np.inf).astype(
            np.float32
        )  # what may not be returned is never near
        fetched = min(max(FETCHED, count + 1), self.n)
        open_ends = []
        for start in range(0, len(queries), max(1, PAIRS // fetched)):
            group = queries[start : start + max(1, PAIRS // fetched)]
            pairs, bounds, limits = self._bound(group, fetched, norms, farthest_of(reach, count))
            for part in np.split(np.arange(len(bounds)), _parts(len(bounds), 4 * count)):
                near = part[bounds[part] <= farthest_of(reach, count) + self._bounds.error]
                if not len(near):
                    break
                found, reach = self._measure(pairs[:, near], found, reach, count)
            open_ends.append(limits)
        short = queries[np.concatenate(open_ends) <= farthest_of(reach, count) + self._bounds.error]
        if len(short) and fetched < self.n:
            found, reach = self._rest(short, norms, found, reach, count)
        kernels.release(self.vectors)
        return found, reach

    def _measure(
        self, pairs: np.ndarray, found: np.ndarray, reach: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Measure pairs (query, row), (2, m), and return the `count` nearest of their rows and those found before."""
        distances = kernels.squared_distances(self.vectors, pairs[0], pairs[1][:, None])[:, 0]
        found, reach = nearest_first(np.append(found, pairs[1]), np.append(reach, distances))
        return found[:count], reach[:count]

    def _rest(
        self, queries: np.ndarray, norms: np.ndarray, found: np.ndarray, reach: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Measure block by block whatever is bounded within what is known to be near: however much, little is held."""
        asked, own = self._bounds.coordinates[queries], self._bounds.norms[queries][:, None]
        block = max(1, min(BLOCK, PAIRS // len(queries)))
        for start in range(0, self.n, block):
            stop = min(start + block, self.n)
            bounds = norms[start:stop] - 2 * kernels.products(asked, self._bounds.coordinates[start:stop])
            near = bounds <= farthest_of(reach, count) + 2 * self._bounds.error - own
            mine = np.flatnonzero((queries >= start) & (queries < stop))
            near[mine, queries[mine] - start] = False
            i, j = np.nonzero(near)
            if len(i):
                found, reach = self._measure(np.stack([queries[i], start + j]), found, reach, count)
                kernels.release(self.vectors)
        return found, reach

    def nearest_to_each(self, queries: np.ndarray, count: int, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for each query row its `count` nearest allowed rows, never itself, as `Neighbours` does."""
        found = [self.nearest_to_any(np.array([query]), count, allowed) for query in queries]
        if not found:
            return np.empty(0, np.int64), np.empty(0)
        return np.concatenate([rows for rows, _ in found]), np.concatenate([distances for _, distances in found])

    def _bound(
        self, queries: np.ndarray, fetched: int, norms: np.ndarray, farthest: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the `fetched` least bounded pairs of each query: (query and row (2, m), bounds (m,)), least first.

        And for each query the bound that all its other rows have at least, (len(queries),). `norms` (n,) are those of
        the sketch, infinite for rows that are not wanted. Pairs that are bounded beyond `farthest` are left out.
        """
        asked = self._bounds.coordinates[queries]
        shortlist = Shortlist(len(queries), fetched)
        if farthest < NOTHING:
            shortlist.limits[:] = farthest + 2 * self._bounds.error - self._bounds.norms[queries]
        for start in range(0, self.n, BLOCK):
            block = slice(start, start + BLOCK)
            shortlist.offer(kernels.products(asked, self._bounds.coordinates[block]), norms[block], start)
        rows = shortlist.smallest().astype(np.int64)
        held = (rows >= 0) & (rows != queries[:, None])
        pairs = np.stack([np.broadcast_to(queries[:, None], rows.shape)[held], rows[held]])
        bounds = kernels.squared_distances(self._bounds.coordinates, pairs[0], pairs[1][:, None])[:, 0]
        order = np.argsort(bounds, kind="stable")
        return pairs[:, order], bounds[order], shortlist.limits + self._bounds.norms[queries]


def without_lists(vectors: np.ndarray) -> Neighbours | Sketch:
    """Return exact neighbours for a search in a pool that nothing was prepared for: by bounds where it is large."""
    return Sketch(vectors) if vectors.size > LARGE else Neighbours(vectors)


def _parts(total: int, first: int) -> list[int]:
    """Return where to cut `total` pairs so that the first few already tell how far to go."""
    cuts, size = [], first
    while size < total:
        cuts.append(size)
        size *= 2
    return cuts
