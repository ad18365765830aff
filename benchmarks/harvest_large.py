"""Parts `harvest-large`, `harvest-10m` and `harvest-100m`: preparing large pools, and Harvest's rounds in them.

Each is compared with what a user would write instead (`one_pass`); and with the limit: the codes that a round reads,
at the speed of the memory.
"""

import itertools
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import isolated
from benchmarks.context import Context
from benchmarks.goals import LARGE_POOLS, harvest_in
from benchmarks.one_pass import ASKED, instead
from benchmarks.rounds import waits_for_harvest
from benchmarks.summary import Row
from benchmarks.synthetic import Clustered
from benchmarks.timing import median, p95
from elsa_nb.errors import MissingDataError
from elsa_nb.pool import Pool
from elsa_nb.search import kernels
from elsa_nb.search.heads.head import LinearHead
from elsa_nb.search.heads.large_rows import LargeRows
from elsa_nb.search.highest import highest

TAKES = {
    "run": "5 to 10 minutes, of which 1 to 4 for writing 7 GB once",
    "run_10m": "10 to 20 minutes, of which 3 to 6 for writing 15 GB once",
    "run_100m": "half an hour to an hour, most of it for writing 36 GB once",
}
# Classes of the two large ones have 200 members, as rare things have: 0.002 and 0.0002 %.
SPECS = (
    Clustered(1_281_167, 2048, dtype="float16"),
    Clustered(10_000_000, 256, classes=50_000, dtype="float16"),
    Clustered(100_000_000, 64, classes=500_000, dtype="float16"),
)
QUICK = Clustered(3000, 32, classes=20, dtype="float16")
SEARCHES = 4
CHECKED = 10  # one of this many rounds is compared with what all rows themselves would say


def run(context: Context) -> list[Row]:
    """Measure at ImageNet's size."""
    return _measured(context, 0)


def run_10m(context: Context) -> list[Row]:
    """Measure in ten million rows."""
    return _measured(context, 1)


def run_100m(context: Context) -> list[Row]:
    """Measure in a hundred million rows."""
    return _measured(context, 2)


def _measured(context: Context, which: int) -> list[Row]:
    """Measure in processes that may hold 90 % of the memory: preparing, rounds, then the others."""
    lines, spec = harvest_in(LARGE_POOLS[which]), QUICK if context.quick else SPECS[which]
    folder, limit = context.cache / spec.name, None if context.quick else 0.9 * context.machine.memory_gb
    try:
        if not (folder / "pool.json").exists():
            context.say(f"writing {spec.gigabytes:.1f} GB to {folder}, once; delete the folder when done")
            spec.pool(context.cache)
        labels = spec.labels()
        members = [np.flatnonzero(labels == target).tolist() for target in range(2 if context.quick else SEARCHES)]
        del labels
        whole = {"memory_gb": limit, "folder": str(folder)}
        made = isolated.call("benchmarks.harvest_large:make", **whole)
        told = isolated.call("benchmarks.harvest_large:rounds", members=members, **whole)
        others = isolated.call("benchmarks.one_pass:beside", memory_gb=limit, n=spec.n, k=told["k"])
    except (isolated.MeasurementFailedError, MissingDataError) as error:
        context.say(f"failed: {error}")
        return [Row(line, f"failed: {error}") for line in lines]
    codes = 1e-9 * spec.n * told["k"]
    middle, read = median(told["times"]), codes / context.machine.reading_gb_s
    figures = {
        "preparing": (made["seconds"], "s", f"{made['private_gb']:.2g} GB of its own"),
        "median": (1e3 * middle, "ms", f"{middle / read:.1f} times reading the codes; {instead(others, 4 * codes)}"),
        "p95": (1e3 * p95(told["times"]), "ms", f"{len(told['times'])} rounds of {len(members)} searches"),
        "memory": (
            told["private_gb"] + codes,
            "GB",
            f"{told['private_gb']:.2g} GB of its own, {codes:.2g} GB of codes in mapped files",
        ),
        "exact": (
            f"{100 * told['same'] / told['compared']:.2f} %",
            "",
            f"{told['same']:,} of {told['compared']:,} rows in {told['compared'] // ASKED} rounds",
        ),
    }
    return [Row(line, *figures[figure]) for figure, line in zip(figures, lines, strict=True)]


def make(folder: str) -> dict:
    """Prepare the rows of a pool mapped from disk, anew (run by `isolated`)."""
    pool = Pool.open(Path(folder), verify=False)
    LargeRows.make(Pool.from_arrays(np.array(pool.vectors[:2000])), Path(folder) / "few", progress=False)  # compiles
    started = time.perf_counter()
    LargeRows.make(pool, Path(folder) / "prepared")
    return {"seconds": time.perf_counter() - started}


def rounds(folder: str, members: list[list[int]]) -> dict:
    """Search the pool for each class (run by `isolated`): seconds of updates with their next queries.

    In some rounds the highest rows by the line are compared with those that the rows themselves give, not their codes.
    """
    pool, rows = Pool.open(Path(folder), verify=False), LargeRows.open(Path(folder) / "prepared", verify=False)
    rounds_seen, same = itertools.count(), []

    def look(line: LinearHead, known: np.ndarray) -> None:
        if next(rounds_seen) % CHECKED == 0:
            same.append(_on_shortlist(rows, line, ~_mask(pool.n, known)))

    times, _ = waits_for_harvest(pool, (_mask(pool.n, of_class) for of_class in members), rows, look)
    return {"times": times, "same": sum(same), "compared": ASKED * len(same), "k": rows.codes.shape[1]}


def _mask(n: int, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    mask = np.zeros(n, bool)
    mask[rows] = True
    return mask


def _on_shortlist(rows: LargeRows, line: LinearHead, free: np.ndarray) -> int:
    """Return how many of the free rows that are highest by the rows themselves are on the shortlist by their codes."""
    exact = kernels.project(rows.vectors, line.weights[None])[0]
    shortlist = highest(line.logits(rows), rows.shortlist, free)
    return int(np.isin(highest(exact, ASKED, free), shortlist).sum())
