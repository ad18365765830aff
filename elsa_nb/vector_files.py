"""Vectors that were made elsewhere: from files of arrays and tables, with their ids where the file has them.

It reads .npy, .npz, .safetensors, tables (`vector_tables`), JSON (`vector_json`), .h5ad (and other HDF5), and faiss's
flat indexes. Arrays that a file holds as plain bytes are memory-mapped. Nothing is unpickled: a file of Python objects
can run any code.
"""

import json
import math
import mmap
import struct
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.arrow_files import ARROW
from elsa_nb.column_names import find_name, heads_table
from elsa_nb.errors import MissingDataError
from elsa_nb.option_names import option_told
from elsa_nb.store import as_path, check_unpacked, parsing, reading
from elsa_nb.text_files import decoded, how_read, lines_of
from elsa_nb.vector_json import JSON, ids_in_json, vectors_in_json
from elsa_nb.vector_tables import (
    VectorFile,
    array_taken,
    chosen_array,
    ids_among,
    ids_in_table,
    may_be_ids,
    shapes_told,
    vectors_in_arrow,
    vectors_in_text,
)
from elsa_nb.vectors import as_names

_PICKLED = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib")
_NAMELESS = (".npy", ".faiss", ".index")
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
        raise ValueError(f"{path} ends in {suffix or 'nothing'}; vectors are read from {', '.join(_READERS)}.")
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
    return _ids_read(Path(path), encoding)[0]


def _ids_read(path: Path, encoding: str | None) -> tuple[list[str], list[str]]:
    """Return the ids of a file, and notes on how it was read."""
    if not path.exists():
        raise MissingDataError(f"{path} is not here; give a file with one id per line, a .npy, or a table.")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give a file with one id per line, a .npy, or a table.")
    with reading(path, "a file of ids", "Give one id per line, a .npy, a list in .json, or a table."):
        return _ids_of(path, encoding)


def _ids_of(path: Path, encoding: str | None) -> tuple[list[str], list[str]]:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return as_names(_npy(path, None).vectors.ravel()), []
    if suffix in (".csv", ".tsv", *ARROW):
        return ids_in_table(path, encoding)
    if suffix in JSON:
        return ids_in_json(path, encoding)
    used, text = next(decoded(path.read_bytes(), encoding), ("", None))
    if text is None or suffix in _PICKLED:
        raise ValueError("it is not text")
    if text.startswith("{"):
        raise ValueError("its lines are JSON, not names")
    lines = lines_of(text.rstrip("\r\n"))
    if heads_table(lines[0]):
        return ids_in_table(path, encoding)
    return as_names(lines), how_read(used, encoding)


def read_both(
    path: Path, ids: Any, key: str | None, encoding: str | None
) -> tuple[VectorFile, Sequence[str] | None, str]:
    """Return the vectors of a file, their ids, and where the ids are from: `ids` (a list or a file), or the same file.

    Raises ValueError for an `encoding` where neither file is text.
    """
    beside = Path(ids) if isinstance(ids, str | Path) else None
    if ids is not None and beside is None and not np.ndim(ids):
        raise ValueError(
            f"ids of type {type(ids).__name__}; give a list of one id per row, or the path of a file of ids"
        )
    names = {path.suffix.lower()} & set(_TEXTS) | ({beside.suffix.lower()} - _NO_TEXT if beside else set())
    if encoding is not None and not names:
        raise ValueError(f"{path} is not text, and so has no encoding; leave out {encoding!r}.")
    held = read_vectors(path, key, encoding)
    if beside is not None:
        told, notes = _ids_read(beside, encoding)
        if len(told) == held.vectors.shape[0] + 1 and find_name(told[:1]) is not None:  # what the column is called
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
        return VectorFile(np.load(path, mmap_mode="r", allow_pickle=False))
    except ValueError as error:
        if "pickle" in str(error) or "object" in str(error).lower():
            raise ValueError(
                "it holds Python objects; save it again as one array of float32 (of ids, as names.astype(str))"
            ) from None
        if "mmap" in str(error):
            raise ValueError("it is cut off: its array ends beyond the file") from None
        raise


def _npz(path: Path, key: str | None) -> VectorFile:
    if not zipfile.is_zipfile(path):
        raise ValueError("it is not a .npz file, or it is cut off")
    with zipfile.ZipFile(path) as archive:
        check_unpacked(archive, path.stat().st_size)
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
    return VectorFile(np.memmap(path, "<f4", "r", 45, (n, d)))


