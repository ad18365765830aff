"""All classes of a label file, for a comparison of searchers, and the remarks on them."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from elsa_nb.label.export import export
from elsa_nb.label.export_kinds import KINDS
from elsa_nb.label.import_labels import import_labels
from elsa_nb.label.label_files.classes import read_classes
from elsa_nb.label.session import Session


@pytest.mark.parametrize(("second", "disputed"), [("owl", None), ("Owl", None), ("fox", "1 item"), ("", None)])
def test_annotators_who_differ_are_told(tmp_path, second, disputed):
    (path := tmp_path / "labels.csv").write_text(
        f"id,label,annotator\na,owl,ann\na,{second},bob\nb,owl,ann\nb,owl,bob\nc,fox,ann\n"
    )
    classes, _, notes = read_classes(path, list("abc"))
    told = [note for note in notes if "annotators" in note]
    assert len(told) == (disputed is not None)
    assert not told or f"give {disputed} different classes" in told[0]
    assert 0 in classes["owl"]


def test_several_classes_of_one_person_are_no_dispute(tmp_path):
    (path := tmp_path / "labels.csv").write_text("id,label\na,owl\na,fox\nb,owl\n")
    classes, _, notes = read_classes(path, list("ab"))
    assert classes["owl"].tolist() == [0, 1] and classes["fox"].tolist() == [0]
    assert not any("annotators" in note for note in notes)


def test_row_numbers_from_1_are_refused_with_the_path(tmp_path):
    (path := tmp_path / "labels.csv").write_text("id,label\n1,owl\n2,fox\n3,owl\n")
    with pytest.raises(ValueError, match=r"labels\.csv: its items are numbers from 1 to 3"):
        read_classes(path, ["0", "1", "2"])


@pytest.mark.parametrize("doubt", ["unsure", "Unsure ", "?", "maybe", "uncertain", -1, "\N{MINUS SIGN}1", -1.0])
def test_words_of_doubt_are_no_class_and_are_counted(tmp_path, doubt):
    (path := tmp_path / "l.csv").write_text(f"item,label\na,owl\nb,{doubt}\nc,fox\nd,{doubt}\ne,owl\n")
    rows, unmatched, notes = read_classes(path, list("abcde"))
    assert {name: of.tolist() for name, of in rows.items()} == {"owl": [0, 4], "fox": [2]}
    assert not unmatched
    assert f"{str(doubt).strip()!r} (2 items) is no class: it was read as doubt" in notes


def test_folders_called_like_a_doubt_are_classes(tmp_path):
    for name in ("ignore/a.jpg", "maybe/b.jpg", "unsure/c.jpg"):
        (path := tmp_path / "sorted" / name).parent.mkdir(parents=True)
        path.write_bytes(b"")
    rows, _, notes = read_classes(tmp_path / "sorted", ["a.jpg", "b.jpg", "c.jpg"])
    assert {name: of.tolist() for name, of in rows.items()} == {"ignore": [0], "maybe": [1]}
    assert "'unsure' (1 item) is no class: it was read as doubt" in notes


@pytest.mark.parametrize("ending", ["csv", "parquet", "sqlite"])
def test_of_the_answers_of_a_session_and_its_exports_only_the_finds_are_a_class(tmp_path, ending):
    path = tmp_path / f"s.{ending}"
    with Session(tmp_path / "s.sqlite") as session:
        (earlier := tmp_path / "l.csv").write_text("item,label\na,1\nb,0\nc,-1\nd,1\ne,0\n")
        import_labels(session, earlier, list("abcde"))
        if ending != "sqlite":
            export(session, path)
    rows, _, notes = read_classes(path, list("abcde"))
    assert [of.tolist() for of in rows.values()] == [[0, 3]]
    assert sum("is no class" in note for note in notes) == 2


def test_two_numbers_or_words_of_two_classes_stay_classes(tmp_path):
    for one, other in (("0", "1"), ("yes", "no"), ("2", "0")):
        (path := tmp_path / "l.csv").write_text(f"item,label\na,{one}\nb,{other}\n")
        assert set(read_classes(path, list("ab"))[0]) == {one, other}


_FILES = sorted(KINDS.keys() - {"copies"})  # copies of the finds do not say that they are finds


@settings(max_examples=10, deadline=None)
@given(
    labels=st.lists(st.sampled_from([1, 0, -1]), min_size=2, max_size=6),
    kind=st.sampled_from(_FILES),
)
def test_every_kind_of_export_gives_the_finds_as_its_only_class(tmp_path_factory, labels, kind):
    folder = tmp_path_factory.mktemp("exports")
    ids = [f"{row}.jpg" for row in range(len(labels))]
    (folder / "images").mkdir()
    for item in ids:
        Image.new("L", (4, 4)).save(folder / "images" / item)
    pd.DataFrame({"item": ids, "label": labels}).to_csv(folder / "l.csv", index=False)
    with Session(folder / "s.sqlite") as session:
        import_labels(session, folder / "l.csv", ids)
        if kind == "links" and 1 not in labels:  # a folder of no finds
            return
        images = folder / "images" if kind == "links" else None
        written = export(session, folder / f"out{KINDS[kind].ending}", kind, images=images)
    finds = [row for row, label in enumerate(labels) if label == 1]
    for path in (written, folder / "s.sqlite"):
        if finds:
            assert [rows.tolist() for rows in read_classes(path, ids)[0].values()] == [finds]
        else:
            with pytest.raises(ValueError, match="gives no item of the pool a class"):
                read_classes(path, ids)


@pytest.mark.parametrize("other", ["fox", "Not Owl", "not fox"])
def test_what_is_not_of_a_class_is_none_where_no_other_class_is_there(tmp_path, other):
    (path := tmp_path / "l.csv").write_text(f"item,label\na,owl\nb,{other}\nc,unsure\nd,{other}\n")
    rows, _, notes = read_classes(path, list("abcd"))
    told = "'Not Owl' (2 items) is no class: it was read as a no"
    assert ({*rows} == {"owl"}) == (told in notes) == (other == "Not Owl")


def test_a_session_has_no_column_to_name(tmp_path):
    with Session(tmp_path / "s.sqlite") as session:
        (earlier := tmp_path / "l.csv").write_text("item,label\na,0\nb,-1\n")
        import_labels(session, earlier, ["a", "b"])
    for ids, said in (
        (["a", "b"], "what it says of 2 items here is not a class"),
        (["x", "y"], "--item row takes the"),
    ):
        with pytest.raises(ValueError, match=said) as error:
            read_classes(tmp_path / "s.sqlite", list(ids))
        assert "NAME" not in str(error.value)
