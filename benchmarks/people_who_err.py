"""What wrong answers cost a search, and what asking doubtful ones again saves, in simulations.

    python -m benchmarks.people_who_err glyphs                   # resumable at any moment
    ELSA_DATA=... python -m benchmarks.people_who_err people     # CIFAR-10N: what three people really said
    ELSA_DATA=... python -m benchmarks.people_who_err tiny-imagenet

In a quarter of the glyph classes, with all of their images, 20 classes of 80 to 300 that nothing was chosen on are
searched for from five seeds; errors are flips, each time anew, or as many where the classes look alike
(`erring.LooksAlike`). The same is done for 20 classes in 20,000 photographs of Tiny-ImageNet, with flips. Of CIFAR-10,
each class is 1 % of its pool of 10,000; errors are those of one person (another one in each repeat), of the majority of
three, or as many on random rows. Each search runs as it is, and with doubtful answers asked again
(`elsa_nb.search.recheck`), which in CIFAR-10 the next person answers.

A member is *shown* when it has been asked, whatever was answered, and *kept* while it is believed positive. A search
ends with 90 % kept or when its budget is spent, those asked again counted. `results/people_who_err.csv` has one row
per search; labels are 0 where 80 % are not reached. `results/people_who_err_summary.csv` has what each kind of error
costs, medians with intervals over classes: `tables.cost_of_errors`. Notebook 15 shows both.
"""

import argparse
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.erring import LooksAlike, People, likeness, shuffled
from benchmarks.human_labels import Photographs, photographs
from benchmarks.summary import RESULTS, only_writer
from benchmarks.versions import version_of
from elsa_nb.bench.arms import Arm, Spaces, elsa, harvest, probe
from elsa_nb.bench.simulating import by_checksum, half_of
from elsa_nb.paper.experiments.people.tables import MOST_LABELS, SHORT, beside_clean, cost_of_errors
from elsa_nb.paper.runs.place import class_names
from elsa_nb.paper.runs.simulation import draw_seeds
from elsa_nb.pool import Pool
from elsa_nb.search.contract import POSITIVE
from elsa_nb.search.elsa import Search
from elsa_nb.search.heads.features import Features
from elsa_nb.search.oracle import Flipped, Oracle, Truth
from elsa_nb.search.readings import READINGS
from elsa_nb.search.recheck import RECHECK, Rechecked
from elsa_nb.search.strategies.greedy_probe import FIRM
from elsa_nb.store import DATA, write_atomically
from elsa_nb.threads import one_thread

KEY = ["pool", "repeat", "errors", "target", "arm", "again"]  # what tells two searches apart
CLASSES, SEEDS = 20, 5
# Of the three most telling kinds of error, and of the others.
REPEATS = {"glyphs": (2, 1), "people": (5, 1), "tiny-imagenet": (1, 1)}
SIZES, OF_ALL = (80, 300), 4  # members of a class searched for; one in this many classes is in the pool of glyphs
PHOTOGRAPHS = 20_000  # of Tiny-ImageNet, at random
SHARE, ENOUGH = 0.8, 0.9
NAMES = {
    "glyphs": "glyphs-vicreg-projection, a quarter",
    "people": "cifar-10, 1 %",
    "tiny-imagenet": "tiny-imagenet-efficientnet-lite0-embedding, 20,000",
}
ERRORS = {
    "glyphs": ("none", "flips 0.1", "alike 0.1", "flips 0.05", "flips 0.15", "flips 0.025"),
    "people": ("none", "person", "person, shuffled", "person, anywhere", "majority", "majority, shuffled"),
    "tiny-imagenet": ("none", "flips 0.1"),
}


@lru_cache(maxsize=1)
def _in_embedding(spaces: Spaces) -> Features:
    return Features(np.asarray(spaces.pools[-1].vectors, np.float32))


def _released_code(spaces: Spaces, seeds: np.ndarray, budget: int, rng: np.random.Generator) -> Search:
    """Begin ELSA as its released code reads: the head sees the embedding, the last of the pools."""
    parts = {"neighbours": spaces.neighbours, "features": _in_embedding(spaces)}
    return Search(spaces.pool, seeds, config=READINGS["released-code"]["ELSA"], rng=rng, **parts)


ARMS: dict[str, Arm] = {
    "Harvest": harvest(),
    "Greedy probe": probe(unit=True, l2=FIRM),
    "ELSA": elsa("ELSA"),
    "ELSA, released code": _released_code,
    "NN.Large": elsa("NN.Large"),
}


