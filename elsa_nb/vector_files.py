"""Vectors that were made elsewhere: from files of arrays and tables, with their ids where the file has them.

It reads .npy, .npz, .safetensors, tables (`vector_tables`), JSON (`vector_json`), .h5ad (and other HDF5), and faiss's
flat indexes. Arrays that a file holds as plain bytes are memory-mapped. Nothing is unpickled: a file of Python objects
can run any code.
"""

import json
import math
import struct
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.arrow_files import ARROW
from elsa_nb.column_names import find_name, without_fractions
from elsa_nb.errors import MissingDataError
from elsa_nb.option_names import option_told
from elsa_nb.store import as_path, check_unpacked, parsing, reading
from elsa_nb.text_files import decoded, how_read, lines_of
from elsa_nb.text_layout import heads_table
from elsa_nb.vector_arrays import VectorFile, array_taken, chosen_array, ids_among, may_be_ids
from elsa_nb.vector_hdf5 import vectors_in_hdf5
from elsa_nb.vector_json import JSON, ids_in_json, vectors_in_json
from elsa_nb.vector_tables import ids_in_table, vectors_in_arrow, vectors_in_text
from elsa_nb.vectors import as_names

_PICKLED = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib")
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
_NAMELESS = (".npy", ".faiss", ".index")
_ZIP_END = 22  # bytes of the record that ends a zip archive, without its comment
_LOOKED_AT = 1 << 17  # bytes at the end of an archive: its last entry, of 64 kB at most, and what fills it up
_PADDING = b"\0 \r\n\t"  # what fills up a file to whole blocks, or ends a text
_NO_TEXT = {".npy", *ARROW}  # of files of ids


def read_vectors(path: Path | str, key: str | None = None, encoding: str | None = None) -> VectorFile:
    """Return the vectors of a file; `key` names the array or column where it has several.

    `encoding` is that of a table of text or JSON, found by default; a file of another kind has none.

    Raises MissingDataError where there is no such file, and ValueError, naming it, where it is of another kind or does
    not say which of its arrays are the vectors.
    """
    path = as_path("path", path, "a file of vectors")
    if path.is_dir():
        parts = "; make one file of its parts (pyarrow.parquet.read_table)" if any(path.glob("*.parquet")) else ""
        raise ValueError(
            f"{path} is a folder; open a pool with Pool.open, or give the path of one file of vectors{parts}."
        )
    if not path.exists():
        raise MissingDataError(f"{path} is not here; give a file of vectors ({', '.join(_READERS)}).")
    suffix = path.suffix.lower()
    if suffix in _PICKLED:
        raise ValueError(
            f"{path} is a file of Python objects, which may run code when it is opened. If you made it, open it "
            "yourself (torch.load(..., weights_only=True)), and hand the array to Pool.from_arrays, or save it as .npy."
        )
    if suffix not in _READERS:
        packed = "; unpack it first" if suffix in _PACKED else ""
        raise ValueError(f"{path} ends in {suffix or 'nothing'}; vectors are read from {', '.join(_READERS)}{packed}.")
    if key is not None and suffix in _NAMELESS:
        raise ValueError(f"{path} holds one array, which has no name; leave out the key {key!r}.")
    try:
        with parsing(path):
            return _TEXTS[suffix](path, key, encoding) if suffix in _TEXTS else _READERS[suffix](path, key)
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from error


def read_ids(path: Path | str, encoding: str | None = None) -> list[str]:
    """Return the ids of a file: one per line (.txt), an array (.npy), or a table's column of names (.csv, .parquet).

    Raises MissingDataError where there is no such file, and CorruptFileError for one that cannot be read.
    """
    return _ids_read(as_path("path", path, "a file of ids"), encoding)[0]


def _ids_read(path: Path, encoding: str | None) -> tuple[list[str], list[str], str]:
    """Return the ids of a file, notes on how it was read, and the line of text taken for names of columns, or ""."""
    if not path.exists():
        raise MissingDataError(f"{path} is not here; give a file with one id per line, a .npy, or a table.")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give a file with one id per line, a .npy, or a table.")
    with reading(path, "a file of ids", "Give one id per line, a .npy, a list in .json, or a table."):
        return _ids_of(path, encoding)


def _ids_of(path: Path, encoding: str | None) -> tuple[list[str], list[str], str]:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return as_names(_npy(path, None).vectors.ravel()), [], ""
    if suffix in (".csv", ".tsv", *ARROW):
        return ids_in_table(path, encoding)
    if suffix in JSON:
        return *ids_in_json(path, encoding), ""
    used, text = next(decoded(path.read_bytes(), encoding), ("", None))
    if text is None or suffix in _PICKLED:
        raise ValueError("it is not text")
    if text.startswith("{"):
        raise ValueError("its lines are JSON, not names")
    text = text.rstrip("\r\n")
    if not heads_table(text):
        names, notes = without_fractions(as_names(lines_of(text)))
        return names, how_read(used, encoding) + notes, ""
    ids, notes, header = ids_in_table(path, encoding)
    said = f"its first line ({header:.60}) is taken for the names of columns; if it is an id, write item above it"
    return ids, [said, *notes] if header else notes, header


