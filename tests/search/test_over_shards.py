"""Neighbour lists made shard by shard are those of one machine, ties and all, and no worker holds the pool."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.search.neighbours import over_shards
from elsa_nb.search.neighbours.lists import Neighbours


def at_once(function, pieces, address, what):
    """Do in this process what a cluster would, the last piece first."""
    yield from ((key, function(*arguments)) for key, arguments in reversed(list(pieces)))


@given(
    n=st.integers(2, 40), k=st.integers(1, 12), shards=st.integers(1, 4), values=st.integers(1, 4), half=st.booleans()
)
@settings(max_examples=25, deadline=None)
def test_lists_are_those_of_one_machine_whatever_the_shards(n, k, shards, values, half, tmp_path_factory):
    vectors = np.random.default_rng(n).integers(0, values, (n, 3)).astype(np.float16 if half else np.float32)
    path = tmp_path_factory.mktemp("shards") / "vectors.npy"
    np.save(path, vectors)  # few values: many rows are equal, and many distances
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(over_shards, "on_workers", at_once)
        rows, distances = over_shards.lists_over_shards(path, k, "nowhere", shard=-(-n // shards), progress=False)
    alone = Neighbours(vectors, k=k).build(progress=False).lists
    assert np.array_equal(rows, alone[0])
    assert np.array_equal(distances, alone[1])


def test_a_worker_with_another_file_or_none_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(over_shards, "unfit", str)
    np.save(path := tmp_path / "vectors.npy", np.zeros((4, 2), np.float32))
    assert "is another file" in over_shards.nearest_in_shard(path, ((5, 2), "<f4", 168), 0, 0, 2, 1)
    assert "cannot read" in over_shards.nearest_in_shard(tmp_path / "none.npy", (), 0, 0, 2, 1)


@pytest.mark.thorough
def test_two_workers_find_the_lists_of_a_pool_that_neither_can_hold(tmp_path):
    from dask.distributed import Client, LocalCluster

    vectors = np.random.default_rng(3).normal(size=(1000, 12288)).astype(np.float16)
    np.save(path := tmp_path / "vectors.npy", vectors)
    told = vectors.shape, vectors.dtype.str, path.stat().st_size
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local, Client(local) as client:
        piece = path, told, 0, 67, 67, 16
        workers = client.scheduler_info()["workers"]
        begun = [client.submit(over_shards.nearest_in_shard, *piece, workers=[on], key=on) for on in workers]
        client.gather(begun)  # threads and buffers are there now
        assert set(client.run(hold, vectors.nbytes).values()) == {"cannot hold it"}
        rows, distances = over_shards.lists_over_shards(path, 16, local.scheduler_address, shard=67, progress=False)
    alone = Neighbours(vectors, k=16).build(progress=False).lists
    assert np.array_equal(rows, alone[0])
    assert np.array_equal(distances, alone[1])


def hold(size):
    """Limit what this process may take beyond what it has to nine tenths of `size` bytes; say whether it holds them."""
    import resource
    from pathlib import Path

    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmData")]
    resource.setrlimit(resource.RLIMIT_DATA, (int(line.split()[1]) * 1024 + size * 9 // 10,) * 2)
    try:
        return len(np.ones(size, np.uint8)) and "holds it"
    except MemoryError:
        return "cannot hold it"


def test_no_rows_at_a_time_are_refused():
    with pytest.raises(ValueError, match="shard = 0; allowed: a whole number, 1 or more"):
        over_shards.lists_over_shards("none", 1, "nowhere", shard=0)
