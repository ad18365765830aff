"""The rows of highest score, against a sort of all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.search.highest import highest


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint64, bool, np.float16])
def test_scores_of_any_dtype_are_ranked(dtype):
    scores = np.array([0, 3, 127, 3, 1]).astype(dtype)
    assert highest(scores, 5).tolist() == sorted(range(5), key=lambda row: (-int(scores[row]), row))
    least = np.array([-128, 1, 3], np.int8)
    assert highest(least, 3).tolist() == [2, 1, 0]


def test_scores_that_cannot_be_ranked_are_refused():
    with pytest.raises(ValueError, match="the score of row 2 is NaN; allowed: numbers that can be ranked"):
        highest(np.array([0, 1, np.nan, 2]), 2, np.array([False, True, True, True]))


SCORES = st.lists(st.sampled_from([-np.inf, -4.0, -0.1, 0.0, 0.3, 2.0]), max_size=12)  # many equal ones


@given(SCORES, st.integers(0, 14), st.data())
def test_they_are_the_first_of_a_sort_by_score_and_row(scores, size, data):
    allowed = data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))
    wanted = sorted((row for row in range(len(scores)) if allowed[row]), key=lambda row: (-scores[row], row))[:size]
    rows = highest(np.array(scores), size, np.array(allowed, bool))
    assert rows.dtype == np.int64 and rows.tolist() == wanted
    assert highest(np.array(scores), size).tolist() == sorted(range(len(scores)), key=lambda r: (-scores[r], r))[:size]


@pytest.mark.parametrize("kind", ["normal", "few values", "ascending", "all equal", "highest where no sample looks"])
@pytest.mark.parametrize("size", [1, 200, 5000, 250_000])
def test_of_many_rows_the_highest_are_those_of_a_sort(kind, size):
    n, rng = 300_000, np.random.default_rng(1)
    scores = rng.normal(size=n).astype(np.float32)
    if kind == "few values":
        scores = np.round(scores)
    if kind == "ascending":
        scores.sort()
    if kind == "all equal":
        scores[:] = 3
    if kind == "highest where no sample looks":
        scores[:: n // 2**16] -= 100
    allowed = rng.random(n) < 0.9
    order = np.argsort(-scores, kind="stable")
    assert highest(scores, size).tolist() == order[:size].tolist()
    assert highest(scores, size, allowed).tolist() == order[allowed[order]][:size].tolist()


def test_of_many_rows_too_one_that_cannot_be_ranked_is_refused():
    scores = np.arange(300_000.0)
    scores[7] = np.nan
    with pytest.raises(ValueError, match="the score of row 7 is NaN"):
        highest(scores, 5)
    assert highest(scores, 2, scores > 0).tolist() == [299_999, 299_998]
