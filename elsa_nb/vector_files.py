"""Vectors that somebody made already: out of files of arrays and tables, with their ids where the file has them.

Known are .npy, .npz, .safetensors, .parquet, .csv, .h5ad (and other HDF5), and faiss's flat indexes. Arrays that lie in
a file as they are get memory-mapped. Nothing is unpickled: a file of Python objects can run any code.
"""

import json
import re
import struct
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.errors import MissingDataError
from elsa_nb.store import check_unpacked, reading

_VECTORS = ("vectors", "embeddings", "embedding", "vector", "features", "feats", "emb", "x", "X", "arr_0")
_IDS = (
    *("ids", "item", "items", "filenames", "filename", "file_names", "file_name", "paths", "path", "files", "file"),
    *("filepath", "file_path", "image", "images", "image_path", "img_path", "names", "name", "key", "keys", "id"),
)
_PICKLED = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib")


@dataclass
class VectorFile:
    """What a file holds: `vectors` (n, d), `ids` (None: it names none), and what was left out or taken how."""

    vectors: Any
    ids: Sequence[str] | None = None
    notes: list[str] = field(default_factory=list)


def read_vectors(path: Path | str, key: str | None = None) -> VectorFile:
    """Return the vectors of a file; `key` names the array or column where it has several.

    Raises MissingDataError where there is no such file, and ValueError, naming it, where it is of another kind or does
    not say which of its arrays are the vectors.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; a pool is opened with Pool.open, and a file of vectors is named whole.")
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
    try:
        return _READERS[suffix](path, key)
    except OSError as error:
        if error.errno is not None:
            raise type(error)(error.errno, error.strerror, str(path)) from error
        raise ValueError(f"{path}: {_said(error)}.") from error
    except Exception as error:  # damaged bytes make parsers raise anything
        raise ValueError(f"{path}: {_said(error)}.") from error


def _said(error: Exception) -> str:
    """Return what our own readers say, and of a library's error the first line and its kind."""
    said = next(iter(str(error).strip().splitlines()), "").rstrip(". ")
    return said if type(error) is ValueError and said else f"it is damaged ({type(error).__name__} {said})"


def read_ids(path: Path | str) -> list[str]:
    """Return the ids of a file: one a line (.txt), an array (.npy), or a table's column of names (.csv, .parquet).

    Raises MissingDataError where there is no such file, and CorruptFileError for one that cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise MissingDataError(f"{path} is not here; give a file with one id a line, a .npy, or a table.")
    with reading(path, "a file of ids", "Give one id a line, a .npy, or a table."):
        return _ids_of(path)


def _ids_of(path: Path) -> list[str]:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return [i.decode() if isinstance(i, bytes) else str(i) for i in np.load(path, allow_pickle=False).ravel()]
    if suffix in (".csv", ".tsv", ".parquet"):
        frame = _frame(path) if suffix != ".parquet" else _arrow(path).to_pandas()
        column = _named(list(frame.columns), _IDS) or next(
            (c for c in frame if frame[c].dtype.kind not in "fiub"), None
        )
        if column is None:
            raise ValueError(f"{path} has no column of ids ({', '.join(map(str, frame.columns[:8]))}); call it item.")
        return [str(value) for value in frame[column]]
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return lines[:-1] if lines and not lines[-1] else lines


# --- arrays


def _npy(path: Path, key: str | None) -> VectorFile:
    try:
        return VectorFile(np.load(path, mmap_mode="r", allow_pickle=False))
    except ValueError as error:
        if "pickle" in str(error) or "object" in str(error).lower():
            raise ValueError("it holds Python objects, not numbers; save it again as one array of float32") from None
        raise


def _npz(path: Path, key: str | None) -> VectorFile:
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no .npz file, or a cut off one")
    with zipfile.ZipFile(path) as archive:
        check_unpacked(archive, path.stat().st_size)
    with np.load(path, allow_pickle=False) as file:
        parts = {name: _part(file, name) for name in file.files}
    chosen = _chosen({name: part.shape for name, part in parts.items() if part is not None}, key)
    ids = _named(list(parts), _IDS)
    if ids is not None and parts[ids] is None:
        return VectorFile(parts[chosen], None, [f"{ids!r} holds Python objects, which are not opened; give the ids"])
    return VectorFile(parts[chosen], None if ids is None else _strings(parts[ids]))


def _part(file: Any, name: str) -> np.ndarray | None:
    """Return an array of a .npz file, None where it holds Python objects."""
    try:
        return file[name]
    except ValueError:
        return None


_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}


def _safetensors(path: Path, key: str | None) -> VectorFile:
    """Read the format itself: a length, a header in JSON, and the bytes. bfloat16 is the upper half of float32."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        if length > size - 8:
            raise ValueError("its header is longer than the file: it is cut off, or no safetensors file")
        header = json.loads(stream.read(length))
    header.pop("__metadata__", None)
    entry = header[_chosen({name: tuple(entry["shape"]) for name, entry in header.items()}, key)]
    start, stop = entry["data_offsets"]
    dtype = "<u2" if entry["dtype"] == "BF16" else _DTYPES.get(entry["dtype"])
    if dtype is None:
        raise ValueError(f"its tensor is of the type {entry['dtype']}; save it as F32 or F16")
    if 8 + length + stop > size:
        raise ValueError("it is cut off: its tensor ends beyond the file")
    vectors = np.memmap(path, dtype, "r", 8 + length + start, tuple(entry["shape"]))
    if entry["dtype"] != "BF16":
        return VectorFile(vectors)
    wide = np.left_shift(vectors, 16, dtype=np.uint32).view(np.float32)
    return VectorFile(wide, notes=["bfloat16 is stored as float32, which holds every value of it"])


