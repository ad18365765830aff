"""Run a sweep on all cores, keep every finished piece, and compute only what no valid stored search answers.

Notebooks call `run`. Results are `data/results/<sweep>-<profile>.parquet`, one row per search, beside a `.json` with
what they are valid for (`validity`) and who made them. While a sweep runs, each finished unit is one file under
`data/results/.parts`; a run that was stopped at any moment goes on from there. If several runs of one sweep share
a folder, one computes, and the others wait and take what it has made.
"""

import json
import os
import platform
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from elsa_nb import fingerprints, store
from elsa_nb.arrow_files import read_arrow
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.locks import Lock
from elsa_nb.paper.runs import simulation, validity
from elsa_nb.paper.runs.grid import Setting, Sweep
from elsa_nb.paper.runs.place import Place
from elsa_nb.paper.runs.processes import in_processes
from elsa_nb.paper.runs.purity import neighbour_purity
from elsa_nb.prepared import prepare
from elsa_nb.progress import bar

RESULTS = store.OUTPUT / "results"
_PART = ".rows"  # Parquet behind a checksum (`store.write_sealed`)
# Neighbour lists of 100,000 vectors take all cores for a minute or two, a search without them one for seconds more.
LISTS_PAY = 50  # from so many searches of a sweep in one pool
Part = tuple[tuple[Setting, ...], Path]  # searches of one unit, and the file that gets their rows


@dataclass(frozen=True)
class SweepFiles:
    """The files of one sweep in one profile in the folder `folder`: its rows, their card, its parts and its lock."""

    name: str
    profile_name: str
    folder: Path

    @classmethod
    def of(cls, name: str, profile_name: str, folder: Path | None = None) -> "SweepFiles":
        """Return the files in `folder`, by default in `RESULTS`."""
        return cls(name, profile_name, folder or RESULTS)

    @property
    def title(self) -> str:
        """What the sweep is called on screen, and the file of its rows."""
        return f"{self.name}-{self.profile_name}"

    @property
    def path(self) -> Path:
        """Where its rows are kept."""
        return self.folder / f"{self.title}.parquet"

    @property
    def parts(self) -> Path:
        """The folder of what a run has finished while it is not at its end."""
        return self.folder / ".parts" / self.title

    @property
    def lock(self) -> Lock:
        """The lock of who computes the sweep, not yet taken."""
        return Lock(self.parts / ".lock", f"The sweep {self.title} in {self.folder}")

    @property
    def _readable(self) -> Path:
        """Where its rows are read: one's own before those that came with the package."""
        own = self.path.exists() or not store.INSTALLED or self.folder != RESULTS
        return self.path if own else store.locate(f"results/{self.path.name}")

    @property
    def _next_card(self) -> Path:
        return self.path.with_name(f".{self.path.stem}.next.json")

    def rows(self) -> pd.DataFrame:
        """Return the stored rows; MissingDataError without any, CorruptFileError where they are not as they were."""
        path = self._readable
        if not path.exists():
            raise MissingDataError(f"{path} is not here. `elsa-nb reproduce --profile {self.profile_name}` makes it.")
        try:
            return self._read()
        except (CorruptFileError, MissingDataError):
            if not self._next_card.exists():
                raise
        with self.lock.acquire(wait=True):  # they are being replaced, or whoever did it was killed
            self.settle()
            return self._read()

    def _read(self) -> pd.DataFrame:
        path, expected = self._readable, self.card()["sha256"]
        with store.reading(path, "a table of results", "Delete it and its .json, and run the sweep again."):
            data = path.read_bytes()
            if (got := store.sha256_bytes(data)) != expected:
                raise CorruptFileError(
                    f"{path} was altered: its SHA-256 is {got[:12]}..., {path.stem}.json says {expected[:12]}... "
                    "Delete both and run the sweep again."
                )
            return read_arrow(data, parquet=True).to_pandas()

    def card(self) -> dict[str, Any]:
        """Return what the card of the rows says, with `provenance` and `sha256`; MissingDataError without one."""
        path = self._readable.with_suffix(".json")
        what, cure = "a card of results", "Delete it and its .parquet, and run the sweep again."
        card = store.read_card(path, what, cure)
        with store.reading(path, what, cure):
            card["sha256"], card["provenance"] = str(card["sha256"]), dict(card["provenance"])
        return card

    def save(self, frame: pd.DataFrame, plan: Sweep, source: dict[str, Any]) -> None:
        """Replace the rows and their card; `source` is what the rows are valid for."""
        data = simulation.as_parquet(frame)
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
            "command": f"elsa-nb reproduce --profile {self.profile_name}",
        }
        # Two files are not replaced at once: the new card lies ready before the rows that it belongs to.
        store.write_card(self._next_card, card)
        store.write_atomically(self.path, data)
        self.settle()

    def settle(self) -> None:
        """End the replacing of results that a killed run has left half-way; to be called by who holds the lock."""
        if not self._next_card.exists():
            return
        card = store.read_card(self._next_card, "a card of results", "Delete it and run the sweep again.")
        if self.path.exists() and store.sha256_file(self.path) == card.get("sha256"):
            self._next_card.replace(self.path.with_suffix(".json"))
        else:
            self._next_card.unlink()


