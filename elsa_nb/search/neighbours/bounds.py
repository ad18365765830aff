"""Exact neighbours in pools too large for neighbour lists: bounds of 65 numbers per row say what need not be measured.

Each vector is written as its coordinates in the leading directions of the pool and the length of what they leave over.
Between two such rows of `width` + 1 numbers the squared distance is never more than between the vectors (the
coordinates by Pythagoras, the rest by the triangle inequality). Any orthonormal directions are correct; good ones are
fast. Rows are measured in the order of their bound; a row whose bound is beyond the last row returned is never read.
"""

from collections import deque

import numpy as np
from numba import get_num_threads

from elsa_nb.progress import bar
from elsa_nb.search import kernels
from elsa_nb.search.neighbours import asked_lists
from elsa_nb.search.neighbours.asked_lists import AskedLists
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.neighbours.one_pass import OnePass
from elsa_nb.search.neighbours.ordering import NOTHING, Found, farthest_of
from elsa_nb.search.neighbours.shortlist import in_single
from elsa_nb.threads import one_blas_thread

WIDTH = 64  # leading directions
_LARGE = 2**27  # numbers in a pool; with more, comparing a round's queries with every vector takes too long
_SAMPLE = 8192  # vectors the leading directions are taken from
_BLOCK = 8192  # rows handled together
_MULTIPLIED = 2048  # rows multiplied together: their products stay in the cache
_FEW_THREADS = 2  # with more threads, taking differences is quicker
_IDLE = 1e-4  # of the variance: leading directions with less than that together are left out
_KEPT_BYTES = 2**26  # of passes remembered: a dozen in a pool of ImageNet's size
_KEPT = 128  # of passes in a small pool, where looking through more would take longer than a pass


