"""Two processes, one file: `python -m benchmarks.two_writers` lets them meet and die at random, and counts.

Each case starts two processes that want to write the same thing, the second a random moment after the first, and kills
each with -9 at a random moment or not at all. Then it looks at what they left, lets one process finish the work, and
compares the result with that of a single process. Four kinds in turn:

    pool        two writers of one pool, block by block
    replaced    two writers of one pool with different vectors: the last to finish wins, as a whole
    lists       two searches that want the neighbour lists of one pool
    sweep       two runs of one sweep into one results folder

It counts *silently wrong* (something opens and verifies, and is not what a single process makes) and *lost* (blocks
that the journal vouched for, or finished pieces of a sweep, that have to be made again). Needs POSIX: it forks.
"""

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.summary import only_writer
from elsa_nb import prepared, store
from elsa_nb.errors import BusyError, MissingDataError
from elsa_nb.paper.runs import runner, simulation, validity
from elsa_nb.paper.runs.grid import Setting, Sweep
from elsa_nb.paper.runs.place import Place
from elsa_nb.pool import Pool, PoolWriter

ROWS, DIMENSION, BLOCK, PIECES = 1500, 16, 60, 12
IDS = np.arange(ROWS).astype(str)
PATIENCE = 900  # seconds until a process counts as hanging: a busy machine is slow, not wrong
WRONG = 7  # the status of a check that found what it should not
# Children begin as copies of this process, which therefore computes nothing itself: threads would not be copied.
FORK = get_context("fork")


def vectors_of(version: int) -> np.ndarray:
    """Return the vectors (1500, 16) float16 of a version of the pool; no row is zero."""
    return np.random.default_rng(version).normal(1, 0.1, size=(ROWS, DIMENSION)).astype(np.float16)


def write_pool(folder: Path, version: int, pause: float) -> None:
    """Write a pool block by block, going on where another stopped; try again while another writes."""
    vectors = vectors_of(version)
    while True:
        with contextlib.suppress(BusyError), open_writer(folder, version) as writer:
            while writer.rows_done < ROWS:
                time.sleep(pause)
                writer.write(vectors[writer.rows_done : writer.rows_done + BLOCK])
            writer.finish()
            return
        time.sleep(0.005)


def open_writer(folder: Path, version: int) -> PoolWriter:
    """Return a writer of one version of the pool."""
    return PoolWriter(folder, IDS, DIMENSION, name="two", space="embedding", recipe=f"version {version}")


def make_lists(folder: Path, version: int, pause: float) -> None:
    """Make or find the neighbour lists of a pool."""
    prepared.DATA = folder / "data"
    prepared.prepare(folder / "pool", progress=False)


def run_sweep(folder: Path, version: int, pause: float) -> None:
    """Run a made-up sweep of twelve pieces, one row each, by the runner's own machinery for results and parts."""

    def run_unit(unit: tuple[Setting], place: Place) -> list[dict[str, Any]]:
        time.sleep(2 * pause)
        with (folder / "computed.txt").open("a") as stream:
            stream.write(f"{unit[0].target}\n")
        return [{"piece": unit[0].target, "value": value_of(unit[0].target), "seconds": 0.0}]

    simulation.run_unit = run_unit
    validity.stored_keys = lambda rows, source: rows["piece"].tolist()
    validity.changes = lambda before, now: []
    runner.prepare = lambda *_, **__: None
    Place.folder = folder
    plan, names = Sweep("two", ("vicreg",)), [f"piece {i}" for i in range(PIECES)]
    units = [{name: Setting("two", "paper", "vicreg", "projection", "ELSA", name, 5, 0)} for name in names]
    files = runner.SweepFiles("two", "quick", folder / "results")
    work = runner._Work(plan, files, runner.places_of(plan, "quick"), {"search": 1}, units)
    with files.lock.acquire(wait=True):
        work.complete(1, None, False)


def value_of(piece: str) -> str:
    """Return what the search of a piece finds."""
    return store.sha256_bytes(piece.encode())


# What two processes do at once, and the versions of the pool that they want.
KINDS: dict[str, tuple[Callable[[Path, int, float], None], tuple[int, int]]] = {
    "pool": (write_pool, (0, 0)),
    "replaced": (write_pool, (0, 1)),
    "lists": (make_lists, (0, 0)),
    "sweep": (run_sweep, (0, 0)),
}


