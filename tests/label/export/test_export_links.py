"""Folders of links to the finds, and of copies, lead to them, and replace nothing but their like."""

import errno
from pathlib import Path

import pytest
from four_answers import LABELS, everything
from ipywidgets import HTML

from elsa_nb.errors import MissingDataError
from elsa_nb.label import Files, Fixed, Panel, export, link_folder
from elsa_nb.label.answers import Answer
from elsa_nb.label.items import RefusedError
from elsa_nb.label.session import Session


def test_links_lead_to_the_positives_and_are_made_anew(session, tmp_path, folder):
    images = folder
    for _ in range(2):
        links = export.export(session, kind="links", images=images)
        assert sorted(str(p.readlink()) for p in links.iterdir()) == sorted(
            str(images / item) for item, n in LABELS.items() if n == 1
        )


def test_a_folder_that_no_export_made_is_never_replaced(session, tmp_path, folder):
    """Somebody's own links, too, though they were called as an export calls them; and what a link leads to."""
    links = export.export(session, kind="links", images=folder)
    theirs = {"text": {}, "own": {"cat.png": "a/1.png"}, "alike": {"00001-1.png": "a/1.png"}}
    for name, inside in theirs.items():
        (tmp_path / name).mkdir()
        for link, to in inside.items():
            (tmp_path / name / link).symlink_to(folder / to)
    (tmp_path / "text" / "mine.txt").write_text("keep me")
    for name, to in (("link", links), ("nowhere", "gone")):
        (tmp_path / name).symlink_to(to)
    before = everything(tmp_path)
    for name in (*theirs, "link", "nowhere"):
        for replace in (False, True):
            with pytest.raises(ValueError, match=rf"{name} is there already and is not a folder of links as an exp"):
                export.export(session, tmp_path / name, "links", images=folder, replace=replace)
    assert everything(tmp_path) == before
    (tmp_path / "empty").mkdir()
    assert led_to(export.export(session, tmp_path / "empty", "links", images=folder)) == led_to(links)


def test_a_folder_of_links_that_was_changed_is_replaced_only_where_that_is_said(session, folder):
    links = export.export(session, kind="links", images=folder)
    made = led_to(links)
    next(links.iterdir()).unlink()  # not a find after all
    with pytest.raises(ValueError, match=r"links was changed since an export made it; it was left .*replace=True"):
        export.export(session, kind="links", images=folder)
    assert len(led_to(links)) == 1
    assert led_to(export.export(session, kind="links", images=folder, replace=True)) == made
    (links / "my notes.txt").write_text("keep me")
    with pytest.raises(ValueError, match="is not a folder of links as an export leaves it"):
        export.export(session, kind="links", images=folder, replace=True)
    assert (links / "my notes.txt").read_text() == "keep me"


@pytest.mark.parametrize("where", [".", "links", "a/links", ".."])
def test_links_are_not_made_where_the_pictures_are(session, tmp_path, where):
    """The pictures may be links themselves, which a folder of links would be taken for."""
    for item in LABELS:
        (tmp_path / "store" / item).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "store" / item).write_bytes(b"x")
        (tmp_path / "in" / "imgs" / item).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / "imgs" / item).symlink_to(tmp_path / "store" / item)
    (tmp_path / "other").symlink_to("in/imgs")
    before = everything(tmp_path)
    for images in (tmp_path / "in" / "imgs", tmp_path / "other"):
        for replace in (False, True):
            with pytest.raises(ValueError, match=r"is, holds or lies in .*; give a name outside that folder"):
                export.export(session, tmp_path / "in/imgs" / where, "links", images=images, replace=replace)
    assert everything(tmp_path) == before


