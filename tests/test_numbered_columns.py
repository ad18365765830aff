"""Which numbered columns of a table are its vectors: all of one name, each once, and all of them numbers."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb import cli
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
    with pytest.raises(ValueError, match=r"several of its columns may hold the vectors: .* Name one, .* key="):
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
        with pytest.raises(ValueError, match="several of its columns"):
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
        ("d0,d1,d2,d3,d0.1,d1.1,d2.1,d3.1", "several of its columns"),  # the same, read and saved by pandas
        ("d0,d1,d2,d3,d4,d5,d6,d6.1", "several of its columns"),
        ("PC0_v2,PC1_v2,PC2_v2,PC3_v2,PC4_v2,PC5_v2,PC6_v2,PC7_v2", "differ before the number that they end with"),
        ("PC0_v2,PC1_v2,PC2_v2,PC3_v2,PC4_v2,PC5_v2,x0,x1", "several of its columns"),
    ],
)
def test_a_part_of_the_columns_is_never_taken_silently(tmp_path, head, said):
    row = ",".join(map(str, range(8)))
    with pytest.raises(ValueError, match=said):
        from_text(tmp_path, f"id,{head}\na,{row}\nb,{row}\n")


def test_other_columns_may_be_taken_by_name_where_one_repeats(tmp_path):
    text = "id,q1,q1,e0,e1\na,1,2,3,4\nb,5,6,7,8\n"
    with pytest.raises(ValueError, match=r"'q' \+ number \(2\), 'e' \+ number \(2\)"):
        from_text(tmp_path, text)
    with pytest.raises(ValueError, match=r"several columns 'q1'; .* or name other columns by .*: key="):
        from_text(tmp_path, text, "q")
    assert from_text(tmp_path, text, "e").vectors.tolist() == [[3, 4], [7, 8]]


def test_a_list_and_numbered_columns_are_refused_unless_one_is_called_like_vectors(tmp_path):
    frame = pd.DataFrame({"id": list("ab"), "bbox": [[1, 2, 3, 4], [5, 6, 7, 8]], "e0": [0.5, 1], "e1": [1.5, 2]})
    for ending in ("csv", "parquet"):
        path = saved(tmp_path, frame, ending)
        with pytest.raises(ValueError, match=r"the lists in 'bbox' \(4\), 'e' \+ number \(2\)\. Name .* key="):
            Pool.from_file(path)
        assert Pool.from_file(path, key="e").vectors.tolist() == [[0.5, 1.5], [1, 2]]
        assert Pool.from_file(path, key="bbox").d == 4
        assert Pool.from_file(saved(tmp_path, frame.rename(columns={"bbox": "embedding"}), ending)).d == 4
        assert Pool.from_file(saved(tmp_path, frame.drop(columns="e1"), ending)).d == 4  # a number, such as co2


# --- the largest place is taken, where nothing else is of like size


def of(*groups):
    """Return a table with a column of lists ("clip[8]") or numbered columns ("dim_8") for each of `groups`."""
    values = {"id": list("abcdef")}
    for stem, kind, size in (re.fullmatch(r"(.*?)(\[?)(\d+)\]?", group).groups() for group in groups):
        made = np.arange(6 * int(size)).reshape(6, -1) + len(stem) / 4
        values |= {stem: made.tolist()} if kind else {f"{stem}{i}": made[:, i] for i in range(int(size))}
    return pd.DataFrame(values)


def taken(folder, frame, ending):
    if ending == "jsonl":
        frame.to_json(path := folder / "x.jsonl", orient="records", lines=True)
    else:
        path = saved(folder, frame, ending)
    pool = Pool.from_file(path)
    assert pool.ids.tolist() == list("abcdef")
    return pool.vectors, "; ".join(pool.provenance["made_from"]["taken"])


SMALL = ["umap_2", "x2", "pop2", "flag2", "tel2", "co1", "bbox[1]", "box[2]"]


@settings(max_examples=25, deadline=None)
@given(
    large=st.sampled_from(
        ["dim_8", "f9", "clip_8", "PC12", "clip[8]", "embedding_8", "embedding[8]", "clip_embedding[9]"]
    ),
    small=st.lists(st.sampled_from(SMALL), min_size=1, max_size=4, unique=True),
    first=st.booleans(),
    ending=st.sampled_from(["csv", "parquet", "jsonl"]),
)
def test_the_largest_is_taken_and_what_is_left_out_is_told(folder, large, small, first, ending):
    frame, alone = of(*([large, *small] if first else [*small, large])), of(large)
    vectors, said = taken(folder, frame, ending)
    assert np.array_equal(vectors, taken(folder, alone, ending)[0])
    left = [name for name in frame.columns if name not in alone]
    assert f"columns left out: {', '.join(left)}" in said


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize(
    "places",
    [
        ["clip_8", "dino_8"],
        ["clip_8", "dino_3"],
        ["clip[8]", "dino_8"],
        ["clip[8]", "dino[3]"],
        ["features[1]", "clip_8"],
        ["embedding[2]", "embedding_8"],
        ["embedding_3", "clip_8"],
    ],
)
def test_two_of_like_size_and_a_small_list_called_like_vectors_are_refused(tmp_path, places, ending):
    with pytest.raises(ValueError, match=r"may hold the vectors: .*Name one, .*key="):
        taken(tmp_path, of(*places), ending)


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize(
    "places", [["bbox[4]", "feature_8"], ["embedding[8]", "pca_8"], ["embedding[8]", "tokens[30]"]]
)
def test_a_name_of_vectors_decides_among_those_of_like_size(tmp_path, places, ending):
    vectors, said = taken(tmp_path, of(*places), ending)
    assert vectors.shape == (6, 8)
    assert "columns left out" in said


@pytest.mark.parametrize("cell", ["[Untitled]", "(draft)", "['a', 'b']", "[]", "(see [3])", "[1, two]"])
def test_text_in_brackets_is_no_list_of_numbers(tmp_path, cell):
    frame = of("dim_8").assign(title=cell)
    assert taken(tmp_path, frame, "csv")[0].shape == (6, 8)


def test_names_of_columns_in_brackets_are_a_header(tmp_path):
    assert from_text(tmp_path, "id,[class],d0,d1\na,owl,1,2\nb,elk,3,4\n").ids.tolist() == ["a", "b"]


@pytest.mark.parametrize("beside", ["score,score.1", "score_v1,score_v1.1", "q1,q1", "q1,q1,q2,q2"])
def test_only_copies_of_columns_of_the_vectors_matter(tmp_path, beside):
    values = ",".join(map(str, range(len(beside.split(",")) + 8)))
    head = ",".join(f"embedding_{i}" for i in range(8))
    assert from_text(tmp_path, f"id,{beside},{head}\na,{values}\nb,{values}\n").d == 8


@pytest.mark.parametrize("first", ["id,", ""])
def test_columns_given_twice_are_told_by_their_names_in_the_file(tmp_path, first):
    head, row = ",".join([f"d{i}" for i in range(8)] * 2), ",".join(["1.5"] * 16)
    for key in (None, "d"):
        with pytest.raises(ValueError, match=r"it has several columns 'd0'; give each a name of its own\.$"):
            from_text(tmp_path, f"{first}{head}\na,{row}\nb,{row}\n", key)
    with pytest.raises(ValueError, match=r"no columns d0\.0, .*; it has 'd' \+ number"):
        from_text(tmp_path, f"{first}{head}\na,{row}\nb,{row}\n", "d0.")


def test_the_cure_names_numbers_alone(tmp_path, capsys):
    text = "id,0,1,2,d0,d1,d2\na,1,2,3,4,5,6\nb,2,3,4,5,6,7\n"
    with pytest.raises(ValueError, match=r"before numbers alone nothing does: key=''"):
        from_text(tmp_path, text)
    assert from_text(tmp_path, text, "").vectors.tolist() == [[1, 2, 3], [2, 3, 4]]
    assert cli.main(["pool", "make", str(tmp_path / "x.csv"), str(tmp_path / "p"), "--key", ""]) == 0


@pytest.mark.parametrize("separator", [";", "\t"])
def test_of_points_and_commas_the_cell_with_the_comma_is_told(tmp_path, separator):
    text = "id;note;d0;d1\na;x;0.5;1.5\nb;1,234;2.5;3.5\n".replace(";", separator)
    with pytest.raises(ValueError, match=r"'0\.5' in the column 'd0'.* as in '1,234' in the column 'note'"):
        from_text(tmp_path, text)


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
