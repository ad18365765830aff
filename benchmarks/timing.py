"""Times: medians and percentiles, and exponents of growth."""

import time
from collections.abc import Callable, Sequence

import numpy as np


def seconds(task: Callable[[], object]) -> float:
    """Return how long one call of `task` takes."""
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return float(np.median(values))


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile: the smallest value that 95 % of the values do not exceed."""
    return float(np.quantile(values, 0.95, method="inverted_cdf"))


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return b of the least-squares fit values = a sizes^b; raises ValueError with fewer than two sizes."""
    if len(set(sizes)) < 2 or len(sizes) != len(values):
        raise ValueError(f"sizes {list(sizes)} and {len(values)} values; give one value per size, two sizes or more")
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])
