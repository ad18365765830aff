"""Errors are paired with the same search without them, and real ones with random ones; what is missed counts dear."""

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.experiments.people import figures, tables


def searched(errors, again, spent, **other):
    """Return a search for each class of "abcdefgh": twice `spent` are the labels to 80 % of it kept, one less shown."""
    common = {"pool": "glyphs", "repeat": 0, "arm": "ELSA", "errors": errors, "again": again, "labels": 500}
    measured = {"kept": 0.9, "discovery": 0.95, "false": 0.1, "wrong": 0.1, "asked_again": 3} | other
    return [
        common | measured | {"target": target, "kept_80": labels, "shown_80": max(labels - 1, 0)}
        for target, labels in zip("abcdefgh", 2 * spent, strict=True)
    ]


@pytest.fixture
def frame():
    rows = searched("none", False, (100, 200, 50, 0)) + searched("none", True, (110, 220, 55, 0))
    rows += searched("flips 0.1", False, (150, 0, 50, 0)) + searched("flips 0.1", True, (120, 240, 60, 300))
    rows += searched("alike 0.1", False, (300, 200, 100, 0), false=0.3)
    return tables.beside_clean(pd.DataFrame(rows))


def test_labels_are_compared_with_those_of_the_same_search_without_errors(frame):
    flips = frame[(frame["errors"] == "flips 0.1") & ~frame["again"]].set_index("target")
    assert flips["times_kept"][["a", "c"]].tolist() == [1.5, 1.0]
    assert flips["times_kept"]["b"] == 1.25 * tables.MOST_LABELS["glyphs"] / 200  # it stopped at 500 labels
    assert np.isnan(flips["times_kept"]["d"])  # the search without errors does not come so far either
    assert flips["reached"].tolist() == 2 * [True, False, True, False]
    assert (flips["kept_points"] == 0).all()
    again = frame[(frame["errors"] == "flips 0.1") & frame["again"]].set_index("target")
    assert again["times_kept"]["a"] == 1.2  # of the one that asks nothing again


def test_a_cost_is_a_median_in_its_interval_and_says_what_it_rests_on(frame):
    costs = tables.cost_of_errors(frame).set_index(["errors", "again"])
    row = costs.loc[("flips 0.1", False)]
    assert (row["classes"], row["searches"], row["reached"], row["against"]) == (8, 8, 4, 6)
    assert row["times_kept"] == 1.5
    assert 1 <= row["times_kept_low"] <= row["times_kept"] <= row["times_kept_high"] <= 5
    goal = tables.goal_reached(frame).set_index("again")
    assert goal["times"].to_dict() == {False: 1.5, True: 1.2}
    assert goal["met"].all()
    assert not tables.goal_reached(frame.assign(reached=False))["met"].any()  # a median of what nobody reached


def test_real_errors_are_compared_search_by_search(frame):
    (row,) = tables.real_or_random(frame, [("glyphs", "alike 0.1", "flips 0.1")]).to_dict("records")
    assert row["searches"] == 8
    assert row["labels_times"] == 2  # of 300 / 150, 200 / 1000 and 100 / 50; neither comes so far for the last class
    assert row["false_points"] == pytest.approx(20)
    assert row["labels_verdict"] == row["kept_verdict"] == "cannot be told"
    assert row["false_verdict"] == "more"


def test_a_verdict_needs_an_interval_on_one_side():
    rows = searched("none", False, (100, 200, 50, 80)) + searched("all", False, (110, 220, 60, 0), kept=0.6)
    frame = tables.beside_clean(pd.DataFrame(rows))
    for pair, verdicts in {("all", "none"): ("more", "less"), ("none", "all"): ("fewer", "more")}.items():
        (row,) = tables.real_or_random(frame, [("glyphs", *pair)]).to_dict("records")
        assert (row["labels_verdict"], row["kept_verdict"]) == verdicts


def test_every_committed_search_has_its_partner_and_is_summed_up():
    frame = tables.searches_with_errors()
    assert set(frame["pool"]) == set(tables.MOST_LABELS)
    assert not frame.duplicated(["pool", "repeat", "errors", "target", "arm", "again"]).any()
    clean = frame[(frame["errors"] == "none") & ~frame["again"]]
    assert set(clean["times_kept"].dropna()) == {1.0}
    assert frame.groupby(["pool", "repeat", "errors"])["target"].nunique().ge(10).all()
    stored = pd.read_csv(tables.SIMULATED / "people_who_err_summary.csv")
    assert len(stored) == len(frame.drop_duplicates(["pool", "errors", "arm", "again"]))
    some = tables.cost_of_errors(frame[frame["errors"] == "flips 0.1"]).drop(columns="pool").round(3)
    same = stored[stored["errors"] == "flips 0.1"].drop(columns="pool").reset_index(drop=True)
    pd.testing.assert_frame_equal(some, same)
    assert set(frame.loc[frame["pool"] == "photographs", "repeat"]) == set(range(5))
    assert all(
        ((frame["pool"] == pool) & (frame["errors"] == errors)).any()
        for pool, *two in tables.REAL_OR_RANDOM
        for errors in two
    )


def test_all_that_is_drawn_of_an_arm_can_be_told_apart(frame):
    """Lines and marks, errors as they are and asked again: as many kinds in a panel as in the legend."""
    rows = pd.concat([frame, frame[frame["errors"] == "alike 0.1"].assign(again=True)])
    figure = figures.plot_flips(tables.cost_of_errors(rows))
    drawn = {_look(container.lines[0]) for container in figure.axes[0].containers}
    legend = figure.legends[0]
    assert len(drawn) == len(figure.axes[0].containers) == len(legend.get_texts()) == 4
    marks = {(line.get_linestyle(), line.get_marker()) for line in legend.get_lines()}
    assert {mark for line, mark in marks if line == "None"} == {look[1] for look in drawn if look[0] == "None"}


def _look(line):
    return line.get_linestyle(), line.get_marker(), line.get_markerfacecolor()
