"""A pool keeps its bytes, notices damage, refuses bad vectors, and survives kill -9 at any point."""

import dataclasses
import errno
import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.cli import main
from elsa_nb.errors import BusyError, CorruptFileError, MissingDataError
from elsa_nb.pool import Pool, PoolWriter
from elsa_nb.prepared import prepared_rows


@pytest.fixture
def vectors():
    return np.random.default_rng(1).normal(size=(40, 6)).astype(np.float16)


def writer(folder, ids, d=6, **changes):
    settings = {"name": "toy", "space": "embedding", "recipe": "r1"} | changes
    return PoolWriter(folder, ids, d, **settings)


IDS = np.array([f"item-{i}" for i in range(40)])


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_saved_pool_opens_with_the_same_bytes_and_hashes(tmp_path, vectors, dtype):
    pool = Pool.from_arrays(vectors.astype(dtype), IDS, name="toy", space="projection", provenance={"by": "test"})
    pool.save(tmp_path / "pool")
    again = Pool.open(tmp_path / "pool")
    np.testing.assert_array_equal(again.vectors, vectors.astype(dtype))
    np.testing.assert_array_equal(again.ids, IDS)
    assert isinstance(again.vectors, np.memmap)
    assert not again.vectors.flags.writeable
    assert again.vectors.dtype.name == dtype
    assert (again.name, again.space, again.provenance) == ("toy", "projection", {"by": "test"})
    assert again.sha256 == pool.sha256 == again.recipe
    assert (again.n, again.d, len(again)) == (40, 6, 40)
    assert sorted(p.name for p in (tmp_path / "pool").iterdir()) == ["ids.npy", "pool.json", "vectors.npy"]


def test_recipe_survives_while_the_bytes_differ(tmp_path, vectors):
    one = Pool.from_arrays(vectors, IDS, recipe="made-of-this").save(tmp_path / "one")
    two = Pool.from_arrays(np.nextafter(vectors, np.float16(9)), IDS, recipe="made-of-this").save(tmp_path / "two")
    assert one.recipe == two.recipe == "made-of-this"
    assert one.sha256 != two.sha256


def test_saving_replaces_what_was_there(tmp_path, vectors):
    Pool.from_arrays(vectors, IDS).save(tmp_path)
    Pool.from_arrays(vectors[:10] + 1, IDS[:10]).save(tmp_path)
    assert len(Pool.open(tmp_path)) == 10


def test_from_arrays_numbers_the_rows_and_copies_other_dtypes_to_float32():
    pool = Pool.from_arrays(np.arange(6).reshape(3, 2))
    assert pool.ids.tolist() == ["0", "1", "2"]
    assert pool.vectors.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        pool.vectors[0, 0] = 7


def test_a_notebook_shows_a_pool_in_a_line():
    pool = Pool.from_arrays(np.eye(3, 4), ["a\nb.jpg", "b", "c" * 90], name="cats")
    assert repr(pool) == f"<Pool 'cats': 3 rows of 4 float32, embedding, ids 'a\\nb.jpg' to '{'c' * 40}'>"


def test_names_that_a_data_frame_has_for_its_rows_are_the_ids():
    named = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], index=["b.jpg", "a.jpg"])
    assert Pool.from_arrays(named).ids.tolist() == ["b.jpg", "a.jpg"]
    assert Pool.from_arrays(named, ["x", "y"]).ids.tolist() == ["x", "y"]
    assert Pool.from_arrays(pd.DataFrame([[1.0], [2.0]], index=[7, 7])).ids.tolist() == ["0", "1"]
    with pytest.raises(ValueError, match=r"The id 'b\.jpg' occurs more than once"):
        Pool.from_arrays(named.iloc[[0, 0]])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_naming_the_first_row(tmp_path, vectors, bad):
    vectors[[17, 23], 3] = bad
    with pytest.raises(ValueError, match="row 17 "):
        Pool.from_arrays(vectors)
    with writer(tmp_path, IDS) as opened:
        opened.write(vectors[:10])
        with pytest.raises(ValueError, match="row 17 "):
            opened.write(vectors[10:])


