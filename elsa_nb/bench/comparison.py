"""All arms on the classes of one pool, search by search, each stored as it ends: an interrupted comparison goes on."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from elsa_nb.bench.arms import Arm, Spaces
from elsa_nb.bench.simulating import by_checksum, search_once
from elsa_nb.formulas import meant, safe
from elsa_nb.locks import lock_beside
from elsa_nb.overheads import SHARES, expected_at_random
from elsa_nb.progress import bar
from elsa_nb.search.checks import check_count
from elsa_nb.search.metrics import discovery_curve
from elsa_nb.store import reading, write_atomically

RANDOM = "Random order"
_KEY = ["pool", "target", "members", "seeds", "repeat", "budget", "arm", "version"]
_TEXTS = ("pool", "target", "members", "arm", "version", "discovery")
_FIRST = "1.1"  # the version of searches that were stored before versions were stored with them
_FEWEST_LABELS = 10


@dataclass(frozen=True)
class Plan:
    """What is compared: each arm searches for `classes` classes, `repeats` times each, from `seeds` random examples.

    A search spends at most `budget` labels. Classes have `smallest` to `largest` members. By default `largest` is a
    tenth of the pool, since more frequent classes are found without a search, and at most the budget, since a search
    could not find more members. Raises ValueError for numbers out of range and for a `largest` above the budget.
    """

    classes: int = 20
    seeds: int = 1
    repeats: int = 2
    budget: int = 2000
    smallest: int = 20
    largest: int | None = None

    def __post_init__(self):
        least = {"classes": 1, "seeds": 1, "repeats": 1, "budget": _FEWEST_LABELS, "smallest": 1, "largest": 1}
        for name, fewest in least.items():
            if name != "largest" or self.largest is not None:
                check_count(name, getattr(self, name), fewest)
        if self.largest is not None and self.largest > self.budget:
            raise ValueError(
                f"largest = {self.largest:,} is more than budget = {self.budget:,}: a search cannot find so many; "
                "raise budget or lower largest"
            )

    def points(self) -> np.ndarray:
        """Return the numbers of labels (k,) at which discovery is stored, for curves."""
        return np.unique(np.round(np.geomspace(1, self.budget, 60)).astype(int))


def compare(
    spaces: Spaces,
    classes: Mapping[str, np.ndarray],
    arms: Mapping[str, Arm],
    plan: Plan,
    path: Path,
    *,
    versions: Mapping[str, str],
    progress: bool | None = None,
) -> pd.DataFrame:
    """Run the searches of `plan` that are not in the file `path` yet; return one row per search, in the order of arms.

    `classes` gives the rows of each class, `versions` the version of each arm: searches of another version are made
    again. Raises ValueError where no class has a wanted size, BusyError while another process runs a comparison
    into the same file.
    """
    n, key = spaces.pool.n, spaces.pool.sha256[:16]
    targets = chosen_classes(classes, n, plan)
    members = {target: _checksum(classes[target]) for target in targets}
    wanted = [
        (key, target, members[target], plan.seeds, repeat, plan.budget, arm, versions[arm])
        for repeat in range(plan.repeats)  # all classes once, then again: a stop leaves results of all of them
        for target in targets
        for arm in arms
    ]
    # Each process writes all rows that it knows: two at once would drop each other's.
    with lock_beside(path, "The comparison").acquire():
        there = _stored(path)
        done = set(there[_KEY].itertuples(index=False, name=None)) if len(there) else set()
        rows = there.to_dict("records")
        todo = [each for each in wanted if each not in done]
        if there_already := len(wanted) - len(todo):
            print(f"{there_already:,} of {len(wanted):,} searches are in {path} already: they are not run again.")
        with bar(None, "searches", progress, total=len(wanted), initial=there_already) as shown:
            for number, each in enumerate(todo):
                key_of = dict(zip(_KEY, each, strict=True))
                rows.append(key_of | _row(spaces, arms[key_of["arm"]], classes[each[1]], each, plan))
                if number == len(todo) - 1 or each[1:5] != todo[number + 1][1:5]:  # the last arm from these seeds
                    write_atomically(path, _as_csv(rows))
                shown.update()
    frame = pd.DataFrame(rows)
    ours = frame[frame[_KEY].apply(tuple, axis=1).isin(set(wanted))]
    first = ours.drop_duplicates(["target", "repeat"])
    at_random = [
        row._asdict() | expected_at_random(n, row.class_size, plan.budget)
        for row in first[[*_KEY, "class_size"]].itertuples(index=False)
    ]
    chance = pd.DataFrame(at_random).assign(
        arm=RANDOM, discovery=" ".join(f"{share:.4f}" for share in np.minimum(plan.points() / n, 1))
    )
    order = {arm: number for number, arm in enumerate([*arms, RANDOM])}
    both = pd.concat([ours, chance], ignore_index=True).assign(half="all")
    return both.sort_values("arm", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def curves(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return for each arm the mean share of the class that is found at each of `Plan.points`, (k,).

    A search counts at most the share at which it ends: what its last batch finds beyond depends on the batch's size.
    """
    return {
        arm: np.mean([np.minimum(np.array(text.split(), float), SHARES[-1]) for text in of], axis=0)
        for arm, of in frame.groupby("arm", sort=False)["discovery"]
    }


