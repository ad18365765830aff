"""Simulated searches, from their settings to one row of results each."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np

from elsa_nb.paper.sweeps import PROBE, Setting
from elsa_nb.pool import Pool
from elsa_nb.prepared import Prepared, prepare
from elsa_nb.profiles import profile
from elsa_nb.search import metrics
from elsa_nb.search.contract import Component, Log, Strategy
from elsa_nb.search.elsa import Search
from elsa_nb.search.features import Features
from elsa_nb.search.oracle import Truth, simulate_together
from elsa_nb.search.rivals import GreedyProbe

# Numbers of labels at which discovery is stored: 1, 2, 3 ... finely at first, to 50,000.
BUDGETS = np.unique(np.round(np.geomspace(1, 50_000, 80)).astype(int))


@lru_cache(maxsize=4)
def prepared(profile_name: str, encoder: str, space: str) -> Prepared:
    """Return the pool of an encoder and space, opened once a process; `runner` has verified it before."""
    return prepare(profile(profile_name).pool(encoder, space), verify=False)


@lru_cache(maxsize=4)
def embedding(profile_name: str, encoder: str) -> Features:
    """Return the features of an encoder's embedding, for heads that do not see the space searched."""
    return Features(Pool.open(profile(profile_name).pool(encoder, "embedding"), verify=False).vectors)


def run_searches(settings: Sequence[Setting], profile_name: str, positive: np.ndarray) -> list[dict[str, Any]]:
    """Run searches for one class to their ends, side by side; return their rows of results, one a setting.

    `positive` (n,) bool is the class. The rows do not depend on which searches run together, but for `seconds`: the
    time of all, divided by their number.
    """
    started = time.perf_counter()
    searches, seeds = zip(*(_search(setting, profile_name, positive) for setting in settings), strict=True)
    logs = simulate_together(searches, [Truth(positive)] * len(searches))
    seconds = (time.perf_counter() - started) / len(settings)
    base = [prepared(profile_name, setting.encoder, setting.space).pool for setting in settings]
    return [
        {
            **asdict(setting),
            "class_size": int(positive.sum()),
            "pool_size": len(positive),
            **_measures(log, positive, given),
            "log_sha256": log_hash(log),
            "config": json.dumps(asdict(setting.config), sort_keys=True),
            "seed": "/".join(map(str, (setting.sweep, setting.target, setting.seeds, setting.repeat))),
            "pool_recipe": pool.recipe,
            "pool_sha256": pool.sha256,
            "seconds": seconds,
        }
        for setting, log, given, pool in zip(settings, logs, seeds, base, strict=True)
    ]


def _search(setting: Setting, profile_name: str, positive: np.ndarray) -> tuple[Strategy, np.ndarray]:
    """Return the search of a setting, ready to begin, and its seeds."""
    base = prepared(profile_name, setting.encoder, setting.space)
    for_seeds, for_search = setting.seed_sequence.spawn(2)
    seeds = draw_seeds(positive, setting.seeds, np.random.default_rng(for_seeds), setting.target)
    rng = np.random.default_rng(for_search)
    if setting.arm == PROBE:
        return GreedyProbe(base.pool, seeds, config=setting.config, rng=rng, features=base.features), seeds
    features = base.features if setting.config.head_space == "search" else embedding(profile_name, setting.encoder)
    config = setting.config
    return Search(base.pool, seeds, config=config, rng=rng, neighbours=base.neighbours, features=features), seeds


def draw_seeds(positive: np.ndarray, count: int, rng: np.random.Generator, target: str) -> np.ndarray:
    """Return `count` random members of the class as row numbers; ValueError if it has not that many."""
    members = np.flatnonzero(positive)
    if len(members) < count:
        raise ValueError(f"class {target!r} has {len(members)} images; {count} seeds were asked for: take fewer seeds")
    return rng.choice(members, size=count, replace=False)


def log_hash(log: Log) -> str:
    """Return a SHA-256 over the log: equal logs, equal hashes, on every machine."""
    digest = hashlib.sha256()
    for array, dtype in zip(log, ("<i8", "<i1", "<i1", "<i2"), strict=True):
        digest.update(np.ascontiguousarray(array, dtype).tobytes())
    return digest.hexdigest()


def _measures(log: Log, positive: np.ndarray, seeds: np.ndarray) -> dict[str, Any]:
    """Return the measures with the seeds counted (as the paper's) and without, and what each component did."""
    found = metrics.finds(log.rows, positive, seeds)
    fresh = metrics.finds(log.rows, positive, seeds, count_seeds=False)
    n = int(positive.sum())
    row: dict[str, Any] = {
        "labels": len(found),
        "found": int(found.sum()),
        "discovery_rate": metrics.discovery_rate(found, n),
        "labelling_efficiency": metrics.labelling_efficiency(found),
        "labels_without_seeds": len(fresh),
        "discovery_rate_without_seeds": metrics.discovery_rate(fresh, n - len(seeds)),
        "labelling_efficiency_without_seeds": metrics.labelling_efficiency(fresh),
        "rounds": int(log.rounds.max()) + 1 if len(log.rounds) else 0,
        "discovery_at": metrics.discovery_curve(found, n, BUDGETS).tolist(),
    }
    asked = len(found) - len(log.rows)  # seeds that were not asked again come first
    for component in Component:
        of_it = log.components == component
        row[f"{component.name.lower()}_labels"] = int(of_it.sum())
        row[f"{component.name.lower()}_found"] = int(found[asked:][of_it].sum())
    return row
