"""What goes out, in every kind, can be read by those it is for, and comes back in."""

import csv
import json

import pytest
from four_answers import LABELS

from elsa_nb.errors import MissingDataError
from elsa_nb.label import Files, Fixed, Panel, export
from elsa_nb.label.answers import Answer
from elsa_nb.label.export_kinds import KINDS, kind_of
from elsa_nb.label.import_labels import import_labels
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import CLASS


@pytest.mark.parametrize("kind", ["coco", "fiftyone", "label-studio", "links", "copies"])
def test_a_folder_of_items_that_is_not_there_is_refused(session, tmp_path, kind):
    with pytest.raises(MissingDataError, match=r"nowhere is not a folder here"):
        export.export(session, kind=kind, images=tmp_path / "nowhere")
    assert not list(tmp_path.glob("cats*json"))


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
            (tmp_path / "im" / item).write_bytes(b"x")
    session, fresh = Session(tmp_path / "s.sqlite"), Session(tmp_path / "fresh.sqlite")
    session.record([Answer(item, -2, label) for item, label in labels.items()], "import")
    path = export.export(session, kind=kind, images=tmp_path / "im" if with_folder else None)
    assert import_labels(fresh, path, ids).new == len(ids)
    assert fresh.known() == labels
    session.close()
    fresh.close()


@pytest.mark.parametrize("label", ["", " ", "unsure", "Unsure", "nan", "None"])
def test_a_name_that_says_something_else_is_no_class(session, label):
    with pytest.raises(ValueError, match="name it otherwise"):
        export.export(session, kind="fiftyone", label=label)


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
