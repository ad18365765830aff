"""One search of a comparison, with known answers: every arm begins with the same random members of a class.

A search ends when the last of `overheads.SHARES` is found, or with its budget. Each comparison decides which searches
there are, and how their rows are kept: `comparison` has a table of its own, `equal_budgets` of the benchmarks shares
its table with other runs and compares the arms of a class with each other.
"""

import time
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from elsa_nb.bench.arms import Arm, Spaces
from elsa_nb.overheads import goals, measured
from elsa_nb.search.contract import next_batch
from elsa_nb.search.metrics import finds
from elsa_nb.search.oracle import Truth, answers_of
from elsa_nb.threads import one_thread

# The halves of a pool's classes: settings are chosen on the first, results are reported on the second alone.
HALVES = ("tuning", "held-out")


def half_of(name: str) -> str:
    """Return the half that a class belongs to, by the checksum of its name."""
    return HALVES[zlib.crc32(name.encode()) % 2]


def by_checksum(names: Iterable[str]) -> list[str]:
    """Return names of classes in the order of their checksums: taking the first of them is nobody's choice."""
    return sorted(names, key=lambda name: (zlib.crc32(name.encode()), name))


def search_once(
    arm: Arm,
    spaces: Spaces,
    target: str,
    members: np.ndarray,
    *,
    seeds: int,
    repeat: int,
    budget: int,
    to_its_end: bool = False,
) -> tuple[dict[str, Any], np.ndarray]:
    """Run one search on one core; return its measures, with seconds and rounds, and its finds, seeds first.

    `members` (m,) are the rows of the class `target`; `seeds` of them begin the search: others in each `repeat`, and
    the same for every arm if the members come in the same order. A strategy without a budget is stopped at the budget
    or, with `to_its_end`, goes on; what it asks beyond is among the finds, but not in the measures.
    """
    positive = np.zeros(spaces.pool.n, bool)
    positive[members] = True
    for_seeds, for_search = _randomness(target, seeds, repeat)
    first = for_seeds.choice(members, size=seeds, replace=False)
    started, rounds = time.perf_counter(), 0
    oracle, goal = Truth(positive), goals(len(members))[-1]
    with one_thread():
        search = arm(spaces, first, budget, for_search)
        while len(search.positives) < goal and (to_its_end or len(search.log.rows) < budget):
            if (batch := next_batch(search)) is None:
                break
            search.update(answers_of(oracle, batch.rows))
            rounds += 1
    seconds = round(time.perf_counter() - started, 2)
    found = finds(search.log.rows, positive, first)
    told = measured(found[: budget + seeds], len(members))
    return told | {"rounds": rounds, "seconds": seconds}, found


def _randomness(target: str, count: int, repeat: int) -> tuple[np.random.Generator, np.random.Generator]:
    """Return the generators that draw the seeds of a class and that its searches use: the same for all arms."""
    sequence = np.random.SeedSequence([zlib.crc32(target.encode()), count, repeat])
    for_seeds, for_search = sequence.spawn(2)
    return np.random.default_rng(for_seeds), np.random.default_rng(for_search)