class Case(NamedTuple):
    """One class to search for: its pool, its rows (n,) bool, and `oracle(errors, rng)`, one that errs in that way."""

    spaces: Spaces
    positive: np.ndarray
    oracle: Callable[[str, np.random.Generator], Oracle]


class MadeUp:
    """The cases of a pool whose errors are made up: `names` (n,) of all items of `pools`, of which `rows` are kept."""

    def __init__(self, names: np.ndarray, pools: tuple[str, ...], rows: np.ndarray):
        self.names = names[rows]
        vectors = [np.asarray(Pool.open(DATA / "pools" / pool, verify=False).vectors)[rows] for pool in pools]
        self.spaces = Spaces(*map(Pool.from_arrays, vectors))
        sizes = pd.Series(self.names).value_counts()
        fit = sizes.index[sizes.between(*SIZES)]
        self.targets = by_checksum(name for name in fit if half_of(name) == "held-out")[:CLASSES]

    def case(self, target: str, repeat: int) -> Case:
        """Return the case of a class."""
        positive = self.names == target

        def oracle(errors: str, rng: np.random.Generator) -> Oracle:
            if errors == "none":
                return Truth(positive)
            kind, flip = errors.split()
            if kind == "flips":
                return Flipped(positive, float(flip), rng)
            return LooksAlike(positive, float(flip), self._alike(target), rng)

        return Case(self.spaces, positive, oracle)

    @lru_cache(maxsize=CLASSES)  # noqa: B019 - a class is searched for many times, and its likeness takes seconds
    def _alike(self, target: str) -> np.ndarray:
        return likeness(self.spaces.rows(), self.names == target, np.random.default_rng(0))


def glyphs() -> MadeUp:
    """Return the cases of the glyphs: the last space is the one that the head of the released code sees."""
    names = class_names("glyphs").to_numpy()
    kept = by_checksum(np.unique(names))[::OF_ALL]
    return MadeUp(names, ("glyphs-vicreg-projection", "glyphs-vicreg-embedding"), np.flatnonzero(np.isin(names, kept)))


def tiny_imagenet() -> MadeUp:
    """Return the cases of the photographs of Tiny-ImageNet."""
    names = class_names("tiny-imagenet").to_numpy()
    rows = np.sort(np.random.default_rng(0).permutation(len(names))[:PHOTOGRAPHS])
    return MadeUp(names, ("tiny-imagenet-efficientnet-lite0-embedding",), rows)


class PeoplesPhotographs:
    """The cases of the photographs that people labelled."""

    def __init__(self):
        self.of: Photographs = photographs()
        self.targets = sorted(set(self.of.names))
        self._last: tuple[str, Spaces] | None = None

    def case(self, target: str, repeat: int) -> Case:
        """Return the case of a class; the first to answer is another person in each repeat."""
        rows = self.of.rare(target)
        if self._last is None or self._last[0] != target:
            self._last = target, self._spaces(rows)
        positive = self.of.names[rows] == target
        people = np.roll(self.of.people[:, rows] == target, -repeat, axis=0)
        majority = (self.of.majority[rows] == target)[None]

        def oracle(errors: str, rng: np.random.Generator) -> Oracle:
            if errors == "none":
                return Truth(positive)
            who, _, placed = errors.partition(", ")
            answers = people if who == "person" else majority
            if placed:
                answers = shuffled(answers, positive, rng, sides=placed == "shuffled")
            return People(answers)

        return Case(self._last[1], positive, oracle)

    def _spaces(self, rows: np.ndarray) -> Spaces:
        """Return the pool of rows: their vectors in 256 dimensions, which keep nearly all of the distances."""
        vectors = self.of.vectors[rows] - self.of.vectors[rows].mean(0)
        axes = np.linalg.eigh(vectors.T @ vectors)[1][:, :-257:-1]
        return Spaces(Pool.from_arrays(np.ascontiguousarray(vectors @ axes, np.float32)))


