"""What people hand over as vectors becomes a pool, or one sentence; nothing is lost or changed behind their back."""

import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.pool import Pool
from elsa_nb.vectors import as_vectors, check_ids, remarks

ROWS = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)

KINDS = {
    "float64": ROWS.astype(np.float64),
    "long double": ROWS.astype(np.longdouble),
    "big-endian": ROWS.astype(">f4"),
    "by columns": np.asfortranarray(ROWS),
    "masked, nothing hidden": np.ma.array(ROWS),
    "list of lists": ROWS.tolist(),
    "list of arrays": list(ROWS),
    "list of tensors": [torch.tensor(row) for row in ROWS],
    "array of lists": np.array([*ROWS.tolist(), None], object)[:-1],
    "data frame": pd.DataFrame(ROWS),
    "column of lists": pd.Series(ROWS.tolist()),
    "sparse": scipy.sparse.csr_matrix(ROWS),
    "sparse array": scipy.sparse.csc_array(ROWS),
    "tensor": torch.tensor(ROWS),
    "tensor with a gradient": torch.tensor(ROWS, requires_grad=True),
    "sparse tensor": torch.tensor(ROWS).to_sparse(),
    "column of Arrow": pa.array(ROWS.tolist(), pa.list_(pa.float32(), 4)),
    "compressed sparse tensor": torch.tensor(ROWS).to_sparse_csr(),
}


def no_text(texts, row):
    """Return an array of texts whose `row` ends in what is no letter, as in a damaged file."""
    array = np.array(texts)
    array.view(np.uint32).reshape(len(array), -1)[row, -1] = 0x110000
    return array


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_vectors_of_any_kind_are_the_same_pool(kind):
    pool = Pool.from_arrays(KINDS[kind])
    assert pool.vectors.dtype == np.float32
    assert pool.vectors.dtype.isnative
    assert pool.sha256 == Pool.from_arrays(ROWS).sha256


def test_short_floats_keep_every_value():
    short = torch.tensor(ROWS).bfloat16()
    np.testing.assert_array_equal(as_vectors(short), short.float().numpy())
    assert as_vectors(torch.tensor(ROWS).half()).dtype == np.float16


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (ROWS[0], r"shape \(4,\).*x\[None\]"),
        (ROWS[:, :, None, None], r"shape \(6, 4, 1, 1\).*x.reshape\(6, -1\)"),
        ({"a": ROWS}, "of type dict"),
        (None, "of type NoneType"),
        ("a.npz", r"vectors are 'a\.npz'; of a file, Pool\.from_file\(path\) makes a pool"),
        (Path("a.npz"), r"Pool\.from_file\(path\) makes a pool"),
        (ROWS + 1j, r"dtype complex64; a pool holds real numbers; of complex ones, take np.abs\(x\)"),
        (np.array([["1", "2"]]), r"dtype <U1; a pool holds real numbers; .*astype\(float\)"),
        (pd.DataFrame({"x": ["1.5", "2"], "y": ["3", "4"]}), r"'1.5' in row 0, which is not a number.*astype\(float\)"),
        ([[1.0, 2.0], [3.0]], r"row 1 has shape \(1,\), that of row 0 \(2,\)"),
        ([[1.0, 2.0], None], "row 1 is not a list of numbers: None"),
        (
            pd.DataFrame({"a": pd.array([1, None], "Int64"), "x": [0.1, 0.2]}),
            "column 'a' of the data frame has <NA> in row 1",
        ),
        (pd.DataFrame({"id": ["7", "8"], "x": [0.1, 0.2]}), "column 'id' of the data frame has '7' in row 0"),
        (np.ma.masked_greater(np.array([[0.0, 1.0], [9.0, 1.0]]), 5), "row 1 has masked values"),
        (np.array([[1.0, 2.0], [1e39, 2.0]]), r"1e\+39 of row 1, column 0 is beyond float32"),
        (np.array([[1.0, 2.0], [1e-60, 0.0]]), "row 1 would be all zero as float32"),
        (scipy.sparse.csr_matrix((10**6, 10**5)), "400 GB.*TruncatedSVD"),
        (torch.empty(3, 4, device="meta"), "cannot become an array"),
        (pd.DataFrame({"count": [2**53 + 1, 2], "x": [0.5, 0.6]}), "value 9007199254740993 of the column 'count'"),
        (np.array([[1, 2.5], [2**53 + 1, 0.5]], object), "value 9007199254740993 of row 1"),
        (scipy.sparse.csr_matrix((np.ones(2), [0, 99], [0, 1, 2]), shape=(2, 4)), "is damaged: indices must be < 4"),
    ],
)
def test_what_is_no_matrix_of_numbers_is_refused_in_one_sentence(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        Pool.from_arrays(given)


@given(st.integers(-(2**63), 2**64 - 1))
def test_whole_numbers_are_exact_or_refused(value):
    given = np.array([[1, 1], [value, 1]], np.uint64 if value >= 2**63 else np.int64)
    if int(np.float32(value)) == value:
        assert int(as_vectors(given)[1, 0]) == value
    else:
        with pytest.raises(ValueError, match=f"The value {value} of row 1, column 0 would be stored as"):
            as_vectors(given)


def test_ids_may_be_any_collection_of_names():
    names = list("abcdef")
    for ids in (iter(names), dict.fromkeys(names).keys(), np.array(names)[:, None], pd.Series(names)):
        assert Pool.from_arrays(ROWS, ids).ids.tolist() == names
    for ids in ("abcdef", dict(enumerate(names))):
        with pytest.raises(ValueError, match="list of one id per row"):
            Pool.from_arrays(ROWS, ids)


def test_a_column_of_a_data_frame_keeps_the_names_of_its_rows():
    frame = pd.DataFrame({"vector": list(ROWS)}, index=[f"{i}.jpg" for i in range(6)])
    assert Pool.from_arrays(frame["vector"]).ids.tolist() == frame.index.tolist()
    assert Pool.from_arrays(frame["vector"].reset_index(drop=True)).ids.tolist() == list("012345")
    assert Pool.from_arrays(frame["vector"], list("abcdef")).ids.tolist() == list("abcdef")
    with pytest.raises(ValueError, match=r"'cat' occurs more than once; .* \(of a data frame: its index\)"):
        Pool.from_arrays(frame["vector"].set_axis(["cat"] * 6))


def test_whole_numbers_are_the_same_ids_whatever_their_type():
    """A column of numbers from which a missing one was dropped is of floats."""
    numbers = [7, 10, 11, 12, 2**40, 0]
    for kind in (int, float, object):
        assert Pool.from_arrays(ROWS, np.array(numbers, kind)).ids.tolist() == list(map(str, numbers))
    assert Pool.from_arrays(ROWS, [0.5, 1.5, 2.0, 3, 4, 5]).ids.tolist() == ["0.5", "1.5", "2", "3", "4", "5"]


def read_only(array):
    view = array.view()
    view.flags.writeable = False
    return view


@pytest.mark.parametrize("hand_over", [np.asarray, torch.from_numpy, read_only, lambda a: a[:, ::-1]])
def test_no_later_change_of_an_array_reaches_the_pool(hand_over):
    mine = ROWS.copy()
    ids = np.array(list("abcdef"))
    pool = Pool.from_arrays(hand_over(mine), ids)
    before = pool.vectors.copy()
    mine[:] = 99
    ids[0] = "z"
    np.testing.assert_array_equal(pool.vectors, before)
    assert pool.ids[0] == "a"


def test_a_mapped_file_is_hashed_and_saved_in_blocks(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(50_000, 200)).astype(np.float32))  # 40 MB
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    tracemalloc.start()
    try:
        pool = Pool.from_arrays(mapped).save(tmp_path / "pool")
        assert tracemalloc.get_traced_memory()[1] < 32e6
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(pool.vectors, mapped)


