"""Labels as NumPy arrays: a .npy file, or those of a .npz file with one value per item. The reader calls `read`."""

import io
import zipfile
from typing import IO, NamedTuple

import numpy as np

from elsa_nb.column_names import ITEM, LABEL
from elsa_nb.label.label_files import columns
from elsa_nb.label.label_files.lines import Reading, RowPlace
from elsa_nb.label.label_files.names import Names
from elsa_nb.label.label_files.tables import UNPACKED_MOST, Table
from elsa_nb.store import parsing
from elsa_nb.vector_arrays import one_each
from elsa_nb.vectors import are_texts

MAGIC = b"\x93NUMPY"
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_KINDS = "biufUS"  # truth values, numbers and texts


def are_arrays(data: bytes) -> bool:
    """Whether a file is a .npy file, or an archive of nothing else: a .npz file."""
    if not data.startswith(b"PK"):
        return data.startswith(MAGIC)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return bool(archive.namelist()) and all(name.endswith(".npy") for name in archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError):
        return False


def read(data: bytes, names: Names, *, item: str | None = None, label: str | None = None) -> Reading:
    """Return the lines of arrays: one value per item, in the order of the pool where no array names the items.

    Raises ValueError where none has one value per item, and what `columns.read` raises.
    """
    with parsing():
        table = _of_file(data) if data.startswith(MAGIC) else _of_archive(data)
    if item is None and columns.find(table, None, ITEM) is None:
        item = columns.column_of_items(table, names) or "row"  # labels in another order than the pool's
    if label is None and item != "row" and len(table.columns) == 2 and columns.find(table, None, LABEL) is None:
        which = columns.find(table, item, ITEM)  # beside the names of items one array is left, such as y
        label = None if which is None else table.columns[1 - which]
    return columns.read(table, names, item=item, label=label)


def _of_file(data: bytes) -> Table:
    values = _values(io.BytesIO(data))
    if isinstance(values, _Unread):
        cure = "save them as numbers, or as text: astype(str)" if values.of_objects else "(n,)"
        raise ValueError(f"it holds {values.said}; labels are one number or text per item: {cure}")
    return _table({"label": values}, "NumPy array")


def _of_archive(data: bytes) -> Table:
    found, others = {}, []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for part in archive.infolist():
            name = part.filename.removesuffix(".npy")
            with archive.open(part) as stream:
                values = _values(stream)
            if isinstance(values, _Unread):
                others.append((f"{name!r}, {values.said}", values.of_objects))
            else:
                found[name] = values
    if not found:
        raise ValueError(f"none of its arrays has one label per item, (n,): {', '.join(said for said, _ in others)}")
    lengths = {name: len(values) for name, values in found.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"its arrays are of different lengths: {lengths}; store those that belong together")
    table = _table(found, "NumPy arrays")
    objects = [said for said, of_objects in others if of_objects]
    if objects and columns.find(table, None, ITEM) is None:  # maybe the items: nobody knows their order
        raise ValueError(f"it holds {objects[0]}, which is not opened; save names as text: astype(str)")
    return table


def _table(arrays: dict[str, list], kind: str) -> Table:
    rows = [(RowPlace("row", i), list(values)) for i, values in enumerate(zip(*arrays.values(), strict=True), 1)]
    return Table(list(arrays), rows, kind)


class _Unread(NamedTuple):
    """An array that was left unread: what it is, and whether it is one of Python's objects, such as names."""

    said: str
    of_objects: bool = False


def _values(stream: IO[bytes]) -> list | _Unread:
    """Return the values of an array of one value per row, NaN as None; others are left unread."""
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        return _Unread("an array of several fields")
    shape, _, dtype = _HEADERS[version](stream)
    if dtype.kind not in _KINDS:
        return _Unread(f"an array of {dtype}", of_objects=dtype.kind == "O")
    if not one_each(shape):
        return _Unread(f"an array of shape {shape}")
    size = shape[0] * dtype.itemsize
    if size > UNPACKED_MOST:
        raise ValueError(f"it holds an array of {size >> 20:,} MB; store the labels as numbers")
    data = stream.read(size)
    if len(data) < size:
        raise ValueError(f"it is cut off: {len(data)} bytes of an array of {size}")
    values = np.frombuffer(data, dtype)
    if dtype.kind == "U" and not (written := are_texts(values)).all():
        raise ValueError(f"it is damaged: row {int(np.argmin(written)) + 1} is not text")
    if dtype.kind == "S":
        return [value.decode() for value in values.tolist()]
    return [None if value != value else value for value in values.tolist()]  # NaN is unlike itself
