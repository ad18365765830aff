"""Vectors that lie in tables: in a column of lists, in numbered columns, or in cells of text that each hold a list.

Tables are CSV, in the separators, decimal marks and encodings of many programs and countries, Parquet and Feather;
`vector_json` makes them of JSON. A column that belongs to the vectors and does not hold a number in every row is
refused, never left out.
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.arrow_files import ARROW, read_arrow
from elsa_nb.column_names import find_name
from elsa_nb.formulas import meant
from elsa_nb.option_names import option_told
from elsa_nb.table_ids import (
    arrow_index,
    arrow_index_left_out,
    column_called_id,
    ids_in_column,
    ids_in_frame,
    if_ids,
    is_number_like,
    known_column,
    may_hold_ids,
)
from elsa_nb.text_tables import (
    WRITTEN_LIST,
    TextTable,
    counts_rows,
    is_number,
    read_text_table,
)
from elsa_nb.vectors import check_whole_columns

VECTORS = ("vectors", "embeddings", "embedding", "vector", "features", "feats", "emb", "x", "X", "arr_0")
# What numpy and torch print around numbers.
_PRINTED = re.compile(
    r"np\.float\d+|array|tensor|\b(dtype|device|requires_grad|grad_fn|size|layout)=[^,)\]]+|[\[\](),]"
)


@dataclass
class VectorFile:
    """What a file holds: `vectors` (n, d), `ids` (None: it names none), and notes on what was left out or taken.

    `left_out` {name: why} are columns or arrays that are neither, and that may be ids.
    """

    vectors: Any
    ids: Sequence[str] | None = None
    notes: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def ids_in_table(path: Path, encoding: str | None = None) -> tuple[list[str], list[str]]:
    """Return the ids in a file that holds a table, as `ids_in_frame` does, and notes on how it was read.

    Out of text they come without the mark that our own CSV files put before some (`formulas.safe`).
    """
    if path.suffix.lower() in ARROW:
        return ids_in_frame(_arrow_in(path).to_pandas())
    table = read_text_table(path, encoding)
    ids, notes = ids_in_frame(table.frame, table.padded)
    return list(map(meant, ids)), table.notes + notes


# --- Parquet and Feather


def vectors_in_arrow(path: Path, key: str | None) -> VectorFile:
    """Read the vectors of a file of `ARROW`; `key` names the column of lists, or what numbered ones have in common."""
    return from_table(_arrow_in(path), key)


def _arrow_in(path: Path) -> Any:
    return read_arrow(path, path.suffix.lower() == ".parquet")


def from_table(table: Any, key: str | None) -> VectorFile:
    """Take the vectors out of a table of pyarrow; `key` as for `vectors_in_arrow`."""
    table = _plain(table)
    lists = [column.name for column in table.schema if _holds_vectors(column.type)]
    others = [name for name in table.column_names if name not in lists]
    told, ids, notes = _ids_in_arrow(table, others)
    if key in lists or (key is None and lists):
        chosen = one_of(lists, key, "columns of lists")
        left = {} if told else may_hold_ids(others, lambda name: table.column(name).to_pylist())
        return VectorFile(from_lists(table.column(chosen)), told, [f"vectors from the column {chosen!r}", *notes], left)
    if key is not None and lists and not any(re.fullmatch(rf"{re.escape(key)}\d+", n) for n in table.column_names):
        raise ValueError(f"it has no column {key!r}; its columns of lists are {', '.join(map(repr, lists))}")
    read = _from_frame(table.to_pandas(), key, told, ids)
    read.notes += notes
    return read


def _ids_in_arrow(table: Any, columns: Sequence[str]) -> tuple[list[str] | None, str | None, list[str]]:
    """Return the ids in a table of pyarrow (None: it has none), the one of `columns` that holds them, and notes."""
    import pyarrow as pa

    def values_of(name: str) -> list[Any]:
        return table.column(name).to_pylist()

    ids, notes = known_column(columns, values_of), []
    if ids is None and (named := column_called_id(columns, values_of)) is not None:
        ids, notes = named, [f"ids from the column {named}"]
    if ids is None and (told := arrow_index(table)) is not None:
        return told, None, ["ids from the index of the data frame"]
    texts = [name for name in columns if pa.types.is_large_string(table.schema.field(name).type)]
    if ids is None and len(texts) == 1:
        ids, notes = if_ids(texts[0], values_of(texts[0]))
        notes = notes if ids is None else [f"ids from the column {ids}"]
    told, more = (None, []) if ids is None else ids_in_column(values_of, table.column_names, ids)
    if ids is None and (said := arrow_index_left_out(table)):
        warnings.warn(said, stacklevel=8)
    return told, ids, notes + more


def _plain(table: Any) -> Any:
    """Return a table with its texts of every type in one type, and tensors as lists."""
    import pyarrow as pa

    for place, name in enumerate(table.column_names):
        column = table.column(place)
        if isinstance(column.type, pa.BaseExtensionType):
            column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
        kind = column.type
        values = kind.value_type if pa.types.is_dictionary(kind) else kind
        if pa.types.is_string(values) or pa.types.is_large_string(values) or pa.types.is_string_view(values):
            column = column.cast(pa.large_string())
        table = table.set_column(place, name, column)
    return table


def _holds_vectors(kind: Any) -> bool:
    """Whether a type of column is a list of numbers, or of lists of them."""
    import pyarrow as pa

    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return False
    inner, is_a = kind.value_type, pa.types
    number = is_a.is_floating(inner) or is_a.is_integer(inner) or is_a.is_boolean(inner) or is_a.is_decimal(inner)
    return number or _holds_vectors(inner)


def from_lists(column: Any) -> np.ndarray:
    """Return a column of lists (n lists of d) as an array, naming the first row that is not as long as the others."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(column):
        raise ValueError("it has no rows")
    column = column.combine_chunks()
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    if len(lengths) and (odd := (lengths != lengths[0]) | np.isnan(lengths.astype(float))).any():
        row = int(np.argmax(odd))
        of_row = "is missing" if np.isnan(float(lengths[row])) else f"has {int(lengths[row])} values"
        raise ValueError(f"the vector of row {row} {of_row}; give all rows vectors of one length")
    values = column.flatten()
    if values.null_count:
        row = int(np.argmax(values.is_null().to_numpy(zero_copy_only=False))) // int(lengths[0])
        raise ValueError(f"the vector of row {row} lacks a value")
    values = values.cast(pa.float64()) if pa.types.is_decimal(values.type) else values
    return values.to_numpy(zero_copy_only=False).reshape(len(lengths), -1)


