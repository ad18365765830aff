"""The greedy probe: what an afternoon's work does instead of ELSA."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from elsa_nb.search.contract import Component
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.oracle import Truth, simulate
from elsa_nb.search.strategies.greedy_probe import GreedyProbe, ProbeConfig


def probe(pool, seeds, seed=0, **settings):
    return GreedyProbe(pool, seeds, config=ProbeConfig(**settings), rng=np.random.default_rng(seed))


def test_batches_are_the_most_likely_rows_of_a_logistic_regression(pool, positive, seeds):
    strategy = probe(pool, seeds, budget=60, weak_negatives=20)
    x = Features(pool.vectors).take(np.arange(240))
    rng = np.random.default_rng(0)
    labels = dict.fromkeys(seeds.tolist(), True)
    while (batch := strategy.query()) is not None:
        unasked = np.array([row for row in range(240) if row not in labels])
        weak = rng.choice(unasked, size=20, replace=False)
        rows = [row for row, label in labels.items() if label]
        rows += [row for row, label in labels.items() if not label] + weak.tolist()
        y = np.array([labels.get(row, False) for row in rows])
        model = LogisticRegression(class_weight="balanced", C=1.0, solver="newton-cholesky", tol=1e-12).fit(x[rows], y)
        scores = model.decision_function(x[unasked])
        expected = unasked[np.argsort(-scores, kind="stable")[: len(batch.rows)]]
        assert batch.rows.tolist() == expected.tolist()
        labels |= {row: bool(positive[row]) for row in batch.rows.tolist()}
        strategy.update(positive[batch.rows].astype(int))


def test_batches_grow_by_the_share_and_the_budget_ends_them(pool, positive, seeds):
    log = simulate(probe(pool, seeds, budget=50, batch=10, growth=0.1), Truth(positive))
    assert np.bincount(log.rounds).tolist() == [10, 11, 12, 13, 4]
    assert (log.components == Component.PROBE).all()
    log = simulate(probe(pool, seeds, budget=9, batch=4, growth=0), Truth(positive))
    assert np.bincount(log.rounds).tolist() == [4, 4, 1]


def test_growth_beyond_all_numbers_asks_what_the_budget_leaves(pool, positive, seeds):
    assert len(simulate(probe(pool, seeds, budget=50, growth=1e308), Truth(positive)).rows) == 50


def test_the_whole_pool_is_asked_once_when_the_budget_allows(pool, positive, seeds):
    log = simulate(probe(pool, seeds, budget=10_000, growth=1), Truth(positive))
    assert sorted([*log.rows, *seeds]) == list(range(240))


def test_it_finds_the_near_cluster_first(pool, positive, seeds):
    log = simulate(probe(pool, seeds, budget=40), Truth(positive))
    assert positive[log.rows[:10]].mean() > 0.5 > 2 * positive.mean()


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"budget": 0}, "budget = 0; allowed: a whole number, 1 or more"),
        ({"batch": 0}, "batch = 0"),
        ({"growth": -0.1}, "growth = -0.1; allowed: 0 or more"),
        ({"weak_negatives": 0}, "weak_negatives = 0"),
    ],
)
def test_bad_settings_name_the_value_and_what_is_allowed(settings, match):
    with pytest.raises(ValueError, match=match):
        ProbeConfig(**settings)


def test_a_head_that_waits_for_more_positives_is_refused(pool, seeds):
    """The probe has nothing to rank by until its head is trained."""
    with pytest.raises(ValueError, match="least_positives"):
        ProbeConfig(head=HeadConfig(least_positives=3))


@pytest.mark.parametrize("seeds", [[], [0, 0], [240], [-1], [0.0], [True] * 240])
def test_bad_seeds_are_refused(pool, seeds):
    with pytest.raises(ValueError, match="seeds"):
        probe(pool, seeds)