def test_a_value_too_large_for_float16_is_refused(tmp_path):
    with writer(tmp_path, IDS) as opened, pytest.raises(ValueError, match=r"row 1 .*float16.*float32"):
        opened.write(np.array([[1.0] * 6, [70000.0] * 6], dtype=np.float32))


@pytest.mark.parametrize(
    ("vectors", "ids", "message"),
    [
        (np.ones(5), None, r"shape \(5,\)"),
        (np.ones((0, 5)), None, r"shape \(0, 5\)"),
        (np.ones((5, 0)), None, r"shape \(5, 0\)"),
        (np.ones((2, 2), dtype=complex), None, "complex"),
        (np.ones((2, 2)), ["a", "a"], "'a' occurs more than once"),
        (np.ones((2, 2)), ["a"], r"shape \(1,\)"),
    ],
)
def test_wrong_shapes_dtypes_and_ids_are_refused(vectors, ids, message):
    with pytest.raises(ValueError, match=message):
        Pool.from_arrays(vectors, ids)


def test_writer_refuses_other_dtypes_and_blocks_that_do_not_fit(tmp_path, vectors):
    with pytest.raises(ValueError, match="float64"):
        writer(tmp_path, IDS, dtype="float64")
    with writer(tmp_path, IDS) as opened:
        with pytest.raises(ValueError, match="does not fit"):
            opened.write(vectors[:, :5])
        with pytest.raises(ValueError, match="does not fit"):
            opened.write(np.vstack([vectors, vectors]))
        with pytest.raises(ValueError, match="Only 0 of 40 rows"):
            opened.finish()


def test_missing_and_unfinished_pools_are_named_with_their_cure(tmp_path, vectors):
    with pytest.raises(MissingDataError, match=r"not here .*`elsa-nb embed`"):
        Pool.open(tmp_path / "none")
    with writer(tmp_path / "half", IDS) as opened:
        opened.write(vectors[:10])
    with pytest.raises(MissingDataError, match=r"not finished: `elsa-nb embed`"):
        Pool.open(tmp_path / "half")


def flip(path):
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: flip(folder / "vectors.npy"),
        lambda folder: flip(folder / "ids.npy"),
        lambda folder: (folder / "vectors.npy").write_bytes((folder / "vectors.npy").read_bytes()[:-20]),
        lambda folder: (folder / "vectors.npy").write_bytes(b""),
        lambda folder: (folder / "ids.npy").unlink(),
        lambda folder: (folder / "pool.json").write_text("{"),
        lambda folder: (folder / "pool.json").write_text("{}"),
        lambda folder: np.save(folder / "vectors.npy", np.ones((39, 6), np.float16)),
    ],
)
def test_damage_is_noticed(tmp_path, vectors, damage):
    Pool.from_arrays(vectors, IDS).save(tmp_path)
    (tmp_path / "owl.jpg").write_bytes(b"a picture")
    damage(tmp_path)
    with pytest.raises(CorruptFileError, match=f"Delete pool.json, vectors.npy and ids.npy in {tmp_path}") as said:
        Pool.open(tmp_path)
    assert "Delete the folder" not in str(said.value)  # nobody's pictures are to go with a pool


def test_an_interrupted_writer_goes_on_where_it_was(tmp_path, vectors):
    with writer(tmp_path, IDS) as opened:
        opened.write(vectors[:12])
        opened.write(vectors[12:20])
    with writer(tmp_path, IDS) as opened:
        assert opened.rows_done == 20
        opened.write(vectors[20:])
        pool = opened.finish()
    np.testing.assert_array_equal(pool.vectors, vectors)


