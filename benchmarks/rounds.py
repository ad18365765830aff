"""Part `rounds`: how long a person waits for the next batch after answering one (update + next query)."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from benchmarks import isolated
from benchmarks.context import Context
from benchmarks.goals import ROUND, ROUND_HARVEST
from benchmarks.one_pass import instead
from benchmarks.summary import Row
from benchmarks.synthetic import Clustered
from benchmarks.timing import median, p95
from benchmarks.warming import warm_up
from elsa_nb.errors import MissingDataError
from elsa_nb.images.sources.glyphs import Glyphs
from elsa_nb.paper.experiments.catalogue import sweep
from elsa_nb.pool import Pool
from elsa_nb.prepared import prepare
from elsa_nb.profiles import profile
from elsa_nb.search.config import ELSA, SearchConfig
from elsa_nb.search.elsa import Search
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import LinearHead
from elsa_nb.search.heads.large_rows import LargeRows
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.oracle import Truth, simulate_together
from elsa_nb.search.strategies.harvest import Harvest

TAKES = "20 s"
SEEDS = 5


def run(context: Context) -> list[Row]:
    """Measure on the bundled pool; in a smoke run on a small synthetic one."""
    if context.quick:
        spec = Clustered(3000, 32, classes=20)
        vectors, labels = spec.arrays()
        pool, rows = Pool.from_arrays(vectors), PreparedRows.of(vectors)
        shared = {"neighbours": Neighbours(pool.vectors, k=32).build(progress=False), "features": Features(vectors)}
        truths = [labels == target for target in range(3)]
    else:
        try:
            base = prepare(profile("full").pool("vicreg", "projection"))
        except MissingDataError as error:
            return [Row(f"{ROUND}, p95", f"not measured: {error}")]
        names = Glyphs.open().labels["name"]
        pool, shared = base.pool, {"neighbours": base.neighbours, "features": base.features}
        rows = base.prepared_rows
        truths = [(names == target).to_numpy() for target in sweep("components", "full").classes(names)[:20]]
    first, times = waits(pool, truths, shared)
    ours, answers = waits_for_harvest(pool, truths, rows)
    n, d = pool.vectors.shape
    k = rows.vectors.shape[1]
    others = isolated.call("benchmarks.one_pass:beside", n=n, k=k)
    context.say(
        f"{len(times)} rounds of {len(truths)} searches: median {1e3 * median(times):.1f} ms, p95 "
        f"{1e3 * p95(times):.1f} ms, longest {1e3 * max(times):.1f} ms; the first query {1e3 * median(first):.1f} ms"
    )
    context.limit("one round reads the pool once", median(times), gigabytes=4e-9 * n * d, gigaflops=2e-9 * n * d)
    middle, size = median(ours), 4e-9 * n * k
    read = f"{middle * context.machine.reading_gb_s / size:.1f} times reading the rows; {instead(others, size)}"
    many = int(p95(answers))
    kernel = 2e-9 * n * k * many  # multiplications and additions of the kernel's cosines
    least = 1e3 * context.machine.seconds_at_limit(gigaflops=kernel)
    arithmetic = (
        f"the kernel of {many} answers (p95) alone is {kernel:.3g} GFLOP: {least:.3g} ms at the "
        f"{context.machine.sgemm_gflops:.0f} GFLOP/s of the machine's matrix products"
    )
    return [
        Row(f"{ROUND}, median", 1e3 * median(times), "ms"),
        Row(f"{ROUND}, p95", 1e3 * p95(times), "ms"),
        Row(f"{ROUND_HARVEST}, median", 1e3 * middle, "ms", f"{len(ours)} rounds to 90 % of a class; {read}"),
        Row(f"{ROUND_HARVEST}, p95", 1e3 * p95(ours), "ms", arithmetic),
    ]


def waits_for_harvest(
    pool: Pool,
    truths: Iterable[np.ndarray],
    rows: PreparedRows | LargeRows,
    look: Callable[[LinearHead, np.ndarray], None] = lambda *_: None,
) -> tuple[list[float], list[int]]:
    """Return the seconds of every update of Harvest with the query after it, until 90 % of a class are found.

    With them the number of answers of each update.

    `look` is called, while no clock runs, with the line of a query and the rows that had an answer then.

    A round reads the rows once for its line, and adds the kernel of every row with each new answer: its time grows with
    the batch, from 10 rows to 200.
    """
    times, counts = [], []
    for number, positive in enumerate(truths):
        rng = np.random.default_rng([number])
        seeds = rng.choice(np.flatnonzero(positive), size=SEEDS, replace=False)
        search, oracle = Harvest(pool, seeds, rng=rng, prepared_rows=rows), Truth(positive)
        batch = search.query()
        while batch is not None and len(search.positives) < 0.9 * positive.sum():
            answers = oracle.label(batch.rows)
            started = time.perf_counter()
            search.update(answers)
            scored = search.head_to_score()
            batch = search.query()
            times.append(time.perf_counter() - started)
            counts.append(len(answers))
            if scored is not None:
                look(scored[0], np.concatenate([seeds, search.log.rows]))
    return times, counts


def waits(pool: Pool, truths: list[np.ndarray], shared: dict, seeds: int = SEEDS) -> tuple[list[float], list[float]]:
    """Return the seconds of every first query, and of every update with the query after it, the final search's too."""
    first, times = [], []
    warm_up(pool.vectors.dtype.name)
    for number, positive in enumerate(truths):
        rng = np.random.default_rng([number])
        chosen = rng.choice(np.flatnonzero(positive), size=seeds, replace=False)
        search, oracle = Search(pool, chosen, config=ELSA, rng=rng, **shared), Truth(positive)
        started = time.perf_counter()
        batch = search.query()
        first.append(time.perf_counter() - started)
        while batch is not None:
            answers = oracle.label(batch.rows)
            final = batch.round >= ELSA.rounds
            started = time.perf_counter()
            search.update(answers)
            batch = search.query()
            if not final:  # after the final search nothing is computed, and nobody waits
                times.append(time.perf_counter() - started)
    return first, times