# --- text


def vectors_in_text(path: Path, key: str | None, encoding: str | None = None) -> VectorFile:
    """Read the vectors of a CSV file, or of another table of text; `encoding` is found by default."""
    table = read_text_table(path, encoding)
    frame, notes, first = table.frame, list(table.notes), table.frame.columns[0]
    ids = None if table.bare else known_column(list(frame.columns), lambda name: frame[name].tolist())
    texts = [n for n in frame.columns if not is_number_like(frame[n]) and not _is_lists(frame[n])]
    texts = [n for n in texts if (frame[n] != "").any()]
    if ids is None and str(first).startswith("Unnamed:"):
        ids = first if _is_index(frame[first], first in texts or first in table.padded) else None
        how = "taken for ids" if ids is not None else "left out, since it counts the rows or repeats"
        notes.append(f"the first column, which has no name, is {how}")
    elif ids is None:
        ids, more = _nameless_ids(table, texts)
        notes += more
    if table.bare and ids is None and 0 not in table.padded:
        notes += _look_at_first(frame)
        if counts_rows(frame[0]) and not _all_whole(frame):
            frame = frame.rename(columns={0: "row number"})
    told, more = (None, []) if ids is None else ids_in_column(frame.__getitem__, list(frame.columns), ids)
    read = _from_frame(frame, key, told, ids, table.padded)
    read.notes += notes + more
    return read