def test_torn_blocks_and_torn_journal_lines_are_written_again(tmp_path, vectors):
    with writer(tmp_path, IDS) as opened:
        opened.write(vectors[:12])
        opened.write(vectors[12:20])
    journal, part = tmp_path / "journal.txt", tmp_path / "vectors.part"
    journal.write_bytes(journal.read_bytes()[:-4])
    with writer(tmp_path, IDS) as opened:
        assert opened.rows_done == 12
        opened.write(vectors[12:20])
    part.write_bytes(part.read_bytes()[:-7])
    with writer(tmp_path, IDS) as opened:
        assert opened.rows_done == 12
        opened.write(vectors[12:])
        np.testing.assert_array_equal(opened.finish().vectors, vectors)


@pytest.mark.parametrize("change", [{"recipe": "r2"}, {"dtype": "float32"}, {"ids": IDS[::-1]}])
def test_another_recipe_starts_afresh(tmp_path, vectors, change):
    with writer(tmp_path, IDS) as opened:
        opened.write(vectors[:12])
    settings = {"ids": IDS} | change
    with writer(tmp_path, **settings) as opened:
        assert opened.rows_done == 0


def test_an_earlier_pool_stays_readable_until_the_new_one_is_finished(tmp_path, vectors):
    old = Pool.from_arrays(vectors, IDS).save(tmp_path)
    with writer(tmp_path, IDS, recipe="r2") as opened:
        opened.write(vectors[:12] * 2)
        assert Pool.open(tmp_path).sha256 == old.sha256
        opened.write(vectors[12:] * 2)
        opened.finish()
    np.testing.assert_array_equal(Pool.open(tmp_path).vectors, vectors * 2)


@pytest.mark.parametrize("step", ["replace", "ids", "card", "journal"])
def test_killed_while_finishing(tmp_path, vectors, step, monkeypatch):
    """Stop `finish` at each of its steps; a new writer finishes without computing anything again."""
    stops = {
        "replace": ("pathlib.Path.replace", lambda *a: 1 / 0),
        "ids": ("elsa_nb.pool.write_with", lambda *a: 1 / 0),
        "card": ("elsa_nb.pool.write_card", lambda *a: 1 / 0),
        "journal": ("pathlib.Path.unlink", lambda path, **k: 1 / 0 if path.name == "journal.txt" else None),
    }
    with writer(tmp_path, IDS) as opened:
        opened.write(vectors)
        with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
            patch.setattr(*stops[step])
            opened.finish()
    if step != "journal":
        with writer(tmp_path, IDS) as opened:
            assert opened.rows_done == 40
            opened.finish()
    np.testing.assert_array_equal(Pool.open(tmp_path).vectors, vectors)


def test_a_second_writer_is_refused_and_leaves_the_first_ones_work_alone(tmp_path, vectors):
    with writer(tmp_path, IDS) as first:
        first.write(vectors[:20])
        for settings in ({}, {"recipe": "another"}):
            with pytest.raises(BusyError, match=rf"The pool {tmp_path} is being written by process {os.getpid()} on "):
                writer(tmp_path, IDS, **settings)
        with pytest.raises(BusyError):
            Pool.from_arrays(vectors + 1, IDS).save(tmp_path)
        first.write(vectors[20:])
        first.finish()
        writer(tmp_path, IDS, recipe="another").close()  # finished: the next may write
    np.testing.assert_array_equal(Pool.open(tmp_path).vectors, vectors)


