"""What estimates of the missing positives say, and when they keep quiet."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.search.heads.logistic import confidence, logistic_regression
from elsa_nb.search.stopping import by_scores
from elsa_nb.search.stopping.estimators import ESTIMATORS
from elsa_nb.search.stopping.remaining import Evidence, scale_of, standings


def searched(n=20_000, members=200, answers=300, separation=4.0, seed=0):
    """Return the evidence after the best rows by a fixed score were asked, and how many of the class are missing."""
    rng = np.random.default_rng(seed)
    positive = np.arange(n) < members
    scores = confidence(rng.normal(size=n) + separation * positive - 6)
    asked = np.argsort(-scores, kind="stable")[:answers]
    scale = scale_of(scores)
    free = np.ones(n, bool)
    free[asked] = False
    known = Evidence(scores[free], scale, positive[asked].astype(int), standings(scores[asked], scale))
    return known, int(positive[free].sum())


@pytest.mark.parametrize(("answers", "separation"), [(200, 4.0), (300, 4.0), (400, 3.5), (600, 3.0)])
def test_the_bracket_holds_the_missing_ones_where_scores_tell_the_class(answers, separation):
    known, missing = searched(answers=answers, separation=separation)
    said = by_scores.bracket(known)
    assert np.floor(said.low) <= missing <= np.ceil(said.high)
    assert said.low <= said.middle <= said.high
    assert abs(known.found + said.middle - 200) <= 60


@pytest.mark.parametrize("answers", [200, 301])
def test_the_sum_behind_the_bracket_is_that_of_the_pseudocode_without_bands(answers):
    known, _ = searched(n=4000, answers=answers)
    given, positive = known.answers
    recent, u = len(given) // 2, standings(known.scores, known.scale)
    x, y = np.concatenate([given[recent:], u]), np.concatenate([positive[recent:], np.zeros(len(u), bool)])
    (slope,), bias = logistic_regression(x[:, None], y, 1e-2, costs=np.ones(len(x)))
    exact = confidence(slope * u + bias)
    total, chances = by_scores.chances_of(known)
    assert total == pytest.approx(exact.sum(), rel=0.01)
    assert chances == pytest.approx(exact, rel=0.15, abs=1e-4)  # of the centre of its band


@pytest.mark.parametrize(("refused", "speaks"), [(4, False), (5, True)])
def test_few_refusals_say_nothing_even_if_all_are_recent(refused, speaks):
    positive = np.arange(30) < 30 - refused
    assert (by_scores.too_thin(positive) == "") == speaks


def test_it_keeps_quiet_and_says_why():
    known, _ = searched(answers=300)
    early = dataclasses.replace(known, labels=known.labels[:20], given=known.given[:20])
    flowing = dataclasses.replace(known, labels=known.labels[:100], given=known.given[:100])
    cases = {
        "before 30 answers": early,
        "most answers are finds": flowing,
        "before 5 finds": dataclasses.replace(known, labels=np.zeros(300, int)),
        "has no scores yet": dataclasses.replace(known, scores=None),
        "Every item has an answer": dataclasses.replace(known, scores=np.zeros(0)),
    }
    for words, evidence in cases.items():
        said = by_scores.bracket(evidence)
        assert said.silent
        assert said.low is None
        assert words in said.how


def test_lists_are_evidence_as_arrays_are():
    known, _ = searched()
    lists = Evidence(known.scores.tolist(), known.scale, known.labels.tolist(), known.given.tolist())
    for estimate in ESTIMATORS.values():
        assert estimate(lists) == estimate(known)
    assert lists.found == known.found > 0


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"scores": [0.5, 2.0]}, "scores below 0, above 1 or nan"),
        ({"scores": [0.5, np.nan]}, "scores below 0, above 1 or nan"),
        ({"scores": ["a"]}, "scores of type <U1"),
        ({"labels": [1, 0]}, r"labels of shape \(2,\) and given of shape \(3,\)"),
        ({"labels": ["yes", "no", "no"]}, "label 'yes'; allowed: 1"),
        ({"given": [[0.0], [0.0], [0.0]]}, r"given of type float64 and shape \(3, 1\)"),
        ({"scale": 1.0}, "scale = 1.0; give what scale_of"),
        ({"scale": (0.0, 0.0)}, "scale = "),
        ({"scale": (np.nan, 1.0)}, "scale = "),
        ({"scale": (0.0, np.inf)}, "scale = "),
        ({"scale": ("a", "b")}, "scale = "),
        ({"seeds": True}, "seeds = True"),
        ({"given": [0.0, np.inf, 1.0]}, "given: inf"),
        ({"caught": np.ones((2, 12), int)}, "caught of type int64"),  # ~1 is -2, and -2 is true: 12 found by others
        ({"caught": np.ones(12, bool)}, r"caught of type bool and shape \(12,\)"),
        ({"caught": np.array([[True, False], [False, False]])}, "each find found by one at least"),
        ({"scores": np.ma.array([0.5, 0.5], mask=[0, 1])}, "scores are masked at 1"),
    ],
)
def test_evidence_that_would_mislead_is_refused(changed, sentence):
    fine = {"scores": [0.5], "scale": (0.0, 1.0), "labels": [1, 0, -1], "given": [0.0, np.nan, 1.0], "seeds": 1}
    with pytest.raises(ValueError, match=sentence):
        Evidence(**fine | changed)


def test_what_had_no_score_when_asked_and_doubtful_answers_count_for_nothing():
    known = dataclasses.replace(searched()[0], seeds=1)
    more = dataclasses.replace(
        known,
        labels=np.concatenate([[1, 0, 0], known.labels, [-1]]),
        given=np.concatenate([[np.nan] * 3, known.given, [known.given.max()]]),
        seeds=known.seeds - 1,  # the find without a score
    )
    assert by_scores.bracket(more) == by_scores.bracket(known)


def test_going_on_brings_more_the_longer_and_never_more_than_is_missing():
    said = by_scores.bracket(searched()[0])
    finds = [found for _, found in said.ahead]
    assert [answers for answers, _ in said.ahead] == [100, 300, 1000]
    assert finds == sorted(finds)
    assert 0 < finds[0] < finds[-1] <= said.middle


def test_standings_do_not_change_with_the_scale_of_the_scores():
    odds = np.random.default_rng(0).normal(size=500)
    one, other = confidence(odds), confidence(0.5 * odds - 3)
    np.testing.assert_allclose(standings(one, scale_of(one)), standings(other, scale_of(other)), atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 1), st.floats(0, 1)), max_size=60), st.lists(st.floats(0, 1), max_size=60))
def test_any_evidence_gives_a_bracket_in_bounds_or_silence(answers, scores):
    labels, asked = np.array([a for a, _ in answers], int), np.array([s for _, s in answers], float)
    scores = np.array(scores, float)
    scale = scale_of(np.append(scores, asked)) if answers or len(scores) else (0.0, 1.0)
    evidence = Evidence(scores, scale, labels, standings(asked, scale), seeds=1)
    for estimate in ESTIMATORS.values():
        said = estimate(evidence)
        assert said.how
        if not said.silent:
            assert 0 <= said.low <= said.middle <= said.high < np.inf


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ([], "scores of no rows"),
        ([0.5, np.nan], "scores below 0, above 1 or nan"),
        ([0.5, 2.0], "scores below 0, above 1 or nan"),
        (None, "scores of type object"),
        (["a"], "scores of type <U1"),
        ([[0.5]], r"scores of type float64 and shape \(1, 1\)"),
    ],
)
def test_what_are_no_confidences_has_no_scale(scores, sentence):
    with pytest.raises(ValueError, match=sentence):
        scale_of(scores)


def test_a_row_without_a_score_has_no_standing_and_other_numbers_are_refused():
    assert np.isnan(standings([np.nan, 0.5], (0.0, 1.0))).tolist() == [True, False]
    with pytest.raises(ValueError, match="scores below 0, above 1"):
        standings([2.0], (0.0, 1.0))
    with pytest.raises(ValueError, match="scale = "):
        standings([0.5], (0.0, 0.0))
