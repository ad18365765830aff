"""Vectors in the columns of a data frame: numbered ones of one value each, or one whose cells are written lists."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from elsa_nb.column_names import plain
from elsa_nb.counts import count_of
from elsa_nb.option_names import option_told
from elsa_nb.table_ids import is_number_like, may_hold_ids
from elsa_nb.text_layout import is_number
from elsa_nb.text_tables import WRITTEN_LIST, TextTable
from elsa_nb.vector_arrays import VECTORS, VectorFile, one_of
from elsa_nb.vectors import check_whole_columns

_LOOKED_AT = 20  # rows
# What people mean as a number, in marks that Python does not read as one.
_AS_NUMBER = re.compile(r"\s*[+-]?[$€£]?\s*[\d.,'\s_]*\d[\d.,'\s_]*([eEdD][+-]?\d+)?\s*[%‰$€£]?\s*")
# What numpy and torch print around numbers.
_PRINTED = re.compile(
    r"np\.float\d+|array|tensor|\b(dtype|device|requires_grad|grad_fn|size|layout)=[^,)\]]+|[\[\](),]"
)


def numbered_groups(names: Iterable[Any]) -> dict[str, list[Any]]:
    """Return {what stands before the number: those of `names` that end with a number}."""
    groups: dict[str, list[Any]] = {}
    for name in names:
        if numbered := re.fullmatch(r"(.*?)(\d+)", str(name), re.DOTALL):
            groups.setdefault(numbered[1], []).append(name)
    return groups


def check_no_other_vectors(lists: Sequence[str], groups: dict[str, list[Any]], key: str | None) -> None:
    """Raise ValueError where columns of lists and several numbered columns of numbers could be the vectors.

    Not where `key` says which, or a column of lists is called like vectors. One numbered column alone measures
    something else.
    """
    rivals = {of: names for of, names in groups.items() if len(names) > 1}
    if key is None and rivals and not any(name in VECTORS for name in lists):
        raise ValueError(
            f"it has lists of numbers in {', '.join(map(repr, lists))}, and numbered columns: {_groups_told(rivals)}. "
            f"Name what the vectors are in: {option_told('key')}"
        )


def vectors_in_frame(
    frame: Any, key: str | None, told: list[str] | None, ids: Any, text: TextTable | None = None
) -> VectorFile:
    """Take the vectors from numbered columns of one value each (embedding_0, embedding_1, ...), or cells of lists.

    `told` are the ids, out of the column `ids`; `text` is the table of text that the frame is of, if it is one. Raises
    ValueError where several columns of lists, or groups of numbered columns, could be the vectors and `key` names none,
    and for a value that is not a number.
    """
    if not len(frame):
        raise ValueError("it has no rows")
    unnamed = [name for name in frame.columns if str(name).startswith("Unnamed:")]  # an index that pandas wrote
    others = [name for name in frame.columns if name != ids and name not in unnamed]
    numbered = numbered_groups(others)
    groups = {of: names for of, names in numbered.items() if any(_means_numbers(frame[name]) for name in names)}
    lists = [name for name in others if holds_written_lists(frame[name])]
    if lists:
        check_no_other_vectors(lists, groups, key)
    if key in lists or (key is None and lists):
        chosen = one_of(lists, key, "columns of lists")
        left = may_hold_ids([name for name in others if name != chosen], lambda name: frame[name].tolist())
        return VectorFile(_from_written_lists(frame[chosen]), told, [f"vectors from the lists in {chosen!r}"], left)
    if key is not None and key not in groups:
        raise ValueError(_no_such_columns(key, groups, frame.columns))
    if text is not None:
        _check_each_once(text.repeated, key)
    if not groups:
        raise ValueError(_no_numbers(frame, [name for names in numbered.values() for name in names]))
    chosen = sorted(groups[_one_group(groups, others) if key is None else key], key=_number_of)
    if text is not None:
        _check_written(frame, chosen, text)
    left = [str(name) for name in frame.columns if name not in chosen and name != ids]
    may_be = may_hold_ids([name for name in others if name not in chosen], lambda name: frame[name].tolist())
    notes = [f"vectors from {count_of(len(chosen), 'column')}, {chosen[0]!r} to {chosen[-1]!r}"]
    notes += [f"columns left out: {', '.join(left[:12])}{' ...' if len(left) > 12 else ''}"] if left else []
    return VectorFile(_numbers(frame[chosen], text is not None), told, notes, may_be)


def _means_numbers(column: Any) -> bool:
    """Whether a column holds numbers, or texts that somebody wrote as numbers: 1,234.50, 1 234, 5%, 1.0D+00."""
    if is_number_like(column) or column.dtype.kind in "mM":
        return is_number_like(column)
    told = [value for value in column[:_LOOKED_AT] if isinstance(value, str) and value]
    return bool(told) and 2 * sum(is_number(value) or bool(_AS_NUMBER.fullmatch(value)) for value in told) > len(told)


def _one_group(groups: dict[str, list[Any]], columns: Sequence[Any]) -> str:
    """Return which group of numbered columns holds the vectors; ValueError where several could.

    The others have to be fewer than its columns, and each a single column, unless the largest is called like vectors. A
    column d0.1 beside d0 is no single one: pandas calls the second of two columns d0 so.
    """
    largest = max(groups, key=lambda of: len(groups[of]))
    others = {of: names for of, names in groups.items() if of != largest}
    count = len(groups[largest])
    if others and count == 1:
        raise ValueError(
            f"its numbered columns {', '.join(repr(names[0]) for names in list(groups.values())[:8])} differ before "
            f"the number that they end with: end their names with the number of the value, as in embedding_0, or name "
            f"the only one: {option_told('key')}"
        )
    named = plain(largest).strip("_.") in VECTORS and all(len(names) < count for names in others.values())
    twice = any(of.endswith(".") and of[:-1] in map(str, columns) for of in others)
    several = any(len(names) > 1 for names in others.values()) and not named
    if twice or several or len(others) >= count > 1:
        raise ValueError(
            f"it has several groups of numbered columns: {_groups_told(groups)}. Name one by what comes before the "
            f"number: {option_told('key')}"
        )
    return largest


def _groups_told(groups: dict[str, list[Any]]) -> str:
    listed = [f"{of!r} + number ({len(names)})" for of, names in list(groups.items())[:8]]
    return ", ".join(listed) + (" ..." if len(groups) > 8 else "")


def _check_each_once(repeated: Sequence[str], key: str | None) -> None:
    """Raise ValueError where numbered columns, those of `key` if it is given, have one name several times."""
    twice = [name for of, names in numbered_groups(repeated).items() if key in (None, of) for name in names]
    if twice:
        raise ValueError(
            f"it has several columns {twice[0]!r}; give each a name of its own, or name other columns by what comes "
            f"before their number: {option_told('key')}"
        )


def _check_written(frame: Any, chosen: Sequence[Any], text: TextTable) -> None:
    """Raise ValueError where columns of text are written as ids are, or as numbers of two meanings."""
    if odd := [name for name in chosen if name in text.padded]:
        raise ValueError(
            f"the column {odd[0]!r} is written with leading zeros ({frame[odd[0]].iloc[0]!r}), as ids are and numbers "
            "are not; call it id in a header, or write its numbers plainly"
        )
    if odd := [name for name in chosen if name in text.doubtful]:
        cell = text.doubtful[odd[0]]
        mark = "," if "," in cell else "."
        other = cell.replace(mark, "")
        raise ValueError(
            f"{cell!r} in the column {odd[0]!r} may be {other} or {cell.replace(',', '.')}: each {mark!r} in its "
            f"numbers stands before three digits. Write {other}, or, where it is a decimal mark, {cell}0 in one row "
            "at least"
        )


def _no_numbers(frame: Any, numbered: Sequence[Any]) -> str:
    """Say why a table has no vectors: which cell of its numbered columns is no number, or that it has none of these."""
    if numbered:
        return f"its numbered columns hold no numbers: row 0 has {frame[numbered[0]].iloc[0]!r} in {numbered[0]!r}"
    return (
        f"it has no column of lists and no numbered columns (embedding_0, embedding_1, ...); its columns are "
        f"{', '.join(map(str, frame.columns[:12]))}. Number those of the vector, or hand them over in Python: "
        "Pool.from_arrays(table[[...]], ids)"
    )


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
        mixed = "; write it plainly, such as 1234.5" if _AS_NUMBER.fullmatch(str(value)) else ""
        mixed = "; are decimal points and commas mixed?" if re.fullmatch(r"[+-]?[\d.,]+", str(value)) else mixed
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
