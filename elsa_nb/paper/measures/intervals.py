"""What a claim is tested by: medians and their intervals, paired differences, areas under fronts, rank correlations.

The `rules` of every experiment call it; start with `searches_of_arm` and `paired_difference`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from elsa_nb.paper.measures.medians import ENCODER_TITLES
from elsa_nb.search.metrics import median_interval

PAIR_KEYS = ["encoder", "target", "repeat"]  # searches that are compared one by one


class Interval(NamedTuple):
    """A median with its 95 % interval over classes and repeats."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        digits = 1 if abs(self.median) >= 10 else 3
        return f"{self.median:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


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


def median_with_interval(values: Sequence[float] | pd.Series, targets: Sequence[str] | pd.Series) -> Interval:
    """Return the median of `values` (m,) with its interval; whole classes `targets` (m,) are resampled."""
    return Interval(*map(float, median_interval(np.asarray(values, float), np.asarray(targets))))


def paired_difference(one: pd.DataFrame, other: pd.DataFrame, metric: str) -> Interval:
    """Return the median of one - other over the searches for the same class and repeat, with its interval."""
    pairs = one.merge(other, on=PAIR_KEYS, suffixes=("_one", "_other"), validate="one_to_one")
    return median_with_interval(pairs[f"{metric}_one"] - pairs[f"{metric}_other"], pairs["target"])


def rank_correlation(x: Sequence[float] | pd.Series, y: Sequence[float] | pd.Series) -> float:
    """Return Spearman's rank correlation; 0 where one of the two does not vary."""
    return float(spearmanr(x, y).statistic) if np.ptp(x) > 0 and np.ptp(y) > 0 else 0.0


def area_under_front(efficiency: Sequence[float] | pd.Series, discovery: Sequence[float] | pd.Series) -> float:
    """Return the share of the square (labelling efficiency x discovery rate) in which some setting is at least as good.

    The larger, the better the trade-off that an algorithm offers.
    """
    total, reached = 0.0, 0.0
    for x, y in sorted(zip(efficiency, discovery, strict=True), reverse=True):
        total += x * max(0.0, y - reached)
        reached = max(reached, y)
    return total
