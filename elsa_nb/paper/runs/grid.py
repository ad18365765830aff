"""A grid of searches: what decides each of them, how it is seeded, and how a sweep lists them."""

import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from elsa_nb.paper.runs.rivals import PREPARED_RIVALS
from elsa_nb.search.checks import check_count, check_counts, check_number
from elsa_nb.search.config import ELSA, SearchConfig
from elsa_nb.search.contract import RegisteredStrategy
from elsa_nb.search.elsa import Search
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.readings import READINGS
from elsa_nb.search.strategies.registry import strategies

RIVAL = "rival"  # the reading of searches that are not ELSA's
HEADS = {kind: HeadConfig(kind) for kind in ("linear-sgd", "mlp")}


class Change(NamedTuple):
    """A departure from a reading: `text` as `changed` reads it, "" for none; tried where `readings`, `arms` name it.

    Empty `readings` or `arms` stand for all.
    """

    text: str = ""
    readings: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()


CHOSEN = ("at random", "by name", "by purity")


@lru_cache(maxsize=4096)  # sweeps ask for a few dozen, tens of thousands of times
def changed(config: SearchConfig, text: str) -> SearchConfig:
    """Return `config` with the fields that `text` names set anew: "a=25, alpha_2=3.0", "head=mlp", "relabel=True".

    Raises ValueError for what is not a field of a `SearchConfig` or not a value of its type, and for a field twice.
    """
    fields: dict[str, Any] = {}
    for part in filter(None, text.split(", ")):
        name, _, value = part.partition("=")
        if name in fields:
            raise ValueError(f"change {text!r} sets {name} twice; give each field one value")
        try:
            fields[name] = _value(getattr(config, name, None), name, value)
        except ValueError:
            raise ValueError(
                f"change {part!r}; allowed: a field of SearchConfig, =, and a value of its type, several of them "
                'with a comma and a blank between, such as "a=25, alpha_2=3.0"'
            ) from None
    return replace(config, **fields)


def _value(before: Any, name: str, text: str) -> Any:
    """Return what `text` says of the field `name`, which was `before`; ValueError where it says no such thing."""
    if name == "head" and text in HEADS:
        return HEADS[text]
    if name == "final_budget":  # None by default, which tells no type
        return int(text)
    if isinstance(before, bool) and text in ("True", "False"):
        return text == "True"
    if isinstance(before, int | float | str) and not isinstance(before, bool):
        return type(before)(text)
    raise ValueError(f"{name} = {text!r}")


def strategy_of(arm: str) -> type[RegisteredStrategy]:
    """Return the strategy that an arm is a configuration of: a rival has one of its own, all others are ELSA's."""
    return PREPARED_RIVALS[arm].kind if arm in PREPARED_RIVALS else strategies().get(arm, Search)


@dataclass(frozen=True)
class Setting:
    """One search: everything that decides its log, given the pool and the code.

    Attributes:
        sweep: The name of its sweep, which is part of its seed.
        reading: "paper", "released-code", or "rival" for a strategy that is not ELSA's.
        encoder: Whose vectors are searched.
        space: Which output of it.
        arm: One of the reading's arms, or the name of a rival.
        target: The class searched for.
        seeds: How many known positives it begins with.
        repeat: Which draw of the seeds.
        change: A departure from the reading (`changed`), "" for none.
        flip: The probability with which the oracle gives a wrong answer.
        share: The part of the pool that the class is thinned to; 0 leaves all of it in.
        dataset: Whose images; "" for those of the profile's main tables.
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
    def config(self) -> Any:
        """The configuration of the strategy: of a rival its own, else that of the reading's arm, changed."""
        if self.reading == RIVAL:
            prepared = PREPARED_RIVALS.get(self.arm)
            return strategy_of(self.arm).config_class() if prepared is None else prepared.config
        return changed(READINGS[self.reading][self.arm], self.change)

    @property
    def seed_sequence(self) -> np.random.SeedSequence:
        """The randomness, from (sweep, class, seeds, repeat): all else that is compared starts from the same seeds."""
        words = [zlib.crc32(self.sweep.encode()), zlib.crc32(self.target.encode()), self.seeds, self.repeat]
        return np.random.SeedSequence(words)


_LISTS = ("encoders", "readings", "arms", "seeds", "rivals", "rival_seeds", "changes", "flips", "targets")


