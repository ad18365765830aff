"""Simulated searches, from their settings to one row of results each."""

import hashlib
import io
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from elsa_nb.paper.runs.grid import Setting, strategy_of
from elsa_nb.paper.runs.place import Place
from elsa_nb.paper.runs.rivals import PREPARED_RIVALS
from elsa_nb.paper.runs.thinning import absent_rows, thinned
from elsa_nb.prepared import Prepared
from elsa_nb.search import metrics
from elsa_nb.search.contract import Component, Log, Strategy
from elsa_nb.search.heads.features import Features
from elsa_nb.search.oracle import Flipped, Oracle, Truth, simulate_together
from elsa_nb.search.strategies.registry import begin
from elsa_nb.threads import one_thread

# Numbers of labels at which discovery is stored: 1, 2, 3 ... finely at first, to 50,000.
BUDGETS = np.unique(np.round(np.geomspace(1, 50_000, 80)).astype(int))


@dataclass(frozen=True, eq=False)
class Shared:
    """What the searches of one unit share: the pool, the embedding's features if a head sees them, and the truth."""

    base: Prepared
    embedding: Features | None
    positive: np.ndarray  # (n,) bool: the class

    @classmethod
    def of(cls, setting: Setting, place: Place, positive: np.ndarray, configs: Sequence[Any]) -> "Shared":
        """Return what searches of one class in one pool share, `setting` among them; `positive` (n,) is of all rows."""
        base = place.prepared(build=False)
        seen = any(getattr(config, "head_space", "search") == "embedding" for config in configs)
        features = place.in_embedding.features() if seen else None
        if not setting.share:
            return cls(base, features, positive)
        absent = absent_rows(positive, setting.share, setting.target)
        if features is not None:
            features = Features(np.delete(features.vectors, absent, axis=0))
        return cls(thinned(base, absent), features, np.delete(positive, absent))


def run_unit(settings: Sequence[Setting], place: Place, configs: Sequence[Any] | None = None) -> list[dict[str, Any]]:
    """Run the searches of one unit, one class in one pool, on one core; see `run_searches`."""
    with one_thread():
        positive = (place.class_names == settings[0].target).to_numpy()
        return run_searches(settings, place, positive, configs)


def run_searches(
    settings: Sequence[Setting], place: Place, positive: np.ndarray, configs: Sequence[Any] | None = None
) -> list[dict[str, Any]]:
    """Run searches for one class in one pool to their ends, side by side; return one row of results per setting.

    `positive` (n,) bool is the class, before any thinning; `configs` are those of the settings unless given. Neighbour
    lists that are not there are done without: whoever begins many searches makes them before. The rows depend neither
    on that nor on which searches run together, but for `seconds`: the time of all, divided by their number.
    """
    started = time.perf_counter()
    configs = [setting.config for setting in settings] if configs is None else configs
    shared = Shared.of(settings[0], place, positive, configs)
    planned = [_search(setting, config, shared) for setting, config in zip(settings, configs, strict=True)]
    searches, oracles, seeds = zip(*planned, strict=True)
    logs = simulate_together(searches, oracles)
    seconds = (time.perf_counter() - started) / len(settings)
    own = {
        "dataset": place.dataset,
        "class_size": int(shared.positive.sum()),
        "pool_size": len(shared.positive),
        "pool_recipe": shared.base.pool.recipe,
        "pool_sha256": shared.base.pool.sha256,
        "seconds": seconds,
    }
    return [
        {
            **asdict(setting),
            **own,
            **_measures(log, shared.positive, given),
            "log_sha256": log_hash(log),
            "config": json.dumps(asdict(config), sort_keys=True),
            "seed": "/".join(map(str, (setting.sweep, setting.target, setting.seeds, setting.repeat))),
        }
        for setting, config, log, given in zip(settings, configs, logs, seeds, strict=True)
    ]


def _search(setting: Setting, config: Any, shared: Shared) -> tuple[Strategy, Oracle, np.ndarray]:
    """Return the search of a setting, ready to begin, its oracle and its seeds."""
    for_seeds, for_search, for_oracle = setting.seed_sequence.spawn(3)
    seeds = draw_seeds(shared.positive, setting.seeds, np.random.default_rng(for_seeds), setting.target)
    oracle = Truth(shared.positive)
    if setting.flip:
        oracle = Flipped(shared.positive, setting.flip, np.random.default_rng(for_oracle))
    base, rng = shared.base, np.random.default_rng(for_search)
    kind = strategy_of(setting.arm)
    parts = base.needed_by(kind)
    if getattr(config, "head_space", "search") == "embedding":
        parts["features"] = shared.embedding
    if setting.arm in PREPARED_RIVALS:
        parts["features"] = base.features_by_direction
    return begin(kind, base.pool, seeds, config=config, rng=rng, **parts), oracle, seeds


def draw_seeds(positive: np.ndarray, count: int, rng: np.random.Generator, target: str) -> np.ndarray:
    """Return `count` random members of the class as row numbers; ValueError if it has not that many."""
    members = np.flatnonzero(positive)
    if len(members) < count:
        raise ValueError(f"class {target!r} has {len(members)} images; {count} seeds were asked for: take fewer seeds")
    return rng.choice(members, size=count, replace=False)


def log_hash(log: Log) -> str:
    """Return a SHA-256 over the log: equal logs, equal hashes, on every machine."""
    digest = hashlib.sha256()
    # Rounds in 16 bits, as logs kept them when the first hashes were stored.
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
    new = found[len(found) - len(log.rows) :]  # seeds that were not asked again come first
    in_rounds = log.components != Component.FINAL
    rounds = int(log.rounds[in_rounds].max(initial=-1)) + 1
    for component in Component:
        of_it, name = log.components == component, component.name.lower()
        row[f"{name}_labels"] = int(of_it.sum())
        row[f"{name}_found"] = int(new[of_it].sum())
        if component in (Component.NN, Component.RANDS):
            row[f"{name}_asked_by_round"] = np.bincount(log.rounds[of_it], minlength=rounds).tolist()
            row[f"{name}_found_by_round"] = np.bincount(log.rounds[of_it & new], minlength=rounds).tolist()
    return row


def as_parquet(frame: pd.DataFrame) -> bytes:
    """Return a frame as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()