def test_zero_rows_and_copies_are_counted_and_warned_about():
    assert remarks(ROWS) == []
    odd = np.vstack([ROWS, ROWS[:2], ROWS[:1], np.zeros((2, 4)), -np.zeros((1, 4))])
    said = remarks(odd)
    assert "3 of 12 vectors are all zero" in said[0]
    assert "5 of 12 vectors occur more than once (2 different ones)" in said[1]
    with pytest.warns(UserWarning, match="all zero|more than once") as caught:
        Pool.from_arrays(odd)
    assert len(caught) == 2
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        (["a", None, "c", "d", "e", "f"], r"row 1 has no id \(None\)"),
        ([1.0, float("nan"), 3, 4, 5, 6], r"row 1 has no id \(.*nan"),
        ([pd.NA, 2, 3, 4, 5, 6], r"row 0 has no id \(<NA>\)"),
        (["a", "", "c", "d", "e", "f"], "id of row 1 is empty"),
        (["a", "caf\udce9.jpg", "c", "d", "e", "f"], r"'caf\\udce9.jpg' of row 1 is not text .*backslashreplace"),
        (no_text(["a", "b", "c", "d", "e", "f"], 3), r"'\\U0010ffff' of row 3 is not text"),
        ([b"a", b"\xff", b"c", b"d", b"e", b"f"], "is not UTF-8"),
        (["a", "a\0", "c", "d", "e", "f"], "ends in a zero byte"),
        (set("abcdef"), "of type set, which has no order"),
    ],
)
def test_an_id_that_names_no_item_for_sure_is_refused(ids, sentence):
    with pytest.raises(ValueError, match=sentence):
        Pool.from_arrays(ROWS, ids)


def test_ids_of_bytes_are_text():
    assert Pool.from_arrays(ROWS, np.array([b"a", b"b", b"c", b"d", b"e", b"f"])).ids.tolist() == list("abcdef")


@pytest.mark.parametrize("ids", [["a", float("nan"), "c"], ("a", np.float32("nan"), "c"), ["a", None, "c"]])
def test_a_missing_id_beside_words_is_no_id_called_nan(ids):
    with pytest.raises(ValueError, match=r"row 1 has no id .*; every row has an id of its own"):
        check_ids(ids, 3)


