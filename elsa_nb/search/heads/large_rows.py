"""Prepared rows of a pool too large to look at closely in every round: coarse codes in memory, exact rows on disk.

A round needs to know of nearly all rows only that they are far from the top. One byte per value is enough for that:
coordinate j of a row is kept as a whole number c_j, from -127 to 127, of steps of its own size, so that w . z is about
(w * steps) . c. Rows that are high by that are read from the disk, and scored as they are. So a round of a large pool,
which waits for memory, reads a quarter of the bytes that single precision takes.

The rows themselves are numbers of half precision in a mapped file, each within 2^-11 of its value.
"""

import errno
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numba import njit, prange

from elsa_nb.errors import CorruptFileError
from elsa_nb.pool import Pool
from elsa_nb.pool_files import npy_header
from elsa_nb.progress import bar
from elsa_nb.search import kernels
from elsa_nb.search.checks import check_pool
from elsa_nb.search.heads.features import Products, TorchProducts
from elsa_nb.search.heads.prepared_rows import DIMENSIONS, Preparation, twins_of
from elsa_nb.side_by_side import of_one_length
from elsa_nb.store import read_card, reading, sha256_file, unfinished, write_card, write_with
from elsa_nb.threads import one_blas_thread

_BLOCK = 4096  # rows prepared together
_LEVELS = 127  # whole steps on either side of 0
_FILES = ("vectors.npy", "codes.npy", "steps.npy", "twins.npy")


@njit(parallel=True, cache=True)
def _project(codes, weights, scales, out):
    n, k = codes.shape
    for i in prange(n):
        for h in range(len(weights)):
            total = np.int32(0)
            for j in range(k):
                total = np.int32(total + np.int32(np.int32(codes[i, j]) * np.int32(weights[h, j])))
            out[h, i] = np.float32(total) * scales[h]


def _products_of_codes(codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return about weights @ codes.T, (h, n) float32, for codes (n, k) int8 and weights (h, k), in one pass.

    Weights become whole numbers of 16 bits: twice as many are multiplied at once, and a sum of whole numbers has no
    rounding that would depend on the processor. They are small enough for the largest sum to fit into 32 bits.
    """
    most = min(2**15 - 1, (2**31 - 1) // (_LEVELS * codes.shape[1]))
    scales = np.maximum(np.abs(weights).max(axis=1, initial=0), np.finfo(np.float32).tiny) / most
    out = np.empty((len(weights), len(codes)), np.float32)
    with kernels.one_at_a_time:
        _project(codes, np.rint(weights / scales[:, None]).astype(np.int16), scales.astype(np.float32), out)
    return out


@dataclass(frozen=True, eq=False)
class LargeRows:
    """Prepared rows of a pool, in a folder: made once, shared by all its searches, whichever process they run in.

    `vectors` (n, k) float16 are the rows, `codes` (n, k) int8 are read for all of them in a round, both mapped from
    files; `steps` (k,) float32 are the sizes of a code's steps. `twins` and `twin_groups` are those of `PreparedRows`,
    `products` is how the codes are projected. `pool_sha256` is that of the pool, "" for rows that were only opened.

    A search looks closely at the `shortlist` rows that are highest by their codes, and takes the scale of its scores
    from `scaled_by` rows.
    """

    vectors: np.ndarray
    codes: np.ndarray
    steps: np.ndarray
    twins: np.ndarray
    twin_groups: np.ndarray
    products: Products = _products_of_codes
    pool_sha256: str = ""
    shortlist: int = 2**14
    scaled_by: int = 2**12

    @classmethod
    def make(cls, pool: Pool, folder: Path, *, one_length: bool = False, progress: bool | None = None) -> "LargeRows":
        """Prepare the rows of a pool as `PreparedRows.of_pool` does, into `folder`, and open them.

        With `one_length` every vector is brought to length 1 first. Reads the pool four times, in blocks; the result
        takes 3 n k bytes of disk; an OSError says so where there is less room. The card is written last: a folder
        without one is not finished, and is made anew.
        """
        check_pool(pool)
        folder.mkdir(parents=True, exist_ok=True)
        _make_room(folder, 3 * pool.n * sum(min(each.stop - each.start, DIMENSIONS) for each in pool.columns))
        encoders: list[Any] = [_Read(pool, columns, one_length) for columns in pool.columns]  # for arrays of their rows
        with one_blas_thread():  # as in memory: no bit depends on the number of threads
            maps = [Preparation.of(each, progress=progress) for each in encoders]
        twins, groups = twins_of([pool.vectors[:, columns] for columns in pool.columns])
        k, highest = sum(each.axes.shape[1] for each in maps), 0.0
        factor, firsts = np.float32(1 / np.sqrt(len(encoders))), twins[np.unique(groups, return_index=True)[1]]
        alike = np.empty((len(firsts), k), np.float16)  # equal rows get the same bits: those of the first

        def prepared(part: slice) -> np.ndarray:
            nonlocal highest
            parts = [of(each[part]) for of, each in zip(maps, encoders, strict=True)]
            block = (np.concatenate(parts, axis=1) * factor).astype(np.float16)
            among = slice(*np.searchsorted(twins, [part.start, part.stop]))
            rows, of_group = twins[among] - part.start, groups[among]
            is_first = firsts[of_group] == twins[among]
            alike[of_group[is_first]] = block[rows[is_first]]
            block[rows] = alike[of_group]
            highest = np.maximum(highest, np.abs(block).max(0).astype(np.float32))
            return block

        with one_blas_thread():
            _write(folder / "vectors.npy", (pool.n, k), np.float16, prepared, "preparing rows, part 2 of 3", progress)
        steps = np.where(highest > 0, highest, 1).astype(np.float32) / _LEVELS
        vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)

        def coded(part: slice) -> np.ndarray:
            codes = np.rint(vectors[part].astype(np.float32) / steps).astype(np.int8)
            kernels.release(vectors)
            return codes

        _write(folder / "codes.npy", (pool.n, k), np.int8, coded, "preparing rows, part 3 of 3", progress)
        for name, array in (("steps.npy", steps), ("twins.npy", np.stack([twins, groups]))):
            write_with(folder / name, lambda stream, array=array: np.save(stream, array))
        sha256 = {name: sha256_file(folder / name) for name in _FILES}
        write_card(folder / "card.json", {"pool": pool.name, "n": pool.n, "k": k, "sha256": sha256})
        return replace(cls.open(folder, verify=False), pool_sha256=pool.sha256)

    @classmethod
    def open(cls, folder: Path, verify: bool = True) -> "LargeRows":
        """Open what `make` made, mapped; `verify` compares the files with their checksums.

        Raises MissingDataError where it is not finished and CorruptFileError where a file is damaged.
        """
        cure, what = f"Delete the folder {folder}; the next search makes it again.", "a card of prepared rows"
        card, arrays = read_card(folder / "card.json", what, cure), []
        with reading(folder / "card.json", what, cure):
            n, k, sha256 = int(card["n"]), int(card["k"]), {name: str(card["sha256"][name]) for name in _FILES}
        for name in _FILES:
            with reading(folder / name, "prepared rows", cure):
                arrays.append(np.load(folder / name, mmap_mode="r", allow_pickle=False))
                if verify and (got := sha256_file(folder / name)) != sha256[name]:
                    raise CorruptFileError(
                        f"{folder / name} is damaged: its SHA-256 is {got[:12]}..., expected {sha256[name][:12]}... "
                        f"{cure}"
                    )
        vectors, codes, steps, twins = arrays
        found = [(array.shape, array.dtype.name) for array in arrays]
        promised = [((n, k), "float16"), ((n, k), "int8"), ((k,), "float32"), ((2, twins.shape[-1]), "int64")]
        if found != promised:
            raise CorruptFileError(f"{folder} holds {found}, where {promised} is expected. {cure}")
        kernels.read_here_and_there(vectors)
        return cls(*(array.view(np.ndarray) for array in (vectors, codes, steps, twins[0], twins[1])))

    def single(self, rows: np.ndarray) -> np.ndarray:
        """Return the prepared rows (m, k) float32 of `rows` (m,), from the disk unless they are still in memory."""
        return kernels.gather(self.vectors, rows).astype(np.float32)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Return the prepared rows (m, k) float64 of `rows` (m,): what a head is trained on, as of `Features`."""
        return kernels.gather(self.vectors, rows).astype(np.float64)

    def project(self, weights: np.ndarray, biases: np.ndarray) -> np.ndarray:
        """Return about weights . row + bias of every row, (h, n) float32, from the codes: one pass over them."""
        out = self.products(self.codes, np.ascontiguousarray(weights * self.steps, np.float32))
        out += np.asarray(biases, np.float32)[:, None]
        return out

    def on(self, device: str) -> "LargeRows":
        """Return the same rows, their codes projected on a torch device such as "cuda", which holds a copy of them."""
        return replace(self, products=TorchProducts(device))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.codes)


