"""What goes out can be read by those it is for, and comes back in."""

import csv
import errno
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from ipywidgets import HTML
from pycocotools.coco import COCO

from elsa_nb import store, written_files
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.label import Files, Fixed, Panel, export, link_folder
from elsa_nb.label.export_kinds import KINDS, WORDS, kind_of
from elsa_nb.label.identity import note_names
from elsa_nb.label.import_labels import import_labels
from elsa_nb.label.items import RefusedError
from elsa_nb.label.session import Answer, Session
from elsa_nb.label.session_file import CLASS

LABELS = {"a/1.png": 1, "a/2.png": 0, 'b/<b>"3",.png': 1, "b/4.png": -1}


@pytest.fixture
def session(tmp_path):
    session = Session(tmp_path / "cats.sqlite", annotator="ann", code="c0de")
    session.acquire()
    for position, (item, label) in enumerate(LABELS.items()):
        session.write([Answer(item, -2, label, position=position, row=position, round=0, component="NN", score=None)])
    yield session
    session.close()


def test_csv_and_parquet_hold_the_same(session):
    file = export.export(session)
    assert file.name == "cats.csv"
    with file.open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert {line["item"]: line["label"] for line in lines} == {i: WORDS[n] for i, n in LABELS.items()}
    table = pq.read_table(export.export(session, file.with_suffix(".parquet"))).to_pylist()
    assert [r["item"] for r in table] == [line["item"] for line in lines]
    assert table[0]["score"] is None
    assert table[0]["annotator"] == "ann"


def read_by_pycocotools(path):
    """Return {file name: class} as pycocotools reads it."""
    coco = COCO(str(path))
    kinds = {c["id"]: c["name"] for c in coco.loadCats(coco.getCatIds())}
    return {
        coco.loadImgs(a["image_id"])[0]["file_name"]: kinds[a["category_id"]]
        for a in coco.loadAnns(coco.getAnnIds(iscrowd=False))
    }


def test_coco_is_read_back_by_its_program(session):
    path = export.export(session, kind="coco", label="cat")
    assert read_by_pycocotools(path) == {item: "cat" if n else "not cat" for item, n in LABELS.items() if n >= 0}


def read_as_fiftyone_does(path, data):
    """Return {file: class} as FiftyOneImageClassificationDatasetImporter of FiftyOne 1.22.1 did with both forms.

    It looks keys up among the files below `data`, named by their path without ending, or takes absolute paths.
    """
    value = json.loads(path.read_text())
    files = {str(p.relative_to(data).with_suffix("")): p for p in data.rglob("*") if p.is_file()}
    return {
        Path(key) if Path(key).is_absolute() else files[key]: value["classes"][i] for key, i in value["labels"].items()
    }


