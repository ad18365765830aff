"""Searches to compare programs on: fifty from the protocol, with their classes, seeds and Generators."""

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.synthetic import Clustered
from elsa_nb.images.sources.glyphs import Glyphs
from elsa_nb.paper.experiments.catalogue import sweep
from elsa_nb.paper.runs.grid import Setting
from elsa_nb.paper.runs.place import Place
from elsa_nb.paper.runs.simulation import draw_seeds
from elsa_nb.pool import Pool
from elsa_nb.search.elsa import Search
from elsa_nb.search.heads.features import Features
from elsa_nb.search.neighbours.lists import Neighbours

ENCODER = "vicreg"


@dataclass(frozen=True, eq=False)
class Ground:
    """What searches run on: a pool, its neighbour lists, and for each reading what its head sees."""

    pool: Pool
    neighbours: Neighbours
    features: dict[str, Features]
    labels: np.ndarray
    settings: tuple[Setting, ...]

    def positive(self, setting: Setting) -> np.ndarray:
        """Return which rows belong to the class searched for."""
        return np.asarray(self.labels == setting.target)

    def start(self, setting: Setting) -> tuple[np.ndarray, np.random.Generator]:
        """Return the seeds (rows) and the Generator of a search, as the runner draws them."""
        for_seeds, for_search = setting.seed_sequence.spawn(2)
        rng = np.random.default_rng(for_seeds)
        seeds = draw_seeds(self.positive(setting), setting.seeds, rng, setting.target)
        return seeds, np.random.default_rng(for_search)

    def search(self, setting: Setting) -> Search:
        """Return the package's search of a setting."""
        seeds, rng = self.start(setting)
        features = self.features[setting.reading]
        return Search(self.pool, seeds, config=setting.config, rng=rng, neighbours=self.neighbours, features=features)


def bundled() -> Ground:
    """Return the bundled pool with ten searches in each of five classes and both readings: fifty per reading.

    Each class takes every second cell of the grid of arms and seeds, like the fields of a chessboard, so that every
    arm and every number of seeds has its share.
    """
    names, plan = Glyphs.open().labels["name"], sweep("components", "full")
    place = Place.of("full", ENCODER, "projection")
    base = place.prepared()
    features = {"paper": base.features, "released-code": place.in_embedding.features()}
    settings = [
        Setting(plan.name, reading, ENCODER, plan.space, arm, target, seeds, 0)
        for reading in plan.readings
        for c, target in enumerate(plan.classes(names)[:5])
        for s, seeds in enumerate(plan.seeds)
        for a, arm in enumerate(plan.arms)
        if (a + s + c) % 2 == 0
    ]
    return Ground(base.pool, base.neighbours, features, names.to_numpy(), tuple(settings))


def synthetic() -> Ground:
    """Return a small pool with a few searches, for a smoke run."""
    vectors, labels = Clustered(3000, 16, classes=12).arrays()
    pool, plan = Pool.from_arrays(vectors), sweep("components", "quick")
    features = dict.fromkeys(plan.readings, Features(pool.vectors))
    blank = Setting(plan.name, "", ENCODER, plan.space, "", "0", 0, 0)
    settings = [
        replace(blank, reading=reading, arm=arm, seeds=seeds)
        for reading in plan.readings
        for arm in plan.arms
        for seeds in (5,)
    ]
    neighbours = Neighbours(pool.vectors, k=64).build(progress=False)
    return Ground(pool, neighbours, features, labels.astype(str), tuple(settings))
