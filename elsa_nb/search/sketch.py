"""Exact neighbours in pools too large for neighbour lists: a few leading directions say what need not be measured.

Each vector is written as its coordinates in the leading directions of the pool and the length of what they leave over.
Between two such sketches of 64 + 1 numbers the squared distance is never more than between the vectors (the
coordinates by Pythagoras, the rest by the triangle inequality). So pairs are measured in the order of that bound, and
whatever is bounded beyond the last row returned is never read. Any orthonormal directions are right; good ones are
fast.
"""

import numpy as np

from elsa_nb.progress import bar
from elsa_nb.search import kernels
from elsa_nb.search.merging import NOTHING, farthest_of, nearest_allowed, nearest_first
from elsa_nb.search.neighbours import Neighbours
from elsa_nb.search.onepass import OnePass
from elsa_nb.search.shortlist import Shortlist

WIDTH = 64  # leading directions
LARGE = 2**27  # numbers in a pool, from where comparing a round's queries with every vector takes too long
SAMPLE = 8192  # vectors they are taken from
BLOCK = 8192  # rows handled together
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
        longest = self._fill(min(width, self.dimension), progress)
        self._norms = kernels.squared_norms(self._sketch)
        # Squares too long for float32 bound nothing: then everything is measured, in float64.
        self._speaks = 8 * longest < np.finfo(np.float32).max
        self._one_pass = OnePass(self.vectors, np.full(1, np.inf))
        # How far a bound may lie above the distance: roundings of sums of d, then of `width` terms, in float32.
        terms = self.dimension + self._sketch.shape[1] + 15
        self._error = 8 * terms * np.finfo(np.float32).eps * longest + terms * np.finfo(np.float32).tiny

    def _fill(self, width: int, progress: bool | None) -> float:
        """Compute the sketch; return the longest squared distance to the centre, infinite where float32 ends."""
        longest = 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            centre, directions = _leading_directions(self.vectors, width)
            self._sketch = np.empty((self.n, directions.shape[1] + 1), np.float32)
            for start in bar(range(0, self.n, BLOCK), "sketch", progress):
                block = kernels.as_single(self.vectors[start : start + BLOCK]) - centre
                mine = self._sketch[start : start + len(block)]
                mine[:, :-1] = block @ directions
                mine[:, -1] = np.sqrt(kernels.squared_norms(block - mine[:, :-1] @ directions.T))
                longest = np.maximum(longest, kernels.squared_norms(block).max())
                kernels.release(self.vectors)
        return float(longest) if np.isfinite(self._sketch).all() else np.inf

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
        if not self._speaks:
            rest = self._one_pass.within(queries, queries, NOTHING, count, allowed, 0.0)
            return nearest_allowed([(found, reach), rest], count, allowed)
        norms = np.where(allowed, self._norms, np.inf).astype(np.float32)  # what may not be returned is never near
        fetched = min(max(FETCHED, count + 1), self.n)
        open_ends = []
        for start in range(0, len(queries), max(1, PAIRS // fetched)):
            group = queries[start : start + max(1, PAIRS // fetched)]
            pairs, bounds, limits = self._bound(group, fetched, norms, farthest_of(reach, count))
            for part in np.split(np.arange(len(bounds)), _parts(len(bounds), 4 * count)):
                near = part[bounds[part] <= farthest_of(reach, count) + self._error]
                if not len(near):
                    break
                found, reach = self._measure(pairs[:, near], found, reach, count)
            open_ends.append(limits)
        short = queries[np.concatenate(open_ends) <= farthest_of(reach, count) + self._error]
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
        asked, own = self._sketch[queries], self._norms[queries][:, None]
        block = max(1, min(BLOCK, PAIRS // len(queries)))
        for start in range(0, self.n, block):
            stop = min(start + block, self.n)
            bounds = norms[start:stop] - 2 * kernels.products(asked, self._sketch[start:stop])
            near = bounds <= farthest_of(reach, count) + 2 * self._error - own
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
        asked = self._sketch[queries]
        shortlist = Shortlist(len(queries), fetched)
        if farthest < NOTHING:
            shortlist.limits[:] = farthest + 2 * self._error - self._norms[queries]
        for start in range(0, self.n, BLOCK):
            block = slice(start, start + BLOCK)
            shortlist.offer(kernels.products(asked, self._sketch[block]), norms[block], start)
        rows = shortlist.smallest().astype(np.int64)
        held = (rows >= 0) & (rows != queries[:, None])
        pairs = np.stack([np.broadcast_to(queries[:, None], rows.shape)[held], rows[held]])
        bounds = kernels.squared_distances(self._sketch, pairs[0], pairs[1][:, None])[:, 0]
        order = np.argsort(bounds, kind="stable")
        return pairs[:, order], bounds[order], shortlist.limits + self._norms[queries]


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


def _leading_directions(vectors: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a centre (d,) and orthonormal directions (d, width), float32, in which the vectors vary most.

    Subspace iteration on a sample: more precision would only save measurements.
    """
    rng = np.random.default_rng(0)
    rows = np.sort(rng.choice(len(vectors), min(SAMPLE, len(vectors)), replace=False))
    sample = kernels.as_single(vectors[rows])
    centre = sample.mean(0)
    sample = sample - centre
    directions = rng.normal(size=(vectors.shape[1], width)).astype(np.float32)
    for _ in range(4):
        directions = np.linalg.qr((sample.T @ (sample @ directions)).astype(np.float64))[0].astype(np.float32)
    return centre, directions
