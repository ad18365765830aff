"""No number stands in a notebook's prose that no frame backs; what no frame can hold has a reason."""

import csv

import prose
import pytest

from elsa_nb.paper.publishing.notebooks import notebook_paths

PATHS = notebook_paths()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_number_in_prose_is_in_a_frame_or_has_a_reason(path):
    stated = prose.stated_for(path.stem)
    lacking = [prose.unbacked(text, values, stated) for text, values in prose.parts_of_notebook(path)]
    assert [number for part in lacking for number in part] == []


def test_every_reason_is_needed():
    """A number that is gone from its page takes its reason with it."""
    with prose.STATED.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert all(row["why"] for row in rows)
    written = {
        path.stem: {n for text, _ in prose.parts_of_notebook(path) for n, _ in prose.numbers_in(text)} for path in PATHS
    }
    anywhere = set().union(*written.values())
    left_over = [row for row in rows if row["number"] not in written.get(row["page"], anywhere)]
    assert left_over == []


def test_names_and_code_hold_no_numbers():
    text = "In Table 5 and section 6.3, `a = 50`, [02-one](02-one.ipynb), Food-101, (1) 0.97-0.99 of 4,600."
    assert prose.numbers_in(text) == [("0.97", False), ("0.99", False), ("4,600", False)]
    assert prose.numbers_in("9 to 24 % of it, by 8 points") == [("9", True), ("24", True), ("8", True)]


@pytest.mark.parametrize(
    ("text", "values", "lacking"),
    [
        ("0.84 of it", {0.837}, []),
        ("0.84 of it", {0.846}, ["0.84"]),
        ("84 % of it", {0.837}, []),
        ("84 of it", {0.837}, ["84"]),
        ("4,600 labels", {4587.0}, []),
        ("4,610 labels", {4587.0}, ["4,610"]),
        ("115 of 174", {174.0}, ["115"]),
    ],
)
def test_a_number_is_backed_to_the_digits_it_is_given_in(text, values, lacking):
    assert prose.unbacked(text, values) == lacking


def test_intervals_do_not_back_prose():
    assert prose.values_in("<td>0.93 [0.90, 0.96]</td> 2,615") == {0.93, 2615.0}