def test_fiftyone_finds_the_files(session, folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    expected = {folder / item: {1: "cat", 0: "not cat", -1: "unsure"}[n] for item, n in LABELS.items()}
    for images in (None, folder, folder.name):
        path = export.export(session, kind="fiftyone", label="cat", images=images)
        assert read_as_fiftyone_does(path, folder) == expected


def test_names_that_fiftyone_would_take_for_one_are_refused(session, folder):
    session.write([Answer("a/1.jpg", -2, 1, position=9)])
    with pytest.raises(ValueError, match=r"'a/1.png' and 'a/1.jpg' are the same name to FiftyOne.*images="):
        export.export(session, kind="fiftyone")
    export.export(session, kind="fiftyone", images=folder)


@pytest.mark.parametrize("name", [".hidden.png", "a/.b/c.png", "../c.png", "a\\b.png"])
def test_what_fiftyone_does_not_find_by_its_name_wants_the_folder(session, folder, name):
    """Found with the importer of FiftyOne 1.22.1: KeyError; by whole paths it reads them."""
    session.record([Answer(name, -2, 1)], "import")
    with pytest.raises(ValueError, match=r"hidden from FiftyOne.*images="):
        export.export(session, kind="fiftyone")
    export.export(session, kind="fiftyone", images=folder)


def test_label_studio_gets_tasks_that_its_serializer_takes(session):
    """Recorded with Label Studio 1.23: unknown e-mails in `completed_by` are refused, data must hold the picture."""
    tasks = json.loads(export.export(session, kind="label-studio", label="cat").read_text())
    assert [t["annotations"][0]["result"][0]["value"]["choices"] for t in tasks] == [
        [WORDS[n]] for n in LABELS.values()
    ]
    for task in tasks:
        assert set(task) == {"data", "annotations"}
        assert set(task["annotations"][0]) <= {"result", "lead_time"}
        assert set(task["annotations"][0]["result"][0]) == {"from_name", "to_name", "type", "value"}
        assert task["data"]["annotator"] == "ann"
        assert task["data"]["class"] == "cat"
    there = {"url": "/data/local-files/?d=photos/", "email": "ann@example.org"}
    task = json.loads(export.export(session, kind="label-studio", **there).read_text())[2]
    assert task["data"]["image"] == "/data/local-files/?d=photos/b/%3Cb%3E%223%22%2C.png"
    assert task["annotations"][0]["completed_by"] == {"email": "ann@example.org"}
    for url in ("https://example.org/photos", "/data/local-files/?d=photos", "/data/local-files/?d=", "s3://b/"):
        task = json.loads(export.export(session, kind="label-studio", url=url).read_text())[2]
        assert task["data"]["image"] == url + "/" * (url[-1] == "s") + "b/%3Cb%3E%223%22%2C.png"


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "images"
    for item in LABELS:
        (images / item).parent.mkdir(parents=True, exist_ok=True)
        (images / item).write_bytes(item.encode())
    return images


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
        (tmp_path / "store" / item).touch()
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


def test_finds_that_are_gone_are_said_and_rows_are_those_of_now(tmp_path):
    """A folder was renamed and a file removed: the pool has other rows, and the file more answers than the page."""
    session = Session(tmp_path / "s.sqlite")
    session.acquire()
    labels = {"a/1.png": 1, "a/2.png": 1, "b/1.png": 1, "b/2.png": 0, "b/3.png": -1}
    session.write([Answer(item, -2, label, position=at, row=at) for at, (item, label) in enumerate(labels.items())])
    before = export.export_and_tell(session, None, "csv")
    assert before.counts == "5 answers: 3 finds, 1 unsure"
    with before.path.open(newline="") as stream:
        assert [(line["row"], line["present"]) for line in csv.DictReader(stream)] == [(str(at), "") for at in range(5)]
    now = ["0.png", "b/1.png", "b/2.png", "b/3.png", "c/1.png"]
    note_names(session, now)
    done = export.export_and_tell(session, None, "csv")
    assert done.counts == "5 answers: 3 finds, 2 of them of items that are gone, 1 unsure"
    expected = {item: (now.index(item) if item in now else None, item in now) for item in labels}
    with done.path.open(newline="") as stream:
        lines = {line["item"]: (line["row"], line["present"]) for line in csv.DictReader(stream)}
    assert lines == {
        item: ("" if row is None else str(row), str(here).lower()) for item, (row, here) in expected.items()
    }
    rows = pq.read_table(export.export(session, tmp_path / "s.parquet")).to_pylist()
    assert {row["item"]: (row["row"], row["present"]) for row in rows} == expected
    session.close()


def test_the_items_of_now_are_those_of_who_worked_last(tmp_path):
    for name, ids in (("zoe", ["a", "b"]), ("ann", ["b"])):
        session = Session(tmp_path / "s.sqlite", annotator=name)
        note_names(session, ids)
        session.acquire()
        session.write([Answer("a", -2, 1, row=0), Answer("b", -2, 1, row=1)])
        session.close()
    reader = Session(tmp_path / "s.sqlite", to_read=True)
    rows = export.answer_rows(reader, None, "owl")
    assert [(row["item"], row["row"], row["present"]) for row in rows] == [("a", None, False), ("b", 0, True)] * 2
    reader.close()


def test_without_names_the_row_is_that_of_the_present_collection_or_none(tmp_path):
    """Of very large collections the names are not kept, and rows of an earlier state would lead to other items."""
    session = Session(tmp_path / "s.sqlite")
    session.acquire()
    session.write([Answer("a", -2, 1, row=0)])
    session.remark("carried:me", json.dumps({"items": ["a"], "after": session.mark()[0]}))
    session.write([Answer("b", -2, 1, row=7)])
    rows = export.answer_rows(session, None, "owl")
    assert [(row["row"], row["present"]) for row in rows] == [(None, None), (7, None)]
    session.close()


def test_an_item_written_otherwise_is_still_here(tmp_path):
    session = Session(tmp_path / "s.sqlite")
    session.record([Answer("A.JPG", -2, 1)], "answer")
    note_names(session, ["b.jpg", "a.jpg"])
    assert export.answer_rows(session, None, "owl")[0]["row"] == 1
    session.close()


def test_tables_of_before_and_of_now_are_read(session, tmp_path):
    note_names(session, [*LABELS])
    lines = export.export(session).read_text().splitlines()
    column = lines[0].split(",").index("present")
    with (tmp_path / "old.csv").open("w", newline="") as stream:
        rows = list(csv.reader(lines))
        csv.writer(stream).writerows([row[:column] + row[column + 1 :] for row in rows])
    for name in ("cats.csv", "old.csv"):
        fresh = Session(tmp_path / f"{name}.sqlite")
        import_labels(fresh, tmp_path / name, list(LABELS))
        assert fresh.known() == LABELS
        fresh.close()


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


@pytest.mark.parametrize("kind", ["coco", "fiftyone", "label-studio", "links", "copies"])
def test_a_folder_of_items_that_is_not_there_is_refused(session, tmp_path, kind):
    with pytest.raises(MissingDataError, match=r"nowhere is not a folder here"):
        export.export(session, kind=kind, images=tmp_path / "nowhere")
    assert not list(tmp_path.glob("cats*json"))


@pytest.mark.parametrize("email", ["nope", "", "@", "a@", "@b.org", "ann@example.org bob@example.org"])
def test_an_email_that_is_no_address_is_refused(session, tmp_path, email):
    with pytest.raises(ValueError, match=r"email is .*; give the address of an account"):
        export.export(session, kind="label-studio", email=email)
    assert not list(tmp_path.glob("cats*json"))


def everything(folder):
    """Return what is in a folder but the session: {path: where a link leads, the bytes of a file, None of a folder}."""
    found = [path for path in folder.rglob("*") if not path.name.startswith("cats.sqlite")]
    return {p: p.readlink() if p.is_symlink() else p.read_bytes() if p.is_file() else None for p in found}


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


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_that_was_named_on_the_page_is_named_in_every_export(session, folder, kind):
    session.remark(CLASS, "owl")
    finds = KINDS[kind].write is None
    images = folder if finds else None
    for label, name in ((None, "owl"), ("target", "target")):
        if not finds:
            written = export.export(session, kind=kind, label=label).read_bytes().decode(errors="replace")
            assert ("owl" in written, "target" in written) == (name == "owl", name == "target")
    assert export.export(session, kind=kind, images=images)


FOR_PROGRAMS = [kind for kind in KINDS if kind != "copies"]  # which are for people: no name leads back


@pytest.mark.parametrize("kind", FOR_PROGRAMS)
def test_what_went_out_comes_back_in(session, tmp_path, folder, kind):
    """Every kind is read back by our own reader, as far as it holds the answers."""
    holds = {"coco": {0, 1}, "links": {1}}.get(kind, {-1, 0, 1})
    expected = {item: n for item, n in LABELS.items() if n in holds}
    ids = ["new.png", *LABELS]
    for label, images in (("target", None), ("cat", folder)):
        told = {"csv": {"label": label}, "parquet": {"label": label}, "links": {"images": folder}}
        path = export.export(session, kind=kind, **told.get(kind, {"label": label, "images": images}))
        fresh = Session(tmp_path / f"{label}.sqlite")
        assert import_labels(fresh, path, ids).new == len(expected)
        assert fresh.known() == expected
        fresh.close()


def test_a_spreadsheet_computes_nothing(tmp_path):
    items = {'=HYPERLINK("x")': 1, "+1.png": 0, "-2.png": 1, "@SUM(A1).png": 0, "\ttab.png": 1, "'=mine.png": 0}
    session = Session(tmp_path / "s.sqlite", annotator="=ann")
    session.acquire()
    for position, (item, label) in enumerate(items.items()):
        session.write([Answer(item, -2, label, position=position, row=position, score=-0.5)])
    with export.export(session).open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert not [
        cell for line in lines for name, cell in line.items() if name != "score" and cell[:1] in tuple("=+-@\t")
    ]
    assert lines[0]["score"] == "-0.5"
    fresh = Session(tmp_path / "fresh.sqlite")
    found = import_labels(fresh, tmp_path / "s.csv", list(items))
    assert fresh.known() == items
    assert list(found.file.given) == ["=ann"]
    session.close()
    fresh.close()


def test_annotators_are_told_apart(session, tmp_path):
    bob = Session(session.path, annotator="bob")
    bob.acquire()
    bob.write([Answer("a/1.png", -2, 0, position=0)])
    with export.export(session).open(newline="") as stream:
        assert {line["annotator"] for line in csv.DictReader(stream)} == {"ann", "bob"}
    labels = json.loads(export.export(bob, kind="fiftyone", label="cat").read_text())["labels"]
    assert labels == {"a/1": 1}
    for kind in ("coco", "fiftyone", "label-studio"):
        ours, theirs = export.export(session, kind=kind), export.export(session, kind=kind, annotator="bob")
        assert [ours.name.split(".")[1], theirs.name.split(".")[1]] == ["ann", "bob"]
    with pytest.raises(ValueError, match="no answers by 'eve'; its annotators: ann, bob"):
        export.export(session, kind="coco", annotator="eve")
    eve = Session(session.path, annotator="eve")  # by default one's own answers, of which there are none
    with pytest.raises(ValueError, match="no answers by 'eve'"):
        export.export(eve, kind="coco")
    eve.close()
    bob.close()


# Items that a format, a spreadsheet or a reader of paths could take for one another, or for something else.
ODD = {
    "spaces": [" a.png", "a.png", "a .png", "my cats/a  b.png"],
    "accents": ["V\u00f6gel/\u732b.png", "Vo\u0308gel/\u732b.png"],
    "marks": ["=1+1.png", "'=2+1.png", "''=3+1.png", "+1", "-", "'a'.png", 'b"c;d,e.png'],
    "addresses": ["a b.png", "a%20b.png", "100%.png", "a?d=c.png", "a#b.png"],
    "slashes": ["a\\b.png", "a/b.png", "./c.png", "/".join("deep" * 20) + "/d.png"],
    "endings": ["a/x.tar.gz", "a/y", "..z.png", "A/x.png", "a/x.png"],
    "numbers": ["7", "007", "nan", "true", "item"],
    "lines": ["a\nb.png", "c\u2028d.png"],
}


@pytest.mark.parametrize("kind", FOR_PROGRAMS)
@pytest.mark.parametrize("odd", ODD)
def test_every_item_comes_back_under_its_own_name(tmp_path, odd, kind):
    ids = ODD[odd]
    labels = {item: 1 if kind == "links" else (row + 1) % 2 for row, item in enumerate(ids)}
    with_folder = kind in ("coco", "fiftyone", "label-studio", "links")
    if with_folder:
        (tmp_path / "im").mkdir()
    if kind == "links":
        for item in ids:
            (tmp_path / "im" / item).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "im" / item).touch()
    session, fresh = Session(tmp_path / "s.sqlite"), Session(tmp_path / "fresh.sqlite")
    session.record([Answer(item, -2, label) for item, label in labels.items()], "import")
    path = export.export(session, kind=kind, images=tmp_path / "im" if with_folder else None)
    assert import_labels(fresh, path, ids).new == len(ids)
    assert fresh.known() == labels
    session.close()
    fresh.close()


