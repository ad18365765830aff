"""Bounds on the distances between the vectors of a pool, from a few numbers each: what need not be measured.

Each vector is written as its coordinates in the leading directions of the pool and the length of what they leave over.
Between two such rows of `width` + 1 numbers the squared distance is never more than between the vectors (the
coordinates by Pythagoras, the rest by the triangle inequality). Any orthonormal directions are right; good ones are
fast.
"""

import numpy as np

from elsa_nb.progress import bar
from elsa_nb.search import kernels

SAMPLE = 8192  # vectors the leading directions are taken from
BLOCK = 8192  # rows handled together


class Bounds:
    """What bounds the squared distances between rows of `vectors` (n, d) from below.

    `coordinates` (n, at most width + 1) float32: the squared distance of two of its rows, less `error` for what float32
    rounds off, is a lower bound. `norms` (n,) float64 are their squared lengths. `speaks` is False where vectors are so
    long that their squares leave float32: then the bounds tell nothing.
    """

    def __init__(self, vectors: np.ndarray, width: int, *, progress: bool | None = None):
        dimension = vectors.shape[1]
        longest = self._fill(vectors, min(width, dimension), progress)
        self.norms = kernels.squared_norms(self.coordinates)
        self.speaks = bool(8 * longest < np.finfo(np.float32).max)
        # How far a bound may lie above the distance: roundings of sums of d, then of `width` terms, in float32.
        terms = dimension + self.coordinates.shape[1] + 15
        self.error = 8 * terms * np.finfo(np.float32).eps * longest + terms * np.finfo(np.float32).tiny

    def _fill(self, vectors: np.ndarray, width: int, progress: bool | None) -> float:
        """Compute the coordinates; return the longest squared distance to the centre, infinite where float32 ends."""
        longest, n = 0.0, len(vectors)
        with np.errstate(over="ignore", invalid="ignore"):
            centre, directions = _leading_directions(vectors, width)
            self.coordinates = np.empty((n, directions.shape[1] + 1), np.float32)
            for start in bar(range(0, n, BLOCK), "sketch", progress):
                block = kernels.as_single(vectors[start : start + BLOCK]) - centre
                mine = self.coordinates[start : start + len(block)]
                mine[:, :-1] = block @ directions
                mine[:, -1] = np.sqrt(kernels.squared_norms(block - mine[:, :-1] @ directions.T))
                longest = np.maximum(longest, kernels.squared_norms(block).max())
                kernels.release(vectors)
        return float(longest) if np.isfinite(self.coordinates).all() else np.inf


def _leading_directions(vectors: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a centre (d,) and orthonormal directions (d, width), float32, in which the vectors vary most.

    Subspace iteration on a sample: more precision would only save measurements.
    """
    rng = np.random.default_rng(0)
    rows = np.sort(rng.choice(len(vectors), min(SAMPLE, len(vectors)), replace=False))
    sample = kernels.as_single(vectors[rows])
    centre = sample.mean(0)
    sample = sample - centre
    directions = rng.normal(size=(vectors.shape[1], width)).astype(np.float32)
    for _ in range(4):
        directions = np.linalg.qr((sample.T @ (sample @ directions)).astype(np.float64))[0].astype(np.float32)
    return centre, directions