def run(
    plan: Sweep,
    profile_name: str = "quick",
    *,
    workers: int | None = None,
    cluster: str | None = None,
    progress: bool | None = None,
    folder: Path | None = None,
) -> pd.DataFrame:
    """Return the results of the sweep `plan`, one row per search; compute what is missing, reuse what is still valid.

    A stored search is reused while the versions of behaviour, its configuration, its seed, its pools and the device are
    what they were (`validity`); a line says how many were. `workers` defaults to one per core; `cluster`, or the
    environment variable ELSA_DASK, is the address of a Dask scheduler whose workers run the searches instead. The rows
    depend on neither. `folder` is where they are kept, by default `RESULTS`.

    Raises ValueError for an unknown profile, MissingDataError where a pool is missing, ConnectionError without the
    scheduler, and what `in_processes` raises.
    """
    work = _Work.of(plan, SweepFiles.of(plan.name, profile_name, folder), progress)
    stored, _ = work.stored()
    if not work.missing(stored):
        return work.reuse(stored)
    with work.files.lock.acquire(wait=True):
        return work.complete(workers or os.cpu_count() or 1, cluster or os.environ.get("ELSA_DASK"), progress)


@dataclass(frozen=True)
class _Work:
    """What one run wants: the units of its plan, each a dict from the `validity.key` of a search to its setting."""

    plan: Sweep
    files: SweepFiles
    places: dict[str, Place]  # by encoder
    source: dict[str, Any]
    units: list[dict[str, Setting]]

    @classmethod
    def of(cls, plan: Sweep, files: SweepFiles, progress: bool | None) -> "_Work":
        places = places_of(plan, files.profile_name)
        source, first = validity.provenance(places.values()), places[plan.encoders[0]]
        units = plan.units(first.class_names, lambda: _purity(first, progress))
        keyed = [{validity.key(setting, first.dataset, source): setting for setting in unit} for unit in units]
        return cls(plan, files, places, source, keyed)

    @property
    def keys(self) -> list[str]:
        return [key for unit in self.units for key in unit]

    def stored(self) -> tuple[pd.DataFrame, str]:
        """Return the stored rows that are valid and wanted, with their `key`, and why others have to be computed."""
        if not self.files.path.exists() or not self.files.path.with_suffix(".json").exists():
            return pd.DataFrame({"key": []}), "computed for the first time"
        before, frame = self.files.card()["provenance"], self.files.rows()
        if "search" not in before:
            return frame[:0].assign(key=[]), "computed again: the stored results do not say what they are valid for"
        frame["key"] = validity.stored_keys(frame, before)
        changed = ", ".join(validity.changes(before, self.source))
        why = f"computed again: {changed} changed since the stored results" if changed else "new in the sweep"
        return frame[frame["key"].isin(self.keys)].reset_index(drop=True), why

    def reuse(self, stored: pd.DataFrame) -> pd.DataFrame:
        """Return stored rows that answer all that is wanted, and say so."""
        print(f"{self.files.title}: {len(stored)} searches reused from {_show(self.files.path)}")
        return self.assemble(stored, [])

    def complete(self, workers: int, cluster: str | None, progress: bool | None) -> pd.DataFrame:
        """Compute what is missing, and store all rows; to be called by one process at a time."""
        self.files.settle()
        stored, why = self.stored()
        missing = self.missing(stored)
        if not missing:  # another run has made it while this one waited
            return self.reuse(stored)
        started = time.perf_counter()
        self.compute(missing, workers, cluster, progress)
        frame = self.assemble(stored, missing)
        self.files.save(frame, self.plan, self.source)
        for part in self.files.parts.glob(f"*{_PART}"):
            part.unlink()
        computed = sum(len(unit) for unit, _ in missing)
        reused = f", {len(frame) - computed} reused" if computed < len(frame) else ""
        print(f"{self.files.title}: {computed} searches in {time.perf_counter() - started:.0f} s ({why}){reused}")
        return frame

    def missing(self, stored: pd.DataFrame) -> list[Part]:
        """Return the searches that no stored row answers, by unit, each with the file of its part."""
        known, parts = set(stored["key"]), []
        for unit in self.units:
            if lacking := {key: setting for key, setting in unit.items() if key not in known}:
                name = store.sha256_bytes("\n".join(lacking).encode())[:24]
                parts.append((tuple(lacking.values()), self.files.parts / f"{name}{_PART}"))
        return parts

    def compute(self, parts: Sequence[Part], workers: int, cluster: str | None, progress: bool | None) -> None:
        """Compute those of `parts` that are not there yet, or damaged."""
        missing = [(unit, self.places[unit[0].encoder], file) for unit, file in parts if not _is_whole(file)]
        wanted = Counter(place for unit, place, _ in missing for _ in unit)
        for place, searches in wanted.items() if not cluster else ():  # on all cores, not in every worker
            prepare(place.folder, build=searches >= LISTS_PAY, progress=progress)
        total = sum(len(unit) for unit, _ in parts)
        done = total - sum(len(unit) for unit, *_ in missing)
        with bar(None, self.files.title, progress, total=total, initial=done, unit="search") as shown:
            if cluster:
                from elsa_nb.paper.runs import cluster as dask  # only where asked for: it needs the extra of that name

                counts = dask.run_units(missing, cluster, self.source)
            else:
                counts = in_processes(store_unit, missing, workers)
            for count in counts:
                shown.update(count)

    def assemble(self, stored: pd.DataFrame, computed: Sequence[Part]) -> pd.DataFrame:
        """Return all rows of the plan, in its order."""
        fresh = [read_part(file) for _, file in computed]
        made = fingerprints.made_by(*validity.CODE) if fresh else {}  # reads all of the code: seconds
        for rows in fresh:
            for column in ("code", "versions"):
                rows[column] = json.dumps(made[column], sort_keys=True)
            rows["key"] = validity.stored_keys(rows, self.source)
        frame = pd.concat([stored, *fresh] if len(stored) else fresh, ignore_index=True).set_index("key")
        return frame.loc[self.keys].reset_index(drop=True)