def _nameless_ids(table: TextTable, texts: list[Any]) -> tuple[Any, list[str]]:
    """Return the column that holds ids though its name does not say so, or None, and notes on it."""
    if not table.bare and (ids := column_called_id(list(table.frame.columns), lambda n: table.frame[n].tolist())):
        return ids, [f"ids from the column {ids}"]
    ends = (table.frame.columns[0], table.frame.columns[-1])
    if table.bare and len(texts) > 1 and texts[0] == ends[0]:
        texts = texts[:1]  # others hold classes, or remarks
    found = texts if len(texts) == 1 and texts[0] in ends else table.padded
    if len(found) != 1 or (table.bare and found[0] not in ends):
        return None, []
    ids, notes = if_ids(found[0], table.frame[found[0]])
    return ids, notes if ids is None else [f"ids from the column {ids}"]


def _look_at_first(frame: Any) -> list[str]:
    """Return notes on how the first column of a table without a header was taken, where it may hold ids or a count."""
    column = frame[0]
    if column.dtype.kind not in "iu" or len(column) < 2 or not column.is_unique or len(frame.columns) < 2:
        return []
    if counts_rows(column) and not _all_whole(frame):
        return ["the first column counts the rows: it is left out"]
    if counts_rows(column) or not _all_whole(frame):
        return [
            "the first column may be ids or a count; it is taken for values (a header that calls it id makes it ids)"
        ]
    return []


def _all_whole(frame: Any) -> bool:
    return all(frame[name].dtype.kind in "iu" for name in frame.columns)


def _is_index(column: Any, words: bool) -> bool:
    """Whether a column without a name, which pandas or R wrote, names the rows and does not just count them."""
    counts = column.dtype.kind not in "iu" or any((column == np.arange(n, n + len(column))).all() for n in (0, 1))
    return bool(column.is_unique) and (words or not counts)


# --- columns


def _from_frame(
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
    lists = [name for name in others if _is_lists(frame[name])]
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


def _is_lists(column: Any) -> bool:
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


def one_of(names: list[str], key: str | None, what: str) -> str:
    """Return `key`, the only name, or the one that vectors usually have; ValueError where several could be meant."""
    usual = [name for name in VECTORS if name in names]
    if key is None and len(names) > 1 and not usual:
        raise ValueError(f"it has several {what}: {', '.join(names)}. Name one: {option_told('key')}")
    return key or (usual or names)[0]


# --- which of several arrays


def ids_among(shapes: dict[str, tuple[int, ...]], chosen: str) -> str | None:
    """Return which array names the rows of the one that was `chosen`: one with a usual name and one value per row."""
    return find_name([name for name, shape in shapes.items() if name != chosen and shape and shape[1:] in ((), (1,))])


def chosen_array(shapes: dict[str, tuple[int, ...]], key: str | None) -> str:
    """Return which array of a file holds the vectors: `key`, or the only one (n, d); ValueError where none is."""
    if key is not None:
        if key not in shapes:
            raise ValueError(f"it has no array {key!r}; it has {shapes_told(shapes)}")
        return key
    flat = [name for name, shape in shapes.items() if len(shape) == 2]
    named = [name for name in VECTORS if name in flat]
    if len(flat) == 1 or named:
        return named[0] if named else flat[0]
    if not flat:
        raise ValueError(f"it has no array (n, d), one row per item: it has {shapes_told(shapes)}")
    raise ValueError(f"it has several arrays of vectors: {shapes_told(shapes)}. Name one: {option_told('key')}")


def array_taken(shapes: dict[str, tuple[int, ...]], chosen: str, ids: str | None = None) -> list[str]:
    """Return a note on which array was taken and which were not, where a file holds more than vectors and their ids."""
    left = {name: shape for name, shape in shapes.items() if name not in (chosen, ids)}
    return [f"vectors from {chosen!r}, left out: {shapes_told(left)}"] if left else []


def may_be_ids(shapes: dict[str, tuple[int, ...]], chosen: str) -> dict[str, str]:
    """Return {name: why they were not taken} of arrays of one value for each row of the one that was `chosen`."""
    why = "its name does not say that it is one"
    return {name: why for name, shape in shapes.items() if name != chosen and shape == shapes[chosen][:1]}


def shapes_told(shapes: dict[str, tuple[int, ...]]) -> str:
    """Return the names and shapes of a file's arrays in words."""
    return ", ".join(f"{name} {tuple(map(int, shape))}" for name, shape in list(shapes.items())[:12]) or "nothing"
