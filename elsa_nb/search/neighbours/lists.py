"""Exact nearest neighbours of pool rows, in the same order whatever computes them.

Every answer is ordered by (squared Euclidean distance in float64, row). The paper's MSE is that distance divided by
the dimension, so the ranking is the same. A fast backend (blocks of matrix products, faiss, or torch; float32) proposes
a few candidates more than needed; they are measured again in float64 and accepted only when a bound on the float32
rounding error proves that nothing nearer was left out. A row without that proof is searched again in float64.
"""

from collections import OrderedDict
from typing import Protocol

import numpy as np

from elsa_nb.errors import check_known
from elsa_nb.progress import bar
from elsa_nb.search import kernels
from elsa_nb.search.checks import check_count
from elsa_nb.search.neighbours.all_pairs import Pairs, SinglePairs, propose_all, propose_few, proved_reach
from elsa_nb.search.neighbours.brief_pairs import BriefPairs, brief_is_quicker
from elsa_nb.search.neighbours.one_pass import OnePass
from elsa_nb.search.neighbours.ordering import Found, by_distance_then_row, farthest_of, nearest_allowed
from elsa_nb.search.neighbours.shortlist import Shortlist, in_single

SLACKS = (32, 512)  # candidates fetched beyond k: the proof mostly succeeds at once, in dense places at the second try
_BLOCK = 1024  # rows handled together
WIDE = 8 * _BLOCK  # vectors that few queries are multiplied with at once
DEEPER = 8  # a list that proves too short for the second time is made again this many times longer
LENGTHENED = 4  # this many lists at a time: someone may be waiting
KEPT_BYTES = 2**29  # of lists computed on demand and remembered; a search asks for the same rows again and again
DECODED = 2**29  # up to this many numbers, vectors of half precision are decoded once, to 2 GiB
MOSTLY = 0.9  # of a few rows need a proved list: with fewer, searching again takes longer than multiplying in full
ALL_BYTES = 2**32  # of candidates for all rows at once; beyond, `build` searches block by block


