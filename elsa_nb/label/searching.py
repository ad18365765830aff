"""Which search asks: a strategy by its name, in vectors as they are or brought to one length.

`jobs.open_panel` asks for one. The default is Harvest: on texts and letters it needs fewer labels than the greedy probe
by direction with a firm penalty, and on Food-101 the two cannot be told apart (notebook 18). A session goes on with the
strategy it was last opened with.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from elsa_nb.option_names import option_named
from elsa_nb.pool import Pool
from elsa_nb.prepared import MOST_LOOKED_AT, Prepared, prepared_rows
from elsa_nb.search.contract import RegisteredStrategy, Strategy
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.strategies import registry
from elsa_nb.search.strategies.greedy_probe import FIRM, GreedyProbe
from elsa_nb.search.strategies.harvest import Harvest
from elsa_nb.side_by_side import by_direction

DEFAULT = "harvest"
BEFORE = "greedy-probe"  # the default of sessions that do not say what they began with
# What a search takes for near: vectors of one direction ("cosine"), or points of small distance ("euclidean").
METRICS = ("cosine", "euclidean")
_METRIC = {"elsa": "euclidean"}  # the paper's; all others by direction


def search_from(
    pool: Pool, name: str = DEFAULT, *, metric: str | None = None, budget: int | None = None
) -> Callable[[Sequence[int] | np.ndarray], Strategy]:
    """Return what makes a search from seeds (rows of `pool`) by the strategy called `name`.

    `metric` is one of `METRICS` (default: the strategy's), `budget` the most labels it asks for (default: all rows, of
    the strategies of this package: a person stops when it is enough). What searches share is made once, now. Raises
    ValueError for an unknown name or metric, and for a budget that does not fit.
    """
    kind, config, metric = check(name, metric=metric, budget=budget)
    if budget is None and kind in (Harvest, GreedyProbe):
        config = dataclasses.replace(config, budget=pool.n)  # what they have by default is for comparisons
    one_length, mapped = metric == "cosine", _stays_on_disk(pool, kind)
    searched = by_direction(pool) if one_length and not mapped else pool
    if mapped:
        made = {"prepared_rows": prepared_rows(pool, one_length=one_length)}
    else:
        made = Prepared(searched).needed_by(kind)
    return lambda seeds: registry.begin(kind, searched, seeds, config=config, rng=np.random.default_rng(0), **made)


def make_ready(pool: Pool, name: str = DEFAULT, *, metric: str | None = None) -> None:
    """Make what a search in a large pool reads from the disk, with a bar: a page would show nothing for minutes."""
    kind, _, metric = check(name, metric=metric)
    if _stays_on_disk(pool, kind):
        prepared_rows(pool, one_length=metric == "cosine", verify=False)


def _stays_on_disk(pool: Pool, kind: type[RegisteredStrategy]) -> bool:
    """Whether the pool is large and only its prepared rows are needed: it is read in blocks, and not copied."""
    return pool.n > MOST_LOOKED_AT and tuple(kind.needs) == ("prepared_rows",)


def check(
    name: str, *, metric: str | None = None, budget: int | None = None
) -> tuple[type[RegisteredStrategy], Any, str]:
    """Return the strategy, its configuration and the metric that the arguments of `search_from` mean, or raise."""
    kind = registry.strategy(name)
    metric = _METRIC.get(registry.slug(kind.name), "cosine") if metric is None else metric
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}; allowed: {', '.join(METRICS)}.")
    config = kind.config_class()
    if kind is GreedyProbe and metric == "cosine":
        config = dataclasses.replace(config, head=HeadConfig(l2=FIRM))
    if budget is not None:
        if "budget" not in {each.name for each in dataclasses.fields(config)}:
            out = f"Leave {option_named('budget')} out"
            raise ValueError(f"the strategy {name} has no budget: it ends by itself. {out}.")
        config = dataclasses.replace(config, budget=budget)
    return kind, config, metric
