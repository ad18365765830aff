"""Run a sweep on all cores, keep every finished piece, and compute only what no valid stored search answers.

Notebooks call `run`. Results are `data/results/<sweep>-<profile>.parquet`, one row a search, beside a `.json` that says
what they are valid for (`validity`) and who made them. While a sweep runs, each finished unit is one file under
`data/results/.parts`; a run that was stopped at any moment goes on from there.
"""

import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from elsa_nb import fingerprints, store
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.paper.runs import simulation, validity
from elsa_nb.paper.runs.grid import Setting, Sweep
from elsa_nb.paper.runs.place import Place
from elsa_nb.paper.runs.purity import neighbour_purity
from elsa_nb.prepared import prepare
from elsa_nb.progress import bar

RESULTS = store.DATA / "results"
Part = tuple[tuple[Setting, ...], Path]  # searches of one unit, and the file that gets their rows


def run(
    plan: Sweep,
    profile_name: str = "quick",
    *,
    workers: int | None = None,
    cluster: str | None = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Return the results of the sweep `plan`, one row a search; compute what is missing, reuse what is still valid.

    A stored search is reused while the versions of behaviour, its configuration, its seed, its pools and the device are
    what they were (`validity`); a line says how many were. `workers` defaults to one a core; `cluster`, or the
    environment variable ELSA_DASK, is the address of a Dask scheduler whose workers run the searches instead. The rows
    depend on neither. Raises ValueError for an unknown profile, MissingDataError where a pool is missing and
    ConnectionError without the scheduler.
    """
    work = _Work.of(plan, profile_name, progress)
    stored, why = work.stored()
    title, path = f"{plan.name}-{profile_name}", results_file(plan.name, profile_name)
    missing = work.missing(stored)
    if not missing:
        print(f"{title}: {len(stored)} searches reused from {_show(path)}")
        return work.assemble(stored, [])
    started = time.perf_counter()
    cluster = cluster or os.environ.get("ELSA_DASK")
    work.compute(missing, workers or os.cpu_count() or 1, cluster, progress)
    frame = work.assemble(stored, missing)
    _save(frame, plan, profile_name, work.source)
    for part in _parts(plan.name, profile_name).glob("*.parquet"):
        part.unlink()
    computed = sum(len(unit) for unit, _ in missing)
    reused = f", {len(frame) - computed} reused" if computed < len(frame) else ""
    print(f"{title}: {computed} searches in {time.perf_counter() - started:.0f} s ({why}){reused}")
    return frame


@dataclass(frozen=True)
class _Work:
    """What one run wants: the units of its plan, each a dict from the `validity.key` of a search to its setting."""

    plan: Sweep
    places: dict[str, Place]  # by encoder
    source: dict[str, Any]
    units: list[dict[str, Setting]]

    @classmethod
    def of(cls, plan: Sweep, profile_name: str, progress: bool | None) -> "_Work":
        places = places_of(plan, profile_name)
        source, first = validity.provenance(places.values()), places[plan.encoders[0]]
        units = plan.units(first.class_names, lambda: _purity(first, progress))
        keyed = [{validity.key(setting, first.dataset, source): setting for setting in unit} for unit in units]
        return cls(plan, places, source, keyed)

    @property
    def profile_name(self) -> str:
        return self.places[self.plan.encoders[0]].profile_name

    @property
    def keys(self) -> list[str]:
        return [key for unit in self.units for key in unit]

    def stored(self) -> tuple[pd.DataFrame, str]:
        """Return the stored rows that are valid and wanted, with their `key`, and why others have to be computed."""
        path = results_file(self.plan.name, self.profile_name)
        if not path.exists() or not path.with_suffix(".json").exists():
            return pd.DataFrame({"key": []}), "computed for the first time"
        before = store.read_json(path.with_suffix(".json"))["provenance"]
        frame = stored_results(self.plan.name, self.profile_name)
        if "search" not in before:
            return frame[:0].assign(key=[]), "computed again: the stored results do not say what they are valid for"
        frame["key"] = validity.stored_keys(frame, before)
        changed = ", ".join(validity.changes(before, self.source))
        why = f"computed again: {changed} changed since the stored results" if changed else "new in the sweep"
        return frame[frame["key"].isin(self.keys)].reset_index(drop=True), why

    def missing(self, stored: pd.DataFrame) -> list[Part]:
        """Return the searches that no stored row answers, by unit, each with the file of its part."""
        known, folder = set(stored["key"]), _parts(self.plan.name, self.profile_name)
        parts = []
        for unit in self.units:
            if lacking := {key: setting for key, setting in unit.items() if key not in known}:
                name = store.sha256_bytes("\n".join(lacking).encode())[:24]
                parts.append((tuple(lacking.values()), folder / f"{name}.parquet"))
        return parts

    def compute(self, parts: Sequence[Part], workers: int, cluster: str | None, progress: bool | None) -> None:
        """Compute those of `parts` that are not there yet."""
        missing = [(unit, self.places[unit[0].encoder], file) for unit, file in parts if not file.exists()]
        for place in self.places.values() if missing and not cluster else ():  # on all cores, not in every worker
            prepare(place.folder, progress=progress)
        total = sum(len(unit) for unit, _ in parts)
        done = total - sum(len(unit) for unit, *_ in missing)
        title = f"{self.plan.name}-{self.profile_name}"
        with bar(None, title, progress, total=total, initial=done, unit="search") as shown:
            if cluster:
                from elsa_nb.paper.runs import cluster as dask  # only where asked for: it needs the extra of that name

                counts = dask.run_units(missing, cluster, self.source)
            else:
                counts = in_processes(store_unit, missing, workers)
            for count in counts:
                shown.update(count)

    def assemble(self, stored: pd.DataFrame, computed: Sequence[Part]) -> pd.DataFrame:
        """Return all rows of the plan, in its order."""
        made = fingerprints.made_by(*validity.CODE)
        fresh = [pd.read_parquet(file) for _, file in computed]
        for rows in fresh:
            for column in ("code", "versions"):
                rows[column] = json.dumps(made[column], sort_keys=True)
            rows["key"] = validity.stored_keys(rows, self.source)
        frame = pd.concat([stored, *fresh] if len(stored) else fresh, ignore_index=True).set_index("key")
        return frame.loc[self.keys].reset_index(drop=True)


def stored_results(name: str, profile_name: str) -> pd.DataFrame:
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


def places_of(plan: Sweep, profile_name: str) -> dict[str, Place]:
    """Return where a profile runs the searches of `plan`, by encoder; ValueError for an unknown profile."""
    return {encoder: Place.of(profile_name, encoder, plan.space, plan.dataset) for encoder in plan.encoders}


def in_processes(function: Callable[..., Any], tasks: Sequence[tuple], workers: int) -> Iterator[Any]:
    """Yield the results of `function` for the arguments in `tasks`, as they finish, from worker processes.

    One worker, or one task, runs here.
    """
    if workers == 1 or len(tasks) <= 1:
        for task in tasks:
            yield function(*task)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(function, *task) for task in tasks}
        try:
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            for future in waiting:
                future.cancel()


def store_unit(unit: tuple[Setting, ...], place: Place, file: Path) -> int:
    """Run the searches of one unit on one core and store their rows as `file`; return how many there were."""
    store.write_atomically(file, simulation.as_parquet(pd.DataFrame(simulation.run_unit(unit, place))))
    return len(unit)


def _purity(place: Place, progress: bool | None) -> np.ndarray:
    """Return the share of each row's ten nearest neighbours that are of its class (n,)."""
    codes = place.class_names.astype("category").cat.codes.to_numpy()
    return neighbour_purity(prepare(place.folder, progress=progress).neighbours.lists[0], codes)


def _save(frame: pd.DataFrame, plan: Sweep, profile_name: str, source: dict[str, Any]) -> None:
    path = results_file(plan.name, profile_name)
    data = simulation.as_parquet(frame)
    store.write_atomically(path, data)
    card = {
        "provenance": source,
        "made_by": fingerprints.made_by(*validity.CODE),
        "sweep": json.loads(json.dumps(asdict(plan))),
        "searches": len(frame),
        "seconds_of_searching": round(float(frame["seconds"].sum()), 1),
        "sha256": store.sha256_bytes(data),
        "machine": {
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "processor": fingerprints.processor(),
        },
        "command": f"elsa-nb reproduce --profile {profile_name}",
    }
    store.write_json(path.with_suffix(".json"), card)


def _parts(name: str, profile_name: str) -> Path:
    return RESULTS / ".parts" / f"{name}-{profile_name}"


def _show(path: Path) -> str:
    return str(path.relative_to(store.ROOT)) if path.is_relative_to(store.ROOT) else str(path)