def read_both(
    path: Path, ids: Any, key: str | None, encoding: str | None
) -> tuple[VectorFile, Sequence[str] | None, str]:
    """Return the vectors of a file, their ids, and where the ids are from: `ids` (a list or a file), or the same file.

    Raises ValueError for an `encoding` where neither file is text, and where a first line taken for the names of
    columns is the id that lacks.
    """
    beside = as_path("ids", ids, "a file of ids, or a list of them") if isinstance(ids, str | Path) else None
    if ids is not None and beside is None and not np.ndim(ids):
        raise ValueError(
            f"ids of type {type(ids).__name__}; give a list of one id per row, or the path of a file of ids"
        )
    names = {path.suffix.lower()} & set(_TEXTS) | ({beside.suffix.lower()} - _NO_TEXT if beside else set())
    if encoding is not None and not names:
        raise ValueError(f"{path} is not text, and so has no encoding; leave out {encoding!r}.")
    held = read_vectors(path, key, encoding)
    if beside is not None:
        told, notes, header = _ids_read(beside, encoding)
        n = held.vectors.shape[0]
        if header and len(told) == n - 1:
            raise ValueError(
                f"{beside}: its first line ({header:.60}) was taken for the names of columns, and {n - 1:,} "
                f"{'id is' if n == 2 else 'ids are'} left for {n:,} vectors. If that line is an id itself, save the "
                "lines as .txt, below a first line item; else give one id per vector."
            )
        if len(told) == n + 1 and find_name(told[:1]) is not None:  # what the column is called
            notes.append(f"its first line, {told.pop(0)!r}, is the name of the column")
        held.notes += [f"{note} ({beside.name})" for note in notes]
    else:
        told = ids
    told, where = (held.ids, str(path)) if told is None else (told, str(beside or "ids"))
    if told is None and held.left_out:
        left = ", ".join(f"{name} ({why})" for name, why in list(held.left_out.items())[:12])
        what = f"{path} names no ids, so they are row numbers. Left out was what may be ids: {left}"
        cure = f"give its values, one per row ({option_told('ids')}), or call it item in the file"
        warnings.warn(f"{what}; to take one, {cure}.", stacklevel=3)
    return held, told, where


# --- arrays


def _npy(path: Path, key: str | None) -> VectorFile:
    with path.open("rb") as stream:
        start = stream.read(6)
    if start != b"\x93NUMPY":
        what = "this is a .npz file; rename it" if start.startswith(b"PK") else "this is not a .npy file"
        raise ValueError(
            "it is empty; numpy.save(path, array) writes one" if not start else f"it begins like {start!r}: {what}"
        )
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        if "pickle" in str(error) or "object" in str(error).lower():
            raise ValueError(
                "it holds Python objects; save it again as one array of float32 (of ids, as names.astype(str))"
            ) from None
        if "mmap" in str(error):
            raise ValueError("it is cut off: its array ends beyond the file") from None
        raise
    if isinstance(array, np.memmap):
        _check_end(path, array.offset + array.nbytes)
    return VectorFile(array)


def _check_end(path: Path, end: int) -> None:
    """Raise ValueError for a file that goes on where its array ends: what somebody appended would not be read."""
    with path.open("rb") as stream:
        stream.seek(end)
        beyond = path.stat().st_size - end if stream.read(1 << 20).strip(_PADDING) else 0
    if beyond > 0:
        raise ValueError(
            f"{beyond:,} bytes follow its array: was a second one appended? Save all rows as one array "
            "(np.concatenate), or in files of their own"
        )


def _npz(path: Path, key: str | None) -> VectorFile:
    if not zipfile.is_zipfile(path):
        raise ValueError("it is not a .npz file, or it is cut off")
    with zipfile.ZipFile(path) as archive:
        check_unpacked(archive, path.stat().st_size)
        first = min((entry.header_offset for entry in archive.infolist()), default=0)
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - _LOOKED_AT))
            tail = stream.read()
        beyond = tail[tail.rfind(b"PK\5\6") + _ZIP_END + len(archive.comment) :]
        if first or beyond.strip(_PADDING):
            raise ValueError(
                f"bytes {'precede' if first else 'follow'} its archive: was a second file appended? Save all arrays in "
                "one file (np.savez), or in files of their own"
            )
    with np.load(path, allow_pickle=False) as file:
        parts = {name: _part(file, name) for name in file.files}
    if {"format", "shape", "data"} <= set(parts):
        import scipy.sparse

        return VectorFile(scipy.sparse.load_npz(path))
    if parts and all(part is None for part in parts.values()):
        raise ValueError(f"its arrays ({', '.join(parts)}) hold Python objects, not numbers; save them as float32")
    chosen = chosen_array({name: part.shape for name, part in parts.items() if part is not None}, key)
    shapes = {name: (0,) if part is None else part.shape for name, part in parts.items()}
    ids = ids_among(shapes, chosen)
    taken, left = array_taken(shapes, chosen, ids), may_be_ids(shapes, chosen)
    if ids is not None and parts[ids] is None:
        taken.append(f"{ids!r} holds Python objects, which are not opened; give the ids")
        return VectorFile(parts[chosen], None, taken, left)
    return VectorFile(parts[chosen], None if ids is None else as_names(parts[ids].ravel()), taken, left)


