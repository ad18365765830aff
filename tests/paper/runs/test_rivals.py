"""Rivals on prepared vectors: each is its strategy, with its own configuration, in vectors of length 1."""

from types import SimpleNamespace

import numpy as np
import pytest

from elsa_nb.paper.runs import simulation
from elsa_nb.paper.runs.grid import RIVAL, Setting, Sweep, strategy_of
from elsa_nb.paper.runs.rivals import ARM_TITLES, PREPARED_RIVALS
from elsa_nb.pool import Pool
from elsa_nb.prepared import Prepared
from elsa_nb.search.heads.features import Features
from elsa_nb.search.strategies.registry import begin, strategies

POSITIVE = np.arange(300) < 40


def place_of(vectors):
    pool = Pool.from_arrays(vectors)
    base = Prepared(pool)
    return SimpleNamespace(prepared=lambda build=True: base, dataset="small")


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    made = rng.normal(size=(len(POSITIVE), 8))
    made[POSITIVE, 0] += 2
    return made.astype(np.float32)


def setting(arm):
    return Setting("s", RIVAL, "e", "projection", arm, "class", 3, 0)


def log_of(arm, vectors):
    return simulation.run_searches([setting(arm)], place_of(vectors), POSITIVE)[0]["log_sha256"]


@pytest.mark.parametrize("arm", PREPARED_RIVALS)
def test_only_the_direction_of_a_vector_counts(arm, vectors):
    """Powers of two change no digit, so vectors of one direction are prepared to the same bits."""
    lengths = 2.0 ** np.random.default_rng(1).integers(-6, 7, len(vectors))
    longer = (vectors * lengths[:, None]).astype(np.float32)
    assert log_of(arm, vectors) == log_of(arm, longer)
    raw = strategy_of(arm).name
    assert log_of(raw, vectors) != log_of(raw, longer)


@pytest.mark.parametrize("arm", PREPARED_RIVALS)
def test_it_is_the_search_of_its_strategy_and_configuration(arm, vectors):
    kind, config = PREPARED_RIVALS[arm]
    shared = simulation.Shared.of(setting(arm), place_of(vectors), POSITIVE, [config])
    search, _, seeds = simulation._search(setting(arm), setting(arm).config, shared)
    assert (type(search), search.config) == (kind, config)
    assert config != kind.config_class()
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    rng = np.random.default_rng(setting(arm).seed_sequence.spawn(3)[1])
    alone = begin(kind, shared.base.pool, seeds, config=config, rng=rng, features=Features(directions))
    for _ in range(5):
        batch, other = search.query(), alone.query()
        assert batch.rows.tolist() == other.rows.tolist()
        for one in (search, alone):
            one.update(POSITIVE[batch.rows].astype(int))


def test_no_name_stands_for_two_rivals():
    assert not PREPARED_RIVALS.keys() & strategies().keys()
    assert not set(ARM_TITLES.values()) & (PREPARED_RIVALS.keys() | strategies().keys())
    assert ARM_TITLES.keys() <= strategies().keys()


def test_a_rival_that_is_not_known_is_told_with_all_that_are():
    with pytest.raises(ValueError, match=r"'Greedy probe, raw' is not known; allowed: .*'Greedy probe, prepared'"):
        Sweep("s", ("e",), rivals=("Greedy probe, raw",))