@pytest.mark.parametrize("part", ["vectors.part", "journal.txt"])
def test_a_pool_is_not_finished_with_other_bytes_than_were_written(tmp_path, vectors, part):
    """Whatever writes there without asking for the lock: rows of zeros never get a checksum."""
    with writer(tmp_path, IDS) as opened:
        opened.write(vectors[:12])
        opened.write(vectors[12:])
        size = (tmp_path / part).stat().st_size
        os.truncate(tmp_path / part, size // 2)
        os.truncate(tmp_path / part, size)
        with pytest.raises(
            CorruptFileError, match=r"vectors.part holds other bytes .* from row (0|12) on.*Run the same"
        ):
            opened.finish()
    assert not (tmp_path / "pool.json").exists()
    with writer(tmp_path, IDS) as opened:
        opened.write(vectors[opened.rows_done :])
        np.testing.assert_array_equal(opened.finish().vectors, vectors)


KILLED = textwrap.dedent("""
    import sys, time, numpy as np
    from elsa_nb.pool import PoolWriter
    vectors = np.random.default_rng(0).normal(size=(3000, 64)).astype(np.float16)
    ids = np.arange(3000).astype(str)
    with PoolWriter(sys.argv[1], ids, 64, name="toy", space="embedding", recipe="r") as writer:
        print("go", flush=True)
        while writer.rows_done < 3000:
            time.sleep(0.001)
            writer.write(vectors[writer.rows_done : writer.rows_done + 7])
        writer.finish()
""")


@pytest.mark.slow
def test_kill_minus_nine_again_and_again_gives_the_bytes_of_an_uninterrupted_run(tmp_path):
    def run(folder, seconds):
        process = subprocess.Popen([sys.executable, "-c", KILLED, folder], stdout=subprocess.PIPE)
        process.stdout.readline()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        process.stdout.close()
        return process.wait()

    codes = [run(tmp_path / "killed", 0.1 + 0.03 * turn) for turn in range(4)]
    assert -signal.SIGKILL in codes
    assert run(tmp_path / "killed", 60) == run(tmp_path / "whole", 60) == 0
    for file in ("vectors.npy", "ids.npy", "pool.json"):
        assert (tmp_path / "killed" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()
    assert json.loads((tmp_path / "whole" / "pool.json").read_text())["recipe"] == "r"


def test_a_file_where_a_pool_is_to_be_is_told(tmp_path, vectors):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(ValueError, match="taken is a file, and a pool is a folder: name another"):
        Pool.from_arrays(vectors, IDS).save(tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_pool_of_own_vectors_is_told_to_be_made_by_the_command_that_can(tmp_path, vectors):
    with pytest.raises(MissingDataError, match=r"is not here \(is the path right.*`elsa-nb pool make` one of your own"):
        Pool.open(tmp_path / "misspelt")
    Pool.from_arrays(vectors, IDS).save(tmp_path / "pool")
    (tmp_path / "pool" / "ids.npy").unlink()
    with pytest.raises(CorruptFileError, match=r"ids.npy is missing.*`elsa-nb pool make` one of your own vectors"):
        Pool.open(tmp_path / "pool")


@pytest.mark.parametrize("given", [None, "", 5, True, b"pool", ["pool"], np.array(1)], ids=repr)
def test_what_is_no_path_is_refused_with_what_to_give(tmp_path, monkeypatch, vectors, given):
    monkeypatch.chdir(tmp_path)
    pool = Pool.from_arrays(vectors, IDS)
    for name, call in (("folder", Pool.open), ("folder", pool.save), ("path", Pool.from_file)):
        with pytest.raises(ValueError, match=rf"{name} is .*; give the path or the name of a|the folder to write"):
            call(given)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"provenance": 5}, "provenance of type int; give a dict of plain data, or None"),
        ({"provenance": ["a"]}, "provenance of type list; give a dict"),
        (
            {"provenance": {"by": "me", "rows": np.arange(3)}},
            r"provenance\['rows'\] cannot be written as JSON .*tolist",
        ),
        ({"provenance": {"loss": float("nan")}}, r"provenance\['loss'\] cannot be written as JSON .*finite numbers"),
        ({"provenance": {(1, 2): "x"}}, r"provenance\[\(1, 2\)\] cannot be written as JSON"),
        ({"provenance": {1: 2, "a": 3}}, r"provenance\[1\] cannot be written as JSON \(the key 1 is not a text\)"),
        ({"provenance": {True: 1}}, r"provenance\[True\] cannot be written as JSON"),
        ({"provenance": {"a": [{"b": {1: 2, "c": 3}}]}}, r"provenance\['a'\] cannot be written as JSON"),
        ({"provenance": {"a": [{"b": {1: 2}}]}}, r"provenance\['a'\] .*the key 1 is not a text"),
        ({"provenance": {"a": ["\ud800"]}}, r"provenance\['a'\] cannot be written as JSON"),
        ({"provenance": {"\udcff": 1}}, r"provenance\['\\udcff'\] cannot be written as JSON"),
        ({"name": None}, "name = None; give a text"),
        ({"name": "a\ud800"}, r"name = 'a\\ud800' cannot be written as UTF-8"),
        ({"space": ""}, "space = ''; give a text"),
        ({"space": "\udcff"}, r"space = '\\udcff' cannot be written as UTF-8"),
        ({"recipe": 5}, "recipe = 5; give a text"),
        ({"recipe": {1}}, r"recipe = \{1\}; give a text"),
        ({"recipe": np.arange(3)}, r"recipe = array\(\[0, 1, 2\]\); give a text"),
    ],
    ids=ascii,
)
def test_what_a_card_cannot_hold_is_refused_before_anything_is_written(tmp_path, vectors, told, sentence):
    with pytest.raises(ValueError, match=sentence):
        Pool.from_arrays(vectors, IDS, **told)
    with pytest.raises(ValueError, match=sentence):
        writer(tmp_path / "pool", IDS, **told)
    assert not list(tmp_path.iterdir())


