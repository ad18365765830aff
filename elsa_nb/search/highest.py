"""The rows of highest score: what every strategy that ranks a pool asks next."""

import numpy as np

_SAMPLED = 2**16  # scores that tell, among more than twice as many, how high the highest rows are


def highest(scores: np.ndarray, size: int, allowed: np.ndarray | None = None) -> np.ndarray:
    """Return the `size` allowed rows of highest score, highest first, equal scores by row, as int64.

    `scores` (n,) of any real dtype; `allowed` (n,) bool, None: all rows. Fewer rows come back where fewer are allowed.
    Takes time proportional to n, since only the chosen rows are sorted. Raises ValueError where some scores are NaN.
    """
    rows = _contenders(scores, size, allowed)
    values, size = scores[rows], min(size, len(rows))
    if not size:
        return rows[:0]
    places = np.flatnonzero(values >= np.partition(values, len(values) - size)[len(values) - size])
    if len(places) < size:  # NaN is partitioned above all numbers, and equals no number
        raise ValueError(f"the score of row {rows[np.isnan(values)][0]} is NaN; allowed: numbers that can be ranked")
    # The reverse of an ascending sort: unsigned numbers and bool cannot be negated.
    return rows[places[np.lexsort((-places, values[places]))[::-1]][:size]]


def _contenders(scores: np.ndarray, size: int, allowed: np.ndarray | None) -> np.ndarray:
    """Return some allowed rows, ascending, the `size` highest and any NaN among them, by one comparison per row."""
    step = len(scores) // _SAMPLED
    if step > 1:
        sample = scores[::step] if allowed is None else scores[::step][allowed[::step]]
        rank = 2 * (size // step) + 64  # twice as many as are asked for, and some: the sample may be unlucky
        if rank < len(sample):
            enough = scores < np.partition(sample, len(sample) - rank)[len(sample) - rank]
            np.logical_not(enough, out=enough)
            rows = np.flatnonzero(enough if allowed is None else np.logical_and(enough, allowed, out=enough))
            if len(rows) >= size:
                return rows
    return np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
