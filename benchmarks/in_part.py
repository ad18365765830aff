"""Harvest as it searches large pools, in pools that it could look at whole: what looking at few rows closely costs."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from elsa_nb.bench.arms import Arm, Seeds, Spaces
from elsa_nb.pool import Pool
from elsa_nb.prepared import rows_on_disk
from elsa_nb.search.heads.large_rows import LargeRows
from elsa_nb.search.strategies.harvest import Harvest, HarvestConfig


def in_part(share: float) -> Arm:
    """Return Harvest that looks closely at this share of the pool only, as it does in a large pool."""

    def of(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Harvest:
        rows = rows_in_part(spaces.pool, share)
        return Harvest(spaces.pool, seeds, config=HarvestConfig(budget=budget), rng=rng, prepared_rows=rows)

    return of


@lru_cache(maxsize=2)
def rows_in_part(pool: Pool, share: float) -> LargeRows:
    """Return rows of a pool that are on disk and looked at in part, however few they are."""
    return replace(rows_on_disk(pool), shortlist=round(share * pool.n))
