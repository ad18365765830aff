"""Pools whose classes are as large, and whose neighbourhoods as pure, as wanted: vectors that were never images.

The paper has one pool, and so has everybody who repeats it. Here the two things that decide are dials: how many
members a class has, and what share of a member's nearest neighbours are of its class. `GENERATED_SETS` has
the data sets; `write` makes one of their pools, to the same bytes from the same seed; `place` opens them beside those
of images.

A class is a few looks (clusters) around a centre, and its centre lies near nine others (a group, as breeds of one
animal). Members lie around their look, most near it and some far off. How far, the `spread`, is the dial for purity:
the same draws, blurred more or less. All of it happens in `RANK` dimensions with decaying variances, which random axes
carry into as many dimensions as wanted. `python -m elsa_nb.paper.experiments.phase` finds the spreads and measures what
comes of them beside encoders of real images.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from elsa_nb.errors import MissingDataError
from elsa_nb.pool import Pool, PoolWriter
from elsa_nb.pool_files import recipe_at
from elsa_nb.progress import bar
from elsa_nb.store import DATA

_VERSION = 1  # of the recipe: raised when the same settings make other vectors
BLOCK = 8192  # rows drawn together, from a seed of their own
RANK = 32  # dimensions in which the vectors vary
_GROUP = 10  # classes whose centres lie near one another
LOOK = 0.5  # how far looks lie from the centre of their class, in units of the distance between classes
LOOKS = 5  # at most, of a class; one more for every `LOOK_MEMBERS` members
LOOK_MEMBERS = 100
BETWEEN_DECAY, WITHIN_DECAY = 1.0, 1.5  # variances fall as one over the number of the dimension to this power
CLASS_TAIL, MEMBER_TAIL = 0.3, 0.6  # how much spreads differ from class to class, and from member to member (log)
FAR = 2.0  # standard deviations at which both tails end: a few rows far from all others would blunt every bound
_NOISE = 0.02  # in all dimensions, of the length of a class's centre


@dataclass(frozen=True)
class Blend:
    """How far members lie from their look, by the number of members of the class, and the number of dimensions."""

    spread: Mapping[int, float]
    d: int


@dataclass(frozen=True)
class Generated:
    """A data set of generated vectors: how many classes of how many members there are, and its pools.

    `classes` is {members: classes}; `blends` {name of the pool: Blend}, where experiments expect an encoder.
    """

    name: str
    classes: Mapping[int, int]
    blends: Mapping[str, Blend] = field(default_factory=dict)
    seed: int = 0

    @property
    def n(self) -> int:
        """The number of rows."""
        return sum(members * count for members, count in self.classes.items())

    @cached_property
    def names(self) -> list[str]:
        """The names of the classes, such as "1300-007": its members and its number."""
        return [f"{members}-{number:03}" for members, count in self.classes.items() for number in range(count)]

    @cached_property
    def labels(self) -> np.ndarray:
        """The class of every row (n,) int64, as a place in `names`."""
        rows = np.repeat(np.arange(len(self.members)), self.members)
        return np.random.default_rng([self.seed, 1]).permutation(rows)

    def blend(self, name: str) -> Blend:
        """Return how the pool `name` is made; ValueError for an unknown one."""
        if name not in self.blends:
            raise ValueError(f"data set {self.name!r} has no pool {name!r}; allowed: {', '.join(self.blends)}")
        return self.blends[name]

    @property
    def class_names(self) -> pd.Series:
        """The class name of every row (n,), as `place` wants it."""
        return pd.Series(pd.Categorical.from_codes(self.labels, self.names), name="name")

    @cached_property
    def members(self) -> np.ndarray:
        """The number of members of every class (classes,)."""
        return np.concatenate([np.full(count, members) for members, count in self.classes.items()])

    def recipe(self, blend: Blend) -> str:
        """Return what decides the vectors of a pool, as text."""
        dials = (RANK, _GROUP, LOOK, LOOKS, LOOK_MEMBERS, BETWEEN_DECAY, WITHIN_DECAY)
        dials += (CLASS_TAIL, MEMBER_TAIL, FAR, _NOISE)
        return f"generated {_VERSION}: {dict(self.classes)}, {dict(blend.spread)}, {blend.d}, {self.seed}, {dials}"

    def latent(self, blend: Blend, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw members for `rows` (m,) in the dimensions that they vary in, (m, RANK) float32."""
        looks, of_class, wide = self._geometry
        label = self.labels[rows]
        look = looks[label, rng.integers(0, of_class[label])]
        spread = np.array([blend.spread[members] for members in self.members], np.float32) * wide
        typical = np.exp(MEMBER_TAIL * rng.standard_normal(len(rows), np.float32).clip(-FAR, FAR))
        drawn = rng.standard_normal((len(rows), RANK), np.float32) * _spectrum(WITHIN_DECAY)
        return look + (spread[label] * typical)[:, None] * drawn

    def latents(self, blend: Blend) -> np.ndarray:
        """Return all members in the dimensions that they vary in, (n, RANK) float32."""
        return np.concatenate([self._block(blend, start)[0] for start in range(0, self.n, BLOCK)])

    def _block(self, blend: Blend, start: int) -> tuple[np.ndarray, np.random.Generator]:
        rng = np.random.default_rng([self.seed, 3, start])
        return self.latent(blend, np.arange(start, min(start + BLOCK, self.n)), rng), rng

    def rows(self, blend: Blend, start: int, axes: np.ndarray) -> np.ndarray:
        """Return the vectors (m, d) float16 of one block of rows; `axes` (RANK, d) carry them into d dimensions."""
        latent, rng = self._block(blend, start)
        noise = rng.standard_normal((len(latent), blend.d), np.float32)
        return (latent @ axes + _NOISE / np.float32(np.sqrt(blend.d)) * noise).astype(np.float16)

    @cached_property
    def _geometry(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the centres of all looks (classes, LOOKS, RANK), how many a class has, how wide classes are."""
        rng, count = np.random.default_rng([self.seed, 2]), len(self.names)
        group = rng.permutation(count) // _GROUP
        groups = rng.standard_normal((group.max() + 1, 1, RANK), np.float32)
        own = rng.standard_normal((count, 1, RANK), np.float32)
        looks = rng.standard_normal((count, LOOKS, RANK), np.float32)
        centres = np.float32(0.5**0.5) * (groups[group] + own) + np.float32(LOOK) * looks
        of_class = 1 + rng.integers(0, np.minimum(LOOKS, 1 + self.members // LOOK_MEMBERS))
        wide = np.exp(CLASS_TAIL * rng.standard_normal(count).clip(-FAR, FAR)).astype(np.float32)
        return centres * _spectrum(BETWEEN_DECAY), of_class, wide

    def axes(self, d: int) -> np.ndarray:
        """Return orthonormal axes (RANK, d) float32, which carry vectors into d dimensions; ValueError for too few."""
        if d < RANK:
            raise ValueError(f"d = {d}; allowed: {RANK} or more dimensions")
        random = np.random.default_rng([self.seed, 4]).standard_normal((d, RANK))
        return np.linalg.qr(random)[0].T.astype(np.float32)

    def folder(self, name: str) -> Path:
        """Return where a pool is or will be; ValueError for a name that the data set does not have."""
        self.blend(name)
        return DATA / "pools" / f"{self.name}-{name}-{SPACE}"


def pool_of(dataset: str, name: str) -> Path:
    """Return the folder of a pool that is there; `MissingDataError` if it was not made yet."""
    folder = GENERATED_SETS[dataset].folder(name)
    if not (folder / "pool.json").exists():
        raise MissingDataError(
            f"the generated pool {folder} is not here: `python -m elsa_nb.paper.experiments.phase` makes it"
        )
    return folder


def _spectrum(decay: float) -> np.ndarray:
    """Return standard deviations (RANK,) float32 whose squares fall with the number of the dimension and sum to 1."""
    deviations = np.arange(1, RANK + 1) ** (-decay / 2)
    return (deviations / np.linalg.norm(deviations)).astype(np.float32)


def write(dataset: Generated, name: str) -> Pool:
    """Write the pool `name` of a data set, block by block; one that was begun goes on, a whole one stays.

    Raises ValueError for a name that the data set does not have.
    """
    blend, folder = dataset.blend(name), dataset.folder(name)
    if (folder / "pool.json").exists() and recipe_at(folder) == dataset.recipe(blend):
        return Pool.open(folder, verify=False)
    told = {"name": f"{dataset.name}-{name}", "space": SPACE, "recipe": dataset.recipe(blend)}
    axes = dataset.axes(blend.d)
    with PoolWriter(folder, np.arange(dataset.n).astype(str), blend.d, dtype="float16", **told) as writer:
        for start in bar(range(writer.rows_done // BLOCK * BLOCK, dataset.n, BLOCK), f"writing {told['name']}"):
            writer.write_from(start, dataset.rows(blend, start, axes))
        return writer.finish()


SPACE = "embedding"  # what a head and the neighbours both see: there is no projection
_GRID = {20: 50, 100: 50, 400: 50, 1300: 50}
_IMAGENET = {1281: 833, 1282: 167}  # 1,281,167 rows in 1,000 classes
_GRID_SPREADS = {  # by purity, then by members: `phase.spaces.wanted_spreads`
    0.04: (3.013, 4.179, 5.797, 6.464),
    0.2: (1.476, 2.088, 2.729, 3.043),
    0.4: (0.983, 1.35, 1.696, 1.929),
    0.6: (0.695, 0.973, 1.175, 1.364),
    0.95: (0.243, 0.415, 0.411, 0.458),
}
_IMAGENET_SPREADS = {0.45: 1.43, 0.75: 0.9, 0.15: 2.75}
_LARGE = {f"purity-{purity}": dict.fromkeys(_IMAGENET, spread) for purity, spread in _IMAGENET_SPREADS.items()}
GENERATED_SETS = {
    each.name: each
    for each in (
        Generated(
            "generated",
            _GRID,
            {
                f"purity-{purity}": Blend(dict(zip(_GRID, spreads, strict=True)), 64)
                for purity, spreads in _GRID_SPREADS.items()
            },
        ),
        Generated(
            "generated-imagenet",
            _IMAGENET,
            {name: Blend(spread, 512) for name, spread in _LARGE.items()}
            | {"purity-0.45-2048": Blend(_LARGE["purity-0.45"], 2048)},
        ),
    )
}
