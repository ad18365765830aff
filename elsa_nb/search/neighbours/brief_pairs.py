"""Products of all pairs of rows from eight bits of every number, and what their rounding may hide.

Some processors multiply numbers of bfloat16, of eight binary digits, in special units: four times as many at once
as in single precision. Each row x is taken from the mean of all and rounded to a point p of such numbers. How far that
moves it, r = |x - p|, is measured; by the triangle inequality two rows are no nearer than their points, less both r.
"""

from importlib.util import find_spec
from typing import Any

import numpy as np
from llvmlite.binding import get_host_cpu_features

from elsa_nb.search import kernels
from elsa_nb.search.neighbours.all_pairs import MULTIPLIED, proved_reach

_UNITS = ("avx512bf16", "amx-bf16")  # of processors, as LLVM calls them
_WORTH = 2**39  # products of two numbers in all: with fewer, torch takes longer to load than it saves
_ROUNDING = 2.0**-8  # of bfloat16, relative
_PIECES = 3  # of eight digits each: as many as float32 has
_LOST = 1e-30  # rows that are shorter than this, when the longest number of all is about 1, may be rounded to nothing


def brief_is_quicker(n: int, dimension: int) -> bool:
    """Return whether this processor multiplies the pairs of `n` rows faster in bfloat16."""
    if n * n * dimension < _WORTH or find_spec("torch") is None:
        return False
    features = get_host_cpu_features()
    return any(features.get(unit) for unit in _UNITS)


class BriefPairs:
    """Pairs of rows of `vectors` (n, d) in bfloat16, multiplied by torch; 2 n d bytes.

    -|p - q|^2 / 2 = p.q - |p|^2 / 2 - |q|^2 / 2 is one product of longer rows: (p, -|p|^2 / 2, 1) and
    (q, 1, -|q|^2 / 2), the second number in three pieces. So the last rounding is that of a distance: the nearer two
    rows, the less is lost.
    """

    def __init__(self, vectors: np.ndarray):
        import torch

        self._torch = torch
        n, self._dimension = vectors.shape
        blocks = [slice(start, start + MULTIPLIED) for start in range(0, n, MULTIPLIED)]
        mean = kernels.moments(vectors)[0].astype(np.float32).astype(np.float64)
        longest = max(np.abs(vectors[block] - mean).max() for block in blocks)
        self._scale = 2.0 ** -np.ceil(np.log2(longest)) if longest > 0 else 1.0  # a power of two changes no digit
        self.norms = np.zeros(n, np.float32)  # they are in the products
        self._lengths, self._moved = np.empty(n), np.empty(n)  # |p| and r
        self._points = torch.ones(n, self._dimension + 2 * _PIECES, dtype=torch.bfloat16)
        for block in blocks:
            rows = (kernels.as_single(vectors[block]) - mean) * self._scale
            points = self._points[block]
            points[:, : self._dimension] = torch.from_numpy(rows)
            rounded = points[:, : self._dimension].double().numpy()
            self._lengths[block] = np.linalg.norm(rounded, axis=1)
            self._moved[block] = np.linalg.norm(rows - rounded, axis=1)
            left = torch.from_numpy(-(self._lengths[block] ** 2) / 2)
            for piece in points[:, self._dimension : self._dimension + _PIECES].T:
                piece.copy_(left)
                left -= piece.double()
        # r is at most this share of |p|, of every row.
        self._share = np.max((self._moved - _LOST) / np.maximum(self._lengths, _LOST), initial=0)

    @staticmethod
    def spare(k: int) -> int:
        """Return k and a few: rows that eight digits cannot tell from the last of k."""
        return 32 + k

    def room(self) -> Any:
        """Return room for the products of at most `MULTIPLIED` rows and twice as many."""
        return self._torch.empty(2 * MULTIPLIED * MULTIPLIED, dtype=self._torch.bfloat16)

    def products(self, mine: slice | np.ndarray, theirs: slice | np.ndarray, room: Any) -> np.ndarray:
        """Return products (m, w) uint16 of rows, the bits of bfloat16, in `room`."""
        queries, others = self._points[mine], self._points[theirs]
        pieces, ones = self._dimension, self._dimension + _PIECES
        queries = self._torch.cat([queries[:, :pieces], queries[:, ones:], queries[:, pieces:ones]], 1)
        out = room[: len(queries) * len(others)].view(len(queries), len(others))
        return self._torch.mm(queries, others.T, out=out).view(self._torch.int16).numpy().view(np.uint16)

    def reach(self, limits: np.ndarray, rows: slice | np.ndarray) -> np.ndarray:
        """Return squared distances (m,): a row whose value is at least `limits` (m,) is not nearer.

        With a = |p| of the row asked about and D the distance of two points, the other point is no longer than a + D,
        and its r at most `share` of that: the rows are at least D - r - share (a + D) apart.
        """
        own, terms = self._lengths[rows], self._dimension + 2 * _PIECES
        points = proved_reach(limits.astype(np.float64) * (1 - _ROUNDING), own**2, terms, terms)
        apart = np.sqrt(np.maximum(points, 0))
        apart -= self._moved[rows] + self._share * (own + apart) + 2 * _LOST
        return (np.maximum(apart, 0) / self._scale) ** 2