def held_by(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@settings(max_examples=60, deadline=None)
@given(
    entries=st.dictionaries(
        st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.characters(categories=["Cs"])),
        st.recursive(
            st.one_of(st.text(), st.characters(categories=["Cs"]), st.floats(), st.integers(), st.binary()),
            lambda inside: st.one_of(
                st.lists(inside), st.dictionaries(st.one_of(st.text(), st.integers(), st.booleans()), inside)
            ),
        ),
    )
)
def test_whatever_a_card_is_to_hold_an_earlier_pool_is_replaced_or_stays(tmp_path_factory, entries):
    folder, pool = tmp_path_factory.mktemp("pool"), Pool.from_arrays(np.eye(3))
    pool.save(folder)
    before = held_by(folder)
    try:  # not through `from_arrays`: what was refused there would not come to be saved
        dataclasses.replace(pool, provenance=entries).save(folder)
    except ValueError:
        assert held_by(folder) == before
    else:
        assert Pool.open(folder).provenance == entries


def fail(*_):
    raise OSError(errno.EFBIG, "File too large")


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("step", ["write", "write_with", "write_card"])
def test_where_the_disk_refuses_a_file_an_earlier_pool_stays(tmp_path, vectors, monkeypatch, step, resume):
    Pool.from_arrays(vectors, IDS).save(tmp_path)
    before = held_by(tmp_path)
    with pytest.raises(OSError, match="too large"), writer(tmp_path, IDS, resume=resume) as opened:
        opened.write(vectors[:20] * 2)
        monkeypatch.setattr(*((PoolWriter, step) if step == "write" else (f"elsa_nb.pool.{step}",)), fail)
        opened.write(vectors[20:] * 2)
        opened.finish()
    monkeypatch.undo()
    left = held_by(tmp_path)
    assert before.items() <= left.items()
    assert resume or left == before  # what cannot be resumed does not stay
    with writer(tmp_path, IDS, resume=resume) as opened:
        assert opened.rows_done == (0 if not resume else 20 if step == "write" else 40)
        if opened.rows_done < 40:
            opened.write(vectors[opened.rows_done :] * 2)
        opened.finish()
    assert (Pool.open(tmp_path).vectors == vectors * 2).all()
    assert {path.name for path in tmp_path.iterdir()} == {"ids.npy", "pool.json", "vectors.npy"}


