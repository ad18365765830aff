"""One label per line or row, in the order of the pool."""

import pandas as pd
import pytest

from elsa_nb.label.label_files.reader import read_labels


def test_rows_in_the_order_of_the_pool(read):
    assert read("text,label\nfoo,1\nbar,0\n", ids=["a", "b"], item="row").given == {None: {0: 1, 1: 0}}
    with pytest.raises(ValueError, match=r"there are 2 rows .* and 5 items"):
        read("text,label\nfoo,1\nbar,0\n", item="row")


def test_a_label_a_line_in_the_order_of_the_pool_needs_no_header(read):
    for text in ("1\n0\n1\n", "Wertung\n1\n0\n1\n"):
        assert read(text, ids=["a", "b", "c"], item="row").given == {None: {0: 1, 1: 0, 2: 1}}
    with pytest.raises(ValueError, match=r"there are 2 rows .* and 3 items"):  # one too few under a name
        read("Wertung\n1\n0\n", ids=["a", "b", "c"], item="row")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("head", ["", "\ufeff", "label\n", "Art\n", "\ufeff'Art'\n"])
def test_what_parts_a_table_parts_no_line_of_labels(read, head, end):
    """Blanks, commas and semicolons stand in the names of classes, and who has no label has an empty line."""
    lines = ["red fox", "Eule, groß", '"fox; red, old"', "", "red fox", "日本 の狐", ""]
    lines = [line.replace('"', "'") for line in lines] if "'" in head else lines
    text = (head + "\n".join(lines) + "\n").replace("\n", end)
    ids = list("abcdefg")
    if not head.strip("\ufeff"):
        assert read(text, ids=ids, item="row", positive="red fox").given == {None: {0: 1, 1: 0, 2: 0, 4: 1, 5: 0}}
        assert read(text + end, ids=ids, item="row", positive="red fox").rows() == [0, 4]  # a line that is no item
    for sought in ("Eule, groß", "fox; red, old", "日本 の狐"):
        found = read(text, ids=ids, item="row", positive=sought)
        assert found.rows() == [lines.index(next(line for line in lines if sought in line))]
        assert found.empty == 2
    if head == "Art\n":
        assert read(text, ids=ids, item="row", label="Art", positive="red fox").rows() == [0, 4]


def test_labels_a_line_may_be_numbers_and_begin_with_none(read):
    found = read("\n2\n1\n2,0\n1\n", ids=list("abcde"), item="row", positive="2")
    assert found.given == {None: {1: 1, 2: 0, 3: 1, 4: 0}}
    assert read("label\n\n0\n", ids=list("ab"), item="row").given == {None: {1: 0}}
    assert read('"label"\n"1","yes"\n"2","no"\n', ids=list("ab"), item="row").given == {None: {0: 1, 1: 0}}  # R
    records = '{"label": 1}\n{"label": 0}\n{"label": 1}\n'
    assert read(records, ids=list("abc"), item="row").given == {None: {0: 1, 1: 0, 2: 1}}
    with pytest.raises(ValueError, match="there are 3 rows in it and 2 items"):
        read(records, ids=list("ab"), item="row")


def test_a_first_line_that_was_taken_for_a_name_is_shown_with_its_cure(read):
    text = "red fox\nowl\nowl\n"
    with pytest.raises(ValueError, match=r"the first line, 'red fox', was taken for .* items\. .*above it: label"):
        read(text, ids=list("abc"), item="row", positive="owl")
    assert read("label\n" + text, ids=list("abc"), item="row", positive="owl").rows() == [1, 2]
    with pytest.raises(ValueError, match=r"has 4 lines, and the pool has 3 items\. Its first line, 'owl', is a label"):
        read("owl\nfox\nfox\nowl\n", ids=list("abc"), item="row", positive="owl")
    assert read("label\nfox\nfox\nowl\n", ids=list("abc"), item="row", positive="owl").rows() == [2]


def test_a_sheet_of_one_column_needs_no_header_either(tmp_path):
    for cells in (["owl, old", "fox", "owl, old"], ["kind", "owl, old", "fox", "owl, old"]):
        pd.DataFrame(cells).to_excel(tmp_path / "l.xlsx", index=False, header=False)
        found = read_labels(tmp_path / "l.xlsx", list("abc"), item="row", positive="fox")
        assert found.given == {None: {0: 0, 1: 1, 2: 0}}
    pd.DataFrame(["kind", "owl", "fox"]).to_excel(tmp_path / "l.xlsx", index=False, header=False)
    with pytest.raises(ValueError, match="the first row, 'kind', was taken for the names of columns"):
        read_labels(tmp_path / "l.xlsx", list("abc"), item="row", positive="fox")
