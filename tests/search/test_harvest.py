"""Harvest: what a line and the neighbourhood of the answers agree on."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from elsa_nb.pool import Pool
from elsa_nb.prepared import prepared_rows
from elsa_nb.search.contract import NEGATIVE, POSITIVE, UNSURE
from elsa_nb.search.heads.kernel_sums import KernelSums
from elsa_nb.search.heads.large_rows import LargeRows
from elsa_nb.search.heads.neighbourhood import Neighbourhood
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.oracle import Truth, simulate, simulate_together
from elsa_nb.search.strategies.harvest import LINE, NEIGHBOURHOOD, Harvest, HarvestConfig


def harvest(pool, seeds, seed=0, rows=None, **fields):
    return Harvest(pool, seeds, config=HarvestConfig(**fields), rng=np.random.default_rng(seed), prepared_rows=rows)


def sums_now(search):
    """Return the sums of the kernel over the answers of now, as the next query reads them."""
    near = copy.deepcopy(search._neighbourhood) or Neighbourhood(search._rows)
    near.update(search._ledger.known, search._ledger.answers[search._ledger.known])
    return near._sums._sums


def literal_score(z, answers, weak, least=10, balanced=True):
    """Score as the module's pseudocode says, in double precision and all at once."""
    positive, negative = np.flatnonzero(answers == POSITIVE), np.flatnonzero(answers == NEGATIVE)
    weak = [row for row in weak if answers[row] == -2]
    kernel = ((1 + z @ z.T) / 2) ** 24
    side = max(len(positive), least)
    against = np.concatenate([np.ones(len(negative)), np.full(len(weak), 0.1)])
    costs = np.concatenate([np.full(len(positive), side / len(positive)), against * side / against.sum()])
    costs = costs if balanced else np.concatenate([np.ones(len(positive)), against])
    rows = np.concatenate([positive, negative, weak]).astype(int)
    head = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-12)
    head.fit(z[rows], np.arange(len(rows)) < len(positive), costs)
    line = z @ head.coef_[0] + head.intercept_[0]
    near = np.log(kernel[:, positive].sum(1) + 1e-6) - np.log(kernel[:, negative].sum(1) + 1e-3)
    return (line - line.mean()) / line.std(), (near - near.mean()) / near.std()


@pytest.mark.parametrize("changed", [{}, {"least_side": 0}, {"balanced": False}], ids=str)
def test_batches_are_those_of_the_pseudocode(pool, positive, seeds, changed):
    rows = PreparedRows.of(pool.vectors)
    search = harvest(pool, seeds, rows=rows, budget=120, weak_negatives=30, **changed)
    others = np.setdiff1d(np.arange(240), seeds)
    weak = np.random.default_rng(0).choice(others, size=30, replace=False)
    answers = np.full(240, -2)
    answers[seeds] = POSITIVE
    while (batch := search.query()) is not None:
        line, near = literal_score(
            rows.vectors.astype(float), answers, weak, changed.get("least_side", 10), changed.get("balanced", True)
        )
        score = np.where(answers == -2, line + near, -np.inf)
        assert batch.rows.tolist() == np.argsort(-score, kind="stable")[: len(batch.rows)].tolist()
        assert batch.components.tolist() == np.where(line >= near, LINE, NEIGHBOURHOOD)[batch.rows].tolist()
        answers[batch.rows] = positive[batch.rows]
        search.update(positive[batch.rows].astype(int))


def test_batches_grow_to_the_most_and_the_budget_ends_them(pool, positive, seeds):
    log = simulate(harvest(pool, seeds, budget=50), Truth(positive))
    assert np.bincount(log.rounds).tolist() == [10, 11, 12, 13, 4]
    log = simulate(harvest(pool, seeds, batch=4, growth=1, most_rows=9), Truth(positive))
    assert np.bincount(log.rounds).tolist()[:4] == [4, 8, 9, 9]
    assert sorted([*log.rows, *seeds]) == list(range(240))  # the whole pool, once


def test_batches_that_have_grown_to_the_most_do_not_grow_beyond_all_numbers(pool, positive, seeds):
    log = simulate(harvest(pool, seeds, growth=1e300, most_rows=1, budget=40), Truth(positive))
    assert len(log.rows) == 40


def test_both_clusters_are_found_from_one_seed_in_a_quarter_of_the_pool(pool, positive, seeds):
    log = simulate(harvest(pool, seeds[:1], budget=60), Truth(positive))
    assert positive[log.rows[:4]].all()
    assert positive[log.rows].sum() >= 0.9 * (positive.sum() - 1)


