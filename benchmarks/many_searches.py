"""Part `harvest-searches`: many searches of Harvest in the bundled pool, as a comparison runs them, on all cores.

Twice: with all rows looked at closely, as pools of that size are searched, and with a hundredth, as larger ones are.
"""

import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.context import Context
from benchmarks.goals import MANY_IN_PART, MANY_WHOLE, ROUND_IN_PART
from benchmarks.in_part import in_part, rows_in_part
from benchmarks.rounds import waits_for_harvest
from benchmarks.summary import Row
from benchmarks.synthetic import Clustered
from benchmarks.timing import median, p95
from elsa_nb.bench.arms import Spaces, harvest
from elsa_nb.bench.simulating import search_once
from elsa_nb.errors import MissingDataError
from elsa_nb.images.sources.glyphs import Glyphs
from elsa_nb.paper.experiments.catalogue import sweep
from elsa_nb.pool import Pool
from elsa_nb.profiles import profile

TAKES = "3 to 5 minutes"
SHARE, CLASSES, REPEATS, SEEDS, BUDGET, MOST = 0.01, 40, 5, 5, 2000, 10_000
ARMS = {MANY_WHOLE: harvest(), MANY_IN_PART: in_part(SHARE)}


def run(context: Context) -> list[Row]:
    """Time rounds that look at a part, then searches of both kinds by as many processes as there are cores."""
    try:
        folder, labels = _quick(context) if context.quick else _bundled()
    except MissingDataError as error:
        return [Row(line, f"not measured: {error}") for line in ARMS]
    names = sweep("components", "full").classes(labels)[:CLASSES] if not context.quick else [0, 1]
    members = {str(name): np.flatnonzero(labels == name) for name in names}
    pool = Pool.open(folder, verify=False)
    truths = [np.isin(np.arange(pool.n), of) for of in list(members.values())[:20]]
    times, _ = waits_for_harvest(pool, truths, rows_in_part(pool, SHARE))
    rows = [
        Row(f"{ROUND_IN_PART}, median", 1e3 * median(times), "ms", f"{len(times)} rounds to 90 % of a class"),
        Row(f"{ROUND_IN_PART}, p95", 1e3 * p95(times), "ms"),
    ]
    tasks = [(name, of, repeat) for repeat in range(1 if context.quick else REPEATS) for name, of in members.items()]
    # Fresh processes, as the runner's: a copy of one that has used numba's threads would wait for them for ever.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as workers:
        for line in ARMS:
            search = partial(_search, folder, line)
            list(workers.map(search, tasks[: 2 * (os.cpu_count() or 1)]))  # each loads and compiles
            started = time.perf_counter()
            reached = sum(workers.map(search, tasks))
            minutes = (time.perf_counter() - started) / len(tasks) * MOST / 60
            rows.append(Row(line, minutes, "min", f"from {len(tasks)} searches, of which {reached} come so far"))
    return rows


def _search(folder: Path, line: str, task: tuple[str, np.ndarray, int]) -> bool:
    """Search for a class to 95 %, or to the budget; tell whether it got that far."""
    name, members, repeat = task
    told, _ = search_once(ARMS[line], _spaces(folder), name, members, seeds=SEEDS, repeat=repeat, budget=BUDGET)
    return told["labels_95"] > 0


@lru_cache(maxsize=1)
def _spaces(folder: Path) -> Spaces:
    return Spaces(Pool.open(folder, verify=False))


def _bundled() -> tuple[Path, np.ndarray]:
    return profile("full").pool("vicreg", "projection"), Glyphs.open().labels["name"]


def _quick(context: Context) -> tuple[Path, np.ndarray]:
    spec = Clustered(3000, 32, classes=20)
    spec.pool(context.cache)
    return context.cache / spec.name, spec.labels()
