"""Tables of text: no first row is taken for a header silently, no column is dropped, and ids keep their zeros."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb import cli
from elsa_nb.pool import Pool
from elsa_nb.text_tables import read_text_table
from elsa_nb.vector_files import read_ids


def made(tmp_path, text):
    (tmp_path / "x.csv").write_text(text)
    pool = Pool.from_file(tmp_path / "x.csv")
    return pool.vectors.tolist(), pool.ids.tolist(), "; ".join(pool.provenance["made_from"]["taken"])


NO_HEADER = "it has no header: its first line is taken for a row"


@pytest.mark.parametrize(
    ("text", "vectors", "ids", "said"),
    [
        ("0.5,0.5,0.5\n0.5,0.25,1\n", [[0.5, 0.5, 0.5], [0.5, 0.25, 1]], "01", NO_HEADER),
        ("3,4,5\n1.5,2.5,3.5\n", [[3, 4, 5], [1.5, 2.5, 3.5]], "01", NO_HEADER),
        ("0.5,0,1\n1.5,2.5,3.5\n", [[0.5, 0, 1], [1.5, 2.5, 3.5]], "01", NO_HEADER),
        ("1.5,2.5,3.5\n", [[1.5, 2.5, 3.5]], "0", NO_HEADER),
        ("p1.jpg,0,1\np2.jpg,0.5,0.25\n", [[0, 1], [0.5, 0.25]], ["p1.jpg", "p2.jpg"], NO_HEADER),
        ('p1.jpg,"[0, 1]"\np2.jpg,"[2, 3]"\n', [[0, 1], [2, 3]], ["p1.jpg", "p2.jpg"], NO_HEADER),
        ("0,1,2\n1.5,2.5,3.5\n2,3,4\n", [[1.5, 2.5, 3.5], [2, 3, 4]], "01", r"\(0, 1, 2\) is taken for a header"),
        ("1,2,3\n1.5,2.5,3.5\n2,3,4\n", [[1.5, 2.5, 3.5], [2, 3, 4]], "01", r"\(1, 2, 3\) is taken for a header"),
        ("1,2,3\n4,5,6\n7,8,9\n", [[1, 2, 3], [4, 5, 6], [7, 8, 9]], "012", NO_HEADER),
        ("a,1,2,3\nb,0.5,2,3\n", [[1, 2, 3], [0.5, 2, 3]], "ab", NO_HEADER),
        ("id,0.0,1.0\na,0.5,1\nb,2,3\n", [[0.5, 1], [2, 3]], "ab", r"\(id, 0.0, 1.0\) is taken for a header"),
        ("0.0,1.0\n1.0,0.0\n", [[0, 1], [1, 0]], "01", NO_HEADER),
        ("id,1990,2000\na,0.5,1\nb,2,3\n", [[0.5, 1], [2, 3]], "ab", r"\(id, 1990, 2000\) is taken for a header"),
        ("id,emb,emb,emb\na,1,2,3\nb,4,5,6\n", [[1, 2, 3], [4, 5, 6]], "ab", "3 columns, 'emb.0' to 'emb.2'"),
        ("5,0.5,1\n9,2.5,3\n17,4.5,5\n", [[5, 0.5, 1], [9, 2.5, 3], [17, 4.5, 5]], "012", "may be ids or a count"),
        ("x0, x1, id\n1, 2, a.jpg\n3, 4, b.jpg\n", [[1, 2], [3, 4]], ["a.jpg", "b.jpg"], "'x0' to 'x1'"),
        ('x0, x1, id\n1, 2, "a, b"\n3, 4, "c"\n', [[1, 2], [3, 4]], ["a, b", "c"], "'x0' to 'x1'"),
        ("x0\t x1\t id\n1\t 2\t a\n3\t 4\t b\n", [[1, 2], [3, 4]], "ab", "'x0' to 'x1'"),
        ("id, x0,x1\na,1,2\nb,3,4\n", [[1, 2], [3, 4]], "ab", "'x0' to 'x1'"),
        ("x0,x1,token\n1,2, the\n3,4,the\n", [[1, 2], [3, 4]], [" the", "the"], "ids from the column 'token'"),
        ("2 3\nthe 1 2 0.5 \n, 3 4 5 \n", [[1, 2, 0.5], [3, 4, 5]], ["the", ","], r"left out: 1 \(the first: '2 3'\)"),
        ("0,0.5,1\n1,2.5,3\n", [[0.5, 1], [2.5, 3]], "01", "first column counts the rows: it is left out"),
    ],
)
def test_no_row_and_no_column_is_lost_and_what_is_in_doubt_is_said(tmp_path, text, vectors, ids, said):
    found = made(tmp_path, text)
    assert found[:2] == (vectors, list(ids))
    assert re.search(said, found[2])


def test_no_row_is_lost_inside_a_cell_of_the_row_above(tmp_path):
    rows = ['a,1.5,2,"dark', 'b,2.5,1,"a ""dog"""', 'c,3.5,4,"x, y"']
    with pytest.raises(ValueError, match=r"x.csv: line 2: a quotation mark .* a row of its own; close the cell"):
        made(tmp_path, "\n".join(["id,e0,e1,note", *rows]))
    text = "\n".join(["id,e0,e1,note", 'a,1.5,2,"dark, and\nblurred, a bit"', *rows[1:]])
    assert made(tmp_path, text)[:2] == ([[1.5, 2], [2.5, 1], [3.5, 4]], list("abc"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p0.jpg,,0.25,0.35\np1.jpg,0.1,0.2,0.3\np2.jpg,0.1,0.2,0.4\n", "row 0 has '' in the column 1"),
        ("p0.jpg,cat,1,2.5\np1.jpg,dog,3,4.5\n", "row 0 has 'cat' in the column 1"),
        ("id,e0,e1\na,007,1\nb,010,2\n", r"'e0' is written with leading zeros \('007'\)"),
        ("id,e0,e1\na,1,2\nb,3,4\nc,5,6,7\n", "line 4 has 4 cells, and the lines before it 3"),
    ],
)
def test_what_cannot_be_read_whole_is_refused_with_its_row_or_column(tmp_path, text, said):
    with pytest.raises(ValueError, match=said):
        made(tmp_path, text)


