"""Every strategy keeps the one contract of `query` and `update`, whatever is configured and whatever is answered.

A strategy is tested by being registered. Each arm meets every check with every oracle. Each other setting meets every
check that its value could break, and the oracles, answers and sizes of pools in turn: pairs (`in_turn`), not the full
product.
"""

import io
import pickle
import warnings
from dataclasses import dataclass, fields, replace
from pathlib import PurePath

import numpy as np
import pandas as pd
import pytest

from elsa_nb.pool import Pool
from elsa_nb.search import elsa
from elsa_nb.search.config import ELSA, SearchConfig
from elsa_nb.search.contract import (
    NEGATIVE,
    POSITIVE,
    UNSURE,
    Batch,
    Component,
    Ledger,
    QueryError,
    RegisteredStrategy,
    Scored,
    check_logits,
)
from elsa_nb.search.heads import head
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.neighbours.bounds import Sketch
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.oracle import Flipped, Truth, simulate
from elsa_nb.search.readings import READINGS, RELEASED_CODE
from elsa_nb.search.strategies import greedy_probe, registry
from elsa_nb.search.strategies.greedy_probe import ProbeConfig

QUICK = HeadConfig("linear-sgd", steps=5, learning_rate=0.1)
SMALL = {"rounds": 4, "a": 5, "l": 6, "b": 4}


@dataclass(frozen=True)
class Problem:
    """A pool of 90 rows in three clusters; class 0 is wanted."""

    pool: Pool
    positive: np.ndarray
    seeds: np.ndarray
    neighbours: Neighbours
    features: Features
    embedding: Features


