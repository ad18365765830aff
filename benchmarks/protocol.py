"""Part `sweep`: the protocol of Tables 2-4 by the runner, beside the plain loop, and their logs answer by answer."""

import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import cases, plain_loop
from benchmarks.cases import Ground
from benchmarks.context import Context
from benchmarks.goals import PLAIN, SWEEP
from benchmarks.summary import Row
from benchmarks.warming import warm_up
from elsa_nb.errors import MissingDataError
from elsa_nb.paper.experiments.catalogue import sweep
from elsa_nb.paper.runs import runner, simulation
from elsa_nb.paper.runs.grid import Setting
from elsa_nb.search.oracle import Truth, simulate

TAKES = "5 to 7 minutes"
FEW, MANY = 2, 12  # classes; the difference of the two runs is what searches cost, the rest is starting
PROTOCOL = 10_000  # searches per reading: 2 encoders x 50 classes x 5 repeats x 5 numbers of seeds x 4 arms
KEY = ["reading", "arm", "target", "seeds", "repeat"]


def run(context: Context) -> list[Row]:
    """Time the runner on samples of two sizes and the plain loop on fifty of the same searches; compare the logs."""
    if context.quick:
        ground = cases.synthetic()
        hashes = {
            s: simulation.log_hash(simulate(ground.search(s), Truth(ground.positive(s)))) for s in ground.settings
        }
        return [row for reading in ground.features for row in _logs(context, ground, reading, hashes, {})]
    try:
        ground = cases.bundled()
    except MissingDataError as error:
        return [Row(SWEEP, f"not measured: {error}")]
    rows, minutes = [], 0.0
    warm_up()
    for reading in ground.features:
        settings = [s for s in ground.settings if s.reading == reading]
        half = len(settings) // 2
        plain = _plain(ground, settings[:half], plain_loop.scikit_learn)
        few, _ = _by_the_runner(reading, FEW)
        many, frame = _by_the_runner(reading, MANY)
        plain |= _plain(ground, settings[half:], plain_loop.scikit_learn)
        each = (many - few) / (len(frame) * (1 - FEW / MANY))
        fixed = max(0.0, many - each * len(frame))
        minutes += (PROTOCOL * each + fixed) / 60
        theirs = _mean_of_strata({s: took for s, (took, _) in plain.items()})
        context.say(
            f"{reading}: {len(frame)} searches in {many:.1f} s by the runner, {FEW} of {MANY} classes in {few:.1f} s: "
            f"{1e3 * each:.1f} ms a search after {fixed:.1f} s; plain loop {theirs:.2f} s a search"
        )
        rows.append(Row(f"{PLAIN}, {reading} reading", theirs, "s a search", f"{theirs / each:.1f} times slower"))
        found = dict(zip(map(tuple, frame[KEY].to_numpy()), frame["log_sha256"], strict=True))
        hashes = {s: found[tuple(getattr(s, name) for name in KEY)] for s in settings}
        rows += _logs(context, ground, reading, hashes, plain)
    n, d = ground.pool.vectors.shape
    per_search = 2e-9 * n * d * 5  # about half of all rounds score the pool
    context.limit("20,000 searches that score the pool 5 times", 60 * minutes, gigaflops=2 * PROTOCOL * per_search)
    return [
        Row(SWEEP, minutes, "min", f"{2 * PROTOCOL / minutes / 60:.0f} searches a second, neighbour graph not counted"),
        *rows,
    ]


def _by_the_runner(reading: str, classes: int) -> tuple[float, pd.DataFrame]:
    """Run all searches of one reading in that many classes as `elsa-nb reproduce` does: (seconds, rows)."""
    plan = replace(
        sweep("components", "full"),
        name="benchmark",
        encoders=(cases.ENCODER,),
        readings=(reading,),
        n_classes=classes,
        repeats=1,
        rivals=(),
    )
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        frame = runner.run(plan, "full", progress=False, folder=Path(folder))
        return time.perf_counter() - started, frame


def _plain(ground: Ground, settings: list[Setting], fit: object) -> dict[Setting, tuple[float, plain_loop.Outcome]]:
    """Run searches one after the other by the plain loop, on all cores: {setting: (seconds, outcome)}."""
    taken, pools = {}, {}
    for setting in settings:
        features = ground.features[setting.reading]
        if setting.reading not in pools:
            seen = features.vectors if setting.config.head_space == "embedding" else None
            pools[setting.reading] = plain_loop.PlainPool(ground.pool.vectors, seen)
        seeds, rng = ground.start(setting)
        oracle = Truth(ground.positive(setting))
        started = time.perf_counter()
        outcome = plain_loop.search(pools[setting.reading], seeds, oracle, rng, setting.config, fit)
        taken[setting] = time.perf_counter() - started, outcome
    return taken


def _logs(context: Context, ground: Ground, reading: str, hashes: dict[Setting, str], plain: dict) -> list[Row]:
    """Compare the logs of one reading with the plain loop's in both arithmetics; tell where and why they part."""
    settings = [s for s in hashes if s.reading == reading]
    same = _plain(ground, settings, plain_loop.SameArithmetic(ground.features[reading]))
    other = plain or _plain(ground, settings, plain_loop.scikit_learn)
    theirs = "scikit-learn's" if reading == "paper" else "torch's"
    rows = []
    for what, runs in (("identical to the plain loop's", same), (f"identical with {theirs} arithmetic", other)):
        parted = [s for s in settings if simulation.log_hash(runs[s][1].log) != hashes[s]]
        told = [_parting(ground, s, runs[s][1]) for s in parted]
        for setting, text in zip(parted, told, strict=True):
            context.say(f"{reading}, {setting.arm}, {setting.seeds} seeds of {setting.target}: {text}")
        narrow = sum("rounding" in text for text in told)
        note = f"{narrow} of {len(parted)} flips within rounding of a decision" if parted else ""
        rows.append(
            Row(f"logs {what}, {reading} reading", f"{len(settings) - len(parted)} of {len(settings)}", "", note)
        )
    return rows


def _parting(ground: Ground, setting: Setting, outcome: plain_loop.Outcome) -> str:
    """Say where the plain loop's log leaves the package's, and how near a decision was there."""
    log = simulate(ground.search(setting), Truth(ground.positive(setting)))
    at = plain_loop.first_difference(log, outcome.log)
    if at is None:
        return "the runner's log is neither the plain loop's nor that of one search alone"
    step = int((outcome.log if at < len(outcome.log.rows) else log).rounds[at])
    if set(log.rows[log.rounds == step]) == set(outcome.log.rows[outcome.log.rounds == step]):
        return f"the same rows in another order in round {step}: rounding of equal scores"
    margin = outcome.margins.get(step, np.inf)
    cause = "within rounding" if margin < 1e-5 else "not explained by it"
    return f"part at question {at}, round {step}, where the nearest score lay {margin:.1e} from the threshold: {cause}"


def _mean_of_strata(seconds: dict[Setting, float]) -> float:
    """Return the mean over arms and numbers of seeds of their means, so that every cell counts once."""
    cells = defaultdict(list)
    for setting, value in seconds.items():
        cells[setting.arm, setting.seeds].append(value)
    return float(np.mean([np.mean(values) for values in cells.values()]))
