"""ELSA, and its neighbours alone, in the prepared rows of Harvest: methods of the paper, prepared like their rivals."""

import warnings
from functools import lru_cache

import numpy as np

from elsa_nb.bench.arms import Arm, Seeds, Spaces, elsa
from elsa_nb.pool import Pool
from elsa_nb.search.elsa import Search


def elsa_prepared(arm: str) -> Arm:
    """Return an arm of ELSA in the paper's reading that searches prepared rows instead of vectors as they are."""
    search = elsa(arm)

    def of(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Search:
        return search(prepared(spaces), seeds, budget, rng)

    return of


@lru_cache(maxsize=1)
def prepared(spaces: Spaces) -> Spaces:
    """Return the prepared rows of a pool as the vectors of a pool, once for all searches."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that some rows are equal was said of the vectors
        return Spaces(Pool.from_arrays(spaces.rows().vectors, spaces.pool.ids))