def make_problem(n=90, seeds=(0, 3)):
    rng = np.random.default_rng(n)
    member = np.arange(n) % 3
    vectors = rng.normal(size=(3, 5))[member] * 2 + rng.normal(size=(n, 5))
    vectors[n // 2] = vectors[(n // 2 + 3) % n]
    pool = Pool.from_arrays(vectors)
    embedding = Features((vectors @ rng.normal(size=(5, 7))).astype(np.float32))
    return Problem(pool, member == 0, np.array(seeds), Neighbours(pool.vectors, k=9), Features(pool.vectors), embedding)


@pytest.fixture(scope="module")
def problem():
    return make_problem()


def small(config):
    return replace(config, **SMALL)


def quick(config):
    """Let AdamW train for a few steps only: the contract does not depend on how well."""
    heads = {name: replace(getattr(config, name), steps=5) for name in ("head", "final_head") if getattr(config, name)}
    return replace(config, **heads)


PAPER = small(ELSA)
RELEASED = quick(small(RELEASED_CODE))
ARMS = {f"{reading}: {arm}": quick(small(config)) for reading, of in READINGS.items() for arm, config in of.items()}
SETTINGS = {
    "a: larger": replace(PAPER, a=12),
    "l: one point": replace(PAPER, l=1),
    "a per query": replace(PAPER, nn_per="query"),
    "a per query, all positives": replace(PAPER, nn_per="query", nn_queries="all positives"),
    "queries: all positives": replace(PAPER, nn_queries="all positives"),
    "queries: last neighbours": replace(PAPER, nn_queries="last neighbours"),
    "rands: appendix b": replace(PAPER, rands="appendix b"),
    "rands: sampled points": replace(PAPER, rands="sampled points"),
    "nn alone goes on": replace(PAPER, nn_alone="goes on", use_rands=False, use_head=False, use_final=False),
    "all negatives": replace(PAPER, negatives="all"),
    "logits": replace(PAPER, confidence="logit"),
    "linear-sgd head": replace(PAPER, head=QUICK),
    "mlp head": replace(PAPER, head=replace(QUICK, kind="mlp", hidden=5)),
    "many positives before a head": replace(PAPER, head=HeadConfig(least_positives=12)),
    "final budget": replace(PAPER, final_budget=3, alpha_2=-1),
    "no final search": replace(PAPER, use_final=False),
    "no b": replace(PAPER, b=0, b_slope=0),
    "b grows steeply": replace(PAPER, b_slope=3.5, b_floor=False),
    "b grows on top": replace(PAPER, b_added=True),
    "nothing barred": replace(PAPER, nothing_barred=True),
    "no rounds": replace(PAPER, rounds=0),
    "zero pass only": replace(RELEASED, rounds=0),
    "zero pass, nothing asked twice": replace(PAPER, zero_pass=True),
    "whole pool above the threshold": replace(PAPER, alpha_1=-50, alpha_2=-50),
    "nothing above the threshold": replace(PAPER, alpha_1=50, alpha_2=50),
    "relabel, a per query": replace(RELEASED, nn_per="query"),
    "relabel, appendix b": replace(RELEASED, rands="appendix b", nn_queries="new positives"),
    "relabel, all negatives, all positives": replace(RELEASED, negatives="all", nn_queries="all positives"),
}
PROBES = {
    "greedy probe": ProbeConfig(budget=60, batch=5),
    "greedy probe, a step at a time": ProbeConfig(budget=7, batch=1, growth=0),
    "greedy probe, doubling": ProbeConfig(budget=500, batch=1, growth=1, weak_negatives=3),
    "greedy probe, sgd head": ProbeConfig(budget=30, head=QUICK),
}
REGISTERED = {f"registered: {name}": kind.config_class() for name, kind in registry.strategies().items()}
MAIN = ARMS | PROBES | REGISTERED
STRATEGIES = MAIN | SETTINGS


def draws(name):
    """Tell what draws from the Generator at all, as this file sees it."""
    config = STRATEGIES[name]
    return not isinstance(config, SearchConfig) or bool(
        config.use_rands and (config.rounds or config.zero_pass) and name != "no b"
    )


def in_turn(*choices):
    """Pair each main strategy with every choice, and each other setting with one of them, the choices taking turns."""
    pairs = [(name, choice) for name in MAIN for choice in choices]
    return pairs + [(name, choices[i % len(choices)]) for i, name in enumerate(SETTINGS)]


def start(problem, config, seed=0) -> RegisteredStrategy:
    kind = next(kind for kind in registry.strategies().values() if type(config) is kind.config_class)
    features = problem.embedding if getattr(config, "head_space", "search") == "embedding" else problem.features
    shared = {"neighbours": problem.neighbours, "features": features}
    rng = np.random.default_rng(seed)
    return registry.begin(kind, problem.pool, problem.seeds, config=config, rng=rng, **shared)


def most_rows(config, batch: Batch, queries: int, positives: int) -> float:
    """Return the size of the largest batch that the configuration allows: a + b_t, or the final budget."""
    if isinstance(config, ProbeConfig):
        return round(config.batch * (1 + config.growth) ** batch.round)
    if not isinstance(config, SearchConfig):
        return np.inf
    if (batch.components == Component.FINAL).any():
        return config.final_budget or np.inf
    nearest = config.a * (queries if config.nn_per == "query" else 1)
    growing = round(config.b_slope * positives)
    floor = config.b if config.b_floor or batch.round == 0 else 0
    return nearest + config.use_rands * (config.b + growing if config.b_added else max(floor, growing))


def follow(problem, config, oracle, seed=0):
    """Drive a strategy to its end, checking each batch; return its log."""
    strategy = start(problem, config, seed)
    n = len(problem.pool)
    relabels, zero_pass = getattr(config, "relabel", False), getattr(config, "zero_pass", False)
    nothing_barred = getattr(config, "nothing_barred", False)
    asked, positives = set(problem.seeds.tolist()), set(problem.seeds.tolist())
    queries, batches = n, 0
    for _ in range(n + 20):
        largest = strategy.largest_batch()
        if not (relabels or nothing_barred or (zero_pass and not batches)):
            assert largest <= n - len(asked), "more than is left"
        batch = strategy.query()
        if batch is None:
            break
        rows = batch.rows.tolist()
        assert len(rows) <= largest
        assert set(batch.components.tolist()) <= set(strategy.components)
        final = (batch.components == Component.FINAL).all()
        assert final or not (batch.components == Component.FINAL).any()
        assert rows, "an empty batch"
        assert batch.rows.dtype == np.int64
        assert batch.components.shape == batch.rows.shape
        assert len(set(rows)) == len(rows), "a row twice in one batch"
        assert min(rows) >= 0
        assert max(rows) < n
        assert len(rows) <= most_rows(config, batch, queries, len(positives))
        assert batch.round == batches
        if zero_pass and batch.round == 0:
            assert not asked & set(rows) - set(problem.seeds.tolist())
        elif not relabels and (final or not nothing_barred):
            assert not asked & set(rows), "asked again"
        elif relabels and not final:
            assert not positives & set(rows), "a known positive asked again"
        labels = oracle.label(batch.rows)
        strategy.update(labels)
        asked |= set(rows)
        positives |= {row for row, label in zip(rows, labels, strict=True) if label == POSITIVE}
        queries, batches = max(len(rows), len(positives)), batches + 1
    else:
        pytest.fail("the search does not end")
    assert strategy.query() is None, "after its end a search stays ended"
    log = strategy.log
    assert set(strategy.positives.tolist()) == set(problem.seeds.tolist()) | set(log.rows[log.labels == POSITIVE])
    return log


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


class Shrugs:
    """Answer by `positive`, with a share of flipped and a share of unsure answers."""

    def __init__(self, positive, flip=0.0, unsure=0.0, seed=0):
        self.positive, self.flip, self.unsure = positive, flip, unsure
        self._rng = np.random.default_rng(seed)

    def label(self, rows):
        answers = self.positive[rows] ^ (self._rng.random(len(rows)) < self.flip)
        return np.where(self._rng.random(len(rows)) < self.unsure, UNSURE, answers)


ORACLES = {
    "truth": {},
    "flipped": {"flip": 0.3},
    "always wrong": {"flip": 1.0},
    "half unsure": {"unsure": 0.5},
    "all unsure": {"unsure": 1.0},
}


@pytest.mark.parametrize(("name", "oracle"), in_turn(*ORACLES))
def test_each_batch_keeps_the_rules(problem, name, oracle):
    log = follow(problem, STRATEGIES[name], Shrugs(problem.positive, **ORACLES[oracle]))
    assert len({len(array) for array in log}) == 1
    assert [array.dtype for array in log] == [np.int64, np.int8, np.int8, np.int32]
    assert (np.diff(log.rounds) >= 0).all()


@pytest.mark.parametrize(("name", "answer"), in_turn(POSITIVE, NEGATIVE, UNSURE))
def test_one_answer_to_everything_ends_cleanly(problem, name, answer):
    log = follow(problem, STRATEGIES[name], Shrugs(np.full(90, answer == POSITIVE), unsure=float(answer == UNSURE)))
    assert (log.labels == answer).all()


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_same_seed_gives_the_same_log_and_shared_parts_carry_nothing_over(name):
    """The second log is of neighbours and features that served another search, the third of fresh ones."""
    shared, fresh = make_problem(), make_problem()
    other, first = (follow(shared, STRATEGIES[name], Truth(shared.positive), seed) for seed in (2, 1))
    assert same(first, follow(fresh, STRATEGIES[name], Truth(fresh.positive), 1))
    if isinstance(STRATEGIES[name], SearchConfig | ProbeConfig):
        assert same(first, other) != draws(name)
        assert start(fresh, STRATEGIES[name]).draws_randomness == draws(name)
    elif not start(fresh, STRATEGIES[name]).draws_randomness:
        assert same(first, other)


@pytest.mark.parametrize(("name", "n"), in_turn(2, 4, 11))
def test_a_pool_smaller_than_the_batch_is_exhausted_cleanly(name, n):
    tiny = make_problem(n, seeds=(0,))
    log = follow(tiny, STRATEGIES[name], Truth(tiny.positive))
    assert set(log.rows) <= set(range(n))


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_pool_of_seeds_only_needs_no_answers_but_relabelled_ones(name):
    tiny = make_problem(4, seeds=(0, 1, 2, 3))
    config = STRATEGIES[name]
    log = follow(tiny, config, Truth(np.ones(4, bool)))
    asks_seeds = getattr(config, "zero_pass", False) or getattr(config, "nothing_barred", False)
    assert len(log.rows) == 0 or asks_seeds


def test_paper_arms_label_a_whole_small_pool():
    tiny = make_problem(40, seeds=(0,))
    everything = replace(ELSA, rounds=50, a=3, l=3, b=3)
    log = follow(tiny, everything, Truth(tiny.positive))
    assert sorted(log.rows) == list(range(1, 40))


@pytest.mark.parametrize("name", MAIN)
def test_an_answer_amended_at_once_leaves_no_trace(problem, name):
    strategy, truth = start(problem, STRATEGIES[name]), problem.positive.astype(int)
    batch = strategy.query()
    wrong = np.setdiff1d(batch.rows, problem.seeds)[:1]  # the zero pass asks seeds, too
    strategy.update(truth[batch.rows] ^ (batch.rows == wrong))
    strategy.amend(wrong, truth[wrong])
    assert strategy.log.labels.tolist() == truth[batch.rows].tolist()
    assert (wrong[0] in strategy.positives) == problem.positive[wrong[0]]
    never = np.setdiff1d(np.arange(90), [*batch.rows, *problem.seeds])[:1]
    with pytest.raises(ValueError, match="no answer to correct"):
        strategy.amend(never, [1])
    log = simulate(strategy, Truth(problem.positive))
    assert (log.labels == truth[log.rows]).all()


@pytest.mark.parametrize("rounds", [0, 1])
@pytest.mark.parametrize("name", MAIN)
def test_a_search_whose_seeds_are_all_taken_back_looks_for_another_example(problem, name, rounds):
    """It goes on without, or ends where all it can ask is what is near to a find; it does not break."""
    strategy, wanted = start(problem, STRATEGIES[name]), problem.positive.copy()
    wanted[problem.seeds] = False
    for _ in range(rounds):
        strategy.update(np.zeros(len(strategy.query().rows), int))
    strategy.amend(problem.seeds, [NEGATIVE] * len(problem.seeds))
    assert not len(strategy.positives)
    before = len(strategy.log.rows)
    log = simulate(strategy, Truth(wanted))
    asked = log.rows[before:]
    assert len(asked) or rounds or not getattr(STRATEGIES[name], "use_rands", True)
    assert set(strategy.positives) == set(asked[wanted[asked]])


@pytest.mark.parametrize("name", MAIN)
def test_a_strategy_survives_being_pickled_in_mid_search(problem, name):
    strategy, oracle = start(problem, STRATEGIES[name]), Truth(problem.positive)
    strategy.update(oracle.label(strategy.query().rows))
    again = pickle.loads(pickle.dumps(strategy))
    assert same(simulate(again, oracle), simulate(strategy, oracle))


@pytest.mark.parametrize("name", MAIN)
def test_a_notebook_shows_a_search_in_a_line(problem, name):
    strategy = start(problem, STRATEGIES[name])
    assert "0 labels, 2 positives (2 of them seeds)>" in repr(strategy)
    labels = Truth(problem.positive).label(strategy.query().rows)
    strategy.update(labels)
    assert f"{len(labels)} labels, {len(strategy.positives)} positives (2 of them seeds), round 1>" in repr(strategy)
    assert repr(strategy).startswith(f"<{type(strategy).__name__} in 90 rows: ")
    strategy.amend([3], [NEGATIVE])  # a seed that is taken back
    assert "positives (1 of them seeds)" in repr(strategy)


@pytest.mark.parametrize("name", MAIN)
def test_scores_are_one_a_row_and_finite_or_not_there_yet(problem, name):
    strategy, oracle = start(problem, STRATEGIES[name]), Truth(problem.positive)
    while (batch := strategy.query()) is not None:
        strategy.update(oracle.label(batch.rows))
        try:
            scores = strategy.scores()
        except QueryError:
            continue
        assert scores.shape == (90,)
        assert np.isfinite(scores).all()


class Apart(pickle.Pickler):
    """Write an object without the parts that its copies share."""

    def __init__(self, file, shared):
        super().__init__(file)
        self.shared = {id(part) for part in shared}

    def persistent_id(self, part):
        return "shared" if id(part) in self.shared else None


@pytest.mark.parametrize("name", REGISTERED)
def test_what_a_copy_does_not_share_is_a_few_numbers_a_row(name):
    n, d = 1000, 200
    pool = Pool.from_arrays(np.random.default_rng(0).normal(size=(n, d)).astype(np.float32))
    strategy = registry.begin(type(start(make_problem(), STRATEGIES[name])), pool, [0, 1], rng=0)
    strategy.update(np.zeros(len(strategy.query().rows), int))
    strategy.query()
    file = io.BytesIO()
    Apart(file, strategy.shared_parts()).dump(strategy)
    assert len(file.getvalue()) < n * 64 + 20_000 < pool.vectors.nbytes / 8


@pytest.mark.parametrize("name", MAIN)
def test_seeds_are_row_numbers_or_ids(problem, name):
    named = replace(problem, seeds=problem.pool.ids[problem.seeds])
    config, oracle = STRATEGIES[name], Truth(problem.positive)
    assert same(simulate(start(named, config), oracle), simulate(start(problem, config), oracle))
    for kind in (list, pd.Series, lambda ids: pd.Series(ids, dtype=object), lambda ids: pd.Index(ids)):
        column = replace(problem, seeds=kind(problem.pool.ids[problem.seeds]))
        assert same(simulate(start(column, config), oracle), simulate(start(problem, config), oracle))
    numbers = replace(problem, seeds=pd.Series(problem.seeds, dtype="Int64"))
    assert same(simulate(start(numbers, config), oracle), simulate(start(problem, config), oracle))
    with pytest.raises(ValueError, match=r"seeds: 'no such' is not an id of this pool, whose ids are 0, \.\.\. 89"):
        start(replace(problem, seeds=["3", "no such"]), config)


@pytest.mark.parametrize(
    ("seeds", "sentence"),
    [
        (3, "seeds = 3; give a list"),
        ("3", "seeds = '3'; give a list"),
        (None, "seeds of .*NoneType.*give a list"),
        ({1, 2}, "seeds of .*set.*give a list"),
        (np.arange(90) < 2, r"seeds are a mask.*np\.flatnonzero"),
        ([0.5], "seeds of type float64; give whole row numbers"),
        ([None], "seeds of type object; give whole row numbers"),
        ([[1, 2]], r"seeds of shape \(1, 2\); give a flat list"),
    ],
    ids=str,
)
def test_what_are_no_seeds_is_refused_with_what_to_give(problem, seeds, sentence):
    for name in MAIN:
        with pytest.raises(ValueError, match=sentence):
            start(replace(problem, seeds=seeds), STRATEGIES[name])


@pytest.mark.parametrize("name", REGISTERED)
def test_what_is_no_configuration_of_a_strategy_is_refused(problem, name):
    kind = type(start(problem, STRATEGIES[name]))
    for config in ("paper", {"a": 50}, 0, STRATEGIES):
        with pytest.raises(ValueError, match=rf"config = .*; allowed: a {kind.config_class.__name__} "):
            kind(problem.pool, problem.seeds, config=config, rng=0)


CONFIGURATIONS = [HeadConfig, *(kind.config_class for kind in registry.strategies().values())]
# Fields for which None, or a number below 0, is a value.
NONE_ALLOWED, BELOW_0_ALLOWED = {"final_budget", "final_head"}, {"alpha_1", "alpha_2"}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, each.name) for kind in CONFIGURATIONS for each in fields(kind)], ids=str
)
def test_a_field_of_a_configuration_takes_nothing_of_another_kind(kind, name):
    wrong = ["yes", 1j, [1], {}, object(), np.nan, np.inf]
    wrong += [None] * (name not in NONE_ALLOWED) + [-1] * (name not in BELOW_0_ALLOWED)
    for value in wrong:
        with pytest.raises(ValueError, match=rf"{name} .*allowed: "):
            kind(**{name: value})


