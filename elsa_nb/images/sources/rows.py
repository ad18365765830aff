"""Rows: which ones a caller asks a source for, and which ones belong to a class. Every source calls both functions."""

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np


def checked_rows(rows: Any, n: int) -> np.ndarray:
    """Return `rows` (None: all) as int64 (m,); ValueError for what is not a list of rows from 0 to n - 1."""
    if rows is None:
        return np.arange(n)
    rows = np.asarray(rows)
    if rows.size == 0:
        return np.empty(0, np.int64)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise ValueError(
            f"rows must be a list of integers, one dimension; got {rows.dtype} of shape {rows.shape}. "
            "Turn a mask into rows with np.flatnonzero(mask)."
        )
    if rows.min() < 0 or rows.max() >= n:
        wrong = rows[(rows < 0) | (rows >= n)][0]
        raise ValueError(f"Row {wrong} is not in this pool: rows run from 0 to {n - 1}.")
    return rows.astype(np.int64)


def class_rows(targets: np.ndarray, classes: Sequence[str], name: str) -> np.ndarray:
    """Return the rows whose target is the class `name`, ascending; ValueError with near names for an unknown one."""
    if name not in classes:
        near = difflib.get_close_matches(str(name), classes, n=3, cutoff=0.4) or list(classes[:3])
        raise ValueError(f"No class is called {name!r}. Near it: {', '.join(near)}. There are {len(classes)}.")
    return np.flatnonzero(targets == classes.index(name))
