"""Fig. 9 from hand-made runs: rounds that are missing, classes by a rule, and what is drawn."""

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.experiments.components import figures, rounds
from elsa_nb.paper.runs import place, purity
from elsa_nb.paper.runs.simulation import Prepared
from elsa_nb.pool import Pool
from elsa_nb.search.neighbours.lists import Neighbours

NOTHING = np.array([], int)


def run(target, arm, repeat, nn, rands=NOTHING, reading="paper", **others):
    return {
        "encoder": "vicreg",
        "seeds": 5,
        "target": target,
        "arm": arm,
        "repeat": repeat,
        "reading": reading,
        "nn_found_by_round": np.array(nn),
        "nn_asked_by_round": np.full(len(nn), 50),
        "rands_found_by_round": np.array(rands),
        "rands_asked_by_round": np.full(len(rands), 60),
    } | others


@pytest.fixture
def runs():
    rows = []
    for target in ("a", "b"):
        rows += [run(target, "ELSA", i, [10 + i, 4, 2], [1, 2, 3 + i]) for i in range(5)]
        rows += [run(target, "NN", i, [8, 5][: 2 if i < 3 else 1]) for i in range(5)]
    rows.append(run("a", "ELSA", 0, [99, 99, 99], [99, 99, 99], seeds=1))
    rows.append(run("a", "ELSA", 0, [99, 99, 99], [99, 99, 99], encoder="barlow-twins"))
    return pd.DataFrame(rows)


def test_a_round_is_the_median_of_its_runs_and_a_run_that_stopped_finds_nothing(runs):
    frame = rounds.finds_by_round(runs, ["b", "a"])
    assert list(dict.fromkeys(frame["target"])) == ["b", "a"]
    nn = frame.query("target == 'a' and series == 'NN in ELSA'").set_index("round")
    assert nn["median"].tolist() == [12, 4, 2]
    assert nn.loc[1, ["low", "high"]].tolist() == [10, 14]
    alone = frame.query("target == 'a' and series == 'NN alone'").set_index("round")
    assert alone["median"].tolist() == [8, 5]
    assert alone.loc[2, ["low", "high", "running"]].tolist() == [0, 5, 0.6]
    rands = frame.query("target == 'a' and series == 'RandS in ELSA'")
    assert rands["median"].tolist() == [1, 2, 5]


def test_what_was_not_run_is_named(runs):
    with pytest.raises(ValueError, match="no run of 'NN' for class 'a' with 5 seeds, paper reading"):
        rounds.finds_by_round(runs[(runs["arm"] == "ELSA") | (runs["target"] == "b")], ["a"])
    with pytest.raises(ValueError, match=r"no runs of encoder 'vicreg' with 5 seeds for the classes \['z'\]"):
        rounds.finds_by_round(runs, ["z"])
    with pytest.raises(ValueError, match="no run of 'NN' for class 'a' with 5 seeds, paper reading"):
        rounds.totals_by_series(runs[(runs["arm"] == "ELSA") | (runs["target"] == "b")], ["a"])


def test_totals_count_finds_and_labels_of_each_series(runs):
    table = rounds.totals_by_series(runs, ["a", "b"]).set_index(["target", "series"])
    assert table.loc[("a", "NN in ELSA"), ["found", "asked"]].tolist() == [18, 150]
    assert table.loc[("a", "RandS in ELSA"), ["found", "asked"]].tolist() == [8, 180]
    assert table.loc[("a", "NN alone"), ["found", "asked"]].tolist() == [13, 100]
    assert table.loc[("a", "NN alone"), "found per 100 labels"] == 13
    wide = rounds.lay_out_totals(rounds.totals_by_series(runs, ["a", "b"]))
    assert wide.index.tolist() == [("paper", "a"), ("paper", "b")]
    assert wide.loc[("paper", "a"), ("found", "NN alone")] == 13


def test_the_figure_has_a_panel_a_class_and_reading(runs):
    both = pd.concat([runs, runs.assign(reading="released-code")])
    classes = pd.DataFrame({"target": ["b", "a"], "members": 100, "purity": [0.9, 0.1]})
    figure = figures.plot_rounds(rounds.finds_by_round(both, ["b", "a"]), classes)
    assert len(figure.axes) == 4
    assert [ax.get_title().split("\n")[0] for ax in figure.axes[:2]] == ["b", "a"]
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(shown[:-2]) == sorted(rounds.ROUND_SERIES.values())
    assert shown[-2:] == ["extremes of a class's runs", "half of the runs had ended"]


# --- which classes


@pytest.fixture
def pool(monkeypatch):
    """120 images of a tight class, 120 of one scattered among a third, and 40 of a class too small to be placed."""
    rng = np.random.default_rng(0)
    names = np.repeat(["tight", "loose", "other", "small"], [120, 120, 120, 40])
    centres = {"tight": 9.0, "loose": 0.0, "other": 0.0, "small": -9.0}
    vectors = (np.array([centres[name] for name in names])[:, None] + rng.normal(size=(400, 4))).astype(np.float32)
    neighbours = Neighbours(vectors, k=20)
    made = Prepared(Pool.from_arrays(vectors), neighbours)
    monkeypatch.setattr(place.Place, "prepared", lambda _: made)
    monkeypatch.setattr(place.Place, "class_names", pd.Series(names))
    return neighbours


def test_tightness_is_the_share_of_neighbours_of_the_class(pool):
    without = purity.tightness("quick", ["loose", "tight"])
    assert without["target"].tolist() == ["tight", "loose"]
    assert without["purity"].iloc[0] == 1
    assert 0.3 < without["purity"].iloc[1] < 0.7
    assert without["place"].isna().all()
    pool.build(progress=False)
    placed = purity.tightness("quick", ["loose", "tight"])
    pd.testing.assert_frame_equal(placed[["target", "members", "purity"]], without[["target", "members", "purity"]])
    assert placed["of"].tolist() == [3, 3]  # the small class has no place
    assert placed["place"].iloc[0] == 1
    with pytest.raises(ValueError, match="class 'nowhere' is not one of profile 'quick'"):
        purity.tightness("quick", ["nowhere"])


def test_five_classes_are_evenly_spaced_from_the_tightest_to_the_sparsest():
    table = pd.DataFrame({"target": list("abcdefghi"), "purity": np.arange(9) / 10}).sample(frac=1, random_state=0)
    assert purity.evenly_spaced_classes(table)["target"].tolist() == ["i", "g", "e", "c", "a"]
    assert purity.evenly_spaced_classes(table.head(5))["target"].nunique() == 5
    with pytest.raises(ValueError, match="5 classes asked for; the table has 3"):
        purity.evenly_spaced_classes(table.head(3))
