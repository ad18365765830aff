"""One search of a comparison: what it begins with, and what decides that."""

import numpy as np
import pytest

from elsa_nb.bench.arms import Spaces, known_arms
from elsa_nb.bench.simulating import search_once
from elsa_nb.pool import Pool


@pytest.fixture(scope="module")
def spaces():
    """Thirty members of a class in the middle of 300 others."""
    vectors = np.random.default_rng(0).normal(size=(330, 8)).astype(np.float32)
    vectors[:30, 0] += 5
    return Spaces(Pool.from_arrays(vectors))


def test_every_arm_begins_with_the_same_members_and_other_ones_in_each_repeat(spaces):
    begun = {}
    for name, arm in known_arms().items():
        for repeat in (0, 1):

            def noted(spaces, seeds, budget, rng, arm=arm, key=(name, repeat)):
                begun[key] = seeds.tolist()
                return arm(spaces, seeds, budget, rng)

            told, found = search_once(noted, spaces, "x", np.arange(30), seeds=3, repeat=repeat, budget=20)
            assert found[:3].all() and told["rounds"] >= 1
    for repeat in (0, 1):
        assert len({tuple(seeds) for (_, of), seeds in begun.items() if of == repeat}) == 1
    assert begun["Harvest", 0] != begun["Harvest", 1]
    assert all(0 <= seed < 30 for seeds in begun.values() for seed in seeds)