def run(search: Any, case: Case, oracle: Oracle, budget: int) -> dict[str, Any]:
    """Drive a search to its end, over `budget` labels at most; return its measures."""
    positive, seeds = case.positive, search.positives
    total = int(positive.sum())
    shown = np.zeros(len(positive), bool)
    shown[seeds] = True
    first = np.zeros(len(positive), bool)
    labels = asked_again = wrong = answers = 0
    reached = {"shown_80": 0, "kept_80": 0}
    kept = 0.0
    while labels < budget and kept < ENOUGH and (batch := search.query()) is not None:
        given = oracle.label(batch.rows)
        search.update(given)
        again = batch.components == RECHECK
        asked_again += int(again.sum())
        new = ~again & ~first[batch.rows]
        first[batch.rows] = True
        answers += int(new.sum())
        wrong += int(((given == POSITIVE) != positive[batch.rows])[new].sum())
        finds = np.flatnonzero(positive[batch.rows] & ~shown[batch.rows])
        before = np.count_nonzero(shown & positive)
        due = int(np.ceil(SHARE * total)) - before
        if not reached["shown_80"] and len(finds) >= due:
            reached["shown_80"] = labels + int(finds[due - 1]) + 1
        shown[batch.rows] = True
        labels += len(batch.rows)
        believed = search.positives
        kept = np.count_nonzero(positive[believed]) / total
        if not reached["kept_80"] and kept >= SHARE:
            reached["kept_80"] = labels
    discovery = np.count_nonzero(shown & positive) / total
    row = {**reached, "labels": labels, "discovery": discovery, "kept": kept}
    row |= {"false": 1 - positive[believed].mean(), "wrong": wrong / max(answers, 1)}
    return row | {"asked_again": asked_again, "changed": getattr(search, "changed", 0)}


def units(of: str, targets: list[str]) -> Iterator[tuple[int, str, str]]:
    """Yield (repeat, errors, target): the most telling first, so that a run cut short is still useful."""
    for repeat in range(max(REPEATS[of])):
        for kinds, repeats in zip((ERRORS[of][:3], ERRORS[of][3:]), REPEATS[of], strict=True):
            if repeat < repeats:
                yield from ((repeat, errors, target) for target in targets for errors in kinds)


def searches(of: str, path: Path) -> None:
    """Run the searches that `path` does not hold yet; store after each class."""
    budget = MOST_LABELS[SHORT[NAMES[of]]]
    cases: Any = {"glyphs": glyphs, "people": PeoplesPhotographs, "tiny-imagenet": tiny_imagenet}[of]()
    done = pd.read_csv(path, dtype={"version": str}) if path.exists() else pd.DataFrame(columns=[*KEY, "version"])
    stale = done[done["version"] != done["arm"].map(version_of)]
    held = set(done[KEY[:4]].itertuples(index=False, name=None)) - set(
        stale[KEY[:4]].itertuples(index=False, name=None)
    )
    for repeat, errors, target in units(of, cases.targets):
        if (NAMES[of], repeat, errors, target) in held:
            continue
        rows = []
        root = np.random.SeedSequence([zlib.crc32(f"{of} {target}".encode()), repeat])
        for_seeds, for_search, for_oracle, for_weak = root.spawn(4)
        with one_thread():
            case = cases.case(target, repeat)
            seeds = draw_seeds(case.positive, SEEDS, np.random.default_rng(for_seeds), target)
            for arm, begin in ARMS.items():
                for again in (False, True) if not errors.startswith("majority") else (False,):
                    search = begin(case.spaces, seeds, budget, np.random.default_rng(for_search))
                    if again:
                        search = Rechecked(search, case.spaces.rows(), rng=np.random.default_rng(for_weak))
                    measures = run(search, case, case.oracle(errors, np.random.default_rng(for_oracle)), budget)
                    about = {"pool": NAMES[of], "repeat": repeat, "errors": errors, "target": target}
                    about |= {"class_size": int(case.positive.sum()), "arm": arm, "again": again}
                    about |= {"version": version_of(arm)}
                    rows.append(about | measures)
        _add(path, pd.DataFrame(rows).round(4))
        print(f"{of}  {repeat}  {errors}  {target}", flush=True)


def _add(path: Path, rows: pd.DataFrame) -> None:
    """Add the rows of searches; one that is there already, of another version or by another process, is replaced."""
    with only_writer(path):
        frame = pd.concat([pd.read_csv(path, dtype={"version": str}), rows]) if path.exists() else rows
        write_atomically(path, frame.drop_duplicates(KEY, keep="last").to_csv(index=False).encode())


def main() -> None:
    """Search, store, and say what errors cost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.people_who_err", description=__doc__.split("\n")[0])
    parser.add_argument("of", choices=list(NAMES))
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / "people_who_err.csv"
    searches(asked.of, path)
    with only_writer(path):
        costs = cost_of_errors(beside_clean(pd.read_csv(path))).round(3)
        write_atomically(asked.out / "people_who_err_summary.csv", costs.to_csv(index=False).encode())


if __name__ == "__main__":
    main()
