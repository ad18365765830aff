"""Exact nearest neighbours of pool rows, in one order whatever computes them.

Every answer is ordered by (squared Euclidean distance in float64, row). The paper's MSE is that distance divided by
the dimension, so the ranking is the same. A fast backend (faiss, torch or numpy, float32) proposes a few candidates
more than needed; they are measured again in float64 and accepted only when a bound on the float32 rounding error
proves that nothing nearer was left out. A row without that proof is searched again in float64.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from elsa_nb.progress import bar

SLACKS = (32, 512)  # candidates fetched beyond k: the proof mostly succeeds at once, in dense places at the second try
BLOCK = 1024  # query rows handled together
DEEPER = 8  # a list that proves too short is made again this many times longer
KEPT = 2048  # lists computed on demand and remembered; a search asks for the same rows again and again


class Backend(Protocol):
    """Propose the nearest rows in float32; `Neighbours` proves or repairs the proposal."""

    def __call__(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (rows, squared distances), both (m, k), of the `k` rows nearest to each of `queries` (m, d)."""


def numpy_backend(vectors: np.ndarray) -> Backend:
    """Return the reference backend: one matrix product and a partial sort."""
    norms = np.einsum("ij,ij->i", vectors, vectors)

    def nearest(queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(over="ignore", invalid="ignore"):  # infinite distances prove nothing and are searched again
            distances = norms - 2 * queries @ vectors.T
        rows = np.argpartition(distances, k - 1, axis=1)[:, :k]
        own = np.einsum("ij,ij->i", queries, queries)[:, None]
        return rows, np.take_along_axis(distances, rows, 1) + own

    return nearest


def faiss_backend(vectors: np.ndarray) -> Backend:
    """Return faiss's exact index over `vectors` (n, d) float32 (on the CPU)."""
    import faiss

    index = faiss.IndexFlatL2(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors))

    def nearest(queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        distances, rows = index.search(np.ascontiguousarray(queries), k)
        return rows, distances

    return nearest


def torch_backend(vectors: np.ndarray, device: str | None = None) -> Backend:
    """Return a backend on torch's `device`: by default the GPU if there is one, else the CPU."""
    import torch

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    stored = torch.from_numpy(np.array(vectors)).to(device)
    norms = (stored * stored).sum(1)

    def nearest(queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        asked = torch.from_numpy(np.ascontiguousarray(queries)).to(device)
        distances = torch.addmm(norms[None, :], asked, stored.T, alpha=-2)
        values, rows = distances.topk(k, largest=False, sorted=False)
        values += (asked * asked).sum(1, keepdim=True)
        return rows.cpu().numpy(), values.cpu().numpy()

    return nearest


BACKENDS = {"numpy": numpy_backend, "faiss": faiss_backend, "torch": torch_backend}


class Neighbours:
    """Exact nearest neighbours among the rows of one pool.

    `vectors` is (n, d), finite; it is held as float32. Neighbour lists of `k` rows are computed when first asked
    for, all at once by `build`, or handed in as `lists` = (rows (n, k) int32, distances (n, k) float64). A row is
    never in its own list. `backend` is "faiss" (default), "torch" or "numpy".
    """

    def __init__(
        self,
        vectors: np.ndarray,
        *,
        k: int = 128,
        backend: str = "faiss",
        lists: tuple[np.ndarray, np.ndarray] | None = None,
    ):
        if backend not in BACKENDS:
            raise ValueError(f"backend {backend!r} is not known; allowed: {', '.join(BACKENDS)}")
        if k < 1:
            raise ValueError(f"k = {k} neighbours asked for; allowed: 1 or more")
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self.n, self.dimension = self.vectors.shape
        self.k = min(k, self.n - 1) if lists is None else lists[0].shape[1]
        self.lists = lists
        self._backend_name = backend
        self._backend: Backend | None = None
        self._norms = np.einsum("ij,ij->i", self.vectors, self.vectors, dtype=np.float64)
        self._longer: OrderedDict[int, tuple[np.ndarray, np.ndarray]] = OrderedDict()

    def build(self, *, progress: bool | None = None) -> "Neighbours":
        """Compute the lists of all rows (n x k) and keep them."""
        rows = np.empty((self.n, self.k), np.int32)
        distances = np.empty((self.n, self.k), np.float64)
        for start in bar(range(0, self.n, BLOCK), "neighbour lists", progress):
            block = np.arange(start, min(start + BLOCK, self.n))
            rows[block], distances[block] = self.exact(block, self.k)
        self.lists = rows, distances
        return self

    def exact(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the `k` nearest other rows of each row in `queries` (m,): (rows, squared distances), each (m, k).

        Ordered by (distance, row), and exact: see the module's docstring.
        """
        k = min(k, self.n - 1)
        if self._backend is None:
            self._backend = BACKENDS[self._backend_name](self.vectors)
        rows, distances = np.empty((len(queries), k), np.int64), np.empty((len(queries), k))
        unproved = np.arange(len(queries))
        for slack in SLACKS if len(queries) else ():
            rows[unproved], distances[unproved], proved = self._propose(queries[unproved], k, slack)
            unproved = unproved[~proved]
            if not len(unproved):
                break
        for i in unproved:
            rows[i], distances[i] = self._scan(queries[i], k)
        return rows, distances

    def _propose(self, queries: np.ndarray, k: int, slack: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the `k` best of the backend's `k` + `slack` proposals: (rows, distances, proved to be exact (m,))."""
        fetched = min(k + 1 + slack, self.n)  # + 1: a row finds itself
        candidates, approximate = self._backend(self.vectors[queries], fetched)
        distances = self._measure(queries, candidates)
        distances[candidates == queries[:, None]] = np.inf
        order = _by_distance_then_row(distances, candidates)[:, :k]
        rows = np.take_along_axis(candidates, order, 1)
        distances = np.take_along_axis(distances, order, 1)
        if fetched == self.n:
            return rows, distances, np.ones(len(queries), bool)
        farthest = approximate.max(1)
        proved = distances[:, -1] < farthest - self._rounding_error(queries)
        proved &= farthest < np.finfo(np.float32).max  # beyond float32's range: inf, nan, or faiss's own sign
        return rows, distances, proved

    def nearest_to_any(
        self, queries: np.ndarray, count: int, allowed: np.ndarray, *, include_queries: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the `count` allowed rows with the smallest distance to any of the query rows (Algorithm 1).

        `queries` (m,) are row numbers, `allowed` (n,) is a boolean mask. A query may be returned as the neighbour of
        another query; as its own neighbour, at distance 0, only if `include_queries`. Returns (rows, distances),
        fewer than `count` when fewer are allowed, ordered by (distance, row).

        Only the first `k` entries of each list are merged. That is exact if no list ends before the farthest
        distance returned; the lists that do end before it are lengthened and merged again.
        """
        queries = np.unique(np.asarray(queries, dtype=np.int64))
        count = min(count, int(np.count_nonzero(allowed)))
        if not len(queries) or not count:
            return np.empty(0, np.int64), np.empty(0)
        depth, short = self.k, queries
        merged = [(queries, np.zeros(len(queries)))] if include_queries else []
        while True:
            rows, distances = self._gather(short, depth)
            merged.append((rows.ravel(), distances.ravel()))
            found, reach = _nearest_allowed(merged, count, allowed)
            farthest = reach[-1] if len(found) == count else np.inf
            short = short[distances[:, -1] <= farthest] if depth < self.n - 1 else short[:0]
            if not len(short):
                return found, reach
            depth = min(DEEPER * depth, self.n - 1)

    def nearest_to_each(self, queries: np.ndarray, count: int, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for each query row its `count` nearest allowed rows, never itself: (rows, distances), concatenated.

        Queries keep the order given; a row near to several queries appears several times.
        """
        found = [self.nearest_to_any(np.array([query]), count, allowed) for query in queries]
        if not found:
            return np.empty(0, np.int64), np.empty(0)
        return np.concatenate([rows for rows, _ in found]), np.concatenate([distances for _, distances in found])

    def _gather(self, queries: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the lists of several rows, `depth` long: (rows, distances), each (m, depth)."""
        if self.lists is not None and depth <= self.k:
            return self.lists[0][queries], self.lists[1][queries]
        missing = [q for q in queries.tolist() if q not in self._longer or len(self._longer[q][0]) < depth]
        if missing:
            rows, distances = self.exact(np.array(missing), depth)
            self._longer.update(zip(missing, zip(rows, distances, strict=True), strict=True))
        found = [self._longer[q] for q in queries.tolist()]
        while len(self._longer) > KEPT:
            self._longer.popitem(last=False)
        return np.array([rows[:depth] for rows, _ in found]), np.array([d[:depth] for _, d in found])

    def _measure(self, queries: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        """Return squared distances (m, c) in float64 between each query row and its candidate rows."""
        result = np.empty(candidates.shape, np.float64)
        for i, query in enumerate(queries):
            difference = self.vectors[candidates[i]].astype(np.float64) - self.vectors[query].astype(np.float64)
            result[i] = np.einsum("ij,ij->i", difference, difference)
        return result

    def _rounding_error(self, queries: np.ndarray) -> np.ndarray:
        """Bound how far a float32 |x|^2 + |q|^2 - 2xq lies from the true distance (standard dot-product bound)."""
        unit = np.finfo(np.float32).eps / 2
        return 2 * (self.dimension + 3) * unit * (self._norms[queries] + self._norms.max())

    def _scan(self, query: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Search one row against the whole pool in float64: slow, and needs no proof."""
        distances = np.concatenate([self._measure(np.array([query]), block[None])[0] for block in self._blocks()])
        distances[query] = np.inf
        order = np.lexsort((np.arange(self.n), distances))[:k]
        return order, distances[order]

    def _blocks(self) -> Iterator[np.ndarray]:
        for start in range(0, self.n, 16 * BLOCK):
            yield np.arange(start, min(start + 16 * BLOCK, self.n))


def _by_distance_then_row(distances: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return, row by row, the order that sorts by distance and breaks ties by row number."""
    by_row = np.argsort(rows, axis=1, kind="stable")
    by_distance = np.argsort(np.take_along_axis(distances, by_row, 1), axis=1, kind="stable")
    return np.take_along_axis(by_row, by_distance, 1)


def _nearest_allowed(
    merged: list[tuple[np.ndarray, np.ndarray]], count: int, allowed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Merge (rows, distances) pairs: keep the smallest distance of each allowed row, then the `count` nearest."""
    rows = np.concatenate([r for r, _ in merged])
    distances = np.concatenate([d for _, d in merged])
    kept = allowed[rows]
    rows, distances = rows[kept].astype(np.int64), distances[kept]
    order = np.lexsort((rows, distances))
    _, first = np.unique(rows[order], return_index=True)
    chosen = order[np.sort(first)[:count]]
    return rows[chosen], distances[chosen]
