"""Sums of a kernel over answered rows: what they are, and that they can be taken back to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.search.heads.kernel_sums import KernelSums, kernel

N = 61  # odd: rows are taken in pairs, and the last stands alone
rng = np.random.default_rng(0)
VECTORS = rng.normal(size=(N, 9)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
VECTORS[17] = 0


def sums_of(positives, negatives):
    sums = KernelSums(N)
    rows = np.array([*positives, *negatives], np.int64)
    positive = np.arange(len(rows)) < len(positives)
    sums.add(VECTORS, VECTORS[rows], positive.astype(int), (~positive).astype(int))
    return sums


def same(one, two):
    return (one.positive == two.positive).all() and (one.negative == two.negative).all()


def test_sums_are_those_of_the_kernel():
    sums = sums_of([3, 17, 40, 41, 42], [8, 9])
    halves = (1 + VECTORS.astype(float) @ VECTORS.T) / 2
    assert kernel(halves) == pytest.approx(halves**24, rel=1e-13)
    assert sums.positive == pytest.approx(kernel(halves)[:, [3, 17, 40, 41, 42]].sum(1), rel=1e-5, abs=1e-8)
    assert sums.negative == pytest.approx(kernel(halves)[:, [8, 9]].sum(1), rel=1e-5, abs=1e-8)
    assert sums.positive[3] >= 1 - 1e-5


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, N - 1), st.booleans()), unique_by=lambda pair: pair[0], max_size=20), st.data()
)
def test_neither_order_nor_parts_nor_what_was_taken_back_leaves_a_trace(answers, data):
    expected = sums_of([row for row, yes in answers if yes], [row for row, yes in answers if not yes])
    sums = KernelSums(N)
    wrong = data.draw(st.lists(st.sampled_from(answers), unique=True)) if answers else []
    for row, yes in data.draw(st.permutations(answers)):
        said = yes ^ ((row, yes) in wrong)
        sums.add(VECTORS, VECTORS[[row]], np.array([said]).astype(int), np.array([not said]).astype(int))
    if wrong:
        turn = np.array([1 if yes else -1 for _, yes in wrong])
        sums.add(VECTORS, VECTORS[[row for row, _ in wrong]], turn, -turn)
    assert same(sums, expected)
