"""Labels spent on a find, by Harvest, its parts and its rivals, at the same shares of a class: equal work compared.

    python -m benchmarks.equal_budgets glyphs vicreg-projection --half held-out --classes 8

The classes of a data set are two halves, by the checksum of their names: what is chosen is chosen on `tuning`, what is
reported is reported on `held-out`. Each search begins with random members of the class, the same for all arms, and
those of the stored sweep `components`, whose ELSA and NN.Large come from the committed results: their labels are read
off at the stored budgets, up to 14 % too many. *Overhead* is labels / finds, seeds counted, when a share of the class
is found; a search that does not come so far in the budget counts 1.25 x the budget. Where few come so far, the share
found in 200, 500 and 1000 labels tells more; a search ends at 90 %, which is also the most that is counted there.

`results/equal_budgets.csv` has a row a search; `results/equal_budgets_summary.csv` medians over classes with bootstrap
intervals of 95 %, and each arm's ratio to Harvest, class by class.
"""

import argparse
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.summary import RESULTS
from elsa_nb.paper.runs.grid import Setting
from elsa_nb.paper.runs.place import class_names
from elsa_nb.paper.runs.simulation import BUDGETS, draw_seeds
from elsa_nb.pool import Pool
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.metrics import discovery_curve, finds, median_interval
from elsa_nb.search.oracle import Truth
from elsa_nb.search.strategies.greedy_probe import GreedyProbe, ProbeConfig
from elsa_nb.search.strategies.harvest import Harvest, HarvestConfig
from elsa_nb.store import DATA, write_atomically
from elsa_nb.threads import one_thread

SHARES = (0.5, 0.8, 0.9)
SPENT = (200, 500, 1000)
STORED = {"glyphs": "components-full", "tiny-imagenet": "components-photos"}
STORED_ARMS = ("ELSA", "NN.Large")
HARVEST, PROBE = HarvestConfig(), ProbeConfig()


class Spaces:
    """A pool, and what the arms make of it, each made when first asked for."""

    def __init__(self, folders: list[Path]):
        self.pools = [Pool.open(folder, verify=False) for folder in folders]
        self.pool = self.pools[0]

    @lru_cache(maxsize=8)  # noqa: B019 - lives as long as the process
    def rows(self, power: float = 0.25, standardise: bool = True, encoders: int = 1) -> PreparedRows:
        """Return prepared rows, of the first or of more encoders."""
        vectors = [pool.vectors for pool in self.pools[:encoders]]
        return PreparedRows.of(*vectors, power=power, standardise=standardise)

    @lru_cache(maxsize=2)  # noqa: B019
    def features(self, unit: bool) -> Features:
        """Return the probe's features: vectors as they are, or of unit length."""
        vectors = np.asarray(self.pool.vectors, np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True) if unit else np.float32(1)
        return Features(vectors / np.maximum(lengths, 1e-12))


def _probe(unit: bool, l2: float = 1.0) -> Callable[..., Any]:
    def begin(spaces: Spaces, seeds: np.ndarray, budget: int, rng: np.random.Generator) -> GreedyProbe:
        config = replace(PROBE, budget=budget, head=HeadConfig(l2=l2))
        return GreedyProbe(spaces.pool, seeds, config=config, rng=rng, features=spaces.features(unit))

    return begin


def _harvest(prepared: dict[str, Any] | None = None, **fields: Any) -> Callable[..., Any]:
    def begin(spaces: Spaces, seeds: np.ndarray, budget: int, rng: np.random.Generator) -> Harvest:
        config = replace(HARVEST, budget=budget, **fields)
        return Harvest(spaces.pool, seeds, config=config, rng=rng, prepared_rows=spaces.rows(**prepared or {}))

    return begin


ARMS: dict[str, Callable[..., Any]] = {
    "Greedy probe": _probe(unit=False),
    "Greedy probe, unit rows": _probe(unit=True),
    "Greedy probe, unit rows, l2 = 100": _probe(unit=True, l2=100.0),
    "Harvest": _harvest(),
    "Harvest: line only": _harvest(judges=("line",)),
    "Harvest: neighbourhood only": _harvest(judges=("neighbourhood",)),
    "Harvest: no preparation but unit length": _harvest({"power": 0.0, "standardise": False}),
    "Harvest: not half-whitened": _harvest({"power": 0.0}),
    "Harvest: whitened": _harvest({"power": 0.5}),
    "Harvest: far from all answers says nothing": _harvest(least_found=1e-3),
    "Harvest: batches of 50": _harvest(batch=50, growth=0.0),
    "Harvest: batches of 10": _harvest(growth=0.0),
    "Harvest: 50 random negatives": _harvest(weak_negatives=50),
    "Harvest: random negatives in full": _harvest(weak_weight=1.0),
    "Harvest: l2 = 0.1": _harvest(l2=0.1),
    "Harvest: l2 = 10": _harvest(l2=10.0),
    "Harvest: two encoders": _harvest({"encoders": 2}),
}


