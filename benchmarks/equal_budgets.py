"""Labels spent per find by Harvest, its parts and its rivals, at the same shares of a class: equal work compared.

    python -m benchmarks.equal_budgets glyphs vicreg-projection --arms RIVALS --limit
    python -m benchmarks.equal_budgets debian wordllama-256-embedding --repeats 3 --seeds 5
    python -m benchmarks.equal_budgets tiny-imagenet efficientnet-lite0-embedding --share 0.001 --budget 4000
    python -m benchmarks.equal_budgets debian wordllama-256-embedding --twice 0.2

The classes of a pool form two halves, by the checksum of their names: choices are made on `tuning`, and results are
reported on `held-out`. Each search begins with random members of the class, the same for all arms. With `--share`, each
repeat also draws which members of the class are left in the pool; with `--twice`, which rows stand in it twice.
`elsa_nb.overheads` says what is measured; `photograph_pools` and `text_pool` make the pools of photographs and texts.

`results/equal_budgets.csv` has one row per search; `results/equal_budgets_summary.csv` has what `overheads.summary`
makes of them. A search that is there already is not run again, so that an interrupted run goes on, and two runs may
share the file; it is run again once its strategy has another version. To compare arms at ELSA's finds, run them in the
same call as ELSA.
"""

import argparse
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from benchmarks.copied_rows import copied_rows, with_copies
from benchmarks.ens import ens
from benchmarks.every_label import labels_in_order
from benchmarks.in_part import in_part
from benchmarks.las import las
from benchmarks.machine import commit
from benchmarks.parts_of_harvest import equals_asked, unscaled
from benchmarks.prepared_elsa import elsa_prepared
from benchmarks.rankers import RANKERS
from benchmarks.seals import seals
from benchmarks.summary import RESULTS, only_writer
from benchmarks.versions import version_of
from elsa_nb.bench.arms import Arm, Spaces, elsa, harvest, probe
from elsa_nb.bench.simulating import HALVES, by_checksum, half_of, search_once
from elsa_nb.overheads import (
    ALL_LABELS,
    AS_ELSA,
    curve_points,
    expected_at_random,
    goals,
    measured,
    summary,
)
from elsa_nb.paper.runs.place import class_names
from elsa_nb.paper.runs.thinning import absent_rows, without
from elsa_nb.pool import Pool
from elsa_nb.search.metrics import discovery_curve
from elsa_nb.store import DATA, write_atomically

RANDOM = "Random"
SIZES = (40, 400)  # members of a class that is searched
KEY = ["pool", "half", "target", "seeds", "repeat", "budget", "arm"]  # what tells two searches apart

ARMS: dict[str, Arm] = {
    "ELSA": elsa("ELSA"),
    "ELSA, released code": elsa("ELSA", "released-code"),
    "ELSA, prepared": elsa_prepared("ELSA"),
    "NN.Large": elsa("NN.Large"),
    "NN.Large, released code": elsa("NN.Large", "released-code"),
    "NN.Large, prepared": elsa_prepared("NN.Large"),
    "NN": elsa("NN"),
    "NN, released code": elsa("NN", "released-code"),
    "No Active": elsa("No Active"),
    "No Active, released code": elsa("No Active", "released-code"),
    "SEALS": seals(),
    "SEALS, MaxEnt": seals(least_sure=True),
    **RANKERS,
    "LAS": las(),
    "ENS": ens(),
    "Greedy probe": probe(unit=False),
    "Greedy probe, unit rows, l2 = 100": probe(unit=True, l2=100.0),
    "Harvest": harvest(),
    "Harvest: line only": harvest(judges=("line",)),
    "Greedy probe, unit rows": probe(unit=True),
    "Harvest: neighbourhood only": harvest(judges=("neighbourhood",)),
    "Harvest: no preparation but unit length": harvest({"power": 0.0, "standardise": False}),
    "Harvest: not half-whitened": harvest({"power": 0.0}),
    "Harvest: whitened": harvest({"power": 0.5}),
    "Harvest: far from all answers says nothing": harvest(least_found=1e-3),
    "Harvest: judges added as they are": unscaled,
    "Harvest: costs are not balanced": harvest(balanced=False),
    "Harvest: no least weight of a side": harvest(least_side=0.0),
    "Harvest: equal rows are all asked": equals_asked,
    "Harvest: batches of 50": harvest(batch=50, growth=0.0),
    "Harvest: batches of 10": harvest(growth=0.0),
    "Harvest: 50 random negatives": harvest(weak_negatives=50),
    "Harvest: random negatives in full": harvest(weak_weight=1.0),
    "Harvest: l2 = 0.1": harvest(l2=0.1),
    "Harvest: l2 = 10": harvest(l2=10.0),
    "Harvest: two encoders": harvest({"encoders": 2}),
    "Harvest: a hundredth looked at closely": in_part(0.01),
}
DEFAULT_ARMS = ("Greedy probe", "Greedy probe, unit rows, l2 = 100", "Harvest", "Harvest: line only")
RIVALS = tuple(ARMS)[: list(ARMS).index("Greedy probe, unit rows") + 1]


