"""For every row of a pool the rows that seem nearest, from the products of all pairs, and how far that is proved.

Distances are symmetric, so each block of products serves both its rows and its columns: half the arithmetic of a
search of all rows. A sample of the pool first tells where each row's limit may begin, so that few values are ever
stored. The products are of single precision here, and of eight bits per number in `brief_pairs`.
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numba import get_num_threads

from elsa_nb.progress import bar
from elsa_nb.search import kernels
from elsa_nb.search.neighbours.shortlist import Shortlist, in_single, values_of
from elsa_nb.threads import one_thread

MULTIPLIED = 1024  # rows multiplied together: their products stay in the cache
_SAMPLE = 2048  # rows that tell where the limit of a row may begin
_SINGLE = np.finfo(np.float32)
_TRIED = 64  # rows that tell whether products prove enough


class Pairs(Protocol):
    """The rows of a pool, to be multiplied with one another: `SinglePairs` or `BriefPairs`."""

    norms: np.ndarray

    @staticmethod
    def spare(k: int) -> int:
        """Return how many more candidates than `k` are needed to prove the lists of most rows."""
        ...

    def room(self) -> Any:
        """Return room for the products of at most `MULTIPLIED` rows and twice as many: new room takes long to map."""
        ...

    def products(self, mine: slice | np.ndarray, theirs: slice | np.ndarray, room: Any) -> np.ndarray:
        """Return products (m, w) of rows, as `Shortlist.offer` takes them: values norms[j] - 2 products[i, j].

        They lie in `room`, and are those rows' until it is used again.
        """
        ...

    def reach(self, limits: np.ndarray, rows: slice | np.ndarray) -> np.ndarray:
        """Return squared distances (m,) float64: a row whose value is at least `limits` (m,) is not nearer."""
        ...


class SinglePairs:
    """Pairs of rows of `vectors` (n, d) in single precision, by BLAS; `norms` (n,) are their squared lengths."""

    def __init__(self, vectors: np.ndarray, norms: np.ndarray):
        self._vectors, self._squares, self.norms = vectors, norms, in_single(norms)

    @staticmethod
    def spare(k: int) -> int:
        """Return a quarter of k and a few."""
        return 32 + k // 4

    def room(self) -> np.ndarray:
        """Return room for the products of at most `MULTIPLIED` rows and twice as many."""
        return np.empty(2 * MULTIPLIED * MULTIPLIED, np.float32)

    def products(self, mine: slice | np.ndarray, theirs: slice | np.ndarray, room: np.ndarray) -> np.ndarray:
        """Return products (m, w) float32 of rows, in `room`."""
        queries, others = kernels.as_single(self._vectors[mine]), kernels.as_single(self._vectors[theirs])
        out = room[: len(queries) * len(others)].reshape(len(queries), len(others))
        with np.errstate(over="ignore", invalid="ignore"):  # infinite values prove nothing
            return np.matmul(queries, others.T, out=out)

    def reach(self, limits: np.ndarray, rows: slice | np.ndarray) -> np.ndarray:
        """Return squared distances (m,): a row whose value is at least `limits` (m,) is not nearer."""
        own = self._squares[rows]
        return proved_reach(limits + own, own, self._squares.max(), self._vectors.shape[1])


def proved_reach(limits: np.ndarray, norms: np.ndarray, longest: float, dimension: int) -> np.ndarray:
    """Return squared distances (m,) float64: a row whose computed one is at least `limits` (m,) is not nearer.

    What is computed is |x|^2 + |q|^2 - 2 x.q, in float32, its sums of `dimension` terms in any order; `norms` (m,) are
    the |q|^2 of the rows asked about. Two roundings of half an eps a term, of |x|^2 and of 2 x.q, are relative to
    |x|^2 + |q|^2, and |x| is at most |q| and the distance together: so rows that lie far away do not blunt what is
    known of near ones. `longest` is the largest |x|^2: where that leaves float32 nothing is proved (minus infinity).
    """
    limits = np.asarray(limits, np.float64)
    off = (dimension + 3) * _SINGLE.eps
    lost = 4 * (dimension + 3) * _SINGLE.tiny  # terms too small for float32
    reach = (limits - off * 3 * norms - lost) / (1 + 2 * off)
    beyond = ~(np.maximum(limits, 8 * longest) < _SINGLE.max)  # inf, nan, or faiss's own mark
    return np.where(beyond, -np.inf, reach)


def propose_all(pairs: Pairs, n: int, k: int, progress: bool | None = None) -> Shortlist:
    """Return for each of `n` rows the `k` rows that seem nearest; a limit too near leaves a row with fewer than `k`.

    Threads take a block each, with all after it. Each multiplies in one thread: the threads of BLAS, torch
    and numba in turn would wait for work on the cores where the others work.
    """
    shortlist = Shortlist(n, k)
    blocks = [slice(start, min(start + MULTIPLIED, n)) for start in range(0, n, MULTIPLIED)]
    turns = [Lock() for _ in blocks]
    sample, expected = _some(_SAMPLE, n), k * _SAMPLE / n
    rank = min(round(expected + 3 * np.sqrt(expected) + 3), _SAMPLE - 1)

    def begin(mine: slice) -> None:
        with one_thread():
            values = values_of(pairs.products(mine, sample, pairs.room()), pairs.norms[sample])
        shortlist.limits[mine] = np.partition(values, rank, axis=1)[:, rank]

    def offer(i: int) -> int:
        mine, room = blocks[i], pairs.room()
        with one_thread():
            for j, theirs in enumerate(blocks[i:], i):
                products = pairs.products(mine, theirs, room)
                with turns[i]:
                    shortlist.offer(products, pairs.norms[theirs], theirs.start, mine.start)
                if j > i:
                    with turns[j]:
                        shortlist.offer_across(products, pairs.norms[mine], mine.start, theirs.start)
        return len(blocks) - i

    with ThreadPoolExecutor(get_num_threads()) as workers:
        if n > 8 * _SAMPLE:
            list(workers.map(begin, blocks))
        try:
            with bar(None, "neighbour candidates", progress, total=len(blocks) * (len(blocks) + 1) // 2) as shown:
                for done in workers.map(offer, range(len(blocks))):
                    shown.update(done)
        except BaseException:
            workers.shutdown(cancel_futures=True)  # so that an interrupt need not wait for all of it
            raise
    return shortlist


def propose_few(pairs: Pairs, n: int, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a few of `n` rows (m,), the `k` rows that seem nearest to each (m, k), and how far that is proved (m,)."""
    rows, shortlist, room = _some(_TRIED, n), Shortlist(min(_TRIED, n), k), pairs.room()
    for start in range(0, n, MULTIPLIED):
        block = slice(start, min(start + MULTIPLIED, n))
        shortlist.offer(pairs.products(rows, block, room), pairs.norms[block], start)
    return rows, shortlist.smallest(), pairs.reach(shortlist.limits, rows)


def _some(count: int, n: int) -> np.ndarray:
    return np.sort(np.random.default_rng(0).choice(n, min(count, n), replace=False))
