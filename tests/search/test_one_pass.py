"""One pass gives what comparing every row with every query would, and looks closely at few."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.search import kernels
from elsa_nb.search.neighbours import one_pass
from elsa_nb.search.neighbours.one_pass import OnePass
from elsa_nb.search.neighbours.ordering import nearest_first

NOTHING_KNOWN = np.empty(0, np.int64), np.empty(0)


def by_hand(vectors, queries, count, allowed):
    z = vectors.astype(np.float64)
    squared = ((z[:, None] - z[queries]) ** 2).sum(2)
    squared[queries, np.arange(len(queries))] = np.inf
    least = squared.min(1)
    rows = np.flatnonzero(allowed & (least < np.inf))
    rows, distances = nearest_first(rows, least[rows])
    return rows[:count].tolist(), distances[:count]


def longest(vectors):
    return kernels.squared_norms(vectors).max()


def pool(kind, n, d, rng):
    vectors = rng.normal(size=(n, d)) + 4 * rng.normal(size=(5, d))[rng.integers(5, size=n)]
    if kind == "grid":
        vectors = np.round(vectors)
    elif kind == "equal":
        vectors[:] = vectors[0]
    elif kind == "far away":
        vectors = vectors + 3000
    elif kind == "tiny":
        vectors = vectors * 1e-22  # their squares are nothing to float32
    elif kind == "long":
        vectors = vectors * 1e18
    elif kind == "half":
        return vectors.astype(np.float16)
    return vectors.astype(np.float32)


@settings(max_examples=100, deadline=None)
@given(
    kind=st.sampled_from(["clustered", "grid", "equal", "far away", "tiny", "long", "half"]),
    n=st.integers(2, 90),
    d=st.integers(1, 9),
    queries=st.integers(1, 40),
    count=st.integers(1, 100),
    share=st.sampled_from([0.0, 0.1, 0.6, 1.0]),
    known=st.booleans(),
    pairs=st.sampled_from([1, 50, 2**21]),
    spare=st.sampled_from([0, 3, 400]),
    seed=st.integers(0, 10_000),
)
def test_it_is_exact(kind, n, d, queries, count, share, known, pairs, spare, seed):
    rng = np.random.default_rng(seed)
    vectors = pool(kind, n, d, rng)
    asked = np.sort(rng.choice(n, min(queries, n), replace=False))
    allowed = rng.random(n) < share
    expected, distances = by_hand(vectors, asked, count, allowed)
    before = NOTHING_KNOWN
    if known:  # what a list would know: some of the rows, with the distance to one of the queries
        i, j = rng.choice(np.flatnonzero(allowed), 20) if allowed.any() else np.empty(0, int), rng.choice(asked, 20)
        i, j = i[i != j[: len(i)]], j[: len(i)][i != j[: len(i)]]
        before = nearest_first(i, kernels.squared_distances(vectors, i, j[:, None])[:, 0])
        before = before[0][:count], before[1][:count]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one_pass, "PAIRS", pairs)
        patch.setattr(one_pass, "SPARE", spare)
        found, reach = OnePass(vectors, vectors, longest(vectors)).complete(before, asked, count, allowed)
    assert found.tolist() == expected
    np.testing.assert_allclose(reach, distances, rtol=1e-12, atol=0)


@pytest.mark.parametrize("kind", ["clustered", "far away", "tiny"])
def test_float32_is_as_near_the_truth_as_is_said(kind):
    for d in (1, 3, 16, 700):
        vectors = pool(kind, 80, d, np.random.default_rng(d))
        true = np.sqrt(((vectors[:, None].astype(float) - vectors.astype(float)) ** 2).sum(2))
        got = kernels.distances(vectors, vectors[:11])
        assert np.abs(got - true[:, :11]).max() <= OnePass(vectors, vectors, longest(vectors))._blur


def test_half_precision_is_decoded_in_blocks(monkeypatch):
    monkeypatch.setattr(kernels, "_DECODED_ROWS", 7)
    vectors = pool("half", 60, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(
        kernels.distances(vectors, vectors[:6].astype(np.float32)),
        kernels.distances(vectors.astype(np.float32), vectors[:6].astype(np.float32)),
    )


def test_pivots_leave_few_rows_for_a_closer_look(monkeypatch):
    compared = OnePass._compared
    looked = []
    monkeypatch.setattr(
        OnePass, "_compared", lambda self, rows, queries: (looked.append(len(rows)), compared(self, rows, queries))[1]
    )
    rng = np.random.default_rng(0)
    centres = 3 * rng.normal(size=(200, 32))
    labels = rng.integers(200, size=20_000)
    vectors = (centres[labels] + rng.normal(size=(20_000, 32))).astype(np.float32)
    queries = np.flatnonzero(labels == 7)[:60]
    allowed = np.ones(20_000, bool)
    allowed[queries] = False
    found, _ = OnePass(vectors, vectors, longest(vectors)).complete(NOTHING_KNOWN, queries, 30, allowed)
    assert (labels[found] == 7).all()
    assert 30 <= sum(looked) < 600
