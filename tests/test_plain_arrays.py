"""What a caller leaves out stays out: a masked value is none, whatever lies beneath the mask; and order is not lost."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


ORDERS = st.permutations(range(4)).filter(lambda order: list(order) != [0, 1, 2, 3])
NAMES = st.lists(st.one_of(st.text(), st.integers(), st.dates()), min_size=4, max_size=4, unique=True)
SAID = "reindex.* to_numpy"


@pytest.mark.parametrize("what", TAKES)
@pytest.mark.parametrize("order", [[1, 0, 2], [2, 0, 1]])
def test_a_column_that_numbers_its_values_in_another_order_is_refused(what, order):
    values = pd.Series([1, 0, 2] if "row" in what or what in ("ids", "seeds") else [1, 0, 1])
    values = values.astype(bool) if what == "truth" else values
    take = TAKES[what] if what != "truth" else Truth
    with pytest.raises(ValueError, match=f"^{what} are a pandas Series whose index is the numbers 0 to 2 .*{SAID}"):
        take(values.iloc[order])
    take(values)
    take(values.iloc[order].to_numpy())
    take(values.set_axis([7, 8, 9]))  # labels of nothing that is asked


@settings(max_examples=60, deadline=None)
@given(names=NAMES, order=ORDERS)
def test_ids_belong_to_the_vectors_with_their_label(names, order):
    vectors = pd.DataFrame(np.eye(4), index=pd.Index(names, dtype=object))
    ids = pd.Series(list("abcd"), index=pd.Index(names, dtype=object))
    for one, other in ((vectors, ids.iloc[list(order)]), (vectors.iloc[list(order)], ids)):
        with pytest.raises(
            ValueError, match=f"(?s)^ids are a pandas Series whose index is the index of vectors.*{SAID}"
        ):
            Pool.from_arrays(one, other)
    both = Pool.from_arrays(vectors.iloc[list(order)], ids.iloc[list(order)])
    assert both.ids.tolist() == [list("abcd")[i] for i in order]
    numbered = Pool.from_arrays(
        vectors.reset_index(drop=True).iloc[list(order)], ids.reset_index(drop=True)[list(order)]
    )
    assert numbered.ids.tolist() == both.ids.tolist()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_answers_belong_to_the_rows_with_their_label(data):
    """Whatever rows are asked, a column of their labels is taken in their order and refused in any other."""
    pool = Pool.from_arrays(np.random.default_rng(0).normal(size=(30, 3)))
    wanted = pd.Series(np.arange(30) % 3 == 0).astype(int)
    search = Search(pool, [0, 9], rng=0)
    rows = search.query().rows
    order = data.draw(st.permutations(range(len(rows))).filter(lambda order: list(order) != list(range(len(rows)))))
    with pytest.raises(ValueError, match=f"^labels are a pandas Series whose index is the rows asked .*{SAID}"):
        search.update(wanted.loc[rows[list(order)]])
    search.update(wanted.loc[rows])
    assert search.log.labels.tolist() == wanted[rows].tolist()
    search.amend(wanted.loc[rows[list(order)]].index.to_numpy(), wanted.loc[rows[list(order)]])
    assert search.log.labels.tolist() == wanted[rows].tolist()
    told = pd.Series(rows, index=rows)
    with pytest.raises(ValueError, match=r"^labels are a pandas Series whose index is the index of corrections"):
        search.amend(told, wanted.loc[rows[list(order)]])
    search.amend(told.iloc[list(order)], wanted.loc[rows[list(order)]])
    assert search.log.labels.tolist() == wanted[rows].tolist()


def test_a_column_that_only_counts_goes_by_position():
    assert check_labels(pd.Series([1, 0, 1]), 3, np.array([2, 0, 1])).tolist() == [1, 0, 1]
    values, groups = pd.Series([1.0, 2, 3], index=[2, 0, 1]), pd.Series(list("aab"), index=[2, 0, 1])
    assert metrics.median_interval(values, groups)[0] == 2
    with pytest.raises(ValueError, match=r"^groups are a pandas Series whose index is the index of values"):
        metrics.median_interval(values, groups.sort_index())
