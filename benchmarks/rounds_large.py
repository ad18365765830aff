"""Part `rounds-large`: a round at ImageNet's size, 1,281,167 x 2,048, and part `gpu`.

Twice: in half precision (5.2 GB), as `elsa-nb embed` stores vectors by default, and in single (10.5 GB).
"""

from dataclasses import asdict, replace

import torch

from benchmarks import isolated
from benchmarks.context import Context
from benchmarks.goals import GRAPH_GPU, ROUND_GPU, ROUND_LARGE, TABLE_3_GPU
from benchmarks.summary import Row
from benchmarks.synthetic import Clustered
from benchmarks.timing import median, p95

TAKES = {"run": "5 to 20 minutes, of which 2 to 6 for writing 16 GB once", "run_gpu": "a second"}
SPEC, QUICK = Clustered(1_281_167, 2048), Clustered(3000, 32, classes=20)
SEARCHES = 4  # one after the other
TOGETHER, PROTOCOL = 64, 5_000  # searches at once, and those of the protocol


def run(context: Context) -> list[Row]:
    """Measure both precisions, each in a process of its own."""
    spec = QUICK if context.quick else SPEC
    return [row for dtype in ("float16", "float32") for row in _rounds(context, replace(spec, dtype=dtype))]


def _rounds(context: Context, spec: Clustered) -> list[Row]:
    """Measure in a process that may hold 90 % of the memory, so that a failure is a row and not a dead machine."""
    line, folder = f"{ROUND_LARGE} {spec.dtype}", context.cache / spec.name
    if not (folder / "pool.json").exists():
        context.say(f"writing {spec.gigabytes:.1f} GB to {folder}, once; delete the folder when done")
        spec.pool(context.cache)
    try:
        answer = isolated.call(
            "benchmarks.rounds:large",
            memory_gb=None if context.quick else 0.9 * context.machine.memory_gb,
            folder=str(folder),
            targets=list(range(2 if context.quick else SEARCHES)),
            spec=asdict(spec),
        )
    except isolated.MeasurementFailedError as error:
        context.say(f"failed: {error}")
        return [Row(f"{line}, {which}", f"failed: {error}") for which in ("median", "p95")]
    times = answer["times"]
    context.say(
        f"{spec.dtype}: opened in {answer['opening']:.1f} s, first query {median(answer['first']):.2f} s; "
        f"{len(times)} rounds: median {1e3 * median(times):.0f} ms, p95 {1e3 * p95(times):.0f} ms; peak "
        f"{answer['private_gb']:.1f} GB of its own, {answer['resident_gb']:.1f} GB resident"
    )
    context.limit(
        "a round reads the pool once", median(times), gigabytes=spec.gigabytes, gigaflops=2e-9 * spec.n * spec.d
    )
    return [
        Row(f"{line}, median", 1e3 * median(times), "ms"),
        Row(f"{line}, p95", 1e3 * p95(times), "ms"),
    ]


def run_gpu(context: Context) -> list[Row]:
    """Say for each line that needs a GPU that it was not measured, or measure it on one.

    A smoke run without a GPU goes the same way on torch's processor backend.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu:0"
    if device != "cuda" and not context.quick:
        return [Row(what, "not measured: no GPU") for what in (f"{ROUND_GPU}, p95", TABLE_3_GPU, GRAPH_GPU)]
    spec = QUICK if context.quick else SPEC
    spec.pool(context.cache)
    folder, there = str(context.cache / spec.name), {"ELSA_DEVICE": device}
    graph = isolated.call("benchmarks.graph:on_gpu", environment=there, folder=folder, k=128)
    targets = list(range(2 if context.quick else SEARCHES))
    times = isolated.call(
        "benchmarks.rounds:large", environment=there, folder=folder, targets=targets, spec=asdict(spec)
    )["times"]
    at_once = list(range(4 if context.quick else TOGETHER))
    seconds = isolated.call(
        "benchmarks.rounds:together", environment=there, folder=folder, targets=at_once, spec=asdict(spec)
    )["seconds"]
    context.say(
        f"on {context.machine.gpu or device}: neighbour graph {graph['seconds']:.1f} s; {len(times)} rounds: median "
        f"{1e3 * median(times):.0f} ms, p95 {1e3 * p95(times):.0f} ms; {len(at_once)} searches at once {seconds:.1f} s"
    )
    minutes = PROTOCOL * seconds / len(at_once) / 60
    return [
        Row(GRAPH_GPU, graph["seconds"], "s"),
        Row(f"{ROUND_GPU}, p95", 1e3 * p95(times), "ms"),
        Row(TABLE_3_GPU, minutes, "min", f"extrapolated from {len(at_once)} searches at once"),
    ]