def test_what_lies_where_links_are_made_at_first_stays(session, tmp_path, folder):
    for name in (".cats-links.new", ".cats-links.before"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").symlink_to(folder)
        with pytest.raises(ValueError, match=rf"{name} is there already and is not what an export left"):
            export.export(session, kind="links", images=folder)
        assert (tmp_path / name / "mine").is_symlink()
        (tmp_path / name / "mine").unlink()
        (tmp_path / name).rmdir()


def test_a_folder_of_links_has_the_mode_that_a_new_folder_has_and_keeps_its_own(session, tmp_path, folder):
    links = export.export(session, kind="links", images=folder)
    (tmp_path / "new").mkdir()
    assert links.stat().st_mode == (tmp_path / "new").stat().st_mode
    links.chmod(0o700)
    export.export(session, kind="links", images=folder)
    assert links.stat().st_mode & 0o777 == 0o700


def copied(folder):
    return sorted(path.read_bytes() for path in folder.iterdir())


def test_copies_are_files_of_their_own_named_as_links_are(session, folder):
    links = export.export(session, kind="links", images=folder)
    copies = export.export(session, kind="copies", images=folder)
    assert copies.name == "cats-copies"
    assert sorted(path.name for path in copies.iterdir()) == sorted(path.name for path in links.iterdir())
    assert not any(path.is_symlink() for path in copies.iterdir())
    assert copied(copies) == sorted(item.encode() for item, n in LABELS.items() if n == 1)
    session.write([Answer("a/2.png", 0, 1, position=1)])
    assert len(copied(export.export(session, kind="copies", images=folder))) == 3  # its own, again
    (folder / "a" / "1.png").unlink()
    with pytest.warns(UserWarning, match="1 of the 3 finds is gone and was left out"):
        export.export(session, kind="copies", images=folder)
    assert len(copied(copies)) == 2


def test_copies_that_were_changed_are_replaced_only_where_that_is_said(session, folder):
    copies = export.export(session, kind="copies", images=folder)
    made = copied(copies)
    retouched = next(copies.iterdir())
    retouched.write_bytes(b"retouched")
    with pytest.raises(ValueError, match=r"copies was changed since an export made it; it was left .*replace=True"):
        export.export(session, kind="copies", images=folder)
    assert retouched.read_bytes() == b"retouched"
    export.export(session, kind="copies", images=folder, replace=True)
    assert copied(copies) == made
    links = export.export(session, kind="links", images=folder)
    (links / "00009-mine.png").write_bytes(b"mine")
    with pytest.raises(ValueError, match="is not a folder of links as an export leaves it"):
        export.export(session, kind="links", images=folder, replace=True)


def test_a_full_disk_leaves_no_copies_half_written(session, tmp_path, folder, monkeypatch):
    copies = export.export(session, kind="copies", images=folder)
    before = everything(tmp_path)
    session.write([Answer("a/2.png", 0, 1, position=1)])

    def full(source, copy, size):
        copy.write(b"half")
        if source.name.endswith("2.png"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as at_work:
        at_work.setattr(link_folder.shutil, "copyfileobj", full)
        with pytest.raises(OSError, match="No space left") as error:
            export.export(session, kind="copies", images=folder)
    assert error.value.filename == str(copies)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("step", range(3))
def test_an_export_that_is_killed_leaves_a_folder_of_links(session, tmp_path, folder, monkeypatch, step):
    """Killed at each rename, and where the earlier folder is removed: that, or the new one, is there or is put back."""
    links = export.export(session, kind="links", images=folder)
    before = led_to(links)
    (kept := tmp_path / "copy").mkdir()
    session.write([Answer("a/2.png", 0, 1, position=1)])
    real, removed, done = Path.rename, link_folder.shutil.rmtree, []

    class Killed(BaseException):
        pass

    def rename(path, to):
        done.append(path)
        if len(done) == step + 1:
            raise Killed
        return real(path, to)

    def rmtree(path, ignore_errors=False):
        if step == 2 or len(done) == step + 1:  # a killed process tidies nothing up
            raise Killed
        removed(path, ignore_errors)

    with monkeypatch.context() as at_work:
        at_work.setattr(Path, "rename", rename)
        at_work.setattr(link_folder.shutil, "rmtree", rmtree)
        with pytest.raises(Killed):
            export.export(session, kind="links", images=folder)
    there = [place for place in tmp_path.iterdir() if place.is_dir() and before <= led_to(place)]
    assert there
    with pytest.raises(MissingDataError):  # a next one that fails leaves the folder in its place all the same
        export.export(session, kind="links", images=kept)
    assert before <= led_to(links)
    assert len(led_to(export.export(session, kind="links", images=folder))) == 3
    assert {p.name for p in tmp_path.iterdir() if p.is_dir()} == {"copy", "images", links.name}
    assert not list(tmp_path.glob(".*lock*"))


def led_to(folder):
    return {path.readlink() for path in folder.iterdir() if path.is_symlink()}


def test_links_to_pictures_that_are_gone_are_told_in_a_notebook_too(tmp_path, folder, recwarn):
    panel = Panel(Fixed(4, range(4)), Files(folder, list(LABELS)), tmp_path / "s.sqlite", page=12)
    panel.controller.handle([{"op": "set", "at": at, "v": 1} for at in (0, 1)])
    panel.export(kind="links")
    assert not [warning for warning in recwarn if issubclass(warning.category, UserWarning)]  # old packages have others
    (folder / "a" / "2.png").unlink()
    told = "1 of the 2 finds is gone and was left out, such as a/2.png"
    with pytest.warns(UserWarning, match=told):
        panel.export(kind="links")
    with pytest.warns(UserWarning, match=told) as warned:
        export.export(panel.session, kind="links", images=folder)
    assert warned[0].filename == __file__  # who asked for it
    message = HTML()
    panel._export_beside("links", message)
    assert told in message.value
    assert "2 answers: 2 finds" in message.value
    panel.close()


def test_links_of_a_folder_of_links_lead_to_the_pictures(session, tmp_path):
    session.write([Answer("cat.jpg", -2, 1, position=9)])
    (tmp_path / "store").write_bytes(b"a picture")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "cat.jpg").symlink_to(tmp_path / "store")
    with pytest.warns(UserWarning, match="2 of the 3 finds are gone and were left out"):
        out = export.export(session, tmp_path / "out", "links", images=tmp_path / "images")
    assert (next(out.glob("*-cat.jpg"))).read_bytes() == b"a picture"


def test_links_never_lead_out(session, tmp_path):
    session.write([Answer("../secret", -2, 1, position=9)])
    images = tmp_path / "images"
    images.mkdir()
    with pytest.raises(RefusedError):
        export.export(session, kind="links", images=images)
    assert not [p for p in tmp_path.iterdir() if "links" in p.name]


def test_links_want_a_folder_that_is_there(session, tmp_path):
    with pytest.raises(MissingDataError, match=r"nowhere is not a folder here"):
        export.export(session, kind="links", images=tmp_path / "nowhere")
    (tmp_path / "another").mkdir()
    with pytest.raises(MissingDataError, match=r"none of the \d finds is in .*another; name the folder of the items"):
        export.export(session, kind="links", images=tmp_path / "another")
    assert not list(tmp_path.glob("*links*"))


def test_a_link_may_have_a_name_as_long_as_a_file(tmp_path):
    images = tmp_path / "im"
    images.mkdir()
    names = ["\u00fc" * 124 + ".png", "x" * 251 + ".png"]
    session = Session(tmp_path / "s.sqlite")
    session.record([Answer(item, -2, 1) for item in names], "import")
    for item in names:
        (images / item).write_bytes(b"x")
    links = export.export(session, kind="links", images=images)
    assert sorted(link.readlink().name for link in links.iterdir()) == sorted(names)
    session.close()


def test_finds_that_are_gone_and_those_that_cannot_be_read_are_counted_by_one_rule(tmp_path):
    names = [f"{n}.png" for n in range(6)]
    for name in names:
        (tmp_path / "images" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "images" / name).write_bytes(b"a picture")
    panel = Panel(Fixed(6, range(6)), Files(tmp_path / "images", names), tmp_path / "s.sqlite", page=12)
    panel.controller.handle([{"op": "set", "at": at, "v": 1} for at in range(6)])
    panel.close()
    for name in names[:2]:
        (tmp_path / "images" / name).unlink()
    (tmp_path / "images" / names[2]).write_bytes(b"")
    with Session(tmp_path / "s.sqlite", to_read=True) as session:
        for kind in ("links", "copies"):  # the session knows the folder
            done = export.export_and_tell(session, None, kind)
            assert len(list(done.path.iterdir())) == 3
            assert done.counts == "6 answers: 6 finds, 2 of them of items that are gone"
            assert done.remark == (
                "2 of the 6 finds are gone and were left out, such as 0.png. "
                "1 find's file cannot be read now and was left out, such as 2.png (empty)"
            )
        (tmp_path / "images").rename(tmp_path / "elsewhere")
        with pytest.raises(MissingDataError, match="images is not a folder here; name the one that holds the items"):
            export.export_and_tell(session, None, "links")
