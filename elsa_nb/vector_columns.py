"""Vectors in the columns of a data frame: numbered ones of one value each, or one whose cells are written lists."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from elsa_nb.column_names import plain
from elsa_nb.counts import count_of
from elsa_nb.frame_columns import check_whole_columns
from elsa_nb.option_names import option_told
from elsa_nb.table_ids import is_number_like, may_hold_ids
from elsa_nb.text_layout import is_number
from elsa_nb.text_tables import TextTable, count_in_list, words_in_list
from elsa_nb.vector_arrays import VECTORS, VectorFile

_LOOKED_AT = 20  # rows
# What people mean as a number, in marks that Python does not read as one.
_AS_NUMBER = re.compile(r"\s*[+-]?[$€£]?\s*[\d.,'\s_]*\d[\d.,'\s_]*([eEdD][+-]?\d+)?\s*[%‰$€£]?\s*")


def numbered_groups(names: Iterable[Any], written: Mapping[Any, str] | None = None) -> dict[str, list[Any]]:
    """Return {what stands before the number: those of `names` that end with a number}.

    `written` is what the file calls those of `names` that have another name there.
    """
    groups: dict[str, list[Any]] = {}
    for name in names:
        if numbered := re.fullmatch(r"(.*?)(\d+)", str((written or {}).get(name, name)), re.DOTALL):
            groups.setdefault(numbered[1], []).append(name)
    return groups


def one_place(lists: Mapping[str, int], groups: Mapping[str, Sequence[Any]]) -> tuple[str, bool]:
    """Return which column of lists, or group of numbered columns, holds the vectors, and whether it is a list.

    `lists` says how many values are in a list of each column. It is the largest, where each of the others has at most a
    quarter of its values, or where it is called like vectors. A list that is called so goes before other lists; beside
    a larger group nothing decides. A single numbered column measures something else, unless there are as many of them
    as the vectors have values. Raises ValueError where several could be meant.
    """
    sizes = {(name, True): count for name, count in lists.items()}
    sizes |= {(of, False): len(names) for of, names in groups.items()}
    named = [name for usual in VECTORS for name in lists if _called(name) == usual]
    chosen, is_list = first = (named[0], True) if named else max(sizes, key=lambda each: sizes[each])
    count, others = sizes.pop(first), {each: size for each, size in sizes.items() if not (named and each[1])}
    next_one = max(others.values(), default=0)
    if count == 1 and others and not lists:
        raise ValueError(
            f"its numbered columns {', '.join(repr(names[0]) for names in list(groups.values())[:8])} differ before "
            f"the number that they end with: end their names with the number of the value, as in embedding_0, or name "
            f"the only one: {option_told('key')}"
        )
    alike = 4 * next_one > count and next_one > 1 and _called(chosen) not in VECTORS
    if next_one > count or (next_one == count and not named) or alike or _in_parts(first, others, groups):
        raise ValueError(_several_told(lists, groups))
    return chosen, is_list


def _called(name: Any) -> str:
    return plain(name).strip("_.")


def _in_parts(first: tuple[str, bool], others: Iterable[tuple[str, bool]], groups: Mapping[str, Sequence[Any]]) -> bool:
    """Whether other groups may be parts of the one chosen: there are as many as it has columns, or copies of these.

    pandas calls the second of two columns d0 d0.1.
    """
    if first[1]:
        return False
    names, others = groups[first[0]], [of for of, is_list in others if not is_list]
    return len(others) >= len(names) or any(f"{name}." in others for name in names)


def _several_told(lists: Mapping[str, int], groups: Mapping[str, Sequence[Any]]) -> str:
    """Say that several columns may hold the vectors, and how to name each."""
    told = [f"the lists in {name!r} ({count})" for name, count in lists.items()]
    told += [f"{of!r} + number ({len(names)})" for of, names in groups.items()]
    bare = f"; before numbers alone nothing does: {option_told('key', '')}" if "" in groups else ""
    return (
        f"several of its columns may hold the vectors: {', '.join(told[:8])}{' ...' if len(told) > 8 else ''}. Name "
        f"one, numbered columns by what comes before the number: {option_told('key')}{bare}"
    )


def vectors_in_frame(
    frame: Any, key: str | None, told: list[str] | None, ids: Any, text: TextTable | None = None
) -> VectorFile:
    """Take the vectors from numbered columns of one value each (embedding_0, embedding_1, ...), or cells of lists.

    `told` are the ids, out of the column `ids`; `text` is the table of text that the frame is of, if it is one. Raises
    ValueError where several could be the vectors (`one_place`) and `key` names none, and for a value that is not a
    number.
    """
    if not len(frame):
        raise ValueError("it has no rows")
    unnamed = [name for name in frame.columns if str(name).startswith("Unnamed:")]  # an index that pandas wrote
    others = [name for name in frame.columns if name != ids and name not in unnamed]
    lists = {name: count for name in others if (count := values_in_lists(frame[name]))}
    repeated = {} if text is None else text.repeated
    numbered = numbered_groups([name for name in others if name not in lists], repeated)
    groups = {of: names for of, names in numbered.items() if any(_means_numbers(frame[name]) for name in names)}
    if key is None and not lists and not groups:
        raise ValueError(_no_numbers(frame, [name for names in numbered.values() for name in names]))
    place, is_list = one_place(lists, groups) if key is None else (key, key in lists)
    if not is_list and place not in groups:
        raise ValueError(_no_such_columns(place, groups, frame.columns))
    chosen = [place] if is_list else groups[place]
    if twice := [repeated[name] for name in chosen if name in repeated]:
        other = f", or name other columns by what comes before their number: {option_told('key')}"
        raise ValueError(
            f"it has several columns {twice[0]!r}; give each a name of its own{other if len(groups) > 1 else ''}"
        )
    left = columns_left_out(repeated.get(name, name) for name in frame.columns if name not in chosen and name != ids)
    may_be = may_hold_ids([name for name in others if name not in chosen], lambda name: frame[name].tolist())
    if is_list:
        return VectorFile(
            _from_written_lists(frame[place]), told, [f"vectors from the lists in {place!r}", *left], may_be
        )
    chosen = sorted(chosen, key=_number_of)
    if text is not None:
        _check_written(frame, chosen, text)
    taken = f"vectors from {count_of(len(chosen), 'column')}, {chosen[0]!r} to {chosen[-1]!r}"
    return VectorFile(_numbers(frame[chosen], text), told, [taken, *left], may_be)


def columns_left_out(names: Iterable[Any]) -> list[str]:
    """Return a note on the columns that are neither vectors nor ids, [] for none."""
    left = list(map(str, names))
    return [f"columns left out: {', '.join(left[:12])}{' ...' if len(left) > 12 else ''}"] if left else []


def _means_numbers(column: Any) -> bool:
    """Whether a column holds numbers, or texts that somebody wrote as numbers: 1,234.50, 1 234, 5%, 1.0D+00."""
    if is_number_like(column) or column.dtype.kind in "mM":
        return is_number_like(column)
    told = [value for value in column[:_LOOKED_AT] if isinstance(value, str) and value]
    return bool(told) and 2 * sum(is_number(value) or bool(_AS_NUMBER.fullmatch(value)) for value in told) > len(told)


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


def _numbers(frame: Any, text: TextTable | None) -> np.ndarray:
    """Return columns, of a table of `text` or another, as numbers; raise ValueError for the first other value."""
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
        if mixed.endswith("?") and text is not None and text.commas:
            where, cell = next(iter(text.commas.items()))
            mixed += f" Commas are taken for decimal marks, as in {cell!r} in the column {where!r}"
        if text is None and isinstance(value, str) and is_number(value):
            mixed = " but text; save the column as numbers (pandas.to_numeric makes them)"
        name = frame.columns[column]
        where = f"{name!r}" if isinstance(name, str) else f"{name} (without a name, counted from 0)"
        raise ValueError(f"row {row} has {value!r} in the column {where}, which is not a number{mixed}")
    return made.to_numpy(np.float64)


def values_in_lists(column: Any) -> int:
    """Return how many values are in the written lists of a column, such as "[0.1, 0.2]"; 0 where it holds none.

    Half of its first texts have to be such: a title may be in brackets, too.
    """
    told = [value for value in column[:_LOOKED_AT] if isinstance(value, str) and value]
    counts = [count for value in told if (count := count_in_list(value))]
    return max(counts, default=0) if 2 * len(counts) >= len(told) else 0


def _from_written_lists(column: Any) -> np.ndarray:
    """Return cells such as "[0.1, 0.2]" as an array, naming the first row that cannot be read."""
    rows: list[list[float]] = []
    for row, cell in enumerate(column):
        if "..." in str(cell):
            raise ValueError(f"the vector of row {row} is cut short by '...', as numpy prints long ones; save it whole")
        words = words_in_list(str(cell))
        try:
            rows.append([int(word) if word.lstrip("+-").isdigit() else float(word) for word in words])
        except ValueError as error:
            raise ValueError(f"the vector of row {row} is not a list of numbers ({error})") from None
        if len(words) != len(rows[0]):
            raise ValueError(f"the vector of row {row} has {len(words)} values, that of row 0 {len(rows[0])}")
    return np.array(rows)
