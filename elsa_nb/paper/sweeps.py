"""The experiments as data: which searches each sweep makes in each profile, and how each of them is seeded."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from elsa_nb.search.elsa import READINGS, SearchConfig
from elsa_nb.search.head import HeadConfig
from elsa_nb.search.rivals import ProbeConfig

PROBE = "Greedy probe"
HEADS = {kind: HeadConfig(kind) for kind in ("linear-sgd", "mlp")}


class Change(NamedTuple):
    """A departure from a reading: `text` as `changed` reads it, "" for none; tried where `readings`, `arms` name it.

    Empty `readings` or `arms` stand for all.
    """

    text: str = ""
    readings: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()


def changed(config: SearchConfig, text: str) -> SearchConfig:
    """Return `config` with the fields that `text` names set anew: "a=25, alpha_2=3.0", "head=mlp", "relabel=True".

    Raises ValueError for what is no field of a `SearchConfig` or no value of its type.
    """
    fields = {}
    for part in filter(None, text.split(", ")):
        name, _, value = part.partition("=")
        if name == "head" and value in HEADS:
            fields[name] = HEADS[value]
        elif isinstance(before := getattr(config, name, None), bool) and value in ("True", "False"):
            fields[name] = value == "True"
        elif isinstance(before, int | float | str) and not isinstance(before, bool):
            fields[name] = type(before)(value)
        else:
            raise ValueError(f"change {part!r}; allowed: a field of SearchConfig, =, and a value of its type")
    return replace(config, **fields)


@dataclass(frozen=True)
class Setting:
    """One search: everything that decides its log, given the pool and the code.

    `change` departs from the reading (`changed`); the oracle flips an answer with probability `flip`; the class is
    thinned to the `share` of the pool, 0 leaves all of it in; `dataset` is that of the profile's main tables if "".
    """

    sweep: str
    reading: str
    encoder: str
    space: str
    arm: str
    target: str
    seeds: int
    repeat: int
    change: str = ""
    flip: float = 0.0
    share: float = 0.0
    dataset: str = ""

    @property
    def config(self) -> SearchConfig | ProbeConfig:
        """The configuration of the strategy."""
        return ProbeConfig() if self.arm == PROBE else changed(READINGS[self.reading][self.arm], self.change)

    @property
    def seed_sequence(self) -> np.random.SeedSequence:
        """The randomness, from (sweep, class, seeds, repeat): all else that is compared starts from the same seeds."""
        words = [zlib.crc32(self.sweep.encode()), zlib.crc32(self.target.encode()), self.seeds, self.repeat]
        return np.random.SeedSequence(words)


@dataclass(frozen=True)
class Sweep:
    """A grid of searches: every combination of its fields, for `n_classes` classes drawn with a fixed seed.

    Classes need `least_members` images. A smaller `n_classes` or `repeats` gives a subset of the same searches, so
    that a quick run can be laid beside the full one, search by search. `chosen` is "by name" where `targets` are the
    classes, and "by purity" where they are the tightest, the sparsest and the median one of all, by the share of a
    member's nearest neighbours that are members.
    """

    name: str
    encoders: tuple[str, ...]
    readings: tuple[str, ...] = ("paper", "released-code")
    arms: tuple[str, ...] = ("ELSA",)
    seeds: tuple[int, ...] = (5,)
    n_classes: int = 50
    repeats: int = 5
    space: str = "projection"
    least_members: int = 100
    probe_seeds: tuple[int, ...] = ()
    changes: tuple[Change, ...] = (Change(),)
    flips: tuple[float, ...] = (0.0,)
    share: float = 0.0
    dataset: str = ""
    chosen: str = "at random"
    targets: tuple[str, ...] = ()

    def classes(self, names: pd.Series, purity: Callable[[], np.ndarray] | None = None) -> list[str]:
        """Return the classes searched for, out of the class name of every image (n,).

        `purity` returns each image's share of nearest neighbours of its class (n,); asked for by the rule "by purity".
        """
        sizes = names.value_counts()
        eligible = sorted(sizes.index[sizes >= self.least_members].astype(str))
        if strange := sorted(set(self.targets) - set(eligible)):
            raise ValueError(
                f"sweep {self.name!r} wants the class {strange[0]!r}; the pool has none of that name with "
                f"{self.least_members} or more images"
            )
        if len(eligible) < self.n_classes:
            raise ValueError(
                f"sweep {self.name!r} wants {self.n_classes} classes of {self.least_members} or more images; "
                f"the pool has {len(eligible)}"
            )
        if self.chosen == "by name":
            return list(self.targets)
        if self.chosen == "by purity":
            means = (
                pd.Series(purity()).groupby(names.astype(str).to_numpy()).mean()[eligible].sort_values(kind="stable")
            )
            return [str(means.index[i]) for i in (-1, 0, len(means) // 2)]
        order = np.random.default_rng(zlib.crc32(b"classes")).permutation(len(eligible))
        return [eligible[i] for i in order[: self.n_classes]]

    def units(self, names: pd.Series, purity: Callable[[], np.ndarray] | None = None) -> Iterator[tuple[Setting, ...]]:
        """Yield the searches in groups that run side by side and are stored together: one class and encoder each."""
        targets = self.classes(names, purity)
        for encoder in self.encoders:
            for target in targets:
                yield tuple(self._unit(encoder, target))

    def _unit(self, encoder: str, target: str) -> Iterator[Setting]:
        for repeat, seeds, flip in product(range(self.repeats), self.seeds, self.flips):
            blank = Setting(self.name, "", encoder, self.space, "", target, seeds, repeat)
            blank = replace(blank, flip=flip, share=self.share, dataset=self.dataset)
            for reading, arm, change in product(self.readings, self.arms, self.changes):
                if reading in (change.readings or self.readings) and arm in (change.arms or self.arms):
                    yield replace(blank, reading=reading, arm=arm, change=change.text)
            if seeds in self.probe_seeds:
                yield replace(blank, reading="rival", arm=PROBE)


_COMPONENTS = Sweep(
    name="components",
    encoders=("vicreg", "barlow-twins"),
    arms=("ELSA", "No Active", "NN", "NN.Large"),
    seeds=(1, 2, 5, 10, 50),
    probe_seeds=(5,),
)
_FOOD = Sweep(
    "food-101", ("vicreg",), seeds=(1, 2, 5, 10, 50), probe_seeds=(5,), n_classes=101, repeats=2, dataset="food-101"
)
_THINNED = replace(_COMPONENTS, name="thinned", seeds=(1, 2, 5, 10), share=0.001, repeats=2)

# Tables 6 to 9 in order; the values of the readings themselves (a = 50, alpha_1 = 1, alpha_2 = 2, l = 50) are "".
_PRINTED = tuple(
    f"{name}={value}"
    for name, values in {
        "a": (10, 25, 100, 200),
        "alpha_1": (0.2, 0.5, 0.7, 1.5, 2.0),
        "alpha_2": (1.0, 1.5, 3.0, 4.0),
        "l": (25, 100),
    }.items()
    for value in values
)
# What the paper does not say (paper notes 1-10b): each other choice alone, beside the reading `paper`.
_SILENT = (
    *("b_slope=0.0", "b_slope=0.5", "b_slope=2.0", "head=linear-sgd", "head=mlp", "head_space=embedding"),
    *("nn_queries=all positives", "nn_queries=last neighbours", "nn_per=query"),
    *(
        "rands=appendix b",
        "rands=sampled points",
        "negatives=all",
        "confidence=logit",
        "relabel=True",
        "zero_pass=True",
    ),
)
_HYPERPARAMETERS = Sweep(
    "hyperparameters",
    ("vicreg",),
    changes=(Change(), *map(Change, _PRINTED), *(Change(text, readings=("paper",)) for text in _SILENT)),
)
# Is it the noise, or a choice the paper is silent about, that does the harm?
_UNDER_NOISE = tuple(Change(text, readings=("paper",)) for text in ("head=linear-sgd", "head=mlp", "negatives=all"))
_NOISE = Sweep("noise", ("vicreg",), flips=(0.0, 0.025, 0.05, 0.1, 0.15), changes=(Change(), *_UNDER_NOISE))

_RADII = (10, 25, 50, 100, 200)
_GRID = (
    *(
        Change(f"a={a}, alpha_2={alpha}", arms=("ELSA", "No Active"))
        for a, alpha in product(_RADII, (1.0, 1.5, 2.0, 3.0, 4.0))
    ),
    *(Change(f"a={a}, rounds={rounds}", arms=("NN",)) for a, rounds in product(_RADII, (2, 5, 10, 20))),
)
_TRADE_OFF = Sweep(
    "trade-off", ("vicreg",), arms=("ELSA", "No Active", "NN"), n_classes=3, changes=_GRID, chosen="by purity"
)
PRINTED_CLASSES = ("n04311174", "n02088364", "n03344393")  # Fig. 3: tight, sparse, typical

_TRAINED = ("vicreg", "barlow-twins", "moco", "moco-v2", "simsiam", "swav", "swav-multi-crop")
_FLOORS = ("untrained", "raw-pixels")
_ENCODERS = Sweep("encoders", (*_TRAINED, *_FLOORS), space="embedding")


def _quick(full: Sweep, **changes) -> Sweep:
    return replace(full, n_classes=min(full.n_classes, 6), repeats=1, **changes)


def _photos(full: Sweep, **changes) -> Sweep:
    return replace(full, n_classes=min(full.n_classes, 20), repeats=2, **changes)


SWEEPS = {
    "components": {
        "quick": _quick(_COMPONENTS, seeds=(1, 5, 50)),
        "full": _COMPONENTS,
        "photos": _COMPONENTS,
        "paper": _COMPONENTS,
    },
    "hyperparameters": {
        "quick": _quick(_HYPERPARAMETERS),
        "full": _HYPERPARAMETERS,
        "photos": _photos(_HYPERPARAMETERS),
        "paper": _HYPERPARAMETERS,
    },
    "noise": {"quick": _quick(_NOISE), "full": _NOISE, "photos": _photos(_NOISE), "paper": _NOISE},
    "encoders": {
        "quick": _quick(_ENCODERS, encoders=("vicreg", "barlow-twins", "untrained")),
        "full": _ENCODERS,
        "photos": _photos(_ENCODERS, encoders=("vicreg", "barlow-twins")),
        "paper": replace(_ENCODERS, encoders=(*_TRAINED[:4], "obow", *_TRAINED[4:])),
    },
    "trade-off": {
        "quick": _quick(_TRADE_OFF),
        "full": _TRADE_OFF,
        "photos": _photos(_TRADE_OFF),
        "paper": replace(_TRADE_OFF, chosen="by name", targets=PRINTED_CLASSES),
    },
    "food-101": {"photos": replace(_FOOD, dataset="food-101-64px"), "paper": replace(_FOOD, repeats=5)},
    "thinned": {"photos": _THINNED},
}


def sweep(name: str, profile: str) -> Sweep:
    """Return the sweep `name` as `profile` runs it; ValueError for an unknown one of either."""
    if name not in SWEEPS:
        raise ValueError(f"sweep {name!r} is not known; allowed: {', '.join(SWEEPS)}")
    if profile not in SWEEPS[name]:
        raise ValueError(f"sweep {name!r} has no profile {profile!r}; allowed: {', '.join(SWEEPS[name])}")
    return SWEEPS[name][profile]
