"""The rows of highest score: what every strategy that ranks a pool asks next."""

import numpy as np


def highest(scores: np.ndarray, size: int, allowed: np.ndarray | None = None) -> np.ndarray:
    """Return the `size` allowed rows of highest score, highest first, equal scores by row, as int64.

    `scores` (n,) of any real dtype, without NaN; `allowed` (n,) bool, None: all rows. Fewer rows come back where fewer
    are allowed. Takes time proportional to n, since only the chosen rows are sorted.
    """
    rows = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
    values, size = scores[rows], min(size, len(rows))
    if not size:
        return rows[:0]
    places = np.flatnonzero(values >= np.partition(values, len(values) - size)[len(values) - size])
    return rows[places[np.lexsort((places, -values[places]))][:size]]
