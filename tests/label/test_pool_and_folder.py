"""A pool and a folder that differ: what a person is told, on screen and page, before anything is labelled."""

import os
from pathlib import Path

import numpy as np
import pytest

from elsa_nb import own_folder
from elsa_nb.errors import MissingDataError
from elsa_nb.images.sources.left_out import LIST, LeftOut, write_list
from elsa_nb.label import jobs
from elsa_nb.label.pool_and_folder import LOOKED_UP, compare_ids
from elsa_nb.label.session import Session
from elsa_nb.pool import Pool


@pytest.fixture
def opened(tmp_path, monkeypatch, capsys):
    """Return a function that opens the panel of a folder with `files` and a pool of `ids`: what both say, and how."""
    monkeypatch.chdir(tmp_path)

    def make(ids, files, *, encoder="dinov2-small"):
        for name in files:
            path = Path("imgs", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        vectors = np.random.default_rng(0).normal(size=(len(ids), 4)).astype(np.float32)
        Pool.from_arrays(vectors, ids, provenance={"encoder": encoder} if encoder else {}).save("vectors")
        capsys.readouterr()
        panel = jobs.open_panel(own_folder.prepare("imgs", pool="vectors", session="s.sqlite"))
        messages = []
        panel.widget.send = lambda content, *_: messages.append(content)
        panel.widget._on_hello("a window", {})
        (page,) = [each["remark"] for each in messages if each["kind"] == "snapshot"]
        panel.close()
        return " ".join(capsys.readouterr().out.split("\n")).strip(), page

    Path("imgs").mkdir()
    return make


def names(count):
    return [f"{i:03d}.jpg" for i in range(count)]


NO_VECTORS = "Of the 600 pictures in imgs, 30 have vectors in the pool vectors; 570 cannot be found, such as "


@pytest.mark.parametrize(
    ("ids", "files", "told", "untold"),
    [
        (names(30), names(600), [NO_VECTORS, "Leave pool out to search all pictures"], "no file"),
        (
            names(600),
            names(60),
            ["Of the 600 items of the pool vectors, 540 are not files in imgs, such as 060.jpg", "counts as asked"],
            "cannot be found",
        ),
        (names(600), names(600)[50:], ["50 are not files in imgs"], "cannot be found"),  # the first ones are gone
    ],
)
def test_what_a_pool_and_a_folder_do_not_share_is_said_on_screen_and_page(opened, ids, files, told, untold):
    said, page = opened(ids, files)
    assert said == page
    for each in told:
        assert each in page
    assert untold not in page


def test_one_match_is_enough_and_none_is_refused(opened, tmp_path):
    assert "599 are not files" in opened(names(600), ["433.jpg"])[1]
    (tmp_path / "imgs/433.jpg").rename(tmp_path / "imgs/else.jpg")
    with pytest.raises(
        MissingDataError, match=r"The pool vectors is not about imgs: .* none of its 600 items is a file"
    ):
        opened(names(600), [])


def test_both_differences_are_told_and_the_cure_once(opened):
    _, page = opened(["a.jpg", "b.jpg", "c.jpg"], ["a.jpg", "d.jpg", "sub/e.png"], encoder=None)
    assert "Of the 3 pictures in imgs, 1 has vectors in the pool vectors; 2 cannot be found, such as d.jpg" in page
    assert "Of the 3 items of the pool vectors, 2 are not files in imgs, such as b.jpg" in page
    assert page.count("elsa-nb pool make VECTORS --ids NAMES") == 1
    assert "Leave pool out" not in page  # it would bring vectors of another kind


def test_where_both_agree_nothing_is_said(opened):
    others = [".hidden.jpg", ".cache/a.jpg", "notes.txt", "Thumbs.db", "._a.jpg", "@eaDir/a.jpg", "sound.wav"]
    assert opened(["a.jpg", "sub/b.PNG", "sub/deep/c.tif"], ["a.jpg", "sub/b.PNG", "sub/deep/c.tif", *others]) == (
        "",
        "",
    )


@pytest.mark.parametrize("ids", [["a.txt", "sub/b.md"], ["a.wav", "b.mp3"], ["a", "b"], ["./a.jpg", "sub//b.jpg"]])
def test_texts_sounds_and_names_written_otherwise_are_files_too(opened, ids):
    assert opened(ids, ids)[1] == ""


def test_a_text_without_vectors_is_missed_and_a_picture_beside_texts_is_not(opened):
    _, page = opened(["a.txt"], ["a.txt", "b.txt", "c.jpg"], encoder=None)
    assert "Of the 2 files in imgs, 1 has vectors in the pool vectors; 1 cannot be found, such as b.txt" in page
    assert "pool make" in page


def test_hidden_files_of_the_pool_are_there(opened):
    assert opened([".a.jpg", ".b/c.jpg", "d.jpg"], [".a.jpg", ".b/c.jpg", "d.jpg"]) == ("", "")


def test_a_name_that_is_not_utf_8_is_the_item_of_its_escaped_name(opened, tmp_path):
    try:
        (tmp_path / "imgs" / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"")
    except OSError:
        pytest.skip("this disk takes no such names")
    assert opened(["caf\\xe9.jpg", "b.jpg"], ["b.jpg"]) == ("", "")


def test_pictures_that_were_left_out_when_the_vectors_were_made_are_not_missed(opened, tmp_path):
    opened(["a.jpg", "b.jpg"], ["a.jpg", "b.jpg", "broken.jpg"])
    write_list(tmp_path / "vectors" / LIST, [LeftOut("broken.jpg", "broken")])
    assert own_folder._differences(Path("imgs"), Path("vectors")) == []


def test_links_are_files_and_those_to_nothing_are_not(opened, tmp_path):
    (tmp_path / "elsewhere.jpg").write_bytes(b"")
    (tmp_path / "imgs/link.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    (tmp_path / "imgs/dead.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert "1 is not a file in imgs, such as dead.jpg" in opened(["link.jpg", "dead.jpg"], [])[1]


@pytest.mark.parametrize("ids", [["0", "1"], ["x" * 5000, "y"], ["a\0b", ".."], ["an abstract. Of two sentences", "b"]])
def test_a_folder_is_not_listed_for_ids_that_are_no_files(tmp_path, ids):
    def files():
        raise AssertionError("listed")

    with pytest.raises(MissingDataError, match="with the names of the files: `elsa-nb pool make VECTORS --ids NAMES`"):
        compare_ids(tmp_path, tmp_path / "pool", ids, files)


def test_whole_paths_as_ids_are_refused_with_the_cure(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")  # a card would show it by no such name
    with pytest.raises(MissingDataError, match="with the names of the files"):
        compare_ids(tmp_path, tmp_path / "pool", [str(tmp_path / "a.jpg")], lambda: ["a.jpg"])


def test_ids_are_not_looked_up_one_by_one(tmp_path, monkeypatch):
    looked = []
    isfile = os.path.isfile
    monkeypatch.setattr(
        "elsa_nb.label.pool_and_folder.os.path.isfile", lambda path: looked.append(path) or isfile(path)
    )
    ids = [f"{i}.jpg" for i in range(50_000)]
    assert len(compare_ids(tmp_path, tmp_path / "pool", ids, lambda: ids[:40_000]).gone) == 10_000
    assert len(looked) <= LOOKED_UP


def test_a_remark_stays_until_it_is_dismissed_and_is_in_the_summary(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("imgs").mkdir()
    for name in names(4):
        Path("imgs", name).write_bytes(b"")
    Pool.from_arrays(np.eye(4), names(4), provenance={"encoder": "dinov2-small"}).save("vectors")
    Path("vectors", "remarks.txt").write_text("One flat grey: a.tif.\n")

    def opened(acts):
        panel = jobs.open_panel(own_folder.prepare("imgs", pool="vectors", session="s.sqlite"))
        told = []
        panel.widget.send = lambda content, *_: told.append(content)
        for act in ("take", *acts, "sync"):
            panel.widget.hear({"kind": act, "nonce": "a window", "client": "me"})
        panel.close()
        return [each["remark"] for each in told if each["kind"] == "snapshot"][-1]

    assert opened([]) == opened([]) == "One flat grey: a.tif."
    assert opened(["dismiss", "dismiss"]) == opened([]) == ""
    Path("vectors", "left-out.csv").write_text("path,reason\nb.txt,no picture\n")
    assert "1 file is left out; " in opened([])  # something else is to be said
    with Session("s.sqlite") as session:
        assert "One flat grey: a.tif. 1 file is left out" in session.meta("said:me")
