"""What a search achieved: functions of one ordered sequence of finds (True: this label brought a new positive).

The paper's two measures are the discovery rate (recall, equation 4) and the labelling efficiency (precision of what
was labelled, equation 5).
"""

from collections.abc import Sequence

import numpy as np


def finds(
    rows: np.ndarray, positive: np.ndarray, seeds: Sequence[int] | np.ndarray, *, count_seeds: bool = True
) -> np.ndarray:
    """Return for each label spent, in order, whether it brought a positive that was not counted before: (m,) bool.

    `rows` are the rows asked (repeats allowed: they cost a label and bring nothing), `positive` (n,) bool is the truth.
    With `count_seeds` the seeds are labels too, and come first unless the search asked them itself: so the paper
    counts. Without, the seeds and every repeat of them are left out on both sides.
    """
    seeds = np.asarray(seeds, np.int64)
    rows = np.asarray(rows, np.int64)
    rows = np.concatenate([seeds[~np.isin(seeds, rows)], rows]) if count_seeds else rows[~np.isin(rows, seeds)]
    first_time = np.zeros(len(rows), bool)
    first_time[np.unique(rows, return_index=True)[1]] = True
    return first_time & np.asarray(positive)[rows]


def discovery_rate(found: np.ndarray, n_positives: int) -> float:
    """Return |L+| / |D+|, the share of the class that was found (equation 4); nan for a class without members."""
    return float(np.count_nonzero(found) / n_positives) if n_positives else float("nan")


def labelling_efficiency(found: np.ndarray) -> float:
    """Return |L+| / |L|, finds per label spent (equation 5); nan if nothing was labelled."""
    return float(np.count_nonzero(found) / len(found)) if len(found) else float("nan")


def discovery_curve(found: np.ndarray, n_positives: int, budgets: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the discovery rate after each number of labels in `budgets` (k,); after the end it stays as it was."""
    total = np.concatenate([[0], np.cumsum(found)])
    return total[np.minimum(budgets, len(found))] / n_positives


def median_interval(
    values: np.ndarray, groups: np.ndarray, *, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (median, low, high) of `values` (m,) or, column by column, (m, k): a bootstrap percentile interval.

    Whole `groups` (m,) are resampled: searches for the same class resemble one another, so classes are drawn, not
    single searches. Shapes of the results: () or (k,).
    """
    values, groups = np.asarray(values, float), np.asarray(groups)
    if not len(values) or len(values) != len(groups):
        raise ValueError(f"{len(values)} values in {len(groups)} groups; give at least one value, and a group for each")
    members = [values[groups == group] for group in np.unique(groups)]
    sizes = np.array([len(group) for group in members])
    padded = np.full((len(members), sizes.max(), *values.shape[1:]), np.nan)  # sorting puts nan last
    for i, group in enumerate(members):
        padded[i, : len(group)] = group
    draws = np.random.default_rng(seed).integers(len(members), size=(resamples, len(members)))
    medians = np.empty((resamples, *values.shape[1:]))
    for i, draw in enumerate(draws):
        drawn = np.sort(padded[draw].reshape(-1, *values.shape[1:]), axis=0)
        count = sizes[draw].sum()
        medians[i] = (drawn[(count - 1) // 2] + drawn[count // 2]) / 2
    low, high = np.quantile(medians, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.median(values, axis=0), low, high