def test_where_a_number_has_no_end_it_is_told_that_it_is_finite():
    for kind, name in (
        (SearchConfig, "b_slope"),
        (HeadConfig, "l2"),
        (ProbeConfig, "growth"),
        (SearchConfig, "alpha_1"),
    ):
        for value in (np.nan, np.inf):
            with pytest.raises(ValueError, match=rf"{name} = {value}; allowed: .*finite"):
                kind(**{name: value})


def test_numbers_of_any_size_and_kind_are_compared():
    for growth in (0, 2, np.float32(0.5), np.int64(1)):
        assert ProbeConfig(growth=growth).growth == growth
    for growth in (-(10**400), "0.1", float("nan"), -np.inf, np.array([0.1]), True):
        with pytest.raises(ValueError, match=r"growth = .*; allowed: 0 or more"):
            ProbeConfig(growth=growth)
    with pytest.raises(ValueError, match="weak_negatives = True; allowed: a whole number"):
        ProbeConfig(weak_negatives=True)
    with pytest.raises(ValueError, match=r"flip = 1000.*; allowed: a probability from 0 to 1"):
        Flipped([True], 10**400, np.random.default_rng(0))


MADE = {"neighbours": Neighbours, "features": Features, "prepared_rows": PreparedRows.of}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in registry.strategies().values() for name in kind.needs], ids=str
)
def test_what_was_made_of_other_vectors_or_of_none_is_refused(problem, kind, name):
    others = [MADE[other](problem.pool.vectors) for other in MADE if {other, name} != {"features", "prepared_rows"}]
    others = [made for made in others if not isinstance(made, type(MADE[name](problem.pool.vectors)))]
    for wrong in (problem.pool.vectors, problem.pool, "vectors", 7, list(problem.pool.ids), *others):
        with pytest.raises(ValueError, match=rf"{name} of type \w+; give None, or \w+"):
            kind(problem.pool, [0], rng=0, **{name: wrong})
    with pytest.raises(ValueError, match=rf"{name} of 80 rows for a pool of 90; make them from the same pool"):
        kind(problem.pool, [0], rng=0, **{name: MADE[name](problem.pool.vectors[:80])})
    kind(problem.pool, [0], rng=0, **{name: MADE[name](problem.pool.vectors)})