def meet(kind: str, folder: Path, rng: np.random.Generator) -> Counter:
    """Let two processes meet once; return what happened, by name."""
    work, versions = KINDS[kind]
    if kind == "lists":
        start(lambda: Pool.from_arrays(vectors_of(0)).save(folder / "pool")).join()
    seconds, found = 0.5, Counter(cases=1)
    lives = [rng.uniform(0, 1.5 * seconds) if rng.random() < 0.7 else np.inf for _ in versions]
    delay, pause, processes = rng.uniform(0, seconds), 0.4 * seconds / (ROWS / BLOCK), []
    for number, version in enumerate(versions):
        time.sleep(delay if number else 0)
        processes.append(start(lambda version=version: work(folder, version, pause)))
        lives[number] += time.monotonic()
    most, deadline = 0, time.monotonic() + PATIENCE
    while any(process.is_alive() for process in processes):
        most = max(most, kept(kind, folder))
        for process, end in zip(processes, lives, strict=True):
            if time.monotonic() > min(end, deadline) and process.is_alive():
                found["hung"] += end > deadline
                os.kill(process.pid, signal.SIGKILL)
                process.join()
        time.sleep(0.005)
    found["killed"] = sum(process.exitcode == -signal.SIGKILL for process in processes)
    found["ended"] = sum(process.exitcode == 0 for process in processes)
    found["raised"] = len(processes) - found["killed"] - found["ended"]
    found["silently wrong"] = run(lambda: check(kind, folder, versions)) == WRONG
    found["lost"] = most > kept(kind, folder) and run(lambda: check(kind, folder, versions, whole=True)) != 0
    found["not to be ended"] = run(lambda: work(folder, versions[-1], 0.0)) != 0
    found["silently wrong"] += run(lambda: check(kind, folder, versions[-1:], whole=True)) != 0
    if kind == "sweep":  # only the piece that each was at when it was killed is made again
        computed = (folder / "computed.txt").read_text().count("\n")
        found["lost"] += max(0, computed - PIECES - found["killed"])
    return found


def start(work: Callable[[], object]) -> BaseProcess:
    """Start `work` in a copy of this process that prints nothing."""

    def quietly() -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        work()

    process = FORK.Process(target=quietly)
    process.start()
    return process


def run(work: Callable[[], object]) -> int | None:
    """Run `work` in a copy of this process to its end, `PATIENCE` at most; return its status."""
    process = start(work)
    process.join(PATIENCE)
    return process.exitcode


def kept(kind: str, folder: Path) -> int:
    """Return how many blocks the journal of a pool vouches for, how many pieces of the sweep are stored."""
    if kind == "pool" and (folder / "journal.txt").exists():
        with contextlib.suppress(FileNotFoundError):
            return (folder / "journal.txt").read_bytes().count(b"\n")
    return len(list(folder.glob("results/.parts/two-quick/*.rows"))) if kind == "sweep" else 0


def check(kind: str, folder: Path, versions: tuple[int, ...], whole: bool = False) -> None:
    """Exit with status `WRONG` if what opens in `folder` is not what a lone process makes; if `whole` it must open."""
    try:
        right = {"lists": lists_are_right, "sweep": sweep_is_right}.get(kind, pool_is_right)(folder, versions)
    except MissingDataError:
        right = not whole
    sys.exit(0 if right else WRONG)


def pool_is_right(folder: Path, versions: tuple[int, ...]) -> bool:
    """Compare a pool that opens with what was to be written."""
    pool = Pool.open(folder)
    return any(np.array_equal(pool.vectors, vectors_of(version)) for version in versions)


def lists_are_right(folder: Path, versions: tuple[int, ...]) -> bool:
    """Compare neighbour lists with distances measured in float64."""
    cards = list(folder.glob("data/cache/neighbours/*/card.json"))
    if not cards:
        raise MissingDataError("no lists")
    vectors = vectors_of(0).astype(np.float64)
    rows = np.load(cards[0].with_name("rows.npy"))
    for row in range(0, ROWS, 50):
        distances = ((vectors - vectors[row]) ** 2).sum(1)
        distances[row] = np.inf
        if not np.array_equal(np.argsort(distances, kind="stable")[: rows.shape[1]], rows[row]):
            return False
    return True


def sweep_is_right(folder: Path, versions: tuple[int, ...]) -> bool:
    """Compare the rows of a sweep with what its pieces find: each once, in order."""
    frame = runner.stored_results("two", "quick", folder / "results")
    pieces = [f"piece {i}" for i in range(PIECES)]
    return frame["piece"].tolist() == pieces and frame["value"].tolist() == list(map(value_of, pieces))


SUMMARY = Path(__file__).with_name("results") / "two_writers.csv"
COUNTS = ("cases", "killed", "ended", "raised", "silently wrong", "lost", "not to be ended", "hung")


def main(arguments: list[str] | None = None) -> int:
    """Run the cases and print the counts; return 1 if anything raised, was silently wrong, lost or hung."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.two_writers", description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", choices=KINDS, help="only this one; may be repeated")
    parser.add_argument("--store", action="store_true", help=f"write the counts to {SUMMARY.name}, which is committed")
    options = parser.parse_args(arguments)
    kinds = options.kind or list(KINDS)
    rng, total = np.random.default_rng(options.seed), {kind: Counter() for kind in kinds}
    for number in range(options.cases):
        kind = kinds[number % len(kinds)]
        with tempfile.TemporaryDirectory() as folder:
            total[kind] += meet(kind, Path(folder), rng)
    for kind, counts in total.items():
        print(f"{kind:9}", ", ".join(f"{name} {counts[name]}" for name in COUNTS))
    if options.store:
        rows = [{"two writers of": kind, **{name: counts[name] for name in COUNTS}} for kind, counts in total.items()]
        with only_writer(SUMMARY):
            if SUMMARY.exists():  # the rows of other kinds stay
                stored = pd.read_csv(SUMMARY).to_dict("records")
                rows = [row for row in stored if row["two writers of"] not in kinds] + rows
            store.write_atomically(SUMMARY, pd.DataFrame(rows).to_csv(index=False).encode())
    return int(any(counts[name] for counts in total.values() for name in COUNTS[3:]))


if __name__ == "__main__":
    sys.exit(main())
