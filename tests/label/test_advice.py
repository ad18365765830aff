"""What the panel says of how far the work is: estimates when pages are answered, advice, and its price."""

import numpy as np
import pytest

from elsa_nb.label.advice import Advisor, duration, price
from elsa_nb.search.stopping.remaining import Evidence, Missing

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
