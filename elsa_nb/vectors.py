"""What a pool takes: many kinds of arrays become (n, d) float16 or float32, names one id per row, and loss is reported.

Everything goes in blocks of rows, so that a memory-mapped array is never copied into memory as a whole.
"""

import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from numbers import Integral
from typing import Any

import numpy as np

from elsa_nb.counts import count_of
from elsa_nb.frame_columns import WRITTEN, check_columns, check_whole_columns
from elsa_nb.plain_arrays import plain_array
from elsa_nb.whole_numbers import EXACT, are_exact, check_whole, rounded_told

DTYPES = ("float16", "float32")
_BLOCK = 8192  # rows
_CURES = {"U": WRITTEN, "S": WRITTEN, "c": "; of complex ones, take np.abs(x)"}  # by kind of number
_LARGEST_DENSE = 8 << 30  # bytes that a sparse matrix may become


def as_vectors(given: Any) -> np.ndarray:
    """Return `given` as a read-only array (n, d) of float16 or float32 that nobody else can change.

    It takes arrays, lists, data frames, tensors (also bfloat16, on a GPU, or with a gradient), scipy's sparse
    matrices, and arrays of Python lists. float16 and float32 stay as they are; other real dtypes become float32.
    An array that somebody could still write to is copied; a read-only one (a memory-mapped file) is not.

    Raises ValueError for other shapes and dtypes, for values that are not finite, also as float32, for whole
    numbers that float32 does not hold, and for rows that would become zero; the first such row is named.
    """
    vectors, ours = _array(given)
    if vectors.ndim == 0:
        told = f"of type {type(given).__name__}" if not isinstance(given, np.ndarray) else f"a single {given.dtype}"
        if isinstance(given, str | os.PathLike):
            raise ValueError(f"vectors are {str(given)!r:.60}; of a file, Pool.from_file(path) makes a pool.")
        raise ValueError(f"vectors are {told}; a pool takes an array (n, d), or a list of rows.")
    if vectors.ndim != 2 or 0 in vectors.shape:
        told = f"; a pool is (n, d) with n and d at least 1{_cure(vectors)}"
        raise ValueError(f"vectors have shape {vectors.shape}{told}.")
    if vectors.dtype.name == "bfloat16":  # from an extension of numpy; numpy itself does not take it for real numbers
        vectors, ours = vectors.astype(np.float32), True
    if vectors.dtype.name not in DTYPES and vectors.dtype.kind in "fiub":
        vectors = _narrowed(vectors)
    else:
        check_vectors(vectors)
        if not vectors.dtype.isnative:
            vectors = vectors.astype(vectors.dtype.newbyteorder("="))
        elif not ours and _writeable(vectors):
            vectors = vectors.copy()
    vectors.flags.writeable = False  # by now it is ours, or was read-only before
    return vectors.view()


def check_vectors(vectors: np.ndarray, first_row: int = 0) -> np.ndarray:
    """Return `vectors` if they are (n, d), float16 or float32, and finite; else raise ValueError saying where."""
    if vectors.ndim != 2 or 0 in vectors.shape:
        raise ValueError(f"vectors have shape {vectors.shape}; a pool is (n, d) with n and d at least 1.")
    if vectors.dtype.name not in DTYPES:
        cure = _CURES.get(vectors.dtype.kind, "")
        raise ValueError(f"vectors have dtype {vectors.dtype}; a pool holds real numbers{cure}.")
    for start, block in blocks(vectors):
        good = np.isfinite(block).all(axis=1)
        if not good.all():
            row = first_row + start + int(np.argmin(good))
            nan = bool(np.isnan(block[int(np.argmin(good))]).any())  # is one in any dtype
            cure = "drop the row, or store float32" if vectors.dtype == np.float16 and not nan else "drop the row"
            raise ValueError(f"The vector of row {row} is not finite{' (NaN)' * nan} as {vectors.dtype}: {cure}.")
    return vectors


