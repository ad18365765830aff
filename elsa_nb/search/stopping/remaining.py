"""How many positives are not found yet: what an estimate gets, and what it returns.

An estimate is a guess from scores and answers, with an interval that has held in simulations
(`benchmarks/results/whats_missing_summary.csv`); where the vectors hide a cluster of the class from the scores, no
guess can know of it. Only an `audit` makes a promise that does not depend on the scores.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import scipy

from elsa_nb.plain_arrays import plain_array
from elsa_nb.search.checks import check_count
from elsa_nb.search.contract import POSITIVE, UNSURE, check_labels


@dataclass(frozen=True)
class Evidence:
    """What is known after a round, of a pool of n rows.

    `scores` (u,) float64 is the search's confidence, now, in every row without an answer, None while there is none;
    `scale` the mean and deviation of the log-odds of all n rows now (`scale_of`). The answers, in the order of asking:
    `labels` (m,) int (1, 0, -1 unsure), `given` (m,) float64 the standing when asked (`standings`; nan: none). `seeds`
    is the number of positives that were known before the first answer. `caught` (p, f) bool, where others searched
    besides this search: which of the p proposers, this one first, found each of the f positives that any of them found,
    without the seeds.
    """

    scores: np.ndarray | None
    scale: tuple[float, float]
    labels: np.ndarray
    given: np.ndarray
    seeds: int = 0
    caught: np.ndarray | None = None

    def __post_init__(self):
        if self.scores is not None:
            object.__setattr__(self, "scores", _confidences(self.scores))
        given = _numbers("given", self.given)
        if np.isinf(given).any():
            raise ValueError(
                f"given: {given[np.isinf(given)][0]}; give what standings() returns, nan where it is unknown"
            )
        object.__setattr__(self, "given", given)
        if np.shape(self.labels) != given.shape:
            raise ValueError(
                f"labels of shape {np.shape(self.labels)} and given of shape {given.shape}; give one of each "
                "for every answer"
            )
        object.__setattr__(self, "labels", check_labels(self.labels, len(given)))
        _check_scale(self.scale)
        check_count("seeds", self.seeds, 0)
        if self.caught is not None:
            caught = plain_array(self.caught, "caught", _CAUGHT)
            if caught.ndim != 2 or caught.dtype != bool or not caught.any(0).all():
                raise ValueError(f"caught of type {caught.dtype} and shape {caught.shape}; {_CAUGHT}")
            object.__setattr__(self, "caught", caught)

    @property
    def found(self) -> int:
        """The positives known so far, seeds included."""
        return self.seeds + int(np.count_nonzero(self.labels == POSITIVE))

    @property
    def answers(self) -> tuple[np.ndarray, np.ndarray]:
        """The standing when asked (k,) and whether it was positive (k,) bool, of sure answers that had a score."""
        used = (self.labels != UNSURE) & ~np.isnan(self.given)
        return self.given[used], self.labels[used] == POSITIVE


_CAUGHT = "give one True or False for each proposer and find, (p, f), each find found by one at least, or None"


def _numbers(name: str, values: np.ndarray) -> np.ndarray:
    """Return `values` as (m,) float64; ValueError for what is not a flat list of numbers."""
    numbers = plain_array(values, name, "give one number per row")
    if numbers.ndim != 1 or numbers.dtype.kind not in "fiu":
        raise ValueError(f"{name} of type {numbers.dtype} and shape {numbers.shape}; give one number per row")
    return numbers.astype(np.float64, copy=False)


def _confidences(scores: np.ndarray, unknown: bool = False) -> np.ndarray:
    """Return confidences as (m,) float64, nan among them if `unknown`; ValueError for others."""
    scores = _numbers("scores", scores)
    if not ((scores >= 0) & (scores <= 1) | (unknown & np.isnan(scores))).all():
        raise ValueError("scores below 0, above 1 or nan; give the confidences of search.scores(), or None")
    return scores


def _check_scale(scale: tuple[float, float]) -> None:
    """Raise ValueError unless `scale` is a mean and a deviation."""
    pair = np.shape(scale) == (2,) and np.asarray(scale).dtype.kind in "fiu" and np.isfinite(scale).all()
    if not pair or not scale[1] > 0:
        raise ValueError(f"scale = {scale!r:.60}; give what scale_of(scores of all rows) returns")


class Missing(NamedTuple):
    """Between `low` and `high` positives are missing, `middle` is the best guess; all None where nothing can be said.

    `how` says in one sentence what the estimate rests on, or why there is none. `ahead` are expected finds of going on:
    (answers, finds) pairs, answers ascending; empty where the estimator cannot tell.
    """

    middle: float | None
    low: float | None
    high: float | None
    how: str
    ahead: tuple[tuple[int, float], ...] = ()

    @property
    def silent(self) -> bool:
        """Whether nothing is said."""
        return self.middle is None


class Estimator(Protocol):
    """Estimate how many positives are missing. Quick: the panel calls it after every page."""

    def __call__(self, evidence: Evidence) -> Missing:
        """Return the estimate, or say why there is none."""
        ...


def silence(why: str) -> Missing:
    """Return that nothing can be said, and why."""
    return Missing(None, None, None, why)


_LARGEST = 30.0  # log-odds: confidences of 0 and 1 have none


def log_odds(scores: np.ndarray) -> np.ndarray:
    """Return the log-odds of confidences, at most `_LARGEST` from 0."""
    return np.clip(scipy.special.logit(scores), -_LARGEST, _LARGEST)


def scale_of(scores: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation of the log-odds of the confidences (n,) in all rows of a pool.

    Raises ValueError for anything but numbers from 0 to 1, and for an empty list.
    """
    if not len(scores := _confidences(scores)):
        raise ValueError("scores of no rows; give the confidences in all rows of the pool, those of search.scores()")
    odds = log_odds(scores)
    return float(odds.mean()), max(float(odds.std()), 1e-9)


def standings(scores: np.ndarray, scale: tuple[float, float]) -> np.ndarray:
    """Return the standings of confidences in their round: log-odds in standard deviations from the mean of the pool.

    Unlike confidences, they may be compared between rounds, whose heads know different answers. `scores` (m,) are from
    0 to 1, nan where a row had none (its standing is nan, too); `scale` is of all rows (`scale_of`). Anything else
    raises ValueError.
    """
    _check_scale(scale)
    scores = _confidences(scores, unknown=True)
    return (log_odds(scores) - scale[0]) / scale[1]
