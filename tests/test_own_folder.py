"""A mistake on the command line costs no waiting: it is refused before the vectors are made."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from elsa_nb import cli, own_folder
from elsa_nb.errors import MissingDataError
from elsa_nb.images.extraction import embed
from elsa_nb.label import jobs, session_file
from elsa_nb.label.identity import earlier_sessions
from elsa_nb.label.items import Texts
from elsa_nb.label.session import Session
from elsa_nb.pool import Pool

MISTAKES = {
    "--strategy best": "strategy 'best' is not known",
    "--target 90": "target = 90.0",
    "--budget 0": "budget = 0",
    "--metric manhattan": "metric is 'manhattan'",
    "--port 99999": "a port below 65,536",
    "--ip nowhere.invalid": "give an address of this machine",
    "--ip 0.0.0.0 --token=": "would let anybody in",
    "--like nothing.jpg": "nothing.jpg is not a file",
    "--like list.txt": "the image list.txt cannot be read (a text, not a picture; get the picture, or remove the file)",
    "--seeds list.txt": "none of its 1 name is an item of the pool: it has 'owl.png'",
    "--labels list.txt": "or name the column of items: `--item ...`",
    "--labels answers.csv": "its labels are perhaps (1). Say which of them is wanted: `--positive ...`",
    "--labels answers.csv --positive owl": "no label of the file is 'owl'",
    "--labels answers.csv --item file": "it has no column 'file'",
    "--seeds answers.csv": "line 2: the label 'perhaps' is not an answer",
    "--name cta.png": "no item is called 'cta.png'",
    "--labels nothing.csv": "nothing.csv is not here",
    "--seeds nothing.txt": "nothing.txt is not here",
    "--labels list.txt --every yes": "every = 'yes'; allowed: positive, negative, unsure",
    "--labels answers.csv --encoding utf-99": "not in the encoding 'utf-99'",
    "--positive cat": "--positive says how labels are read, and no file of labels is named: add `--labels FILE`",
    "--item row --label x": "--item and --label say how labels are read, and no file of labels is named",
    "--session other.sqlite": "other.sqlite",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with one picture, in the working folder; making its vectors fails the test."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cat.png").write_bytes(b"")
    Image.new("RGB", (8, 8)).save(tmp_path / "example.png")
    (tmp_path / "list.txt").write_text("owl.png\n")
    (tmp_path / "answers.csv").write_text("item,label\ncat.png,perhaps\n")

    def make(*arguments):
        raise AssertionError("vectors are made before the mistake is told")

    monkeypatch.setattr(own_folder, "_vectors", make)
    return tmp_path / "pictures"


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_before_vectors_are_made(folder, capsys, mistake):
    with sqlite3.connect(folder.parent / "other.sqlite") as other:
        other.execute("CREATE TABLE mine (n)")
    assert cli.main(["label", str(folder), "--no-browser", *mistake.split()]) == 1
    said = capsys.readouterr().err
    assert MISTAKES[mistake] in said
    assert said.count("\n") == 1


def test_a_folder_that_was_renamed_is_told_of_its_earlier_session(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, salt in (("old", 0), ("other", 100)):
        (tmp_path / name).mkdir()
        for i in range(20):
            (tmp_path / name / f"{i}.png").write_bytes(bytes([salt + i]))
    Pool.from_arrays(np.eye(20), [f"{i}.png" for i in range(20)]).save("pool")

    def opened(name):
        capsys.readouterr()
        job = own_folder.prepare(name, pool="pool", name="3.png")
        jobs.open_panel(job).close()
        return capsys.readouterr().out

    assert "session=" not in opened("old")
    (tmp_path / "text.sqlite").write_text("no database")
    (tmp_path / "old").rename(tmp_path / "new name")
    told = opened("new name")
    assert not list(tmp_path.glob("old-*.sqlite-*"))  # looked into, and nothing left beside it
    assert "holds 1 answer about the same items, then in " in told
    assert f"To go on with them: session='{next(tmp_path.glob('old-*.sqlite')).name}'" in told
    assert "session=" not in opened("new name")  # it has a session now
    told = opened("other")
    assert "session=" not in told  # the same names, other pictures
    assert (
        "1 file here ends in .sqlite and cannot be read; no earlier answers were looked for there: text.sqlite" in told
    )


DAMAGED = {
    "no database": lambda path: path.write_text("no database, and long enough for a header " * 9),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "no item": lambda path: _about(path, "[]"),
    "other kinds": lambda path: _about(path, '{"ids": "", "n": 1, "names": null, "contents": ["a"], "where": ""}'),
    "no JSON": lambda path: _about(path, "{"),
}


def _about(path, told):
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("INSERT OR REPLACE INTO meta VALUES ('about:me', ?)", (told,))


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_session_that_cannot_be_read_is_counted_when_earlier_ones_are_looked_for(tmp_path, damage):
    Session(tmp_path / "old.sqlite").close()
    sqlite3.connect(tmp_path / "of another program.sqlite").close()
    DAMAGED[damage](tmp_path / "old.sqlite")
    before = (tmp_path / "old.sqlite").read_bytes()
    (said,) = earlier_sessions(tmp_path, Texts([]))
    assert said.startswith("1 file here ends in .sqlite and cannot be read; no earlier answers")
    assert "old.sqlite (" in said
    assert (tmp_path / "old.sqlite").read_bytes() == before


def test_a_session_that_cannot_be_written_is_told_before_vectors_are_made(folder, capsys, monkeypatch):
    command = ["label", str(folder), "--no-browser", "--session"]
    sealed = folder.parent / "sealed.sqlite"
    Session(sealed).close()
    with monkeypatch.context() as system:
        system.setattr(session_file, "_writable", lambda path: False)
        assert cli.main([*command, str(sealed)]) == 1
    assert f"the session {sealed} can only be read here" in (said := capsys.readouterr().err)
    assert "Give a session file in a folder that you may write to (`--session ...`)." in said
    for nowhere in (sealed, folder.parent / "not mounted"):  # a file, and nothing
        assert cli.main([*command, str(nowhere / "a file.sqlite")]) == 1
        said = capsys.readouterr().err
        assert f"the folder {nowhere} of the session a file.sqlite is not here: a slip in the path, or a disk" in said
    assert not (folder.parent / "not mounted").exists()

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as system:
        system.setattr(os, "fsync", full)
        for name in ("new.sqlite", "sealed.sqlite"):
            assert cli.main([*command, str(folder.parent / name)]) == 1
            assert f"{name} cannot be written (No space left on device). Make room" in capsys.readouterr().err
    assert not (folder.parent / "new.sqlite").exists()


def test_so_it_is_in_a_notebook(folder):
    with pytest.raises(TypeError, match=r"no option 'bugdet'; allowed: labels, .* budget, .* encoder, pool, session"):
        own_folder.label_folder(folder, bugdet=100)


@pytest.mark.parametrize(
    ("option", "given", "said"),
    [
        ("folder", "", "folder is ''; give the path or the name of a folder of images"),
        ("folder", None, "folder is None; give"),
        ("name", 0, "name is 0; give"),
        ("name", [0], "name is 0; give"),
        ("like", Image.new("L", (8, 8)), "like is of type Image; give"),
        ("encoder", 5, "encoder is 5; give"),
        ("session", "", "session is ''; give"),
        ("session", 0, "session is 0; give"),
        ("text", "", "text is ''; give words"),
        ("text", 5, "text is 5; give words"),
        ("reading", "owl", "reading is 'owl'; give a dict of options"),
        ("strategy", "", "strategy '' is not known"),
        ("metric", "", "metric is ''; allowed"),
        ("page", 5, "page = 5; allowed: 12, 24"),
        ("text", " ", "text is ' '; give words"),
        ("strict", "yes", "strict = 'yes'; allowed: True or False"),
        ("strict", 1, "strict = 1; allowed: True or False"),
        ("audit", "yes", "audit = 'yes'; allowed: True or False"),
        ("pool", 5, "pool is 5; give the path or the name of the folder of a pool"),
        ("seeds", ["cat.png"], "seeds is of type list; .* write what is in memory into one first"),
        ("labels", pd.DataFrame({"item": ["cat.png"]}), r"labels is of type DataFrame; .*labels\.to_csv"),
    ],
)
def test_what_is_no_path_or_no_setting_is_named_in_a_sentence(folder, option, given, said):
    with pytest.raises(ValueError, match=said):
        own_folder.prepare(**({"folder": folder} | {option: given}))


def test_a_path_may_begin_at_one_s_own_folder(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    for given in (
        {"name": Path("cat.png")},
        {"name": "cat.png", "like": "~/example.png"},
        {"session": Path("~/s.sqlite")},
    ):
        with pytest.raises(AssertionError, match="vectors are made"):
            own_folder.prepare("~/pictures", **given)
    with pytest.raises(ValueError, match=r"no item is called '~cat\.png'"):
        own_folder.prepare("~/pictures", name="~cat.png")


def test_rows_are_those_of_the_vectors_which_nobody_knows_before_they_are_made(folder):
    (folder / "broken.png").write_bytes(b"")
    (folder.parent / "rows.csv").write_text("label\n1\n")
    with pytest.raises(AssertionError, match="vectors are made"):
        own_folder.prepare(folder, labels=folder.parent / "rows.csv", reading={"item": "row"})


def test_what_is_right_goes_on_to_the_vectors(folder):
    with pytest.raises(AssertionError, match="vectors are made"):
        own_folder.prepare(
            folder, name="*.png", like=folder.parent / "example.png", target=0.9, budget=50, strategy="harvest"
        )


LATE = {  # refused by what is there already, or not there, and not by the value alone
    "words for an encoder without": (
        {"text": "an owl", "encoder": "efficientnet-lite0"},
        "efficientnet-lite0 knows no wo",
    ),
    "words for two without": (
        {"text": "an owl", "encoder": ["dinov2-small", "vicreg"]},
        "dinov2-small and vicreg know no",
    ),
    "an encoder twice": ({"encoder": ["vicreg", "official:vicreg"]}, "official:vicreg is named twice"),
    "an audit of nothing": ({"audit": True}, "is not here: label first, then audit what was found"),
    "an audit without a find": ({"audit": True, "session": "begun.sqlite"}, "begun.sqlite holds no find yet"),
    "a budget for what has none": ({"budget": 9, "session": "begun.sqlite"}, "the strategy elsa has no budget"),
    "a slip in reading": (
        {"labels": "answers.csv", "reading": {"postive": "perhaps"}},
        "reading has 'postive', which is not known; allowed: positive, negative, unsure, item, label,",
    ),
}


@pytest.mark.parametrize("late", LATE)
def test_what_would_be_refused_after_the_vectors_is_refused_before(folder, late):
    """Vectors of many images take hours."""
    session = Session(folder.parent / "begun.sqlite")
    session.acquire()
    session.remark("strategy:me", '"elsa"')
    session.close()
    given, said = LATE[late]
    with pytest.raises((ValueError, MissingDataError), match=said):
        own_folder.prepare(folder, **given)


def test_nothing_given_is_the_same_as_no_name(folder):
    with pytest.raises(AssertionError, match="vectors are made"):
        own_folder.prepare(folder, name=None, like=None, text=None)


def test_a_strict_start_reads_the_broken_files_again(tmp_path, monkeypatch):
    """With vectors of the others there, `strict` did nothing."""
    (tmp_path / "pictures").mkdir()
    for broken in (0, 1):
        place = tmp_path / f"pool-{broken}"
        Pool.from_arrays(np.eye(3), provenance={"encoder": "vicreg", "broken": broken}).save(place)
        monkeypatch.setattr(own_folder, "find_pool", lambda *_, place=place: (place, "vicreg"))
        made = []
        monkeypatch.setattr(embed, "embed_embeddings", lambda *a, **k: made.append(k) or ([place], ["vicreg"]))  # noqa: B023
        for strict in (False, True):
            assert own_folder._vectors(tmp_path / "pictures", ["vicreg"], strict)[0] == place
        assert made == ([{"strict": True}] if broken else [])


def test_an_interrupted_cell_says_that_its_work_is_kept_and_how_it_goes_on(folder, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(own_folder, "_vectors", stop)
    with pytest.raises(KeyboardInterrupt, match="vectors that were made are kept: run the same cell again") as stopped:
        own_folder.label_folder(folder)
    assert stopped.value._render_traceback_() == [str(stopped.value)]  # what IPython shows in place of a traceback
