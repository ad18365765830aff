"""The nearest prepared rows of every row: rivals that walk from row to row share these lists, which take longest."""

from functools import lru_cache

import numpy as np

from elsa_nb.bench.arms import Spaces
from elsa_nb.search.neighbours.lists import Neighbours

REACH = 200  # of the rival that looks farthest; the others take the first rows of a list


@lru_cache(maxsize=1)
def near_rows(spaces: Spaces) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, REACH) row numbers, nearest first, and their squared distances; made once for all searches."""
    return Neighbours(spaces.rows().vectors, k=REACH).build().lists
