"""When rules say that one may stop, and how they are named."""

import numpy as np
import pytest

from elsa_nb.search.stopping.remaining import Missing, silence
from elsa_nb.search.stopping.rules import STOP_RULES, Progress, TargetShare, stop_rule


def progress(finds="", seeds=0, **more):
    return Progress(np.array([each == "1" for each in finds], bool), seeds, **more)


def missing(middle):
    return Missing(middle, middle / 2, middle * 2, "a test")


def test_the_target_waits_until_two_estimates_say_so():
    target, found = TargetShare(0.9), "1" * 87
    enough, more = missing(9.0), missing(9.2)  # with a tenth of the way to twice as many: 9.9 and 10.12
    assert target(progress(found, 3, estimates=[enough, enough])) == "about 90% of the class is found, by the estimate"
    assert target(progress(found, 3, estimates=[enough])) is None
    assert target(progress(found, 3, estimates=[more, enough])) is None
    assert target(progress(found, 3, estimates=[enough, silence("a test")])) is None


@pytest.mark.parametrize(
    ("words", "yes", "no"),
    [
        ("budget 5", "00000", "1111"),
        ("empty 3", "1000", "10100"),
        ("knee 40", "1" * 30 + "0" * 5000, "1" * 30 + "0" * 30),
        ("knee 40", "1" * 200 + "0" * 50, "10" * 200),
    ],
)
def test_rules_over_answers(words, yes, no):
    rule = stop_rule(words)
    assert rule(progress(yes))
    assert rule(progress(no)) is None
    assert rule(progress()) is None


def test_an_audit_is_passed_at_its_promise():
    rule = stop_rule("audit 0.8")
    assert rule(progress(recall_at_least=0.81)) == "the audit certifies that at least 80% of the class is found"
    assert rule(progress(recall_at_least=0.79)) is None
    assert rule(progress()) is None
    for share, said in ((0.996, "99.6%"), (0.995, "99.5%"), (0.29, "29%"), (0.9999999999999, "99.99999999999%")):
        assert said in stop_rule(f"audit {share}")(progress(recall_at_least=1.0))  # never "100%"
        assert said in TargetShare(share)(progress("1", 9**18, estimates=[missing(0.0)] * 2))


def test_finds_may_be_a_list_of_truths_and_nothing_else():
    assert stop_rule("empty 3")(Progress(finds=[True, False, False, False]))
    assert stop_rule("empty 3")(Progress(finds=[])) is None
    with pytest.raises(ValueError, match=r"finds of type int64 .* give one True or False an answer"):
        Progress(finds=np.array([1, 0, -1]))
    for wrong in (None, 5, "", {}, Missing(None, None, None, "")):
        with pytest.raises(ValueError, match=r"estimates: .*; allowed: a list of what an estimator returns"):
            Progress(finds=[True], estimates=wrong)


def test_rules_are_named_in_words_and_wrong_words_are_refused():
    assert all(isinstance(stop_rule(name), kind) for name, kind in STOP_RULES.items())
    assert stop_rule("target 0.8") == TargetShare(0.8)
    for words, said in {
        "soon": "allowed: target, budget, empty, knee, audit",
        "target high": "'high' is not a number",
        "target 90": "target = 90; allowed: a share above 0 and below 1",
        "empty 0.5": "answers = 0.5; allowed: a whole number, 1 or more",
    }.items():
        with pytest.raises(ValueError, match=said):
            stop_rule(words)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Progress([], seeds=[0, 1]), r"seeds = \[0, 1\]; allowed: a whole number"),
        (lambda: Progress([], recall_at_least=95), "recall_at_least = 95; allowed: a share from 0 to 1"),  # stopped
        (lambda: Progress([], estimates=[3]), "estimates: 3; allowed"),
        (lambda: TargetShare(rounds=0), "rounds = 0; allowed"),
        (lambda: TargetShare(caution=float("nan")), "caution = nan; allowed"),
        (lambda: stop_rule(None), "rule None is not known"),
    ],
)
def test_numbers_that_say_nothing_stop_nothing(make, told):
    with pytest.raises(ValueError, match=told):
        make()
