"""Measures of one search, and their summary over many: labels per find when a share of a class is found.

*Overhead* is labels / finds at a share, seeds counted: 1 is the best there is. A search that does not get that far in
its budget counts `MISSED` times the budget there, or times the finds wanted where these are more. Where few get that
far, the share found in 200, 500 and 1000 labels says more; more than 90 % is not counted there, since a search may end
soon after.
"""

from typing import Any

import numpy as np
import pandas as pd

from elsa_nb.search.metrics import discovery_curve, median_interval

SHARES = (0.5, 0.8, 0.9, 0.95)
SPENT = (200, 500, 1000)
MISSED = 1.25  # times the budget, or the finds wanted: what a search counts that does not come so far
MOST_COUNTED = 0.9  # of the share found in so many labels
BASE = "Harvest"  # the arm that the others are compared with, class by class
ALL_LABELS = "Every label known"  # the arm that ranks by a probe trained on all labels: the limit of the vectors
AS_ELSA = "labels_as_elsa"  # labels at as many finds as ELSA has at its end, 0 where they are not reached
KEY = ["target", "repeat"]  # what two arms have in common: class and seeds


def goals(total: int) -> list[int]:
    """Return how many finds each of `SHARES` of a class of `total` is."""
    return [int(np.ceil(share * total)) for share in SHARES]


def curve_points(budget: int) -> np.ndarray:
    """Return the numbers of labels (k,) at which the discovery of a search is stored, for its curve."""
    return np.unique(np.round(np.geomspace(2, budget, 25)).astype(int))


def measured(found: np.ndarray, total: int) -> dict[str, float]:
    """Return the labels at which each of `SHARES` of `total` is found, 0 where it is not, and what `SPENT` brought.

    `found` (m,) bool says of each label whether it was a find.
    """
    so_far = np.cumsum(found)
    labels = [int(np.searchsorted(so_far, goal) + 1) if goal <= so_far[-1] else 0 for goal in goals(total)]
    return named(labels, discovery_curve(found, total, SPENT))


def named(labels: list[int], discovery: np.ndarray) -> dict[str, float]:
    """Return labels at the first shares, and discovery in `SPENT` labels, under the names they have in results."""
    at = {f"labels_{_percent(share)}": spent for share, spent in zip(SHARES, labels, strict=False)}
    found = {f"found_in_{k}": round(min(part, MOST_COUNTED), 4) for k, part in zip(SPENT, discovery, strict=True)}
    return at | found


def expected_at_random(n: int, total: int, budget: int) -> dict[str, float]:
    """Return `measured` of asking in random order, in expectation: finds come (n + 1) / (total + 1) labels apart."""
    apart = (n + 1) / (total + 1)
    labels = [round(goal * apart) if goal * apart <= budget else 0 for goal in goals(total)]
    return named(labels, np.minimum(np.array(SPENT) / n, 1))


def overheads(rows: pd.DataFrame, share: float) -> pd.Series:
    """Return labels per find at a share for each row of results; nan where the results do not say."""
    labels = rows[f"labels_{_percent(share)}"] if f"labels_{_percent(share)}" in rows else pd.Series(np.nan, rows.index)
    finds = np.ceil(share * rows["class_size"])
    # A budget below the finds wanted would make fewer labels of a miss than the best search spends.
    return labels.where(labels != 0, MISSED * np.maximum(rows["budget"], finds)) / finds