@dataclass(frozen=True)
class Sweep:
    """A grid of searches: every combination of its fields, for classes drawn with a fixed seed.

    A name that stands for nothing, such as a rival that no installed package offers, and a number out of range raise
    ValueError here, before anything is searched. A smaller `n_classes` or `repeats` gives a subset of the same
    searches, so that a quick run can be laid beside the full one, search by search.

    Attributes:
        name: Its results are called so, and its searches are seeded by it.
        encoders: Whose vectors are searched, by the names that the profile gives them.
        readings: "paper", "released-code" or both.
        arms: Of `READINGS`: "ELSA", "No Active", "NN", "NN.Large".
        seeds: Numbers of known positives to begin with.
        n_classes: How many classes are searched for, where they are chosen at random.
        repeats: How many draws of seeds per class.
        space: Which output of the encoders, "embedding" or "projection".
        least_members: Images that a class needs to be drawn.
        rivals: Registered strategies, each searching as it is, or names of `PREPARED_RIVALS` ...
        rival_seeds: ... once for each of these numbers of seeds (none: those of `seeds`).
        changes: Departures from a reading; one without text is the reading itself.
        flips: Probabilities of wrong answers.
        share: The part of the pool that each class is thinned to; 0 leaves all of it in.
        dataset: Whose images; "" for those of the profile's main tables.
        chosen: How classes are chosen: "at random", "by name" (`targets`), or "by purity": the tightest, the sparsest
            and the median one, by the share of a member's nearest neighbours that are members.
        targets: The classes, where they are chosen by name.
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
    rivals: tuple[str, ...] = ()
    rival_seeds: tuple[int, ...] = ()
    changes: tuple[Change, ...] = (Change(),)
    flips: tuple[float, ...] = (0.0,)
    share: float = 0.0
    dataset: str = ""
    chosen: str = "at random"
    targets: tuple[str, ...] = ()

    def __post_init__(self):
        for name in _LISTS:
            if not isinstance(given := getattr(self, name), tuple | list):
                raise ValueError(
                    f"sweep {self.name!r}: {name} = {given!r:.60}; allowed: several in brackets: ({given!r},)"
                )
        try:
            if not isinstance(self.name, str) or Path(self.name).name != self.name or self.name in ("", ".."):
                raise ValueError("its results are files of that name; give a word, such as 'radius'")
            check_counts(self, n_classes=1, repeats=1, least_members=1)
            for count in (*self.seeds, *self.rival_seeds):
                check_count("seeds", count, 1)
            for flip in self.flips:
                check_number("flips", flip, "probabilities from 0 to 1", least=0, most=1)
            check_number("share", self.share, "0 (all of the class), or a share below 1", least=0, below=1)
            _check_names("chosen", [self.chosen], CHOSEN)
            if self.chosen == "by name" and not self.targets:
                raise ValueError("chosen by name, and targets names no class; name at least one")
            if self.targets and self.chosen != "by name":
                raise ValueError(f'targets names classes, and they are chosen {self.chosen}; say chosen = "by name"')
            _check_names("readings", self.readings, READINGS)
            _check_names("arms", self.arms, READINGS["paper"])
            _check_names("rivals", self.rivals, (*strategies(), *PREPARED_RIVALS) if self.rivals else ())
            self._check_changes()
            for name in _LISTS:
                given = getattr(self, name)
                if again := [each for i, each in enumerate(given) if each in given[:i]]:
                    raise ValueError(f"{name}: {again[0]!r} stands there twice, and would be searched and count twice")
            arms = self.rivals or (self.readings and self.arms and self.changes)
            if not (self.encoders and self.flips and arms and (self.seeds or (self.rivals and self.rival_seeds))):
                raise ValueError("it searches nothing; name encoders, seeds, flips, and rivals or readings with arms")
        except ValueError as error:
            raise ValueError(f"sweep {self.name!r}: {error}") from error

    def _check_changes(self) -> None:
        """Raise ValueError for a change that changes nothing that is searched, or says what cannot be said."""
        for change in self.changes:
            if not isinstance(change, Change) or not isinstance(change.text, str):
                raise ValueError(f"changes: {change!r:.60}; allowed: Change({change!r:.60})")
            _check_names("readings of a change", change.readings, READINGS)
            _check_names("arms of a change", change.arms, READINGS["paper"])
            changed(ELSA, change.text)
            meets = set(change.readings or self.readings) & set(self.readings)
            if self.readings and self.arms and not (meets and set(change.arms or self.arms) & set(self.arms)):
                raise ValueError(f"changes: {change} is of no reading or arm that is searched; name one of these")

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
        if self.chosen == "by name":
            return list(self.targets)
        wanted = 3 if self.chosen == "by purity" else self.n_classes
        if len(eligible) < wanted:
            raise ValueError(
                f"sweep {self.name!r} wants {wanted} classes of {self.least_members} or more images; "
                f"the pool has {len(eligible)}"
            )
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
        rival_seeds = (self.rival_seeds or self.seeds) if self.rivals else ()
        for repeat, seeds, flip in product(range(self.repeats), dict.fromkeys((*self.seeds, *rival_seeds)), self.flips):
            blank = Setting(self.name, "", encoder, self.space, "", target, seeds, repeat)
            blank = replace(blank, flip=flip, share=self.share, dataset=self.dataset)
            for reading, arm, change in product(self.readings, self.arms, self.changes if seeds in self.seeds else ()):
                if reading in (change.readings or self.readings) and arm in (change.arms or self.arms):
                    yield replace(blank, reading=reading, arm=arm, change=change.text)
            for rival in self.rivals if seeds in rival_seeds else ():
                yield replace(blank, reading=RIVAL, arm=rival)


def _check_names(what: str, given: Collection[str], known: Collection[str]) -> None:
    """Raise ValueError for a name that is not known, with all that are."""
    if strange := [name for name in given if name not in known]:
        raise ValueError(f"{what}: {strange[0]!r} is not known; allowed: {', '.join(map(repr, known))}")
