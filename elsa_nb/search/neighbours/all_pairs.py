"""For every row of a pool the rows that seem nearest, from the products of all pairs."""

import numpy as np

from elsa_nb.progress import bar
from elsa_nb.search.kernels import as_single
from elsa_nb.search.neighbours.shortlist import Shortlist, in_single

_BLOCK = 1024  # rows handled together
_SAMPLE = 2048  # rows that tell where the limit of a row may begin


def propose_all(vectors: np.ndarray, norms: np.ndarray, k: int, progress: bool | None = None) -> Shortlist:
    """Return for every row of `vectors` (n, d) the `k` rows that seem nearest: a shortlist of |x|^2 - 2 q.x.

    `norms` (n,) are the squared lengths. Distances are symmetric, so each block of products serves both its rows and
    its columns: half the arithmetic of a search of all rows. A sample of the pool first tells where each row's limit
    may begin, so that few values are ever written down; too near a limit leaves a row with fewer than `k`.
    """
    n, norms = len(vectors), in_single(norms)
    shortlist = Shortlist(n, k)
    blocks = [slice(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK)]
    if n > 8 * _SAMPLE:
        sample = np.sort(np.random.default_rng(0).choice(n, _SAMPLE, replace=False))
        among, expected = as_single(vectors[sample]), k * _SAMPLE / n
        rank = round(expected + 3 * np.sqrt(expected) + 3)
        for block in blocks:
            with np.errstate(over="ignore", invalid="ignore"):
                values = norms[sample] - 2 * as_single(vectors[block]) @ among.T
            shortlist.limits[block] = np.partition(values, rank, axis=1)[:, rank]
    room = np.empty(_BLOCK * _BLOCK, np.float32)  # a new array for each block would take longer to map than to multiply
    for i, mine in enumerate(bar(blocks, "neighbour candidates", progress)):
        queries = as_single(vectors[mine])
        for theirs in blocks[i:]:
            others = as_single(vectors[theirs])
            products = room[: len(queries) * len(others)].reshape(len(queries), len(others))
            with np.errstate(over="ignore", invalid="ignore"):  # infinite values prove nothing
                np.matmul(queries, others.T, out=products)
            shortlist.offer(products, norms[theirs], theirs.start, mine.start)
            if theirs is not mine:
                shortlist.offer_across(products, norms[mine], mine.start, theirs.start)
    return shortlist