def summary(frame: pd.DataFrame, base: str = BASE) -> pd.DataFrame:
    """Return the summary of each arm of each comparison, one row each; intervals are of 95 %, over classes.

    `overhead_80`: median over searches, with `low_80` and `high_80`, and `unreached_80` searches that did not get that
    far. `worst_80`: of the class with the most, nan where in some class half or more of the searches did not get that
    far. `ratio_80`: to the arm `base`, class by class (geometric mean), with interval, and in how many classes the arm
    needs fewer labels (`fewer_80`) or more (`more_80`). `gap_80`: to `ALL_LABELS`. `ratio_neither_80`,
    `gap_neither_80`: the share of pairs of searches in which neither got that far; these say 1, or nearly so.
    `found_in_200`: median. `round_ms`: milliseconds of a round, median over searches, on a machine that may have been
    busy. `of_elsa`: labels spent on as many finds as ELSA ends with, divided by ELSA's, median.
    """
    rows = []
    for keys, group in frame.groupby(["pool", "half", "seeds", "budget"], sort=False):
        values = group.assign(**{f"at_{_percent(share)}": overheads(group, share) for share in SHARES})
        by_arm = {arm: of.set_index(KEY) for arm, of in values.groupby("arm", sort=False)}
        for arm, of in by_arm.items():
            row = dict(zip(("pool", "half", "seeds", "budget"), keys, strict=True)) | {"arm": arm}
            row |= {"classes": of.index.get_level_values(0).nunique(), "searches": len(of)}
            for share in SHARES:
                name = _percent(share)
                if of[f"at_{name}"].notna().any():
                    row |= _said(of, by_arm.get(base), by_arm.get(ALL_LABELS), name)
            row |= {f"found_in_{k}": of[f"found_in_{k}"].median() for k in SPENT} | _beside_elsa(of, by_arm.get("ELSA"))
            if "seconds" in of:
                row["round_ms"] = (1000 * of["seconds"] / of["rounds"]).median()
            rows.append(row)
    return pd.DataFrame(rows).round(3)


def _said(of: pd.DataFrame, base: pd.DataFrame | None, limit: pd.DataFrame | None, name: str) -> dict[str, Any]:
    values = of[f"at_{name}"].dropna()
    classes = values.index.get_level_values(0)
    median, low, high = median_interval(values.to_numpy(), classes.to_numpy())
    said = {f"overhead_{name}": median, f"low_{name}": low, f"high_{name}": high}
    unreached = of.loc[values.index, f"labels_{name}"] == 0
    said[f"unreached_{name}"] = int(unreached.sum())
    got_there = unreached.groupby(classes).mean() < 0.5
    said[f"worst_{name}"] = values.groupby(classes).median().max() if got_there.all() else np.nan
    for title, other in (("ratio", base), ("gap", limit)):
        logs = _logs(of, other, name)
        mean, low, high = _mean_interval(logs.to_numpy())
        said |= {f"{title}_{name}": mean, f"{title}_low_{name}": low, f"{title}_high_{name}": high}
        said[f"{title}_neither_{name}"] = _neither(of, other, name)
        if title == "ratio":
            said |= {f"fewer_{name}": int((logs < 0).sum()), f"more_{name}": int((logs > 0).sum())}
    return said


def _beside_elsa(of: pd.DataFrame, elsa: pd.DataFrame | None) -> dict[str, float]:
    """Return labels spent on as many finds as ELSA ends with, divided by ELSA's: median, interval over classes."""
    if elsa is None or AS_ELSA not in of:
        return {}
    spent = of[AS_ELSA].where(of[AS_ELSA] != 0, MISSED * of["budget"])
    parts = (spent / elsa[AS_ELSA]).dropna()
    if parts.empty:
        return {}
    values = median_interval(parts.to_numpy(), parts.index.get_level_values(0).to_numpy())
    return dict(zip(("of_elsa", "of_elsa_low", "of_elsa_high"), values, strict=True))


def _logs(of: pd.DataFrame, other: pd.DataFrame | None, name: str) -> pd.Series:
    """Return the mean log ratio of two arms in each class."""
    if other is None:
        return pd.Series(dtype=float)
    logs = np.log(of[f"at_{name}"] / other[f"at_{name}"]).dropna()
    return logs.groupby(level=0).mean()


def _neither(of: pd.DataFrame, other: pd.DataFrame | None, name: str) -> float:
    """Return the share of pairs of searches of two arms of which neither came to a share; nan without any pair."""
    if other is None:
        return np.nan
    both = of.index.intersection(other.index)
    return ((of.loc[both, f"labels_{name}"] == 0) & (other.loc[both, f"labels_{name}"] == 0)).mean()


def _mean_interval(logs: np.ndarray, resamples: int = 1000) -> tuple[float, float, float]:
    """Return the geometric mean of ratios and its bootstrap interval over classes; nan without any."""
    if not len(logs):
        return np.nan, np.nan, np.nan
    draws = logs[np.random.default_rng(0).integers(len(logs), size=(resamples, len(logs)))].mean(1)
    return tuple(np.exp([logs.mean(), *np.quantile(draws, [0.025, 0.975])]))


def _percent(share: float) -> str:
    return f"{round(100 * share)}"