def _hdf5(path: Path, key: str | None) -> VectorFile:
    """Read AnnData (X, obsm) or any HDF5 file; a group of data, indices and indptr is a sparse matrix."""
    try:
        import h5py
    except ImportError:
        raise ValueError("to read an HDF5 file the package h5py is needed (pip install h5py)") from None
    import scipy.sparse

    with h5py.File(path, "r") as file:
        # Sizes of addresses and of lengths, with nothing before them, as everybody writes them.
        usual = file.id.get_create_plist().get_sizes() == (8, 8) and not file.userblock_size
        known = _texts_in_heaps(path) if usual else None
        found: dict[str, tuple[int, ...]] = {}
        others: dict[str, tuple[int, ...]] = {}  # arrays that are not vectors, to say what is there

        def visit(name: str, part: Any) -> None:
            if isinstance(part, h5py.Group) and {"data", "indices", "indptr"} <= set(part):
                if len(shape := tuple(part.attrs.get("shape", part.attrs.get("h5sparse_shape", ())))) == 2:
                    found[name] = shape
            elif isinstance(part, h5py.Dataset) and part.ndim == 2:
                found.setdefault(name, part.shape)
            elif isinstance(part, h5py.Dataset):
                others[name] = part.shape or ()

        file.visititems(visit)
        wanted = {name: shape for name, shape in found.items() if name.rpartition("/")[0] not in found}
        if not wanted or (key in others and key not in wanted):
            raise ValueError(f"it has no array (n, d), one row per item: it has {shapes_told(others | wanted)}")
        chosen = key
        own = {name: shape for name, shape in wanted.items() if name.startswith("obsm/")}
        ends = [name for name in wanted if chosen and name.endswith(f"/{chosen}")]
        chosen = ends[0] if len(ends) == 1 and chosen not in wanted else chosen  # X_pca for obsm/X_pca
        chosen = chosen_array(wanted, chosen) if chosen or len(own) != 1 else next(iter(own))
        part = file[chosen]
        if isinstance(part, h5py.Group):
            kind = part.attrs.get("encoding-type", part.attrs.get("h5sparse_format", "csr"))
            made = scipy.sparse.csc_matrix if "csc" in str(kind) else scipy.sparse.csr_matrix
            vectors: Any = made((part["data"][:], part["indices"][:], part["indptr"][:]), shape=found[chosen])
        else:
            vectors = part[:]
        ids = _observations(file, known) if "obs" in file else _beside(file[chosen], known)
        return VectorFile(vectors, ids, array_taken(wanted, chosen) or [f"vectors from {chosen!r}"])


_HEAP = b"GCOL\x01\0\0\0"  # how a heap of texts begins in an HDF5 file


def _texts_in_heaps(path: Path) -> dict[tuple[int, int], int]:
    """Return the lengths of the texts in an HDF5 file, by the place of their heap and their number in it.

    Raises ValueError for a heap with an entry that leads nowhere: HDF5's library (2.0 and before) loops for ever
    at an entry of length 0, and nothing can interrupt it.
    """
    lengths = {}
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        heap = data.find(_HEAP)
        while heap >= 0:
            (size,) = struct.unpack_from("<Q", data, heap + 8)
            place, end = heap + 16, min(heap + size, len(data))
            while place + 16 <= end:
                number, length = struct.unpack_from("<H6xQ", data, place)
                step = length if number == 0 else 16 + -(-length // 8) * 8  # number 0: all that is left
                if not 0 < step <= end - place:
                    raise ValueError("it is damaged: a text in it has no end")
                if number:
                    lengths[heap, number] = length
                place += step
            heap = data.find(_HEAP, heap + 1)
    return lengths


_TEXT = np.dtype([("length", "<u4"), ("heap", "<u8"), ("number", "<u4")])  # how a dataset says where a text is


def _texts(dataset: Any, known: dict[tuple[int, int], int] | None) -> np.ndarray:
    """Return the texts of a dataset; ValueError for one that is not `known` to be where, and as long as, it says.

    HDF5's library believes what a dataset says: it makes room for gigabytes, and ends the process where a text is
    longer than stated.
    """
    import h5py

    if dataset.dtype.kind == "O" and h5py.check_string_dtype(dataset.dtype) is None:
        raise ValueError(f"{dataset.name!r} holds {h5py.check_vlen_dtype(dataset.dtype) or 'objects'}, not names")
    place = dataset.id.get_offset()
    # In one piece, as in nearly all files.
    if known is not None and dataset.dtype.kind == "O" and place is not None:
        told = np.fromfile(dataset.file.filename, _TEXT, dataset.size, offset=place)
        for row, (length, heap, number) in enumerate(told.tolist()):
            if (heap or length) and known.get((heap, number)) != length:  # 0, 0: an empty text
                raise ValueError(f"it is damaged: text {row} of {dataset.name!r} is not where the file says")
    return dataset[:]


def _observations(file: Any, known: dict[tuple[int, int], int] | None) -> Sequence[str] | None:
    """Return the names of AnnData's observations."""
    table = file["obs"]
    if hasattr(table, "dtype"):  # AnnData before 0.7 kept a table of records
        return as_names(table["index"])
    index = table.get(str(table.attrs.get("_index", "_index")))
    if index is None:
        return None
    if hasattr(index, "shape"):
        return as_names(_texts(index, known))
    return as_names(_texts(index["categories"], known)[index["codes"][:]])  # names that repeat in a table are kept once


def _beside(vectors: Any, known: dict[tuple[int, int], int] | None) -> Sequence[str] | None:
    """Return the names that lie in the same group of an HDF5 file as its vectors."""
    group, chosen = vectors.parent, vectors.name.rpartition("/")[2]
    name = ids_among({name: getattr(part, "shape", ()) for name, part in group.items()}, chosen)
    return None if name is None else as_names(_texts(group[name], known).ravel())


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
    ".h5ad": _hdf5,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".faiss": _faiss,
    ".index": _faiss,
}