@pytest.mark.parametrize("make", [Neighbours, Sketch, Features, PreparedRows.of])
def test_what_is_made_of_vectors_is_made_of_nothing_else(problem, make):
    for wrong, told in ((problem.pool, "type Pool"), (None, "type NoneType"), (np.ones(3), r"shape \(3,\)")):
        with pytest.raises(ValueError, match=rf"vectors of .*{told}; give an array \(n, d\).*pool\.vectors"):
            make(wrong)
    with pytest.raises(ValueError, match=r"shape \(0, 4\)"):
        make(np.ones((0, 4), np.float32))


@pytest.mark.parametrize("given", [np.eye(3), [[1.0]], None, "pool"], ids=lambda given: type(given).__name__)
def test_what_is_no_pool_is_refused_with_the_way_to_make_one(problem, given):
    for name in MAIN:
        with pytest.raises(ValueError, match=r"pool is of type .*Pool\.from_arrays\(vectors, ids\)"):
            start(replace(problem, pool=given), STRATEGIES[name])


@pytest.mark.parametrize("name", MAIN)
def test_out_of_turn_calls_raise_and_change_nothing(problem, name):
    config, oracle = STRATEGIES[name], Truth(problem.positive)
    undisturbed = simulate(start(problem, config), oracle)
    strategy = start(problem, config)
    with pytest.raises(QueryError, match="no questions are open"):
        strategy.update([])
    while (batch := strategy.query()) is not None:
        with pytest.raises(QueryError, match=f"answer the {len(batch.rows)} open questions"):
            strategy.query()
        strategy.update(oracle.label(batch.rows))
        with pytest.raises(QueryError, match="no questions are open"):
            strategy.update(oracle.label(batch.rows))
    with pytest.raises(QueryError, match="no questions are open"):
        strategy.update([1])
    assert same(strategy.log, undisturbed)


