"""Run a sweep on all cores, keep every finished piece, and reuse only results that the present code would give.

Results are `data/results/<sweep>-<profile>.parquet`, one row a search, beside a `.json` that says where they come
from. While a sweep runs, each finished unit is one file under `data/results/.parts`; a run that was stopped at any
moment goes on from there.
"""

import io
import json
import os
import platform
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from elsa_nb import pool as pool_module
from elsa_nb import store
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.datasets import open_dataset
from elsa_nb.paper.runs import grid, simulation, thinning
from elsa_nb.paper.runs.grid import Setting, Sweep
from elsa_nb.paper.runs.purity import shares
from elsa_nb.prepared import device, prepare
from elsa_nb.profiles import profile
from elsa_nb.progress import bar
from elsa_nb.search import (
    contract,
    elsa,
    features,
    head,
    kernels,
    logistic,
    merging,
    metrics,
    neighbours,
    onepass,
    oracle,
    rivals,
    shortlist,
    sketch,
    strategies,
)
from elsa_nb.threads import one_thread

RESULTS = store.DATA / "results"
PACKAGES = ("numpy", "numba", "scipy")  # what the numbers of a search come from, given the pool
CODE = (
    *(contract, elsa, features, head, kernels, logistic, merging, metrics, neighbours, onepass, oracle),
    *(rivals, shortlist, sketch, strategies),
    *(simulation, grid, thinning, pool_module),
)


