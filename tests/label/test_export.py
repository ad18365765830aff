"""What goes out can be read by those it is for, and comes back in."""

import csv
import json

import pyarrow.parquet as pq
import pytest

from elsa_nb.label import export
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


def test_coco_numbers_fit_together(session):
    value = json.loads(export.export(session, kind="coco", label="cat").read_text())
    names = {image["id"]: image["file_name"] for image in value["images"]}
    kinds = {category["id"]: category["name"] for category in value["categories"]}
    told = {names[a["image_id"]]: kinds[a["category_id"]] for a in value["annotations"]}
    assert told == {item: "cat" if n else "not cat" for item, n in LABELS.items() if n >= 0}


def test_fiftyone_and_label_studio(session, tmp_path):
    value = json.loads(export.export(session, kind="fiftyone", images=tmp_path).read_text())
    found = {path: value["classes"][i] for path, i in value["labels"].items()}
    assert found[str(tmp_path / "a/1.png")] == "target: positive"
    tasks = json.loads(export.export(session, kind="label-studio").read_text())
    assert [t["annotations"][0]["result"][0]["value"]["choices"] for t in tasks] == [
        [export.WORDS[n]] for n in LABELS.values()
    ]


def test_links_lead_to_the_positives_and_are_made_anew(session, tmp_path):
    images = tmp_path / "images"
    for item in LABELS:
        (images / item).parent.mkdir(parents=True, exist_ok=True)
        (images / item).write_bytes(item.encode())
    for _ in range(2):
        folder = export.export(session, kind="links", images=images)
        assert sorted(str(p.readlink()) for p in folder.iterdir()) == sorted(
            str(images / item) for item, n in LABELS.items() if n == 1
        )
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("keep me")
    with pytest.raises(ValueError, match="no folder of links"):
        export.export(session, full, "links", images=images)
    assert (full / "mine.txt").exists()


def test_links_never_lead_out(session, tmp_path):
    session.write([Answer("../secret", -2, 1, position=9)])
    images = tmp_path / "images"
    images.mkdir()
    with pytest.raises(RefusedError):
        export.export(session, kind="links", images=images)
    assert not [p for p in tmp_path.iterdir() if "links" in p.name]


def test_what_went_out_comes_back_in(session, tmp_path):
    ids = ["new.png", *LABELS]
    for ending in ("csv", "parquet"):
        file = export.export(session, tmp_path / f"out.{ending}")
        fresh = Session(tmp_path / f"{ending}.sqlite")
        assert export.import_labels(fresh, file, ids) == len(LABELS)
        assert fresh.known() == LABELS
        assert export.import_labels(fresh, file, ids) == 0
        fresh.close()


@pytest.mark.parametrize(("line", "flaw"), [("x.png,positive", "not in the pool"), ("a/1.png,yes", "'yes'")])
def test_an_unknown_item_or_word_imports_nothing(session, tmp_path, line, flaw):
    (tmp_path / "in.csv").write_text(f"item,label\na/2.png,1\n{line}\n")
    fresh = Session(tmp_path / "fresh.sqlite")
    with pytest.raises(ValueError, match=f"line 3: .*{flaw}"):
        export.import_labels(fresh, tmp_path / "in.csv", list(LABELS))
    assert fresh.known() == {}


def test_unknown_kinds_are_named(session):
    with pytest.raises(ValueError, match="csv, parquet, coco"):
        export.export(session, kind="xlsx")
