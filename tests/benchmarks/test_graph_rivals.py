"""LAS and ENS, rivals at equal budgets, against their definitions written out over the whole graph."""

import numpy as np
import pytest

from benchmarks import ens, las
from elsa_nb.bench.arms import Spaces
from elsa_nb.pool import Pool

N = 60


@pytest.fixture
def spread():
    """Make a graph of `N` rows, of which five are labelled."""
    rng = np.random.default_rng(1)
    spread = las.LabelSpread(np.abs(rng.normal(size=(N, 4))), weight=0.2)
    spread.label(np.arange(5), np.array([1, 0, 1, 0, 0]))
    return spread


def solved(spread, kept, given):
    """Return the values of all rows, from the n x n system as it stands in the paper."""
    joined = spread.x @ spread.x.T
    walk = joined / joined.sum(1, keepdims=True)
    return np.linalg.solve(np.eye(N) - kept[:, None] * walk, given)


def test_values_of_label_spreading_solve_the_system_of_all_rows(spread):
    assert np.allclose(spread.values(), solved(spread, spread.kept, spread.given))
    assert spread.given[0] == 1 - las.HEARD and spread.given[1] == 0


def test_impact_is_what_all_others_would_gain_by_one_member_more(spread):
    before, impact = spread.values(), spread.impact(spread.values())
    for row in (7, 20, N - 1):
        kept, given = spread.kept.copy(), spread.given.copy()
        kept[row], given[row] = las.HEARD, 1 - las.HEARD
        gained = solved(spread, kept, given) - before
        assert np.isclose(gained.sum() - gained[row], impact[row])


def test_the_worth_of_a_question_is_what_the_likeliest_rows_would_yield_after_each_answer():
    rng = np.random.default_rng(2)
    near = np.array([rng.choice(np.delete(np.arange(N), row), 6, replace=False) for row in range(N)])
    model = ens.SpokenFor(near, rng.random((N, 6)).astype(np.float32), prior=0.1)
    model.label(np.arange(8), np.arange(8) < 3)
    unasked = np.arange(N) >= 8
    p, left = model.likely(), 10
    last = np.sort(p[unasked])[-left]
    gains = model.gains(np.flatnonzero(unasked), last, unasked)
    for found, gained in zip((True, False), gains, strict=True):
        for row, gain in zip(np.flatnonzero(unasked), gained, strict=True):
            after = ens.SpokenFor(near, model.weights, prior=0.1)
            after.positive, after.answered = model.positive.copy(), model.answered.copy()
            after.label(np.array([row]), np.array([found]))
            above = np.maximum(after.likely()[unasked], last) - last
            assert np.isclose(gain, above.sum() - (np.maximum(p[unasked], last) - last).sum(), atol=1e-5)


@pytest.mark.parametrize("arm", [las.las(), las.las(impact=0.1), ens.ens(), ens.ens(0.01)])
def test_a_search_asks_every_row_once_and_members_early(arm):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(330, 8)).astype(np.float32)
    vectors[:30, 0] += 5
    search = arm(Spaces(Pool.from_arrays(vectors)), np.array([0]), 329, np.random.default_rng(0))
    asked = []
    while (batch := search.query()) is not None:
        asked += batch.rows.tolist()
        search.update((batch.rows < 30).astype(np.int8))
    assert len(asked) == len(set(asked)) == 329 and 0 not in asked
    assert sum(row < 30 for row in asked[:100]) >= 20  # nine, were they asked in random order


def test_ens_weighs_by_the_kernel_of_harvest():
    vectors = np.random.default_rng(3).normal(size=(330, 8)).astype(np.float32)
    spaces = Spaces(Pool.from_arrays(vectors))
    near, weights = ens._near(spaces, 200)
    rows = spaces.rows().vectors.astype(float)
    cosines = np.einsum("nd,nkd->nk", rows, rows[near])
    assert weights == pytest.approx(((1 + cosines) / 2) ** 24, rel=1e-4, abs=1e-9)
