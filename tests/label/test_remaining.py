"""The plain estimate: what it says, and when it keeps quiet."""

from dataclasses import replace

import numpy as np

from elsa_nb.label.remaining import Evidence, among_likely


def evidence(hits, drawn, likely=1000, n=20_000):
    scores = np.zeros(n)
    scores[:likely] = 0.9
    labels = np.r_[np.ones(hits), np.zeros(drawn - hits)].astype(int)
    names, rounds = np.full(drawn, "RandS"), np.full(drawn, 4)
    return Evidence(scores, np.zeros(n, bool), labels, np.full(drawn, 0.9), names, rounds)


def test_the_rate_of_rands_is_carried_over_to_what_is_likely():
    left = among_likely(evidence(10, 100))
    assert left.middle == 100
    assert 40 < left.low < 100 < left.high < 160
    assert "10 of the last 100" in left.how
    assert "rough" in left.how


def test_no_hit_is_no_proof():
    left = among_likely(evidence(0, 100))
    assert (left.middle, left.low) == (0, 0)
    assert left.high >= 30


def test_it_keeps_quiet_without_a_head_or_answers():
    assert among_likely(replace(evidence(1, 100), scores=None)) is None
    assert among_likely(evidence(1, 10)) is None
    assert among_likely(replace(evidence(1, 100), components=np.full(100, "NN"))) is None
