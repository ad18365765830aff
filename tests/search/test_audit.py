"""An audit's statements hold with their probability, whatever is hidden where; its price is told before it begins."""

from itertools import combinations, pairwise
from math import comb

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.search.contract import QueryError
from elsa_nb.search.stopping.audit import Audit, few_hits, labels_for, may_be, most_positives, spent_at

# An audit fails when its bound falls below the truth at any look. Looking at each label is the worst case: for each h,
# the bound with h hits falls below M at a certain number of labels, and the audit fails if it gets there with h hits.


def fatal_labels(n, positives, risk):
    """Return for h = 0, 1, ... at how many labels the bound with h hits falls below `positives` (n + 1: never)."""
    found = []
    for hits in range(positives):
        low, high = hits, n + 1
        while low < high:
            middle = (low + high) // 2
            if few_hits(n, positives, middle, hits) <= spent_at(risk, hits):
                high = middle
            else:
                low = middle + 1
        found.append(low)
    return np.array(found)


def failing(places, fatal, n):
    """Tell of each audit (a row of sorted places of hits in the order of labelling, from 1) whether it fails (m,)."""
    return ((places > fatal) & (fatal <= n)).any(1)


@pytest.mark.parametrize(("n", "positives"), [(6, 2), (9, 3), (12, 4), (14, 1)])
@pytest.mark.parametrize("risk", [0.05, 0.3])
def test_the_risk_is_kept_over_all_orders_of_a_small_pool(n, positives, risk):
    places = np.array(list(combinations(range(1, n + 1), positives)))
    assert len(places) == comb(n, positives)
    assert failing(places, fatal_labels(n, positives, risk), n).mean() <= risk


@pytest.mark.parametrize("positives", [1, 2, 4, 12, 60])
def test_the_risk_is_kept_in_a_large_pool(positives):
    n, audits, rng = 20_000, 4000, np.random.default_rng(positives)
    places = np.sort(np.array([rng.choice(n, positives, replace=False) for _ in range(audits)]), 1) + 1
    fails = failing(places, fatal_labels(n, positives, 0.05), n).mean()
    assert fails <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / audits)


