"""Vectors in the columns of a data frame: numbered ones of one value each, or one whose cells are written lists."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from elsa_nb.option_names import option_told
from elsa_nb.table_ids import is_number_like, may_hold_ids
from elsa_nb.text_layout import is_number
from elsa_nb.text_tables import WRITTEN_LIST
from elsa_nb.vector_arrays import VectorFile, one_of
from elsa_nb.vectors import check_whole_columns

# What numpy and torch print around numbers.
_PRINTED = re.compile(
    r"np\.float\d+|array|tensor|\b(dtype|device|requires_grad|grad_fn|size|layout)=[^,)\]]+|[\[\](),]"
)


def vectors_in_frame(
    frame: Any, key: str | None, told: list[str] | None, ids: Any, padded: Sequence[Any] | None = None
) -> VectorFile:
    """Take the vectors from numbered columns of one value each (embedding_0, embedding_1, ...), or cells of lists."""
    unnamed = [name for name in frame.columns if str(name).startswith("Unnamed:")]  # an index that pandas wrote
    others = [name for name in frame.columns if name != ids and name not in unnamed]
    groups: dict[str, list] = {}
    for name in others:
        if numbered := re.fullmatch(r"(.*?)(\d+)", str(name)):
            groups.setdefault(numbered[1], []).append(name)
    numeric = {of: sum(is_number_like(frame[name]) for name in names) for of, names in groups.items()}
    groups = {of: names for of, names in groups.items() if numeric[of]}
    lists = [name for name in others if holds_written_lists(frame[name])]
    if key in lists or (key is None and lists and not groups):
        chosen = one_of(lists, key, "columns of lists")
        left = may_hold_ids([name for name in others if name != chosen], lambda name: frame[name].tolist())
        return VectorFile(_from_written_lists(frame[chosen]), told, [f"vectors from the lists in {chosen!r}"], left)
    if key is not None and key not in groups:
        raise ValueError(_no_such_columns(key, groups, frame.columns))
    if not groups:
        raise ValueError(
            f"it has no column of lists and no numbered columns (embedding_0, embedding_1, ...); its columns are "
            f"{', '.join(map(str, frame.columns[:12]))}. Number those of the vector, or hand them over in Python: "
            "Pool.from_arrays(table[[...]], ids)"
        )
    chosen = groups[key] if key is not None else groups[max(groups, key=lambda of: (numeric[of], len(groups[of])))]
    chosen = sorted(chosen, key=_number_of)
    if odd := [name for name in chosen if name in (padded or ())]:
        raise ValueError(
            f"the column {odd[0]!r} is written with leading zeros ({frame[odd[0]].iloc[0]!r}), as ids are and numbers "
            "are not; call it id in a header, or write its numbers plainly"
        )
    left = [str(name) for name in frame.columns if name not in chosen and name != ids]
    may_be = may_hold_ids([name for name in others if name not in chosen], lambda name: frame[name].tolist())
    notes = [f"vectors from {len(chosen)} columns, {chosen[0]!r} to {chosen[-1]!r}"]
    notes += [f"columns left out: {', '.join(left[:12])}{' ...' if len(left) > 12 else ''}"] if left else []
    return VectorFile(_numbers(frame[chosen], padded is not None), told, notes, may_be)


def _no_such_columns(key: str, groups: dict[str, list], columns: Any) -> str:
    """Say that no columns are called `key` + number, and, where one is called `key` itself, which key to give."""
    of = next((of for of, names in groups.items() if key in map(str, names)), None)
    if of is not None:
        first, last = (sorted(groups[of], key=_number_of)[end] for end in (0, -1))
        return (
            f"its column {key!r} is one of the {len(groups[of])} columns {first!r} to {last!r}, which hold one "
            f"value of a vector each. Name them all by what comes before the number: {option_told('key', of)}"
        )
    told = f"it has {', '.join(map(repr, groups)) or 'none'} + number"
    if key in map(str, columns):
        return f"its column {key!r} holds no lists of numbers, and is not one of several numbered columns; {told}"
    return f"it has no columns {key}0, {key}1, ...; {told}"


def _number_of(name: Any) -> int:
    """Return the number that the name of a column ends with."""
    return int(re.search(r"\d+$", str(name))[0])


def _numbers(frame: Any, of_text: bool) -> np.ndarray:
    """Return columns, of a table of text or another, as numbers; raise ValueError for the first other value."""
    import pandas as pd

    check_whole_columns(frame)
    if all(kind.kind in "fiub" for kind in frame.dtypes) and (whole := frame.to_numpy()).dtype != object:
        return whole
    # Times would become numbers of microseconds; as texts they are refused.
    plain = frame.apply(lambda column: column.astype(str) if column.dtype.kind in "mM" else column)
    made = plain.apply(pd.to_numeric, errors="coerce")
    wrong = made.isna().to_numpy()
    if not wrong.any():  # 1.234 among decimal commas could be read in two ways
        wrong = np.array([[isinstance(value, str) for value in cells] for cells in frame.to_numpy()])
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        value = frame.iloc[row, column]
        mixed = "; are decimal points and commas mixed?" if re.fullmatch(r"[+-]?[\d.,]+", str(value)) else ""
        if not of_text and isinstance(value, str) and is_number(value):
            mixed = " but text; save the column as numbers (pandas.to_numeric makes them)"
        name = frame.columns[column]
        where = f"{name!r}" if isinstance(name, str) else f"{name} (without a name, counted from 0)"
        raise ValueError(f"row {row} has {value!r} in the column {where}, which is not a number{mixed}")
    return made.to_numpy(np.float64)


def holds_written_lists(column: Any) -> bool:
    """Whether the first text of a column is a written list, such as "[0.1, 0.2]"."""
    first = next((value for value in column if isinstance(value, str)), "")
    return bool(WRITTEN_LIST.fullmatch(first))


def _from_written_lists(column: Any) -> np.ndarray:
    """Return cells such as "[0.1, 0.2]" as an array, naming the first row that cannot be read."""
    rows: list[list[float]] = []
    for row, cell in enumerate(column):
        if "..." in str(cell):
            raise ValueError(f"the vector of row {row} is cut short by '...', as numpy prints long ones; save it whole")
        words = _PRINTED.sub(" ", str(cell)).split()
        try:
            rows.append([int(word) if word.lstrip("+-").isdigit() else float(word) for word in words])
        except ValueError as error:
            raise ValueError(f"the vector of row {row} is not a list of numbers ({error})") from None
        if len(words) != len(rows[0]):
            raise ValueError(f"the vector of row {row} has {len(words)} values, that of row 0 {len(rows[0])}")
    return np.array(rows)
