"""Metrics of runs small enough to count by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.search.metrics import discovery_curve, discovery_rate, finds, labelling_efficiency, median_interval

POSITIVE = np.array([True, False, True, True, False, True])  # rows 0, 2, 3, 5


def test_seeds_are_labels_and_finds_as_the_paper_counts():
    found = finds([1, 2, 4, 3], POSITIVE, [0])
    assert found.tolist() == [True, False, True, False, True]
    assert discovery_rate(found, 4) == 3 / 4
    assert labelling_efficiency(found) == 3 / 5


def test_without_seeds_only_what_was_asked_counts():
    found = finds([1, 2, 4, 3], POSITIVE, [0], count_seeds=False)
    assert found.tolist() == [False, True, False, True]
    assert discovery_rate(found, 3) == 2 / 3
    assert labelling_efficiency(found) == 2 / 4


def test_seeds_that_the_search_asked_itself_are_paid_for_once():
    """In the released code's zero pass the seeds come back as their own neighbours."""
    assert finds([0, 1, 2], POSITIVE, [0, 3]).tolist() == [True, True, False, True]  # 3, then 0, 1, 2
    assert finds([0, 1, 2], POSITIVE, [0, 3], count_seeds=False).tolist() == [False, True]


def test_repeats_cost_a_label_and_bring_nothing():
    found = finds([1, 2, 1, 2], POSITIVE, [0])
    assert found.tolist() == [True, False, True, False, False]
    assert labelling_efficiency(found) == 2 / 5


def test_truth_judges_whatever_was_answered():
    assert finds([4], POSITIVE, []).tolist() == [False]
    assert finds([5], POSITIVE, []).tolist() == [True]


def test_no_labels_at_all():
    assert finds([], POSITIVE, []).tolist() == []
    assert math.isnan(labelling_efficiency(finds([], POSITIVE, [])))
    assert discovery_rate(finds([], POSITIVE, []), 4) == 0
    assert finds([], POSITIVE, [2]).tolist() == [True]


def test_the_curve_climbs_with_each_find_and_stays_at_its_end():
    found = np.array([True, False, True, False])
    assert discovery_curve(found, 4, [0, 1, 2, 3, 4, 5, 100]).tolist() == [0, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5]
    assert discovery_curve(found[:0], 4, [0, 7]).tolist() == [0, 0]


@given(st.lists(st.integers(0, 5), max_size=20), st.sets(st.sampled_from([0, 2, 3, 5]), max_size=3))
def test_no_positive_is_counted_twice(rows, seeds):
    for count_seeds in (True, False):
        found = finds(rows, POSITIVE, sorted(seeds), count_seeds=count_seeds)
        expected = set(rows) & {0, 2, 3, 5}
        expected = expected | seeds if count_seeds else expected - seeds
        assert found.sum() == len(expected)
        curve = discovery_curve(found, 4, np.arange(30))
        assert (np.diff(curve) >= 0).all()
        assert curve[-1] == discovery_rate(found, 4) <= 1


def naive_interval(values, groups, level, resamples, seed):
    names = sorted(set(groups))
    rng = np.random.default_rng(seed)
    medians = []
    for draw in rng.integers(len(names), size=(resamples, len(names))):
        medians.append(np.median([v for i in draw for v, g in zip(values, groups, strict=True) if g == names[i]]))
    return np.quantile(medians, (1 - level) / 2), np.quantile(medians, (1 + level) / 2)


def test_the_interval_resamples_whole_groups():
    values, groups = [1.0, 2.0, 10.0, 4.0, 5.0, 7.0], ["a", "a", "b", "c", "c", "c"]
    median, low, high = median_interval(values, groups, resamples=200, level=0.9, seed=3)
    assert median == 4.5
    assert (low, high) == pytest.approx(naive_interval(values, groups, 0.9, 200, 3))


def test_columns_are_judged_one_by_one():
    rng = np.random.default_rng(0)
    values, groups = rng.normal(size=(12, 3)), np.repeat([5, 2, 9, 7], [1, 5, 2, 4])
    median, low, high = median_interval(values, groups, resamples=150)
    assert median.shape == low.shape == high.shape == (3,)
    for column in range(3):
        one = median_interval(values[:, column], groups, resamples=150)
        assert (median[column], low[column], high[column]) == one
        assert one[1:] == pytest.approx(naive_interval(values[:, column], groups.tolist(), 0.95, 150, 0))


def test_one_group_has_an_interval_of_no_width():
    median, low, high = median_interval([1.0, 2.0, 3.0, 4.0], ["a"] * 4)
    assert median == low == high == 2.5


