"""Estimates of the missing, rules for stopping and prices of promises, from the committed simulations.

Notebook 14 starts at `estimates`. Simulated and judged by `python -m benchmarks.whats_missing`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from elsa_nb.paper.measures.simulated import held_out
from elsa_nb.search.stopping.audit import labels_for

TITLES = {
    "bracket": "bracket (shown)",
    "score sum": "score sum (QuantCI)",
    "curve of finds": "curve of finds",
    "capture-recapture": "capture-recapture (Chao)",
}


def estimates() -> pd.DataFrame:
    """Return one row per estimate, of held-out classes: what was said when a share of the class was found.

    Columns are those of the file, and those of `beside_truth`.
    """
    frame = beside_truth(held_out("whats_missing.csv"))
    return frame.assign(estimator=frame["estimator"].map(TITLES))


def beside_truth(frame: pd.DataFrame) -> pd.DataFrame:
    """Return estimates, a row each (class_size, found, low, middle, high), beside what they were of.

    Columns are added: `missing`, the truth; `size_ratio`, found and middle estimate together against the size of the
    class; `held`, whether the truth lies between the ends, rounded outwards to whole positives; `width` of the interval
    against the size of the class. The last three are nan where nothing was said.
    """
    missing = frame["class_size"] - frame["found"]
    held = (np.floor(frame["low"]) <= missing) & (missing <= np.ceil(frame["high"]))
    return frame.assign(
        missing=missing,
        size_ratio=(frame["found"] + frame["middle"]) / frame["class_size"],
        held=held.astype(float).where(frame["middle"].notna()),
        width=(frame["high"] - frame["low"]) / frame["class_size"],
    )


def summary_of_estimates(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return how the estimates did, one row for each value of `by`; `frame` has one row per estimate (`beside_truth`).

    Columns: searches, spoke (in how many of them there was an estimate), held (share of those), within_20 (share of
    those in which the size of the class by the middle is at most 20 % off), width and size_ratio (medians).
    """
    near = ((frame["size_ratio"] - 1).abs() <= 0.2).astype(float).where(frame["middle"].notna())
    table = (
        frame.assign(within_20=near)
        .groupby(list(by), sort=False)
        .agg(
            searches=("middle", "size"),
            spoke=("middle", "count"),
            held=("held", "mean"),
            within_20=("within_20", "mean"),
            width=("width", "median"),
            size_ratio=("size_ratio", "median"),
        )
    )
    return table.reset_index().sort_values(list(by), ignore_index=True)


def compared(frame: pd.DataFrame, shares: Sequence[float] = (0.8, 0.9)) -> pd.DataFrame:
    """Return how each estimate did at `shares` of the class, by pool, both searchers together.

    As `summary_of_estimates`, but `spoke` is a share of the searches.
    """
    table = summary_of_estimates(frame[frame["share"].isin(shares)], ["share", "pool", "estimator"])
    return table.assign(spoke=table["spoke"] / table["searches"])


def coverage(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the share of intervals that contain the truth, by estimator, pool, searcher and share of a class found."""
    groups = frame[frame["middle"].notna()].groupby(["estimator", "pool", "strategy", "share"], sort=False)
    return groups.agg(held=("held", "mean"), said=("held", "size")).reset_index()


def stops() -> pd.DataFrame:
    """Return where each rule stops, on held-out classes: `summary_of_stops`, one row per pool, rule and searcher."""
    return summary_of_stops(held_out("whats_missing_stops.csv"), ["pool", "rule", "strategy"]).drop(
        columns="discovery_low"
    )


def summary_of_stops(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return for each group where rules stop its searches, of which `frame` has one row per rule.

    Columns: searches, reaches_90 (share that find 90 % at all), fired (share in which the rule fired at all; the budget
    ends the others, and nobody was told to stop), right_when_fired (of those, the share that end at 85 % or more),
    ends_at_85_or_more (of all), discovery (median), discovery_low (a tenth lies below), labels (median), ratio (median
    of labels against a stop that knows when 90 % are found, of searches that reach them).
    """
    reaches, good = frame["labels_knowing"] > 0, frame["discovery"] >= 0.85
    frame = frame.assign(
        reaches=reaches,
        good=good,
        right=good.astype(float).where(frame["fired"]),
        low=frame["discovery"],
        ratio=(frame["labels"] / frame["labels_knowing"]).where(reaches),
    )
    table = frame.groupby(list(by), sort=False).agg(
        searches=("good", "size"),
        reaches_90=("reaches", "mean"),
        fired=("fired", "mean"),
        right_when_fired=("right", "mean"),
        ends_at_85_or_more=("good", "mean"),
        discovery=("discovery", "median"),
        discovery_low=("low", lambda values: values.quantile(0.1)),
        labels=("labels", "median"),
        ratio=("ratio", "median"),
    )
    return table.reset_index().sort_values(list(by), ignore_index=True)


def prices(
    sizes: Sequence[int] = (10_000, 100_000),
    prevalences: Sequence[float] = (0.01, 0.002),
    promises: Sequence[float] = (0.8, 0.9),
) -> pd.DataFrame:
    """Return the fewest labels that an audit takes, 95 % sure, of all unlabelled images and of the best-scored.

    Nothing is found on the way. `rows` says what the statement covers: "all", or "best 20 F", twenty times as many rows
    as positives found. The search has found 95 % of the class.
    """
    table = []
    for n in sizes:
        for prevalence in prevalences:
            found = round(0.95 * prevalence * n)
            for covers, rows in {"all": n - 10 * found, "best 20 F": 20 * found}.items():
                for promise in promises:
                    labels = labels_for(rows, found, promise)
                    table.append((n, prevalence, found, covers, promise, labels, labels / rows))
    return pd.DataFrame(table, columns=["images", "prevalence", "found", "rows", "promise", "labels", "share_of_rows"])
