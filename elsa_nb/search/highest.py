"""The rows of highest score: what every strategy that ranks a pool asks next."""

import numpy as np


def highest(scores: np.ndarray, size: int, allowed: np.ndarray | None = None) -> np.ndarray:
    """Return the `size` allowed rows of highest score, highest first, equal scores by row, as int64.

    `scores` (n,) of any real dtype; `allowed` (n,) bool, None: all rows. Fewer rows come back where fewer are allowed.
    Takes time proportional to n, since only the chosen rows are sorted. Raises ValueError where some scores are NaN.
    """
    rows = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
    values, size = scores[rows], min(size, len(rows))
    if not size:
        return rows[:0]
    places = np.flatnonzero(values >= np.partition(values, len(values) - size)[len(values) - size])
    if len(places) < size:  # NaN is partitioned above all numbers, and equals none
        raise ValueError(f"the score of row {rows[np.isnan(values)][0]} is NaN; allowed: numbers that can be ranked")
    # The reverse of an ascending sort: whole numbers without a sign, and truths, have no negative.
    return rows[places[np.lexsort((-places, values[places]))[::-1]][:size]]
