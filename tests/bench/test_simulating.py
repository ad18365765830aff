"""One search of a comparison: what it begins with, and what decides that."""

import gc
import weakref

import numpy as np
import pytest

from elsa_nb.bench.arms import Spaces, known_arms
from elsa_nb.bench.simulating import search_once
from elsa_nb.search.contract import Batch
from elsa_nb.search.strategies.greedy_probe import GreedyProbe


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


def test_what_a_space_has_made_goes_with_it(spaces):
    own = Spaces(spaces.pool)
    assert own.rows(power=0.0) is own.rows(power=0.0)
    assert own.rows() is own.rows()
    assert own.unit_features is own.unit_features
    gone = weakref.ref(own)
    del own
    gc.collect()
    assert gone() is None


class Endless(GreedyProbe):
    """Ask once, and then no rows, over and over, in place of saying that it is the end."""

    def query(self, logits=None):
        if not len(self.log.rows):
            return super().query(logits)
        return self._ledger.ask(Batch(np.empty(0, np.int64), np.empty(0, np.int8), self._round))


@pytest.mark.timeout(60)
def test_a_strategy_that_asks_no_rows_and_does_not_end_is_not_asked_for_ever(spaces):
    def arm(spaces, seeds, budget, rng):
        return Endless(spaces.pool, seeds, rng=rng)

    with pytest.raises(ValueError, match=r"query\(\) of Endless gives a batch of no rows; allowed: .*, or None"):
        search_once(arm, spaces, "x", np.arange(30), seeds=3, repeat=0, budget=200)
