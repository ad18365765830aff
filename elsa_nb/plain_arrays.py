"""Lists and arrays of a caller as plain arrays: a mark of a missing value is not taken for a value.

Values go by position. Where the index of a pandas column says that they are in another order, they are refused.
"""

from collections import Counter
from typing import Any

import numpy as np


def plain_array(given: Any, what: str, cure: str) -> np.ndarray:
    """Return a list, a column or an array, of any shape and dtype, as an array.

    Raises ValueError, which begins with `what` and ends in `cure`, for masked values (an array would hold what lies
    beneath the mask), and for a list of lists of different lengths; and for a pandas column or frame whose index
    numbers its n rows from 0 to n - 1 in another order.
    """
    if (index := _index_of(given)) is not None:
        _check_order(what, given, np.arange(len(index)), f"the numbers 0 to {len(index) - 1}")
    if isinstance(given, np.ma.MaskedArray) and (masked := np.ma.getmaskarray(given)).any():
        raise ValueError(f"{what} are masked at {int(np.argmax(masked.ravel()))}: a value is missing there; {cure}")
    try:
        return np.asarray(given)
    except ValueError:
        raise ValueError(f"{what} are not a flat list: {given!r:.60}; {cure}") from None


def in_order_of(rows: np.ndarray, given: Any, what: str) -> Any:
    """Return values, one for each of `rows` (m,): those of a pandas column whose index is `rows` as an array.

    Raises ValueError for one whose index is `rows` in another order. An index that only counts from 0 says nothing.
    """
    index = _index_of(given)
    if index is None or type(index).__name__ == "RangeIndex":  # what pandas makes where nobody gave an index
        return given
    _check_order(what, given, rows, "the rows asked")
    return np.asarray(given) if index.tolist() == np.asarray(rows).tolist() else given


def same_index(first: str, one: Any, second: str, other: Any) -> bool:
    """Whether two pandas columns or frames, which are called `first` and `second`, have the same index.

    Raises ValueError where the second has that of the first in another order.
    """
    ours, theirs = _index_of(one), _index_of(other)
    if ours is None or theirs is None:
        return False
    _check_order(second, other, ours, f"the index of {first}")
    return ours.tolist() == theirs.tolist()


def _index_of(given: Any) -> Any:
    """Return the index of a pandas column or frame; None for anything else."""
    return given.index if hasattr(given, "iloc") and hasattr(given, "index") else None


def _check_order(what: str, given: Any, asked: Any, of: str) -> None:
    found, wanted = _index_of(given).tolist(), asked.tolist()
    if len(found) == len(wanted) and found != wanted and Counter(found) == Counter(wanted):
        place = next(i for i, (one, other) in enumerate(zip(found, wanted, strict=True)) if one != other)
        raise ValueError(
            f"{what} are a pandas {type(given).__name__} whose index is {of} in another order (at place {place} "
            f"{found[place]!r:.60}, not {wanted[place]!r:.60}), and values are taken by position: reindex(...) puts "
            "them into that order, to_numpy() takes them as they stand"
        )
