"""Lists and arrays of a caller as plain arrays: a mark of a missing value is not taken for a value."""

from typing import Any

import numpy as np


def plain_array(given: Any, what: str, cure: str) -> np.ndarray:
    """Return a list, a column or an array, of any shape and dtype, as an array.

    Raises ValueError, which begins with `what` and ends in `cure`, for masked values (an array would hold what lies
    beneath the mask), and for a list of lists of different lengths.
    """
    if isinstance(given, np.ma.MaskedArray) and (masked := np.ma.getmaskarray(given)).any():
        raise ValueError(f"{what} are masked at {int(np.argmax(masked.ravel()))}: a value is missing there; {cure}")
    try:
        return np.asarray(given)
    except ValueError:
        raise ValueError(f"{what} are not a flat list: {given!r:.60}; {cure}") from None
