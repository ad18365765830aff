"""Capture and recapture: Chao's estimate by hand, and on proposers that really are independent."""

import dataclasses

import numpy as np
import pytest

from elsa_nb.search.stopping.by_captures import capture_recapture, chao
from elsa_nb.search.stopping.remaining import Evidence

ALONE = Evidence(np.full(100, 0.1), (0.0, 1.0), np.ones(20, int), np.zeros(20), seeds=3)


def test_chao_by_hand():
    # Two proposers: 30 finds of one alone, 15 of both. missing = 1/2 * 30^2 / (2 * 15) = 15, as 15 * 15 / 15 would say.
    # r = 2, A = 1/2: variance = 15 * (4 / 4 + 8 / 4 + 16 / 16) = 60; spread = exp(1.96 sqrt(log(1 + 60 / 225))).
    low, middle, high = chao(30, 15, 2)
    assert middle == pytest.approx(15)
    assert (low, high) == pytest.approx((15 / 2.5935, 15 * 2.5935), rel=1e-4)
    # Three proposers: 2/3 * 12^2 / (2 * 6) = 8.
    assert chao(12, 6, 3)[1] == pytest.approx(8)
    assert chao(0, 7, 2) == (0, 0, 0)  # whatever one found, the other found too
    for wrong in ((3, 0, 2), (-1, 3, 2), (3, 3, 1)):
        with pytest.raises(ValueError, match="allowed"):
            chao(*wrong)


def test_independent_proposers_give_the_number_they_missed():
    caught = np.random.default_rng(0).random((2, 4000)) < 0.6
    seen = caught[:, caught.any(0)]
    said = capture_recapture(dataclasses.replace(ALONE, caught=seen))
    assert said.low <= 4000 - caught[0].sum() <= said.high  # of the class, what the first did not find
    assert said.middle == pytest.approx(4000 - caught[0].sum(), rel=0.05)


def test_what_is_hard_for_both_is_not_counted():
    """Half of a class that neither proposer meets leaves no trace: the estimate is a lower bound."""
    caught = np.random.default_rng(0).random((2, 1000)) < 0.6
    said = capture_recapture(dataclasses.replace(ALONE, caught=caught[:, caught.any(0)]))
    assert said.high < 2000 - caught[0].sum()


def test_it_keeps_quiet_without_another_proposer_or_shared_finds():
    assert "one proposer" in capture_recapture(ALONE).how
    apart = np.repeat(np.eye(2, dtype=bool), 20, axis=1)
    said = capture_recapture(dataclasses.replace(ALONE, caught=apart))
    assert said.silent
    assert "proposed twice" in said.how
