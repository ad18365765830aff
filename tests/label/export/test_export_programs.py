"""What goes out for other programs is what they read: COCO, FiftyOne, Label Studio."""

import json
from pathlib import Path

import pytest
from four_answers import LABELS
from pycocotools.coco import COCO

from elsa_nb.label import export
from elsa_nb.label.answers import Answer
from elsa_nb.label.export_kinds import WORDS
from elsa_nb.label.import_labels import import_labels
from elsa_nb.label.session import Session


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


@pytest.mark.parametrize("email", ["nope", "", "@", "a@", "@b.org", "ann@example.org bob@example.org"])
def test_an_email_that_is_no_address_is_refused(session, tmp_path, email):
    with pytest.raises(ValueError, match=r"email is .*; give the address of an account"):
        export.export(session, kind="label-studio", email=email)
    assert not list(tmp_path.glob("cats*json"))


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