@pytest.mark.parametrize("name", MAIN)
def test_wrong_labels_change_nothing(problem, name):
    config, oracle = STRATEGIES[name], Truth(problem.positive)
    undisturbed = simulate(start(problem, config), oracle)
    strategy = start(problem, config)
    while (batch := strategy.query()) is not None:
        right = oracle.label(batch.rows)
        for wrong in (right[:-1], np.append(right, 1), right[:, None], right * 0 + 2, right + 0.5, right * np.nan):
            with pytest.raises(ValueError, match="label"):
                strategy.update(wrong)
        strategy.update(right.tolist())
    assert same(strategy.log, undisturbed)


@pytest.mark.parametrize("name", MAIN)
def test_wrong_logits_change_nothing(problem, name):
    strategy, n = start(problem, STRATEGIES[name]), problem.pool.n
    if not isinstance(strategy, Scored):
        return
    right = np.zeros(n)
    for wrong in (right[:-1], right[:, None], right.tolist(), right > 0, "logits", right + np.nan, right - np.inf):
        with pytest.raises(ValueError, match=rf"^logits .*allowed: None, or an array of {n} finite numbers"):
            strategy.query(wrong)
    assert len(strategy.query().rows) == len(start(problem, STRATEGIES[name]).query(right.astype(np.float32)).rows)


