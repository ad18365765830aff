"""How near each row of a pool is to the answered rows: running sums of a kernel over positives and over negatives.

The kernel of two rows of unit length with cosine s is ((1 + s) / 2) ** 24: 1 for equal directions, 0.53 at s = 0.95,
6e-8 for unrelated rows, and near 1 the Gaussian exp(12 (s - 1)). It is a few multiplications.

Its values are added as whole numbers of 2^-32. Such sums have no rounding: the order of answers does not matter, and
taking an answer back gives the sums without it, to the last bit.
"""

import numpy as np
from numba import njit, prange

from elsa_nb.search.kernels import one_at_a_time

UNIT = 2.0**-32
_TOGETHER = 4  # points per reading of a row


def kernel(half):
    """Return the kernel of rows of which `half` is (1 + s) / 2, numbers or arrays: to the 24th, by multiplications."""
    u = half * (half * half)
    u = u * u
    u = u * u
    return u * u


class KernelSums:
    """Sums over positives and negatives for each of `n` rows: 16 bytes per row."""

    def __init__(self, n: int):
        self._sums = np.zeros((n, 2), np.int64)

    @property
    def positive(self) -> np.ndarray:
        """The sum over positives of the kernel with each row, (n,) float64."""
        return self._sums[:, 0] * UNIT

    @property
    def negative(self) -> np.ndarray:
        """The sum over negatives, (n,) float64."""
        return self._sums[:, 1] * UNIT

    def add(self, vectors: np.ndarray, points: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> None:
        """Add the kernel of every row with each of the answered `points` (m, k) to the two sums, in one pass.

        `vectors` (n, k) float32 are the rows, of unit length as the points. `positive` and `negative` (m,) are whole
        numbers by which the kernel with each point is multiplied before it is added to that sum: 1 adds it, -1 takes
        out what was added before, 0 leaves the sum as it is.
        """
        counts = np.column_stack([positive, negative]).astype(np.int64)
        used = counts.any(axis=1)
        points, counts = points[used], counts[used]
        if not len(points):
            return
        # Filled up with points of weight 0, so that every point is multiplied by the same instructions wherever it is.
        filled = -len(points) % _TOGETHER
        points = np.concatenate([points, np.zeros((filled, vectors.shape[1]), np.float32)])
        counts = np.concatenate([counts, np.zeros((filled, 2), np.int64)])
        with one_at_a_time:
            _add(vectors, points, counts, self._sums)

    def grow(self, more: int) -> None:
        """Begin sums for this many more rows."""
        self._sums = np.concatenate([self._sums, np.zeros((more, 2), np.int64)])

    def put(self, places: np.ndarray, others: "KernelSums") -> None:
        """Take over all sums of `others`, at `places` (m,) among these sums."""
        self._sums[places] = others._sums


_kernel = njit(inline="always")(kernel)


@njit(inline="always")
def _whole(cosine):
    u = min(max(np.float32(0.5) * (cosine + np.float32(1)), np.float32(0)), np.float32(1))
    return np.int64(np.float64(_kernel(u)) * 4294967296.0)


@njit(parallel=True, fastmath={"reassoc", "contract", "nsz"}, cache=True)
def _add(vectors, points, counts, sums):
    k = vectors.shape[1]
    for i in prange(len(vectors)):
        for p in range(0, len(points), 4):
            one, two, three, four = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            for j in range(k):
                value = vectors[i, j]
                one += value * points[p, j]
                two += value * points[p + 1, j]
                three += value * points[p + 2, j]
                four += value * points[p + 3, j]
            a, b, c, d = _whole(one), _whole(two), _whole(three), _whole(four)
            for side in range(2):
                sums[i, side] += (
                    a * counts[p, side] + b * counts[p + 1, side] + c * counts[p + 2, side] + d * counts[p + 3, side]
                )