@pytest.mark.parametrize("calls", range(3))
def test_killed_between_the_steps_that_put_a_pool_in_place(tmp_path, vectors, monkeypatch, calls):
    Pool.from_arrays(vectors, IDS).save(tmp_path)
    with writer(tmp_path, IDS) as opened:
        opened.write(vectors * 2)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            count, replace = itertools.count(), Path.replace

            def stopped(path, to):
                if to.name in ("vectors.npy", "ids.npy", "pool.json") and next(count) == calls:
                    raise KeyboardInterrupt
                return replace(path, to)

            patch.setattr(Path, "replace", stopped)
            opened.finish()
    with writer(tmp_path, IDS) as opened:
        assert opened.rows_done == 40
        opened.finish()
    assert (Pool.open(tmp_path).vectors == vectors * 2).all()


def test_a_file_whose_name_is_not_utf_8_makes_a_pool(tmp_path, vectors, capsys):
    path = tmp_path / os.fsdecode(b"caf\xe9.npy")
    np.save(path, vectors)
    names = tmp_path / os.fsdecode(b"n\xe9.txt")
    names.write_bytes("\n".join(["id", *IDS]).encode())
    assert main(["pool", "make", str(path), str(tmp_path / "pool"), "--ids", str(names)]) == 0
    pool = Pool.open(tmp_path / "pool")
    assert (pool.name, pool.provenance["made_from"]["file"]) == ("caf\\xe9", "caf\\xe9.npy")
    assert "(n\\xe9.txt)" in pool.provenance["made_from"]["taken"][0]
    before = held_by(tmp_path / "pool")
    typed = ["pool", "make", str(path), str(tmp_path / "pool"), "--replace", "--name", "\udcff"]
    assert main(typed) == 1
    assert r"name = '\udcff' cannot be written as UTF-8; give" in capsys.readouterr().err
    assert held_by(tmp_path / "pool") == before


@pytest.mark.parametrize("ids", [5, True, {"a"}, object()], ids=lambda given: type(given).__name__)
def test_what_is_no_list_of_ids_beside_a_file_is_refused(tmp_path, vectors, ids):
    np.save(tmp_path / "v.npy", vectors)
    with pytest.raises(
        ValueError, match=f"ids of type {type(ids).__name__}; give a list of one id per row, or the path"
    ):
        Pool.from_file(tmp_path / "v.npy", ids)


def test_ids_of_another_order_of_bytes_make_the_same_pool(tmp_path):
    """What a pool is known by must not change where it is saved."""
    ids = np.array(["a", "b", "c"])
    swapped = Pool.from_arrays(np.eye(3), ids.astype(ids.dtype.newbyteorder(">")))
    assert swapped.sha256 == swapped.save(tmp_path / "pool").sha256 == Pool.from_arrays(np.eye(3), ids).sha256


def test_a_pool_that_lost_its_card_is_not_said_to_hold_nothing(tmp_path):
    Pool.from_arrays(np.eye(3)).save(tmp_path / "pool")
    (tmp_path / "pool" / "pool.json").unlink()
    with pytest.raises(MissingDataError, match=r"pool lacks its pool\.json"):
        Pool.open(tmp_path / "pool")


@pytest.mark.parametrize("name", ["image_id", "ID", "sampleId"])
def test_a_column_of_ids_that_a_merge_made_floats_is_no_value_of_the_vectors(name):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(3, 2))).assign(**{name: [7.0, 5.0, 6.0]})
    with pytest.raises(ValueError, match=rf"'{name}' of the data frame has a name of ids.*drop\(columns") as refused:
        Pool.from_arrays(frame)
    cure = str(refused.value).partition("row: ")[2].partition(" makes")[0]
    assert Pool.from_arrays(eval(f"frame.{cure}")).ids.tolist() == ["7", "5", "6"]
    assert Pool.from_arrays(frame.assign(**{name: [0.25, 0.5, 0.75]})).vectors.shape == (3, 3)


