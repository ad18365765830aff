"""What a sweep stores is whole or refused: its pieces, and rows with their card, whenever it dies."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb import store
from elsa_nb.errors import CorruptFileError
from elsa_nb.paper.runs import runner, simulation
from elsa_nb.paper.runs.grid import Setting, Sweep
from elsa_nb.paper.runs.place import Place

PLAN = Sweep("two", ("vicreg",))
OLD, NEW = (pd.DataFrame({"found": [number, 2], "seconds": [0.5, 0.5]}) for number in (1, 7))


@pytest.fixture
def results(tmp_path):
    files = runner.SweepFiles("two", "quick", tmp_path / "results")
    files.save(OLD, PLAN, {"search": 1})
    return files


@pytest.mark.parametrize("step", ["the new card", "the new rows", "the card in its place"])
def test_killed_while_results_are_replaced(results, monkeypatch, step):
    steps = {
        "the new card": (store, "write_card", OLD),
        "the new rows": (store, "write_atomically", OLD),
        "the card in its place": (runner.SweepFiles, "settle", NEW),
    }
    where, name, left = steps[step]
    with monkeypatch.context() as killed, pytest.raises(ZeroDivisionError):
        killed.setattr(where, name, lambda *_: 1 / 0)
        results.save(NEW, PLAN, {"search": 1})
    pd.testing.assert_frame_equal(results.rows(), left)
    results.save(NEW, PLAN, {"search": 1})
    pd.testing.assert_frame_equal(results.rows(), NEW)
    kept = sorted(file.name for file in results.folder.iterdir() if file.is_file())
    assert kept == ["two-quick.json", "two-quick.parquet"]


PIECE = simulation.as_parquet(NEW)


@given(bit=st.integers(0, 8 * (len(PIECE) + 65) - 1))
def test_one_bit_of_a_finished_piece_is_noticed(tmp_path_factory, bit):
    file = tmp_path_factory.getbasetemp() / "piece.rows"
    store.write_sealed(file, PIECE)
    data = bytearray(file.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    file.write_bytes(data)
    with pytest.raises(CorruptFileError, match=r"piece.rows is not a finished piece of a sweep .*Delete it and run"):
        runner.read_part(file)


def test_a_damaged_piece_is_computed_again_and_the_run_says_so(tmp_path, capsys, monkeypatch):
    good, bad = tmp_path / "good.rows", tmp_path / "bad.rows"
    store.write_sealed(good, PIECE)
    bad.write_bytes(good.read_bytes()[:-1])
    monkeypatch.setattr(simulation, "run_unit", lambda *_, **__: NEW.to_dict("records"))
    monkeypatch.setattr(runner, "prepare", lambda *_, **__: None)
    monkeypatch.setattr(Place, "folder", tmp_path)
    one, three = (Setting("two", "paper", "vicreg", "projection", "ELSA", name, 5, 0) for name in ("one", "three"))
    files = runner.SweepFiles("two", "quick", tmp_path)
    work = runner._Work(PLAN, files, runner.places_of(PLAN, "quick"), {}, [])
    work.compute([((one,), good), ((three,), bad)], 1, None, False)
    pd.testing.assert_frame_equal(runner.read_part(bad), NEW)
    assert "bad.rows is not a finished piece" in capsys.readouterr().out