def test_paths_without_endings_come_back(session, tmp_path):
    ids = ["a%20b.png", "a b.png", "c .png", "c.png", "V\u00f6.png", "Vo\u0308.png", "z..png"]
    session = Session(tmp_path / "s.sqlite")
    session.record([Answer(item, -2, row % 2) for row, item in enumerate(ids)], "import")
    fresh = Session(tmp_path / "fresh.sqlite")
    import_labels(fresh, export.export(session, kind="fiftyone"), ids)
    assert fresh.known() == {item: row % 2 for row, item in enumerate(ids)}
    session.close()
    fresh.close()


@pytest.mark.parametrize(
    "label", ["K\u00e4fer, rot", 'a "b"', "=1+1", "not cat", "positive", "negative", "1", "no", "a/b\nc"]
)
@pytest.mark.parametrize("kind", ["coco", "fiftyone", "label-studio"])
def test_a_class_may_have_any_name(session, tmp_path, kind, label):
    fresh = Session(tmp_path / "fresh.sqlite")
    import_labels(fresh, export.export(session, kind=kind, label=label), list(LABELS))
    assert fresh.known() == {item: n for item, n in LABELS.items() if n >= 0 or kind != "coco"}
    fresh.close()


@pytest.mark.parametrize("label", ["", " ", "unsure", "Unsure", "nan", "None"])
def test_a_name_that_says_something_else_is_no_class(session, label):
    with pytest.raises(ValueError, match="name it otherwise"):
        export.export(session, kind="fiftyone", label=label)


