"""Part `growth`: how time and memory grow with the pool (n), the lists (k) and the number of searches at once."""

import time
import tracemalloc
from dataclasses import replace

from benchmarks import isolated
from benchmarks.context import Context
from benchmarks.goals import GROWTH
from benchmarks.rounds import side_by_side
from benchmarks.summary import Row
from benchmarks.synthetic import Clustered
from benchmarks.timing import exponent, median
from benchmarks.warming import warm_up
from elsa_nb.pool import Pool
from elsa_nb.search.config import ELSA
from elsa_nb.search.heads.features import Features
from elsa_nb.search.neighbours.lists import Neighbours

TAKES = "2 minutes"
CONFIG = replace(ELSA, use_final=False)  # the final search asks a share of the pool: more labels, not a slower program
D, N, K, AT_ONCE = 64, (6_000, 12_000, 24_000, 48_000), (16, 32, 64, 128, 256), (1, 4, 16, 64)


def run(context: Context) -> list[Row]:
    """Measure every point in a process of its own, then fit value = a size^b."""
    sizes, lists, numbers = ((800, 1600), (), ()) if context.quick else (N, K, AT_ONCE)
    empty = isolated.call("benchmarks.growth:point", n=200, k=8, at_once=1)["private_gb"]
    by_n = [isolated.call("benchmarks.growth:point", n=n, k=64, at_once=1) for n in sizes]
    by_k = [isolated.call("benchmarks.growth:point", n=sizes[-2], k=k, at_once=1) for k in lists]
    by_number = [isolated.call("benchmarks.growth:point", n=sizes[-2], k=64, at_once=number) for number in numbers]
    series = {
        "time of a search against n": (sizes, [p["search"] for p in by_n]),
        "time of a search against k": (lists, [p["search"] for p in by_k]),
        "time against searches at once": (numbers, [p["search"] for p in by_number]),
        "memory against n": (sizes, [max(p["private_gb"] - empty, 1e-4) for p in by_n]),
        "memory against searches at once": (numbers, [p["searching_gb"] for p in by_number]),
        "time of the exact neighbour graph against n": (sizes, [p["graph"] for p in by_n]),
    }
    rows = []
    for what in GROWTH:
        at, values = series[what]
        points = ", ".join(f"{size:,}: {value:.3g}" for size, value in zip(at, values, strict=True))
        unit = "GB" if what.startswith("memory") else "s"
        if len(at) < 2:  # a smoke run
            continue
        fitted = exponent(at, values)
        context.say(f"{what}: exponent {fitted:.2f} ({points} {unit})")
        rows.append(Row(f"growth: {what}, exponent", f"{fitted:.2f}", "", f"{points} {unit}"))
    return rows


def point(n: int, k: int, at_once: int) -> dict:
    """Build a graph and run `at_once` searches round by round (run by `isolated`).

    Returns seconds of both, and the memory that the searches took: building the lists takes more, and would hide that.
    """
    vectors, labels = Clustered(n, D, classes=max(10, n // 1281)).arrays()
    pool = Pool.from_arrays(vectors)
    warm_up()
    started = time.perf_counter()
    neighbours = Neighbours(pool.vectors, k=k).build(progress=False)
    graph = time.perf_counter() - started
    shared = {"neighbours": neighbours, "features": Features(pool.vectors)}
    truths = [labels == number % 8 for number in range(at_once)]
    seconds = [side_by_side(pool, truths, shared, CONFIG, repeat) for repeat in range(3 if at_once < 16 else 1)]
    tracemalloc.start()  # slows what it watches: after the clock
    side_by_side(pool, truths, shared, CONFIG)
    return {"graph": graph, "search": median(seconds), "searching_gb": tracemalloc.get_traced_memory()[1] / 1e9}
