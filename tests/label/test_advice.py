"""What the panel says of how far the work is: estimates when pages are answered, advice, and its price."""

import numpy as np
import pytest

from elsa_nb.label.advice import Advisor, duration, least_finds, price
from elsa_nb.search.stopping.by_scores import bracket
from elsa_nb.search.stopping.remaining import Evidence, Missing
from elsa_nb.search.stopping.rules import Progress, TargetShare

KNOWN = Evidence(np.full(100, 0.1), (0.0, 1.0), np.ones(90, int), np.zeros(90))


def advisor(target=None, middle=8.0):
    made = []

    def estimate(evidence):
        made.append(evidence)
        return Missing(middle, 4.0, 20.0, "a test", ((100, 2.4), (300, 6.0)))

    return Advisor(estimate, target, 10), made


def test_an_estimate_is_made_when_a_page_is_answered_and_not_before():
    ask, made = advisor()
    for answers in (90, 91, 99, 100, 101):
        ask(lambda: KNOWN, 3, answers, 1.0)
    assert len(made) == 2


def test_it_advises_to_stop_when_two_rounds_agree_on_the_target_and_takes_it_back_with_undo():
    ask, _ = advisor(target=0.9)
    assert ask(lambda: KNOWN, 1, 10, 1.2)["advice"] == "Going on: about 2 more for 100 answers, 2 minutes."
    said = ask(lambda: KNOWN, 2, 20, 1.2)
    assert said["advice"].startswith(
        "You may stop: about 90% of the class is found, by the estimate. Going on: about 2"
    )
    assert (said["low"], said["high"]) == (4.0, 20.0)
    assert "You may stop" not in ask(lambda: KNOWN, 1, 10, 1.2)["advice"]


def test_without_an_estimator_nothing_is_said():
    assert Advisor(None, 0.9, 10)(lambda: KNOWN, 1, 10, 1.0) is None


@pytest.mark.parametrize(
    ("ahead", "seconds", "said"),
    [
        (((100, 0.3), (300, 1.2)), None, "Going on: about 1 more for 300 answers."),
        (((100, 0.1), (1000, 0.4)), 0.5, "Going on: hardly one more for 1,000 answers, 9 minutes."),
        ((), 1.0, ""),
    ],
)
def test_the_price_is_that_of_one_more_find(ahead, seconds, said):
    assert price(ahead, seconds) == said


def test_durations_round_up():
    assert [duration(s) for s in (0, 60, 61, 7000, 8000)] == [
        "a minute",
        "a minute",
        "2 minutes",
        "117 minutes",
        "2 hours",
    ]


def with_finds(found, unsure=0):
    """Return what is known of a search that found all it could: after its finds come only refusals, scores are low."""
    labels = np.concatenate([np.ones(found, int), np.zeros(2 * found + 30, int), -np.ones(unsure, int)])
    given = np.where(labels == 1, 5.0, -1.0) + np.linspace(0, 1, len(labels))
    return Evidence(np.full(2_000, 1e-6), (-10.0, 1.0), labels, given)


@pytest.mark.parametrize("share", [0.9, 0.93, 0.95])
def test_a_target_that_so_few_finds_cannot_tell_is_said_to_be_out_of_reach(share):
    rule = TargetShare(share=share)
    least = least_finds(rule)
    for found, told in ((least - 1, False), (least, True)):
        known = with_finds(found)
        missing = bracket(known)
        assert rule(Progress(known.labels == 1, 0, [missing, missing])) is None or told
        said = Advisor(bracket, share, 10)(lambda known=known: known, 3, len(known.labels), 1.0)["how"]
        assert (f"from {least:,} finds on; with fewer, an audit can" in said) == (not told)
    assert "finds on" not in Advisor(bracket, None, 10)(lambda: with_finds(6), 3, 60, 1.0)["how"]


def test_unsure_answers_are_said_to_be_in_neither_number():
    for unsure, said in (
        (0, ""),
        (1, "1 unsure answer counts as neither."),
        (7, "7 unsure answers count as neither."),
    ):
        how = Advisor(bracket, 0.8, 10)(lambda unsure=unsure: with_finds(40, unsure), 3, 200, 1.0)["how"]
        assert said in how
        assert ("unsure" in how) == (unsure > 0)
