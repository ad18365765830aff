"""A pool like ImageNet's in numbers and shape: 1,000 classes of 732 to 1,300, several looks each, decaying spectrum.

It has no pictures and no labels of the real one. A class is a few clusters around a common centre; inside a cluster
the variance falls as one over the number of the axis, as it does in embeddings. Rows are written block by block,
each from a seed of its own, so that a generation that was killed goes on where it was.
"""

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from elsa_nb.errors import MissingDataError
from elsa_nb.pool import Pool, PoolWriter
from elsa_nb.progress import bar

BLOCK = 8192
RANK = 128  # axes with variance of their own; noise fills the rest
BETWEEN, LOOKS, WITHIN, NOISE = 1.0, 0.6, 0.7, 0.02  # spread of classes, of a class's looks, of a look, of all axes


@dataclass(frozen=True)
class Clustered:
    """Which pool: `n` rows of `d` values, `classes` classes of up to five looks each."""

    n: int
    d: int
    classes: int = 1000
    dtype: str = "float32"
    seed: int = 0

    @property
    def name(self) -> str:
        """Its folder's name."""
        return f"clustered-{self.n}x{self.d}-{self.dtype}-{self.classes}-{self.seed}"

    @property
    def gigabytes(self) -> float:
        """Its size on disk."""
        return self.n * self.d * np.dtype(self.dtype).itemsize / 1e9

    def sizes(self) -> np.ndarray:
        """Return the number of rows of each class: most at the top, a tail down to 56 % of it, as in ImageNet-1k."""
        tail = round(0.105 * self.classes)
        shape = np.concatenate([np.full(self.classes - tail, 1300.0), np.linspace(1299, 732, tail)])
        shares = shape / shape.sum() * self.n
        sizes = np.floor(shares).astype(int)
        sizes[np.argsort(sizes - shares, kind="stable")[: self.n - sizes.sum()]] += 1
        return sizes

    def labels(self) -> np.ndarray:
        """Return the class (n,) int64 of every row."""
        labels = np.repeat(np.arange(self.classes), self.sizes())
        return np.random.default_rng([self.seed, 1]).permutation(labels)

    def rows(self, start: int, stop: int, labels: np.ndarray) -> np.ndarray:
        """Return the vectors of one block of rows; `start` is a multiple of the block length."""
        spectrum, axes, looks, of_class = self._geometry
        own = np.random.default_rng([self.seed, 3, start])
        label = labels[start:stop]
        look = looks[label, own.integers(0, of_class[label])]
        latent = look + WITHIN * own.standard_normal(look.shape, np.float32) * spectrum
        noise = NOISE * own.standard_normal((len(label), self.d), np.float32) / np.float32(np.sqrt(self.d) / 5)
        return (latent @ axes + noise).astype(self.dtype)

    @cached_property
    def _geometry(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the spectrum (r,), the axes (r, d), the centres of all looks (classes, 5, r), the looks of a class."""
        rng = np.random.default_rng([self.seed, 2])
        rank = min(RANK, self.d)
        spectrum = (np.arange(1, rank + 1) ** -0.5).astype(np.float32)  # standard deviations: variance 1 / axis
        spectrum /= np.linalg.norm(spectrum)
        axes = np.linalg.qr(rng.standard_normal((self.d, rank)))[0].T.astype(np.float32)
        centres = BETWEEN * rng.standard_normal((self.classes, 1, rank), np.float32)
        looks = (centres + LOOKS * rng.standard_normal((self.classes, 5, rank), np.float32)) * spectrum
        return spectrum, axes, looks, rng.integers(1, 6, self.classes)

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (vectors, labels) in memory."""
        labels = self.labels()
        blocks = [self.rows(s, min(s + BLOCK, self.n), labels) for s in range(0, self.n, BLOCK)]
        return np.concatenate(blocks), labels

    def pool(self, cache: Path) -> Pool:
        """Return the pool from `cache`, written there first if it is not; MissingDataError where the disk is full."""
        folder = cache / self.name
        if (folder / "pool.json").exists():
            return Pool.open(folder, verify=False)
        free = _free_gigabytes(cache)
        if free < self.gigabytes + 2:
            raise MissingDataError(
                f"the pool {folder} would take {self.gigabytes:.1f} GB; {free:.1f} GB are free: make room, or set "
                "ELSA_ROOT to a folder on a larger disk"
            )
        labels, told = self.labels(), {"name": self.name, "space": "synthetic", "recipe": repr(self)}
        ids = np.arange(self.n).astype(f"U{len(str(self.n))}")  # no longer than needed: with many rows that is much
        with PoolWriter(folder, ids, self.d, dtype=self.dtype, **told) as writer:
            for start in bar(range(writer.rows_done // BLOCK * BLOCK, self.n, BLOCK), f"writing {self.name}"):
                writer.write_from(start, self.rows(start, min(start + BLOCK, self.n), labels))
            return writer.finish()


def _free_gigabytes(folder: Path) -> float:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(existing).free / 1e9
