"""The strategies that are known by name: those of this package, and those that installed packages offer.

Sweeps, `elsa-nb label --strategy` and the tests of the contract look them up here. A new one is a file in this folder
and a line in `OURS`. Another package offers its own as an entry point, and needs no line here:

    [project.entry-points."elsa_nb.strategies"]
    mine = "my_package.my_module:MyStrategy"
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from numbers import Integral
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from elsa_nb.errors import check_known
from elsa_nb.pool import Pool
from elsa_nb.search.contract import MOST_COMPONENTS, RegisteredStrategy
from elsa_nb.search.elsa import Search
from elsa_nb.search.strategies.greedy_probe import GreedyProbe
from elsa_nb.search.strategies.harvest import Harvest

OURS: tuple[type[RegisteredStrategy], ...] = (Search, GreedyProbe, Harvest)
GROUP = "elsa_nb.strategies"

_COLOUR = re.compile("#[0-9a-fA-F]{6}")
_NEEDS = ("neighbours", "features", "prepared_rows")
_ATTRIBUTES = {"name": str, "version": int, "config_class": type, "needs": tuple, "components": Mapping, "colour": str}
_MEMBERS = (
    *("query", "update", "amend", "scores", "log", "positives"),
    *("largest_batch", "draws_randomness", "shared_parts"),
)


@lru_cache(maxsize=1)
def strategies() -> Mapping[str, type[RegisteredStrategy]]:
    """Return all strategies by name, ours first.

    Raises ValueError for a strategy of another package that cannot be loaded, does not keep the contract, or has the
    name of another one.
    """
    found: dict[str, type[RegisteredStrategy]] = {}
    taken: set[str] = set()
    for kind, offered_by in [*((kind, "elsa_nb") for kind in OURS), *_offered()]:
        check(kind, offered_by)
        if slug(kind.name) in taken:  # commands could not tell them apart
            raise ValueError(f"{offered_by} offers a second strategy {kind.name!r}; give it another name")
        found[kind.name] = kind
        taken.add(slug(kind.name))
    return MappingProxyType(found)


def strategy(name: str) -> type[RegisteredStrategy]:
    """Return the strategy of that name, as in tables ("Greedy probe") or as in commands ("greedy-probe")."""
    by_slug = {slug(each): kind for each, kind in strategies().items()}
    check_known("strategy", slug(name) if isinstance(name, str) else name, by_slug)
    return by_slug[slug(name)]


def slug(name: str) -> str:
    """Return the name of a strategy as commands take it: "Greedy probe" is "greedy-probe"."""
    return name.lower().replace(" ", "-")


def begin(
    kind: type[RegisteredStrategy],
    pool: Pool,
    seeds: Sequence[int] | Sequence[str] | np.ndarray,
    *,
    config: Any = None,
    rng: np.random.Generator | int | None,
    **made: Any,
) -> RegisteredStrategy:
    """Return a search by a strategy, ready to begin; `config` is by default the strategy's own.

    `made` are `neighbours`, `features` and `prepared_rows` of the pool; the strategy gets those it needs. Another
    name raises ValueError.
    """
    if strange := sorted(set(made) - set(_NEEDS)):
        raise ValueError(f"{strange[0]} is not needed by any strategy; allowed: {', '.join(_NEEDS)}")
    if not isinstance(kind, type):
        raise ValueError(f"kind = {kind!r:.60}; give the class of a strategy, such as strategy('harvest')")
    check(kind)
    config = kind.config_class() if config is None else config
    needed = {name: made[name] for name in kind.needs if name in made}
    # A protocol cannot say how its classes are made: `RegisteredStrategy` says it in words.
    return cast(Callable[..., RegisteredStrategy], kind)(pool, seeds, config=config, rng=rng, **needed)


def check(kind: Any, offered_by: str | None = None) -> None:
    """Raise ValueError, saying what is lacking, unless `kind` is a class that keeps the contract of strategies."""
    of = "" if offered_by is None else f" of {offered_by}"
    if not isinstance(kind, type):
        raise ValueError(f"the strategy {kind!r:.100}{of} is not a class; give the class, not one search by it")
    title = f"the strategy {getattr(kind, '__qualname__', kind)!r}{of}"
    for name, wanted in _ATTRIBUTES.items():
        if not isinstance(value := getattr(kind, name, None), wanted):
            told = f"allowed: {wanted.__name__}, as in elsa_nb.search.contract.RegisteredStrategy"
            raise ValueError(f"{title} has {name} = {value!r}; {told}")
    if strange := set(kind.needs) - set(_NEEDS):
        raise ValueError(f"{title} needs {strange.pop()!r}; allowed: {', '.join(_NEEDS)}")
    if lacking := [name for name in _MEMBERS if not hasattr(kind, name)]:
        raise ValueError(f"{title} lacks {', '.join(lacking)}: see elsa_nb.search.contract.RegisteredStrategy")
    if not slug(kind.name).strip("-"):
        raise ValueError(f"{title} has name = {kind.name!r}; give it one that commands can take")
    if not is_dataclass(kind.config_class):
        allowed = "a frozen dataclass whose defaults are the strategy's"
        raise ValueError(f"{title} has config_class = {kind.config_class!r:.60}; allowed: {allowed}")
    numbered = all(isinstance(at, Integral) and at in range(MOST_COMPONENTS) for at in kind.components)
    if not numbered or not all(isinstance(part, str) for part in kind.components.values()):
        allowed = f"numbers from 0 to {MOST_COMPONENTS - 1}, each with the name of a part"
        raise ValueError(f"{title} has components = {dict(kind.components)!r:.60}; allowed: {allowed}")
    if not _COLOUR.fullmatch(kind.colour):
        raise ValueError(f'{title} has colour = {kind.colour!r:.60}; allowed: "#rrggbb", such as "#444444"')


def _offered() -> list[tuple[Any, str]]:
    found = []
    for point in entry_points(group=GROUP):
        package = point.dist.name if point.dist else "an installed package"
        try:
            found.append((point.load(), package))
        except (Exception, SystemExit) as error:  # other people's code may fail in any way, or exit, on import
            told = f"{point.value}: {str(error) or type(error).__name__}"
            raise ValueError(
                f"the strategy {point.name!r} of {package} cannot be loaded ({told}): mend or remove it"
            ) from error
    return found