def _faiss(path: Path, key: str | None) -> VectorFile:
    """Read a flat index: the vectors lie behind a header of fixed length."""
    with path.open("rb") as stream:
        kind = stream.read(4)
        if kind not in (b"IxF2", b"IxFI", b"IxFl"):
            raise ValueError(
                f"it is an index of the kind {kind!r}, whose vectors are compressed or sorted; a flat one (IndexFlatL2 "
                "or IndexFlatIP) holds them as they were. index.reconstruct_n(0, index.ntotal) may give them"
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
        found: dict[str, tuple[int, ...]] = {}

        def visit(name: str, part: Any) -> None:
            if isinstance(part, h5py.Group) and {"data", "indices", "indptr"} <= set(part):
                found[name] = tuple(part.attrs.get("shape", part.attrs.get("h5sparse_shape", ())))
            elif isinstance(part, h5py.Dataset) and part.ndim == 2:
                found.setdefault(name, part.shape)

        file.visititems(visit)
        wanted = {name: shape for name, shape in found.items() if name.rpartition("/")[0] not in found}
        chosen = key or ("X" if set(wanted) == {"X"} else None)
        own = {name: shape for name, shape in wanted.items() if name.startswith("obsm/")}
        chosen = _chosen(wanted, chosen) if chosen or len(own) != 1 else next(iter(own))
        part = file[chosen]
        if isinstance(part, h5py.Group):
            kind = part.attrs.get("encoding-type", part.attrs.get("h5sparse_format", "csr"))
            made = scipy.sparse.csc_matrix if "csc" in str(kind) else scipy.sparse.csr_matrix
            vectors: Any = made((part["data"][:], part["indices"][:], part["indptr"][:]), shape=found[chosen])
        else:
            vectors = part[:]
        return VectorFile(vectors, _observations(file), [f"vectors from {chosen!r}"])


def _observations(file: Any) -> Sequence[str] | None:
    """Return the names of AnnData's observations, None in another HDF5 file."""
    if "obs" not in file:
        name = _named(list(file), _IDS)
        return _strings(file[name][:]) if name is not None and hasattr(file[name], "shape") else None
    table = file["obs"]
    if hasattr(table, "dtype"):  # AnnData before 0.7 kept a table of records
        return _strings(table["index"])
    index = str(table.attrs.get("_index", "_index"))
    return _strings(table[index][:]) if index in table else None


# --- tables


def _parquet(path: Path, key: str | None) -> VectorFile:
    import pyarrow as pa

    table = _arrow(path)
    lists = [f.name for f in table.schema if pa.types.is_list(f.type) or pa.types.is_large_list(f.type)]
    lists += [f.name for f in table.schema if pa.types.is_fixed_size_list(f.type)]
    ids = _named([n for n in table.column_names if n not in lists], _IDS)
    texts = [f.name for f in table.schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
    ids = texts[0] if ids is None and len(texts) == 1 else ids
    told = None if ids is None else [str(value) for value in table.column(ids).to_pylist()]
    if key in lists or (key is None and lists):
        chosen = _one_of(lists, key, "columns of lists")
        return VectorFile(_from_lists(table.column(chosen)), told, [f"vectors from the column {chosen!r}"])
    frame = table.to_pandas()
    return _from_columns(frame, key, told, ids)


def _from_lists(column: Any) -> np.ndarray:
    """Return a column of lists (n lists of d) as an array, naming the first row that is not as long as the others."""
    import pyarrow.compute as pc

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
    return values.to_numpy(zero_copy_only=False).reshape(len(lengths), -1)


def _csv(path: Path, key: str | None) -> VectorFile:
    frame = _frame(path)
    ids = _named(list(frame.columns), _IDS)
    texts = [name for name in frame.columns if frame[name].dtype.kind not in "fiub"]
    ids = texts[0] if ids is None and len(texts) == 1 else ids
    return _from_columns(frame, key, None if ids is None else [str(value) for value in frame[ids]], ids)


def _from_columns(frame: Any, key: str | None, told: list[str] | None, ids: str | None) -> VectorFile:
    """Take the columns of one value each that are numbered alike (embedding_0, embedding_1, ...)."""
    unnamed = [name for name in frame.columns if str(name).startswith("Unnamed:")]  # an index that pandas wrote
    numeric = [n for n in frame.columns if frame[n].dtype.kind in "fiub" and n != ids and n not in unnamed]
    groups: dict[str, list] = {}
    for name in numeric:
        if numbered := re.fullmatch(r"(.*?)(\d+)", str(name)):
            groups.setdefault(numbered[1], []).append(name)
    if key is not None and key not in groups:
        raise ValueError(
            f"it has no columns {key}0, {key}1, ...; it has {', '.join(map(repr, groups)) or 'none'} + number"
        )
    if not groups:
        raise ValueError(
            f"it has no column of lists and no numbered columns (embedding_0, embedding_1, ...); its columns are "
            f"{', '.join(map(str, frame.columns[:12]))}"
        )
    chosen = groups[key] if key is not None else max(groups.values(), key=len)
    chosen = sorted(chosen, key=lambda name: int(re.search(r"\d+$", str(name))[0]))
    left = [str(name) for name in frame.columns if name not in chosen and name != ids]
    notes = [f"vectors from {len(chosen)} columns, {chosen[0]!r} to {chosen[-1]!r}"]
    notes += [f"columns left out: {', '.join(left[:12])}{' ...' if len(left) > 12 else ''}"] if left else []
    return VectorFile(frame[chosen].to_numpy(), told, notes)


def _frame(path: Path) -> Any:
    """Read a CSV file: its separator is what the first line has most of; without a header its columns are numbered."""
    import pandas as pd

    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        head = stream.readline()
    separator = max(",;\t", key=head.count)
    how: dict[str, Any] = {"sep": separator, "encoding": "utf-8-sig"}
    cells = [cell.strip().strip('"') for cell in head.split(separator)]
    if len(cells) > 1 and sum(map(_is_number, cells)) >= len(cells) - 1 and len(set(cells)) > 1 and not _counts(cells):
        how["header"] = None
    frame = pd.read_csv(path, **how)
    if how.get("header", 0) is None and _counts([str(value) for value in frame[0]]):
        frame = frame.rename(columns={0: "row number"})
    if separator == ";" and all(frame[name].dtype.kind not in "f" for name in frame.columns):
        frame = pd.read_csv(path, decimal=",", **how)
    return frame


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _counts(cells: list[str]) -> bool:
    """Whether cells are the names 0, 1, 2, ... that pandas gives to columns without one."""
    numbers = [int(cell) for cell in cells if cell.isdigit()]
    return len(numbers) >= len(cells) - 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _arrow(path: Path) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(path)


# --- which of several


def _chosen(shapes: dict[str, tuple[int, ...]], key: str | None) -> str:
    if key is not None:
        if key not in shapes:
            raise ValueError(f"it has no array {key!r}; it has {_listed(shapes)}")
        return key
    flat = [name for name, shape in shapes.items() if len(shape) == 2]
    named = [name for name in _VECTORS if name in flat]
    if len(flat) == 1 or named:
        return named[0] if named else flat[0]
    many = "several arrays of vectors" if flat else "no array (n, d)"
    raise ValueError(f"it has {many}: {_listed(shapes)}. Name one: key='...' (on the command line --key)")


def _one_of(names: list[str], key: str | None, what: str) -> str:
    named = [name for name in _VECTORS if name in names]
    if key is None and len(names) > 1 and not named:
        raise ValueError(f"it has several {what}: {', '.join(names)}. Name one: key='...' (on the command line --key)")
    return key or (named or names)[0]


def _listed(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {tuple(map(int, shape))}" for name, shape in list(shapes.items())[:12]) or "nothing"


def _named(names: Sequence[Any], known: Sequence[str]) -> Any | None:
    plain = {str(name).strip().casefold(): name for name in names}
    return next((plain[name] for name in known if name in plain), None)


def _strings(values: Any) -> list[str]:
    return [value.decode() if isinstance(value, bytes) else str(value) for value in np.asarray(values).ravel()]


_READERS: dict[str, Callable[[Path, str | None], VectorFile]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".safetensors": _safetensors,
    ".parquet": _parquet,
    ".csv": _csv,
    ".tsv": _csv,
    ".h5ad": _hdf5,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".faiss": _faiss,
    ".index": _faiss,
}
