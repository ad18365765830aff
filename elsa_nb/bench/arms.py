"""What is compared: strategies, each with its own preparation of the pool.

`ARMS` are those of `elsa-nb bench`: the strategies known by name, ours with their best preparation, and ELSA in the
paper's reading, with its neighbours alone as well. `equal_budgets` of the benchmarks adds parts and rivals.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from elsa_nb.pool import Pool
from elsa_nb.prepared import Prepared
from elsa_nb.search.contract import RegisteredStrategy, Strategy
from elsa_nb.search.elsa import Search
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.heads.large_rows import LargeRows
from elsa_nb.search.heads.prepared_rows import DIMENSIONS, POWER, PreparedRows
from elsa_nb.search.readings import READINGS
from elsa_nb.search.strategies.greedy_probe import FIRM, GreedyProbe, ProbeConfig
from elsa_nb.search.strategies.harvest import Harvest, HarvestConfig
from elsa_nb.search.strategies.registry import OURS, begin, strategies
from elsa_nb.search.version import SEARCH

Seeds = np.ndarray
Arm = Callable[["Spaces", Seeds, int, np.random.Generator], Strategy]  # from spaces, seeds, budget and randomness


class Spaces(Prepared):
    """A pool, or several of the same items, and what the arms need of it, each made when first asked for."""

    def __init__(self, *pools: Pool):
        super().__init__(pools[0])
        self.pools = pools
        self._rows: dict[tuple[float, bool, int], PreparedRows | LargeRows] = {}

    def rows(self, power: float = POWER, standardise: bool = True, encoders: int = 1) -> PreparedRows | LargeRows:
        """Return prepared rows, of the first or of more pools."""
        asked = power, standardise, encoders
        if asked == (POWER, True, 1):
            return self.prepared_rows
        if asked not in self._rows:
            if encoders == 1:
                made = PreparedRows.of_pool(self.pool, power=power, standardise=standardise)
            else:
                vectors = [pool.vectors for pool in self.pools[:encoders]]
                made = PreparedRows.of(*vectors, power=power, standardise=standardise)
            self._rows[asked] = made
        return self._rows[asked]

    @cached_property
    def features(self) -> Features:
        """The vectors as a head sees them, decoded once, and scored on the processor whatever `ELSA_DEVICE` says."""
        return Features(np.asarray(self.pool.vectors, np.float32))

    @cached_property
    def unit_features(self) -> Features:
        """A head's features of vectors of unit length, those of several encoders side by side as one vector."""
        vectors = np.asarray(self.pool.vectors, np.float32)
        return Features(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def probe(unit: bool, l2: float = 1.0) -> Arm:
    """Return a greedy probe on vectors as they are, or of unit length."""

    def of(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> GreedyProbe:
        config = ProbeConfig(budget=budget, head=HeadConfig(l2=l2))
        features = spaces.unit_features if unit else spaces.features
        return GreedyProbe(spaces.pool, seeds, config=config, rng=rng, features=features)

    return of


def harvest(prepared: Mapping[str, Any] | None = None, **changed: Any) -> Arm:
    """Return Harvest, with other preparation or other constants."""

    def of(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Harvest:
        config = HarvestConfig(budget=budget, **changed)
        return Harvest(spaces.pool, seeds, config=config, rng=rng, prepared_rows=spaces.rows(**prepared or {}))

    return of


def elsa(arm: str, reading: str = "paper") -> Arm:
    """Return an arm of ELSA, searching the vectors as they are.

    ELSA has no budget of its own: the caller stops it, and does not count what the last round asks beyond the budget.
    """

    def of(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Search:
        return Search(spaces.pool, seeds, config=READINGS[reading][arm], rng=rng, **spaces.needed_by(Search))

    return of


def registered(kind: type[RegisteredStrategy]) -> Arm:
    """Return a strategy of another package as it is by default, with the budget where it has one."""

    def of(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Strategy:
        config = kind.config_class()
        if "budget" in {each.name for each in fields(config)}:
            config = replace(config, budget=budget)
        return begin(kind, spaces.pool, seeds, config=config, rng=rng, **spaces.needed_by(kind))

    return of


def known_arms() -> dict[str, Arm]:
    """Return what `elsa-nb bench` compares, by name."""
    ours = {Harvest.name: harvest(), GreedyProbe.name: probe(unit=True, l2=FIRM)}
    ours |= {name: elsa(name) for name in ("ELSA", "NN.Large")}
    return ours | {name: registered(kind) for name, kind in strategies().items() if kind not in OURS}


def arm_preparations() -> dict[str, str]:
    """Return in words, for each of `known_arms`, how the vectors are prepared for it."""
    rows = (
        f"prepared rows (each column standardised, at most {DIMENSIONS} principal axes, each divided by its eigenvalue "
        f"to the power {POWER:g}, then length 1)"
    )
    made = {"prepared_rows": rows, "features": "vectors as they are", "neighbours": "neighbours among them as they are"}
    ours = {Harvest.name: rows, GreedyProbe.name: f"vectors brought to length 1, l2 = {FIRM:g}"}
    ours |= dict.fromkeys(("ELSA", "NN.Large"), "vectors as they are")
    others = {name: kind for name, kind in strategies().items() if kind not in OURS}
    return ours | {
        name: ", ".join(made[each] for each in kind.needs) or "the pool as it is" for name, kind in others.items()
    }


def arm_versions() -> dict[str, str]:
    """Return, for each of `known_arms`, the versions its searches are valid for: that of all searches, and its own."""
    kinds = {**strategies(), "NN.Large": Search}
    return {name: f"{SEARCH}.{kinds[name].version}" for name in known_arms()}
