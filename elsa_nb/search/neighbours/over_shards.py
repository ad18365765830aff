"""Exact neighbour lists of a pool that no single machine holds, by the workers of a Dask cluster, shard by shard.

The file of the vectors lies where every worker can read it. For each pair of shards a worker reads these two, and no
more, and finds the nearest rows of the second to each row of the first, exactly (`lists`). Sorting by (distance, row)
and taking the first k commute with splitting, so the merged lists are those of one machine to the last bit, in
whatever order the pairs arrive. The caller holds the lists, 12 k bytes per row.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from elsa_nb.dask_workers import Unfit, on_workers, unfit
from elsa_nb.progress import bar
from elsa_nb.search.checks import check_count
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.neighbours.ordering import Found, by_distance_then_row

SHARD = 2**16  # rows


def lists_over_shards(
    path: Path | str, k: int, address: str, *, shard: int = SHARD, progress: bool | None = None
) -> Found:
    """Return the lists of all rows of the `.npy` file `path`, rows (n, k) int32 and squared distances (n, k) float64.

    They are those of `Neighbours.build`. `shard` is how many rows a worker reads of each of two shards: it needs about
    16 shard d bytes. The file is mapped here, and workers must see it at the same path, with the same shape and dtype;
    a worker that does not is left out. Raises ValueError unless k and shard are whole numbers, 1 or more, and what
    `on_workers` raises.
    """
    for name, count in (("k", k), ("shard", shard)):
        check_count(name, count, 1)
    path = Path(path).resolve()
    vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    n, told = len(vectors), (vectors.shape, vectors.dtype.str, path.stat().st_size)
    k = min(k, n - 1)
    rows, distances = np.full((n, k), -1, np.int32), np.full((n, k), np.inf)
    starts = range(0, n, shard)

    def pieces() -> Iterator[tuple[int, tuple]]:
        for mine in starts:
            for theirs in starts:
                yield mine, (path, told, mine, theirs, shard, k)

    with bar(None, "pairs of shards", progress, total=len(starts) ** 2) as shown:
        for mine, found in on_workers(nearest_in_shard, pieces(), address, "neighbour lists"):
            part = slice(mine, mine + shard)
            rows[part], distances[part] = _merged((rows[part], distances[part]), found, k)
            shown.update(1)
    return rows, distances


def nearest_in_shard(
    path: Path, told: tuple, mine: int, theirs: int, shard: int, k: int
) -> tuple[np.ndarray, np.ndarray] | Unfit:
    """Return the `k` rows from row `theirs` on that are nearest to each row from `mine` on, except itself.

    Both are `shard` rows of the `.npy` file `path`, or what is left of it; `told` are its shape, dtype and bytes. Runs
    on a worker. Returns (rows, squared distances), each (m, at most k), or why this worker cannot.
    """
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        return unfit(f"it cannot read {path} ({error}); let every worker see the file at this path")
    if (here := (vectors.shape, vectors.dtype.str, path.stat().st_size)) != told:
        return unfit(f"its {path} is another file: {here}, expected {told}")
    among, queries = vectors[theirs : theirs + shard], vectors[mine : mine + shard]  # not read yet
    m, asked = len(among), np.arange(len(queries))
    both = Neighbours(np.concatenate([among, queries]), k=1, among=m)
    rows, distances = both.exact(m + asked, k + 1)  # + 1: a row may find itself
    rows += theirs
    itself = rows == mine + asked[:, None]
    return _merged((np.where(itself, -1, rows), np.where(itself, np.inf, distances)), None, k)


def _merged(one: Found, other: Found | None, k: int) -> Found:
    """Return the `k` nearest of one or two lists of the same rows, by (distance, row)."""
    rows, distances = one if other is None else (np.concatenate(pair, axis=1) for pair in zip(one, other, strict=True))
    order = by_distance_then_row(distances, rows)[:, :k]
    return np.take_along_axis(rows, order, 1).astype(np.int32), np.take_along_axis(distances, order, 1)
