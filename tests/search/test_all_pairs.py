"""Candidates of all rows at once: the nearest, and what is left out is as far as said."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.search import kernels
from elsa_nb.search.neighbours.all_pairs import propose_all
from elsa_nb.search.neighbours.shortlist import Shortlist


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