def large(folder: str, targets: list[int], spec: dict) -> dict:
    """Measure rounds on a large pool mapped from disk (run by `isolated`): opening, first queries, rounds."""
    labels = Clustered(**spec).labels()
    started = time.perf_counter()
    ready = prepare(Path(folder), verify=False)
    pool, shared = ready.pool, {"neighbours": ready.neighbours, "features": ready.features}
    opening = time.perf_counter() - started
    first, times = waits(pool, [labels == target for target in targets], shared)
    return {"opening": opening, "first": first, "times": times}


def together(folder: str, targets: list[int], spec: dict) -> dict:
    """Run one search for each target at once in a large pool (run by `isolated`): seconds of all of them."""
    labels = Clustered(**spec).labels()
    ready = prepare(Path(folder), verify=False)
    warm_up(ready.pool.vectors.dtype.name)
    shared = {"neighbours": ready.neighbours, "features": ready.features}
    return {"seconds": side_by_side(ready.pool, [labels == target for target in targets], shared)}


def side_by_side(
    pool: Pool, truths: list[np.ndarray], shared: dict, config: SearchConfig = ELSA, repeat: int = 0
) -> float:
    """Run one search for each of the truths at once, each from `SEEDS` positives; return the seconds of all."""
    searches = []
    for number, positive in enumerate(truths):
        rng = np.random.default_rng([repeat, number])
        seeds = rng.choice(np.flatnonzero(positive), SEEDS, replace=False)
        searches.append(Search(pool, seeds, config=config, rng=rng, **shared))
    started = time.perf_counter()
    simulate_together(searches, [Truth(positive) for positive in truths])
    return time.perf_counter() - started
