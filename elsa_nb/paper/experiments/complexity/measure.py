"""Section 5 measured: time and memory of the three parts of a round against n, k, l and d, with fitted exponents.

Two forms of each part: *plain* is the text taken literally (a matrix of all distances between queries and pool, then a
sort), *package* is what a search here does (neighbour lists made beforehand, merged in a round). Everything runs on one
thread, and the processor's seconds are counted, not the clock's: other programs take turns with this one. Sizes are
timed in turns, so that a machine that slows down slows all of them alike.
"""

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from elsa_nb.pool import Pool
from elsa_nb.prepared import LIST_LENGTH
from elsa_nb.profiles import profile
from elsa_nb.search import algorithms, kernels
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import LinearHead, confidence
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.threads import one_thread

# The paper's setting: rows asked by NN and by RandS, queries of NN, points that RandS samples.
ASKED_BY_NN, ASKED_BY_RANDS, NN_QUERIES, SAMPLED_POINTS = 50, 50, 50, 50
DIMENSION = 256
CALLS_IN_A_ROW = 2  # in a row, of which the fastest counts: what else runs on the machine only ever adds
TIMED_PARTS = {"n": ("NN", "Sampler", "RandS"), "k": ("NN",), "l": ("RandS",), "d": ("NN", "Sampler", "RandS")}


@dataclass(frozen=True)
class SizePlan:
    """Which sizes are measured, and how often. `n` and `d` are varied on synthetic vectors, `k` and `l` on the pool's.

    The smallest of the `n` and `d` (40 MB) are too large for the caches of most processors: so all sizes pay alike.
    """

    n: tuple[int, ...] = (40_000, 80_000, 160_000, 320_000)
    k: tuple[int, ...] = (16, 32, 64, 128, 256)
    l: tuple[int, ...] = (16, 32, 64, 128, 256)  # noqa: E741 - section 5 calls it so
    d: tuple[int, ...] = (128, 256, 512)
    lists: tuple[int, ...] = (1000, 2000, 4000)
    memory: tuple[int, ...] = (10_000, 20_000, 40_000, 80_000)  # n again, where bytes are counted
    rows: int = 80_000  # where d is varied
    pool_rows: int = 50_000  # where k and l are varied, if the pool has so many
    turns: int = 3


def plan_of(profile_name: str) -> SizePlan:
    """Return the plan of a profile: the same sizes in all, more turns than in `quick`."""
    return SizePlan() if profile_name == "quick" else SizePlan(turns=5)


