"""Discovery against labels spent: the comparison at equal budget that the paper does not make.

What a search had found after a number of labels, and what chance or an ideal would have; start with `equal_budget`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from elsa_nb.paper.runs.rivals import ARM_TITLES
from elsa_nb.paper.runs.simulation import BUDGETS
from elsa_nb.search.metrics import median_interval


def reference_curves(labels: np.ndarray, seeds: int, size: float, pool_size: int) -> dict[str, np.ndarray]:
    """Return discovery after each number of `labels` (m,), seeds included, if they are spent at random or ideally."""
    return {
        "random": (seeds + (labels - seeds) * (size - seeds) / (pool_size - seeds)) / size,
        "ideal": np.minimum(labels / size, 1),
    }


def found_after(runs: pd.DataFrame, labels: np.ndarray | Sequence[float]) -> np.ndarray:
    """Return each search's discovery rate after so many labels (m,): at the last stored number not above them."""
    positions = np.searchsorted(BUDGETS, labels, side="right") - 1
    return np.array(
        [
            curve[position] if position >= 0 else 0.0
            for curve, position in zip(runs["discovery_at"], positions, strict=True)
        ]
    )


def equal_budget(runs: pd.DataFrame, *, seeds: int = 5) -> pd.DataFrame:
    """Return the median discovery rate of every arm after each number of labels, with its interval over classes.

    Long form: encoder, reading, arm, labels, median, low, high, ended. A search that ended earlier keeps what it found.
    The last row of an arm, marked `ended`, is its own end, which seldom is a stored number of labels: the medians of
    the labels its searches spent and of all they found, as the tables have them. The arms "random" (labelling at
    random) and "ideal" (every label a positive) are computed, not run; seeds count as labels.
    """
    runs = runs[runs["seeds"] == seeds].replace({"arm": ARM_TITLES})
    frames = []
    for (encoder, reading, arm), group in runs.groupby(["encoder", "reading", "arm"], sort=False):
        end = round(float(group["labels"].median()))
        shown = (end > BUDGETS) & (seeds <= BUDGETS)
        values = np.array(group["discovery_at"].tolist())[:, shown]
        values = np.column_stack([values, group["discovery_rate"]])
        labels = np.append(BUDGETS[shown], end)
        frame = pd.DataFrame({"encoder": encoder, "reading": reading, "arm": arm, "labels": labels})
        frame["median"], frame["low"], frame["high"] = median_interval(values, group["target"], resamples=300)
        frames.append(frame.assign(ended=labels == end))
    for encoder, group in runs.groupby("encoder", sort=False):
        frames.append(_references(encoder, group, seeds))
    return pd.concat(frames, ignore_index=True)


def at_budget(curves: pd.DataFrame, labels: int) -> pd.DataFrame:
    """Return every arm's median discovery at the last stored number of labels not above `labels`, best first.

    An arm that stopped by then stands at its own end.
    """
    rows = curves[curves["labels"] <= labels].groupby(["encoder", "reading", "arm"], sort=False).tail(1)
    return rows.drop(columns="ended").sort_values(["encoder", "median"], ascending=[True, False])


def _references(encoder: str, runs: pd.DataFrame, seeds: int) -> pd.DataFrame:
    pool_size = int(runs["pool_size"].iloc[0])
    size = float(runs.drop_duplicates("target")["class_size"].median())
    labels = BUDGETS[(seeds <= BUDGETS) & (runs["labels"].quantile(0.9) >= BUDGETS)]
    curves = reference_curves(labels, seeds, size, pool_size)
    frames = [
        pd.DataFrame({"encoder": encoder, "reading": "reference", "arm": arm, "labels": labels, "median": values})
        for arm, values in curves.items()
    ]
    return pd.concat(frames).assign(ended=False)
