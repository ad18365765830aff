"""Run the units of a sweep on an existing Dask cluster: `elsa-nb reproduce --dask tcp://scheduler:8786`.

A worker opens its own copy of the pools (mapped from its disk, once per process) and sends back the rows of a unit as
Parquet bytes; nothing is written where it runs, so workers and client need no file system in common. Before its first
unit it proves that its code, package versions and pools are the client's. The client stores each unit as it arrives,
as a run on one machine does: if a worker or the client dies, what is stored stays, and the same command goes on from
there. A worker that has other code, versions or pools is left out, and named.
"""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import pandas as pd

from elsa_nb import fingerprints, store
from elsa_nb.dask_workers import Unfit, on_workers, unfit
from elsa_nb.errors import MissingDataError
from elsa_nb.paper.runs import simulation, validity
from elsa_nb.paper.runs.grid import Setting
from elsa_nb.paper.runs.place import Place
from elsa_nb.pool import Pool
from elsa_nb.pool_files import recipe_at
from elsa_nb.prepared import make_lists
from elsa_nb.profiles import profile
from elsa_nb.threads import one_thread

Unit = tuple[Setting, ...]
_ONE_AT_A_TIME = Lock()  # searches of one process share lists that grow; a worker's further threads wait


def run_units(units: Sequence[tuple[Unit, Place, Path]], address: str, source: dict[str, Any]) -> Iterator[int]:
    """Run units on the cluster whose scheduler is at `address`; yield the number of searches as each is stored.

    `units` are (settings, place, file) as `runner` makes them, `source` is what their rows are valid for. Raises what
    `on_workers` raises.
    """
    made_by = {name: value for name, value in fingerprints.made_by(*validity.CODE).items() if name != "commit"}
    expected = json.dumps(source | made_by, sort_keys=True)
    pieces = (((unit, file), (unit, place, expected)) for unit, place, file in units)
    for (unit, file), rows in on_workers(unit_rows, pieces, address, "searches"):
        store.write_sealed(file, rows)
        yield len(unit)


def unit_rows(unit: Unit, place: Place, expected: str) -> bytes | Unfit:
    """Run one unit on a worker; return its rows as the bytes of a Parquet file, or why they cannot be had here."""
    with _ONE_AT_A_TIME:
        try:
            check_same_source(expected, place.profile_name)
        except (ValueError, MissingDataError) as error:
            return unfit(error)
        with one_thread():
            # Once on each machine; a run on one machine makes them before its first unit.
            make_lists(Pool.open(place.folder, verify=False), place.folder)
        return simulation.as_parquet(pd.DataFrame(simulation.run_unit(unit, place)))


@lru_cache(maxsize=8)
def check_same_source(expected: str, profile_name: str) -> None:
    """Raise ValueError unless versions, pools and device of this process are the `expected` ones (JSON)."""
    client = json.loads(expected)
    folders = [store.DATA / "pools" / name for name in client["pools"]]
    for folder in folders:
        if not (folder / "pool.json").exists():
            raise MissingDataError(f"this worker needs the pool {folder}. {profile(profile_name).cure}")
    recipes = {folder.name: recipe_at(folder) for folder in folders}
    here = validity.versions(recipes) | fingerprints.made_by(*validity.CODE)
    for what, value in client.items():
        if here[what] != value:
            raise ValueError(
                f"this worker's {what} are not the client's: {here[what]}, expected {value}. Install the same release "
                f"on both and give the worker the same pools (ELSA_ROOT here: {store.ROOT})"
            )
    for folder in folders:
        Pool.open(folder)  # the copy may have been damaged on its way