def check_ids(ids: np.ndarray, n: int) -> np.ndarray:
    """Return `ids` as a (n,) str array.

    Raises ValueError if their number is wrong, if one occurs twice, is missing, empty or not text, and for a set.
    """
    if isinstance(ids, str | bytes | Mapping | set | frozenset):
        why = ", which has no order" if isinstance(ids, set | frozenset) else ""
        raise ValueError(f"ids are of type {type(ids).__name__}{why}; give a list of one id per row.")
    given = ids if hasattr(ids, "__getitem__") or not isinstance(ids, Iterable) else list(ids)
    for row, item in enumerate(given if isinstance(given, list | tuple) else ()):
        if isinstance(item, str) and item.endswith("\0"):
            raise ValueError(f"The id {item!r:.60} ends in a zero byte, which an array would drop; give ids as text.")
        if isinstance(item, float | np.floating) and np.isnan(item):  # beside words, an array would make it 'nan'
            raise ValueError(f"row {row} has no id ({item!r}); every row has an id of its own")
    ids = plain_array(given, "ids", "every row has an id of its own")
    if ids.dtype.kind == "f" and isinstance(given, list | tuple) and any(isinstance(item, Integral) for item in given):
        ids = np.asarray(as_names(given))  # beside a fraction, an array holds whole numbers to 16 digits only
    ids = ids[:, 0] if ids.ndim == 2 and ids.shape[1] == 1 else ids
    ids = ids if ids.dtype.kind == "U" else np.asarray(as_names(ids.ravel())).reshape(ids.shape)
    if ids.shape != (n,) or n == 0:
        raise ValueError(f"ids have shape {ids.shape}; a pool of {n} vectors has ids of shape ({n},), at least one.")
    if (empty := ids == "").any():
        raise ValueError(f"The id of row {int(np.argmax(empty))} is empty; every row has an id of its own.")
    if not (written := are_texts(ids)).all():
        row = int(np.argmin(written))
        shown = "".join(map(chr, np.minimum(_code_points(ids[row : row + 1])[0], sys.maxunicode))).rstrip("\0")
        raise ValueError(
            f"The id {shown!a:.60} of row {row} is not text (a file name that is not UTF-8, a damaged file?), and "
            "cannot be written down; escape it: "
            "name.encode(errors='surrogateescape').decode(errors='backslashreplace')."
        )
    ordered = np.sort(ids)
    if (twice := ordered[1:][ordered[1:] == ordered[:-1]]).size:
        raise ValueError(
            f"The id {str(twice[0])!r} occurs more than once; every row has its own (of a data frame: its index)."
        )
    return ids.astype(ids.dtype.newbyteorder("="), copy=False)  # their bytes are part of what a pool is known by


def as_names(values: Iterable[Any]) -> list[str]:
    """Return the names of items as text; raise ValueError, naming the row, where one is missing or not text."""
    if isinstance(values, np.ndarray) and values.dtype.kind == "U" and not (written := are_texts(values)).all():
        raise ValueError(f"the id of row {int(np.argmin(written))} is not text; is the file damaged?")
    names = []
    for row, value in enumerate(values):
        try:
            name = "" if _is_missing(value) else _text_of(value)
        except UnicodeDecodeError:
            raise ValueError(f"the id of row {row} is not UTF-8: {value!r:.60}; save ids as text") from None
        if not name:
            raise ValueError(
                f"row {row} has no id ({value!r}); every row has an id of its own (leave ids out to have rows numbered)"
            )
        names.append(name)
    return names


def are_texts(texts: np.ndarray) -> np.ndarray:
    """Return which texts of an array (n,) can be written to a file, (n,) bool: those of valid code points only.

    Halves of surrogate pairs (file names that are not UTF-8) are not valid, nor are numbers beyond Unicode: from
    damaged bytes NumPy makes strings that Python would not make, and that end in a SystemError far from there.
    """
    codes = _code_points(texts)
    return ((codes < 0xD800) | ((codes > 0xDFFF) & (codes <= sys.maxunicode))).all(1)


