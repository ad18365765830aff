"""How far estimates of the missing positives can be trusted, and where rules would have stopped, in simulations.

    ELSA_DATA=... python -m benchmarks.whats_missing      # an hour; resumable at any moment
    python -m benchmarks.whats_missing --fit              # what `by_scores.FITTED` would be by the tuning half

Harvest and the greedy probe search the glyphs in two spaces, photographs of Food-101 and Tiny-ImageNet by a supervised
encoder, and texts, from three random members of each of 30 classes of the held-out half (`elsa_nb.bench.simulating`);
with `--fit`, the glyphs for classes of the other half. Nothing is fitted on photographs and texts. Large pools are
thinned at random (`POOLS`), which leaves a class its share. For each search nearest neighbours (NN.Large) also search
on their own, for estimates by capture and recapture. Searches are recorded (`recorded_searches`), all classes of all
pools once, then again, and judged by all estimators and rules (`judged_estimates`).
"""

import argparse
import zlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import judged_estimates
from benchmarks.equal_budgets import classes_of
from benchmarks.recorded_searches import alone, place, record
from benchmarks.summary import RESULTS
from elsa_nb.bench.arms import Spaces, known_arms
from elsa_nb.bench.simulating import by_checksum, half_of
from elsa_nb.errors import MissingDataError
from elsa_nb.paper.runs.simulation import draw_seeds
from elsa_nb.pool import Pool
from elsa_nb.store import DATA, write_atomically
from elsa_nb.threads import one_thread


class Task(NamedTuple):
    """The searches in a pool: the labels of each at most, the number of classes, their sizes, and the repeats.

    `rows` random rows of the pool are kept, and the members of classes are counted among them.
    """

    dataset: str
    space: str
    budget: int
    classes: int
    repeats: int
    sizes: tuple[int, int]
    rows: int = 100_000


POOLS = {
    f"{task.dataset}-{task.space}": task
    for task in (
        Task("glyphs", "vicreg-projection", 700, 30, 3, (50, 300), rows=50_000),
        Task("glyphs", "vicreg-embedding", 700, 30, 3, (50, 300), rows=50_000),
        Task("debian", "wordllama-256-embedding", 5000, 30, 3, (60, 300)),
        Task("food-101-64px", "efficientnet-lite0-embedding", 3000, 30, 3, (40, 80), rows=6_000),
        Task("tiny-imagenet", "efficientnet-lite0-embedding", 4000, 30, 3, (40, 80), rows=12_000),
    )
}
STRATEGIES, BESIDE = ("Harvest", "Greedy probe"), "NN.Large"
SEEDS = 3


class Labelled(NamedTuple):
    """A pool, and the members (n,) bool of each class that fits."""

    spaces: Spaces
    members: dict[str, np.ndarray]


@lru_cache(maxsize=len(POOLS))
def labelled(pool: str) -> Labelled:
    """Return a pool as it is searched here, with its classes in the order of their checksums."""
    task, whole = POOLS[pool], Pool.open(DATA / "pools" / pool, verify=False)
    labels = classes_of(task.dataset, task.space, whole.ids)
    rows = kept(task, whole.n)
    spaces = Spaces(Pool.from_arrays(np.asarray(whole.vectors)[rows], whole.ids[rows]))
    labels = labels[labels["row"].isin(rows)]
    sizes = labels["label"].value_counts()
    fit = sizes.index[sizes.between(*task.sizes)]
    members = {name: np.isin(rows, labels.loc[labels["label"] == name, "row"]) for name in by_checksum(fit)}
    return Labelled(spaces, members)


def kept(task: Task, n: int) -> np.ndarray:
    """Return the rows of a pool of `n` that are kept, ascending."""
    return np.sort(np.random.default_rng(0).permutation(n)[: task.rows])


def search(pool: str, half: str, repeat: int, folder: Path) -> None:
    """Record the searches of one repeat in a pool, for classes of a half, those that are not there yet."""
    task, (spaces, members), arms = POOLS[pool], labelled(pool), known_arms()
    targets = [name for name in members if half_of(name) == half][: task.classes]
    for target in targets:
        paths = {strategy: place(folder, pool, strategy, target, repeat) for strategy in STRATEGIES}
        if all(path.exists() for path in paths.values()):
            continue
        positive = members[target]
        root = np.random.SeedSequence([zlib.crc32(f"{pool} {target}".encode()), repeat])
        for_seeds, for_search = root.spawn(2)
        seeds = draw_seeds(positive, SEEDS, np.random.default_rng(for_seeds), target)
        with one_thread():
            begun = {
                name: arms[name](spaces, seeds, task.budget, np.random.default_rng(for_search))
                for name in (*STRATEGIES, BESIDE)
            }
            beside = alone(begun[BESIDE], positive, task.budget)
            for strategy, path in paths.items():
                about = {"pool": pool, "half": half, "strategy": strategy}
                of = record(begun[strategy], positive, path, beside, target=target, repeat=repeat, **about)
                found = f"{of['labels'].sum() + SEEDS} of {positive.sum()}"
                print(f"{pool}  {repeat}  {target}  {strategy}: {found}", flush=True)


def main() -> None:
    """Search, judge, and store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whats_missing", description=__doc__.split("\n")[0])
    parser.add_argument("pools", nargs="*", metavar="pool", help="(default: those that are here)")
    parser.add_argument(
        "--searches", type=Path, default=DATA / "cache" / "whats-missing", help="where records are kept"
    )
    parser.add_argument(
        "--fit", action="store_true", help="print constants fitted on the tuning half, and store what they rest on"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    if unknown := set(asked.pools) - set(POOLS):
        parser.error(f"pool {unknown.pop()!r} is not known; allowed: {', '.join(POOLS)}")
    here = [pool for pool in asked.pools or POOLS if (DATA / "pools" / pool).exists()]
    if asked.fit:
        here = [pool for pool in here if pool.startswith(judged_estimates.FITTED_ON)]
    if not here:
        raise MissingDataError(f"no pool in {DATA / 'pools'}: `elsa-nb embed` makes that of the glyphs")
    for repeat in range(1 if asked.fit else max(POOLS[pool].repeats for pool in here)):
        for pool in here:
            if repeat < POOLS[pool].repeats:
                search(pool, "tuning" if asked.fit else "held-out", repeat, asked.searches)
    if asked.fit:
        sums = judged_estimates.sums(asked.searches)
        write_atomically(asked.out / judged_estimates.SUMS, sums.to_csv(index=False).encode())
        print(judged_estimates.fitted(sums))
    else:
        judged_estimates.store(asked.searches, asked.out)


if __name__ == "__main__":
    main()
