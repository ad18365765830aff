"""Ids that are whole numbers have one name, whatever file they come from: pandas makes 7.0 of them, NumPy 7.00e+00."""

from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.column_names import as_whole_numbers
from elsa_nb.label.answers import Answer
from elsa_nb.label.import_labels import import_labels
from elsa_nb.label.label_files.reader import read_labels
from elsa_nb.label.session import Session
from elsa_nb.pool import Pool
from elsa_nb.vector_files import read_ids


@settings(max_examples=20, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 2**53), min_size=2, max_size=6, unique=True),
    name=st.sampled_from(["id", "item", "Filename", "image"]),
    separator=st.sampled_from([",", ";", "\t"]),
    form=st.sampled_from([None, "%.1f", "%.6f", "%.18e"]),
)
def test_floats_of_whole_value_are_called_alike_in_text_in_other_files_and_in_memory(
    tmp_path_factory, numbers, name, separator, form
):
    folder, wanted = tmp_path_factory.mktemp("ids"), list(map(str, numbers))
    values = np.random.default_rng(0).normal(size=(len(numbers), 3))
    frame = pd.DataFrame({name: np.array(numbers, float)}).join(pd.DataFrame(values).add_prefix("d"))
    frame.to_parquet(folder / "t.parquet")
    frame.to_csv(folder / "t.csv", index=False, sep=separator, float_format=form)
    np.savetxt(folder / "t.txt", np.array(numbers, float), fmt=form or "%.1f")
    for table in ("t.csv", "t.parquet"):
        assert Pool.from_file(folder / table).ids.tolist() == wanted
        assert read_ids(folder / table) == wanted
    assert read_ids(folder / "t.txt") == wanted
    assert Pool.from_arrays(values, frame[name]).ids.tolist() == wanted
    frame.assign(label=np.arange(len(frame)) % 2)[[name, "label"]].to_csv(
        folder / "l.csv", index=False, sep=separator, float_format=form
    )
    assert read_labels(folder / "l.csv", wanted).agreed() == {row: row % 2 for row in range(len(numbers))}


@pytest.mark.parametrize(
    "ids",
    [
        ["1.0", "1.1", "1.2"],  # of chapters, or versions
        ["007.0", "008.0"],
        ["1.0", "1"],
        ["1e5", "2e5"],  # the beginnings of hashes
        ["3.0.0", "4.0.0"],
        ["1.0", "2.0", "total"],
        ["12", "7"],
    ],
)
@pytest.mark.parametrize("name", ["t.csv", "t.txt"])
def test_names_that_are_not_all_whole_numbers_stay_as_they_are_written(tmp_path, ids, name):
    (tmp_path / name).write_text("\n".join(["item", *ids]) + "\n")
    np.save(tmp_path / "x.npy", np.eye(len(ids)))
    assert Pool.from_file(tmp_path / "x.npy", tmp_path / name).ids.tolist() == ids


def test_texts_in_a_file_that_tells_texts_from_numbers_stay_as_they_are(tmp_path):
    pd.DataFrame({"id": ["1.0", "2.0"]}).to_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.json").write_text('["1.0", "2.0"]')
    assert read_ids(tmp_path / "t.parquet") == read_ids(tmp_path / "t.json") == ["1.0", "2.0"]


def test_what_is_told_of_ids_written_as_fractions(tmp_path):
    (tmp_path / "t.csv").write_text("item,d0,d1\n7.0,0.5,1.5\n9.0,2.5,3.5\n")
    assert (
        "ids are whole numbers: '7.0' is called '7'"
        in Pool.from_file(tmp_path / "t.csv").provenance["made_from"]["taken"]
    )


def test_the_answers_of_a_session_with_the_former_names_can_be_taken_over(tmp_path):
    with closing(Session(tmp_path / "old.sqlite")) as old:
        old.acquire()
        old.write([Answer("7.0", -2, 1, position=0, row=0), Answer("9.0", -2, 0, position=1, row=1)])
    with closing(Session(tmp_path / "new.sqlite")) as new:
        import_labels(new, tmp_path / "old.sqlite", ["7", "9"])
        assert new.known() == {"7": 1, "9": 0}


@pytest.mark.parametrize(
    "cells", [[], ["1", ""], [None], [True], ["1.5"], [0.5], ["-1"], ["nan"], [float("inf")], ["1" * 5000]]
)
def test_cells_that_are_no_whole_numbers(cells):
    assert as_whole_numbers(cells) == []
