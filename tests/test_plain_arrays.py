"""What a caller leaves out stays out: a masked value is none, whatever lies beneath the mask."""

import numpy as np
import pytest

from elsa_nb import Pool, Search, Truth
from elsa_nb.plain_arrays import plain_array
from elsa_nb.search import metrics
from elsa_nb.search.contract import check_labels
from elsa_nb.search.stopping.audit import Audit

MASKED = np.ma.array([1, 0, 1], mask=[False, False, True])
POOL = Pool.from_arrays(np.eye(5, 3) + np.arange(5)[:, None])
TAKES = {
    "ids": lambda given: Pool.from_arrays(np.eye(3), given),
    "seeds": lambda given: Search(POOL, given, rng=0),
    "labels": lambda given: check_labels(given, 3),
    "rows of an audit": lambda given: Audit(given, 1, rng=0),
    "truth": lambda given: Truth(given.astype(bool)),
    "rows": lambda given: metrics.finds(given, np.ones(3, bool), [0]),
}


@pytest.mark.parametrize("what", TAKES)
def test_a_masked_value_is_refused(what):
    with pytest.raises(ValueError, match=f"^{what} are masked at 2: a value is missing there; "):
        TAKES[what](MASKED)


def test_without_a_masked_value_it_is_an_array_like_any_other():
    assert plain_array(np.ma.array([1, 0], mask=False), "labels", "").tolist() == [1, 0]
    assert plain_array([1, 0], "labels", "").tolist() == [1, 0]


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"seeds are not a flat list: .*; give a flat list of row numbers, or of ids"):
        Search(POOL, [[0, 1], [2]], rng=0)


@pytest.mark.parametrize("labels", [np.ones(3, "m8[s]"), np.ones(3, complex), np.ones(3, "M8[s]")])
def test_what_merely_equals_a_label_is_none(labels):
    with pytest.raises(ValueError, match=r"allowed: 1 \(positive\)"):
        check_labels(labels, 3)


def test_a_row_beyond_all_numbers_is_named_as_it_was_given():
    for take in (lambda rows: Search(POOL, rows, rng=0), Truth([True] * 5).label):
        with pytest.raises(ValueError, match="row 9223372036854775808 is"):
            take(np.array([1 << 63], np.uint64))


def test_where_ids_are_not_taken_none_are_asked_for():
    with pytest.raises(ValueError, match=r"corrections = 0; give a list of row numbers$"):
        Search(POOL, [0], rng=0).amend(0, [1])
