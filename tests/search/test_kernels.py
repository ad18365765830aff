"""The compiled loops, against numpy, at both precisions; and that nothing but the row decides a row's result."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.search import kernels
from elsa_nb.search.neighbours.shortlist import Shortlist, propose_all

PRECISIONS = (np.float16, np.float32)


@pytest.fixture(params=PRECISIONS)
def vectors(request):
    return (np.random.default_rng(0).normal(size=(3000, 37)) * 3 + 5).astype(request.param)


def test_half_precision_is_decoded_exactly():
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    finite = every[np.isfinite(every)][:, None]
    decoded = kernels.as_single(finite)
    assert decoded.dtype == np.float32
    np.testing.assert_array_equal(decoded, finite.astype(np.float32))
    np.testing.assert_array_equal(np.signbit(decoded), np.signbit(finite))


def test_products_distances_norms_and_moments_are_those_of_numpy(vectors):
    rng = np.random.default_rng(1)
    exact = vectors.astype(float)
    weights = rng.normal(size=(5, 37))
    np.testing.assert_allclose(kernels.project(vectors, weights), weights @ exact.T, atol=2e-4)
    queries, candidates = rng.integers(3000, size=20), rng.integers(3000, size=(20, 9))
    expected = ((exact[queries][:, None] - exact[candidates]) ** 2).sum(2)
    np.testing.assert_allclose(kernels.squared_distances(vectors, queries, candidates), expected, rtol=1e-13)
    np.testing.assert_allclose(kernels.squared_norms(vectors), (exact**2).sum(1), rtol=1e-13)
    mean, variance = kernels.moments(vectors)
    np.testing.assert_allclose(mean, exact.mean(0), rtol=1e-13)
    np.testing.assert_allclose(variance, exact.var(0), rtol=1e-11)


@pytest.mark.parametrize("d", [1, 5, 17, 300])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_score_depends_on_its_row_and_weights_alone(d, precision):
    rng = np.random.default_rng(d)
    vectors = np.repeat(rng.normal(size=(1, d)), 70, 0).astype(precision)
    weights = rng.normal(size=(9, d))
    together = kernels.project(vectors, weights)
    for h in range(9):
        assert len(set(together[h])) == 1
        assert together[h, 0] == kernels.project(vectors[:1], weights[h : h + 1])[0, 0]


def test_moments_of_a_far_away_pool_keep_their_digits():
    vectors = (np.random.default_rng(0).normal(size=(2500, 3)) + 1e4).astype(np.float32)
    np.testing.assert_allclose(kernels.moments(vectors)[1], vectors.astype(float).var(0), rtol=1e-9)


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 700), k=st.integers(1, 40), width=st.integers(1, 300), levels=st.sampled_from([3, 50, 10**6]),
    seed=st.integers(0, 9)
)  # fmt: skip
def test_a_shortlist_holds_the_smallest_values_and_says_what_it_left_out(n, k, width, levels, seed):
    rng = np.random.default_rng(seed)
    products = rng.integers(levels, size=(4, n)).astype(np.float32)
    norms = rng.integers(levels, size=n).astype(np.float32)
    values = norms - 2 * products
    along, across = Shortlist(4, k), Shortlist(4, k)
    for first in range(0, n, width):
        part = slice(first, first + width)
        along.offer(products[:, part], norms[part], first)
        across.offer_across(np.ascontiguousarray(products[:, part].T), norms[part], first)
    for shortlist in (along, across):
        columns = shortlist.smallest()
        for row in range(4):
            held = columns[row][columns[row] >= 0]
            assert len(set(held)) == len(held) == min(k, n)
            assert sorted(values[row, held]) == sorted(values[row])[:k]
            left = np.delete(values[row], held)
            assert not len(left) or left.min() >= shortlist.limits[row]


def test_candidates_of_all_rows_at_once_are_the_nearest_and_limits_are_kept():
    vectors = np.random.default_rng(0).normal(size=(20_000, 8)).astype(np.float32)  # enough to begin with a sample
    norms = kernels.squared_norms(vectors)
    proposals = propose_all(vectors, norms, 30, progress=False)
    columns = proposals.smallest()
    assert (columns >= 0).all(1).mean() > 0.98  # the sample's limits are seldom too near
    for row in range(0, 20_000, 997):
        distances = ((vectors.astype(float) - vectors[row]) ** 2).sum(1)
        held = columns[row][columns[row] >= 0]
        assert distances[held].max() <= np.delete(distances, held).min() + 1e-4
        assert np.delete(distances, held).min() >= proposals.limits[row] + norms[row] - 1e-4
