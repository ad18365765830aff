"""Part `graph`: the exact neighbour graph beside faiss's exact search of the same lists, on the same cores."""

import time
from pathlib import Path
from unittest import mock

import faiss
import numpy as np

from benchmarks.context import Context
from benchmarks.goals import GRAPH, GRAPH_SINGLE
from benchmarks.summary import Row
from benchmarks.synthetic import Clustered
from benchmarks.warming import warm_up
from elsa_nb.pool import Pool
from elsa_nb.profiles import profile
from elsa_nb.search.neighbours import lists
from elsa_nb.search.neighbours.brief_pairs import brief_is_quicker
from elsa_nb.search.neighbours.lists import Neighbours

TAKES = "3 to 5 minutes"
K = 128


def run(context: Context) -> list[Row]:
    """Build ours between the three parts of faiss's queries, so that a slower hour slows both."""
    vectors = Clustered(3000, 32, classes=20).arrays()[0] if context.quick else _bundled()
    n, d = vectors.shape
    k = min(K, n - 1)
    warm_up()
    if brief_is_quicker(n, d):
        with mock.patch.object(lists, "brief_is_quicker", return_value=True):
            Neighbours(vectors[:2000], k=16).build(progress=False)
    index = faiss.IndexFlatL2(d)
    index.add(vectors)
    theirs, found = 0.0, []

    def search(part: int) -> None:
        nonlocal theirs
        started = time.perf_counter()
        found.append(index.search(vectors[part * n // 3 : (part + 1) * n // 3], k + 1)[1])  # + 1: a row finds itself
        theirs += time.perf_counter() - started

    def build() -> tuple[float, np.ndarray]:
        started = time.perf_counter()
        rows, _ = Neighbours(vectors, k=k).build(progress=None).lists
        return time.perf_counter() - started, rows

    search(0)
    ours, rows = build()
    search(1)
    with mock.patch.object(lists, "brief_is_quicker", return_value=False):
        single, in_single = build()
    search(2)
    if not np.array_equal(rows, in_single):
        raise RuntimeError("the neighbour lists made with and without bf16 matrix units differ")
    same = _agreement(rows, np.concatenate(found))
    context.say(
        f"ours {ours:.1f} s, in single precision {single:.1f} s, faiss {theirs:.1f} s; {same:.3%} of its neighbours "
        "are ours (its ties are its own)"
    )
    context.limit(
        "half of all pairs (the table is symmetric)", single, gigabytes=12e-9 * n * k, gigaflops=1e-9 * n * n * d
    )
    return [
        Row(GRAPH, ours, "s", f"{ours / theirs:.2f} times faiss's {theirs:.0f} s"),
        Row(GRAPH_SINGLE, single, "s", f"{single / theirs:.2f} times"),
    ]


def _bundled() -> np.ndarray:
    """Return the bundled pool's projection; where it was not extracted, a synthetic pool of its size."""
    try:
        pool = Pool.open(profile("full").pool("vicreg", "projection"), verify=False)
    except FileNotFoundError:
        return Clustered(100_000, 256).arrays()[0]
    return np.ascontiguousarray(pool.vectors, np.float32)


def _agreement(rows: np.ndarray, theirs: np.ndarray) -> float:
    """Return the share of our neighbours that are in faiss's list of the same row."""
    checked = np.linspace(0, len(rows) - 1, min(2000, len(rows))).astype(int)
    return float(np.mean([np.isin(rows[i], theirs[i]).mean() for i in checked]))


def on_gpu(folder: str, k: int) -> dict:
    """Build the graph of a pool on the GPU (run by `isolated`)."""
    pool = Pool.open(Path(folder), verify=False)
    neighbours = Neighbours(pool.vectors, k=k, backend="torch")
    started = time.perf_counter()
    neighbours.build(progress=False)
    return {"seconds": time.perf_counter() - started}
