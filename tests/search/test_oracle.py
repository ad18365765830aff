"""Oracles answer as described, and `simulate` asks until nothing is left to ask."""

import numpy as np
import pytest

from elsa_nb.search.contract import Batch, Ledger
from elsa_nb.search.oracle import Flipped, Truth, simulate

POSITIVE = np.array([True, False, True, False])


def test_truth_answers_by_membership():
    labels = Truth(POSITIVE).label(np.array([3, 2, 2]))
    assert labels.tolist() == [0, 1, 1]
    assert labels.dtype == np.int8
    assert Truth([True, False]).label(np.array([0])).tolist() == [1]


@pytest.mark.parametrize("positive", [np.array([0, 1]), np.array([0.0, 1.0]), np.ones((2, 2), bool), ["a", "b"]])
def test_truth_must_be_one_boolean_a_row(positive):
    with pytest.raises(ValueError, match="give one True or False a row"):
        Truth(positive)


@pytest.mark.parametrize(("flip", "answers"), [(0.0, [1, 0, 1, 0]), (1.0, [0, 1, 0, 1])])
def test_certain_flips(flip, answers):
    labels = Flipped(POSITIVE, flip, np.random.default_rng(0)).label(np.arange(4))
    assert labels.tolist() == answers
    assert labels.dtype == np.int8


@pytest.mark.parametrize("share", [0.025, 0.15, 0.5])
def test_flips_come_with_their_probability_for_both_classes(share):
    positive = np.arange(40_000) % 2 == 0
    wrong = Flipped(positive, share, np.random.default_rng(1)).label(np.arange(40_000)) != positive
    for of_class in (wrong[positive], wrong[~positive]):
        assert abs(of_class.mean() - share) < 4 * np.sqrt(share / len(of_class))


def test_each_answer_is_flipped_anew_and_the_seed_decides():
    rows = np.zeros(200, np.int64)
    one, again, other = (Flipped(POSITIVE, 0.5, np.random.default_rng(s)).label(rows) for s in (0, 0, 1))
    assert set(one) == {0, 1}
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


@pytest.mark.parametrize("flip", [-0.01, 1.01, 15, float("nan")])
def test_a_flip_that_is_no_probability_is_refused(flip):
    with pytest.raises(ValueError, match=r"allowed: a probability from 0 to 1 \(the paper's p % divided by 100\)"):
        Flipped(POSITIVE, flip, np.random.default_rng(0))


class TwoBatches:
    """Ask row 1, then rows 2 and 3."""

    def __init__(self):
        self.ledger = Ledger(4, [0])
        self.left = [[1], [2, 3]]

    @property
    def log(self):
        return self.ledger.log

    def query(self):
        if not self.left:
            return None
        rows = np.array(self.left.pop(0))
        return self.ledger.ask(Batch(rows, np.zeros(len(rows), np.int8), 2 - len(self.left)))

    def update(self, labels):
        self.ledger.answer(labels)


def test_simulate_returns_the_log_in_the_order_asked():
    log = simulate(TwoBatches(), Truth(POSITIVE))
    assert log.rows.tolist() == [1, 2, 3]
    assert log.labels.tolist() == [0, 1, 0]
    assert log.rounds.tolist() == [1, 2, 2]
