"""Rows are taken in the order of the pool only where no column says that they are in another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.label import Texts, identity
from elsa_nb.label.export import export
from elsa_nb.label.import_labels import import_labels
from elsa_nb.label.label_files.reader import read_labels
from elsa_nb.label.session import Session


@given(st.permutations(range(5)), st.sampled_from(["id", "index", "", "whatever", "number"]), st.booleans())
def test_rows_are_not_taken_in_order_where_a_column_says_another(tmp_path_factory, order, column, numbered):
    ids = [str(i) if numbered else f"x{i}" for i in range(5)]
    path = tmp_path_factory.getbasetemp() / "order.csv"
    path.write_text(f"{column},label\n" + "".join(f"{ids[i]},{i % 2}\n" for i in order))
    if order == [*range(5)] or (numbered and column == "whatever"):  # numbers that may count something else
        assert read_labels(path, ids, item="row", label="label").agreed() == {r: i % 2 for r, i in enumerate(order)}
    else:
        with pytest.raises(ValueError, match=r"not in the pool's order: its column .* would stand"):
            read_labels(path, ids, item="row", label="label")


@pytest.mark.parametrize("written", ["{}.0", "{}.00", "{:.6e}"])
def test_an_order_is_told_however_its_numbers_are_written(tmp_path, written):
    path = tmp_path / "order.csv"
    path.write_text(",label\n" + "".join(f"{written.format(row)},{row % 2}\n" for row in (2, 0, 1)))
    with pytest.raises(ValueError, match=r"not in the pool's order: its column without a name"):
        read_labels(path, ["a.jpg", "b.jpg", "c.jpg"], item="row")


def test_ids_in_the_order_of_the_pool_are_no_other_order(tmp_path):
    (path := tmp_path / "labels.csv").write_text("id,label\n2,1\n0,0\n1,0\n")
    assert read_labels(path, ["2", "0", "1"], item="row").agreed() == {0: 1, 1: 0, 2: 0}


def test_a_saved_index_tells_that_rows_were_shuffled(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"label": [0, 1, 0, 1]}, index=[2, 0, 3, 1])
    frame.to_parquet(path := tmp_path / "labels.parquet")
    with pytest.raises(ValueError, match=r"'__index_level_0__' has '2'.*sort its rows by it"):
        read_labels(path, list("abcd"), item="row")


@pytest.mark.parametrize("rows", ["x2,1\nx0,0\nx9,1\nx1,0", "x0,1\nx0,0\nx1,1\nx2,0"])
def test_ids_tell_an_order_although_one_is_unknown_or_stands_twice(tmp_path, rows):
    (path := tmp_path / "labels.csv").write_text(f"id,label\n{rows}\n")
    with pytest.raises(ValueError, match=r"not in the pool's order: .* go by that column: item='id'"):
        read_labels(path, ["x0", "x1", "x2", "x3"], item="row")


def test_a_column_of_other_things_tells_no_order(tmp_path):
    (path := tmp_path / "labels.csv").write_text("id,parent,label\n1,x1,1\n2,x0,0\n3,x1,1\n")
    assert read_labels(path, ["x0", "x1", "x2"], item="row").agreed() == {0: 1, 1: 0, 2: 1}


def test_shuffled_numbers_from_1_are_to_be_sorted_since_no_item_is_called_so(tmp_path):
    (path := tmp_path / "labels.csv").write_text("id,label\n3,1\n1,0\n2,1\n")
    with pytest.raises(ValueError, match="To go by that column: sort its rows by it"):
        read_labels(path, ["0", "1", "2"], item="row")


@pytest.mark.parametrize("column", ["row", "row_id", "Row Number"])
@pytest.mark.parametrize("item", [None, "row"])
def test_a_column_called_row_that_holds_the_names_of_the_items_names_them(tmp_path, column, item):
    (path := tmp_path / "labels.csv").write_text(f"{column},label\nc,1\na,0\nb,0\n")
    if item and column != "row":
        item = column
    assert read_labels(path, list("abc"), item=item).agreed() == {2: 1, 0: 0, 1: 0}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("ids", [[str(i) for i in range(3, 9)], list("351204"), ["10", "0", "1", "20", "3", "x"]])
def test_numbers_of_rows_in_an_export_are_not_taken_for_ids_that_are_numbers(tmp_path, ids, ending):
    (path := tmp_path / "labels.csv").write_text("item,label\n" + "".join(f"{ids[i]},{i % 2}\n" for i in range(5)))
    with Session(tmp_path / "s.sqlite") as session:
        session.acquire()
        identity.remember(session, identity.settle(session, Texts(ids), ids), ids)
        import_labels(session, path, ids)
        exported = export(session, tmp_path / f"answers.{ending}")
    right = {i: i % 2 for i in range(5)}
    with pytest.raises(ValueError, match=r"columns 'row' and 'item' name two items.*by the names: item='item'"):
        read_labels(exported, ids, item="row")
    for item in (None, "item"):
        assert read_labels(exported, ids, item=item).agreed() == right
    assert read_labels(tmp_path / "s.sqlite", ids, item="row").agreed() == right


def test_numbers_of_rows_alone_are_not_taken_for_some_ids_that_are_numbers(tmp_path):
    (path := tmp_path / "labels.csv").write_text("row,label\n" + "".join(f"{i},{i % 2}\n" for i in range(6)))
    with pytest.raises(ValueError, match=r"numbers rows, and the items have names: '0' \(line 2\) would be '3'"):
        read_labels(path, [str(i) for i in range(3, 9)], item="row")
    # These are names: of more items than are here, or all of them here.
    assert read_labels(path, ["3", "5"], item="row").agreed() == {0: 1, 1: 1}
    assert read_labels(path, list("543210"), item="row").agreed() == {5 - i: i % 2 for i in range(6)}