@pytest.mark.parametrize("judge", ["line", "neighbourhood"])
def test_each_judge_alone_is_a_search(pool, positive, seeds, judge):
    log = simulate(harvest(pool, seeds, budget=60, judges=(judge,)), Truth(positive))
    assert positive[log.rows[:10]].mean() > 0.5
    assert set(log.components) == {LINE if judge == "line" else NEIGHBOURHOOD}


def with_twins():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 5)).astype(np.float32)
    x[10:20], x[20:25] = x[10], x[1]  # ten equal rows; five that equal row 1
    return Pool.from_arrays(x)


def test_of_equal_rows_one_is_asked_and_when_it_is_none_the_others_come_last():
    log = simulate(harvest(with_twins(), [0]), Truth(np.zeros(60, bool)))
    assert sorted(log.rows) == list(range(1, 60))
    ten, six = {*range(10, 20)}, {1, *range(20, 25)}
    last = set(log.rows[-14:].tolist())
    assert len(last & ten) == 9
    assert len(last & six) == 5


def test_the_equals_of_a_find_are_asked_at_once():
    search = harvest(with_twins(), [1])
    assert search.query().rows.tolist()[:5] == [20, 21, 22, 23, 24]


@pytest.mark.parametrize("open_question", [False, True])
def test_an_amended_search_goes_on_as_one_that_was_answered_right(pool, positive, seeds, open_question):
    """The same rows asked, the right answers: the same from then on, to the last bit."""
    wrong, right = harvest(pool, seeds), harvest(pool, seeds)
    for search in (wrong, right):
        search.update(positive[search.query().rows].astype(int))
    batch = wrong.query()
    assert batch.rows.tolist() == right.query().rows.tolist()
    truth = positive[batch.rows].astype(int)
    wrong.update(np.where(np.arange(len(truth)) < 6, [1, 0, -1] * 3 + [0] * (len(truth) - 9), truth))
    right.update(truth)
    if open_question:
        wrong.query()  # what is open stays: only what comes after is compared
        wrong.amend(batch.rows[:6], truth[:6])
        assert (sums_now(wrong) == sums_now(right)).all()
        return
    wrong.amend(batch.rows[:6], truth[:6])
    oracle = Truth(positive)
    first = wrong.query(), right.query()
    assert first[0].rows.tolist() == first[1].rows.tolist()
    assert wrong.scores() == pytest.approx(right.scores(), abs=1e-6)
    for search, of in zip((wrong, right), first, strict=True):
        search.update(oracle.label(of.rows))
    assert simulate(wrong, oracle).rows.tolist() == simulate(right, oracle).rows.tolist()


def test_a_seed_may_be_amended_too(pool, positive, seeds):
    search = harvest(pool, seeds, budget=60)
    search.update(np.zeros(len(search.query().rows), int))
    search.amend(seeds, np.zeros(len(seeds), int))  # nothing is a find any more
    batch = search.query()
    assert len(batch.rows) == 11
    assert np.isfinite(search.scores()).all()
    simulate(harvest(pool, seeds, budget=30), Truth(positive))


def test_refused_amendments_change_nothing(pool, positive, seeds):
    search = harvest(pool, seeds)
    search.update(positive[search.query().rows].astype(int))
    before = pickle.dumps(search)
    with pytest.raises(ValueError, match="no answer to correct"):
        search.amend(np.flatnonzero(search._ledger.unasked)[:1], [1])
    with pytest.raises(ValueError, match="label 5; allowed"):
        search.amend(seeds, [5] * len(seeds))
    assert pickle.dumps(search) == before


def test_searches_scored_together_ask_what_each_asks_alone(pool, positive, seeds):
    rows, oracle = PreparedRows.of(pool.vectors), Truth(positive)
    together = [harvest(pool, seeds, seed, rows, budget=60) for seed in range(3)]
    alone = [simulate(harvest(pool, seeds, seed, rows, budget=60), oracle) for seed in range(3)]
    for one, two in zip(simulate_together(together, [oracle] * 3), alone, strict=True):
        assert one.rows.tolist() == two.rows.tolist()


def test_a_search_interrupted_in_its_sums_goes_on_as_if_it_had_not_been(pool, positive, seeds, monkeypatch):
    whole = simulate(harvest(pool, seeds, budget=60), Truth(positive))
    one, add = harvest(pool, seeds, budget=60), KernelSums.add

    def half(self, *args):
        add(self, *args)
        raise KeyboardInterrupt

    while len(one.log.rows) < 60:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(KernelSums, "add", half)
            one.query()
        one.update(positive[one.query().rows].astype(int))
    assert one.query() is None
    np.testing.assert_array_equal(one.log.rows, whole.rows)


