"""Vectors in one value of JSON: alone, a vector a name, or in a table of records or of columns.

What has an object a line is a table (`vector_tables`).
"""

import json
from pathlib import Path

from elsa_nb.text_files import checked_object
from elsa_nb.vector_tables import VECTORS, VectorFile, find_name, from_lists, from_table
from elsa_nb.vectors import as_names


def vectors_in_json(path: Path, key: str | None) -> VectorFile:
    """Read the vectors of a JSON file: vectors alone, a vector a name, or a table (records, or columns of one length).

    `key` is that of `vectors_in_arrow`; ValueError for one where there are no columns.
    """
    import pyarrow as pa

    value = json.loads(path.read_bytes(), object_pairs_hook=checked_object)
    entries = list(value.values()) if isinstance(value, dict) else value
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        return from_table(pa.Table.from_pylist(value), key)
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, list) for entry in entries):
        raise ValueError("its JSON is no list of vectors or of records, and no vector a name")
    if isinstance(value, dict) and (key in value or find_name(list(value), VECTORS) is not None):
        return from_table(pa.table(value), key)
    if key is not None:
        raise ValueError(f"its vectors stand in no column; leave out the key {key!r}")
    vectors = from_lists(pa.chunked_array([entries]))
    return VectorFile(vectors, as_names(value) if isinstance(value, dict) else None)