def test_which_logit_is_no_number_is_said():
    with pytest.raises(ValueError, match=r"^logits with nan for row 1; allowed"):
        check_logits(np.array([0.0, np.nan, 1.0]), 3)


@pytest.mark.parametrize("name", STRATEGIES)
def test_unsure_answers_are_paid_for_and_teach_nothing(problem, name, monkeypatch):
    taught = []
    train = head.train

    def spy(features, positives, negatives, *rest):
        taught.append((set(positives.tolist()), set(negatives.tolist())))
        return train(features, positives, negatives, *rest)

    monkeypatch.setattr(head, "train", spy)
    strategy = start(problem, STRATEGIES[name])
    unsure = np.arange(90) % 4 == 1
    while (batch := strategy.query()) is not None:
        strategy.update(np.where(unsure[batch.rows], UNSURE, problem.positive[batch.rows]))
    log = strategy.log
    shrugged = set(log.rows[log.labels == UNSURE].tolist())
    assert shrugged <= set(np.flatnonzero(unsure).tolist())
    for positives, negatives in taught:
        assert not positives & shrugged
        if isinstance(STRATEGIES[name], SearchConfig):  # the probe takes random rows for negatives, unasked ones only
            assert not negatives & shrugged
    assert set(strategy.positives.tolist()) == set(log.rows[log.labels == POSITIVE].tolist()) | {0, 3}


