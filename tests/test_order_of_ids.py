"""Names of vectors that say themselves that they are in another order than the vectors."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.vector_files import read_ids


@settings(max_examples=40, deadline=None)
@given(
    order=st.permutations(range(5)),
    first=st.sampled_from([0, 1]),
    counts=st.sampled_from([None, "index", "Row", "idx", "nr"]),
    ending=st.sampled_from(["csv", "parquet", "json"]),
)
def test_names_whose_rows_are_numbered_in_another_order_are_refused(tmp_path_factory, order, first, counts, ending):
    frame = pd.DataFrame({"filename": [f"im{row}.jpg" for row in range(5)]}, index=np.arange(5) + first)
    frame = frame.iloc[list(order)]
    names = frame["filename"].tolist()
    frame = frame if counts is None else frame.rename_axis(counts).reset_index()
    path = tmp_path_factory.mktemp("names") / f"names.{ending}"
    if ending == "csv":
        frame.to_csv(path, index=counts is None)
    elif ending == "parquet":
        frame.to_parquet(path)
    else:
        frame.rename_axis("index").reset_index().to_json(path, orient="records") if counts is None else frame.to_json(
            path, orient="records"
        )
    if list(order) == sorted(order):
        assert read_ids(path) == names
    else:
        with pytest.raises(
            ValueError, match=r"names\.\w+.*another order.* in row \d; sort them by it, or leave it out where .* order"
        ):
            read_ids(path)


@pytest.mark.parametrize("numbers", [[3, 1, 2, 9, 5], [5, 6, 7, 9, 8], [1, 1, 2, 3, 4], [0.5, 1.5, 2.5, 3.5, 4.5]])
def test_numbers_that_do_not_count_the_rows_say_nothing_of_their_order(tmp_path, numbers):
    names = [f"im{row}.jpg" for row in range(5)]
    pd.DataFrame({"number": numbers, "filename": names}).to_csv(tmp_path / "n.csv", index=False)
    assert read_ids(tmp_path / "n.csv") == names


@pytest.mark.parametrize("order", [[2, 0, 3, 1], [0, 1, 2, 3]])
@pytest.mark.parametrize("written", [float, "{:.18e}".format, "{:.2f}".format])
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("t.csv", {}),
        ("t.txt", {"sep": "\t"}),
        ("t.csv", {"header": False}),
        ("t.csv", {"index_label": "Row", "sep": ";"}),
    ],
)
def test_an_order_is_told_however_its_numbers_are_written_and_without_a_name(tmp_path, order, written, name, how):
    """A tab before the only name of a column made ids of whole lines; numbers such as 2.0 told nothing."""
    names = pd.Series([f"im{row}.jpg" for row in order], [written(row) for row in order], name="filename")
    names.to_csv(tmp_path / name, **how)
    if order == [0, 1, 2, 3]:
        assert read_ids(tmp_path / name) == names.tolist()
    else:
        with pytest.raises(ValueError, match=r"another order than its column .* counts: .* sort them by it"):
            read_ids(tmp_path / name)


@pytest.mark.parametrize("lines", ["1,owl\n0,fox\n", "1,owl\n1,fox\n0,cat\n", "5,owl\n3,fox\n4,cat\n"])
def test_numbers_without_a_name_that_may_be_labels_tell_no_order(tmp_path, lines):
    (tmp_path / "n.csv").write_text(lines)
    assert read_ids(tmp_path / "n.csv") == [line.split(",")[1] for line in lines.splitlines()]
