"""The tests behind the verdicts: a sign test over classes, paired comparisons, areas under fronts, rank correlations.

The `rules` of every experiment call them; start with `searches_of_arm` and `in_most_classes`, the one standard by
which a measure of many searches lies beyond a threshold.
"""

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy

from elsa_nb.paper.measures.medians import ENCODER_TITLES, interval_text
from elsa_nb.paper.measures.rules import RuleTest
from elsa_nb.search.metrics import median_interval

PAIR_KEYS = ["encoder", "target", "repeat"]  # searches that are compared one by one
WAYS = {"above": operator.gt, "at least": operator.ge, "below": operator.lt, "at most": operator.le}


class Interval(NamedTuple):
    """A median with its 95 % interval over classes and repeats."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return interval_text(*self, ".1f" if abs(self.median) >= 10 else ".3f")


def encoder_title(encoder: str) -> str:
    """Return an encoder's name as the paper writes it; those it does not know keep ours."""
    return ENCODER_TITLES.get(encoder, encoder)


def searches_of_arm(runs: pd.DataFrame, name: str = "ELSA", *, seeds: int | None = 5) -> pd.DataFrame:
    """Return the searches of an arm that start from `seeds` positives (None: any number)."""
    searches = runs[runs["arm"] == name]
    return searches if seeds is None else searches[searches["seeds"] == seeds]


def searches_by_encoder(runs: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the searches of each encoder, with its title."""
    return [(encoder_title(encoder), searches) for encoder, searches in runs.groupby("encoder", sort=False)]


def median_with_interval(values: Sequence[float] | pd.Series, targets: Sequence[Any] | pd.Series) -> Interval:
    """Return the median of `values` (m,) with its interval; whole classes `targets` (m,) are resampled."""
    return Interval(*map(float, median_interval(np.asarray(values, float), np.asarray(targets))))


def in_most_classes(
    says: str,
    values: Sequence[float] | pd.Series,
    targets: Sequence[Any] | pd.Series,
    way: str,
    threshold: float,
    *,
    kind: str = "classes",
) -> RuleTest:
    """Test whether in most classes the median of `values` (m,) lies on one side of `threshold`: a sign test.

    `targets` (m,) are the classes, or what else `kind` names; `way` is one of `WAYS`, and a tie counts as it says. The
    test passes where more than half of the classes do; its `chance` is the two-sided binomial p-value of so many. What
    it says ends with the median of all values, its 95 % interval, which decides nothing, and the count of classes.
    """
    values, targets = np.asarray(values, float), np.asarray(targets)
    by_class = pd.Series(values).groupby(targets).median()
    there, classes = int(WAYS[way](by_class, threshold).sum()), len(by_class)
    shown = f"{says} {median_with_interval(values, targets)}, {way} {threshold:g} in {there} of {classes} {kind}"
    return RuleTest(shown, 2 * there > classes, float(scipy.stats.binomtest(there, classes).pvalue))


def share_of(says: str, hits: Sequence[bool] | pd.Series, way: str, threshold: float) -> RuleTest:
    """Test whether the share of `hits` (m,) lies on one side of `threshold`: a binomial test.

    `way` is one of `WAYS`; the `chance` of the test is the two-sided p-value of so many hits where each has the chance
    `threshold`. What it says ends with the share and its 95 % interval (Wilson), which decides nothing.
    """
    found = scipy.stats.binomtest(int(np.sum(hits)), len(hits), threshold)
    ends = found.proportion_ci(method="wilson")
    shown = f"{says} {interval_text(found.statistic, *ends, '.2f')} of {len(hits)}, {way} {threshold:g}"
    return RuleTest(shown, WAYS[way](found.statistic, threshold), float(found.pvalue))


def holm(chances: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, in the order given: the step-down method of Holm.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(chances, kind="stable")
    stepped = np.asarray(chances, float)[order] * np.arange(len(order), 0, -1)
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return corrected.round(12).tolist()


def paired(one: pd.DataFrame, other: pd.DataFrame, metric: str, *, ratio: bool = False) -> tuple[pd.Series, pd.Series]:
    """Return one - other, or one / other, of the searches for the same class and repeat (m,), and their classes (m,).

    A ratio to zero is left out.
    """
    pairs = one.merge(other, on=PAIR_KEYS, suffixes=("_one", "_other"), validate="one_to_one")
    ours, theirs = pairs[f"{metric}_one"], pairs[f"{metric}_other"]
    if not ratio:
        return ours - theirs, pairs["target"]
    return (ours / theirs)[theirs > 0], pairs.loc[theirs > 0, "target"]


def rank_correlation(x: Sequence[float] | pd.Series, y: Sequence[float] | pd.Series) -> float:
    """Return Spearman's rank correlation; 0 where one of the two does not vary."""
    return float(scipy.stats.spearmanr(x, y).statistic) if np.ptp(x) > 0 and np.ptp(y) > 0 else 0.0


def area_under_front(efficiency: Sequence[float] | pd.Series, discovery: Sequence[float] | pd.Series) -> float:
    """Return the share of the square (labelling efficiency x discovery rate) in which some setting is at least as good.

    The larger, the better the trade-off that an algorithm offers.
    """
    total, reached = 0.0, 0.0
    for x, y in sorted(zip(efficiency, discovery, strict=True), reverse=True):
        total += x * max(0.0, y - reached)
        reached = max(reached, y)
    return total
