"""All classes of a label file, for a comparison of searchers, and the remarks on them."""

import pytest

from elsa_nb.label.label_files.classes import read_classes


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