def _make_room(folder: Path, size: int) -> None:
    """Remove earlier rows, and what a killed process has left: gigabytes that nothing else would remove.

    Raises OSError, naming the folder, where the disk has no room for `size` bytes even then: now, not minutes later.
    """
    earlier = [folder / "card.json", *(folder / name for name in _FILES), *unfinished(folder)]
    earlier = [path for path in earlier if path.exists()]
    free = shutil.disk_usage(folder).free + sum(path.stat().st_size for path in earlier)
    if free < size:
        told = f"{size / 1e9:.1f} GB of prepared rows need room, {free / 1e9:.1f} GB are free: make room"
        raise OSError(errno.ENOSPC, told, str(folder))
    for path in earlier:  # the card first: without it the folder is not finished
        path.unlink()


class _Read:
    """The vectors of one encoder of a pool, read in blocks of rows: as they are, or brought to one length."""

    def __init__(self, pool: Pool, columns: slice, one_length: bool):
        self._pool, self._columns, self._one_length = pool, columns, one_length
        self.dtype = np.dtype(np.float32) if one_length else pool.vectors.dtype
        self.shape = pool.n, columns.stop - columns.start

    def __getitem__(self, part: slice) -> np.ndarray:
        block = self._pool.vectors[part]
        if self._one_length:
            block = of_one_length(block, self._pool.columns)
        block = np.array(block[:, self._columns])
        kernels.release(self._pool.vectors)
        return block


def _write(
    path: Path,
    shape: tuple[int, int],
    dtype: type,
    of: Callable[[slice], np.ndarray],
    what: str,
    progress: bool | None,
) -> None:
    """Write an array of `shape` as a .npy file, block by block of its rows, each given by `of`."""

    def write(stream: BinaryIO) -> None:
        stream.write(npy_header(shape, np.dtype(dtype)))
        for start in bar(range(0, shape[0], _BLOCK), what, progress):
            stream.write(np.ascontiguousarray(of(slice(start, min(start + _BLOCK, shape[0])))).data)

    write_with(path, write)
