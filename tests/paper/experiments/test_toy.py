"""The toy space is what the paper describes, the search on it is the real one, and its tables say what happened."""

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.experiments.toy import space as toy
from elsa_nb.paper.experiments.toy import stored
from elsa_nb.search.oracle import Truth, simulate


@pytest.fixture(scope="module")
def space():
    return toy.draw_space(0)


@pytest.fixture(scope="module")
def history(space):
    return toy.watch_search(space, 0, toy.toy_config())


def test_the_space_has_the_parts_the_paper_names(space):
    sizes = {name: int((space.part == name).sum()) for name in (*toy.CLASS_PARTS, "other")}
    assert sizes == {"C1": 25, "C2": 25, "C3": 25, "C4": 25, "bridge": 8, "stray": 8, "other": 1400}
    assert space.part[space.seed] == "C2"
    assert space.positive.sum() == 116
    assert space.points.dtype == np.float32


def test_only_c2_and_c3_are_connected_by_positives(space):
    """Hop from positive to positive by at most a third of the gap between neighbouring clusters."""
    points = space.points[space.positive & (space.part != "stray")].astype(float)
    part = space.part[space.positive & (space.part != "stray")]
    near = ((points[:, None] - points) ** 2).sum(2) < 0.4**2
    reached = part == "C2"
    for _ in range(len(points)):
        reached = near[reached].any(0)
    assert set(part[reached]) == {"C2", "bridge", "C3"}


def test_strays_keep_clear_of_the_clusters():
    for number in range(20):
        space = toy.draw_space(number)
        strays = space.points[space.part == "stray"].astype(float)
        for angle, distance in toy.FAN.values():
            centre = distance * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
            assert (np.linalg.norm(strays - centre, axis=1) > toy.FOUR_CLUSTERS.gap - 1e-6).all()


def test_a_number_is_one_space_and_another_number_another(space):
    assert np.array_equal(space.points, toy.draw_space(0).points)
    assert not np.array_equal(space.points, toy.draw_space(1).points)


def test_fig_1_has_three_clusters_and_the_control_puts_c4_behind():
    three = toy.draw_space(0, toy.ToyGeometry(toy.THREE))
    assert set(three.part) == {"C1", "C2", "C3", "bridge", "stray", "other"}
    behind = toy.draw_space(0, toy.ToyGeometry(toy.OPPOSITE))
    assert behind.points[behind.part == "C4"].mean(0).sum() < -3


def test_the_history_is_the_log_of_a_plain_search(space, history):
    search = toy.search_in(space, 0, toy.toy_config())
    log = simulate(search, Truth(space.positive))
    asked = np.full(len(space.points), toy.NEVER_ASKED)
    asked[log.rows], asked[space.seed] = log.rounds + 1, 0
    assert np.array_equal(history["asked"], asked)
    assert history["component"][asked == toy.NEVER_ASKED].unique().tolist() == [""]
    assert history["component"][space.seed] == "seed"


def test_the_final_search_asks_exactly_what_was_likely(history):
    last = history["asked"].max()
    assert last == toy.TOY_SCALE["rounds"] + 1
    assert np.array_equal(history[f"likely_{last}"], history["component"] == "FINAL")
    assert not history["likely_1"].any()  # no head before the first answers


def test_the_released_code_is_watched_with_its_repeated_questions(space):
    frame = toy.watch_search(space, 0, toy.toy_config("released-code"))
    assert (frame["asked"] == 0).sum() == 1  # the seed, asked again in the zero pass, keeps its place
    assert frame["asked"].max() > 1


def test_states_add_up(space, history):
    states = toy.states_by_round(history)
    assert list(states.index) == ["the seed", *(f"round {k}" for k in range(1, 6)), "final search"]
    assert states["found"].equals(states[list(toy.CLASS_PARTS)].sum(axis=1).rename("found"))
    assert states.loc["the seed", "found"] == 1
    found = states[["NN found", "RANDS found", "FINAL found"]].sum(axis=1).cumsum() + 1
    assert found.tolist() == states["found"].tolist()
    assert states["labels"].iloc[-1] == (history["asked"] >= 0).sum()


def test_reach_counts_the_points_within(space):
    reach = toy.neighbour_reach(space, 25).set_index("what")
    assert reach.loc["nearest", "labels"] == 25
    distance = np.linalg.norm(space.points.astype(float) - space.points[space.seed], axis=1)
    for name in ("C1", "C3", "C4"):
        inside = distance <= reach.loc[name, "radius"]
        assert inside.sum() - 1 == reach.loc[name, "labels"]
        assert (inside & (space.part == name)).sum() == 23  # nine in ten of 25


def test_repeated_searches_agree_with_the_watched_one(history):
    runs = toy.repeat_searches(
        3, {"paper": toy.TOY_CASES["paper reading"], "alone": toy.TOY_CASES["paper reading, NN alone"]}
    )
    assert runs[["case", "number"]].values.tolist() == [[c, k] for c in ("paper", "alone") for k in range(3)]
    last = toy.states_by_round(history).iloc[-1]
    shown = runs.iloc[0]
    assert (shown["labels"], shown["final"]) == (last["labels"], last["FINAL asked"])
    assert shown["discovery"] == pytest.approx(last["found"] / 116)
    table = toy.typical_outcomes(runs)
    assert table.loc["paper", "discovery, space 0"] == shown["discovery"]
    assert table.loc["alone", "of them final search"] == 0


def test_an_unknown_arm_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no arm 'NN' in a reading 'papers'; allowed: .*'released-code', 'ELSA'"):
        toy.toy_config("papers", "NN")


def test_the_stored_searches_are_those_that_are_made_now():
    kept = stored.toy_results().runs
    assert kept.groupby("case", sort=False).size().to_dict() == dict.fromkeys(toy.TOY_CASES, stored.SPACES)
    again = toy.repeat_searches(3)
    first = kept[kept["number"] < 3].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, again, check_dtype=False)