@pytest.mark.parametrize("sight", [0.3, 0.5, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("positives", [1, 3, 12])
def test_the_risk_is_kept_by_a_person_who_overlooks_some_at_whichever_page_it_is_read(sight, positives):
    """Of 10 control items she sees some, of the real ones as many; without allowing for it the promise breaks."""
    n, pages, audits, rng = 300, 6, 400, np.random.default_rng(positives)
    false = without = 0
    for _ in range(audits):
        places = np.sort(rng.choice(n, positives, replace=False))
        seen, controls = rng.random(positives) < sight, rng.random(10) < sight
        bound = plain = n
        for page in range(1, pages + 1):
            labels, shown = n * page // pages, min(10, 3 * page)
            hits, told = int((seen & (places < labels)).sum()), (int(controls[:shown].sum()), shown)
            bound = min(bound, most_positives(n, labels, hits, spent_at(0.05, hits, told), told))
            plain = min(plain, most_positives(n, labels, hits, spent_at(0.05, hits)))
        false, without = false + (bound < positives), without + (plain < positives)
    assert false <= audits * 0.05 + 3 * np.sqrt(audits * 0.05 * 0.95)
    if sight <= 0.7:
        assert without > audits / 4


SIGHTS = np.concatenate([np.linspace(0.002, 0.98, 490), 1 - np.geomspace(0.02, 1e-6, 120), [1.0]])


@given(rows=st.integers(2, 400), data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_search_for_the_share_that_is_seen_finds_what_a_fine_grid_does(rows, data):
    labels, positives = (data.draw(st.integers(1, rows)) for _ in range(2))
    hits = data.draw(st.integers(0, min(labels, positives, 12)))
    shown = data.draw(st.integers(1, 60))
    seen = data.draw(st.integers(0, shown))
    risk = spent_at(0.05, hits, (seen, shown))
    missed = scipy.stats.binom.cdf(shown - seen, shown, 1 - SIGHTS)
    most = max(few_hits(rows, positives, labels, hits, s) * p for s, p in zip(SIGHTS, missed, strict=True))
    if abs(np.log(max(most, 1e-300) / risk)) > 0.02:  # else the grid cannot tell
        assert may_be(rows, positives, labels, hits, risk, (seen, shown)) == (most > risk)


def test_ten_finds_all_seen_are_worth_more_than_a_bound_of_their_own():
    assert most_positives(1000, 1000, 0, spent_at(0.05, 0, (10, 10)), (10, 10)) == 1  # 10 of 11; it was 10 of 14
    assert most_positives(1000, 1000, 0, spent_at(0.05, 0, (0, 10)), (0, 10)) == 1000


def test_known_finds_are_counted_bit_by_bit_only_where_the_audit_began_so():
    audit = Audit(np.arange(500), found=40, rng=0, controls=(0, 0))
    audit.update(np.zeros(len(audit.query(100)), int), controls=(0, 2))
    assert audit.missing_at_most == 500  # somebody who sees none says nothing about what is there
    for seen in (9, 10):
        audit.update(np.zeros(len(audit.query(100)), int), controls=(seen, 10))
    assert audit.controls == (19, 22)
    assert audit.missing_at_most < 100
    alone = Audit(np.arange(500), found=40, rng=0)
    alone.query(10)
    for wrong, sentence in (((1, 1), "unless the audit began with"), ((2, 1), r"controls = \(2, 1\)")):
        with pytest.raises(ValueError, match=sentence):
            alone.update(np.zeros(10, int), controls=wrong)
    assert alone.labels == 0


def test_the_audit_is_the_same_bound_seen_page_by_page():
    rng = np.random.default_rng(0)
    positive = np.zeros(500, bool)
    positive[rng.choice(500, 9, replace=False)] = True
    audit, order, bound = Audit(np.arange(500), found=40, rng=7), np.random.default_rng(7).permutation(500), 500
    while (rows := audit.query(30)) is not None:
        audit.update(positive[rows].astype(int))
        seen = order[: audit.labels]
        hits = int(positive[seen].sum())
        bound = min(bound, most_positives(500, len(seen), hits, 0.05 / ((hits + 1) * (hits + 2))))
        assert (audit.hits, audit.labels) == (hits, min(len(seen), 500))
        assert audit.missing_at_most == max(bound, hits) - hits
        assert audit.recall_at_least == (40 + hits) / (40 + hits + audit.missing_at_most)
    assert audit.labels == 500
    assert audit.missing_at_most == 0
    assert audit.recall_at_least == 1


@pytest.mark.parametrize(("promise", "hits", "labels"), [(0.9, 0, 592), (0.9, 1, 1010), (0.9, 2, 1307), (0.8, 0, 278)])
def test_the_price_of_a_statement_about_the_best_rows(promise, hits, labels):
    assert labels_for(4000, 200, promise, hits=hits) == labels


@given(rows=st.integers(1, 400), found=st.integers(1, 60), promise=st.floats(0.05, 0.99), data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_price_told_before_is_what_an_audit_without_finds_costs(rows, found, promise, data):
    price = labels_for(rows, found, promise)
    audit = Audit(np.arange(rows), found, rng=0)
    assert 0 <= price <= rows
    if price:
        for size in (price - 1, 1):
            if size:
                assert audit.recall_at_least < promise
                audit.update(np.zeros(len(audit.query(size)), int))
    assert audit.recall_at_least >= promise - 1e-12


@given(n=st.integers(2, 60), data=st.data())
@settings(max_examples=80, deadline=None)
def test_bounds_fall_with_labels_and_rise_with_hits(n, data):
    labels = data.draw(st.integers(1, n))
    hits = data.draw(st.integers(0, labels))
    bound = most_positives(n, labels, hits, 0.05)
    assert hits <= bound <= n - (labels - hits)
    assert most_positives(n, labels, hits, 0.05, (3, 6)) >= bound
    for one, other in pairwise(range(labels + 1)):
        assert most_positives(n, labels, one, 0.05) <= most_positives(n, labels, other, 0.05)


@given(n=st.integers(1, 80), found=st.integers(1, 30), data=st.data())
@settings(max_examples=80, deadline=None)
def test_what_is_found_in_another_way_counts_as_found_and_leaves_the_bound_as_it_was(n, found, data):
    positive = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    since = data.draw(st.lists(st.sampled_from(range(n)), unique=True))
    since = [row for row in since if positive[row]]
    alone, beside = (Audit(np.arange(n), found, rng=3, found_since=rows) for rows in ((), since))
    while (rows := alone.query(7)) is not None:
        assert beside.query(7).tolist() == rows.tolist()
        before = beside.elsewhere
        for audit in (alone, beside):
            audit.update(positive[rows].astype(int))
        assert beside.elsewhere == before - sum(row in since for row in rows)
        assert beside.missing_at_most == max(alone.missing_at_most - beside.elsewhere, 0)
        now = found + beside.hits + beside.elsewhere
        assert beside.recall_at_least == now / (now + beside.missing_at_most)
    doubtful = Audit(np.arange(n), found, rng=3, doubtful=4)
    assert (doubtful.missing_at_most, doubtful.recall_at_least) == (n + 4, found / (found + n + 4))


def test_the_price_takes_in_what_was_found_in_another_way_and_what_is_doubtful():
    for elsewhere, doubtful in ((0, 0), (3, 0), (20, 0), (3, 6)):
        audit = Audit(np.arange(5_000), 50, rng=0)
        evenly = audit.query(5_000)[((np.arange(elsewhere) + 0.5) * 5_000 / max(elsewhere, 1)).astype(int)]
        audit = Audit(np.arange(5_000), 50, rng=0, found_since=evenly, doubtful=doubtful)
        price = labels_for(5_000, 50, 0.8, elsewhere=elsewhere, doubtful=doubtful)
        for labels, enough in ((price - 1, False), (1, True)):
            audit.update(np.isin(audit.query(labels), evenly).astype(int))
            assert (audit.recall_at_least >= 0.8) == enough


def test_the_price_is_what_it_takes_while_rows_found_in_another_way_come_up():
    for elsewhere in (3, 10, 40):
        taken = []
        for seed in range(15):
            rng = np.random.default_rng(seed)
            since = rng.choice(2_000, elsewhere, replace=False)
            audit = Audit(np.arange(2_000), 60, rng=rng, found_since=since)
            audit.update(np.isin(audit.query(100), since).astype(int))
            known = {"labels": audit.labels, "hits": audit.hits, "elsewhere": audit.elsewhere}
            price = labels_for(2_000, 60, 0.9, **known)
            while audit.recall_at_least < 0.9:
                audit.update(np.isin(audit.query(20), since).astype(int))
            taken.append(audit.labels / price)
        assert 0.9 < np.median(taken) < 1.1


def test_what_is_doubtful_alone_may_be_too_much_for_a_promise():
    assert labels_for(5_000, 50, 0.9, doubtful=20) == 5_000


def test_a_doubtful_answer_may_be_a_missing_positive():
    clear, doubtful = (Audit(np.arange(300), found=30, rng=0) for _ in range(2))
    for audit, label in ((clear, 0), (doubtful, -1)):
        audit.update([label, *np.zeros(len(audit.query(150)) - 1, int)])
    assert doubtful.hits == 0
    assert doubtful.missing_at_most > clear.missing_at_most
    while (rows := doubtful.query()) is not None:
        doubtful.update(np.zeros(len(rows), int))
    assert doubtful.missing_at_most == 1


def test_a_notebook_shows_an_audit_in_a_line():
    audit = Audit(np.arange(2000), 1000, rng=0)
    assert repr(audit) == "<Audit of 2,000 rows: 0 labels, 0 found beside 1,000; a share of 0.333 is found at least>"
    audit.update(np.arange(len(audit.query(1990))) < 1)
    assert audit.recall_at_least < 1
    assert "1,990 labels, 1 found beside 1,000; a share of 0.99" in repr(audit)


def test_calls_out_of_turn_and_bad_numbers_are_refused_and_change_nothing():
    audit = Audit([5, 9, 7], found=2, rng=0)
    with pytest.raises(QueryError, match="no rows are open"):
        audit.update([1])
    rows = audit.query(2)
    with pytest.raises(QueryError, match="answer the 2 open rows"):
        audit.query()
    for wrong in ([1], [0, 2], [[0, 0]], [0.5, 0]):
        with pytest.raises(ValueError, match=r"labels of shape .* for 2 questions|label (2|0.5); allowed"):
            audit.update(wrong)
    assert (audit.labels, audit.hits, audit.missing_at_most) == (0, 0, 3)
    audit.update([1, 0])
    assert set(rows.tolist()) | set(audit.query().tolist()) == {5, 7, 9}
    for wrong, sentence in (
        ({"found": 0}, "found = 0; allowed: a whole number, 1 or more"),
        ({"confidence": "95 %"}, "confidence = .95 %.; allowed"),
        ({"confidence": 1.0}, "confidence = 1.0; allowed"),
        ({"controls": (9, 8)}, r"controls = \(9, 8\)"),
        ({"controls": 3}, "controls = 3; allowed"),
        ({"controls": (True, True)}, r"controls = \(True, True\); allowed"),
        ({"controls": (1.5, 2)}, r"controls = \(1.5, 2\); allowed"),
        ({"rng": "x"}, "rng = 'x'"),
    ):
        with pytest.raises(ValueError, match=sentence):
            Audit([1, 2], **{"found": 1, "rng": 0} | wrong)
    with pytest.raises(ValueError, match="row 1 is given 2 times"):
        Audit([1, 1], found=1, rng=0)
    with pytest.raises(ValueError, match=r"promise = 1; allowed: a share above 0 and below 1"):
        labels_for(10, 3, 1)
    with pytest.raises(ValueError, match=r"rows of an audit of type <U1; give whole row numbers"):
        Audit(["a"], 2, rng=0)
    for wrong, sentence in (
        ({"rows": 100.5}, "rows = 100.5; allowed: a whole number, 0 or more"),
        ({"rows": -5}, "rows = -5; allowed"),
        ({"found": -3}, "found = -3; allowed: a whole number, 1 or more"),
        ({"hits": -1}, "hits = -1; allowed: a whole number, 0 or more"),
        ({"hits": 101}, "hits = 101 and rows = 100; allowed: at most as many hits as rows"),
    ):
        with pytest.raises(ValueError, match=sentence):
            labels_for(**{"rows": 100, "found": 3, "promise": 0.9} | wrong)


@pytest.mark.parametrize(
    ("bound", "counts", "sentence"),
    [
        (few_hits, (10, 11, 5, 1), "positives = 11 and rows = 10"),
        (few_hits, (10, 5, 11, 1), "labels = 11 and rows = 10"),
        (most_positives, (10, 5, 6, 0.05), "hits = 6 and labels = 5"),
        (most_positives, (10, 11, 6, 0.05), "labels = 11 and rows = 10"),
    ],
)
def test_counts_that_contradict_each_other_are_refused(bound, counts, sentence):
    """They gave a bound, or nan, as if such an audit could be."""
    with pytest.raises(ValueError, match=sentence):
        bound(*counts)


def test_a_row_that_is_none_is_refused_without_a_bound_that_nobody_set():
    with pytest.raises(ValueError, match="row -1 is not in the pool; allowed: 0 or more"):
        Audit([-1, 5], 1, rng=0)


@pytest.mark.parametrize("since", [np.zeros(10, bool), [3.9], ["3"], ["a"], [-1]])
def test_rows_found_since_are_row_numbers_like_all_others(since):
    with pytest.raises(ValueError, match=r"found_since.*(give|allowed)"):
        Audit(np.arange(10), 3, rng=0, found_since=since)


def test_whoever_changes_the_rows_of_a_query_does_not_change_the_audit():
    audit, same = Audit(np.arange(10), 3, rng=0), Audit(np.arange(10), 3, rng=0)
    audit.query(3)[:] = 7
    same.query(3)
    for one in (audit, same):
        one.update([0, 0, 0])
    assert audit.query(7).tolist() == same.query(7).tolist()


def test_no_more_rows_are_found_elsewhere_than_are_left():
    with pytest.raises(ValueError, match="elsewhere = 60 and rows = 50"):
        labels_for(100, 10, 0.9, labels=50, hits=5, elsewhere=60)
