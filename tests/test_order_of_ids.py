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