def sizes_compared(n: int, plan: Plan) -> tuple[int, int]:
    """Return the sizes of the smallest and the largest class that `plan` allows in a pool of `n` rows."""
    return max(plan.smallest, plan.seeds + 1), plan.largest or min(n // 10, plan.budget)


def chosen_classes(classes: Mapping[str, np.ndarray], n: int, plan: Plan) -> list[str]:
    """Return the classes of a pool of `n` rows that `plan` compares on: the first by checksum that have a wanted size.

    Raises ValueError, with the existing sizes, where no class has a wanted size.
    """
    smallest, largest = sizes_compared(n, plan)
    names = [name for name, rows in classes.items() if smallest <= len(rows) <= largest]
    if not names:
        sizes = [len(rows) for rows in classes.values()]
        wanted = f"has {smallest:,} to {largest:,} members"
        if smallest > largest:
            wanted = f"can have at least {smallest:,} members and at most {largest:,}"
        raise ValueError(
            f"no class {wanted}: the {len(sizes)} class{'es have' if len(sizes) > 1 else ' has'} {span(sizes)} "
            "of them (--smallest, or --seeds and one more; --largest: if not given a tenth of the pool, at most the "
            "budget)"
        )
    return by_checksum(names)[: plan.classes]


def span(sizes: Sequence[int]) -> str:
    """Return the least and the largest of some numbers as words: "30", or "30 to 1,200"."""
    return f"{min(sizes):,}" if min(sizes) == max(sizes) else f"{min(sizes):,} to {max(sizes):,}"


def _row(spaces: Spaces, arm: Arm, members: np.ndarray, each: Sequence[Any], plan: Plan) -> dict[str, Any]:
    _, target, _, seeds, repeat, budget, *_ = each
    told, found = search_once(arm, spaces, target, members, seeds=seeds, repeat=repeat, budget=budget)
    discovery = discovery_curve(found, len(members), plan.points())
    return {"class_size": len(members)} | told | {"discovery": " ".join(f"{share:.4f}" for share in discovery)}


def _checksum(members: np.ndarray) -> str:
    """Return a mark of the rows of a class, which differs once labels are corrected between two comparisons."""
    return f"{zlib.crc32(np.ascontiguousarray(members, '<i8').tobytes()):08x}"


def _as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return pd.DataFrame(rows).map(safe).to_csv(index=False).encode()


def _stored(path: Path) -> pd.DataFrame:
    if not path.exists():
        return pd.DataFrame()
    cure = "Give the page another name (--out); or, if the file is from an earlier comparison, delete it."
    with reading(path, "the searches of a comparison", cure):
        frame = pd.read_csv(path, dtype=dict.fromkeys(_TEXTS, str), keep_default_na=False, na_values=[""])
        frame = frame.assign(**{name: frame[name].map(meant, na_action="ignore") for name in _TEXTS if name in frame})
        frame = frame if "version" in frame else frame.assign(version=_FIRST)
        if lacking := {*_KEY, "class_size", "discovery"} - set(frame):
            raise ValueError(f"it lacks the column {sorted(lacking)[0]}")
        told = [*_KEY, "class_size", "discovery", *frame.filter(like="labels_"), *frame.filter(like="found_in_")]
        points = {budget: len(Plan(budget=int(budget)).points()) for budget in frame["budget"].dropna().unique()}
        whole = frame[told].notna().all(axis=1)
        whole &= frame["discovery"].astype(str).str.split().str.len() == frame["budget"].map(points)
        whole.iloc[-1:] &= path.read_bytes().endswith(b"\n")
        if not whole.all():
            raise ValueError(f"its line {int(np.flatnonzero(~whole)[0]) + 2} is not whole")
        return frame