def test_unsure_answers_teach_nothing(pool, seeds):
    search = harvest(pool, seeds)
    first = sums_now(search)
    search.update(np.full(len(search.query().rows), UNSURE))
    assert (sums_now(search) == first).all()
    assert len(search.query().rows) == 11


@pytest.mark.filterwarnings("ignore:.*(all zero|more than once)")
@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 9),
    st.integers(1, 3),
    st.sampled_from([np.float16, np.float32]),
    st.sampled_from(["different", "zero", "identical", "few values"]),
    st.one_of(st.none(), st.integers(1, 5)),
    st.data(),
)
def test_any_tiny_pool_is_asked_to_its_end_once(tmp_path_factory, n, d, dtype, kind, shortlist, data):
    """Looked at whole or, with a shortlist, in part."""
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = rng.normal(size=(n, d))
    x = {"zero": x * 0, "identical": x * 0 + x[0], "few values": x.round()}.get(kind, x).astype(dtype)
    seeds = data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=n, unique=True))
    pool, rows = Pool.from_arrays(x), None
    if shortlist is not None:
        made = LargeRows.make(pool, tmp_path_factory.getbasetemp() / "rows", progress=False)
        rows = replace(made, shortlist=shortlist, scaled_by=3)
    search, asked = harvest(pool, seeds, rows=rows, batch=data.draw(st.integers(1, 4))), []
    while (batch := search.query()) is not None:
        assert np.isfinite(search.scores()).all()
        asked += batch.rows.tolist()
        search.update(
            data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=len(batch.rows), max_size=len(batch.rows)))
        )
    assert sorted(asked + seeds) == list(range(n))


def test_all_answers_positive(pool, seeds):
    log = simulate(harvest(pool, seeds, weak_negatives=5), Truth(np.ones(240, bool)))
    assert len(log.rows) == 238


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"budget": 0}, "budget = 0; allowed: a whole number, 1 or more"),
        ({"most_rows": 0}, "most_rows = 0"),
        ({"growth": -1}, "growth = -1; allowed: 0 or more"),
        ({"least_side": -1}, "least_side = -1; allowed: 0 or more"),
        ({"balanced": "no"}, "balanced = 'no'; allowed: True or False"),
        ({"l2": 0}, "l2 = 0; allowed: more than 0"),
        ({"weak_weight": float("nan")}, "weak_weight = nan"),
        ({"judges": ("line", "jury")}, r"judges = .*; allowed: \('line',\), \('neighbourhood',\) or both, each once"),
        ({"judges": ()}, "judges"),
        ({"judges": "line"}, "judges"),
        ({"judges": ("line", "line")}, "judges"),
        ({"judges": [["line"]]}, "judges"),
    ],
)
def test_bad_settings_name_the_value_and_what_is_allowed(fields, match):
    with pytest.raises(ValueError, match=match):
        replace(HarvestConfig(), **fields)


def test_judges_in_a_list_are_those_in_a_tuple(pool, seeds):
    """Each row of a line given in a list was said to be the neighbourhood's."""
    assert HarvestConfig(judges=["line"]) == HarvestConfig(judges=("line",))
    assert {HarvestConfig(judges=["line"])} == {HarvestConfig(judges=("line",))}
    assert set(harvest(pool, seeds, judges=["line"]).query().components.tolist()) == {LINE}


def test_rows_of_another_pool_are_refused(pool, seeds):
    with pytest.raises(ValueError, match="prepared_rows of 50 rows for a pool of 240"):
        harvest(pool, seeds, rows=PreparedRows.of(pool.vectors[:50]))


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("one_length", [False, True])
def test_rows_of_another_pool_with_as_many_are_refused(pool, seeds, tmp_path, monkeypatch, large, one_length):
    monkeypatch.setattr("elsa_nb.prepared.DATA", tmp_path)
    monkeypatch.setattr("elsa_nb.prepared.MOST_LOOKED_AT", 10 if large else pool.n)
    other = Pool.from_arrays(pool.vectors[::-1], pool.ids)
    for _ in range(2):  # made, and opened
        harvest(pool, seeds, rows=prepared_rows(pool, one_length=one_length, progress=False))
        strange = prepared_rows(other, one_length=one_length, progress=False)
        with pytest.raises(ValueError, match="prepared_rows made of another pool than this one"):
            harvest(pool, seeds, rows=strange)
    harvest(Pool.from_arrays(pool.vectors, pool.ids), seeds, rows=prepared_rows(pool, progress=False))
    with pytest.raises(ValueError, match="pool is of type ndarray; give a Pool"):
        prepared_rows(pool.vectors)
