"""Make the class searched for rare: the same pool without some of its members, and still exact.

`simulation` calls `absent_rows`, then `thinned`. Photographs at hand hold one image in two hundred of each class; the
paper's pool holds one in a thousand. Leaving out members of the class sought makes the pool as hard without making it
small. The neighbour lists are not computed again: without the rows left out they are still the nearest, in the same
order.
"""

import zlib

import numpy as np

from elsa_nb.pool import Pool
from elsa_nb.prepared import Prepared
from elsa_nb.search.checks import as_truths, check_number
from elsa_nb.search.neighbours.bounds import Sketch
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.store import sha256_bytes

LEAST_MEMBERS = 2  # one to start from, one to find
LEAST_LENGTH = 64  # of a list; a search lengthens the few that prove too short
LISTS_COMPUTED_AGAIN = 64  # lists computed again so that the others may stay longer
LISTS_AT_ONCE = 2048  # lists handled together


def absent_rows(positive: np.ndarray, share: float, target: str) -> np.ndarray:
    """Return the members to leave out, int64 sorted, so that the class is `share` of the pool that remains.

    `positive` (n,) bool is the class called `target`; its name alone decides which members go, and a smaller share
    leaves out those of a larger one, and more. Raises ValueError for a truth that is not bool, for a share outside 0 to
    1, for one that leaves fewer than two members, and for one that the class does not reach.
    """
    positive = as_truths("positive", positive, "a row (such as labels == 'owl')")
    check_number("share", share, "between 0 and 1, such as 0.001", above=0, below=1)
    if not isinstance(target, str):
        raise ValueError(f"target = {target!r:.60}; give the name of the class, a text")
    members = np.flatnonzero(positive)
    kept = round(share / (1 - share) * (len(positive) - len(members)))
    if not LEAST_MEMBERS <= kept <= len(members):
        raise ValueError(
            f"share = {share!r} asks for {kept} members of class {target!r} in a pool of {len(positive)}, which holds "
            f"{len(members)}; allowed: {LEAST_MEMBERS} to all of them. Take another share or a larger pool."
        )
    rng = np.random.default_rng([zlib.crc32(b"thinned"), zlib.crc32(target.encode())])
    return np.sort(rng.permutation(members)[kept:]).astype(np.int64)


def thinned(base: Prepared, absent: np.ndarray) -> Prepared:
    """Return `base` without the rows `absent` (m,) int64, sorted: its rows are numbered anew, their order is kept.

    Neighbours and features answer as if made from the remaining vectors, bit for bit. Raises ValueError for rows that
    are not sorted, repeated or not in the pool, and where fewer than two rows would remain.
    """
    absent = _checked(absent, len(base.pool))
    pool = without(base.pool, absent)
    if isinstance(base.neighbours, Sketch):
        return Prepared(pool, Sketch(pool.vectors, progress=False))
    neighbours = Neighbours(pool.vectors, k=base.neighbours.k)
    if base.neighbours.lists is not None:
        lists = _lists(base.neighbours.lists, absent, neighbours)
        neighbours = Neighbours(pool.vectors, lists=lists)
    return Prepared(pool, neighbours)


def _checked(absent: np.ndarray, n: int) -> np.ndarray:
    absent = np.asarray(absent, np.int64)
    if absent.ndim != 1 or (np.diff(absent) <= 0).any() or (absent < 0).any() or (absent >= n).any():
        raise ValueError(f"absent rows {absent}; allowed: rows of a pool of {n}, sorted, each once")
    if n - len(absent) < 2:
        raise ValueError(f"{len(absent)} of {n} rows are absent; allowed: at most {n - 2}, a search needs two")
    return absent


def without(pool: Pool, absent: np.ndarray) -> Pool:
    """Return the pool without the rows `absent` (m,) int64, in memory; its hashes are made of the pool's and theirs."""
    vectors, ids = np.delete(pool.vectors.view(np.ndarray), absent, axis=0), np.delete(pool.ids, absent)
    vectors.flags.writeable = ids.flags.writeable = False
    rows = sha256_bytes(absent.astype("<i8").tobytes())
    recipe, sha256 = (sha256_bytes(f"{whole} without {rows}".encode()) for whole in (pool.recipe, pool.sha256))
    provenance = {**pool.provenance, "absent_rows": len(absent), "absent_rows_sha256": rows}
    return Pool(vectors, ids, pool.name, pool.space, provenance, recipe, sha256, pool.widths)


def _lists(
    lists: tuple[np.ndarray, np.ndarray], absent: np.ndarray, fresh: Neighbours
) -> tuple[np.ndarray, np.ndarray]:
    """Return neighbour lists, all of one length, without the absent rows; `fresh` computes those that prove short."""
    rows, distances = (part.view(np.ndarray) for part in lists)
    there = np.ones(len(rows), bool)
    there[absent] = False
    remaining = np.flatnonzero(there)
    blocks = [slice(start, start + LISTS_AT_ONCE) for start in range(0, len(remaining), LISTS_AT_ONCE)]
    lengths = np.concatenate([there[rows[remaining[block]]].sum(1) for block in blocks])
    length = (
        int(np.partition(lengths, LISTS_COMPUTED_AGAIN)[LISTS_COMPUTED_AGAIN])
        if len(lengths) > LISTS_COMPUTED_AGAIN
        else 0
    )
    length = min(max(length, LEAST_LENGTH), rows.shape[1], fresh.n - 1)
    number = (there.cumsum() - 1).astype(np.int32)  # of each remaining row in the new pool
    thin_rows, thin_distances = np.empty((len(lengths), length), np.int32), np.empty((len(lengths), length))
    for block in blocks:
        long = lengths[block] >= length
        old = remaining[block][long]
        still = there[rows[old]]
        first = still & (still.cumsum(1, dtype=np.int32) <= length)
        thin_rows[block][long] = number[rows[old][first]].reshape(-1, length)
        thin_distances[block][long] = distances[old][first].reshape(-1, length)
    short = np.flatnonzero(lengths < length)
    thin_rows[short], thin_distances[short] = fresh.exact(short, length)
    return thin_rows, thin_distances
