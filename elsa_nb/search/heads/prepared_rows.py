"""The preparation of vectors for search: in prepared rows, near means alike in every space, whatever the encoder.

An encoder's dimensions differ in scale, and a few directions hold most of the variance, seldom those that separate
one rare class from the rest. Four steps undo that, each once per pool:

    standardise    x <- (x - mean) / std, in each dimension: no dimension counts more for its unit
    reduce         PCA to min(d, 256) coordinates: what remains is noise, and costs time in every round
    half-whiten    coordinate j divided by eigenvalue_j ** (1/4): strong directions still count for more, but less so;
                   dividing by the square root instead (whitening) would raise the weakest, noise, to the same height
    unit length    the inner product is a cosine: no row is far out, or near everything, for its length

Several encoders of the same items are prepared separately, and their prepared rows are concatenated, so that a cosine
is the mean of theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from scipy.linalg.blas import ssyrk

from elsa_nb.pool import Pool
from elsa_nb.progress import bar
from elsa_nb.search import kernels
from elsa_nb.search.checks import check_pool
from elsa_nb.search.heads.features import Products, TorchProducts
from elsa_nb.threads import one_blas_thread

DIMENSIONS = 256  # at most, of each encoder
POWER = 0.25  # of the eigenvalues, that coordinates are divided by: 0 is PCA, 0.5 whitening
_BLOCK = 4096  # rows prepared together
_MANY = 2**20  # hashes looked up together
_TINY = float(np.finfo(np.float32).tiny)
_NEGLIGIBLE = 1e-6  # of the largest eigenvalue: below it a direction is rounding


@dataclass(frozen=True, eq=False)
class PreparedRows:
    """Prepared rows of a pool, made once and shared by all its searches.

    `vectors` (n, k) float32, C-contiguous, are of unit length, except for rows equal to the mean, which are zero.
    `twins` (t,) int64 are the rows whose stored vectors also occur in other rows, ascending, and `twin_groups` (t,)
    int64 says which of them are equal; they are prepared to the same bits. `products` is how they are projected.
    `pool_sha256` is that of the pool whose rows they are, "" for rows of arrays: a search in another pool refuses them.
    """

    vectors: np.ndarray
    twins: np.ndarray
    twin_groups: np.ndarray
    products: Products = kernels.project
    pool_sha256: str = ""

    @classmethod
    def of(
        cls, *encoders: np.ndarray, dimensions: int = DIMENSIONS, power: float = POWER, standardise: bool = True
    ) -> "PreparedRows":
        """Prepare vectors (n, d), in memory or mapped: one array per encoder, of the same items in the same order.

        float16 and float32 are read as they are, all else becomes float32 first, as in a pool.
        Three passes over blocks of rows: moments, covariance, and the result. Besides the result of 4 n k bytes it
        takes 8 d^2 + 4096 x 8 d bytes. BLAS has one thread here, so that the bits do not depend on the number of
        threads. Raises ValueError for no vectors, for another shape, and for encoders of different numbers of rows.
        """
        if not encoders:
            raise ValueError("no vectors given; prepare the vectors of at least one encoder")
        return cls._of(tuple(map(kernels.contiguous, encoders)), dimensions, power, standardise)

    @classmethod
    def of_pool(cls, pool: Pool, *, power: float = POWER, standardise: bool = True) -> "PreparedRows":
        """Prepare the rows of a pool, as `of` does: the columns of each of its encoders separately."""
        check_pool(pool)
        encoders = tuple(pool.vectors[:, columns] for columns in pool.columns)
        return replace(cls._of(encoders, DIMENSIONS, power, standardise), pool_sha256=pool.sha256)

    @classmethod
    def _of(cls, encoders: tuple[np.ndarray, ...], dimensions: int, power: float, standardise: bool) -> "PreparedRows":
        n = len(encoders[0])
        if different := [len(vectors) for vectors in encoders if len(vectors) != n]:
            raise ValueError(f"encoders of {n} and {different[0]} rows; give vectors of the same items in one order")
        with one_blas_thread():
            maps = [Preparation.of(vectors, dimensions, power, standardise) for vectors in encoders]
            ends = np.cumsum([0, *(each.axes.shape[1] for each in maps)])
            prepared = np.zeros((n, ends[-1]), np.float32)
            for vectors, of, start, stop in zip(encoders, maps, ends[:-1], ends[1:], strict=True):
                for first in range(0, n, _BLOCK):
                    part = slice(first, first + _BLOCK)
                    prepared[part, start:stop] = of(vectors[part])
                    kernels.release(vectors)
        prepared *= np.float32(1 / np.sqrt(len(encoders)))
        twins, groups = twins_of(encoders)
        _, firsts = np.unique(groups, return_index=True)
        prepared[twins] = prepared[twins[firsts]][groups]
        for array in (prepared, twins, groups):
            array.flags.writeable = False
        return cls(prepared, twins, groups)

    def single(self, rows: np.ndarray) -> np.ndarray:
        """Return the prepared rows (m, k) float32 of `rows` (m,)."""
        return self.vectors[rows]

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Return the prepared rows (m, k) float64 of `rows` (m,): what a head is trained on, as of `Features`."""
        return self.vectors[rows].astype(np.float64)

    def project(self, weights: np.ndarray, biases: np.ndarray) -> np.ndarray:
        """Return weights . row + bias of every row, (h, n) float64: one pass over the rows, as of `Features`."""
        return self.products(self.vectors, weights) + biases[:, None]

    def on(self, device: str) -> "PreparedRows":
        """Return the same rows, projected on a torch device such as "cuda", which holds a copy of them."""
        return replace(self, products=TorchProducts(device))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.vectors)


