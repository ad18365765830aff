"""What a search achieved: functions of the ordered labels of a search (True: this label brought a new positive).

The paper's two measures are the discovery rate (recall, equation 4) and the labelling efficiency (precision of what
was labelled, equation 5).
"""

from collections.abc import Sequence

import numpy as np
from numba import njit

from elsa_nb.plain_arrays import plain_array, same_index
from elsa_nb.search.checks import as_truths, check_count, check_rows, check_rows_asked, check_share


def finds(
    rows: np.ndarray, positive: np.ndarray, seeds: Sequence[int] | np.ndarray, *, count_seeds: bool = True
) -> np.ndarray:
    """Return for each label spent, in order, whether it brought a positive that was not counted before: (m,) bool.

    `rows` are the rows asked (repeats allowed: they cost a label and bring nothing), `positive` (n,) bool is the truth.
    With `count_seeds` the seeds are labels too, and come first unless the search asked them itself, as in the paper.
    Without, the seeds and every repeat of them are left out on both sides.

    Raises ValueError for rows that the truth does not have, for ids, and for a truth that is not bool.
    """
    positive = as_truths("positive", positive, "a row of the pool (such as labels == 'owl')")
    rows = check_rows_asked(rows, len(positive), "rows")
    seeds = check_rows(seeds, len(positive), "seeds")
    rows = np.concatenate([seeds[~np.isin(seeds, rows)], rows]) if count_seeds else rows[~np.isin(rows, seeds)]
    first_time = np.zeros(len(rows), bool)
    first_time[np.unique(rows, return_index=True)[1]] = True
    return first_time & positive[rows]


def discovery_rate(found: np.ndarray, n_positives: int) -> float:
    """Return |L+| / |D+|, the share of the class that was found (equation 4); nan for a class without members."""
    found = _checked(found, n_positives)
    return float(np.count_nonzero(found) / n_positives) if n_positives else float("nan")


def labelling_efficiency(found: np.ndarray) -> float:
    """Return |L+| / |L|, finds per label spent (equation 5); nan if nothing was labelled."""
    found = _checked(found, np.size(found))
    return float(np.count_nonzero(found) / len(found)) if len(found) else float("nan")


def discovery_curve(found: np.ndarray, n_positives: int, budgets: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the discovery rate after each number of labels in `budgets` (k,); beyond the last label it is constant.

    Nan for a class without members, as `discovery_rate`.
    """
    budgets = np.asarray(budgets)
    if budgets.size and (budgets.dtype.kind not in "iu" or budgets.min() < 0):
        raise ValueError(f"budgets = {budgets!s:.60}; allowed: whole numbers of labels, 0 or more")
    total = np.concatenate([[0], np.cumsum(_checked(found, n_positives))])
    return total[np.minimum(budgets, len(total) - 1).astype(np.int64)] / (n_positives or np.nan)


def _checked(found: np.ndarray, n_positives: int) -> np.ndarray:
    """Return the finds (m,) as bool; ValueError for labels, where -1 would count, and for more finds than members."""
    found = as_truths("found", found, "a label spent, as `finds` returns them (of labels: labels == 1)")
    check_count("n_positives", n_positives, 0)
    if np.count_nonzero(found) > n_positives:
        raise ValueError(
            f"{np.count_nonzero(found)} finds in a class of {n_positives}; count the seeds on both sides or on none"
        )
    return found


def median_interval(
    values: np.ndarray, groups: np.ndarray, *, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (median, low, high) of `values` (m,) or, column by column, (m, k): a bootstrap percentile interval.

    Whole `groups` (m,) are resampled: searches for the same class resemble one another, so classes are drawn, not
    single searches. Shapes of the results: () or (k,). `level` is a share above 0 and below 1. A value may be infinite,
    such as the labels of a search that did not get there; one that is not known (nan) raises ValueError.
    """
    check_share("level", level)
    check_count("resamples", resamples, 1)
    check_count("seed", seed, 0)
    if same_index("values", values, "groups", groups):
        values, groups = np.asarray(values), np.asarray(groups)
    values = plain_array(values, "values", "give numbers")
    groups = plain_array(groups, "groups", "give names, or numbers")
    if values.dtype.kind in "cmM":
        raise ValueError(f"values of type {values.dtype}; give numbers")
    try:
        values = values.astype(float)
    except (TypeError, ValueError):
        raise ValueError(f"values of type {values.dtype}, such as {values.ravel()[0]}; give numbers") from None
    if np.isnan(values).any():
        raise ValueError("values hold nan, which no median knows; leave these searches out, with their groups")
    rows, of = (len(each) if each.ndim else 0 for each in (values, groups))
    if not rows or rows != of:
        raise ValueError(f"{rows} values in {of} groups; give at least one value, and a group for each")
    try:
        names, member_of = np.unique(groups, return_inverse=True)
    except TypeError:  # names and numbers, or None, cannot be ordered
        cure = "give all as names, or all as numbers"
        raise ValueError(f"groups of several kinds, such as {groups[0]!r}; {cure}") from None
    times = _times_drawn(len(names), resamples, seed)
    columns = values.reshape(len(values), -1)
    order = np.argsort(columns, axis=0)  # nan last
    medians = np.column_stack(
        [_medians_of_draws(columns[rows, i], member_of[rows], times) for i, rows in enumerate(order.T)]
    ).reshape(resamples, *values.shape[1:])
    low, high = _quantiles(medians, (1 - level) / 2), _quantiles(medians, (1 + level) / 2)
    return np.median(values, axis=0), low, high


def _quantiles(medians: np.ndarray, share: float) -> np.ndarray:
    """Return a quantile of each column; between two values that are not both finite, the larger one."""
    with np.errstate(invalid="ignore"):  # infinity less infinity
        between = np.quantile(medians, share, axis=0)
    return np.where(np.isnan(between), np.quantile(medians, share, axis=0, method="higher"), between)[()]


def _times_drawn(groups: int, draws: int, seed: int) -> np.ndarray:
    """Draw as many groups as there are, with replacement, again and again: how often each, (draws, groups) int64."""
    drawn = np.random.default_rng(seed).integers(groups, size=(draws, groups))
    first = np.arange(draws)[:, None] * groups
    return np.bincount((drawn + first).ravel(), minlength=drawn.size).reshape(drawn.shape)


@njit(cache=True)
def _medians_of_draws(values: np.ndarray, member_of: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the median of `values` (m,), ascending, when those of group g occur `times[:, g]` times (draws,).

    Sorting every draw anew would give the same numbers, many times more slowly.
    """
    medians = np.empty(len(times))
    for draw in range(len(times)):
        count = 0
        for group in member_of:
            count += times[draw, group]
        at, seen = 0, times[draw, member_of[0]]
        while seen <= (count - 1) // 2:
            at += 1
            seen += times[draw, member_of[at]]
        lower = values[at]
        while seen <= count // 2:
            at += 1
            seen += times[draw, member_of[at]]
        medians[draw] = (lower + values[at]) / 2
    return medians
