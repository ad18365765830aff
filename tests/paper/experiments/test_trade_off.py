"""Fig. 3 and its equal-budget curves from a hand-made sweep."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.experiments import catalogue
from elsa_nb.paper.experiments.trade_off import figures, tables
from elsa_nb.paper.runs.grid import changed
from elsa_nb.paper.runs.simulation import BUDGETS
from elsa_nb.search.readings import READINGS

TARGETS = ("tight", "sparse", "typical")
CHANGES = {
    "ELSA": ("a=25, alpha_2=2.0", "a=50, alpha_2=2.0", "a=100, alpha_2=2.0"),
    "No Active": ("a=50, alpha_2=2.0",),
    "NN": ("a=50, rounds=5", "a=50, rounds=10"),
}
SIZE, SEEDS = 100, 5


def run(target, reading, arm, change, repeat):
    """Return the row of a search that finds at a steady pace, NN faster than the others."""
    a, rounds = int(change.split(",")[0][2:]), int(change.split("rounds=")[-1]) if arm == "NN" else 10
    labels = a * rounds // 2 + 10 * repeat
    found = min(SIZE, SEEDS + labels // (4 if arm == "NN" else 6))
    return {
        "target": target,
        "reading": reading,
        "arm": arm,
        "change": change,
        "repeat": repeat,
        "seeds": SEEDS,
        "class_size": SIZE,
        "pool_size": 10_000,
        "labels": labels,
        "discovery_rate": found / SIZE,
        "labelling_efficiency": found / labels,
        "discovery_at": np.minimum(BUDGETS / labels, 1) * found / SIZE,
    }


@pytest.fixture
def runs():
    rows = [
        run(target, reading, arm, change, repeat)
        for target, reading, repeat in product(TARGETS, ("paper", "released-code"), range(5))
        for arm, changes in CHANGES.items()
        for change in changes
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def classes(runs):
    table = pd.DataFrame({"target": sorted(TARGETS), "members": SIZE, "purity": [0.1, 0.9, 0.5]})
    return tables.classes_by_role(runs, table)


def test_the_three_classes_keep_the_order_of_the_sweep(classes, runs):
    assert classes[["role", "target"]].values.tolist() == [
        ["tightest", "tight"],
        ["sparsest", "sparse"],
        ["median", "typical"],
    ]
    with pytest.raises(ValueError, match="1 classes in the runs; the sweep has 3"):
        tables.classes_by_role(runs[runs["target"] == "tight"], classes)


def test_the_sweep_tries_the_default_of_every_arm():
    tried = {(arm, change.text) for change in catalogue.sweep("trade-off", "full").changes for arm in change.arms}
    assert set(tables.DEFAULT_SETTINGS.items()) <= tried
    for (reading, arm), change in product(product(READINGS, tables.DEFAULT_SETTINGS), tables.DEFAULT_SETTINGS.values()):
        if tables.DEFAULT_SETTINGS[arm] == change:  # the default of an arm is its reading as it is
            config = READINGS[reading][arm]
            assert changed(config, change) == config


def test_points_are_the_medians_and_extremes_of_the_repeats(runs):
    points = tables.setting_points(runs)
    assert len(points) == len(TARGETS) * 2 * 6
    one = points.query("target == 'tight' and reading == 'paper' and arm == 'ELSA' and default").iloc[0]
    assert one["change"] == "a=50, alpha_2=2.0"
    assert (one["labels"], one["labels_low"], one["labels_high"]) == (270, 250, 290)
    assert one["discovery_rate_low"] <= one["discovery_rate"] <= one["discovery_rate_high"]
    assert points.groupby(["target", "reading", "arm"])["default"].sum().eq(1).all()


def test_the_front_holds_what_nothing_beats():
    values = np.array([[0.1, 0.9], [0.2, 0.8], [0.2, 0.7], [0.05, 0.9], [0.3, 0.1], [0.3, 0.1]])
    assert (~tables.beaten_by(values, values)).tolist() == [True, True, False, False, True, True]
    rng = np.random.default_rng(0)
    cloud = rng.random((60, 2))
    front = ~tables.beaten_by(cloud, cloud)
    for i, point in enumerate(cloud):
        assert front[i] == (not any((other > point).all() for other in cloud))


def test_the_front_is_that_of_one_arm_class_and_reading(runs):
    points = tables.setting_points(runs)
    assert points.groupby(["target", "reading", "arm"])["front"].any().all()
    single = points[points["arm"] == "No Active"]
    assert single["front"].all()  # alone in its arm, though another arm beats it


def test_beaten_counts_configurations_that_some_other_arm_beats(runs, classes):
    points = tables.setting_points(runs)
    table = tables.shares_beaten(points, classes)
    assert table["reading"].tolist() == ["paper"] * 6 + ["released-code"] * 6
    elsa = table.query("reading == 'paper' and `class` == 'tightest' and arm == 'ELSA'").iloc[0]
    assert elsa["beaten by NN"] == pytest.approx(2 / 3)  # a=100 finds more than all of NN's
    assert elsa["default beaten by NN"]
    assert elsa["of NN's, beaten by it"] == 0
    tied = tables.shares_beaten(points.assign(discovery_rate=1.0), classes)
    assert tied["beaten by NN"].eq(1).all()  # as much found for fewer labels is a win, too


def test_a_default_curve_stops_where_its_searches_do_and_the_best_goes_on(runs):
    curves = tables.budget_curves(runs)
    elsa = curves.query("target == 'tight' and reading == 'paper' and arm == 'ELSA'")
    end = elsa[elsa["ended"]].iloc[0]
    assert end["labels"] == BUDGETS[BUDGETS <= 270].max()
    assert elsa.loc[elsa["labels"] > 270, "default"].isna().all()
    assert elsa["labels"].max() == BUDGETS[BUDGETS <= 520].max()
    running = elsa.dropna(subset="default")
    assert (running["low"] <= running["default"]).all()
    assert (running["default"] <= running["high"]).all()
    assert (running["default"] <= running["best"] + 1e-12).all()
    assert elsa["best"].is_monotonic_increasing
    ideal = curves.query("target == 'tight' and arm == 'ideal'")
    assert ideal["default"].max() == 1
    with pytest.raises(ValueError, match="the default configuration was not run"):
        tables.budget_curves(runs[runs["change"] != "a=50, rounds=10"])


def test_equal_labels_are_laid_side_by_side(runs, classes):
    table = tables.rates_at_labels(tables.budget_curves(runs), classes, 100)
    assert table.index.tolist() == list(product(("paper", "released-code"), tables.CLASS_ROLES))
    assert table.columns.tolist() == list(product(("default", "best"), CHANGES))
    line = table.loc[("paper", "tightest")]
    assert line["default", "NN"] > line["default", "ELSA"]
    assert line["best", "ELSA"] > line["default", "ELSA"]


def test_the_figures_have_a_panel_a_class_and_reading(runs, classes):
    points, curves = tables.setting_points(runs), tables.budget_curves(runs)
    for figure in (
        figures.plot_trade_off(points, classes),
        figures.plot_budget(curves, classes),
    ):
        assert len(figure.axes) == 6
        assert [ax.get_title().split(":")[0] for ax in figure.axes[:3]] == list(tables.CLASS_ROLES)
        texts = {text.get_text() for text in figure.legends[0].get_texts()}
        assert set(CHANGES) <= texts