@dataclass(frozen=True, eq=False)
class RoundInputs:
    """Some vectors (n, d) float32 with all that both forms of a round need, made beforehand."""

    vectors: np.ndarray
    norms: np.ndarray  # squared lengths
    weights: np.ndarray  # of a linear head
    features: Features
    neighbours: Neighbours  # whose lists are there for the rows that ask
    asking: np.ndarray  # rows

    @classmethod
    def of(cls, vectors: np.ndarray, rng: np.random.Generator, asking: int = 256) -> "RoundInputs":
        """Prepare vectors; lists are made only for the `asking` rows that queries are drawn from."""
        n, d = vectors.shape
        rows = rng.choice(n, min(asking, n // 2), replace=False)
        near, distances = Neighbours(vectors).exact(rows, LIST_LENGTH)
        lists = np.zeros((n, near.shape[1]), np.int32), np.zeros((n, near.shape[1]))
        lists[0][rows], lists[1][rows] = near, distances
        features = Features(vectors)
        weights = rng.normal(size=d) / np.sqrt(d)
        return cls(vectors, (vectors**2).sum(1), weights, features, Neighbours(vectors, lists=lists), rows)


def plain_neighbours(inputs: RoundInputs, queries: np.ndarray, a: int) -> np.ndarray:
    """Return the `a` rows nearest to any query as section 5 counts it: n x k distances, least of each row, a sort."""
    distances = inputs.vectors @ inputs.vectors[queries].T  # |x|^2 + |q|^2 - 2 xq, in place: one n x k matrix
    distances *= -2
    distances += inputs.norms[:, None]
    distances += inputs.norms[queries]
    return np.argsort(distances.min(1))[:a]


def plain_sampler(inputs: RoundInputs, alpha: float = 1.0) -> np.ndarray:
    """Return the rows above mean + alpha std of a linear head's confidences: Algorithm 3."""
    scores = confidence(inputs.vectors @ inputs.weights.astype(np.float32))
    return np.flatnonzero(scores > scores.mean() + alpha * scores.std())


def part_calls(
    inputs: RoundInputs,
    rng: np.random.Generator,
    *,
    k: int = NN_QUERIES,
    l: int = SAMPLED_POINTS,  # noqa: E741 - section 5 calls it so
) -> dict[tuple[str, str], Callable]:
    """Return what is timed, as functions without arguments: {(part, form): function}. Queries are drawn beforehand."""
    queries, sampled = (rng.choice(inputs.asking, size, replace=False) for size in (k, l))
    allowed = np.ones(len(inputs.vectors), bool)
    allowed[queries] = False
    head = LinearHead(inputs.weights, 0.0)
    near = inputs.neighbours
    return {
        ("NN", "plain"): lambda: plain_neighbours(inputs, queries, ASKED_BY_NN),
        ("NN", "package"): lambda: algorithms.nearest_neighbours(near, queries, ASKED_BY_NN, allowed),
        ("Sampler", "plain"): lambda: plain_sampler(inputs),
        ("Sampler", "package"): lambda: algorithms.sampler(confidence(head.logits(inputs.features)), 1.0, allowed),
        ("RandS", "plain"): lambda: plain_neighbours(inputs, sampled, ASKED_BY_RANDS),
        ("RandS", "package"): lambda: algorithms.random_search(near, sampled, l, ASKED_BY_RANDS, allowed, rng),
    }


def measure_time(profile_name: str = "quick", planned: SizePlan | None = None) -> pd.DataFrame:
    """Time the parts on one thread: the processor's seconds, the fastest of a few calls per turn, sizes in turns.

    One row per size and turn: part ("NN", "Sampler", "RandS", "lists"; "round" is the sum of the first three), form,
    against ("n", "k", "l", "d"), size, turn, seconds.
    """
    planned = planned or plan_of(profile_name)
    with one_thread():
        rows = [row for against in "nkld" for row in _timed(against, _series(profile_name, planned, against), planned)]
        vectors = _synthetic(planned.lists[-1], DIMENSION, np.random.default_rng(5))
        for turn in range(3):
            for size in planned.lists:
                seconds = _seconds(lambda size=size: Neighbours(vectors[:size], k=LIST_LENGTH).build(progress=False))
                rows.append(("lists", "package", "n", size, turn, seconds))
    frame = pd.DataFrame(rows, columns=["part", "form", "against", "size", "turn", "seconds"])
    by_n = frame[(frame["against"] == "n") & (frame["part"] != "lists")]
    rounds = by_n.groupby(["form", "against", "size", "turn"], as_index=False)["seconds"].sum().assign(part="round")
    return pd.concat([frame, rounds], ignore_index=True)


def measure_memory(profile_name: str = "quick", planned: SizePlan | None = None) -> pd.DataFrame:
    """Return the peak of memory that each part holds beyond its arguments, in bytes; the same on every run.

    One row per call: part, form, against ("n", "l"), size, bytes. The part "vectors" is what all of it works on (n x d
    in single precision), "lists" the package's neighbour lists (n x 128).
    """
    planned = planned or plan_of(profile_name)
    rows = []
    with one_thread():
        for against in ("n", "l"):
            series = _series(profile_name, replace(planned, n=planned.memory), against)
            for size, (inputs, sizes) in series.items():
                tasks = part_calls(inputs, np.random.default_rng(0), **sizes)
                rows += [
                    (*name, against, size, _peak(task))
                    for name, task in tasks.items()
                    if name[0] in TIMED_PARTS[against]
                ]
                rows.append(("vectors", "both", against, size, inputs.vectors.nbytes))
                rows.append(("lists", "package", against, size, sum(part.nbytes for part in inputs.neighbours.lists)))
    return pd.DataFrame(rows, columns=["part", "form", "against", "size", "bytes"])


def _series(profile_name: str, planned: SizePlan, against: str) -> dict[int, tuple[RoundInputs, Mapping[str, int]]]:
    """Return what is measured against n, k, l or d: {size: (inputs, sizes that differ from the setting)}."""
    rng = np.random.default_rng(5)
    if against == "n":
        vectors = _synthetic(planned.n[-1], DIMENSION, rng)
        return {n: (RoundInputs.of(vectors[:n], rng), {}) for n in planned.n}
    if against == "d":
        vectors = _synthetic(planned.rows, planned.d[-1], rng)
        return {d: (RoundInputs.of(np.ascontiguousarray(vectors[:, :d]), rng), {}) for d in planned.d}
    inputs = RoundInputs.of(_pool_rows(profile_name, planned.pool_rows, rng), rng)
    return {size: (inputs, {against: size}) for size in getattr(planned, against)}


def _synthetic(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """Return n x d normal numbers, the later axes with less variance, as in embeddings."""
    return rng.standard_normal((n, d), np.float32) * (1 / np.sqrt(np.arange(1, d + 1))).astype(np.float32)


def _pool_rows(profile_name: str, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random subset of the profile's pool (VICReg's projection) in memory, float32."""
    vectors = Pool.open(profile(profile_name).pool("vicreg", "projection"), verify=False).vectors
    chosen = rng.choice(len(vectors), min(rows, len(vectors)), replace=False)
    return kernels.as_single(np.ascontiguousarray(vectors[chosen]))


def _timed(
    against: str, series: Mapping[int, tuple[RoundInputs, Mapping[str, int]]], planned: SizePlan
) -> Iterator[tuple]:
    """Yield the rows of one series, after a turn that warms up; every second turn goes backwards."""
    rng = np.random.default_rng(6)
    for turn in range(-1, planned.turns):
        for size in list(series) if turn % 2 == 0 else reversed(list(series)):
            inputs, sizes = series[size]
            for (part, form), task in part_calls(inputs, rng, **sizes).items():
                if part not in TIMED_PARTS[against]:
                    continue
                seconds = min(_seconds(task) for _ in range(CALLS_IN_A_ROW if turn >= 0 else 1))
                if turn >= 0:
                    yield part, form, against, size, turn, seconds


def _seconds(task: Callable[[], object]) -> float:
    started = time.process_time()
    task()
    return time.process_time() - started


def _peak(task: Callable[[], object]) -> int:
    """Return the bytes that Python and NumPy hold at once while `task` runs (a first call has warmed up)."""
    task()
    gc.collect()
    tracemalloc.start()
    try:
        task()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