def _code_points(texts: np.ndarray) -> np.ndarray:
    """Return the code points of an array of texts (n,), (n, w) uint32; zeros stand after the end of shorter ones."""
    native = np.ascontiguousarray(texts, texts.dtype.newbyteorder("="))
    return native.view(np.uint32).reshape(len(texts), texts.dtype.itemsize // 4)


def _is_missing(item: Any) -> bool:
    try:
        return item is None or bool(item != item)
    except (TypeError, ValueError):  # pandas' NA says neither yes nor no
        return True


def _text_of(item: Any) -> str:
    """Return an id as text: 7.0 is 7, since pandas makes fractions of whole numbers in a column that lacks a value."""
    if isinstance(item, bytes):
        return item.decode()
    return str(int(item) if isinstance(item, float | np.floating) and float(item).is_integer() else item)


def blocks(vectors: np.ndarray, begin: int = 0) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first row, rows) of an array from row `begin` on, at most `_BLOCK` rows at once."""
    for start in range(begin, len(vectors), _BLOCK):
        yield start, vectors[start : start + _BLOCK]


def remarks(vectors: np.ndarray) -> list[str]:
    """Return what is odd about vectors (n, d), in sentences: rows that are all zero, and rows that are equal."""
    zero = sum(int((~block.any(axis=1)).sum()) for _, block in blocks(vectors))
    _, counts = np.unique(_row_hashes(vectors), return_counts=True)
    copies, kinds = int(counts[counts > 1].sum()), int((counts > 1).sum())
    if zero > 1:
        copies, kinds = copies - zero, kinds - 1
    said = []
    if zero:
        told = "is all zero: was this item" if zero == 1 else "are all zero: were these items"
        said.append(f"{zero} of {count_of(len(vectors), 'vector')} {told} encoded?")
    if copies:
        more = f"more than once ({count_of(kinds, 'different one')})"
        said.append(f"{copies} of {len(vectors)} vectors occur {more}: copies of one item, or a broken encoder?")
    return said


def warn_of_oddities(vectors: np.ndarray, stacklevel: int) -> None:
    """Warn of each of the `remarks`, as from the caller's line."""
    for remark in remarks(vectors):
        warnings.warn(remark, stacklevel=stacklevel + 1)


def _array(given: Any) -> tuple[np.ndarray, bool]:
    """Return `given` as an array, and whether its memory is new."""
    if hasattr(given, "detach") and hasattr(given, "cpu"):
        return array_of_tensor(given)
    if hasattr(given, "toarray") and hasattr(given, "nnz"):
        size = 4 * given.shape[0] * given.shape[-1]
        if size > _LARGEST_DENSE:
            raise ValueError(
                f"the sparse matrix {given.shape} would be {size / 1e9:.0f} GB of vectors; reduce its dimension first "
                "(scikit-learn's TruncatedSVD does it)."
            )
        if hasattr(given, "check_format"):  # an index beyond the shape would be dropped, or written beyond the array
            try:
                given.check_format(full_check=True)
            except ValueError as error:
                raise ValueError(f"the sparse matrix {given.shape} is damaged: {error}") from error
        return given.toarray(), True
    if isinstance(given, np.ma.MaskedArray):
        if np.ma.getmaskarray(given).any():
            row = int(np.argmax(np.ma.getmaskarray(given).reshape(len(given), -1).any(axis=1)))
            raise ValueError(f"The vector of row {row} has masked values: drop the row, or fill them.")
        return np.asarray(given.data), False
    if hasattr(given, "iloc") and hasattr(given, "columns"):
        check_whole_columns(given)
        check_columns(given)
    if hasattr(given, "to_numpy"):
        given = given.to_numpy(zero_copy_only=False) if hasattr(given, "to_pylist") else given.to_numpy()
    if isinstance(given, list | tuple) or (isinstance(given, np.ndarray) and given.dtype == object):
        return _stacked(given), True
    return np.asarray(given), False


def array_of_tensor(given: Any) -> tuple[np.ndarray, bool]:
    """Return a tensor of any layout, device and type as an array, and whether its memory is new; works without torch.

    Raises ValueError for one that holds no values, or rows of several lengths.
    """
    try:
        return _of_tensor(given)
    except (RuntimeError, TypeError, NotImplementedError) as error:
        said = next(iter(str(error).splitlines()), "").rstrip(". ")
        raise ValueError(f"the tensor cannot become an array ({said}); give one whose values are in memory.") from error


def _of_tensor(given: Any) -> tuple[np.ndarray, bool]:
    tensor = given.detach()
    tensor = tensor.dequantize() if getattr(tensor, "is_quantized", False) else tensor
    dense = str(getattr(tensor, "layout", "torch.strided")) == "torch.strided"
    tensor = tensor if dense else tensor.to_dense()
    if tensor.is_floating_point() and (tensor.element_size() == 1 or str(tensor.dtype) == "torch.bfloat16"):
        tensor = tensor.float()
    array = tensor.cpu().resolve_conj().resolve_neg().numpy()
    return array, tensor.is_cpu and (not dense or tensor.data_ptr() != given.data_ptr())


