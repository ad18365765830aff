"""Which numbered columns of a table are its vectors: all of one name, each once, and all of them numbers."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.pool import Pool

# What stands before the numbers; "embedding" and the like count as names of vectors.
STEMS = st.sampled_from(["clip_d", "dino-", "PC", "d", "größe ", "f.", "π", "score", "lat", "t_sne_"])
SIZES = st.integers(2, 5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("numbered")


def from_text(folder, text, key=None):
    (folder / "x.csv").write_text(text)
    return Pool.from_file(folder / "x.csv", key=key)


def saved(folder, frame, ending):
    path = folder / f"x.{ending}"
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    return path


@settings(max_examples=10, deadline=None)
@given(sizes=st.dictionaries(STEMS, SIZES, min_size=2, max_size=4), ending=st.sampled_from(["csv", "parquet"]))
def test_several_groups_are_refused_until_one_is_named(folder, sizes, ending):
    columns = [f"{stem}{number}" for stem, size in sizes.items() for number in range(size)]
    values = np.random.default_rng(len(columns)).random((3, len(columns)))
    frame = pd.DataFrame({"id": list("abc")} | dict(zip(columns, values.T, strict=True)))
    path = saved(folder, frame, ending)
    with pytest.raises(ValueError, match=r"several groups of numbered columns: .* Name one .* key="):
        Pool.from_file(path)
    for stem, size in sizes.items():
        of_stem = [column for column in columns if re.fullmatch(rf"{re.escape(stem)}\d+", column)]
        assert len(of_stem) == size
        assert np.array_equal(Pool.from_file(path, key=stem).vectors, frame[of_stem].to_numpy(np.float32))


@settings(max_examples=20, deadline=None)
@given(stem=STEMS, size=SIZES, alone=st.sets(st.sampled_from(["year1", "top5", "co2", "iso3", "x9"]), max_size=4))
def test_single_numbers_beside_are_left_out_where_they_are_fewer(folder, stem, size, alone):
    columns = [*(f"{stem}{number}" for number in range(size)), *sorted(alone)]
    text = "\n".join([",".join(["id", *columns]), *(",".join([name, *["1.5"] * len(columns)]) for name in "ab")])
    if len(alone) < size:
        assert from_text(folder, text).d == size
    else:
        with pytest.raises(ValueError, match="several groups"):
            from_text(folder, text)


@pytest.mark.parametrize("name", ["embedding_", "features", "emb-", "Vector "])
def test_the_largest_group_is_taken_where_it_is_called_like_vectors(tmp_path, name):
    text = f"id,top1,top5,{name}0,{name}1,{name}2\na,1,2,3,4,5\nb,6,7,8,9,0\n"
    assert from_text(tmp_path, text).vectors.tolist() == [[3, 4, 5], [8, 9, 0]]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("d0,d1,d2,d3,d0,d1,d2,d3", "several columns 'd0'"),  # pandas.concat of two frames
        ("d0,d0,d2,d3,d4,d5,d6,d7", "several columns 'd0'"),
        ("d0,d1,d2,d3,d0.1,d1.1,d2.1,d3.1", "several groups"),  # the same, read and saved by pandas
        ("d0,d1,d2,d3,d4,d5,d6,d6.1", "several groups"),
        ("PC0_v2,PC1_v2,PC2_v2,PC3_v2,PC4_v2,PC5_v2,PC6_v2,PC7_v2", "differ before the number that they end with"),
        ("PC0_v2,PC1_v2,PC2_v2,PC3_v2,PC4_v2,PC5_v2,x0,x1", "several groups"),
    ],
)
def test_a_part_of_the_columns_is_never_taken_silently(tmp_path, head, said):
    row = ",".join(map(str, range(8)))
    with pytest.raises(ValueError, match=said):
        from_text(tmp_path, f"id,{head}\na,{row}\nb,{row}\n")


def test_other_columns_may_be_taken_by_name_where_one_repeats(tmp_path):
    text = "id,q1,q1,e0,e1\na,1,2,3,4\nb,5,6,7,8\n"
    with pytest.raises(ValueError, match="several columns 'q1'"):
        from_text(tmp_path, text)
    assert from_text(tmp_path, text, "e").vectors.tolist() == [[3, 4], [7, 8]]


def test_a_list_and_numbered_columns_are_refused_unless_one_is_called_like_vectors(tmp_path):
    frame = pd.DataFrame({"id": list("ab"), "bbox": [[1, 2, 3, 4], [5, 6, 7, 8]], "e0": [0.5, 1], "e1": [1.5, 2]})
    for ending in ("csv", "parquet"):
        path = saved(tmp_path, frame, ending)
        with pytest.raises(ValueError, match=r"lists of numbers in 'bbox', and numbered columns: 'e' .* key="):
            Pool.from_file(path)
        assert Pool.from_file(path, key="e").vectors.tolist() == [[0.5, 1.5], [1, 2]]
        assert Pool.from_file(path, key="bbox").d == 4
        assert Pool.from_file(saved(tmp_path, frame.rename(columns={"bbox": "embedding"}), ending)).d == 4
        assert Pool.from_file(saved(tmp_path, frame.drop(columns="e1"), ending)).d == 4  # a number, such as co2


NO_NUMBERS = st.sampled_from(
    ["1,234.50", "1 234", "5%", "1.0D+00", "1'234.5", "$5", "12 €", "1.234.567", "x", "n/a", "?"]
)


@settings(max_examples=10, deadline=None)
@given(cell=NO_NUMBERS, row=st.integers(0, 2), everywhere=st.booleans(), separator=st.sampled_from(",;\t"))
def test_a_cell_that_is_no_number_is_named(folder, cell, row, everywhere, separator):
    cells = [f'"{cell}"' if everywhere or number == row else "0.5" for number in range(3)]
    rows = [separator.join([name, each, each]) for name, each in zip("abc", cells, strict=True)]
    with pytest.raises(ValueError, match=re.escape(f"row {0 if everywhere else row} has {cell!r} in ") + ".*'?d0'?"):
        from_text(folder, "\n".join([separator.join(["id", "d0", "d1"]), *rows]))


def test_a_table_without_rows_says_so(tmp_path):
    with pytest.raises(ValueError, match="it has no rows"):
        from_text(tmp_path, "id,d0,d1\n")
    pq.write_table(
        pa.table({"id": pa.array([], pa.string()), "d0": pa.array([], pa.float64())}), tmp_path / "x.parquet"
    )
    with pytest.raises(ValueError, match="it has no rows"):
        Pool.from_file(tmp_path / "x.parquet")


# --- decimal marks

GROUPED = st.tuples(st.integers(1, 999), st.integers(0, 999), st.sampled_from(["", "-"]))
OTHERS = st.sampled_from(["0{}5", "-0{}125", "1{}5", "12{}34567", "1234{}567", "3{}2e1"])


@settings(max_examples=15, deadline=None)
@given(
    cells=st.lists(GROUPED, min_size=4, max_size=8),
    other=st.none() | OTHERS,
    mark=st.sampled_from(",."),
    separator=st.sampled_from(";\t|"),
    data=st.data(),
)
def test_marks_before_three_digits_in_every_cell_are_refused_and_else_decimal(
    folder, cells, other, mark, separator, data
):
    written = [f"{sign}{before}{mark}{behind:03}" for before, behind, sign in cells[: len(cells) // 2 * 2]]
    if other is not None:
        written[data.draw(st.integers(0, len(written) - 1))] = other.format(mark)
    pairs = [written[at : at + 2] for at in range(0, len(written), 2)]
    text = "\n".join(separator.join(row) for row in [["id", "d0", "d1"], *([f"i{r}", *p] for r, p in enumerate(pairs))])
    if other is None and (mark == "," or separator == ";"):
        with pytest.raises(ValueError, match=f"'{re.escape(written[0])}' in the column 'd0' may be .* three digits"):
            from_text(folder, text)
        return
    pool = from_text(folder, text)
    wanted = np.array([[float(cell.replace(",", ".")) for cell in pair] for pair in pairs], np.float32)
    assert np.array_equal(pool.vectors, wanted)
    said = "; ".join(pool.provenance["made_from"]["taken"])
    assert ("commas are taken for decimal marks, as in '" in said) == (mark == ",")


def test_whole_numbers_and_other_columns_do_not_decide(tmp_path):
    with pytest.raises(ValueError, match=r"'2\.257' in the column 'd0' may be 2257 or 2\.257"):
        from_text(tmp_path, "id;d0;d1\na;2.257;13\nb;15;4\n")
    assert from_text(tmp_path, "id;price;d0;d1\na;2.257;1;2\nb;1.304;3;4\n").vectors.tolist() == [[1, 2], [3, 4]]
    assert from_text(tmp_path, "id,d0,d1\na,2.257,1.304\nb,1.304,3.125\n").d == 2
