"""No number stands in a notebook's prose that no frame backs; what no frame can hold has a reason."""

import re

import prose
import prose_computed
import pytest

from elsa_nb.paper.publishing.notebooks import notebook_paths
from elsa_nb.store import ROOT

PATHS = notebook_paths()
POINTS = prose.points_of_page(ROOT / "docs" / "pages" / "results.md", PATHS, "\n## In words\n")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_number_in_prose_is_in_a_frame_or_has_a_reason(path):
    stated = prose.stated_for(path.stem)
    parts = prose.parts_of_notebook(path)
    assert [number for part in parts for number in prose.unbacked(part.text, part.values, stated)] == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_range_in_prose_is_from_the_least_to_the_largest_of_something(path):
    stated = [row["number"] for row in prose.reasons() if row["page"] == path.stem and row["computed"]]
    parts = prose.parts_of_notebook(path)
    assert [found for part in parts for found in prose.ranges_not_backed(part.text, part.ranges, stated)] == []


@pytest.mark.parametrize("part", POINTS, ids=lambda part: part.text[:30])
def test_what_the_page_of_results_says_in_words_is_in_the_notebooks_it_links_to(part):
    stated = prose.stated_for("results")
    assert prose.unbacked(part.text, part.values, stated) == []
    assert prose.ranges_not_backed(part.text, part.ranges, stated) == []


@pytest.mark.parametrize(
    "row", [row for row in prose.reasons() if row["computed"]], ids=lambda row: f"{row['page'][:2]}-{row['number']}"
)
def test_what_follows_from_results_is_what_they_say_now(row):
    assert prose.is_backed(row["number"], [prose_computed.computed(row["computed"])]), row


def test_no_reason_is_a_sentence_that_could_get_stale():
    """What can be computed is: a number that a figure, a table or a ratio is the reason for."""
    asserted = [row for row in prose.reasons() if not row["computed"]]
    named = [row for row in asserted if re.search(r"figures/|\.csv|ratio|table|printed|medians?\b", row["why"])]
    assert named == []


def test_every_reason_is_needed():
    """A number that is gone from its page takes its reason with it."""
    rows = prose.reasons()
    assert all(row["why"] for row in rows)
    pages = {path.stem: prose.parts_of_notebook(path) for path in PATHS} | {"results": POINTS}
    written = {page: {n for part in parts for n, _ in prose.numbers_in(part.text)} for page, parts in pages.items()}
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


def test_a_range_has_both_ends_from_one_group():
    """NN finds 0.03 to 0.12, NN.Large 0.04 to 0.15: no arm finds 0.03 to 0.15."""
    of_arms = {(0.0323, 0.1173), (0.0369, 0.1488)}
    assert prose.ranges_not_backed("printed are 0.03-0.12, or 4-15 %", of_arms) == []
    assert prose.ranges_not_backed("printed are 0.03-0.15 in Tables 3-4, by 9-21 points", of_arms) == [
        "0.03-0.15",
        "9-21",
    ]
    assert prose.ranges_not_backed("by 9-21 points", of_arms, stated=["9", "21"]) == []


def test_tables_of_one_comparison_count_as_one():
    assert (0.0323, 0.1173) in {(low, high) for low, high in prose.frame_ranges("table03", "table04")}
