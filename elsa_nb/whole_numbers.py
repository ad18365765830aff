"""Whole numbers among vectors: float32 does not hold all of them, and one that it changes may be an id or a time."""

from collections.abc import Iterable
from typing import Any

import numpy as np

EXACT = 1 << 24  # whole numbers up to here are float32 values


def check_whole(values: Iterable[int], where: str) -> None:
    """Raise ValueError for the first whole number that float32 does not hold."""
    for value in values:
        try:
            kept = abs(value) <= EXACT or int(np.float32(value)) == value
        except OverflowError:  # beyond the range of float32, which is reported with row and column later
            continue
        if not kept:
            raise ValueError(rounded_told(value, where, np.float32(value)))


def rounded_told(value: Any, where: str, stored: np.float32) -> str:
    """Say that a whole number is beyond those that float32 holds exactly."""
    return (
        f"The value {value} of {where} would be stored as {stored:.0f}: float32 holds every whole number only up to "
        f"{EXACT}. Is it an id or a time? Drop the column, or scale it."
    )


def are_exact(whole: np.ndarray) -> np.ndarray:
    """Whether whole numbers other than 0 are float32 values: their first to last set bit span at most 24 bits."""
    size = whole.astype(np.uint64) if whole.dtype.kind == "u" else np.abs(whole.astype(np.int64)).astype(np.uint64)
    return size // (size & (~size + np.uint64(1))) < EXACT