@pytest.mark.parametrize("head", ["", ",e0,e1\n", "nr,e0,e1\n", "0,1\n"])
@pytest.mark.parametrize("ids", [["00007", "12345", "00100"], ["000", "001", "002"]])
def test_ids_keep_their_zeros_whatever_their_column_is_called(tmp_path, head, ids):
    text = head + "".join(f"{name},{row}.5,2.25\n" for row, name in enumerate(ids))
    assert made(tmp_path, text)[:2] == ([[0.5, 2.25], [1.5, 2.25], [2.5, 2.25]], ids)
    assert read_ids(tmp_path / "x.csv") == ids


def test_a_zero_after_many_rows_keeps_the_ids_too(tmp_path):
    ids = [*(str(10_000 + 3 * row) for row in range(300)), "00042"]
    assert made(tmp_path, "".join(f"{name},0.5,{row}\n" for row, name in enumerate(ids)))[1] == ids


@pytest.mark.parametrize(("encoding", "name"), [("cp1250", "żółw"), ("cp1251", "кот"), ("cp932", "猫の写真")])
@pytest.mark.parametrize("where", ["x.csv", "x.json", "ids.txt"])
def test_names_come_in_the_encoding_that_is_given_and_a_guess_says_how_to_give_it(
    tmp_path, capsys, encoding, name, where
):
    texts = {"x.csv": f"id,e0\n{name},1\n", "x.json": f'{{"{name}": [1]}}', "ids.txt": f"{name}\n"}
    (tmp_path / where).write_text(texts[where], encoding)
    file, ids = (tmp_path / where, None) if where != "ids.txt" else (tmp_path / "x.npy", tmp_path / where)
    np.save(tmp_path / "x.npy", np.ones((1, 1)))
    assert Pool.from_file(file, ids, encoding=encoding).ids.tolist() == [name]
    taken = Pool.from_file(file, ids).provenance["made_from"]["taken"]
    assert any(re.search(r"^read as .*; if names look wrong, give their encoding: encoding='", note) for note in taken)
    more = [] if ids is None else ["--ids", str(ids)]
    assert cli.main(["pool", "make", str(file), str(tmp_path / "pool"), "--encoding", encoding, *more]) == 0
    assert Pool.open(tmp_path / "pool").ids.tolist() == [name]
    with pytest.raises(ValueError, match="not in the encoding 'ascii'"):
        Pool.from_file(file, ids, encoding="ascii")


def test_an_encoding_where_there_is_no_text_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((1, 1)))
    with pytest.raises(ValueError, match=r"is not text.*leave out 'cp1250'"):
        Pool.from_file(tmp_path / "x.npy", encoding="cp1250")


