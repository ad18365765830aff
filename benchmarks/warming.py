"""What a process loads or compiles once is not part of a round."""

import numpy as np

from elsa_nb.pool import Pool
from elsa_nb.search.elsa import ELSA, Search
from elsa_nb.search.heads.features import Features
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.oracle import Truth, simulate, simulate_together
from elsa_nb.search.readings import RELEASED_CODE


def warm_up(dtype: str = "float32") -> None:
    """Run a few searches in a tiny pool, so that everything compiled is compiled and loaded."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((400, 16)).astype(dtype)
    vectors[:60] += 3
    pool, truth = Pool.from_arrays(vectors), Truth(np.arange(400) < 60)
    neighbours, features = Neighbours(pool.vectors, k=16).build(progress=False), Features(pool.vectors)
    neighbours.exact(np.arange(3), 20)
    made = [
        Search(pool, [0, 1], config=config, rng=np.random.default_rng(0), neighbours=neighbours, features=features)
        for config in (ELSA, ELSA, RELEASED_CODE)
    ]
    simulate(made[0], truth)
    simulate_together(made[1:], [truth, truth])