def _stacked(rows: Any) -> np.ndarray:
    """Stack rows of lists, arrays or tensors; they must all have the same length."""
    if isinstance(rows, np.ndarray) and rows.ndim == 2:
        rows = rows[:, 0] if rows.shape[1] == 1 else list(rows)
    parts: list[np.ndarray] = []
    for row, one in enumerate(rows):
        try:
            part = _array(one)[0] if hasattr(one, "detach") else np.asarray(one)
        except (ValueError, TypeError):
            part = np.asarray("")
        if part.dtype.kind == "f" and isinstance(one, list | tuple) and (np.abs(part) > EXACT).any():
            check_whole([value for value in one if isinstance(value, int | np.integer)], f"row {row}")
        if part.dtype == object and all(isinstance(value, int | float | np.number) for value in part.ravel()):
            check_whole([value for value in part.ravel() if isinstance(value, int)], f"row {row}")
            part = part.astype(np.float64)
        if part.dtype.kind not in "fiubc" and part.dtype.name != "bfloat16":
            raise ValueError(f"The vector of row {row} is not a list of numbers: {one!r:.60}.")
        if parts and part.shape != parts[0].shape:
            raise ValueError(
                f"The vector of row {row} has shape {part.shape}, that of row 0 {parts[0].shape}; give "
                "vectors of one length, as one encoder makes them."
            )
        parts.append(part)
    if {part.dtype.kind for part in parts} > {"i"} or {part.dtype.kind for part in parts} > {"u"}:
        for row, part in enumerate(parts):  # beside rows of fractions, whole numbers would be rounded unseen
            if part.dtype.kind in "iu":
                check_whole(map(int, part[(part > EXACT) | (part < -EXACT)]), f"row {row}")
    return np.stack(parts) if parts else np.empty((0, 0), np.float32)


def _narrowed(vectors: np.ndarray) -> np.ndarray:
    """Return real numbers of another dtype as float32; refuse values that this would change beyond rounding."""
    narrow = np.empty(vectors.shape, np.float32)
    whole = vectors.dtype.kind in "iu" and vectors.dtype.itemsize > 2
    for start, block in blocks(vectors):
        with np.errstate(over="ignore", under="ignore"):
            stored = block.astype(np.float32)
        narrow[start : start + len(block)] = stored
        if whole:
            changed = (block > EXACT) | (block < -EXACT)
            if changed.any():
                changed[changed] = ~are_exact(block[changed])
            if changed.any():
                row, column = (int(i) for i in np.argwhere(changed)[0])
                where = f"row {start + row}, column {column}"
                raise ValueError(rounded_told(block[row, column], where, stored[row, column]))
        elif vectors.dtype.kind == "f":
            _check_range(block, stored, start)
    check_vectors(narrow)
    return narrow


def _check_range(block: np.ndarray, stored: np.ndarray, start: int) -> None:
    beyond = np.isinf(stored) & np.isfinite(block)
    if beyond.any():
        row, column = (int(i) for i in np.argwhere(beyond)[0])
        raise ValueError(
            f"The value {block[row, column]:.3g} of row {start + row}, column {column} is beyond float32 (3.4e38): "
            "scale the vectors."
        )
    vanished = ~stored.any(axis=1) & block.any(axis=1)
    if vanished.any():
        raise ValueError(
            f"The vector of row {start + int(np.argmax(vanished))} would be all zero as float32 (its values are below "
            "1e-45): scale the vectors."
        )


def _writeable(array: np.ndarray) -> bool:
    """Whether anybody can still write to the memory of an array."""
    part: Any = array
    while isinstance(part, np.ndarray):
        if part.flags.writeable:
            return True
        part = part.base
    return part is not None and not isinstance(part, bytes) and _is_open_for_writing(part)


def _is_open_for_writing(owner: Any) -> bool:
    try:
        return not memoryview(owner).readonly
    except TypeError:  # no buffer: some library's own object, which does not change memory that it has handed out
        return False


def _row_hashes(vectors: np.ndarray) -> np.ndarray:
    """Return a 64-bit hash of each row (n,), of this process only."""
    hashes = np.empty(len(vectors), np.int64)
    for start in range(0, len(vectors), _BLOCK // 8):
        block = vectors[start : start + _BLOCK // 8] + 0  # -0.0 and 0.0 are one value
        hashes[start : start + len(block)] = [hash(row.tobytes()) for row in block]
    return hashes


def _cure(vectors: np.ndarray) -> str:
    if vectors.dtype.names:
        return f"; its fields are {', '.join(vectors.dtype.names[:8])}: take those of the vector (np.column_stack)"
    if vectors.ndim == 1 and vectors.size:
        return "; one vector alone is x[None], and values of one feature are x[:, None]"
    if vectors.ndim > 2 and 0 not in vectors.shape:
        return f"; lay each item out in one row: x.reshape({vectors.shape[0]}, -1), or take a mean over the rest"
    return ""