class Backend(Protocol):
    """Propose the nearest rows in float32; `Neighbours` proves or repairs the proposal."""

    def __call__(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (rows (m, k), limits (m,)) for `queries` (m, d): no other row is nearer than its limit.

        Limits are squared distances with the rounding error of float32; row -1 stands for no proposal.
        """
        ...


def blas_backend(vectors: np.ndarray, norms: np.ndarray) -> Backend:
    """Return the backend of the processor: blocks of BLAS products, each compared at once with what is known."""
    norms = in_single(norms)

    def nearest(queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        shortlist = Shortlist(len(queries), k)
        for start in range(0, len(vectors), WIDE):
            block = slice(start, start + WIDE)
            with np.errstate(over="ignore", invalid="ignore"):  # infinite values prove nothing and are searched again
                shortlist.offer(kernels.products(queries, vectors[block]), norms[block], start)
        rows = shortlist.smallest()
        return rows, shortlist.limits + kernels.squared_norms(queries)

    return nearest


def faiss_backend(vectors: np.ndarray, norms: np.ndarray) -> Backend:
    """Return faiss's exact index over `vectors` (n, d) (on the CPU)."""
    import faiss

    index = faiss.IndexFlatL2(vectors.shape[1])
    index.add(kernels.as_single(vectors))

    def nearest(queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        distances, rows = index.search(np.ascontiguousarray(queries), k)
        return rows, distances.max(1)

    return nearest


def torch_backend(vectors: np.ndarray, norms: np.ndarray, device: str | None = None) -> Backend:
    """Return a backend on torch's `device`: by default the GPU if there is one, else the CPU."""
    import torch

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    stored = torch.from_numpy(np.array(vectors)).to(device)  # half precision stays half: the GPU's memory is scarce
    lengths = torch.from_numpy(in_single(norms)).to(device)

    def nearest(queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        # The proof holds for float32: a user's wish for faster, coarser products elsewhere does not apply here.
        before = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = False
        try:
            return proposed(queries, k)
        finally:
            torch.backends.cuda.matmul.allow_tf32 = before

    def proposed(queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        asked = torch.from_numpy(np.ascontiguousarray(queries)).to(device)
        best = torch.empty(len(asked), 0, device=device)
        rows = torch.empty(len(asked), 0, dtype=torch.int64, device=device)
        for start in range(0, len(stored), 128 * _BLOCK):
            block = stored[start : start + 128 * _BLOCK].float()
            values, places = torch.addmm(lengths[None, start : start + len(block)], asked, block.T, alpha=-2).topk(
                min(k, len(block)), largest=False, sorted=False
            )
            values, places = torch.cat([best, values], 1), torch.cat([rows, places + start], 1)
            best, kept = values.topk(min(k, values.shape[1]), largest=False, sorted=False)
            rows = places.gather(1, kept)
        limits = best.max(1).values + (asked * asked).sum(1)
        return rows.cpu().numpy(), limits.cpu().numpy()

    return nearest


BACKENDS = {"blas": blas_backend, "faiss": faiss_backend, "torch": torch_backend}


class Neighbours:
    """Exact nearest neighbours among the rows of one pool.

    `vectors` is (n, d) float32 or float16, finite; it may be mapped from a file. Neighbour lists of `k` rows are
    computed when first asked for, all at once by `build`, or handed in as `lists` = (rows (n, k) int32, distances
    (n, k) float64). A row is never in its own list. `backend` is "blas" (default), "torch" or "faiss". With `among`,
    `exact` looks for neighbours among the first `among` rows only, whatever rows it is asked about.
    """

    def __init__(
        self,
        vectors: np.ndarray,
        *,
        k: int = 128,
        backend: str = "blas",
        lists: tuple[np.ndarray, np.ndarray] | None = None,
        among: int | None = None,
    ):
        check_known("backend", backend, BACKENDS)
        check_count("k", k, 1)
        self.vectors = kernels.contiguous(vectors)
        self.n, self.dimension = self.vectors.shape
        self.k = min(k, self.n - 1) if lists is None else lists[0].shape[1]
        self._among = self.n if among is None else among
        self.lists = lists
        self._backend_name = backend
        self._backend: Backend | None = None
        # What is measured: one copy in single precision where there is room, decoded on the fly where there is not.
        self._single = kernels.as_single(self.vectors) if self.vectors.size <= DECODED else self.vectors
        self._norms = kernels.squared_norms(self._single)
        self._one_pass = OnePass(self._single, self._single, self._norms.max())
        self._longer: OrderedDict[int, tuple[np.ndarray, np.ndarray]] = OrderedDict()
        self._longer_bytes = 0
        self._ended = np.zeros(self.n, bool)  # whose list ended too early once

    def __getstate__(self) -> dict:
        """Leave out the backend, which is made again from the vectors: an index of faiss cannot be pickled."""
        return self.__dict__ | {"_backend": None}

    def build(self, *, progress: bool | None = None) -> "Neighbours":
        """Compute the lists of all rows (n x k) and keep them."""
        rows = np.empty((self.n, self.k), np.int32)
        distances = np.empty((self.n, self.k), np.float64)
        proposed = None
        if self._backend_name == "blas" and self._has_room(SinglePairs):
            pairs = self._pairs()
            proposed = pairs, propose_all(pairs, self.n, self._fetched(pairs), progress)
        unproved = []
        for start in bar(range(0, self.n, _BLOCK), "neighbour lists", progress):
            block = np.arange(start, min(start + _BLOCK, self.n))
            if proposed is None:
                rows[block], distances[block] = self.exact(block, self.k)
                continue
            pairs, shortlist = proposed
            candidates = shortlist.smallest(slice(start, start + len(block)))
            reach = pairs.reach(shortlist.limits[block], block)
            rows[block], distances[block], proved = self._settle(block, candidates, reach, self.k)
            unproved.append(block[~proved])
        for start in range(0, len(again := np.concatenate(unproved or [[]]).astype(int)), _BLOCK):
            block = again[start : start + _BLOCK]
            rows[block], distances[block] = self.exact(block, self.k)
        self.lists = rows, distances
        return self

    def _pairs(self) -> Pairs:
        """Return all pairs of rows, multiplied in the fastest way: in eight digits only where these prove enough."""
        if self._has_room(BriefPairs) and brief_is_quicker(self.n, self.dimension):
            brief = BriefPairs(self._single)
            *_, proved = self._settle(*propose_few(brief, self.n, self._fetched(brief)), self.k)
            if proved.mean() >= MOSTLY:
                return brief
        return SinglePairs(self._single, self._norms)

    def _has_room(self, pairs: type[Pairs]) -> bool:
        """Tell whether the candidates of all rows are few enough to be held at once."""
        return Shortlist.bytes(self.n, self._fetched(pairs)) <= ALL_BYTES

    def _fetched(self, pairs: Pairs | type[Pairs]) -> int:
        return min(self.k + 1 + pairs.spare(self.k), self.n)  # + 1: a row finds itself

    def exact(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the `k` nearest other rows of each row in `queries` (m,): (rows, squared distances), each (m, k).

        Ordered by (distance, row), and exact: see the module's docstring.
        """
        k = min(k, self._among - (self._among == self.n))
        rows, distances = np.empty((len(queries), k), np.int64), np.empty((len(queries), k))
        if not len(queries):
            return rows, distances
        if (backend := self._backend) is None:
            backend = self._backend = BACKENDS[self._backend_name](
                self._single[: self._among], self._norms[: self._among]
            )
        unproved = np.arange(len(queries))
        for slack in SLACKS:
            asked = queries[unproved]
            fetched = min(k + 1 + slack, self._among)  # + 1: a row finds itself
            candidates, limits = backend(kernels.as_single(self._single[asked]), fetched)
            reach = proved_reach(limits, self._norms[asked], self._norms.max(), self.dimension)
            rows[unproved], distances[unproved], proved = self._settle(asked, candidates, reach, k)
            unproved = unproved[~proved]
            if not len(unproved):
                break
        for i in unproved:
            rows[i], distances[i] = self._scan(queries[i], k)
        return rows, distances

    def _settle(
        self, queries: np.ndarray, candidates: np.ndarray, reach: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Measure candidates (m, c), -1 for none; no other row is nearer than `reach` (m,), squared distances.

        Returns the `k` best: (rows, distances, proved to be exact (m,)).
        """
        distances = kernels.squared_distances(self._single, queries, candidates)
        distances[(candidates == queries[:, None]) | (candidates < 0)] = np.inf
        order = by_distance_then_row(distances, candidates)[:, :k]
        rows = np.take_along_axis(candidates, order, 1)
        distances = np.take_along_axis(distances, order, 1)
        whole = candidates.shape[1] == self._among
        return rows, distances, np.all(candidates >= 0, axis=1) if whole else distances[:, -1] < reach

    def nearest_to_any(
        self, queries: np.ndarray, count: int, allowed: np.ndarray, *, include_queries: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the `count` allowed rows with the smallest distance to any of the query rows (Algorithm 1).

        `queries` (m,) are row numbers, `allowed` (n,) is a boolean mask. A query may be returned as the neighbour of
        another query; as its own neighbour, at distance 0, only if `include_queries`. Returns (rows, distances),
        fewer than `count` when fewer are allowed, ordered by (distance, row).

        Only the first `k` entries of each list are merged. That is exact if no list ends before the farthest
        distance returned. Where some do, one pass over the pool for those queries completes the answer; and a list
        that ends too early for the second time is lengthened and remembered: a sweep asks for the same rows often.
        """
        queries = np.unique(np.asarray(queries, dtype=np.int64))
        count = min(count, int(np.count_nonzero(allowed)))
        if not len(queries) or not count:
            return np.empty(0, np.int64), np.empty(0)
        known = [(queries, np.zeros(len(queries)))] if include_queries else []
        found, reach, ends = self._merge(known, queries, self.k, count, allowed)
        again = self._at_hand(queries, np.flatnonzero((ends <= farthest_of(reach, count)) & self._ended[queries]))
        if len(again):
            depth = min(DEEPER * self.k, self.n - 1)
            found, reach, ends[again] = self._merge([(found, reach)], queries[again], depth, count, allowed)
        short = queries[ends <= farthest_of(reach, count)]
        if len(short):
            self._ended[short] = True
            found, reach = self._one_pass.complete((found, reach), short, count, allowed)
        return found, reach

    def nearest_to_each(self, queries: np.ndarray, count: int, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for each query row its `count` nearest allowed rows, never itself: (rows, distances), concatenated.

        Queries keep the order given; a row near to several queries appears several times.
        """
        queries = np.asarray(queries, dtype=np.int64)
        if not len(queries):
            return np.empty(0, np.int64), np.empty(0)
        if self.k < self.n - 1:  # lengthen together what each would need alone
            short = np.unique(queries[allowed[self._gather(queries, self.k)[0]].sum(1) <= count])
            self._ended[short] = True
            self._gather(short, min(DEEPER * self.k, self.n - 1))
        found = [self.nearest_to_any(np.array([query]), count, allowed) for query in queries]
        return np.concatenate([rows for rows, _ in found]), np.concatenate([distances for _, distances in found])

    def _merge(
        self, known: list[Found], queries: np.ndarray, depth: int, count: int, allowed: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Merge the lists of `queries`, `depth` long, with what is known: (rows, distances, where each list ends)."""
        rows, distances = self._gather(queries, depth)
        found, reach = nearest_allowed([*known, (rows.ravel(), distances.ravel())], count, allowed)
        return found, reach, distances[:, -1] if depth < self.n - 1 else np.full(len(queries), np.inf)

    def _at_hand(self, queries: np.ndarray, short: np.ndarray) -> np.ndarray:
        """Return which of the `short` ones (positions in `queries`) have a longer list, or get it now."""
        depth = min(DEEPER * self.k, self.n - 1)
        made = np.array([len(self._longer.get(q, ((),))[0]) >= depth for q in queries[short].tolist()], bool)
        return np.concatenate([short[made], short[~made][:LENGTHENED]])

    def _gather(self, queries: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the lists of several rows, `depth` long: (rows, distances), each (m, depth)."""
        if self.lists is not None and depth <= self.k:
            return self.lists[0][queries], self.lists[1][queries]
        missing = [q for q in queries.tolist() if q not in self._longer or len(self._longer[q][0]) < depth]
        if missing:
            rows, distances = self.exact(np.array(missing), depth)
            for q, *found in zip(missing, rows.astype(np.int32), distances, strict=True):
                entry = found[0], found[1]
                self._longer_bytes += _bytes(entry) - _bytes(self._longer.get(q, ()))
                self._longer[q] = entry
        found = [self._longer[q] for q in queries.tolist()]
        while self._longer_bytes > KEPT_BYTES:
            self._longer_bytes -= _bytes(self._longer.popitem(last=False)[1])
        return np.array([rows[:depth] for rows, _ in found]), np.array([d[:depth] for _, d in found])

    def _scan(self, query: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Search one row against the whole pool in float64: slow, and needs no proof."""
        everything = np.arange(self._among)
        distances = kernels.squared_distances(self._single, np.array([query]), everything[None])[0]
        distances[everything == query] = np.inf
        order = np.lexsort((everything, distances))[:k]
        return order, distances[order]


def _bytes(entry: tuple[np.ndarray, ...] | list[np.ndarray]) -> int:
    return sum(array.nbytes for array in entry)
