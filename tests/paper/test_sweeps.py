"""The grids: what is searched, from which seeds, and that a quick run is a part of the full one."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.simulation import draw_seeds
from elsa_nb.paper.sweeps import PROBE, SWEEPS, Setting, sweep


@pytest.fixture
def names():
    return pd.Series(np.repeat([f"class {i:02}" for i in range(60)], 120))


def test_full_is_the_papers_protocol():
    full = sweep("components", "full")
    assert full.seeds == (1, 2, 5, 10, 50)
    assert (full.n_classes, full.repeats, full.space) == (50, 5, "projection")
    assert full.arms == ("ELSA", "No Active", "NN", "NN.Large")
    assert full.readings == ("paper", "released-code")


def test_quick_searches_are_among_the_full_ones(names):
    quick = {s for unit in sweep("components", "quick").units(names) for s in unit}
    full = {s for unit in sweep("components", "full").units(names) for s in unit}
    assert quick < full
    assert len({s.target for s in quick}) >= 5
    assert len({s.seeds for s in quick}) >= 3
    assert len(full) == 50 * 2 * 5 * (5 * 4 * 2 + 1)


def test_arms_encoders_and_readings_share_their_seeds_and_nothing_else_does(names):
    searches = [s for unit in sweep("components", "quick").units(names) for s in unit]
    states = {}
    for s in searches:
        states.setdefault((s.target, s.seeds, s.repeat), set()).add(tuple(s.seed_sequence.generate_state(4)))
    assert all(len(of_one) == 1 for of_one in states.values())
    assert len(set.union(*states.values())) == len(states)


def test_the_seeding_is_that_of_the_committed_results():
    """Stored results are not told apart by how they were seeded: who changes this runs `full` again."""
    setting = Setting("components", "paper", "vicreg", "projection", "ELSA", "SOLIDUS", seeds=5, repeat=1)
    for_seeds, for_search = setting.seed_sequence.spawn(2)
    assert for_search.generate_state(2).tolist() == [1372417282, 16585903]
    every_seventh = np.arange(1000) % 7 == 0
    drawn = draw_seeds(every_seventh, 5, np.random.default_rng(for_seeds), "SOLIDUS")
    assert drawn.tolist() == [574, 140, 175, 70, 189]


def test_classes_are_a_fixed_choice_among_the_large_enough(names):
    small = pd.concat([names, pd.Series(["rare"] * 99)], ignore_index=True)
    chosen = sweep("components", "full").classes(small)
    assert len(set(chosen)) == 50
    assert "rare" not in chosen
    assert chosen == sweep("components", "full").classes(small.sample(frac=1, random_state=1))
    assert chosen[:6] == sweep("components", "quick").classes(small)


def test_a_pool_with_too_few_classes_is_refused():
    with pytest.raises(ValueError, match="wants 6 classes of 100 or more images; the pool has 1"):
        sweep("components", "quick").classes(pd.Series(["a"] * 200))


def test_the_probe_runs_once_not_once_a_reading(names):
    unit = next(iter(sweep("components", "quick").units(names)))
    assert [s.reading for s in unit if s.arm == PROBE] == ["rival"]


@pytest.mark.parametrize(
    ("name", "profile", "sentence"),
    [
        ("component", "quick", "sweep 'component' is not known; allowed: components"),
        ("components", "fast", "allowed: quick"),
    ],
)
def test_unknown_names_are_refused(name, profile, sentence):
    with pytest.raises(ValueError, match=sentence):
        sweep(name, profile)


def test_sweeps_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SWEEPS["components"]["full"].repeats = 1