def test_an_export_replaces_no_answers_and_no_folder(session, tmp_path):
    """The file of another session, or its own, holds answers that are nowhere else."""
    before = session.path.read_bytes()
    for kind in ("csv", "parquet", "coco"):
        with pytest.raises(ValueError, match=r"cats.sqlite is a database, such as a session with its answers"):
            export.export(session, session.path, kind)
        with pytest.raises(ValueError, match="is a folder; give the name of a file"):
            export.export(session, tmp_path, kind)
    assert session.path.read_bytes() == before


THEIRS = {
    "csv": "item,label,observer\na,owl,me\n",
    "parquet": "PAR1 of somebody else",
    "coco": '{"images": [], "annotations": [], "categories": []}',
    "fiftyone": '{"classes": ["owl"], "labels": {}}',
    "label-studio": '[{"data": {"image": "a.jpg"}, "annotations": []}]',
}


# Of other programs and people, in the very shapes that an export has, too.
ALIKE = [
    '{"classes": ["owl", "unsure"], "labels": {"a": 1}}',
    '{"info": {"description": "image labels for birds of Kenya"}, "annotations": [{"bbox": [1, 2, 3, 4]}]}',
    '[{"data": {"image": "a", "class": "owl", "component": "NN", "score": 0.5}, "annotations": []}]',
    "item,label,annotator,time,round,component,score,seconds,row,code,class\na,positive,me,,,,,,,,owl\n",
    "[]",
]
ODD_BYTES = ["[]x", "\udcff", "null", "[" * 100_000]


