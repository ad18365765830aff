"""Exact neighbour lists made shard by shard by two worker processes, beside those of one process: `billion.md`.

`python -m benchmarks.shards` prints the cost for a pool of clustered vectors: processor seconds, since they depend less
on what else the machine does, and how far a worker's peak memory rose.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.synthetic import Clustered
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.neighbours.over_shards import lists_over_shards, nearest_in_shard


def taken() -> tuple[float, float]:
    """Return the processor seconds of this process so far, and the most memory that it had, MB."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main(arguments: list[str] | None = None) -> None:
    """Measure once, each side after a warm-up, and print."""
    from dask.distributed import Client, LocalCluster

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, value in (("n", 12_000), ("d", 256), ("shard", 3_000), ("k", 128)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args(arguments)
    vectors = Clustered(options.n, options.d).arrays()[0].astype(np.float16)
    with tempfile.TemporaryDirectory() as place:
        path, small = Path(place) / "vectors.npy", Path(place) / "small.npy"
        np.save(path, vectors)
        np.save(small, vectors[:64])
        told = ((64, options.d), "<f2", small.stat().st_size)
        Neighbours(vectors[:64], k=8).build(progress=False)
        began = taken()[0]
        alone = Neighbours(vectors, k=options.k).build(progress=False).lists
        local = taken()[0] - began
        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as client,
        ):
            client.run(nearest_in_shard, small, told, 0, 32, 32, 8)
            before, started = client.run(taken), time.perf_counter()
            rows, distances = lists_over_shards(
                path, options.k, cluster.scheduler_address, shard=options.shard, progress=False
            )
            wall, after = time.perf_counter() - started, client.run(taken)
    same = np.array_equal(rows, alone[0]) and np.array_equal(distances, alone[1])
    spent = sum(after[each][0] - before[each][0] for each in after)
    rise = max(after[each][1] - before[each][1] for each in after)
    print(
        f"{options.n} x {options.d} float16 ({vectors.nbytes / 1e6:.1f} MB), lists of {options.k}, shards of "
        f"{options.shard}: one process {local:.1f} processor seconds; two workers {spent:.1f}, {wall:.1f} s by the "
        f"clock; a worker's most memory rose by {rise:.0f} MB; lists equal to the bit: {same}"
    )


if __name__ == "__main__":
    main()
