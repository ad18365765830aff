"""Part `harvest-large`: preparing a pool of ImageNet's size, 1,281,167 x 2,048 in half precision, and Harvest's rounds.

A round of Harvest reads the prepared rows once. What a user would write instead reads them as often and does less:
scikit-learn's `predict_proba` of every row, and faiss's `IndexFlatIP` asked for the 200 rows nearest to a direction.
"""

import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks import isolated
from benchmarks.context import Context
from benchmarks.goals import PREPARING, ROUND_HARVEST_LARGE
from benchmarks.rounds import waits_for_harvest
from benchmarks.summary import Row
from benchmarks.synthetic import Clustered
from benchmarks.timing import median, p95, seconds
from elsa_nb.pool import Pool
from elsa_nb.search.heads.prepared_rows import PreparedRows

TAKES = "5 to 10 minutes, of which 2 to 4 for writing 5 GB once"
SPEC = Clustered(1_281_167, 2048, dtype="float16")
QUICK = Clustered(3000, 32, classes=20)
SEARCHES, ASKED, TIMES = 4, 200, 5
_SKLEARN, _FAISS = "scikit-learn's predict_proba", "faiss's IndexFlatIP"


def run(context: Context) -> list[Row]:
    """Measure in processes that may hold 90 % of the memory: ours, then the others."""
    spec = QUICK if context.quick else SPEC
    folder = context.cache / spec.name
    if not (folder / "pool.json").exists():
        context.say(f"writing {spec.gigabytes:.1f} GB to {folder}, once; delete the folder when done")
        spec.pool(context.cache)
    limit = None if context.quick else 0.9 * context.machine.memory_gb
    targets = list(range(2 if context.quick else SEARCHES))
    try:
        told = isolated.call(
            "benchmarks.harvest_large:measure", memory_gb=limit, folder=str(folder), targets=targets, spec=asdict(spec)
        )
        others = isolated.call("benchmarks.harvest_large:beside", memory_gb=limit, n=told["n"], k=told["k"])
    except isolated.MeasurementFailedError as error:
        context.say(f"failed: {error}")
        return [Row(what, f"failed: {error}") for what in (PREPARING, f"{ROUND_HARVEST_LARGE}, p95")]
    read = 4e-9 * told["n"] * told["k"] / context.machine.reading_gb_s
    middle = median(told["times"])
    instead = ", ".join(f"{name} {1e3 * others[name]:.0f} ms" for name in (_SKLEARN, _FAISS))
    return [
        Row(PREPARING, told["preparing"], "s", f"{told['private_gb']:.2g} GB of its own"),
        Row(
            f"{ROUND_HARVEST_LARGE}, median",
            1e3 * middle,
            "ms",
            f"{middle / read:.1f} times reading the rows; {instead}",
        ),
        Row(f"{ROUND_HARVEST_LARGE}, p95", 1e3 * p95(told["times"]), "ms", f"{len(told['times'])} rounds"),
    ]


def measure(folder: str, targets: list[int], spec: dict) -> dict:
    """Prepare the rows of a pool mapped from disk, and search them (run by `isolated`)."""
    labels, pool = Clustered(**spec).labels(), Pool.open(Path(folder), verify=False)
    PreparedRows.of(np.array(pool.vectors[:2000]))  # compiles
    started = time.perf_counter()
    rows = PreparedRows.of_pool(pool)
    preparing = time.perf_counter() - started
    times = waits_for_harvest(pool, [labels == target for target in targets], rows)
    n, k = rows.vectors.shape
    return {"preparing": preparing, "times": times, "n": n, "k": k}


def beside(n: int, k: int) -> dict:
    """Return the seconds that others take for one pass over as many rows (n, k), median of some (run by `isolated`)."""
    import faiss
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    rows = rng.standard_normal((n, k), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    head = LogisticRegression().fit(rows[:ASKED], np.arange(ASKED) % 2)
    index = faiss.IndexFlatIP(k)
    index.add(rows)
    return {
        _SKLEARN: median([seconds(lambda: head.predict_proba(rows)) for _ in range(TIMES)]),
        _FAISS: median([seconds(lambda: index.search(rows[:1], ASKED)) for _ in range(TIMES)]),
    }