def test_the_modules_under_test_share_one_head(problem):
    assert elsa.heads is greedy_probe.heads is head  # else the spy above would see nothing


def test_every_field_of_a_search_has_a_setting_of_its_own():
    varied = {
        f.name for f in fields(SearchConfig) for c in SETTINGS.values() if getattr(c, f.name) != getattr(PAPER, f.name)
    }
    assert varied | {"use_rands", "use_head"} == {f.name for f in fields(SearchConfig)}  # the arms leave these two out


def test_the_log_is_empty_before_the_first_answer(problem):
    for config in STRATEGIES.values():
        strategy = start(problem, config)
        assert [len(array) for array in strategy.log] == [0, 0, 0, 0]
        if strategy.query() is not None:
            assert len(strategy.log.rows) == 0


def test_a_log_counts_more_rounds_than_16_bits_do():
    ledger = Ledger(3, [0])
    for number in (0, 32_768, 100_000):
        ledger.ask(Batch(np.array([1]), np.zeros(1, np.int8), number), again=True)
        ledger.answer([0])
    assert ledger.log.rounds.tolist() == [0, 32_768, 100_000]


FOUR = np.full(3, 4, np.int8)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (np.arange(3), "questions of type ndarray; give a Batch"),
        ((np.arange(3), FOUR, 0), "questions of type tuple; give a Batch"),
        (Batch(np.array([0, 1, 1]), FOUR, 0), "rows of a batch: row 1 is given 2 times"),
        (Batch(np.array([0, 1, 9]), FOUR, 0), "rows of a batch: row 9 is not in the pool"),
        (Batch(np.array([-1, 1, 2]), FOUR, 0), "rows of a batch: row -1 is not in the pool"),
        (Batch(np.arange(3.0), FOUR, 0), "rows of a batch of type float64"),
        (Batch(np.arange(8) < 3, FOUR, 0), "rows of a batch are a mask"),
        (Batch(np.arange(3), 4, 0), "components = 4; give a number from 0 to 15 for each of the 3 rows"),
        (Batch(np.arange(3), FOUR[:1], 0), "components = array"),
        (Batch(np.arange(3), np.full(3, 400), 0), "components = array"),
        (Batch(np.arange(3), ["mean"] * 3, 0), "components = .*; give a number from 0 to 15"),
        (Batch(np.arange(3), FOUR, None), "round = None; give the round as a whole number"),
    ],
)
def test_what_a_strategy_of_ones_own_may_not_ask_is_said_before_it_is_asked(asked, sentence):
    ledger = Ledger(8, [7])
    with pytest.raises(ValueError, match=sentence):
        ledger.ask(asked)
    assert not ledger.open