class Sketch:
    """Exact nearest neighbours among the rows of one pool, like `Neighbours`, without its n x k lists.

    `vectors` is (n, d) float32 or float16, finite, and may be mapped from a file: a search reads the sketch, 260 bytes
    per row, and the few vectors it measures. Same answers, same order as `Neighbours`.
    """

    def __init__(self, vectors: np.ndarray, *, width: int = WIDTH, progress: bool | None = None):
        self.vectors = kernels.contiguous(vectors)
        self.n, self.dimension = self.vectors.shape
        self._bounds = Bounds(self.vectors, width, progress=progress)
        self._one_pass = RememberedPass(self.vectors, self._bounds)
        self._asked: AskedLists | None = None

    def keep_lists(self) -> None:
        """Keep lists of the rows near those asked about: for many searches that ask about the same rows in memory.

        A person's single search asks about most rows once, and measuring many rows of a file beyond memory is slow.
        """
        if self._asked is None and self.n >= asked_lists.LEAST_ROWS:
            self._asked = self._one_pass.lists()

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
        own = queries[allowed[queries]][:count] if include_queries else queries[:0]
        known = own, np.zeros(len(own))
        if self._asked is not None:
            known, complete = self._asked.complete(known, queries, count, allowed)
            if complete:
                return known
        return self._one_pass.complete(known, queries, count, allowed)

    def nearest_to_each(self, queries: np.ndarray, count: int, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for each query row its `count` nearest allowed rows, never itself, as `Neighbours` does."""
        found = [self.nearest_to_any(np.array([query]), count, allowed) for query in queries]
        if not found:
            return np.empty(0, np.int64), np.empty(0)
        return np.concatenate([rows for rows, _ in found]), np.concatenate([distances for _, distances in found])


class RememberedPass(OnePass):
    """One pass over bounds, without pivots: few numbers per row are compared quickly, and pivots help little.

    In each round a search asks about the same queries and a few more: the latest passes are kept, and a pass is made
    for the new queries only.
    """

    def __init__(self, vectors: np.ndarray, bounds: "Bounds"):
        super().__init__(vectors, bounds.coordinates, bounds.longest)
        self._passes: deque[tuple[np.ndarray, np.ndarray]] = deque(
            maxlen=min(_KEPT, max(1, _KEPT_BYTES // (4 * len(vectors))))
        )
        self._norms = in_single(kernels.squared_norms(self._points))
        # The error of a bound depends on its two rows: one row far from all others does not weaken other bounds.
        self._off = np.float32(bounds.error / bounds.longest if 0 < bounds.longest < np.inf else 0)

    def _compared(self, rows: np.ndarray, queries: np.ndarray) -> np.ndarray:
        """Return a lower bound of the distance of each row to each query, (r, m) float32; infinite to itself."""
        compared = super()._compared(rows, queries)
        if self._speaks:
            compared = compared**2 - self._off * (self._norms[rows][:, None] + self._norms[queries])
            np.sqrt(np.maximum(compared, 0, out=compared), out=compared)
        return compared

    def lists(self) -> AskedLists | None:
        """Return lists of the rows that will be asked about, by the same bounds; None where the bounds tell nothing."""
        return AskedLists(self._vectors, self._points, self._norms) if self._speaks else None

    def _candidates(
        self, known: Found, queries: np.ndarray, count: int, allowed: np.ndarray
    ) -> tuple[Found, np.ndarray, np.ndarray]:
        least = self._least(queries)
        if farthest_of(known[1], count) == NOTHING:
            known = self._first(known, least, queries, count, allowed)
        rows = np.flatnonzero(allowed & (least <= self._reach(known, count)))
        return known, rows, least[rows]

    def _least(self, queries: np.ndarray) -> np.ndarray:
        """Return a lower bound of each row's distance to the nearest query other than itself, (n,) float32."""
        here = np.zeros(len(self._points), bool)
        here[queries] = True
        fitting = [one for one in tuple(self._passes) if len(one[0]) <= len(queries) and here[one[0]].all()]
        heeded, least = max(fitting, key=lambda one: len(one[0]), default=(queries[:0], None))
        fresh = np.setdiff1d(queries, heeded, assume_unique=True)
        if least is not None and not len(fresh):
            return least
        mine = self._at_least(fresh)
        mine[fresh] = self._nearest(fresh, fresh)[0]
        least = mine if least is None else np.minimum(least, mine)
        self._passes.append((queries, least))
        return least

    def _at_least(self, queries: np.ndarray) -> np.ndarray:
        """Return a lower bound of each row's distance to the nearest query, itself included, (n,) float32.

        With few threads the distances to many queries are computed by matrix products, |x|^2 - 2 x.q + |q|^2: in one
        thread that takes half the time of summing squared differences. It rounds more, a sum of `width` terms and three
        more in each, so more is subtracted to keep the result a lower bound.
        """
        own = self._norms[queries]
        if len(queries) < kernels.FEW or get_num_threads() > _FEW_THREADS:
            least, lost = kernels.distances_to_nearest(self._points, self._points[queries]) ** 2, self._off
            least -= lost * self._norms
        else:
            least, twice = np.empty(len(self._points), np.float32), -2 * self._points[queries]
            with one_blas_thread():
                for start in range(0, len(least), _MULTIPLIED):
                    values = twice @ self._points[start : start + _MULTIPLIED].T
                    values += own[:, None]
                    values.min(0, out=least[start : start + _MULTIPLIED])
            lost = self._off + 2 * (self._points.shape[1] + 8) * np.finfo(np.float32).eps
            least += (1 - lost) * self._norms
        least -= lost * own.max()
        return np.sqrt(np.maximum(least, 0, out=least), out=least)


class Bounds:
    """What bounds the squared distances between rows of `vectors` (n, d) from below.

    `coordinates` (n, at most width + 1) float32: the squared distance of two of its rows, less `error` for the
    rounding of float32, is a lower bound. `longest` is the largest squared length of a row: infinite where
    it is beyond float32, and then the bounds tell nothing.
    """

    def __init__(self, vectors: np.ndarray, width: int, *, progress: bool | None = None):
        dimension = vectors.shape[1]
        longest = self._fill(vectors, min(width, dimension), progress)
        # How far a bound may lie above the distance: roundings of sums of d, then of `width` terms, in float32.
        terms = dimension + self.coordinates.shape[1] + 15
        self.error = 8 * terms * np.finfo(np.float32).eps * longest + terms * np.finfo(np.float32).tiny
        self.longest = longest + self.error

    def _fill(self, vectors: np.ndarray, width: int, progress: bool | None) -> float:
        """Compute the coordinates; return the largest squared distance to the centre, infinite beyond float32."""
        longest, n = 0.0, len(vectors)
        with np.errstate(over="ignore", invalid="ignore"):
            centre, directions = _leading_directions(vectors, width)
            self.coordinates = np.empty((n, directions.shape[1] + 1), np.float32)
            for start in bar(range(0, n, _BLOCK), "sketch", progress):
                block = kernels.as_single(vectors[start : start + _BLOCK]) - centre
                mine = self.coordinates[start : start + len(block)]
                mine[:, :-1] = block @ directions
                mine[:, -1] = np.sqrt(kernels.squared_norms(block - mine[:, :-1] @ directions.T))
                longest = np.maximum(longest, kernels.squared_norms(block).max())
                kernels.release(vectors)
        return float(longest) if np.isfinite(self.coordinates).all() else np.inf


def _leading_directions(vectors: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a centre (d,) and orthonormal directions (d, width), float32, in which the vectors vary most.

    Subspace iteration on a sample: more precision would save measurements, no more.
    """
    rng = np.random.default_rng(0)
    rows = np.sort(rng.choice(len(vectors), min(_SAMPLE, len(vectors)), replace=False))
    sample = kernels.as_single(kernels.gather(vectors, rows))
    centre = sample.mean(0)
    sample = sample - centre
    directions = rng.normal(size=(vectors.shape[1], width)).astype(np.float32)
    for _ in range(4):
        directions = np.linalg.qr((sample.T @ (sample @ directions)).astype(np.float64))[0].astype(np.float32)
    variances = (sample @ directions).var(0, dtype=np.float64)
    order = np.argsort(-variances, kind="stable")
    left_over = variances.sum() - np.cumsum(variances[order])
    return centre, directions[:, order[: 1 + np.count_nonzero(left_over > _IDLE * variances.sum())]]


def without_lists(vectors: np.ndarray) -> Neighbours | Sketch:
    """Return exact neighbours for a search in a pool without prepared neighbours: by bounds where it is large."""
    return Sketch(vectors) if vectors.size > _LARGE else Neighbours(vectors)
