"""The variants of Fig. 6 see one moment of one search, and are counted as they are drawn."""

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.experiments.toy import rands
from elsa_nb.paper.experiments.toy import space as toy
from elsa_nb.search.oracle import Truth


@pytest.fixture(scope="module")
def frame():
    return rands.proposals(0)


@pytest.fixture(scope="module")
def search():
    space = toy.draw_space(0)
    search = toy.search_in(space, 0, toy.toy_config())
    search.update(Truth(space.positive).label(search.query().rows))
    return search


def test_nn_is_what_the_search_itself_asks_next(frame, search):
    batch = search.query()
    nearest = frame.loc[frame["variant"] == rands.NN_PROPOSALS, "row"]
    assert nearest.tolist() == batch.rows[batch.components == 0].tolist()


def test_every_variant_asks_new_points_once(frame):
    history = toy.watch_search(toy.draw_space(0), 0, toy.toy_config())
    known = np.flatnonzero(history["asked"].isin([0, 1]))
    assert frame["variant"].unique().tolist() == list(rands.VARIANTS)
    for _, rows in frame.groupby("variant"):
        assert rows["row"].is_unique
        assert not np.isin(rows["row"], known).any()
        assert len(rows) <= toy.TOY_SCALE["b"]


def test_all_but_plain_random_search_start_from_the_likely(frame):
    likely = set(np.flatnonzero(toy.watch_search(toy.draw_space(0), 0, toy.toy_config())["likely_2"]))
    rows = frame.loc[frame["variant"] == rands.RANDOM_LIKELY, "row"]
    assert set(rows) <= likely
    anywhere = frame.loc[frame["variant"] == rands.RANDOM_ANYWHERE, "row"]
    assert not set(anywhere) <= likely


def test_counts_of_a_drawn_case():
    frame = pd.DataFrame(
        {
            "variant": "v",
            "x": [0.0, 3.0, 3.0],
            "y": [0.0, 4.0, 5.0],
            "positive": [True, True, False],
            "also_nn": [True, False, False],
            "reaches": ["C1", "C1", ""],
        }
    )
    assert rands.proposal_counts(frame).loc["v"].tolist() == [3, 2, 1, 1, 1.0]


def test_section_4_draws_from_the_neighbours_of_all_likely_points(frame):
    seen = toy.watch_search(toy.draw_space(0), 0, toy.toy_config())
    points, likely = seen[["x", "y"]].to_numpy(), np.flatnonzero(seen["likely_2"])
    unasked = np.flatnonzero(~seen["asked"].isin([0, 1]))
    apart = ((points[likely][:, None] - points[unasked]) ** 2).sum(2)
    apart[likely[:, None] == unasked] = np.inf
    centres = set(unasked[apart.argmin(1)])
    rows = frame.loc[frame["variant"] == rands.SECTION_4, "row"]
    assert set(rows) <= centres
    assert len(rows) == min(len(centres), toy.TOY_SCALE["b"])


def test_counts_of_spaces_stand_one_by_one_and_are_compared_within_a_space(frame):
    rounds = rands.counts_by_space(2)
    again = rands.proposal_counts(frame)
    first = rounds[rounds["number"] == 0].set_index("variant").drop(columns="number")
    pd.testing.assert_frame_equal(first, again)
    means = rands.mean_counts(rounds)
    apart = means.loc[rands.ALGORITHM_2, "positives"] - means.loc[rands.RANDOM_LIKELY, "positives"]
    assert rands.differences(rounds).loc[rands.ALGORITHM_2, "positives"].startswith(f"{apart:+.2f} [")
