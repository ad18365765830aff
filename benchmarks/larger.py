"""Part `larger-than-memory`: one search in a pool of 1,281,167 x 8,192 float16 (21 GB) that stays on disk."""

import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks import isolated
from benchmarks.context import Context
from benchmarks.goals import LARGER
from benchmarks.summary import Row
from benchmarks.synthetic import Clustered
from elsa_nb.pool import Pool
from elsa_nb.search.elsa import ELSA, Search
from elsa_nb.search.oracle import Truth, simulate

TAKES = "10 to 30 minutes, of which 5 to 10 for writing 21 GB once"
SPEC, QUICK = Clustered(1_281_167, 8192, dtype="float16"), Clustered(4000, 256, classes=20, dtype="float16")


def run(context: Context) -> list[Row]:
    """Run one search in a process that may hold 80 % of the memory: a failure is a row, not a dead machine."""
    spec = QUICK if context.quick else SPEC
    try:
        answer = _search(context, spec)
    except isolated.MeasurementFailedError as error:
        return [Row(LARGER, f"failed: {error}")]
    context.say(
        f"{answer['labels']:,} labels, {answer['rounds']} rounds in {answer['seconds']:.1f} s; peak "
        f"{answer['private_gb']:.2f} GB of its own, {answer['resident_gb']:.2f} GB with mapped pages"
    )
    context.limit("each round reads the pool once", answer["seconds"] / answer["rounds"], gigabytes=spec.gigabytes)
    told = f"{answer['private_gb']:.2f} GB of its own; {answer['seconds']:.0f} s for {answer['rounds']} rounds"
    return [Row(LARGER, answer["resident_gb"], "GB", told)]


def _search(context: Context, spec: Clustered) -> dict:
    spec.pool(context.cache)
    limit = 0.8 * context.machine.memory_gb
    return isolated.call(
        "benchmarks.larger:search", memory_gb=limit, folder=str(context.cache / spec.name), spec=asdict(spec)
    )


def search(folder: str, spec: dict) -> dict:
    """Run ELSA once on a pool mapped from disk, with nothing prepared (run by `isolated`)."""
    positive = Clustered(**spec).labels() == 0
    rng = np.random.default_rng(0)
    started = time.perf_counter()
    pool = Pool.open(Path(folder), verify=False)
    seeds = rng.choice(np.flatnonzero(positive), 5, replace=False)
    log = simulate(Search(pool, seeds, config=ELSA, rng=rng), Truth(positive))
    return {"seconds": time.perf_counter() - started, "labels": len(log.rows), "rounds": int(log.rounds.max()) + 1}