def test_the_interval_is_the_same_each_time():
    values, groups = np.arange(20.0), np.arange(20) // 2
    assert median_interval(values, groups) == median_interval(values, groups)
    median, low, high = median_interval(values, groups)
    assert low < median < high


@pytest.mark.parametrize(("values", "groups"), [([], []), ([1.0, 2.0], ["a"])])
def test_values_without_groups_are_refused(values, groups):
    with pytest.raises(ValueError, match=f"{len(values)} values in {len(groups)} groups"):
        median_interval(values, groups)


def test_what_is_no_list_of_values_and_no_number_of_members_is_refused():
    for values, groups, told in ((1.5, ["a"], "0 values in 1"), ([1.0], None, "1 values in 0")):
        with pytest.raises(ValueError, match=told):
            median_interval(values, groups)
    with pytest.raises(ValueError, match="seed = nan; allowed: a whole number"):
        median_interval([1.0], ["a"], seed=float("nan"))
    for members in (None, "", []):
        with pytest.raises(ValueError, match=r"n_positives = .*; allowed: a whole number"):
            discovery_rate(FOUND, members)


FOUND = np.array([True, False, True])


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        (lambda: labelling_efficiency([1, -1, 0]), r"found of type int64 .*labels == 1"),  # -1 counted as a find
        (lambda: discovery_curve([1, -1, 0], 2, [3]), "found of type int64"),
        (lambda: finds([1, 2], np.array([0, 2, 2]), [0]), "positive of type int64"),  # classes: 2 counted as none
        (lambda: finds(["a"], POSITIVE, [0]), "rows of type <U1; give whole row numbers"),
        (lambda: finds([1], POSITIVE, ["a"]), "seeds of type <U1; give whole row numbers"),
        (lambda: finds([1], POSITIVE, POSITIVE), "seeds are a mask"),
        (lambda: finds([-1], POSITIVE, [0]), "rows: row -1 is not in the pool; allowed: 0 to 5"),
        (lambda: discovery_rate(FOUND, 1), "2 finds in a class of 1; count the seeds on both sides"),
        (lambda: discovery_rate(FOUND, -1), "n_positives = -1; allowed"),
        (lambda: discovery_curve(FOUND, 2, [-1]), "budgets = .*; allowed: whole numbers"),  # was all of it
        (lambda: discovery_curve(FOUND, 2, [1.5]), "budgets = .*; allowed: whole numbers"),
        (lambda: median_interval([1, 2], [0, 1], level=95), "level = 95; allowed: a share"),
        (lambda: median_interval([1, 2], [0, 1], resamples=0), "resamples = 0; allowed"),
    ],
)
def test_what_would_give_a_number_that_misleads_is_refused(measure, told):
    with pytest.raises(ValueError, match=told):
        measure()


def test_of_a_class_without_members_nothing_is_found_or_not():
    nothing = np.zeros(3, bool)
    assert math.isnan(discovery_rate(nothing, 0))
    assert np.isnan(discovery_curve(nothing, 0, [1, 2])).all()


@pytest.mark.parametrize(
    ("values", "groups", "sentence"),
    [
        (["a"], [1], "values of type <U1, such as a; give numbers"),
        ([1.0, 2.0], [None, None], "groups of several kinds, such as None; give all as names, or all as numbers"),
        ([1.0, 2.0], np.array(["a", 1], object), "groups of several kinds, such as 'a'"),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), [1, 2], "values are masked at 1"),
    ],
)
def test_what_has_no_interval_is_refused(values, groups, sentence):
    with pytest.raises(ValueError, match=sentence):
        median_interval(values, groups)


def test_an_interval_knows_infinity_and_refuses_what_is_not_known():
    some = np.array([1, 2, np.inf, np.inf, np.inf])
    assert median_interval(some, np.array(list("abcde"))) == (np.inf, 1.0, np.inf)
    assert median_interval(np.column_stack([some, some[::-1]]), np.arange(5))[2].tolist() == [np.inf, np.inf]
    for strange in (np.array([1.0, np.nan]), np.array([1 + 2j, 2]), np.array([1, 2], "m8[s]")):
        with pytest.raises(ValueError, match=r"nan|of type"):
            median_interval(strange, np.arange(2))


def test_a_seed_given_twice_is_no_second_label():
    with pytest.raises(ValueError, match="seeds: row 0 is given 2 times"):
        finds([2], np.ones(4, bool), [0, 0])
