"""Discovery after a number of labels: what a search had found by then, and what chance or an ideal would have."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from elsa_nb.paper.runs.simulation import BUDGETS


def references(labels: np.ndarray, seeds: int, size: float, pool_size: int) -> dict[str, np.ndarray]:
    """Return discovery after each number of `labels` (m,), seeds included, if they are spent at random or ideally."""
    return {
        "random": (seeds + (labels - seeds) * (size - seeds) / (pool_size - seeds)) / size,
        "ideal": np.minimum(labels / size, 1),
    }


def found_after(runs: pd.DataFrame, labels: np.ndarray | Sequence[float]) -> np.ndarray:
    """Return each search's discovery rate after so many labels (m,): at the last stored number not above them."""
    places = np.searchsorted(BUDGETS, labels, side="right") - 1
    return np.array(
        [curve[place] if place >= 0 else 0.0 for curve, place in zip(runs["discovery_at"], places, strict=True)]
    )
