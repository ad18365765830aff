"""How far estimates of the missing positives are to be trusted, and where rules would have stopped: by simulation.

    python -m benchmarks.whats_missing            # about half an hour; resumable at any moment
    python -m benchmarks.whats_missing --fit      # what `by_scores.FITTED` would be by the tuning half

Harvest and the greedy probe search the glyphs in two spaces, for 15 classes of either half
(`elsa_nb.bench.simulating`), three times each, from three random members; and in Food-101, on which nothing is fitted,
for 11 dishes. Searches are recorded once (`recorded_searches`) and judged by all estimators and rules
(`judged_estimates`). Half of the rows of the glyph pools and 40 of the 101 dishes keep it that short.
"""

import argparse
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks import judged_estimates
from benchmarks.recorded_searches import place, record
from benchmarks.summary import RESULTS
from elsa_nb.bench.arms import Spaces, known_arms
from elsa_nb.bench.simulating import half_of
from elsa_nb.errors import MissingDataError
from elsa_nb.paper.runs.place import class_names
from elsa_nb.paper.runs.simulation import draw_seeds
from elsa_nb.pool import Pool
from elsa_nb.store import DATA
from elsa_nb.threads import one_thread


class Task(NamedTuple):
    """Which searches are made in a pool: the most labels of each, classes of each half."""

    dataset: str
    budget: int
    classes: int
    halves: tuple[str, ...] = ("tuning", "held-out")


POOLS = {
    "glyphs-vicreg-projection": Task("glyphs", 700, 15),
    "glyphs-vicreg-embedding": Task("glyphs", 700, 15),
    "food-101-64px-vicreg-embedding": Task("food-101-64px", 2500, 11, ("tuning",)),
}
STRATEGIES = ("Harvest", "Greedy probe")
REPEATS, SEEDS = 3, 3
ROWS, DISHES = 50_000, 20  # rows kept of the glyphs; dishes kept of either half
SIZES = 50, 300


def kept(dataset: str, names: np.ndarray) -> np.ndarray:
    """Return the rows of a data set that its pool keeps here, ascending."""
    if dataset == "glyphs":
        return np.sort(np.random.default_rng(0).permutation(len(names))[:ROWS])
    dishes = _by_checksum(np.unique(names))
    few = [
        name for half in ("tuning", "held-out") for name in [each for each in dishes if half_of(each) == half][:DISHES]
    ]
    return np.flatnonzero(np.isin(names, few))


def search(pool: str, half: str, folder: Path) -> None:
    """Record the searches of one half of the classes in one pool, those that are not there yet."""
    dataset, budget, classes, _ = POOLS[pool]
    names = class_names(dataset).to_numpy()
    rows = kept(dataset, names)
    whole, names = Pool.open(DATA / "pools" / pool, verify=False), names[rows]
    spaces, arms = Spaces(Pool.from_arrays(np.asarray(whole.vectors)[rows], whole.ids[rows])), known_arms()
    sizes = pd.Series(names).value_counts()
    fit = [name for name in sizes.index[sizes.between(*SIZES)] if half_of(name) == half]
    for target in _by_checksum(fit)[:classes]:
        positive = names == target
        for repeat in range(REPEATS):
            root = np.random.SeedSequence([zlib.crc32(f"{pool} {target}".encode()), repeat])
            for_seeds, for_search = root.spawn(2)
            seeds = draw_seeds(positive, SEEDS, np.random.default_rng(for_seeds), target)
            for strategy in STRATEGIES:
                path = place(folder, pool, strategy, target, repeat)
                if path.exists():
                    continue
                about = {"pool": pool, "half": half, "strategy": strategy, "target": target, "repeat": repeat}
                with one_thread():
                    begun = arms[strategy](spaces, seeds, budget, np.random.default_rng(for_search))
                    of = record(begun, positive, path, **about)
                print(
                    f"{pool}  {half}  {target}  {strategy}: {of['labels'].sum() + SEEDS} of {positive.sum()}",
                    flush=True,
                )


def _by_checksum(names: list[str] | np.ndarray) -> list[str]:
    return sorted(names, key=lambda name: zlib.crc32(name.encode()))


def main() -> None:
    """Search, judge, and store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whats_missing", description=__doc__.split("\n")[0])
    parser.add_argument("pools", nargs="*", metavar="pool", help="(default: those that are here)")
    parser.add_argument(
        "--searches", type=Path, default=DATA / "cache" / "whats-missing", help="where records are kept"
    )
    parser.add_argument("--fit", action="store_true", help="print constants fitted on the tuning half, store nothing")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    if unknown := set(asked.pools) - set(POOLS):
        parser.error(f"pool {unknown.pop()!r} is not known; allowed: {', '.join(POOLS)}")
    here = [pool for pool in asked.pools or POOLS if (DATA / "pools" / pool).exists()]
    if not here:
        raise MissingDataError(f"no pool in {DATA / 'pools'}: `elsa-nb embed` makes that of the glyphs")
    for pool in here:
        for half in POOLS[pool].halves:
            search(pool, half, asked.searches)
    if asked.fit:
        print(judged_estimates.fitted(asked.searches))
    else:
        judged_estimates.store(asked.searches, asked.out)


if __name__ == "__main__":
    main()
