"""The loops over vectors that numpy can only write with large temporaries, compiled: scores, distances, moments.

Vectors are float32 or float16, C-contiguous, in memory or mapped from a file, and are never copied as a whole; half
precision is decoded in registers. Each result is summed in an order that depends on nothing but the dimension: equal
rows get equal scores wherever they are, and neither the number of threads nor that of the searches served at once
changes a bit.
"""

import mmap as memory_maps
from functools import lru_cache
from mmap import mmap
from threading import RLock

import numpy as np
import psutil
from numba import njit, prange

# Sums may be reordered into vector registers; the same compiled loop gives every row the same order.
_REORDER = {"reassoc", "contract", "nsz"}
_CHUNK = 1024  # rows whose moments are summed together
_DECODED_ROWS = 8192  # of half precision, decoded at once
SLAB_BYTES = 2**28  # a file too large for memory is read, and let go of, in slabs of this many bytes
KEPT_SHARE = 0.5  # of the memory that a mapped file may fill
AROUND_BYTES = 2**20  # that the system maps around each row read of a file, where it has them (measured: 640 KiB)
# Two threads of Python must not enter numba's default thread pool at once: it would stop the process.
one_at_a_time = RLock()


@njit(inline="always")
def _decode(half):
    """Return the float32 of 16 bits of half precision (finite), times 2^-112."""
    bits = np.uint32(half)
    sign = (bits & np.uint32(0x8000)) << np.uint32(16)
    return np.uint32(sign | ((bits & np.uint32(0x7FFF)) << np.uint32(13))).view(np.float32)


_HALF = np.float32(2.0**112)


@njit(fastmath=_REORDER, cache=True)
def _dot(row, weight):
    total = np.float32(0)
    for j in range(len(row)):
        total += row[j] * weight[j]
    return total


@njit(parallel=True, cache=True)
def _project_single(vectors, weights, out):
    for i in prange(len(vectors)):
        for h in range(len(weights)):
            out[h, i] = _dot(vectors[i], weights[h])