@pytest.mark.parametrize(("row", "what"), [(7, "row 7 of a batch is a seed"), (3, "row 3 of a batch was asked before")])
def test_a_strategy_of_ones_own_asks_a_known_row_again_only_if_it_says_so(row, what):
    """It would spend labels on what is known, or never end."""
    ledger = Ledger(8, [7])
    ledger.ask(Batch([3], [4], 0))
    ledger.answer([-1])
    with pytest.raises(ValueError, match=what + r"; ask only rows that have no answer, .* or pass again=True"):
        ledger.ask(Batch([row, 2], [4, 4], 1))
    assert not ledger.open
    assert len(ledger.ask(Batch([row, 2], [4, 4], 1), again=True).rows) == 2


def test_lists_are_questions_as_arrays_are():
    ledger = Ledger(8, [7])
    batch = ledger.ask(Batch([2, 1], [4, 4], np.int64(0)))
    assert (batch.rows.dtype, batch.components.dtype, batch.round) == (np.int64, np.int8, 0)
    assert not batch.rows.flags.writeable
    ledger.answer([1, 0])
    assert ledger.log.rows.tolist() == [2, 1]


NUMBERED = np.array(["1000", "1001", "2", "1003"])


def test_whole_numbers_are_rows_and_texts_are_ids_also_where_ids_are_whole_numbers():
    assert Ledger(4, [1], NUMBERED).seeds.tolist() == [1]
    assert Ledger(4, ["1001", "2"], NUMBERED).seeds.tolist() == [1, 2]
    assert Ledger(4, [PurePath("a/b.jpg")], np.array(["a/b.jpg", "c", "d", "e"])).seeds.tolist() == [0]
    for given in ([1001], np.array([1001])):
        with pytest.raises(ValueError, match=r"row 1001 is not in the pool; allowed: 0 to 3\. .* give the text '1001'"):
            Ledger(4, given, NUMBERED)
    with pytest.raises(ValueError, match=r"row 999 is not in the pool; allowed: 0 to 3$"):
        Ledger(4, [999], NUMBERED)
    with pytest.raises(ValueError, match="seeds mix ids and 2; give ids only, or row numbers only"):
        Ledger(4, ["1001", 2], NUMBERED)


def test_a_number_that_is_the_id_of_another_row_is_pointed_out():
    shuffled = np.array(["2", "0", "1", "3"])
    with pytest.warns(UserWarning, match=r"seeds: 2 is taken for the row number 2, .* '1'\. The id '2' .* row 0"):
        assert Ledger(4, [3, 2], shuffled).seeds.tolist() == [3, 2]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Ledger(4, np.array([3, 2]), shuffled)  # as programs hand rows over
        Ledger(4, [3], shuffled)
        Ledger(4, [3, 2], np.array(["0", "1", "2", "3"]))
        Ledger(4, pd.Index([3]), shuffled)


@pytest.mark.parametrize("kind", [pd.Index, pd.Series, lambda rows: pd.Series(rows, dtype="Int64")])
def test_an_index_or_column_whose_numbers_are_ids_of_other_rows_is_pointed_out_like_a_list(kind):
    frame = pd.DataFrame({"x": range(10)})[lambda d: d.x >= 4]
    ids = frame.index.astype(str).to_numpy(str)
    given = kind(frame.index[:2].tolist())
    with pytest.warns(
        UserWarning, match=r"4 is taken for the row number 4, .*id '4' is that of row 0: .*astype\(str\)"
    ):
        assert Ledger(6, given, ids).seeds.tolist() == [4, 5]
    assert Ledger(6, given.astype(str), ids).seeds.tolist() == [0, 1]
