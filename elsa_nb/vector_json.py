"""Vectors in JSON: alone, one per name, or in a table of records or of columns; one value, or one per line."""

from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.column_names import find_name
from elsa_nb.table_ids import ids_in_frame
from elsa_nb.text_files import checked_object, decoded, how_read, json_value
from elsa_nb.vector_arrays import VECTORS, VectorFile
from elsa_nb.vector_tables import from_lists, from_table
from elsa_nb.vectors import as_names

_LINES = (".jsonl", ".ndjson")
JSON = (".json", *_LINES)


def vectors_in_json(path: Path, key: str | None, encoding: str | None = None) -> VectorFile:
    """Read the vectors of a JSON file: vectors alone, one per name, or a table (records, or columns of one length).

    `key` is that of `vectors_in_arrow`; raises ValueError for a key where there are no columns.
    """
    value, notes = _read(path, encoding)
    read = _vectors_of(value, key)
    read.notes += notes
    return read


def _vectors_of(value: Any, key: str | None) -> VectorFile:
    if _are_records(value):
        return from_table(_table(value), key)
    apart = isinstance(value, dict) and len(value) > 1 and all(isinstance(part, dict) for part in value.values())
    if apart or (isinstance(value, dict) and {"columns", "data"} <= set(value)):
        raise ValueError(
            "its JSON keeps the columns or rows of a table apart; save it with to_json(..., orient='records')"
        )
    if isinstance(value, dict) and len(tables := [part for part in value.values() if _are_records(part)]) == 1:
        return _vectors_of(tables[0], key)  # inside an object that describes it, as servers answer
    entries = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(entries, list) or not entries or not all(map(_is_list, entries)):
        raise ValueError(
            f"its JSON is neither a list of vectors or of records nor one vector per name{_odd_one(entries)}"
        )
    if isinstance(value, dict) and (key in value or find_name(list(value), VECTORS) is not None):
        return from_table(_columns(value), key)
    if key is not None:
        raise ValueError(f"its vectors are not in a column; leave out the key {key!r}")
    return VectorFile(_plain_vectors(entries), as_names(value) if isinstance(value, dict) else None)


def _plain_vectors(entries: list[Any]) -> np.ndarray:
    """Return lists of numbers as an array; ValueError for the first value that is not a number."""
    import pyarrow as pa

    try:
        return from_lists(pa.chunked_array([entries]))
    except (pa.ArrowException, OverflowError) as error:
        for row, entry in enumerate(entries):
            for value in entry if isinstance(entry, list) else ():
                if isinstance(value, bool) or not isinstance(value, int | float):
                    raise ValueError(f"entry {row} has {_told(value)} among numbers, which is not one") from error
                if isinstance(value, int) and abs(value) >> 63:
                    raise ValueError(
                        f"entry {row} has the whole number {_told(value)}, which is too large; write it as 1e30"
                    ) from error
        raise


def ids_in_json(path: Path, encoding: str | None = None) -> tuple[list[str], list[str]]:
    """Return the ids of a JSON file, a list of names or a table's column of names, and notes on how it was read."""
    value, notes = _read(path, encoding)
    if _are_records(value):
        ids, more = ids_in_frame(_table(value).to_pandas())
        return ids, notes + more
    if not isinstance(value, list):
        raise ValueError("its JSON is not a list of names or of records")
    return as_names(value), notes


def _read(path: Path, encoding: str | None) -> tuple[Any, list[str]]:
    """Return what a file holds, a value or the list of those on its lines, and notes on how it was read."""
    used, text = next(decoded(path.read_bytes(), encoding), ("", ""))
    if not text.strip():
        raise ValueError("it is empty, or not text")
    value, by_line = json_value(text.removeprefix("\ufeff"), _made)
    alone = path.suffix.lower() in _LINES and not by_line and not isinstance(value, list)
    return [value] if alone else value, how_read(used, encoding)


def _made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose lists of numbers are arrays: they take a quarter of the memory, and a vector is one."""
    return {name: _compact(value) for name, value in checked_object(pairs).items()}


def _compact(value: Any) -> Any:
    if type(value) is not list or len(kinds := set(map(type, value))) != 1 or not kinds <= {int, float}:
        return value
    made = np.array(value)
    return made if made.dtype.kind in "fi" else value  # numbers beyond 64 bits are objects


def _is_list(value: Any) -> bool:
    return isinstance(value, list | np.ndarray)


def _are_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def _odd_one(entries: Any) -> str:
    """Say which entry is the first of another kind than entry 0, if there is one."""
    if not isinstance(entries, list):
        return ""
    odd = (row for row, entry in enumerate(entries) if _is_list(entry) != _is_list(entries[0]) or entry is None)
    row = next(odd, None)
    return "" if row is None else f": entry {row} is {_told(entries[row])}"


def _told(value: Any) -> str:
    return "null" if value is None else f"{str(value)[:40]!r}"


def _table(records: list[dict[str, Any]]) -> Any:
    """Return records as a table of pyarrow: one column for every name that occurs, null where a record lacks it."""
    names = dict.fromkeys(name for record in records for name in record)
    return _columns({name: [record.get(name) for record in records] for name in names})


def _columns(values: dict[str, Any]) -> Any:
    """Return columns as a table of pyarrow; columns of mixed values that are not vectors hold text."""
    import pyarrow as pa

    lengths = {name: len(column) for name, column in values.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"its columns are of different lengths: {lengths}; store those that belong together")
    columns = {}
    for name, column in values.items():
        try:
            columns[name] = pa.array(column)
        except (pa.ArrowException, OverflowError):
            odd = [row for row, value in enumerate(column) if not isinstance(value, np.ndarray)]
            if 2 * len(odd) < len(column) and odd:
                told = f"row {odd[0]} has {_told(column[odd[0]])} in the column {name!r}"
                raise ValueError(f"{told}, where others have a list of numbers") from None
            columns[name] = pa.array([None if value is None else str(value) for value in column])
    return pa.table(columns)
