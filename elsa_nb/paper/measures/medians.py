"""Medians with their intervals over classes, and what measures and encoders are called in every table and figure.

Every experiment makes its tables from `medians`: a long table, one row per cell (its keys, metric, median, low, high).
`by_arm` and `by_setting` lay such tables beside the paper's. Start with `medians`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from elsa_nb.images.encoders.published import OFFICIAL
from elsa_nb.search.metrics import median_interval

METRIC_TITLES = {
    "labelling_efficiency": "Labelling efficiency",
    "discovery_rate": "Discovery rate",
    "labels": "Labels spent",
}
METRICS = tuple(METRIC_TITLES)
RATES = {"discovery_rate": "discovery", "labelling_efficiency": "efficiency"}  # the two that are printed, in a word
RATE_TITLES = {metric: METRIC_TITLES[metric] for metric in RATES}
FLOOR_TITLES = {"untrained": "Untrained network", "raw-pixels": "Raw pixels"}
SUPERVISED_TITLES = {"efficientnet-lite0": "EfficientNet-Lite0, supervised"}  # by the labels of ImageNet
# Dishes of Food-101 that are among the 1,000 classes of ImageNet, where a supervised encoder has seen them labelled.
KNOWN_DISHES = (
    *("breakfast_burrito", "guacamole", "hamburger", "hot_dog"),
    *("ice_cream", "pizza", "spaghetti_carbonara"),
)
ENCODER_TITLES = {name: spec.title for name, spec in OFFICIAL.items()} | FLOOR_TITLES | SUPERVISED_TITLES
ARM_KEYS = ["encoder", "arm", "seeds", "reading"]  # what a row of Tables 2 to 5 and 11 is one of
IMAGENET_IMAGES = 1_281_167  # images in the paper's pool
IMAGENET_CLASS = 1300  # images a class in the paper's pool, for the labels its two printed measures imply


def medians(runs: pd.DataFrame, by: Sequence[str] = ARM_KEYS, metrics: Iterable[str] = METRICS) -> pd.DataFrame:
    """Return the median and 95 % interval over classes and repeats of every metric, for each value of the columns `by`.

    `runs` has one row per search, with its class in the column `target`; the result one row per (`by`, metric), in the
    order of the runs, with columns median, low, high (bootstrap over classes) and searches, their number.
    """
    metrics, rows = list(metrics), []
    for key, group in runs.groupby(list(by), sort=False):
        cells = zip(metrics, *median_interval(group[metrics], group["target"]), strict=True)
        rows += [(*key, *cell, len(group)) for cell in cells]
    return pd.DataFrame(rows, columns=[*by, "metric", "median", "low", "high", "searches"])


def median_over_seeds(long: pd.DataFrame) -> pd.DataFrame:
    """Return the row "Median" of Table 2: the median of ELSA's medians over the numbers of seeds in `long`.

    One row per (encoder, reading, metric) with arm, seeds ("median"), median, the searches behind it, and `rows`, how
    many numbers of seeds there were; no interval is claimed.
    """
    elsa = long[long["arm"] == "ELSA"]
    groups = elsa.groupby(["encoder", "arm", "reading", "metric"], sort=False)
    rows = groups.agg(median=("median", "median"), searches=("searches", "sum"), rows=("seeds", "nunique"))
    return rows.reset_index().assign(seeds="median")


def implied_labels(printed: pd.DataFrame, keys: list[str], class_size: int = IMAGENET_CLASS) -> pd.DataFrame:
    """Return the labels that each printed pair of measures implies: discovery x class size / efficiency (eq. 4, 5).

    `printed` has one row per cell (`keys`, metric, value); the result one row per value of the `keys`, with columns
    metric ("labels"), printed, value and note.
    """
    pairs = printed.pivot(index=keys, columns="metric", values="value").reset_index()
    labels = pairs["discovery_rate"] * class_size / pairs["labelling_efficiency"]
    columns = {"metric": "labels", "printed": labels.map("≈ {:,.0f}".format), "value": labels}
    return pairs[keys].assign(**columns, note="implied, not printed")


def cell_text(row: Any) -> str:
    """Return the text of one cell of a long table: its median with the interval, if it has one, in brackets."""
    form = ",.0f" if row.metric == "labels" else ",.3f"
    return f"{row.median:{form}}" if pd.isna(row.low) else interval_text(row.median, row.low, row.high, form)


def interval_text(middle: float, low: float, high: float, form: str) -> str:
    """Return a number with the ends of its interval in brackets, each in the format `form`: "0.78 [0.71, 0.84]"."""
    return f"{middle:{form}} [{low:{form}}, {high:{form}}]"
