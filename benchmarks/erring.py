"""Oracles that err as people do: more where classes look alike, or as three real people did.

Where a search rechecks its answers, an oracle is asked the same question again, and may then answer otherwise.
"""

from collections.abc import Sequence

import numpy as np

from elsa_nb.search.heads.logistic import confidence, logistic_regression
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.recheck import contradictions
from elsa_nb.threads import one_blas_thread

MOST = 0.5  # the probability of a wrong answer, at most: a coin
_NEGATIVES, _LEAST = 2000, 0.01


def likeness(rows: PreparedRows, positive: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return how much each row looks like the other side to a probe that knows the truth: (n,) probabilities.

    The probe is a logistic regression of the class against random other rows; members are judged by it left out.
    """
    members, others = np.flatnonzero(positive), np.flatnonzero(~positive)
    others = rng.choice(others, min(_NEGATIVES, len(others)), replace=False)
    x, y = rows.take(np.concatenate([members, others])), np.arange(len(members) + len(others)) < len(members)
    with one_blas_thread():
        weights, bias = logistic_regression(x, y, 1.0, tolerance=1e-6)
    wrong = confidence(rows.project(weights[None], np.array([bias]))[0])
    wrong[members] = confidence(contradictions(x, y)[: len(members)])
    return np.maximum(wrong, _LEAST)


class LooksAlike:
    """Errs on the share `flip` of each batch, like independent flips, but where the classes look alike.

    A row of a batch is answered wrongly with a probability in proportion to its `likeness` (n,), `MOST` at most, the
    mean over the batch being `flip`. Asked again, a row keeps that probability and is drawn anew.
    """

    def __init__(self, positive: np.ndarray, flip: float, likeness: np.ndarray, rng: np.random.Generator):
        self.positive, self.flip = positive, flip
        self._likeness, self._rng = likeness, rng
        self._chance = np.full(len(positive), np.nan)

    def label(self, rows: np.ndarray) -> np.ndarray:
        """Return the truth with errors."""
        new = rows[np.isnan(self._chance[rows])]
        if len(new):
            self._chance[new] = self._spread(self._likeness[new])
        wrong = self._rng.random(len(rows)) < self._chance[rows]
        return (self.positive[rows] ^ wrong).astype(np.int8)

    def _spread(self, likeness: np.ndarray) -> np.ndarray:
        low, high = 0.0, MOST / likeness.min()
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if np.minimum(middle * likeness, MOST).mean() < self.flip else (low, middle)
        return np.minimum(high * likeness, MOST)


class People:
    """Several people who answered every row once: `answers` (k, n) bool. The first question is for the first of them.

    A question asked again goes to the next person, and after the last to the first again.
    """

    def __init__(self, answers: np.ndarray):
        self._answers = answers
        self._asked = np.zeros(answers.shape[1], int)

    def label(self, rows: np.ndarray) -> np.ndarray:
        """Return what the people said."""
        given = self._answers[self._asked[rows] % len(self._answers), rows]
        self._asked[rows] += 1
        return given.astype(np.int8)


def shuffled(answers: np.ndarray, positive: np.ndarray, rng: np.random.Generator, *, sides: bool) -> np.ndarray:
    """Return `answers` (k, n) bool with as many errors of each person as before, but on random rows.

    With `sides` their numbers among members and among others stay the same, else only the total.
    """
    parts: Sequence[np.ndarray] = (positive, ~positive) if sides else (np.ones(len(positive), bool),)
    wrong = answers ^ positive
    for of in wrong:
        for part in parts:
            of[part] = rng.permutation(of[part])
    return positive ^ wrong
