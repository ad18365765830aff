"""Candidates of all rows at once: the nearest, in full and in eight digits; what is left out is as far as proved."""

import threading
import time
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.search import kernels
from elsa_nb.search.neighbours import all_pairs, brief_pairs, lists
from elsa_nb.search.neighbours.all_pairs import SinglePairs, propose_all
from elsa_nb.search.neighbours.brief_pairs import BriefPairs, brief_is_quicker
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.neighbours.shortlist import Shortlist

PRECISIONS = ("single", "brief") if find_spec("torch") else ("single",)


def pairs_of(vectors, precision):
    return BriefPairs(vectors) if precision == "brief" else SinglePairs(vectors, kernels.squared_norms(vectors))


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 700), k=st.integers(1, 40), width=st.integers(1, 300), levels=st.sampled_from([3, 50, 10**6]),
    seed=st.integers(0, 9), brief=st.booleans(),
)  # fmt: skip
def test_a_shortlist_holds_the_smallest_values_and_says_what_it_left_out(n, k, width, levels, seed, brief):
    rng = np.random.default_rng(seed)
    products = rng.integers(levels, size=(4, n)).astype(np.float32)
    norms = rng.integers(levels, size=n).astype(np.float32)
    given = products
    if brief:  # the upper half of a float32; whole numbers up to 256 are all of it
        products = np.minimum(products, 256)
        given = (products.view(np.uint32) >> 16).astype(np.uint16)
    values = norms - 2 * products
    along, across = Shortlist(4, k), Shortlist(4, k)
    for first in range(0, n, width):
        part = slice(first, first + width)
        along.offer(given[:, part], norms[part], first)
        across.offer_across(np.ascontiguousarray(given[:, part].T), norms[part], first)
    for shortlist in (along, across):
        columns = shortlist.smallest()
        for row in range(4):
            held = columns[row][columns[row] >= 0]
            assert len(set(held)) == len(held) == min(k, n)
            assert sorted(values[row, held]) == sorted(values[row])[:k]
            left = np.delete(values[row], held)
            assert not len(left) or left.min() >= shortlist.limits[row]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_candidates_of_all_rows_at_once_are_the_nearest(precision):
    vectors = np.random.default_rng(0).normal(size=(20_000, 8)).astype(np.float32)  # enough to begin with a sample
    proposals = propose_all(pairs_of(vectors, precision), len(vectors), 30, progress=False)
    columns = proposals.smallest()
    assert (columns >= 0).all(1).mean() > 0.98  # the sample's limits are seldom too near
    off = 0.2 if precision == "brief" else 1e-4
    for row in range(0, 20_000, 997):
        distances = ((vectors.astype(float) - vectors[row]) ** 2).sum(1)
        held = columns[row][columns[row] >= 0]
        assert distances[held].max() <= np.delete(distances, held).min() + off


