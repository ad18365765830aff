"""What the searches of a pool share: lists where they can be had, bounds where they cannot, on the device named."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from elsa_nb import prepared as module
from elsa_nb.errors import CorruptFileError
from elsa_nb.locks import Lock
from elsa_nb.pool import Pool
from elsa_nb.search.elsa import ELSA, Search
from elsa_nb.search.heads.features import TorchProducts
from elsa_nb.search.heads.large_rows import LargeRows
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.neighbours.bounds import Sketch
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.oracle import Truth, simulate
from elsa_nb.search.readings import READINGS
from elsa_nb.search.strategies.harvest import Harvest, HarvestConfig


@pytest.fixture
def folder(tiny_pool, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "DATA", tmp_path / "data")
    Pool.from_arrays(tiny_pool[0].astype(np.float16)).save(tmp_path / "pool")
    return tmp_path / "pool"


def log_of(ready, classes, seed=0):
    search = Search(
        ready.pool,
        np.flatnonzero(classes == 3)[:2],
        config=READINGS["paper"]["ELSA"],
        rng=np.random.default_rng(seed),
        neighbours=ready.neighbours,
        features=ready.features,
    )
    return simulate(search, Truth(classes == 3))


def test_lists_are_made_once_and_a_damaged_one_is_refused(folder, monkeypatch):
    first = module.prepare(folder, progress=False)
    monkeypatch.setattr(Neighbours, "build", lambda *_, **__: pytest.fail("the lists were there"))
    again = module.prepare(folder, progress=False)
    np.testing.assert_array_equal(first.neighbours.lists[0], again.neighbours.lists[0])
    (file,) = module.DATA.glob("cache/neighbours/*/rows.npy")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"rows.npy is damaged.*Delete the folder"):
        module.prepare(folder, progress=False)


def test_what_somebody_who_was_killed_has_left_of_lists_is_removed(folder):
    module.prepare(folder, progress=False)
    (card,) = module.DATA.glob("cache/neighbours/*/card.json")
    card.unlink()
    (card.parent / ".rows.npy.abc.part").write_bytes(b"gigabytes")
    module.prepare(folder, progress=False)
    assert {path.name for path in card.parent.iterdir()} == {"card.json", "rows.npy", "distances.npy"}


def test_who_wants_lists_that_another_process_makes_waits_for_them(folder, monkeypatch, capsys):
    module.prepare(folder, progress=False)
    (card,) = module.DATA.glob("cache/neighbours/*/card.json")
    content = card.read_bytes()
    card.unlink()
    lock = Lock(card.parent / ".lock", "The lists").acquire()
    monkeypatch.setattr(Neighbours, "build", lambda *_, **__: pytest.fail("another made the lists"))
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(module.prepare, folder, progress=False)
        said = ""
        try:
            while "waiting for its end" not in said and not waiting.done():
                time.sleep(0.01)
                said += capsys.readouterr().out  # in pieces: a line may come in two
            card.write_bytes(content)
        finally:
            lock.release()  # whatever happens: the other one would wait for ever
        assert "waiting for its end" in said
        assert waiting.result().neighbours.lists[0].shape[1] == module.LIST_LENGTH
    assert sorted(file.name for file in card.parent.iterdir()) == ["card.json", "distances.npy", "rows.npy"]


def test_a_pool_too_large_for_lists_is_searched_by_bounds_with_the_same_log(folder, tiny_pool, monkeypatch):
    listed = module.prepare(folder, progress=False)
    for file in module.DATA.glob("cache/neighbours/*/*"):
        file.unlink()
    monkeypatch.setattr(module, "MOST_PRODUCTS", 10)
    bounded = module.prepare(folder, progress=False)
    assert isinstance(bounded.neighbours, Sketch)
    for mine, other in zip(log_of(listed, tiny_pool[1]), log_of(bounded, tiny_pool[1]), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_the_device_named_scores_the_heads_and_makes_the_lists(folder, tiny_pool, monkeypatch):
    """Torch's own processor stands in for a GPU: the code path is the same, but for the name."""
    plain = module.prepare(folder, progress=False)
    weights, biases = np.random.default_rng(0).normal(size=(3, tiny_pool[0].shape[1])), np.arange(3.0)
    on_processor = plain.features.project(weights, biases)
    for file in module.DATA.glob("cache/neighbours/*/*"):
        file.unlink()
    monkeypatch.setenv("ELSA_DEVICE", "cpu:0")
    monkeypatch.setattr(module, "MOST_PRODUCTS", 10)  # does not bind a device other than the processor
    on_device = module.prepare(folder, progress=False)
    for mine, other in zip(on_device.neighbours.lists, plain.neighbours.lists, strict=True):
        np.testing.assert_array_equal(mine, other)
    np.testing.assert_allclose(on_device.features.project(weights, biases), on_processor, atol=1e-4)
    assert isinstance(on_device.features._products, TorchProducts)
    assert len(log_of(on_device, tiny_pool[1]).rows) >= ELSA.a