def run(
    plan: Sweep,
    profile_name: str = "quick",
    *,
    workers: int | None = None,
    cluster: str | None = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Return the results of the sweep `plan`, one row a search; compute what is missing, reuse what is still valid.

    Stored results are reused when the sweep, the pools, the code of the search and the package versions are the same
    as now; a line says so. `workers` defaults to one a core; `cluster`, or the environment variable ELSA_DASK, is the
    address of a Dask scheduler whose workers run the searches instead. The rows depend on neither. Raises ValueError
    for an unknown profile, MissingDataError where a pool is missing and ConnectionError without the scheduler.
    """
    name, source = plan.name, provenance(plan, profile_name)
    stored, why = _reusable(name, profile_name, source)
    if stored is not None:
        print(f"{name}-{profile_name}: {len(stored)} searches reused from {_show(results_file(name, profile_name))}")
        return stored
    started = time.perf_counter()
    cluster = cluster or os.environ.get("ELSA_DASK")
    frame = _compute(plan, profile_name, source, workers or os.cpu_count() or 1, cluster, progress)
    _save(frame, name, profile_name, source)
    for part in _parts(name, profile_name).glob("*.parquet"):
        part.unlink()
    print(f"{name}-{profile_name}: {len(frame)} searches in {time.perf_counter() - started:.0f} s ({why})")
    return frame


def load(name: str, profile_name: str) -> pd.DataFrame:
    """Return stored results as they are, checked against their checksum, whatever code made them."""
    path = results_file(name, profile_name)
    if not path.exists():
        raise MissingDataError(f"{path} is not here. `elsa-nb reproduce --profile {profile_name}` makes it.")
    card = store.read_json(path.with_suffix(".json"))
    got = store.sha256_file(path)
    if got != card["sha256"]:
        raise CorruptFileError(
            f"{path} was altered: its SHA-256 is {got[:12]}..., {path.with_suffix('.json').name} says "
            f"{card['sha256'][:12]}... Delete both and run the sweep again."
        )
    return pd.read_parquet(path)


def results_file(name: str, profile_name: str) -> Path:
    """Return where the results of a sweep are kept."""
    return RESULTS / f"{name}-{profile_name}.parquet"


def provenance(plan: Sweep, profile_name: str) -> dict[str, Any]:
    """Return what stored results must agree with to be reused: sweep, pools, code, versions."""
    spaces = sorted({plan.space, "embedding"})  # the released-code reading's head sees the embedding
    folders = [profile(profile_name).pool(e, s, plan.dataset or None) for e in plan.encoders for s in spaces]
    recipes = {folder.name: store.read_json(folder / "pool.json")["recipe"] for folder in folders}
    return {
        "sweep": json.loads(json.dumps(asdict(plan))),
        "pools": recipes,
        "code": store.code_hash(*CODE),
        "versions": {package: version(package) for package in PACKAGES},
        "device": device(),
    }


def _reusable(name: str, profile_name: str, source: dict[str, Any]) -> tuple[pd.DataFrame | None, str]:
    """Return stored results that agree with `source`, or None and the reason why they are computed."""
    path = results_file(name, profile_name)
    if not path.exists() or not path.with_suffix(".json").exists():
        return None, "computed for the first time"
    card = store.read_json(path.with_suffix(".json"))
    changed = [what for what, value in source.items() if card["provenance"].get(what) != value]
    if changed:
        return None, f"computed again: {', '.join(changed)} changed since the stored results"
    return load(name, profile_name), "reused"


def _compute(
    plan: Sweep, profile_name: str, source: dict[str, Any], workers: int, cluster: str | None, progress: bool | None
) -> pd.DataFrame:
    dataset = plan.dataset or profile(profile_name).dataset
    units = list(plan.units(class_names(dataset), lambda: _purity(plan, profile_name, progress)))
    fingerprint = store.sha256_bytes(json.dumps(source | {"sweep": None}, sort_keys=True).encode())
    folder = _parts(plan.name, profile_name)
    files = [folder / f"{_unit_key(unit, fingerprint)}.parquet" for unit in units]
    missing = [(unit, file) for unit, file in zip(units, files, strict=True) if not file.exists()]
    for encoder in plan.encoders if missing and not cluster else ():  # here, on all cores, rather than in every worker
        prepare(profile(profile_name).pool(encoder, plan.space, dataset), progress=progress)
    total = sum(len(unit) for unit in units)
    done = total - sum(len(unit) for unit, _ in missing)
    with bar(None, f"{plan.name}-{profile_name}", progress, total=total, initial=done, unit="search") as shown:
        if cluster:
            from elsa_nb.paper.runs import cluster as dask  # only where asked for: it needs the extra of that name

            counts = dask.run_units(missing, profile_name, cluster, source)
        else:
            counts = _run_units(missing, profile_name, workers)
        for count in counts:
            shown.update(count)
    frame = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    for column in ("code", "versions"):
        frame[column] = json.dumps(source[column], sort_keys=True)
    return frame


def _run_units(units: list[tuple[tuple[Setting, ...], Path]], profile_name: str, workers: int) -> Iterator[int]:
    """Run units in worker processes (or here, for one worker); yield the number of searches as each is stored."""
    if workers == 1 or len(units) <= 1:
        for unit, file in units:
            yield run_unit(unit, file, profile_name)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(run_unit, unit, file, profile_name) for unit, file in units}
        try:
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            for future in waiting:
                future.cancel()


def run_unit(unit: tuple[Setting, ...], file: Path, profile_name: str) -> int:
    """Run the searches of one unit on one core and store their rows as `file`; return how many there were."""
    names = class_names(unit[0].dataset or profile(profile_name).dataset)
    positive = (names == unit[0].target).to_numpy()
    with one_thread():
        rows = simulation.run_searches(unit, profile_name, positive)
    store.write_atomically(file, _parquet(pd.DataFrame(rows)))
    return len(rows)


@lru_cache(maxsize=2)
def class_names(dataset: str) -> pd.Series:
    """Return the class name of every row of a data set's pools."""
    return open_dataset(dataset).labels["name"]


def _purity(plan: Sweep, profile_name: str, progress: bool | None) -> np.ndarray:
    """Return the share of each row's ten nearest neighbours, in the sweep's first pool, that are of its class (n,)."""
    folder = profile(profile_name).pool(plan.encoders[0], plan.space, plan.dataset or None)
    codes = class_names(plan.dataset or profile(profile_name).dataset).astype("category").cat.codes.to_numpy()
    return shares(prepare(folder, progress=progress).neighbours.lists[0], codes)


def _unit_key(unit: tuple[Setting, ...], fingerprint: str) -> str:
    text = json.dumps([asdict(s) | {"config": asdict(s.config)} for s in unit], sort_keys=True)
    return store.sha256_bytes(f"{fingerprint}{text}".encode())[:24]


def _save(frame: pd.DataFrame, name: str, profile_name: str, source: dict[str, Any]) -> None:
    path = results_file(name, profile_name)
    data = _parquet(frame)
    store.write_atomically(path, data)
    card = {
        "provenance": source,
        "searches": len(frame),
        "seconds_of_searching": round(float(frame["seconds"].sum()), 1),
        "sha256": store.sha256_bytes(data),
        "machine": {"python": platform.python_version(), "cores": os.cpu_count(), "processor": platform.machine()},
        "command": f"elsa-nb reproduce --profile {profile_name}",
    }
    store.write_json(path.with_suffix(".json"), card)


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()


def _parts(name: str, profile_name: str) -> Path:
    return RESULTS / ".parts" / f"{name}-{profile_name}"


def _show(path: Path) -> str:
    return str(path.relative_to(store.ROOT)) if path.is_relative_to(store.ROOT) else str(path)
