"""Times: medians and percentiles, two programs timed in turns, and exponents of growth."""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np


def seconds(task: Callable[[], object]) -> float:
    """Return how long one call of `task` takes."""
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def processor_in_turns(tasks: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Return the processor's seconds of each task, timed in turns, every second turn in reverse order.

    A machine that slows down, warms up or is shared for a while then slows all of them alike; and if others use it
    meanwhile, the processor's seconds say more than a clock.
    """
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(repeats):
        for name in list(tasks) if turn % 2 == 0 else reversed(list(tasks)):
            started = time.process_time()
            tasks[name]()
            taken[name].append(time.process_time() - started)
    return taken


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
