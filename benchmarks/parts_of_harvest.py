"""Harvest without parts that no setting of it switches off: what they are worth."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from elsa_nb.bench.arms import Seeds, Spaces
from elsa_nb.search.contract import Batch
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.highest import highest
from elsa_nb.search.strategies.harvest import LINE, Harvest, HarvestConfig


class UnscaledHarvest(Harvest):
    """Harvest that adds up the log-odds of line and neighbourhood as they are, not in standard deviations."""

    def query(self, logits: np.ndarray | None = None) -> Batch | None:
        """Return the unasked rows of highest sum; None at the end."""
        self._ledger.check_query(logits)
        if (scored := self.head_to_score()) is None:
            return None
        turns = self._turns()
        logits = scored[0].logits(self._rows) if logits is None else logits
        _, _, line, near = self._looked_at(scored[0], logits, turns)
        rows = highest(line + near, self.largest_batch(), turns[0])
        return self._ledger.ask(Batch(rows, np.full(len(rows), LINE, np.int8), self._round))


def unscaled(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Harvest:
    """Return a search that adds up log-odds. It ends where only equals of refused rows are left."""
    return UnscaledHarvest(
        spaces.pool, seeds, config=HarvestConfig(budget=budget), rng=rng, prepared_rows=spaces.rows()
    )


def equals_asked(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Harvest:
    """Return Harvest that asks equal rows like all others, each for itself."""
    rows = without_twins(spaces)
    return Harvest(spaces.pool, seeds, config=HarvestConfig(budget=budget), rng=rng, prepared_rows=rows)


@lru_cache(maxsize=1)
def without_twins(spaces: Spaces) -> PreparedRows:
    """Return the prepared rows as if no two were equal."""
    none = np.empty(0, np.int64)
    return replace(spaces.rows(), twins=none, twin_groups=none)