@pytest.mark.parametrize(
    "index",
    [
        pd.MultiIndex.from_tuples([("a", 0), ("a", 1), ("b", 0)]),
        pd.date_range("2020", periods=3),
        pd.Index([1, "a", 2], dtype=object),
        pd.Index([0.5, 1.5, 2.5]),
        pd.Index([1.0, 2.0, 3.0]),
        pd.Index(pd.array([5, 6, None], dtype="Int64")),
    ],
    ids=lambda index: type(index).__name__ + str(index.dtype),
)
def test_an_index_that_is_not_taken_for_ids_is_pointed_out_with_the_cure(tmp_path, index):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(3, 2)), index=index, columns=["e0", "e1"])
    with pytest.warns(UserWarning, match=r"The rows are numbered: the index .* reset_index") as warned:
        assert Pool.from_arrays(frame).ids.tolist() == ["0", "1", "2"]
    assert warned[0].filename == __file__
    cure = str(warned[0].message).partition("make it so: ")[2].partition(";")[0]
    assert set(Pool.from_arrays(frame.set_axis(eval(cure))).ids.tolist()).isdisjoint("0")
    Pool.from_arrays(frame, ["a", "b", "c"])
    Pool.from_arrays(frame.reset_index(drop=True))
    if len(set(map(type, index))) == 1 and None not in index.tolist():
        frame.to_parquet(tmp_path / "x.parquet")
        with pytest.warns(UserWarning, match="The rows are numbered: the index"):
            Pool.from_file(tmp_path / "x.parquet")


@settings(max_examples=60, deadline=None)
@given(
    whole=st.lists(st.integers(-(2**63), 2**64 - 1), min_size=2, max_size=5, unique=True),
    others=st.lists(st.one_of(st.just(0.5), st.just(2.0**70), st.just(-1.25)), min_size=0, max_size=3, unique=True),
    turned=st.booleans(),
)
def test_whole_numbers_among_ids_keep_their_digits(whole, others, turned):
    ids = others + whole if turned else whole + others
    expected = [str(int(each)) if float(each).is_integer() else str(each) for each in ids]
    assert Pool.from_arrays(np.eye(len(ids)), ids).ids.tolist() == expected
    assert Pool.from_arrays(np.eye(len(ids)), tuple(ids)).ids.tolist() == expected


def test_the_home_folder_is_where_a_shell_has_it(tmp_path, monkeypatch, vectors):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    pool = Pool.from_arrays(vectors, IDS).save("~/x")
    assert (tmp_path / "home" / "x" / "pool.json").exists()
    assert Pool.open("~/x").sha256 == Pool.open(Path("~/x")).sha256 == pool.sha256
    np.save(tmp_path / "home" / "v.npy", vectors)
    (tmp_path / "home" / "ids.txt").write_text("\n".join(IDS))
    assert Pool.from_file("~/v.npy", "~/ids.txt").sha256 == pool.sha256
    assert main(["pool", "make", "~/v.npy", "--ids=~/ids.txt", "~/made"]) == 0
    assert Pool.open(tmp_path / "home" / "made").sha256 == pool.sha256
    assert not list((tmp_path / "work").iterdir())


@pytest.mark.parametrize("given", ["no", 0, 1, None, []], ids=repr)
def test_what_is_neither_true_nor_false_is_no_switch(tmp_path, vectors, given):
    pool = Pool.from_arrays(vectors, IDS).save(tmp_path)
    for call in (lambda: Pool.open(tmp_path, verify=given), lambda: prepared_rows(pool, one_length=given)):
        with pytest.raises(ValueError, match=r"(verify|one_length) = .*; allowed: True or False"):
            call()
