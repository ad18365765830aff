"""A file of one id a line, and a table of ids in a file with the same ending: which is which, and what was assumed."""

import re
from operator import itemgetter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.column_names import ITEM, find_name
from elsa_nb.formulas import meant
from elsa_nb.pool import Pool
from elsa_nb.text_layout import is_number
from elsa_nb.vector_files import read_ids

# Cells of titles and of file names; none is a number, a known name of a column, or has the mark of our own CSV files.
CELLS = st.text(st.sampled_from("abcxyz 0123-'.ü"), min_size=1, max_size=8).map(str.strip)
CELLS = CELLS.filter(lambda cell: cell and find_name([cell]) is None and not is_number(cell) and meant(cell) == cell)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lists")


def pool_of(folder, lines, n, name="ids.txt"):
    np.save(folder / "v.npy", np.eye(n))
    (folder / name).write_text("\n".join(lines) + "\n")
    return Pool.from_file(folder / "v.npy", folder / name)


@settings(max_examples=15, deadline=None)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS), min_size=3, max_size=7, unique_by=(itemgetter(0), itemgetter(1))),
    name=st.sampled_from(ITEM),
    first=st.booleans(),
    mark=st.sampled_from([", ", ",", ";", "|"]),
)
def test_lines_whose_commas_are_equally_many_lose_none_silently(folder, rows, name, first, mark):
    rows = [(name, rows[0][1]) if first else (rows[0][0], name), *rows[1:]]
    lines = [mark.join(row) for row in rows]
    with pytest.raises(ValueError, match=r"its first line .* was taken for the names of columns, and .* left"):
        pool_of(folder, lines, len(lines))
    pool = pool_of(folder, ["item", *lines], len(lines))  # the cure
    assert pool.ids.tolist() == lines
    # With one vector less it is a table, of which is said what was assumed.
    pool = pool_of(folder, lines, len(lines) - 1)
    assert pool.n == len(lines) - 1
    said = "; ".join(pool.provenance["made_from"]["taken"])
    assert re.search(r"its first line \(.*\) is taken for the names of columns; if it is an id, write item above", said)


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=2, max_size=7, unique_by=tuple))
def test_lines_without_a_known_name_are_ids_each(folder, rows):
    lines = [", ".join(row) for row in rows]
    assert pool_of(folder, lines, len(lines)).ids.tolist() == lines


@settings(max_examples=15, deadline=None)
@given(
    ids=st.lists(CELLS, min_size=2, max_size=5, unique=True),
    words=st.lists(st.sampled_from(["a, b", "c; d", "x|y", "plain"]), min_size=5, max_size=5),
    mark=st.sampled_from(",;|\t"),
)
def test_a_mark_inside_quotation_marks_makes_no_other_table(folder, ids, words, mark):
    rows = [f"item{mark}note", *(f'"{name}"{mark}"{word}"' for name, word in zip(ids, words, strict=False))]
    (folder / "t.txt").write_text("\n".join(rows) + "\n")
    assert read_ids(folder / "t.txt") == ids


@pytest.mark.parametrize(
    "lines",
    [
        ["Castle", "Image, red", "Lake, green", "Sea, blue"],  # no title above a table
        ['"Image, red"', '"Castle, blue"', '"Lake, green"'],  # R puts each in quotation marks
        ["Image, red", *(f"Castle {number}, blue" for number in range(30)), "Lake"],
        ["a.jpg\t", "b.jpg\t", "c.jpg\t"],
    ],
)
def test_other_lines_are_ids_each(tmp_path, lines):
    wanted = [line.strip('"') for line in lines]
    assert [name.rstrip() for name in pool_of(tmp_path, lines, len(lines)).ids] == [name.rstrip() for name in wanted]


def test_a_table_of_ids_of_which_one_lacks_says_what_its_first_line_was_taken_for(tmp_path):
    with pytest.raises(ValueError, match=r"ids.csv: its first line \(Image, red\) was taken .* 2 ids are left for 3"):
        pool_of(tmp_path, ["Image,red", "Castle,blue", "Lake,green"], 3, "ids.csv")
