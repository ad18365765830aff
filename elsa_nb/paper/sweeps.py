"""The experiments as data: which searches each sweep makes in each profile, and how each of them is seeded."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd

from elsa_nb.search.elsa import READINGS, SearchConfig
from elsa_nb.search.rivals import ProbeConfig

PROBE = "Greedy probe"


@dataclass(frozen=True)
class Setting:
    """One search: everything that decides its log, given the pool and the code."""

    sweep: str
    reading: str
    encoder: str
    space: str
    arm: str
    target: str
    seeds: int
    repeat: int

    @property
    def config(self) -> SearchConfig | ProbeConfig:
        """The configuration of the strategy."""
        return ProbeConfig() if self.arm == PROBE else READINGS[self.reading][self.arm]

    @property
    def seed_sequence(self) -> np.random.SeedSequence:
        """The randomness, from (sweep, class, seeds, repeat): arms, encoders and readings start from the same seeds."""
        words = [zlib.crc32(self.sweep.encode()), zlib.crc32(self.target.encode()), self.seeds, self.repeat]
        return np.random.SeedSequence(words)


@dataclass(frozen=True)
class Sweep:
    """A grid of searches: every combination of its fields, for `n_classes` classes drawn with a fixed seed.

    Classes need `least_members` images. A smaller `n_classes` or `repeats` gives a subset of the same searches, so
    that a quick run can be laid beside the full one, search by search.
    """

    name: str
    encoders: tuple[str, ...]
    readings: tuple[str, ...]
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    n_classes: int
    repeats: int
    space: str = "projection"
    least_members: int = 100
    probe_seeds: tuple[int, ...] = (5,)

    def classes(self, names: pd.Series) -> list[str]:
        """Return the classes searched for, out of the class name of every image (n,)."""
        sizes = names.value_counts()
        eligible = sorted(sizes.index[sizes >= self.least_members].astype(str))
        if len(eligible) < self.n_classes:
            raise ValueError(
                f"sweep {self.name!r} wants {self.n_classes} classes of {self.least_members} or more images; "
                f"the pool has {len(eligible)}"
            )
        order = np.random.default_rng(zlib.crc32(b"classes")).permutation(len(eligible))
        return [eligible[i] for i in order[: self.n_classes]]

    def units(self, names: pd.Series) -> Iterator[tuple[Setting, ...]]:
        """Yield the searches in groups that run side by side and are stored together: one class and encoder each."""
        for target in self.classes(names):
            for encoder in self.encoders:
                yield tuple(self._unit(encoder, target))

    def _unit(self, encoder: str, target: str) -> Iterator[Setting]:
        for repeat, seeds in product(range(self.repeats), self.seeds):
            blank = Setting(self.name, "", encoder, self.space, "", target, seeds, repeat)
            for reading, arm in product(self.readings, self.arms):
                yield replace(blank, reading=reading, arm=arm)
            if seeds in self.probe_seeds:
                yield replace(blank, reading="rival", arm=PROBE)


_COMPONENTS = Sweep(
    name="components",
    encoders=("vicreg", "barlow-twins"),
    readings=("paper", "released-code"),
    arms=("ELSA", "No Active", "NN", "NN.Large"),
    seeds=(1, 2, 5, 10, 50),
    n_classes=50,
    repeats=5,
)

SWEEPS = {
    "components": {
        "quick": replace(_COMPONENTS, n_classes=6, seeds=(1, 5, 50), repeats=1),
        "full": _COMPONENTS,
        "photos": _COMPONENTS,
        "paper": _COMPONENTS,
    }
}


def sweep(name: str, profile: str) -> Sweep:
    """Return the sweep `name` as `profile` runs it; ValueError for an unknown one of either."""
    if name not in SWEEPS:
        raise ValueError(f"sweep {name!r} is not known; allowed: {', '.join(SWEEPS)}")
    if profile not in SWEEPS[name]:
        raise ValueError(f"profile {profile!r} is not known; allowed: {', '.join(SWEEPS[name])}")
    return SWEEPS[name][profile]
