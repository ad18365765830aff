"""What goes out can be read by those it is for, and comes back in."""

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pycocotools.coco import COCO

from elsa_nb.label import Files, Fixed, Panel, export
from elsa_nb.label.import_labels import import_labels
from elsa_nb.label.items import RefusedError
from elsa_nb.label.session import Answer, Session

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
    assert {line["item"]: line["label"] for line in lines} == {i: export.WORDS[n] for i, n in LABELS.items()}
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
    with pytest.raises(ValueError, match=r"'a/1.png' and 'a/1.jpg' are one name to FiftyOne.*--images"):
        export.export(session, kind="fiftyone")
    export.export(session, kind="fiftyone", images=folder)


def test_label_studio_gets_tasks_that_its_serializer_takes(session):
    """Recorded with Label Studio 1.23: unknown e-mails in `completed_by` are refused, data must hold the picture."""
    tasks = json.loads(export.export(session, kind="label-studio", label="cat").read_text())
    assert [t["annotations"][0]["result"][0]["value"]["choices"] for t in tasks] == [
        [export.WORDS[n]] for n in LABELS.values()
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
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("keep me")
    with pytest.raises(ValueError, match="no folder of links"):
        export.export(session, full, "links", images=images)
    assert (full / "mine.txt").exists()


def test_links_of_a_folder_of_links_lead_to_the_pictures(session, tmp_path):
    session.write([Answer("cat.jpg", -2, 1, position=9)])
    (tmp_path / "store").write_bytes(b"a picture")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "cat.jpg").symlink_to(tmp_path / "store")
    out = export.export(session, tmp_path / "out", "links", images=tmp_path / "images")
    assert (next(out.glob("*-cat.jpg"))).read_bytes() == b"a picture"


def test_links_never_lead_out(session, tmp_path):
    session.write([Answer("../secret", -2, 1, position=9)])
    images = tmp_path / "images"
    images.mkdir()
    with pytest.raises(RefusedError):
        export.export(session, kind="links", images=images)
    assert not [p for p in tmp_path.iterdir() if "links" in p.name]


@pytest.mark.parametrize("kind", export.KINDS)
def test_what_went_out_comes_back_in(session, tmp_path, folder, kind):
    """Every kind is read back by our own reader, as far as it holds the answers."""
    holds = {"coco": {0, 1}, "links": {1}}.get(kind, {-1, 0, 1})
    expected = {item: n for item, n in LABELS.items() if n in holds}
    ids = ["new.png", *LABELS]
    for label, images in (("target", None), ("cat", folder)):
        path = export.export(session, kind=kind, label=label, images=folder if kind == "links" else images)
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
    bob.close()


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


@pytest.mark.parametrize("kind", export.KINDS)
def test_the_ending_of_a_file_says_its_kind(kind):
    assert export.kind_of(f"my finds/CATS{export.KINDS[kind][1].upper()}") == kind


@pytest.mark.parametrize("name", ["cats.json", "cats.txt", "cats", "csv"])
def test_an_ending_that_says_nothing_is_refused_before_anything_is_written(session, tmp_path, name):
    with pytest.raises(ValueError, match="say the kind: one of csv"):
        export.export(session, tmp_path / name)
    assert not (tmp_path / name).exists()