def half_of(name: str) -> str:
    """Return the half that a class belongs to."""
    return ("tuning", "held-out")[zlib.crc32(name.encode()) % 2]


def measured(found: np.ndarray, total: int) -> dict[str, float]:
    """Return the labels at which each of `SHARES` of `total` is found, 0 where it is not, and what `SPENT` brought."""
    so_far = np.cumsum(found)
    labels = [int(np.searchsorted(so_far, goal) + 1) if goal <= so_far[-1] else 0 for goal in _goals(total)]
    return _named(labels, discovery_curve(found, total, SPENT))


def _named(labels: list[int], discovery: np.ndarray) -> dict[str, float]:
    at = {f"labels_{round(100 * share)}": spent for share, spent in zip(SHARES, labels, strict=True)}
    found = {f"found_in_{k}": round(min(part, SHARES[-1]), 4) for k, part in zip(SPENT, discovery, strict=True)}
    return at | found


def _goals(total: int) -> list[int]:
    return [int(np.ceil(share * total)) for share in SHARES]


def run(search: Any, positive: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Drive a search until the last share is found, or to its end; return its finds, seeds first."""
    oracle, goal = Truth(positive), _goals(int(positive.sum()))[-1]
    while len(search.positives) < goal and (batch := search.query()) is not None:
        search.update(oracle.label(batch.rows))
    return finds(search.log.rows, positive, seeds)


def stored(
    dataset: str, encoder: str, space: str, setting: Setting, budget: int
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield arm and measures of the committed searches for the class of `setting` from the same seeds."""
    if dataset not in STORED:
        return
    frame = _results(STORED[dataset])
    same = (frame.reading == "paper") & (frame.encoder == encoder) & (frame.space == space) & (frame.change == "")
    same &= (frame.target == setting.target) & (frame.seeds == setting.seeds) & (frame["repeat"] == setting.repeat)
    for row in frame[same & frame.arm.isin(STORED_ARMS)].itertuples():
        labels = [int(BUDGETS[np.argmax(row.discovery_at >= share)]) for share in SHARES]
        reached = [row.discovery_rate >= share and at <= budget for share, at in zip(SHARES, labels, strict=True)]
        spent = [row.discovery_at[np.searchsorted(BUDGETS, at, "right") - 1] for at in SPENT]
        yield row.arm, _named([at if ok else 0 for at, ok in zip(labels, reached, strict=True)], spent)


@lru_cache(maxsize=2)
def _results(name: str) -> pd.DataFrame:
    return pd.read_parquet(DATA / "results" / f"{name}.parquet")


def chosen(dataset: str, half: str, count: int, encoder: str, space: str) -> list[str]:
    """Return the first `count` classes of a half, by checksum: of the stored sweep, else of 40 to 400 members."""
    if dataset in STORED:
        frame = _results(STORED[dataset])
        names = frame[(frame.encoder == encoder) & (frame.space == space)].target.unique()
    if dataset not in STORED or not len(names):
        sizes = class_names(dataset).value_counts()
        names = sizes[(sizes >= 40) & (sizes <= 400)].index
    return sorted((name for name in names if half_of(name) == half), key=lambda name: zlib.crc32(name.encode()))[:count]


def overheads(row: Any, share: float, budget: int) -> float:
    """Return labels a find at a share, for a row of the results."""
    goal = int(np.ceil(share * row.class_size))
    labels = getattr(row, f"labels_{round(100 * share)}")
    return (labels or 1.25 * budget) / goal


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """Return medians over classes of the overheads of each arm, with intervals, and its ratios to Harvest's."""
    rows = []
    for (pool, half, seeds, budget), group in frame.groupby(["pool", "half", "seeds", "budget"], sort=False):
        table = {share: [overheads(row, share, budget) for row in group.itertuples()] for share in SHARES}
        values = group.assign(**{f"at_{round(100 * share)}": table[share] for share in SHARES})
        base = values[values.arm == "Harvest"].set_index(["target", "repeat"])
        for arm, of in values.groupby("arm", sort=False):
            row = {
                "pool": pool,
                "half": half,
                "seeds": seeds,
                "budget": budget,
                "arm": arm,
                "classes": of.target.nunique(),
            }
            for share in SHARES:
                name = f"{round(100 * share)}"
                median, low, high = median_interval(of[f"at_{name}"].to_numpy(), of.target.to_numpy())
                row |= {f"overhead_{name}": median, f"low_{name}": low, f"high_{name}": high}
                row[f"unreached_{name}"] = int((of[f"labels_{name}"] == 0).sum())
                ratio = of.set_index(["target", "repeat"])[f"at_{name}"] / base[f"at_{name}"]
                logs, classes = np.log(ratio.dropna()), ratio.dropna().index.get_level_values(0)
                row |= dict(
                    zip(
                        (f"ratio_{name}", f"ratio_low_{name}", f"ratio_high_{name}"), _means(logs, classes), strict=True
                    )
                )
            row |= {f"found_in_{k}": of[f"found_in_{k}"].median() for k in SPENT}
            rows.append(row)
    return pd.DataFrame(rows).round(3)


def _means(logs: pd.Series, classes: pd.Index, resamples: int = 1000) -> tuple[float, float, float]:
    """Return the geometric mean of ratios and its bootstrap interval over classes; nan without any."""
    if not len(logs):
        return np.nan, np.nan, np.nan
    means = logs.groupby(classes).mean().to_numpy()
    draws = means[np.random.default_rng(0).integers(len(means), size=(resamples, len(means)))].mean(1)
    return tuple(np.exp([means.mean(), *np.quantile(draws, [0.025, 0.975])]))


def main() -> None:
    """Run what the command line says, and store after each class."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.equal_budgets", description=__doc__.split("\n")[0])
    parser.add_argument("dataset", help="glyphs, tiny-imagenet or food-101-64px")
    parser.add_argument(
        "spaces", nargs="+", help="encoder-space of its pools; the first is searched, all by the last arm"
    )
    parser.add_argument("--half", choices=("tuning", "held-out"), default="held-out")
    parser.add_argument("--classes", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--budget", type=int, default=2000)
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS)[:6])
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    spaces = Spaces([DATA / "pools" / f"{asked.dataset}-{space}" for space in asked.spaces])
    encoder, space = asked.spaces[0].rsplit("-", 1)
    names, path = class_names(asked.dataset), asked.out / "equal_budgets.csv"
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True)
    asked.out.mkdir(parents=True, exist_ok=True)
    for target in chosen(asked.dataset, asked.half, asked.classes, encoder, space):
        positive, rows = (names == target).to_numpy(), []
        for repeat in range(asked.repeats):
            setting = Setting("components", "paper", encoder, space, "ELSA", target, asked.seeds, repeat)
            for_seeds, for_search, _ = setting.seed_sequence.spawn(3)
            seeds = draw_seeds(positive, asked.seeds, np.random.default_rng(for_seeds), target)
            own = {"pool": f"{asked.dataset}-{asked.spaces[0]}", "half": asked.half, "target": target}
            own |= {"class_size": int(positive.sum()), "seeds": asked.seeds, "repeat": repeat, "budget": asked.budget}
            done = list(stored(asked.dataset, encoder, space, setting, asked.budget))
            rows += [own | {"arm": arm} | of | {"commit": "data/results"} for arm, of in done]
            for arm in asked.arms:
                started = time.perf_counter()
                with one_thread():
                    search = ARMS[arm](spaces, seeds, asked.budget, np.random.default_rng(for_search))
                    found = run(search, positive, seeds)
                seconds = time.perf_counter() - started
                of = measured(found, int(positive.sum()))
                rows.append(own | {"arm": arm} | of | {"seconds": round(seconds, 2), "commit": commit.stdout.strip()})
                print(f"{target}  {arm}  {of} of {positive.sum()}, {seconds:.1f} s", flush=True)
        _store(path, pd.DataFrame(rows))


def _store(path: Path, rows: pd.DataFrame) -> None:
    """Put rows in the place of earlier ones of the same searches, and write the summary of all anew."""
    key = ["pool", "half", "target", "seeds", "repeat", "budget", "arm"]
    frame = pd.concat([pd.read_csv(path), rows]) if path.exists() else rows
    frame = frame.drop_duplicates(key, keep="last")
    write_atomically(path, frame.to_csv(index=False).encode())
    write_atomically(path.with_name("equal_budgets_summary.csv"), summary(frame).to_csv(index=False).encode())


if __name__ == "__main__":
    main()