def classes_of(dataset: str, space: str, ids: np.ndarray) -> pd.DataFrame:
    """Return `row` and `label` of everything labelled in a pool: by the table beside it, else by its data set."""
    path = DATA / "pools" / f"{dataset}-{space}" / "labels.csv"
    if not path.exists():
        names = class_names(dataset)
        return pd.DataFrame({"row": np.arange(len(names)), "label": names.astype(str)})
    table = pd.read_csv(path, dtype=str)
    return table.assign(row=pd.Index(ids).get_indexer(table["id"]))


def chosen(half: str, count: int, labels: pd.DataFrame) -> list[str]:
    """Return the first `count` classes of a half that have one of `SIZES`, by checksum."""
    sizes = labels["label"].value_counts()
    return by_checksum(name for name in sizes[sizes.between(*SIZES)].index if half_of(name) == half)[:count]


def two_forms(rows: np.ndarray) -> tuple[float, float]:
    """Part prepared rows (m, k) of a class in two by k-means; return the share of the smaller part, and their likeness.

    The likeness is the cosine of the two means. A class whose smaller part has a fifth of it, and whose parts are not
    alike, has two forms, and a search may know only one of them.
    """
    part = KMeans(2, n_init=10, random_state=0).fit_predict(rows)
    first, second = (rows[part == side].mean(0) for side in (0, 1))
    cosine = first @ second / max(float(np.linalg.norm(first) * np.linalg.norm(second)), 1e-12)
    return round(float(min(part.mean(), 1 - part.mean())), 3), round(float(cosine), 3)


def main() -> None:
    """Run what the command line says, and store after each class."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.equal_budgets", description=__doc__.split("\n")[0])
    parser.add_argument("dataset", help="what the pools' names begin with: glyphs, debian, food-101, tiny-imagenet")
    parser.add_argument("spaces", nargs="+", help="the rest of their names; the first is searched, all by the last arm")
    parser.add_argument("--half", choices=HALVES, default="held-out")
    parser.add_argument("--classes", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--budget", type=int, default=2000)
    parser.add_argument("--arms", nargs="+", choices=[*ARMS, "RIVALS"], default=list(DEFAULT_ARMS))
    changed = parser.add_mutually_exclusive_group()
    changed.add_argument(
        "--share", type=float, help="leave out members of the class until it is this share of the pool"
    )
    changed.add_argument("--twice", type=float, help="put this share of the rows into the pool a second time")
    parser.add_argument("--limit", action="store_true", help="rank by a probe trained on all labels, too: the limit")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    if (told := commit()).endswith("+") and asked.out == RESULTS:
        parser.error("commit the changes first: the rows stored in benchmarks/results name the code they come from")
    if asked.twice is not None and asked.limit:
        parser.error(
            "--limit ranks each row by a probe that never saw it; with --twice its copy may be seen: leave one out"
        )
    asked.arms = [arm for name in asked.arms for arm in (RIVALS if name == "RIVALS" else (name,))]
    spaces = Spaces(*(Pool.open(DATA / "pools" / f"{asked.dataset}-{space}", verify=False) for space in asked.spaces))
    labels = classes_of(asked.dataset, asked.spaces[0], spaces.pool.ids)
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / "equal_budgets.csv"
    for repeat in range(asked.repeats):  # all classes once, then all again: early results are of many classes
        for target in chosen(asked.half, asked.classes, labels):
            positive = np.zeros(spaces.pool.n, bool)
            positive[labels["row"][labels["label"] == target]] = True
            rows = _searches(asked, _sought(asked, spaces, target, positive, repeat), repeat, _there(path))
            _store(path, pd.DataFrame([{"commit": told} | row for row in rows]))


class Sought(NamedTuple):
    """A class that is searched for: its name, its rows (n,) bool, their spaces, and the pool's name."""

    target: str
    positive: np.ndarray
    spaces: Spaces
    pool: str


