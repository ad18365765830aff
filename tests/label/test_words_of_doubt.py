"""Unsure stays unsure, whatever class is looked for, until somebody says what the word means."""

import pytest

from elsa_nb.label.label_files.reader import read_labels


@pytest.mark.parametrize("word", ["-1", "?", "maybe", "uncertain", "ignore", "unsure"])
def test_a_word_of_doubt_is_no_negative_because_a_class_is_named(tmp_path, word):
    (path := tmp_path / "labels.csv").write_text(f"id,label\na,1\nb,0\nc,{word}\n")
    found = read_labels(path, list("abc"), positive="1")
    assert found.agreed() == {0: 1, 1: 0, 2: -1}
    assert (f"'{word}' (1) was counted as unsure" in str(found)) is (word != "unsure")
    assert read_labels(path, list("abc"), positive="1", negative=["0", word]).agreed() == {0: 1, 1: 0, 2: 0}
    said = str(read_labels(path, list("abc"), positive="1", unsure=word))
    assert "counted as unsure" not in said


def test_minus_one_without_any_negative_may_mean_negative(tmp_path):
    (path := tmp_path / "labels.csv").write_text("id,label\na,1\nb,-1\nc,-1\n")
    said = str(read_labels(path, list("abc")))
    assert "'-1' (2) was read as unsure, and nothing as negative; if it means negative: positive='1'" in said
    assert read_labels(path, list("abc"), positive="1", negative="-1").agreed() == {0: 1, 1: 0, 2: 0}


def test_several_words_of_doubt_are_told_as_several(tmp_path):
    (path := tmp_path / "labels.csv").write_text("id,label\na,1\nb,?\nc,?\nd,-1\n")
    said = str(read_labels(path, list("abcd"), positive="1"))
    assert "'?' (2), '-1' (1) were counted as unsure" in said
    assert "if one of them means negative: positive='1' and negative='-1'" in said


def test_of_two_labels_1_and_minus_1_the_second_is_negative_where_the_first_is_looked_for(tmp_path):
    (path := tmp_path / "labels.csv").write_text("item,label\na,1\nb,-1\nc,-1\n")
    read = read_labels(path, list("abc"), positive="1")
    assert read.given == {None: {0: 1, 1: 0, 2: 0}}
    assert "'-1' was counted as negative" in str(read)
