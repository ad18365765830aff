"""Vectors that lie in tables: in a column of lists, in numbered columns, or in cells of text that each hold a list.

Tables are CSV, in the separators, decimal marks and encodings of many programs and countries, Parquet and Feather;
`vector_json` makes them of JSON. A column that belongs to the vectors and does not hold a number in every row is
refused, never left out.
"""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.arrow_files import ARROW, read_arrow
from elsa_nb.column_names import without_fractions
from elsa_nb.formulas import meant
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
    TextTable,
    counts_rows,
    read_text_table,
)
from elsa_nb.vector_arrays import VectorFile
from elsa_nb.vector_columns import columns_left_out, numbered_groups, one_place, values_in_lists, vectors_in_frame

_LOOKED_AT = 20  # rows


def ids_in_table(path: Path, encoding: str | None = None) -> tuple[list[str], list[str], str]:
    """Return the ids in a file that holds a table, as `ids_in_frame` does, notes on how it was read, and its header.

    The header is "" where a table of text has none, and for other tables. Out of text the ids come without the mark
    that our own CSV files put before some (`formulas.safe`).
    """
    if path.suffix.lower() in ARROW:
        return *ids_in_frame(_arrow_in(path).to_pandas()), ""
    table = read_text_table(path, encoding)
    ids, notes = ids_in_frame(table.frame, table.padded)
    header = "" if table.bare else ", ".join(map(str, table.frame.columns))
    ids, more = without_fractions(list(map(meant, ids)))
    return ids, table.notes + notes + more, header


# --- Parquet and Feather


def vectors_in_arrow(path: Path, key: str | None) -> VectorFile:
    """Read the vectors of a file of `ARROW`; `key` names the column of lists, or what numbered ones have in common."""
    return from_table(_arrow_in(path), key)


def _arrow_in(path: Path) -> Any:
    return read_arrow(path, path.suffix.lower() == ".parquet")


def from_table(table: Any, key: str | None) -> VectorFile:
    """Take the vectors out of a table of pyarrow; `key` as for `vectors_in_arrow`."""
    table = _plain(table)
    lists = {part.name: _values_in(table.column(part.name)) for part in table.schema if _holds_vectors(part.type)}
    others = [name for name in table.column_names if name not in lists]
    told, ids, notes = _ids_in_arrow(table, others)
    numbers = [name for name in others if name != ids and _is_of_numbers(table.schema.field(name).type)]
    chosen, is_list = one_place(lists, numbered_groups(numbers)) if lists and key is None else (key, key in lists)
    if is_list:
        left = columns_left_out(name for name in table.column_names if name not in (chosen, ids))
        may_be = {} if told else may_hold_ids(others, lambda name: table.column(name).to_pylist())
        taken = [f"vectors from the column {chosen!r}", *left, *notes]
        return VectorFile(from_lists(table.column(chosen)), told, taken, may_be)
    if key is not None and lists and not any(re.fullmatch(rf"{re.escape(key)}\d+", n) for n in table.column_names):
        raise ValueError(f"it has no column {key!r}; its columns of lists are {', '.join(map(repr, lists))}")
    read = vectors_in_frame(table.to_pandas(), chosen, told, ids)
    read.notes += notes
    return read


def _ids_in_arrow(table: Any, columns: Sequence[str]) -> tuple[list[str] | None, str | None, list[str]]:
    """Return the ids in a table of pyarrow (None: it has none), the one of `columns` that holds them, and notes."""
    import pyarrow as pa

    def values_of(name: str) -> list[Any]:
        return table.column(name).to_pylist()

    ids, notes = known_column(columns, values_of), []
    ids = column_called_id(columns, values_of) if ids is None else ids
    if ids is None and (told := arrow_index(table)) is not None:
        return told, None, ["ids from the index of the data frame"]
    texts = [name for name in columns if pa.types.is_large_string(table.schema.field(name).type)]
    if ids is None and len(texts) == 1:
        ids, notes = if_ids(texts[0], values_of(texts[0]))
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


def _is_of_numbers(kind: Any) -> bool:
    import pyarrow as pa

    is_a = pa.types
    return is_a.is_floating(kind) or is_a.is_integer(kind) or is_a.is_boolean(kind) or is_a.is_decimal(kind)


def _holds_vectors(kind: Any) -> bool:
    """Whether a type of column is a list of numbers, or of lists of them."""
    import pyarrow as pa

    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return False
    return _is_of_numbers(kind.value_type) or _holds_vectors(kind.value_type)


def _values_in(column: Any) -> int:
    """Return how many values the first lists of a column have, on average."""
    import pyarrow.compute as pc

    rows = column.slice(0, _LOOKED_AT).drop_null()
    return len(pc.list_flatten(rows, recursive=True)) // max(1, len(rows))


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
    texts = [n for n in frame.columns if not is_number_like(frame[n]) and not values_in_lists(frame[n])]
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
    told = None
    if ids is not None:
        told, more = ids_in_column(frame.__getitem__, list(frame.columns), ids)
        told, whole = without_fractions(told)
        notes += more + whole
    read = vectors_in_frame(frame, key, told, ids, table)
    read.notes += notes
    return read


def _nameless_ids(table: TextTable, texts: list[Any]) -> tuple[Any, list[str]]:
    """Return the column that holds ids though its name does not say so, or None, and notes on it."""
    if not table.bare and (ids := column_called_id(list(table.frame.columns), lambda n: table.frame[n].tolist())):
        return ids, []
    ends = (table.frame.columns[0], table.frame.columns[-1])
    if table.bare and len(texts) > 1 and texts[0] == ends[0]:
        texts = texts[:1]  # others hold classes, or remarks
    found = texts if len(texts) == 1 and texts[0] in ends else table.padded
    if len(found) != 1 or (table.bare and found[0] not in ends):
        return None, []
    return if_ids(found[0], table.frame[found[0]])


def _look_at_first(frame: Any) -> list[str]:
    """Return notes on how the first column of a table without a header was taken, where it may hold ids or a count."""
    column = frame[0]
    if len(frame.columns) > 1 and counts_rows(column) and not _all_whole(frame):
        return ["the first column counts the rows: it is left out"]
    if column.dtype.kind not in "iu" or len(column) < 2 or not column.is_unique or len(frame.columns) < 2:
        return []
    if counts_rows(column) or not _all_whole(frame):
        return [
            "the first column may be ids or a count; it is taken for values (a header that calls it id makes it ids)"
        ]
    return []


def _all_whole(frame: Any) -> bool:
    """Whether all values are whole: then a first column that counts may be a value like the others."""
    kinds = {frame[name].dtype.kind for name in frame.columns}
    return kinds <= {"i", "u"} or (kinds <= set("iuf") and not (frame.to_numpy(np.float64) % 1).any())


def _is_index(column: Any, words: bool) -> bool:
    """Whether a column without a name, which pandas or R wrote, names the rows and does not just count them."""
    counts = column.dtype.kind not in "iu" or any((column == np.arange(n, n + len(column))).all() for n in (0, 1))
    return bool(column.is_unique) and (words or not counts)