@pytest.mark.parametrize("kind", THEIRS)
@pytest.mark.parametrize("theirs", [*THEIRS.values(), *ALIKE, *ODD_BYTES])
def test_an_export_replaces_an_export_and_nothing_else(session, tmp_path, kind, theirs):
    file = tmp_path / "answers.table"
    file.write_bytes(theirs.encode(errors="surrogateescape"))
    before = file.read_bytes()
    with pytest.raises(ValueError, match=r"answers.table is there already and does not hold what an export wrote"):
        export.export(session, file, kind)
    assert file.read_bytes() == before
    export.export(session, file, kind, replace=True)
    once = file.read_bytes()
    session.write([Answer("a/2.png", 0, 1, position=1)])
    export.export(session, file, kind)  # its own, again
    assert file.read_bytes() != once


@pytest.mark.parametrize("kind", THEIRS)
def test_an_export_that_somebody_corrected_stays(session, kind):
    """One label, a line more, a column more: the shape is still that of an export, and the work is somebody's."""
    file = export.export(session, kind=kind)
    for other in (
        file.read_bytes().replace(b"negative", b"positive"),
        file.read_bytes() + b"\n",
        file.read_bytes().replace(b"\n", b",checked by Ann\n"),
    ):
        if other == file.read_bytes():
            continue
        file.write_bytes(other)
        with pytest.raises(ValueError, match=r"was changed since. It was left as it is. Give another name, or replace"):
            export.export(session, file, kind)
        assert file.read_bytes() == other
        beside = export.export(session, kind=kind)
        assert "-answers." in beside.name
        assert file.read_bytes() == other
        export.export(session, file, kind, replace=True)