def test_prepared_rows_are_made_once_for_all_searches_of_a_pool(folder, monkeypatch):
    ready = module.prepare(folder, build=False, progress=False)
    rows = ready.prepared_rows
    assert (rows.vectors == PreparedRows.of(ready.pool.vectors).vectors).all()
    monkeypatch.setattr(PreparedRows, "of", lambda *_: pytest.fail("the rows were there"))
    assert ready.prepared_rows is rows


def test_rows_of_a_large_pool_are_made_once_and_rows_of_a_small_one_in_memory(folder, monkeypatch):
    pool = Pool.open(folder)
    assert isinstance(module.prepared_rows(pool), PreparedRows)
    monkeypatch.setattr(module, "MOST_LOOKED_AT", pool.n - 1)
    first = module.prepared_rows(pool, progress=False)
    np.testing.assert_array_equal(first.vectors, PreparedRows.of_pool(pool).vectors.astype(np.float16))
    of_one_length = module.prepared_rows(pool, one_length=True, progress=False)
    monkeypatch.setattr(LargeRows, "make", lambda *_, **__: pytest.fail("the rows were there"))
    assert (module.prepare(folder, progress=False).prepared_rows.vectors == first.vectors).all()
    assert (module.prepared_rows(pool, one_length=True).vectors == of_one_length.vectors).all()
    assert (of_one_length.vectors != first.vectors).any()
    assert len(list(module.DATA.glob("cache/rows/*/card.json"))) == 2


def test_a_damaged_file_of_rows_is_refused_where_it_is_compared(folder, monkeypatch):
    pool = Pool.open(folder)
    monkeypatch.setattr(module, "MOST_LOOKED_AT", 1)
    module.prepared_rows(pool, progress=False)
    (file,) = module.DATA.glob("cache/rows/*/codes.npy")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"codes.npy is damaged.*Delete the folder"):
        module.prepared_rows(pool)
    module.prepared_rows(pool, verify=False)


@pytest.mark.parametrize("large", [False, True])
def test_harvest_asks_the_same_in_rows_on_a_torch_device(folder, tiny_pool, monkeypatch, large):
    pool, truth = Pool.open(folder), tiny_pool[1] == 3
    monkeypatch.setattr(module, "MOST_LOOKED_AT", 1 if large else pool.n)
    asked = []
    for device in ("cpu", "cpu:0"):
        monkeypatch.setenv("ELSA_DEVICE", device)
        rows = module.prepared_rows(pool, progress=False)
        if large:
            rows = replace(rows, shortlist=100, scaled_by=200)
        assert isinstance(rows.products, TorchProducts) == (device == "cpu:0")
        search = Harvest(pool, np.flatnonzero(truth)[:2], config=HarvestConfig(budget=120), rng=0, prepared_rows=rows)
        asked.append(simulate(search, Truth(truth)).rows.tolist())
    assert asked[0] == asked[1]
    assert len(asked[0]) == 120