@dataclass(frozen=True, eq=False)
class Preparation:
    """How a vector x is prepared: y = ((x - mean) / std) @ axes, then y / |y|.

    `mean` and `std` (d,) float32 and `axes` (d, k) float32 are estimated by `of`, from the vectors of a pool. Any
    vector of the same encoder can then be prepared, whether it was among them or not.
    """

    mean: np.ndarray
    std: np.ndarray
    axes: np.ndarray

    @classmethod
    def of(
        cls,
        vectors: np.ndarray,
        dimensions: int = DIMENSIONS,
        power: float = POWER,
        standardise: bool = True,
        *,
        progress: bool | None = False,
    ) -> "Preparation":
        """Estimate mean, standard deviation and principal axes from vectors (n, d) float16 or float32.

        At most `dimensions` axes are kept, each divided by its eigenvalue to the `power`, relative to the largest.
        Without `standardise` all dimensions are divided by one number, the root of their mean variance.
        """
        n, d = vectors.shape
        mean, variance = kernels.moments(vectors)
        std = np.sqrt(variance) if standardise else np.full(d, np.sqrt(variance.mean()))
        std[std < _TINY] = 1.0  # too small to divide by in float32: what varies so little is constant
        mean, std = mean.astype(np.float32), std.astype(np.float32)
        covariance = np.zeros((d, d))
        for start in bar(range(0, n, _BLOCK), "preparing rows, part 1 of 3", progress):
            block = _standardised(kernels.as_single(vectors[start : start + _BLOCK]), mean, std)
            covariance += ssyrk(1.0, block.T)  # the upper triangle
            kernels.release(vectors)
        values, axes = np.linalg.eigh(covariance / n, UPLO="U")
        kept = np.flatnonzero(values > _NEGLIGIBLE * values[-1])[::-1][:dimensions]
        if not len(kept):  # equal rows: nothing varies
            kept = np.array([d - 1])
        # A common factor changes no direction: the largest eigenvalue is scaled to 1.
        scale = (np.maximum(values[kept], _NEGLIGIBLE) / max(values[-1], _NEGLIGIBLE)) ** -power
        return cls(mean, std, np.ascontiguousarray(axes[:, kept] * scale, np.float32))

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """Return the prepared rows (m, k) float32 of a block (m, d)."""
        rows = _standardised(kernels.as_single(block), self.mean, self.std) @ self.axes
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
        # What differs from the mean only by rounding is taken for the mean.
        lengths[lengths < 1e-6] = np.inf
        return (rows / lengths[:, None]).astype(np.float32)


def _standardised(block: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return (block - mean) / std, (m, d) float32; ValueError where that is beyond float32."""
    with np.errstate(over="ignore"):
        result = (block - mean) / std
        if (beyond := ~np.isfinite(result)).any():  # the difference of two large numbers left float32 on the way
            row, column = np.nonzero(beyond)
            exact = (block[row, column].astype(np.float64) - mean[column]) / std[column]
            result[row, column] = exact
            if not np.isfinite(result[row, column]).all():
                worst = int(np.argmax(np.abs(exact)))
                raise ValueError(
                    f"the value {block[row, column][worst]:g} in column {column[worst]} is {abs(exact[worst]):.0e} "
                    "standard deviations from the mean of the vectors prepared for; give vectors of the same encoder"
                )
    return result


def twins_of(encoders: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that have equals, ascending, and their groups numbered from 0; equal in every encoder."""
    hashes = np.zeros(len(encoders[0]), np.uint64)
    for vectors in encoders:
        words = np.uint16 if vectors.dtype == np.float16 else np.uint32
        for start in range(0, len(vectors), _BLOCK):
            block = np.ascontiguousarray(vectors[start : start + _BLOCK]).view(np.ndarray).view(words)
            _hash_rows(block, hashes[start : start + _BLOCK])
            kernels.release(vectors)
    rows = _repeated(hashes)
    _, firsts, groups = np.unique(hashes[rows], return_index=True, return_inverse=True)
    same = np.ones(len(rows), bool)  # equal hashes are nearly always equal rows; the others have no twin
    for vectors in encoders:
        for start in range(0, len(rows), _BLOCK):
            part = slice(start, start + _BLOCK)
            first = kernels.gather(vectors, rows[firsts[groups[part]]])
            same[part] &= (kernels.gather(vectors, rows[part]) == first).all(axis=1)
    rows, groups = rows[same], groups[same]
    return rows, np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _repeated(hashes: np.ndarray) -> np.ndarray:
    """Return the rows (t,) int64 whose hash other rows have too, ascending; takes little more than a copy of hashes."""
    ordered = np.sort(hashes)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    rows = [np.empty(0, np.int64)]
    for start in range(0, len(hashes) if len(repeated) else 0, _MANY):
        part = hashes[start : start + _MANY]
        at = np.minimum(np.searchsorted(repeated, part), len(repeated) - 1)
        rows.append(start + np.flatnonzero(repeated[at] == part))
    return np.concatenate(rows)


@njit(cache=True)
def _hash_rows(words, hashes):
    """Go on with the hash of each row (FNV-1a over its words, the bits stirred) in place."""
    for i in range(len(words)):
        value = hashes[i] ^ np.uint64(0xCBF29CE484222325)
        for j in range(words.shape[1]):
            value = (value ^ np.uint64(words[i, j])) * np.uint64(0x100000001B3)
            value ^= value >> np.uint64(29)
        hashes[i] = value