def test_an_export_of_another_session_and_of_one_that_is_only_read_is_replaced(session, tmp_path):
    file = export.export(session, tmp_path / "answers.csv")
    session.write([Answer("a/2.png", 0, 1, position=1)])
    only_read = Session(session.path, annotator="ann", to_read=True)
    for _ in range(2):
        export.export(only_read, file)
    only_read.close()
    fresh = Session(tmp_path / "fresh.sqlite")
    fresh.record([Answer("z.png", -2, 1)], "import")
    assert "z.png" in export.export(fresh, file).read_text()
    fresh.close()


def test_the_same_answers_may_be_written_again_where_the_list_is_lost(session, tmp_path):
    """A folder that was copied without its hidden files: an unchanged export loses nothing, any other is not known."""
    file = export.export(session)
    (tmp_path / written_files.LIST_OF_EXPORTS).unlink()
    assert export.export(session) == file
    (tmp_path / written_files.LIST_OF_EXPORTS).unlink()
    session.write([Answer("a/2.png", 0, 1, position=1)])
    with pytest.raises(ValueError, match="it comes from elsewhere, from an earlier version, or was changed since"):
        export.export(session, file)


@pytest.mark.parametrize("kind", THEIRS)
def test_a_killed_export_leaves_a_file_that_the_next_one_replaces(session, kind, monkeypatch):
    file = export.export(session, kind=kind)
    before = file.read_bytes()
    session.write([Answer("a/2.png", 0, 1, position=1)])

    real = store.write_atomically

    def killed(path, data):
        if path == file:
            raise KeyboardInterrupt
        real(path, data)

    with monkeypatch.context() as at_work:
        at_work.setattr(store, "write_atomically", killed)
        with pytest.raises(KeyboardInterrupt):
            export.export(session, kind=kind)
    assert file.read_bytes() == before
    assert export.export(session, kind=kind) == file
    assert file.read_bytes() != before


@pytest.mark.parametrize("text", ["", "[", "[]", "null", '{"a": 1}', "\udcff"])
def test_a_damaged_list_of_exports_is_a_sentence(session, tmp_path, text):
    file = export.export(session)
    (tmp_path / written_files.LIST_OF_EXPORTS).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(CorruptFileError, match=r"exports.json is not a list of exports .*Delete it"):
        export.export(session, file)


def test_the_table_that_labels_came_from_stays_though_it_has_the_default_name(session, tmp_path):
    (tmp_path / "cats.csv").write_text(THEIRS["csv"])
    assert export.export(session).name == "cats-answers.csv"
    assert export.export(session).name == "cats-answers.csv"  # its own, again
    assert (tmp_path / "cats.csv").read_text() == THEIRS["csv"]
    (tmp_path / "cats-answers.csv").write_text(THEIRS["csv"])
    with pytest.raises(ValueError, match=r"cats-answers.csv is there already"):
        export.export(session)


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
        (images / item).touch()
    links = export.export(session, kind="links", images=images)
    assert sorted(link.readlink().name for link in links.iterdir()) == sorted(names)
    session.close()


def test_unknown_kinds_are_named(session):
    with pytest.raises(ValueError, match="csv, parquet, coco"):
        export.export(session, kind="xlsx")


@pytest.mark.parametrize("kind", ["links", "fiftyone"])
def test_the_buttons_of_kinds_that_need_the_folder_work(session, folder, kind):
    panel = Panel(Fixed(len(LABELS), range(len(LABELS))), Files(folder, list(LABELS)), session)
    try:
        path = panel.export(kind=kind)
    finally:
        panel.close()
    fresh = Session(folder.parent / "fresh.sqlite")
    assert import_labels(fresh, path, list(LABELS)).new == (2 if kind == "links" else len(LABELS))
    fresh.close()


@pytest.mark.parametrize("kind", KINDS)
def test_the_ending_of_a_file_says_its_kind(kind):
    assert kind_of(f"my finds/CATS{KINDS[kind].ending.upper()}") == kind


@pytest.mark.parametrize("name", ["cats.json", "cats.txt", "cats", "csv"])
def test_an_ending_that_says_nothing_is_refused_before_anything_is_written(session, tmp_path, name):
    with pytest.raises(ValueError, match="name the kind: one of csv"):
        export.export(session, tmp_path / name)
    assert not (tmp_path / name).exists()
