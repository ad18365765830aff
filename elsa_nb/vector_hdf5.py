"""Vectors and ids in HDF5 files: those of AnnData (.h5ad), and any other with an array (n, d)."""

import mmap
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.vector_arrays import VectorFile, array_taken, chosen_array, ids_among, ids_taken, shapes_told
from elsa_nb.vectors import as_names


def vectors_in_hdf5(path: Path, key: str | None) -> VectorFile:
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
        ids, notes = (_observations(file, known), []) if "obs" in file else _beside(file[chosen], known)
        taken = array_taken(wanted, chosen) or [f"vectors from {chosen!r}"]
        return VectorFile(vectors, ids, taken + notes)


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


def _beside(vectors: Any, known: dict[tuple[int, int], int] | None) -> tuple[Sequence[str] | None, list[str]]:
    """Return the names that lie in the same group of an HDF5 file as its vectors, and notes on them."""
    group, chosen = vectors.parent, vectors.name.rpartition("/")[2]
    shapes = {name: getattr(part, "shape", ()) for name, part in group.items()}
    if (name := ids_among(shapes, chosen)) is None:
        return None, []
    return as_names(_texts(group[name], known).ravel()), ids_taken(shapes, chosen, name)
