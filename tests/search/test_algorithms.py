"""Algorithms 1-3 and the final search on pools that can be read off a line."""

import numpy as np
import pytest

from elsa_nb.search.algorithms import final_search, nearest_neighbours, random_search, sampler
from elsa_nb.search.neighbours.lists import Neighbours

#                 row:  0    1    2    3     4     5     6
POINTS = np.array([[0.0], [1.0], [3.0], [10.0], [11.0], [13.0], [40.0]], np.float32)


@pytest.fixture
def line():
    return Neighbours(POINTS, k=2, backend="blas")


def allow(*rows):
    mask = np.zeros(7, bool)
    mask[list(rows)] = True
    return mask


class Picks:
    """Stand in for a Generator: `choice` takes the rows named."""

    def __init__(self, *rows):
        self.rows = np.array(rows)

    def choice(self, likely, size, replace):
        assert not replace
        assert set(self.rows[:size]) <= set(likely)
        return self.rows[:size]


def test_one_list_for_all_queries_sorted_by_the_nearest(line):
    assert nearest_neighbours(line, np.array([0, 3]), 3, allow(1, 2, 4, 5, 6)).tolist() == [1, 4, 2]
    assert nearest_neighbours(line, np.array([0, 3]), 9, allow(1, 2, 4, 5, 6)).tolist() == [1, 4, 2, 5, 6]


def test_a_radius_per_query_gives_each_its_own(line):
    assert nearest_neighbours(line, np.array([0, 3]), 1, allow(1, 2, 4, 5), per="query").tolist() == [1, 4]
    assert nearest_neighbours(line, np.array([0, 3]), 2, allow(1, 2, 4, 5), per="query").tolist() == [1, 4, 2, 5]
    assert nearest_neighbours(line, np.array([3, 4]), 1, allow(5), per="query").tolist() == [5]  # once


def test_an_allowed_query_is_its_own_neighbour(line):
    assert nearest_neighbours(line, np.array([3]), 2, np.ones(7, bool)).tolist() == [3, 4]
    assert nearest_neighbours(line, np.array([3]), 2, allow(4, 5, 6)).tolist() == [4, 5]


def test_sampler_takes_scores_above_mean_and_std_of_the_whole_pool():
    scores = np.array([0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 2.0])  # mean 0.5, population std 0.707
    assert sampler(scores, 0.0, np.ones(7, bool)).tolist() == [5, 6]  # above, not at
    assert sampler(scores, 1.0, np.ones(7, bool)).tolist() == [6]
    assert sampler(scores, 0.7, np.ones(7, bool)).tolist() == [5, 6]  # 0.5 + 0.7 * 0.707 = 0.995; sample std: 1.034
    assert sampler(scores, 0.0, allow(0, 5)).tolist() == [5]
    assert sampler(np.ones(7), 0.0, np.ones(7, bool)).tolist() == []


def test_algorithm_2_returns_what_is_nearest_to_the_sampled_points(line):
    everything = np.ones(7, bool)
    likely = np.array([1, 4])
    assert random_search(line, likely, 2, 3, everything, Picks(1, 4)).tolist() == [0, 3, 2]
    # A sampled point can be another one's neighbour, never its own.
    assert random_search(line, np.array([0, 1]), 2, 2, everything, Picks(0, 1)).tolist() == [0, 1]
    assert random_search(line, np.array([6]), 1, 1, everything, Picks(6)).tolist() == [5]


def test_appendix_b_takes_one_neighbour_of_each_and_the_nearest_pairs(line):
    likely = np.array([1, 5, 6])
    everything = np.ones(7, bool)
    found = random_search(line, likely, 3, 2, everything, Picks(6, 5, 1), variant="appendix b")
    assert found.tolist() == [0, 4]  # 1 -> 0 at 1, 5 -> 4 at 4, 6 -> 5 at 729
    found = random_search(line, likely, 3, 5, everything, Picks(6, 5, 1), variant="appendix b")
    assert found.tolist() == [0, 4, 5]


def test_sampled_points_come_back_themselves_when_asked_for(line):
    found = random_search(line, np.array([1, 4]), 2, 2, np.ones(7, bool), Picks(4, 1), variant="sampled points")
    assert found.tolist() == [1, 4]
    found = random_search(line, np.array([1, 4]), 2, 4, np.ones(7, bool), Picks(4, 1), variant="sampled points")
    assert found.tolist() == [1, 4, 0, 3]


def test_at_most_l_points_are_sampled_all_different(line):
    sampled = []

    class Spy:
        def choice(self, likely, size, replace):
            sampled.append((likely.tolist(), size, replace))
            return likely[:size]

    random_search(line, np.array([1, 4, 5]), 2, 3, np.ones(7, bool), Spy())
    random_search(line, np.array([1, 4, 5]), 9, 3, np.ones(7, bool), Spy())
    assert sampled == [([1, 4, 5], 2, False), ([1, 4, 5], 3, False)]


@pytest.mark.parametrize("variant", ["algorithm 2", "appendix b", "sampled points"])
def test_random_search_with_nothing_likely_draws_nothing(line, variant):
    rng = np.random.default_rng(0)
    state = rng.bit_generator.state
    assert random_search(line, np.array([], int), 2, 3, np.ones(7, bool), rng, variant=variant).tolist() == []
    assert rng.bit_generator.state == state


@pytest.mark.parametrize("variant", ["algorithm 2", "appendix b", "sampled points"])
@pytest.mark.parametrize(("b", "allowed"), [(0, range(7)), (3, ())])
def test_random_search_with_nothing_to_return(line, variant, b, allowed):
    found = random_search(line, np.array([1]), 2, b, allow(*allowed), np.random.default_rng(0), variant=variant)
    assert found.dtype == np.int64
    assert len(found) == 0


def test_final_search_asks_the_most_confident_first():
    scores = np.array([0.9, 0.1, 0.95, 0.9, 0.0, 0.1, 0.99])
    assert final_search(scores, 0.0, np.ones(7, bool)).tolist() == [6, 2, 0, 3]
    assert final_search(scores, 0.0, np.ones(7, bool), 2).tolist() == [6, 2]
    assert final_search(scores, 0.0, allow(0, 1, 3)).tolist() == [0, 3]
    assert final_search(scores, 9.0, np.ones(7, bool)).tolist() == []
