"""The compiled loops, against numpy, at both precisions; and that nothing but the row decides a row's result."""

import numpy as np
import pytest

from elsa_nb.search import kernels

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
