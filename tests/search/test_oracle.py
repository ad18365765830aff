"""Oracles answer as described, and `simulate` asks until nothing is left to ask."""

from dataclasses import replace

import numpy as np
import pytest

from elsa_nb.pool import Pool
from elsa_nb.search.contract import Batch, Ledger
from elsa_nb.search.elsa import Search
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.oracle import Flipped, Truth, simulate, simulate_together
from elsa_nb.search.readings import READINGS
from elsa_nb.search.strategies.greedy_probe import GreedyProbe, ProbeConfig

POSITIVE = np.array([True, False, True, False])


def test_truth_answers_by_membership():
    labels = Truth(POSITIVE).label(np.array([3, 2, 2]))
    assert labels.tolist() == [0, 1, 1]
    assert labels.dtype == np.int8
    assert Truth([True, False]).label(np.array([0])).tolist() == [1]


def test_a_notebook_shows_an_oracle_in_a_line():
    assert repr(Truth(POSITIVE)) == "<Truth: 2 of 4 rows are positive>"
    flipped = Flipped(POSITIVE, 0.25, np.random.default_rng(0))
    assert repr(flipped) == "<Flipped with probability 0.25: <Truth: 2 of 4 rows are positive>>"


@pytest.mark.parametrize("row", [4, -1])
def test_a_row_beyond_the_truth_is_no_answer(row):
    with pytest.raises(ValueError, match=rf"row {row} is asked, and the truth covers 4 rows"):
        Truth(POSITIVE).label([0, row])


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
    np.testing.assert_array_equal(one, Flipped(POSITIVE, 0.5, 0).label(rows))  # a seed will do, as for a search
    with pytest.raises(ValueError, match="rng = 'x'; allowed"):
        Flipped(POSITIVE, 0.5, "x")
    with pytest.raises(ValueError, match="rng = True; allowed"):  # a switch, and no seed
        Flipped(POSITIVE, 0.5, True)


@pytest.mark.parametrize("flip", [-0.01, 1.01, 15, float("nan")])
def test_a_flip_that_is_no_probability_is_refused(flip):
    with pytest.raises(ValueError, match=r"allowed: a probability from 0 to 1 \(the paper's p % divided by 100\)"):
        Flipped(POSITIVE, flip, np.random.default_rng(0))


def test_what_is_no_search_or_no_oracle_is_refused_with_what_to_give():
    for wrong, told in (
        (Search, r"search is the class Search; begin one: Search\(pool, seeds, rng=0\)"),
        (None, r"search of type NoneType lacks query, update, log; give one, such as Search\(pool, seeds, rng=0\)"),
        (POSITIVE, "search of type ndarray lacks query, update, log; give one"),
    ):
        with pytest.raises(ValueError, match=told):
            simulate(wrong, Truth(POSITIVE))
        with pytest.raises(ValueError, match=told):
            simulate_together([wrong], [Truth(POSITIVE)])
    with pytest.raises(ValueError, match=r"oracle is the class Truth; make one, such as Truth\(positive\)"):
        simulate(TwoBatches(), Truth)
    with pytest.raises(ValueError, match="searches of type TwoBatches; give a list of them"):
        simulate_together(TwoBatches(), [Truth(POSITIVE)])
    with pytest.raises(ValueError, match="oracles of type Truth; give a list of them"):
        simulate_together([TwoBatches()], Truth(POSITIVE))


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


class Endless(TwoBatches):
    """Ask no rows at the end, over and over, in place of saying that it is the end."""

    def query(self):
        if self.left:
            return super().query()
        return Batch(np.empty(0, np.int64), np.empty(0, np.int8), 3)


@pytest.mark.parametrize(
    "run",
    [
        lambda search, oracle: simulate(search, oracle),
        lambda search, oracle: simulate_together([TwoBatches(), search], [oracle, oracle]),
    ],
    ids=["alone", "together"],
)
@pytest.mark.timeout(60)
def test_a_search_that_asks_no_rows_and_does_not_end_is_not_asked_for_ever(run):
    with pytest.raises(ValueError, match=r"query\(\) of Endless gives a batch of no rows; allowed: .*, or None"):
        run(Endless(), Truth(POSITIVE))


def test_simulate_returns_the_log_in_the_order_asked():
    log = simulate(TwoBatches(), Truth(POSITIVE))
    assert log.rows.tolist() == [1, 2, 3]
    assert log.labels.tolist() == [0, 1, 0]
    assert log.rounds.tolist() == [1, 2, 2]


