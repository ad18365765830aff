"""Fig. 9: what RandS and NN find in each round of ELSA, beside nearest neighbours alone.

Notebook 11 draws `finds_by_round` and shows `totals_by_series`.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd

ROUND_SERIES = {("ELSA", "rands"): "RandS in ELSA", ("ELSA", "nn"): "NN in ELSA", ("NN", "nn"): "NN alone"}


def finds_by_round(runs: pd.DataFrame, targets: list[str], *, encoder: str = "vicreg", seeds: int = 5) -> pd.DataFrame:
    """Return the new positives of every round, the median and the extremes of a class's runs.

    Long form: target, reading, series, round (1 is the first), median, low, high, asked (median), running (the share of
    runs that still asked something in this round). The final search is left out. A run that has stopped finds nothing:
    so series of unlike length can be laid side by side. Raises ValueError where a class, or an arm of it, was not run.
    """
    frames = [
        _rounds(searches, component).assign(target=target, reading=reading, series=series)
        for reading, target, series, searches, component in _by_series(runs, targets, encoder, seeds)
    ]
    frame = pd.concat(frames, ignore_index=True)
    longest = frame[frame["running"] > 0].groupby("reading")["round"].max()
    frame = frame[frame["round"] <= frame["reading"].map(longest)]
    return frame[["target", "reading", "series", "round", "median", "low", "high", "asked", "running"]]


def totals_by_series(
    runs: pd.DataFrame, targets: list[str], *, encoder: str = "vicreg", seeds: int = 5
) -> pd.DataFrame:
    """Return what each series of Fig. 9 found and asked in all rounds together: medians over a class's runs.

    One row per (reading, target, series): found, asked, and finds per hundred labels asked. Raises as `finds_by_round`.
    """
    rows = []
    for reading, target, series, searches, component in _by_series(runs, targets, encoder, seeds):
        found, asked = (
            np.array([np.sum(counts) for counts in searches[f"{component}_{what}_by_round"]])
            for what in ("found", "asked")
        )
        per_hundred = 100 * found / np.maximum(asked, 1)
        rows.append((reading, target, series, *map(np.median, (found, asked, per_hundred))))
    return pd.DataFrame(rows, columns=["reading", "target", "series", "found", "asked", "found per 100 labels"])


def lay_out_totals(table: pd.DataFrame) -> pd.DataFrame:
    """Lay `totals_by_series` out: one row per reading and class, tightest first; one column per measure and series."""
    wide = table.pivot(index=["reading", "target"], columns="series")
    order = [(what, series) for what in ("found", "asked", "found per 100 labels") for series in ROUND_SERIES.values()]
    lines = list(dict.fromkeys(zip(table["reading"], table["target"], strict=True)))
    wide = wide.loc[lines, order].round(1)
    wide.index = pd.MultiIndex.from_tuples([(r, t.lower()) for r, t in lines], names=["reading", "class"])
    return wide


def _by_series(
    runs: pd.DataFrame, targets: list[str], encoder: str, seeds: int
) -> Iterator[tuple[str, str, str, pd.DataFrame, str]]:
    """Yield (reading, target, series, its searches, its component); ValueError where a class or an arm was not run."""
    runs = runs[(runs["encoder"] == encoder) & (runs["seeds"] == seeds) & runs["target"].isin(targets)]
    readings = list(dict.fromkeys(runs.loc[runs["arm"] == "ELSA", "reading"]))
    if not readings:
        raise ValueError(f"no runs of encoder {encoder!r} with {seeds} seeds for the classes {targets}")
    for reading, target in product(readings, targets):
        for (arm, component), series in ROUND_SERIES.items():
            searches = runs[(runs["reading"] == reading) & (runs["target"] == target) & (runs["arm"] == arm)]
            if searches.empty:
                raise ValueError(f"no run of {arm!r} for class {target!r} with {seeds} seeds, {reading} reading")
            yield reading, target, series, searches, component


def _rounds(runs: pd.DataFrame, component: str) -> pd.DataFrame:
    """Return median, extremes and what was asked for each round of the runs of one arm and class."""
    length = max(len(counts) for counts in runs[f"{component}_asked_by_round"])
    found, asked = (_padded(runs[f"{component}_{what}_by_round"], length) for what in ("found", "asked"))
    return pd.DataFrame(
        {
            "round": np.arange(1, length + 1),
            "median": np.median(found, axis=0),
            "low": found.min(axis=0),
            "high": found.max(axis=0),
            "asked": np.median(asked, axis=0),
            "running": (asked > 0).mean(axis=0),
        }
    )


def _padded(lists: pd.Series, length: int) -> np.ndarray:
    """Return lists of unlike length as (runs, length), zeros after their ends."""
    return np.array([np.pad(np.asarray(counts, int), (0, length - len(counts))) for counts in lists])