def _sought(asked: argparse.Namespace, spaces: Spaces, target: str, positive: np.ndarray, repeat: int) -> Sought:
    """Return a class whole, as rare as is asked for, or with copies; each repeat leaves or copies other rows."""
    pool = f"{asked.dataset}-{asked.spaces[0]}"
    if asked.twice is not None:
        again = copied_rows(len(positive), asked.twice, repeat)
        more = Spaces(*(with_copies(each, again) for each in spaces.pools))
        return Sought(
            target, np.concatenate([positive, positive[again]]), more, f"{pool}, {100 * asked.twice:.3g}% twice"
        )
    if asked.share is None:
        return Sought(target, positive, spaces, pool)
    absent = absent_rows(positive, asked.share, f"{target}, {repeat}" if repeat else target)
    fewer = Spaces(*(without(each, absent) for each in spaces.pools))
    return Sought(target, np.delete(positive, absent), fewer, f"{pool}, {100 * asked.share:.3g}%")


def _searches(asked: argparse.Namespace, sought: Sought, repeat: int, there: set[tuple]) -> list[dict]:
    """Run the searches for a class from the seeds of a repeat that are not `there`; return one row each."""
    target, positive, spaces, pool = sought
    total = int(positive.sum())
    members = np.flatnonzero(positive)
    smaller, alike = two_forms(spaces.rows().vectors[members])
    own = {"pool": pool, "half": asked.half, "target": target, "class_size": total}
    own |= {"smaller_form": smaller, "forms_alike": alike}
    own |= {"seeds": asked.seeds, "repeat": repeat, "budget": asked.budget}
    done = {RANDOM: expected_at_random(len(positive), total, asked.budget)}
    if asked.limit and (pool, asked.half, target, asked.seeds, repeat, asked.budget, ALL_LABELS) not in there:
        done[ALL_LABELS] = measured(positive[_limit(spaces, members.tobytes())][: asked.budget], total)
    as_elsa = 0
    for arm in asked.arms:
        if arm in done or (pool, asked.half, target, asked.seeds, repeat, asked.budget, arm) in there:
            continue
        told = {"seeds": asked.seeds, "repeat": repeat, "budget": asked.budget, "to_its_end": arm == "ELSA"}
        of, found = search_once(ARMS[arm], spaces, target, members, **told)
        of["finds_in_10"] = int(found[asked.seeds : asked.seeds + 10].sum())
        of["discovery"] = " ".join(f"{part:.3f}" for part in discovery_curve(found, total, curve_points(asked.budget)))
        if arm == "ELSA":
            as_elsa = min(int(found.sum()), goals(total)[-1])
        if as_elsa:
            of[AS_ELSA] = int(np.searchsorted(np.cumsum(found), as_elsa) + 1) if found.sum() >= as_elsa else 0
        done[arm] = of
        print(f"{target} {repeat}  {arm}  {of} of {total}", flush=True)
    return [own | {"arm": arm, "version": version_of(arm)} | of for arm, of in done.items()]


@lru_cache(maxsize=1)
def _limit(spaces: Spaces, members: bytes) -> np.ndarray:
    """Return all rows as a probe that knows every label ranks them, once for all searches of a class."""
    rows = np.frombuffer(members, np.int64)
    return labels_in_order(spaces.rows(), np.isin(np.arange(spaces.pool.n), rows))


def _there(path: Path) -> set[tuple]:
    """Return the keys of the stored searches that the strategies of now would make again."""
    if not path.exists():
        return set()
    rows = pd.read_csv(path, usecols=[*KEY, "version"], dtype={"version": str})
    return set(rows[rows["version"] == rows["arm"].map(version_of)][KEY].itertuples(index=False, name=None))


def _store(path: Path, rows: pd.DataFrame) -> None:
    """Add the rows of searches, and rewrite the summary of all; ValueError for two pools.

    A search that is there already, of another version or by another process, is replaced.
    """
    with only_writer(path):
        frame = pd.concat([pd.read_csv(path, dtype={"version": str}), rows]) if path.exists() else rows
        frame = frame.drop_duplicates(KEY, keep="last")
        sizes = frame.groupby(["pool", "target"])["class_size"].nunique()
        if len(other := sizes[sizes > 1]):  # such as texts, which come from what a system lists on that day
            raise ValueError(
                f"{path} holds searches of another pool of that name: the sizes of {other.index[0]} differ. Delete its "
                "rows, or give another --out."
            )
        write_atomically(path, frame.to_csv(index=False).encode())
        write_atomically(path.with_name("equal_budgets_summary.csv"), summary(frame).to_csv(index=False).encode())


if __name__ == "__main__":
    main()