@pytest.mark.parametrize("precision", [np.float32, np.float16])
def test_searches_run_together_leave_the_logs_they_leave_alone(tiny_pool, precision):
    """Every arm of both readings, with small changes of each, and the greedy probe."""
    vectors, classes = tiny_pool[0].astype(precision), tiny_pool[1]
    pool, features = Pool.from_arrays(vectors), Features(vectors)
    embedding = Features(np.tanh(vectors.astype(np.float32)))
    neighbours = Neighbours(vectors, k=9).build(progress=False)

    def searches():
        configs = [replace(config, rounds=3, a=7, l=6, b=5) for arms in READINGS.values() for config in arms.values()]
        configs += [replace(configs[0], head=HeadConfig("mlp", steps=5, hidden=4)), replace(configs[0], a=200)]
        configs += [replace(config, rounds=0) for config in configs[:2]]
        for i, config in enumerate(configs):
            seen = embedding if config.head_space == "embedding" else features
            seeds = np.flatnonzero(classes == i % 4)[: 1 + i % 3]
            rng = np.random.default_rng(i)
            search = Search(pool, seeds, config=config, rng=rng, neighbours=neighbours, features=seen)
            yield search, Truth(classes == i % 4)
        probe = GreedyProbe(
            pool, np.flatnonzero(classes == 1)[:2], config=ProbeConfig(budget=60), rng=np.random.default_rng(0)
        )
        yield probe, Flipped(classes == 1, 0.1, np.random.default_rng(5))

    alone = [simulate(search, oracle) for search, oracle in searches()]
    together = simulate_together(*zip(*searches(), strict=True))
    assert sum(len(log.rows) for log in alone) > 500
    for one, other in zip(alone, together, strict=True):
        for mine, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_one_pass_serves_all_searches_that_share_features(tiny_pool, monkeypatch):
    vectors, classes = tiny_pool
    pool, features = Pool.from_arrays(vectors), Features(vectors)
    passes = []
    project = Features.project
    monkeypatch.setattr(Features, "project", lambda self, *given: passes.append(len(given[0])) or project(self, *given))
    config = replace(READINGS["paper"]["ELSA"], rounds=4, a=7, l=6, b=5)
    seeds = np.flatnonzero(classes == 3)[:2]
    searches = [Search(pool, seeds, config=config, rng=np.random.default_rng(i), features=features) for i in range(6)]
    simulate_together(searches, [Truth(classes == 3)] * 6)
    assert passes == [6, 6, 6, 6]  # three of the four rounds, for the first has no head yet, and the final search


def test_what_answers_nothing_is_no_oracle(tiny_pool):
    search = Search(Pool.from_arrays(tiny_pool[0]), [0], rng=0)
    with pytest.raises(ValueError, match=r"oracle of type ndarray; give an object with label\(rows\), such as Truth"):
        simulate(search, POSITIVE)
    with pytest.raises(ValueError, match="2 searches and 1 oracles"):
        simulate_together([search, search], [Truth(POSITIVE)])


@pytest.mark.parametrize("rows", [[True, False, True], ["a"], [0.5]])
@pytest.mark.parametrize("oracle", [Truth(POSITIVE), Flipped(POSITIVE, 0.1, 0)])
def test_only_rows_are_answered(oracle, rows):
    with pytest.raises(ValueError, match=r"rows asked are of type .*; give row numbers"):
        oracle.label(np.array(rows))


class Answers:
    """An oracle that answers what it is told to, right or wrong."""

    def __init__(self, answers):
        self.answers = answers

    def label(self, rows):
        return self.answers(rows)


class Believes(TwoBatches):
    """A strategy of somebody's own, which takes what it is told."""

    def update(self, labels):
        self.told = labels


NO_ANSWERS = {
    "probabilities": lambda rows: np.full(len(rows), 0.9),
    "a class number": lambda rows: np.full(len(rows), 2),
    "the mark of an open card": lambda rows: np.full(len(rows), -2),
    "text": lambda rows: ["1"] * len(rows),
    "words": lambda rows: ["yes"] * len(rows),
    "missing numbers": lambda rows: np.full(len(rows), np.nan),
    "too few": lambda rows: [1] * (len(rows) - 1),
    "too many": lambda rows: [1] * (len(rows) + 1),
    "nothing": lambda rows: None,
    "masked": lambda rows: np.ma.masked_array(np.ones(len(rows), int), True),
}


@pytest.mark.parametrize("answers", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_not_an_answer_reaches_no_search(answers):
    """Not even a strategy that checks nothing itself."""
    for run in (simulate, lambda search, oracle: simulate_together([search], [oracle])):
        search = Believes()
        with pytest.raises(ValueError, match=r"label\(\) of Answers returned .*(allowed: 1 |one label per)"):
            run(search, Answers(answers))
        assert not hasattr(search, "told")


@pytest.mark.parametrize("made", [Truth, lambda positive: Flipped(positive, 0.0, rng=0)])
def test_an_oracle_answers_as_it_was_made_whatever_becomes_of_the_array(made):
    labels, mask = np.array([0, 1, 2, 1]), np.zeros(4, bool)
    oracles = []
    for each in range(3):
        mask[:] = labels == each
        oracles.append(made(mask))
    assert [oracle.label(np.arange(4)).tolist() for oracle in oracles] == [[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0]]


def test_the_same_search_is_not_run_beside_itself():
    pool = Pool.from_arrays(np.random.default_rng(0).normal(size=(20, 3)))
    search = Search(pool, [0], rng=0)
    with pytest.raises(ValueError, match="the same search is given twice"):
        simulate_together([search, search], [Truth(np.arange(20) < 5)] * 2)