def _part(file: Any, name: str) -> np.ndarray | None:
    """Return an array of a .npz file, None where it holds Python objects."""
    try:
        return file[name]
    except ValueError:
        return None


_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2"}
_DTYPES |= {"I8": "i1", "U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8", "BOOL": "?"}


def _safetensors(path: Path, key: str | None) -> VectorFile:
    """Read the format: a length, a header in JSON, and the bytes. bfloat16 is the upper half of float32."""
    size = path.stat().st_size
    if size < 8:
        raise ValueError(f"it is {'empty' if not size else f'cut off after {size} bytes'}, or not a safetensors file")
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        if length > size - 8:
            raise ValueError("its header is longer than the file: it is cut off, or not a safetensors file")
        try:
            header = json.loads(stream.read(length))
        except ValueError as error:  # JSON's, and that of bytes that are not letters
            raise ValueError("its header is not JSON: it is damaged, or not a safetensors file") from error
    if not isinstance(header, dict):
        raise ValueError("its header is not a list of tensors: it is damaged, or not a safetensors file")
    header.pop("__metadata__", None)
    shapes = {name: tuple(entry["shape"]) for name, entry in header.items()}
    chosen = chosen_array(shapes, key)
    vectors, ids = _tensor(path, header[chosen], 8 + length), ids_among(shapes, chosen)
    _check_end(path, 8 + length + max(entry["data_offsets"][1] for entry in header.values()))
    told = None if ids is None else as_names(_tensor(path, header[ids], 8 + length).ravel())
    wide = header[chosen]["dtype"] == "BF16"
    notes = ["bfloat16 is stored as float32, which holds every value of it"] if wide else []
    return VectorFile(vectors, told, array_taken(shapes, chosen, ids) + notes, may_be_ids(shapes, chosen))


def _tensor(path: Path, entry: dict[str, Any], before: int) -> np.ndarray:
    """Return the tensor of an entry of the header of a safetensors file, whose data begin at the byte `before`."""
    start, stop = entry["data_offsets"]
    dtype = "<u2" if entry["dtype"] == "BF16" else _DTYPES.get(entry["dtype"])
    if dtype is None:
        raise ValueError(f"its tensor is of the type {entry['dtype']}; save it as F32 or F16")
    if before + stop > path.stat().st_size:
        raise ValueError("it is cut off: its tensor ends beyond the file")
    if start < 0 or stop - start != math.prod(entry["shape"]) * np.dtype(dtype).itemsize:
        raise ValueError(
            f"its header says that a tensor {tuple(entry['shape'])} lies at {start} to {stop}: it is damaged"
        )
    array = np.memmap(path, dtype, "r", before + start, tuple(entry["shape"]))
    return np.left_shift(array, 16, dtype=np.uint32).view(np.float32) if entry["dtype"] == "BF16" else array


def _faiss(path: Path, key: str | None) -> VectorFile:
    """Read a flat index: the vectors lie behind a header of fixed length."""
    with path.open("rb") as stream:
        kind = stream.read(4)
        if path.stat().st_size < 45:
            raise ValueError("it is empty" if not kind else "it is cut off, or not an index of faiss")
        if kind in (b"IxMp", b"IxM2"):
            raise ValueError(
                "it is an IndexIDMap, which gives the vectors numbers of its own; write index.index, the one within, "
                "where that is flat, and faiss.vector_to_array(index.id_map) as a file of ids"
            )
        if kind not in (b"IxF2", b"IxFI", b"IxFl"):
            raise ValueError(
                f"it is an index of the kind {kind!r}, which is not read; a flat one (IndexFlatL2 or IndexFlatIP) "
                "holds the vectors as they were. index.reconstruct_n(0, index.ntotal) may give them"
            )
        d, n = struct.unpack("<iq", stream.read(12))
        stream.seek(37)
        (values,) = struct.unpack("<Q", stream.read(8))
    if values != n * d or path.stat().st_size < 45 + 4 * n * d:
        raise ValueError("it is cut off, or was written by another version of faiss")
    _check_end(path, 45 + 4 * n * d)
    return VectorFile(np.memmap(path, "<f4", "r", 45, (n, d)))


_TEXTS: dict[str, Callable[..., VectorFile]] = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), vectors_in_text),
    **dict.fromkeys(JSON, vectors_in_json),
}
_READERS: dict[str, Callable[[Path, str | None], VectorFile]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".safetensors": _safetensors,
    **dict.fromkeys(ARROW, vectors_in_arrow),
    **_TEXTS,
    ".h5ad": vectors_in_hdf5,
    ".h5": vectors_in_hdf5,
    ".hdf5": vectors_in_hdf5,
    ".faiss": _faiss,
    ".index": _faiss,
}