def stored_results(name: str, profile_name: str, folder: Path | None = None) -> pd.DataFrame:
    """Return stored results as they are, checked against their checksum, whatever code made them.

    `folder` is where they are kept, by default `RESULTS`.
    """
    return SweepFiles.of(name, profile_name, folder).rows()


def results_card(name: str, profile_name: str, folder: Path | None = None) -> dict[str, Any]:
    """Return what the `.json` beside stored results says, with `provenance` and `sha256`; MissingDataError without."""
    return SweepFiles.of(name, profile_name, folder).card()


def results_file(name: str, profile_name: str) -> Path:
    """Return where the results of a sweep are kept."""
    return SweepFiles.of(name, profile_name).path


def places_of(plan: Sweep, profile_name: str) -> dict[str, Place]:
    """Return where a profile runs the searches of `plan`, by encoder; ValueError for an unknown profile."""
    return {encoder: Place.of(profile_name, encoder, plan.space, plan.dataset) for encoder in plan.encoders}


def store_unit(unit: tuple[Setting, ...], place: Place, file: Path) -> int:
    """Run the searches of one unit on one core and store their rows as `file`; return how many there were."""
    store.write_sealed(file, simulation.as_parquet(pd.DataFrame(simulation.run_unit(unit, place))))
    return len(unit)


def read_part(file: Path) -> pd.DataFrame:
    """Return the rows that `store_unit` has stored as `file`; CorruptFileError where they are not whole."""
    what, cure = "a finished piece of a sweep", "Delete it and run the sweep again."
    with store.reading(file, what, cure):
        return read_arrow(store.read_sealed(file, what, cure), parquet=True).to_pandas()


def _is_whole(file: Path) -> bool:
    if not file.exists():
        return False
    try:
        read_part(file)
    except CorruptFileError as error:
        print(f"{error} It is computed again now.")
        return False
    return True


def _purity(place: Place, progress: bool | None) -> np.ndarray:
    """Return the share of each row's ten nearest neighbours that are of its class (n,)."""
    codes = place.class_names.astype("category").cat.codes.to_numpy()
    return neighbour_purity(prepare(place.folder, progress=progress).neighbours.lists[0], codes)


def _show(path: Path) -> str:
    return str(path.relative_to(store.ROOT)) if path.is_relative_to(store.ROOT) else str(path)
