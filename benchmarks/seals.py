"""SEALS (Coleman et al., AAAI 2022) as a rival: of the neighbours of everything labelled, ask the likeliest.

Its model is the greedy probe, well prepared; its neighbours are near in the prepared rows of Harvest. The paper's
other rule, MaxEnt, asks those whose class is least sure: of two classes, those with the smallest log-odds.
"""

from typing import Any

import numpy as np

from benchmarks.near_rows import near_rows
from elsa_nb.bench.arms import Arm, Seeds, Spaces
from elsa_nb.search.contract import Batch, Component
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.highest import highest
from elsa_nb.search.strategies.greedy_probe import FIRM, GreedyProbe, ProbeConfig

NEAREST = 100  # of each labelled row, as in the paper


class Seals(GreedyProbe):
    """A greedy probe that ranks the `NEAREST` neighbours of labelled rows only; all rows where they are all asked."""

    name = "SEALS"

    def __init__(self, *given: Any, lists: np.ndarray, least_sure: bool = False, **named: Any):
        super().__init__(*given, **named)
        self._lists, self._least_sure = lists, least_sure
        self._near = np.zeros(len(self.pool.vectors), bool)
        self._add(self._ledger.seeds)

    def query(self, logits: np.ndarray | None = None) -> Batch | None:
        """Return the likeliest of the candidates, or the least sure; None when the budget or the pool is spent."""
        self._ledger.check_query(logits)
        if (scored := self.head_to_score()) is None:
            return None
        candidates = self._near & self._ledger.unasked
        if not candidates.any():
            candidates = self._ledger.unasked
        scores = scored[0].logits(scored[1]) if logits is None else logits
        rows = highest(-np.abs(scores) if self._least_sure else scores, self.largest_batch(), candidates)
        self._add(rows)
        return self._ledger.ask(Batch(rows, np.full(len(rows), Component.PROBE, np.int8), self._round))

    def _add(self, rows: np.ndarray) -> None:
        """Make candidates of the neighbours of rows that are labelled, or about to be."""
        self._near[self._lists[rows].ravel()] = True


def seals(least_sure: bool = False) -> Arm:
    """Return an arm of SEALS, by the likeliest or by MaxEnt."""

    def of(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Seals:
        config = ProbeConfig(budget=budget, head=HeadConfig(l2=FIRM))
        shared = {"features": spaces.unit_features, "lists": near_rows(spaces)[0][:, :NEAREST]}
        return Seals(spaces.pool, seeds, config=config, rng=rng, least_sure=least_sure, **shared)

    return of
