"""Numbers that count the items from 1 are told from row numbers, which count from 0."""

import pytest

from elsa_nb.label.label_files.reader import read_labels

ROWS = ["0", "1", "2", "3"]


@pytest.mark.parametrize("more", ["total,", "", "21.jpg,1"])
def test_other_lines_do_not_hide_that_numbers_count_from_1(tmp_path, more):
    (path := tmp_path / "labels.csv").write_text(f"id,label\n1,1\n2,0\n{more}\n4,1\n")
    with pytest.raises(ValueError, match="Subtract 1 from each of its numbers"):
        read_labels(path, ROWS)


@pytest.mark.parametrize("last", ["5", "400"])
def test_numbers_of_a_larger_pool_are_told_as_names_of_no_item(tmp_path, last):
    (path := tmp_path / "labels.csv").write_text(f"id,label\n1,1\n2,0\n{last},1\n")
    assert [name for _, name, _ in read_labels(path, ROWS).unmatched] == [last]


def test_a_row_number_that_is_too_high_is_told_where_it_stands(tmp_path):
    (path := tmp_path / "labels.csv").write_text("row,label\n1,1\n2,0\n4,1\n")
    with pytest.raises(ValueError, match=r"would count the 4 items from 0 to 3, but says '4' \(line 4\)"):
        read_labels(path, ROWS)
