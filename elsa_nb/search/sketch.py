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
from elsa_nb.search.neighbours import Neighbours, nearest_first
from elsa_nb.search.shortlist import Shortlist

WIDTH = 64  # leading directions
LARGE = 2**27  # numbers in a pool, from where comparing a round's queries with every vector takes too long
SAMPLE = 8192  # vectors they are taken from
BLOCK = 8192  # rows handled together
FETCHED = 512  # pairs bounded for each query at first; more whenever they prove too few


class Sketch:
    """Exact nearest neighbours among the rows of one pool, like `Neighbours`, without its n x k lists.

    `vectors` is (n, d) float32 or float16, finite, and may be mapped from a file: a search reads the sketch, 260 bytes
    a row, and the few vectors it measures. Same answers, same order as `Neighbours`.
    """

    def __init__(self, vectors: np.ndarray, *, width: int = WIDTH, progress: bool | None = None):
        half = np.asarray(vectors).dtype == np.float16
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float16 if half else np.float32)
        self.n, self.dimension = self.vectors.shape
        centre, directions = _leading_directions(self.vectors, min(width, self.dimension))
        self._sketch = np.empty((self.n, directions.shape[1] + 1), np.float32)
        longest = 0.0
        for start in bar(range(0, self.n, BLOCK), "sketch", progress):
            block = kernels.as_single(self.vectors[start : start + BLOCK]) - centre
            mine = self._sketch[start : start + len(block)]
            mine[:, :-1] = block @ directions
            mine[:, -1] = np.sqrt(kernels.squared_norms(block - mine[:, :-1] @ directions.T))
            longest = max(longest, kernels.squared_norms(block).max())
            kernels.release(self.vectors)
        self._norms = kernels.squared_norms(self._sketch)
        # How far a bound may lie above the distance: roundings of sums of d, then of `width` terms, in float32.
        terms = self.dimension + directions.shape[1] + 16
        self._error = 8 * terms * np.finfo(np.float32).eps * longest + terms * np.finfo(np.float32).tiny

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
        farthest, fetched = np.inf, max(FETCHED, count)
        while True:
            pairs, bounds, limits = self._bound(queries, min(fetched, self.n), allowed, farthest)
            for part in np.split(np.arange(len(bounds)), _parts(len(bounds), 4 * count)):
                near = part[bounds[part] <= farthest + self._error]
                if not len(near):
                    break
                distances = kernels.squared_distances(self.vectors, pairs[0, near], pairs[1, near][:, None])[:, 0]
                found, reach = nearest_first(np.append(found, pairs[1, near]), np.append(reach, distances))
                found, reach = found[:count], reach[:count]
                farthest = reach[-1] if len(found) == count else np.inf
            queries = queries[limits <= farthest + self._error]
            kernels.release(self.vectors)
            if not len(queries) or fetched >= self.n:
                return found, reach
            fetched *= 32  # mostly enough for all pairs that are bounded within the distance known by now

    def nearest_to_each(self, queries: np.ndarray, count: int, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for each query row its `count` nearest allowed rows, never itself, as `Neighbours` does."""
        found = [self.nearest_to_any(np.array([query]), count, allowed) for query in queries]
        if not found:
            return np.empty(0, np.int64), np.empty(0)
        return np.concatenate([rows for rows, _ in found]), np.concatenate([distances for _, distances in found])

    def _bound(
        self, queries: np.ndarray, fetched: int, allowed: np.ndarray, farthest: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the `fetched` least bounded pairs of each query: (query and row (2, m), bounds (m,)), least first.

        And for each query the bound that all its other rows have at least, (len(queries),). Pairs that are bounded
        beyond `farthest` are left out.
        """
        asked = self._sketch[queries]
        norms = np.where(allowed, self._norms, np.inf).astype(np.float32)  # what may not be returned is never near
        shortlist = Shortlist(len(queries), fetched)
        shortlist.limits[:] = farthest + 2 * self._error - self._norms[queries]
        for start in range(0, self.n, BLOCK):
            shortlist.offer(asked @ self._sketch[start : start + BLOCK].T, norms[start : start + BLOCK], start)
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