@pytest.mark.parametrize(
    "rows",
    [
        [[1073741825, 0.5], [2, 0.25]],
        [[1073741825, 3], [2.5, 0.25]],
        (np.array([1073741825, 1]), np.array([0.5, 3])),
        [np.array([-1073741825, 1]), np.array([0.5, 3])],
    ],
)
def test_a_whole_number_beside_fractions_is_not_rounded_unseen(rows):
    with pytest.raises(ValueError, match=r"1073741825 of row 0 would be stored as .*Is it an id or a time"):
        as_vectors(rows)


def test_a_column_of_words_in_a_data_frame_is_named():
    frame = pd.DataFrame({"e0": [1.5, 2], "class": ["cat", "dog"]})
    with pytest.raises(ValueError, match="The column 'class' of the data frame has 'cat' in row 0"):
        as_vectors(frame)


@pytest.mark.parametrize(
    "index",
    [
        pd.Index([5167, 5184, 7, 6, 2, 1], name="id"),
        pd.Index([5167, 5184, 7, 6, 2, 1]),
        pd.Index([5, 4, 3, 2, 1, 0]),
        pd.RangeIndex(100, 106),
        pd.Index(pd.array([9, 8, 7, 6, 5, 4], "Int64"), name="id"),
        pd.Index([f"{i}.jpg" for i in range(6)]),
    ],
)
@pytest.mark.parametrize("kept", ["frame", "column"])
def test_the_index_of_a_data_frame_names_its_rows(index, kept):
    frame = pd.DataFrame(ROWS, index=index)
    given = frame if kept == "frame" else pd.Series(list(ROWS), index=index)
    assert Pool.from_arrays(given).ids.tolist() == [str(name) for name in index]


def test_an_index_that_only_counts_or_repeats_names_no_row():
    for index in (pd.RangeIndex(6), [0, 1, 2, 0, 1, 2], pd.date_range("2020-01-01", periods=6)):
        assert Pool.from_arrays(pd.DataFrame(ROWS, index=index)).ids.tolist() == list("012345")
    with pytest.raises(ValueError, match="'0' occurs more than once"):
        Pool.from_arrays(pd.DataFrame(ROWS, index=pd.Index([0, 1, 2, 0, 1, 2], name="id")))


def test_ids_in_a_column_of_a_data_frame_are_not_taken_for_values():
    for name in ("id", "image_id", "sampleID"):
        frame = pd.DataFrame(ROWS).assign(**{name: range(1000, 1006)})
        with pytest.raises(ValueError, match=rf"column '{name}' of the data frame.*set_index\('{name}'\)"):
            Pool.from_arrays(frame)
        assert Pool.from_arrays(frame.set_index(name)).ids[0] == "1000"
    assert Pool.from_arrays(pd.DataFrame(ROWS).assign(grid=range(6), valid=[0, 1, 0, 1, 0, 1])).d == 6


@pytest.mark.parametrize("name", ["label", "Class", " target", "Species", "included", "Klasse"])
def test_a_column_of_numbers_that_is_called_as_labels_are_is_no_value(name):
    values = np.random.default_rng(0).normal(size=(6, 3))
    frame = pd.DataFrame(values, columns=["e0", "e1", "e2"])
    assert as_vectors(frame).shape == (6, 3)
    with pytest.raises(ValueError, match=f"column {name!r} of the data frame is called as labels are: drop it"):
        as_vectors(frame.assign(**{name: [0, 1, 2, 0, 1, 2]}))
    assert as_vectors(pd.DataFrame(values)).shape == (6, 3)


@pytest.mark.parametrize("name", ["Unnamed: 0", "", "index", "Row Number", "__index_level_0__", "idx"])
@pytest.mark.parametrize("numbers", [range(6), range(1, 7), [3.0, 0.0, 5.0, 1.0, 2.0, 4.0]])
def test_a_column_that_numbers_the_rows_is_no_value(name, numbers):
    values = pd.DataFrame(np.random.default_rng(0).normal(size=(6, 3)), columns=["e0", "e1", "e2"])
    with pytest.raises(ValueError, match=f"column {name!r} of the data frame numbers the rows: drop it"):
        as_vectors(values.assign(**{name: list(numbers)}))
    assert as_vectors(values.assign(**{name: [0, 0, 1, 1, 2, 2]})).shape == (6, 4)  # counts of something
    assert as_vectors(values.assign(value=list(numbers))).shape == (6, 4)
    assert as_vectors(values.set_axis([0, 1, 2], axis=1)).shape == (6, 3)


def test_what_a_saved_frame_holds_more_when_read_again_is_told(tmp_path):
    pd.DataFrame(ROWS).add_prefix("e").to_csv(tmp_path / "t.csv")
    with pytest.raises(ValueError, match=r"column 'Unnamed: 0' of the data frame numbers the rows"):
        Pool.from_arrays(pd.read_csv(tmp_path / "t.csv"))
    read = pd.read_csv(tmp_path / "t.csv", index_col=0)
    assert Pool.from_arrays(read).vectors.tolist() == Pool.from_file(tmp_path / "t.csv").vectors.tolist()
