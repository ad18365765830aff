"""Two silent choices at a time: what they change together, and by how much that is not what both alone come to."""

from itertools import combinations, combinations_with_replacement

import pandas as pd
import pytest

from elsa_nb.paper.experiments.hyperparameters import figures, tables
from elsa_nb.paper.experiments.hyperparameters.sweep import CHOICES_IN_PAIRS, TOGETHER

FIRST, SECOND, THIRD = TOGETHER[:3]
FACTORS = {choice: 1 + i / 4 for i, choice in enumerate(TOGETHER)}  # of labels, alone


def labels_of(arm, change):
    """100 (No Active: 300) labels; choices multiply, but for the first two, which together cost twice that."""
    labels = 300 if arm == "No Active" else 100
    for choice in filter(None, change.split(", ")):
        labels *= FACTORS[choice]
    return 2 * labels if change == f"{FIRST}, {SECOND}" else labels


@pytest.fixture(scope="module")
def runs():
    rows = [
        {
            "arm": arm,
            "change": change.text,
            "target": target,
            "seeds": 5,
            "repeat": repeat,
            "labels": labels_of(arm, change.text) * (1 + repeat),
            "discovery_rate": 0.8 - 0.1 * (change.text == FIRST) - 0.2 * (arm == "No Active"),
        }
        for arm in ("ELSA", "No Active")
        for change in CHOICES_IN_PAIRS.changes
        for target in ("A", "B", "C")
        for repeat in (0, 1)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


@pytest.fixture(scope="module")
def frame(runs):
    return tables.choices_in_pairs(runs)


def cell(frame, arm, first, second, effect):
    row = frame[(frame[["arm", "first", "second", "effect"]] == [arm, first, second, effect]).all(axis=1)]
    assert len(row) == 1
    assert row["searches"].item() == 6
    assert row["low"].item() <= row["median"].item() <= row["high"].item()
    return row["median"].item()


def test_every_pair_is_run_once_and_has_a_name():
    texts = [change.text for change in CHOICES_IN_PAIRS.changes]
    assert len(set(texts)) == len(texts) == 1 + len(TOGETHER) + len(list(combinations(TOGETHER, 2)))
    assert list(tables.PAIR_TITLES) == list(TOGETHER)


@pytest.mark.parametrize("arm", ["ELSA", "No Active"])
def test_a_pair_is_compared_with_the_arm_as_it_is_and_with_both_alone(frame, arm):
    for first, second in combinations(TOGETHER, 2):
        extra = 2 if (first, second) == (FIRST, SECOND) else 1
        assert cell(frame, arm, first, second, "beyond") == pytest.approx(extra)
        assert cell(frame, arm, first, second, "labels") == pytest.approx(extra * FACTORS[first] * FACTORS[second])
        assert cell(frame, arm, first, second, "discovery") == pytest.approx(0)
    assert cell(frame, arm, FIRST, FIRST, "discovery") == pytest.approx(-0.1)
    assert cell(frame, arm, THIRD, THIRD, "labels") == pytest.approx(FACTORS[THIRD])


def test_arms_are_compared_under_the_same_choices(frame):
    for first, second in combinations_with_replacement(TOGETHER, 2):
        assert cell(frame, "ELSA", first, second, "saved") == pytest.approx(3)
        assert cell(frame, "ELSA", first, second, "ahead") == pytest.approx(0.2)
    assert not frame[frame["arm"] == "No Active"]["effect"].isin(["saved", "ahead"]).any()
    assert not (frame[frame["first"] == frame["second"]]["effect"] == "beyond").any()


def test_searches_that_lose_much_are_counted_apart(runs):
    stuck = (runs["arm"] == "ELSA") & (runs["change"] == SECOND) & (runs["target"] == "A")
    shares = tables.much_lost(runs.assign(discovery_rate=runs["discovery_rate"].where(~stuck, 0.1)))
    assert shares.loc[SECOND].to_dict() == {"ELSA": pytest.approx(1 / 3), "No Active": 0}
    assert shares.drop(index=SECOND).to_numpy().max() == 0
    assert tables.much_lost(runs, 0.05).loc[FIRST].tolist() == [1, 1]


def test_the_figure_shows_every_pair_and_frames_those_that_are_more_than_both_alone(frame):
    figure = figures.plot_choices_in_pairs(frame)
    points, labels = figure.axes[:2]
    pairs = list(combinations_with_replacement(TOGETHER, 2))
    assert len(points.texts) == len(labels.texts) == len(pairs)
    assert {text.get_text() for text in points.texts} == {"0", "-10"}
    assert f"{2 * FACTORS[FIRST] * FACTORS[SECOND]:.2f}" in {text.get_text() for text in labels.texts}
    assert [frame.get_xy() for frame in labels.patches] == [(-0.46, 1 - 0.44)]
    assert not points.patches
