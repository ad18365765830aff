"""Medians with their intervals over classes, and what measures and encoders are called in every table and figure.

A long table has one row a cell (its keys, metric: median, low, high). `by_arm` and `by_setting` lay such tables beside
the paper's; start with `summary`.
"""

from typing import Any

import pandas as pd

from elsa_nb.images.encoders.published import OFFICIAL
from elsa_nb.search.metrics import median_interval

TITLES = {"labelling_efficiency": "Labelling efficiency", "discovery_rate": "Discovery rate", "labels": "Labels spent"}
METRICS = tuple(TITLES)
ENCODERS = {name: spec.title for name, spec in OFFICIAL.items()}
FLOORS = {"untrained": "Untrained network", "raw-pixels": "Raw pixels"}
ENCODERS |= FLOORS
IMAGENET_CLASS = 1300  # images a class in the paper's pool, for the labels its two printed measures imply


def summary(runs: pd.DataFrame, metrics: tuple[str, ...] = METRICS) -> pd.DataFrame:
    """Return the median and 95 % interval over classes and repeats of every metric.

    `runs` has one row a search; the result one row per (encoder, arm, seeds, reading, metric), with columns median,
    low, high (bootstrap over classes), searches.
    """
    rows = []
    for key, group in runs.groupby(["encoder", "arm", "seeds", "reading"], sort=False):
        for metric in metrics:
            median, low, high = median_interval(group[metric], group["target"])
            rows.append((*key, metric, median, low, high, len(group)))
    columns = ["encoder", "arm", "seeds", "reading", "metric", "median", "low", "high", "searches"]
    return pd.DataFrame(rows, columns=columns)


def implied_labels(printed: pd.DataFrame, keys: list[str], class_size: int = IMAGENET_CLASS) -> pd.DataFrame:
    """Return the labels that each printed pair of measures implies: discovery x class size / efficiency (eq. 4, 5).

    `printed` has one row a cell (`keys`, metric, value); the result one row for each value of the `keys`, with columns
    metric ("labels"), printed, value and note.
    """
    pairs = printed.pivot(index=keys, columns="metric", values="value").reset_index()
    labels = pairs["discovery_rate"] * class_size / pairs["labelling_efficiency"]
    told = {"metric": "labels", "printed": labels.map("≈ {:,.0f}".format), "value": labels}
    return pairs[keys].assign(**told, note="implied, not printed")


def cell(row: Any) -> str:
    """Return the text of one cell of a long table: its median with the interval, if it has one, in brackets."""
    digits = 0 if row.metric == "labels" else 3
    if pd.isna(row.low):
        return f"{row.median:,.{digits}f}"
    return f"{row.median:,.{digits}f} [{row.low:,.{digits}f}, {row.high:,.{digits}f}]"