@settings(max_examples=30, deadline=None)
@given(
    counted=st.lists(st.integers(2, 9), min_size=1, max_size=3),
    first=st.sampled_from([0, 1]),
    index=st.booleans(),
    separator=st.sampled_from([",", ";", "\t"]),
)
def test_a_second_row_of_names_is_no_row_of_values(tmp_path_factory, counted, first, index, separator):
    names = [(f"layer{k}", first + i) for k, size in enumerate(counted) for i in range(size)]
    frame = pd.DataFrame(
        np.random.default_rng(0).normal(size=(6, len(names))), columns=pd.MultiIndex.from_tuples(names)
    )
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    frame.to_csv(path, index=index, sep=separator)
    with pytest.raises(
        ValueError, match=r"two rows of names: below 'layer\d' the next row numbers \d columns.*write one row"
    ):
        read_text_table(path)
    frame.columns = [f"{one}{two}" for one, two in frame.columns]  # the cure
    frame.to_csv(path, index=index, sep=separator)
    assert len(read_text_table(path).frame) == 6


@pytest.mark.parametrize("kind", ["float32", "uint8"])
@pytest.mark.parametrize("names", ["anew", "once"])
@pytest.mark.parametrize("rows", [None, "file", "id"])
@pytest.mark.parametrize("numbers", [range(5), range(1, 6), (2, 3, 7, 12, 40)])
def test_a_second_row_that_names_no_row_is_one_of_names(tmp_path, kind, names, rows, numbers):
    tops = [f"d{i}" if names == "anew" else "emb" for i in range(5)]
    values = np.random.default_rng(0).normal(50, 20, size=(7, 5)).astype(kind)
    frame = pd.DataFrame(values, columns=pd.MultiIndex.from_arrays([tops, numbers]))
    if rows == "id":
        frame.insert(0, ("id", ""), [f"owl {i}" for i in range(7)])
    elif rows == "file":
        frame.index = pd.Index([f"{i}.jpg" for i in range(7)], name="file")
    frame.to_csv(tmp_path / "t.csv", index=rows != "id")
    with pytest.raises(ValueError, match=r"two rows of names: below '(emb|d0)' the next row numbers 5 columns"):
        Pool.from_file(tmp_path / "t.csv")


@pytest.mark.parametrize(
    "text",
    [
        ",d0,d1,d2\na,0,1,2\nb,3,4,5\nc,6,7,8\n",  # the first row has a name
        "note,d0,d1,d2\n,0,1,2\nwet,3,4,5\ndry,6,7,8\n",  # not every item has a remark
        "id,d0,d1,d2\na,0,5,2\nb,3,4,5\nc,0.5,7,8\n",  # its numbers do not ascend
        "d,d,d\n0,1,2\n3,4,5\n6,7,8\n",  # all of its values are whole
    ],
)
def test_a_first_row_of_whole_values_is_no_row_of_names(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    assert len(read_text_table(tmp_path / "t.csv").frame) == 3


@pytest.mark.parametrize(("first", "written"), [(0, "%.18e"), (1, "%.4f"), (7, "%g"), (0, "%d")])
def test_a_first_column_that_counts_is_left_out_however_it_is_written(tmp_path, first, written):
    values = np.random.default_rng(0).normal(size=(9, 3)).round(3)
    rows = np.c_[np.arange(first, first + 9), values]
    np.savetxt(tmp_path / "t.txt", rows, fmt=[written, "%.18e", "%.18e", "%.18e"])
    pool = Pool.from_file(tmp_path / "t.txt")
    assert np.allclose(pool.vectors, values)
    assert "the first column counts the rows: it is left out" in pool.provenance["made_from"]["taken"]
    rows[4, 0] += 0.5
    np.savetxt(tmp_path / "t.txt", rows)
    assert Pool.from_file(tmp_path / "t.txt").vectors.shape == (9, 4)


@pytest.mark.parametrize(("told", "held"), [("30 3", True), ("300 3", False), ("29 3", False), ("30 300", False)])
def test_the_numbers_above_vectors_of_words_are_those_of_what_follows(tmp_path, told, held):
    rows = np.random.default_rng(0).normal(size=(30, 3)).round(4)
    lines = [f"word{i} {' '.join(map(str, row))}" for i, row in enumerate(rows)]
    (tmp_path / "w.txt").write_text("\n".join([told, *lines]) + "\n")
    if held:
        assert np.allclose(Pool.from_file(tmp_path / "w.txt").vectors, rows)
        return
    with pytest.raises(ValueError, match=r"w\.txt.*(first line .* 30 lines of 4 cells.*cut off|line 2 has 4 cells)"):
        Pool.from_file(tmp_path / "w.txt")