KINDS = {
    "normal": lambda rows, rng: rows,
    "duplicates": lambda rows, rng: rows[rng.integers(len(rows) // 3, size=len(rows))],
    "all equal": lambda rows, rng: np.tile(rows[:1], (len(rows), 1)),
    "far away": lambda rows, rng: rows + 2000,
    "tiny": lambda rows, rng: rows * 1e-30,
    "nothing but zeros": lambda rows, rng: np.zeros_like(rows),
    "huge": lambda rows, rng: rows * 1e37,
    "one far from all others": lambda rows, rng: np.where(np.arange(len(rows))[:, None] == 3, rows * 1e6, rows),
    "lengths of many sizes": lambda rows, rng: rows * 10.0 ** rng.integers(-20, 15, size=(len(rows), 1)),
    "single numbers": lambda rows, rng: np.where(np.arange(rows.shape[1]) == 0, rows, 0),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_no_row_left_out_is_nearer_than_proved(precision, kind):
    rng = np.random.default_rng(5)
    for d in (1, 3, 50, 700):
        vectors = KINDS[kind](rng.normal(size=(120, d)), rng).astype(np.float32)
        pairs = pairs_of(vectors, precision)
        with np.errstate(over="ignore", invalid="ignore"):
            proposals = propose_all(pairs, len(vectors), 40, progress=False)
            columns = proposals.smallest()
        reach = pairs.reach(proposals.limits, slice(None))
        for row in range(len(vectors)):
            true = ((vectors.astype(float) - vectors[row]) ** 2).sum(1)
            assert reach[row] <= np.delete(true, columns[row][columns[row] >= 0]).min()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("d", [1, 2, 6])
@pytest.mark.parametrize("digits", ["whole numbers", "all"])
def test_crowded_rows_that_rounding_moves_past_one_another_are_not_proved(precision, d, digits):
    rng = np.random.default_rng(8)
    for _ in range(4):
        half = rng.uniform(50, 200, size=(600, d)) if digits == "all" else rng.integers(-255, 256, size=(600, d))
        vectors = np.concatenate([half, -half]).astype(np.float32)  # their mean is 0, which moves no whole number
        pairs = pairs_of(vectors, precision)
        proposals = propose_all(pairs, len(vectors), 12, progress=False)
        columns = proposals.smallest()
        left_out = ((vectors.astype(float)[:, None] - vectors) ** 2).sum(2)
        np.put_along_axis(left_out, columns.astype(int), np.inf, 1)
        assert (pairs.reach(proposals.limits, slice(None)) <= left_out.min(1)).all()


def test_no_two_threads_offer_to_the_same_rows(monkeypatch):
    """Each would write over what the other keeps."""
    busy, met, guard = set(), [], threading.Lock()

    class Watched(Shortlist):
        def _watch(self, offer, products, norms, first, start):
            with guard:
                met.append(start in busy)
                busy.add(start)
            time.sleep(0.002)
            offer(products, norms, first, start)
            with guard:
                busy.discard(start)

        def offer(self, products, norms, first, start=0):
            self._watch(super().offer, products, norms, first, start)

        def offer_across(self, products, norms, first, start=0):
            self._watch(super().offer_across, products, norms, first, start)

    monkeypatch.setattr(all_pairs, "Shortlist", Watched)
    monkeypatch.setattr(all_pairs, "get_num_threads", lambda: 4)
    monkeypatch.setattr(all_pairs, "MULTIPLIED", 8)
    vectors = np.random.default_rng(0).normal(size=(96, 3)).astype(np.float32)
    propose_all(pairs_of(vectors, "single"), 96, 5, progress=False)
    assert len(met) == 12 * 12
    assert not any(met)


def test_a_sample_has_a_rank_for_nearly_all_rows(monkeypatch):
    monkeypatch.setattr(all_pairs, "_SAMPLE", 16)
    vectors = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    assert (propose_all(pairs_of(vectors, "single"), 200, 190, progress=False).smallest() >= 0).any()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_is_proved_is_as_sharp_as_the_digits_allow(precision):
    vectors = np.random.default_rng(5).normal(size=(300, 64)).astype(np.float32)
    pairs = pairs_of(np.append(vectors, 1000 * vectors[:1], axis=0), precision)  # one far away changes nothing
    proposals = propose_all(pairs, 301, 40, progress=False)
    proposals.smallest()
    exact = Neighbours(vectors, k=39).build(progress=False).lists[1][:, -1]
    off = 0.05 if precision == "brief" else 1e-4
    assert (pairs.reach(proposals.limits, slice(None))[1:300] >= (1 - off) * exact[1:]).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.skipif(len(PRECISIONS) == 1, reason="torch multiplies them")
def test_lists_made_of_eight_digits_are_exact(kind, monkeypatch):
    rng = np.random.default_rng(6)
    vectors = KINDS[kind](rng.normal(size=(700, 20)), rng).astype(np.float32)
    expected = Neighbours(vectors, k=10).build(progress=False).lists
    monkeypatch.setattr(lists, "brief_is_quicker", lambda n, d: True)
    monkeypatch.setattr(lists, "MOSTLY", 0.0)
    got = Neighbours(vectors, k=10).build(progress=False).lists
    np.testing.assert_array_equal(got[0], expected[0])
    np.testing.assert_array_equal(got[1], expected[1])


@pytest.mark.skipif(len(PRECISIONS) == 1, reason="torch multiplies them")
def test_eight_digits_are_left_where_they_prove_too_little(monkeypatch):
    monkeypatch.setattr(lists, "brief_is_quicker", lambda n, d: True)
    rng = np.random.default_rng(7)
    near = rng.normal(size=(2000, 8)).astype(np.float32)
    assert isinstance(Neighbours(near, k=10)._pairs(), BriefPairs)
    alike = (np.eye(2000, 2000) + 1e-4 * rng.normal(size=(2000, 2000))).astype(np.float32)  # all as far from each other
    assert isinstance(Neighbours(alike, k=10)._pairs(), SinglePairs)


def test_a_small_pool_and_a_processor_without_the_units_multiply_in_full(monkeypatch):
    assert not brief_is_quicker(10_000, 256)
    monkeypatch.setattr(brief_pairs, "get_host_cpu_features", lambda: {"avx512f": True})
    assert not brief_is_quicker(100_000, 256)
    monkeypatch.setattr(brief_pairs, "get_host_cpu_features", lambda: {"avx512bf16": True})
    assert brief_is_quicker(100_000, 256) == (len(PRECISIONS) == 2)