@njit(parallel=True, cache=True)
def _project_half(bits, weights, out):
    n, d = bits.shape
    for strip in prange((n + 63) // 64):
        row = np.empty(d, np.float32)
        for i in range(64 * strip, min(64 * strip + 64, n)):
            for j in range(d):
                row[j] = _decode(bits[i, j]) * _HALF
            for h in range(len(weights)):
                out[h, i] = _dot(row, weights[h])


def project(vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return weights @ vectors.T, (h, n) float32, for vectors (n, d) and weights (h, d): one pass over the vectors."""
    weights = np.ascontiguousarray(weights, np.float32)
    out = np.empty((len(weights), len(vectors)), np.float32)
    slab = max(1, SLAB_BYTES // max(1, vectors[:1].nbytes) if _too_large(vectors) else len(vectors))
    for start in range(0, len(vectors), slab):
        part = slice(start, start + slab)
        with one_at_a_time:
            if vectors.dtype == np.float16:
                _project_half(_plain(vectors)[part].view(np.uint16), weights, out[:, part])
            else:
                _project_single(_plain(vectors)[part], weights, out[:, part])
        release(vectors)
    return out


FEW = 12  # queries: fewer are multiplied in one pass over the vectors; for more, the preparation of BLAS pays


def products(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return queries @ vectors.T, (m, n) float32, in whichever way is faster: the last bits may differ."""
    return project(vectors, queries) if len(queries) < FEW else queries @ as_single(vectors).T


@njit(parallel=True, fastmath=_REORDER, cache=True)
def _distances_single(vectors, queries, candidates, out):
    m, c = candidates.shape
    for i in prange(m):
        for k in range(c):
            total = 0.0
            for j in range(vectors.shape[1]):
                difference = np.float64(vectors[queries[i], j]) - np.float64(vectors[candidates[i, k], j])
                total += difference * difference
            out[i, k] = total


@njit(parallel=True, fastmath=_REORDER, cache=True)
def _distances_half(bits, queries, candidates, out):
    m, c = candidates.shape
    d = bits.shape[1]
    for i in prange(m):
        query = np.empty(d, np.float32)
        for j in range(d):
            query[j] = _decode(bits[queries[i], j]) * _HALF
        for k in range(c):
            total = 0.0
            for j in range(d):
                difference = np.float64(query[j]) - np.float64(_decode(bits[candidates[i, k], j]) * _HALF)
                total += difference * difference
            out[i, k] = total


def squared_distances(vectors: np.ndarray, queries: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Return squared Euclidean distances (m, c) float64 between rows `queries` (m,) and rows `candidates` (m, c)."""
    queries, candidates = np.ascontiguousarray(queries, np.int64), np.ascontiguousarray(candidates, np.int64)
    out = np.empty(candidates.shape)
    for part in _scattered(vectors, len(out), 1 + candidates.shape[1]):
        with one_at_a_time:
            if vectors.dtype == np.float16:
                _distances_half(_plain(vectors).view(np.uint16), queries[part], candidates[part], out[part])
            else:
                _distances_single(_plain(vectors), queries[part], candidates[part], out[part])
        release(vectors)
    return out


def gather(vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return some rows (m,) of `vectors` (n, d), as they are stored; of a file, little is mapped at once."""
    out = np.empty((len(rows), vectors.shape[1]), vectors.dtype)
    for part in _scattered(vectors, len(rows), 1):
        out[part] = vectors[rows[part]]
        release(vectors)
    return out


def _scattered(vectors: np.ndarray, m: int, each: int) -> list[slice]:
    """Return parts of `m` tasks, each of which reads `each` rows anywhere: one part where vectors are in memory."""
    step = max(1, SLAB_BYTES // (each * AROUND_BYTES) if _too_large(vectors) else m)
    return [slice(start, start + step) for start in range(0, m, step)]


@njit(parallel=True, fastmath=_REORDER, cache=True)
def _distances_to(vectors, points, out):
    d, fours = vectors.shape[1], len(points) // 4 * 4
    for i in prange(len(vectors)):
        for p in range(0, fours, 4):  # each number read serves four
            one, two, three, four = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            for j in range(d):
                value = vectors[i, j]
                one += (value - points[p, j]) ** 2
                two += (value - points[p + 1, j]) ** 2
                three += (value - points[p + 2, j]) ** 2
                four += (value - points[p + 3, j]) ** 2
            out[i, p], out[i, p + 1], out[i, p + 2], out[i, p + 3] = one, two, three, four
        for p in range(fours, len(points)):
            one = np.float32(0)
            for j in range(d):
                one += (vectors[i, j] - points[p, j]) ** 2
            out[i, p] = one
        for p in range(len(points)):
            out[i, p] = np.sqrt(out[i, p])


def distances(vectors: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return Euclidean distances (n, p) of `vectors` (n, d) to a few `points` (p, d) float32, in float32."""
    out = np.empty((len(vectors), len(points)), np.float32)
    step = _DECODED_ROWS if vectors.dtype == np.float16 else max(1, len(vectors))
    for start in range(0, len(vectors), step):
        block = as_single(vectors[start : start + step])
        with one_at_a_time:
            _distances_to(block, points, out[start : start + step])
    return out


@njit(parallel=True, fastmath=_REORDER, cache=True)
def _distances_to_nearest(vectors, points, out):
    d, fours = vectors.shape[1], len(points) // 4 * 4
    for i in prange(len(vectors)):
        least = np.float32(np.inf)
        for p in range(0, fours, 4):
            one, two, three, four = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            for j in range(d):
                value = vectors[i, j]
                one += (value - points[p, j]) ** 2
                two += (value - points[p + 1, j]) ** 2
                three += (value - points[p + 2, j]) ** 2
                four += (value - points[p + 3, j]) ** 2
            least = min(least, min(min(one, two), min(three, four)))
        for p in range(fours, len(points)):
            one = np.float32(0)
            for j in range(d):
                one += (vectors[i, j] - points[p, j]) ** 2
            least = min(least, one)
        out[i] = np.sqrt(least)


def distances_to_nearest(vectors: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return how far each of `vectors` (n, d) is from the nearest of `points` (p, d), (n,); all of it float32."""
    out = np.empty(len(vectors), np.float32)
    with one_at_a_time:
        _distances_to_nearest(vectors, np.ascontiguousarray(points), out)
    return out


@njit(parallel=True, fastmath=_REORDER, cache=True)
def _norms_single(vectors, out):
    for i in prange(len(out)):
        total = 0.0
        for j in range(vectors.shape[1]):
            value = np.float64(vectors[i, j])
            total += value * value
        out[i] = total


def squared_norms(vectors: np.ndarray) -> np.ndarray:
    """Return the squared length of each row, (n,) float64."""
    out = np.empty(len(vectors))
    for start in range(0, len(vectors), _CHUNK):
        block = as_single(vectors[start : start + _CHUNK])
        with one_at_a_time:
            _norms_single(block, out[start : start + _CHUNK])
    return out


@njit(parallel=True, cache=True)
def _decode_all(bits, out):
    for i in prange(bits.shape[0]):
        for j in range(bits.shape[1]):
            out[i, j] = _decode(bits[i, j]) * _HALF


def as_single(vectors: np.ndarray) -> np.ndarray:
    """Return a block of vectors as float32, C-contiguous: itself where it is so already, or half precision decoded."""
    if vectors.dtype != np.float16:
        return np.ascontiguousarray(_plain(vectors))
    out = np.empty(vectors.shape, np.float32)
    with one_at_a_time:
        _decode_all(np.ascontiguousarray(_plain(vectors)).view(np.uint16), out)
    return out


def contiguous(vectors: np.ndarray) -> np.ndarray:
    """Return vectors (n, d) as these loops read them: C-contiguous, float16 if they are float16, else float32.

    Raises ValueError unless n and d are at least 1, and for what has another shape, such as the pool that holds them.
    """
    check_shape(vectors)
    half = np.asarray(vectors).dtype == np.float16
    return np.ascontiguousarray(vectors, dtype=np.float16 if half else np.float32)


def check_shape(vectors: np.ndarray) -> None:
    """Raise ValueError unless `vectors` are (n, d) with n and d at least 1."""
    if len(shape := np.shape(vectors)) != 2 or 0 in shape:
        told = f"of type {type(vectors).__name__}" + f" and shape {shape}" * bool(shape)
        raise ValueError(f"vectors {told}; give an array (n, d), n and d at least 1 (of a pool: pool.vectors)")


@njit(parallel=True, cache=True)
def _block_moments(block, shift, first, second):
    for j in prange(block.shape[1]):
        one, two = 0.0, 0.0
        for i in range(block.shape[0]):
            value = np.float64(block[i, j]) - shift[j]
            one += value
            two += value * value
        first[j] += one
        second[j] += two


def moments(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and (population) variance of each column, (d,) float64, in one pass over blocks of rows."""
    n, d = vectors.shape
    shift = as_single(vectors[:_CHUNK]).mean(0, dtype=np.float64)  # near the mean: no digits are lost to cancellation
    first, second = np.zeros(d), np.zeros(d)
    for start in range(0, n, _CHUNK):
        block = as_single(vectors[start : start + _CHUNK])
        with one_at_a_time:
            _block_moments(block, shift, first, second)
        release(vectors)
    return shift + first / n, np.maximum(second / n - (first / n) ** 2, 0.0)


def mapping(vectors: np.ndarray) -> mmap | None:
    """Return the memory map that an array reads from, or None for one in memory."""
    memory: object = vectors
    while isinstance(memory, np.ndarray):
        memory = memory.base
    return memory if isinstance(memory, mmap) else None


def release(vectors: np.ndarray) -> None:
    """Let go of the pages read so far of vectors mapped from a file too large to keep; the next use reads again."""
    mapped = _too_large(vectors)
    if mapped is not None and hasattr(memory_maps, "MADV_DONTNEED"):  # Windows decides by itself
        mapped.madvise(memory_maps.MADV_DONTNEED)


def read_here_and_there(vectors: np.ndarray) -> None:
    """Tell the system that rows of a mapped file will be read in no order: it need not read what stands around each."""
    mapped = mapping(vectors)
    if mapped is not None and hasattr(memory_maps, "MADV_RANDOM"):  # Windows decides by itself
        mapped.madvise(memory_maps.MADV_RANDOM)


def _too_large(vectors: np.ndarray) -> mmap | None:
    """Return the memory map of vectors that come from a file of more than half the machine's memory, else None."""
    mapped = mapping(vectors)
    return mapped if mapped is not None and len(mapped) > KEPT_SHARE * _memory() else None


@lru_cache(maxsize=1)
def _memory() -> int:
    return psutil.virtual_memory().total


def _plain(array: np.ndarray) -> np.ndarray:
    """Return a memory map as the plain array it is."""
    return array.view(np.ndarray)
