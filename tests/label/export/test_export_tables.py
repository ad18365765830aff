"""The tables that go out hold the answers as they are, and where the items are now."""

import csv
import json

import pyarrow.parquet as pq
from four_answers import LABELS

from elsa_nb.label import export
from elsa_nb.label.answers import Answer
from elsa_nb.label.export_kinds import WORDS
from elsa_nb.label.import_labels import import_labels
from elsa_nb.label.remembered_items import note_names
from elsa_nb.label.session import Session


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
