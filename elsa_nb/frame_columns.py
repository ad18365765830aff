"""The columns of a pandas frame that is given as vectors: each holds numbers that float32 can keep."""

from typing import Any

import numpy as np

from elsa_nb.column_names import LABEL, as_whole_numbers, numbers_rows, order_counted, plain
from elsa_nb.whole_numbers import EXACT, check_whole

WRITTEN = "; numbers that are written as text become numbers with astype(float)"


def check_whole_columns(frame: Any) -> None:
    """Raise ValueError for a whole number of a pandas frame that float32 does not hold.

    Beside a column of fractions it would become a fraction, and nobody would see that it is an id or a time.
    """
    for place, kind in enumerate(frame.dtypes):
        if getattr(kind, "kind", "") in ("i", "u") and kind.itemsize > 2:
            column = frame.iloc[:, place].dropna()
            odd = column[(column > EXACT) | (column < -EXACT)]
            check_whole(map(int, odd), f"the column {frame.columns[place]!r}")


def check_columns(frame: Any) -> None:
    """Raise ValueError, in a pandas frame of several columns, for one that holds no values of vectors; it is named.

    It holds something else than numbers, or is called as columns of labels are: a search in vectors that hold the
    labels would find everything. Or it numbers the rows, by its name and its values: near is then what stood near.
    """
    if len(frame.columns) < 2:
        return
    for place, kind in enumerate(frame.dtypes):
        lacking = not isinstance(kind, np.dtype) and frame.iloc[:, place].isna().any()  # pandas' NA
        if lacking or getattr(kind, "kind", "O") not in "fiubc":
            for row, value in enumerate(frame.iloc[:, place]):
                if not isinstance(value, int | float | np.number | np.bool_):
                    raise ValueError(
                        f"The column {frame.columns[place]!r} of the data frame has {value!r:.40} in row {row}, which "
                        f"is not a number: drop the column, or give names of items as ids{WRITTEN}."
                    )
    for name in frame.columns:
        if isinstance(name, str) and plain(name) in LABEL:
            raise ValueError(
                f"The column {name!r} of the data frame is called as labels are: drop it (frame.drop(columns=...)), or "
                "call it otherwise where it is a value of the vectors."
            )
    for place, name in enumerate(frame.columns):
        named = isinstance(name, str) and numbers_rows(name) and len(frame) > 1
        if named and order_counted(as_whole_numbers(frame.iloc[:, place].tolist())):
            raise ValueError(
                f"The column {name!r} of the data frame numbers the rows: drop it (frame.drop(columns=...)), or call "
                "it otherwise where it is a value of the vectors."
            )
