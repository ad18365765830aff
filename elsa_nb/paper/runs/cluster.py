"""Run the units of a sweep on an existing Dask cluster: `elsa-nb reproduce --dask tcp://scheduler:8786`.

A worker opens its own copy of the pools (mapped from its disk, once a process) and sends back the rows of a unit as
Parquet bytes; nothing is written where it runs, so workers and client need no file system in common. Before its first
unit it proves that its code, package versions and pools are the client's. The client stores each unit as it arrives,
as a run on one machine does: whoever dies, what is stored stays, and the same command goes on from there. A worker
that has other code, versions or pools is left out, and named.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from elsa_nb import fingerprints, store
from elsa_nb.errors import MissingDataError
from elsa_nb.paper.runs import simulation, validity
from elsa_nb.paper.runs.grid import Setting
from elsa_nb.paper.runs.place import Place
from elsa_nb.pool import Pool
from elsa_nb.profiles import profile

if TYPE_CHECKING:
    from dask.distributed import Client

Unit = tuple[Setting, ...]
_RETURN = 15  # seconds in which a worker that died is started again
_ONE_AT_A_TIME = Lock()  # searches of one process share lists that grow; a worker's further threads wait


class Unfit(NamedTuple):
    """What a worker sends back instead of rows when it cannot run a unit of this client: its address, and why."""

    worker: str
    why: str


def run_units(units: Sequence[tuple[Unit, Place, Path]], address: str, source: dict[str, Any]) -> Iterator[int]:
    """Run units on the cluster whose scheduler is at `address`; yield the number of searches as each is stored.

    `units` are (settings, place, file) as `runner` makes them, `source` is what their rows are valid for. A worker that
    dies costs the unit it was at, which another one does again; one that has other code, versions or pools is named,
    and the others do its units. Raises ValueError without Dask and where no worker is fit, and ConnectionError where
    the scheduler cannot be reached or is lost.
    """
    try:
        from dask.distributed import Client, as_completed
    except ImportError as error:
        raise ValueError(
            f"a cluster at {address} was named, but Dask is not installed: pip install 'elsa_nb[dask]'"
        ) from error
    made_by = {name: value for name, value in fingerprints.made_by(*validity.CODE).items() if name != "commit"}
    expected = json.dumps(source | made_by, sort_keys=True)
    try:
        client = Client(address, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise ConnectionError(
            f"no Dask scheduler answers at {address} ({error}): start one, or correct the address"
        ) from error
    unfit: dict[str, str] = {}
    try:
        futures = {
            client.submit(unit_rows, unit, place, expected, key=f"elsa-{file.stem}", pure=False): (unit, place, file)
            for unit, place, file in units
        }
        finished = as_completed(futures, loop=client.loop)
        for future in finished:
            unit, place, file = futures.pop(future)
            rows = future.result()
            future.release()
            if isinstance(rows, Unfit):
                again = client.submit(unit_rows, unit, place, expected, **_elsewhere(client, rows, unfit))
                futures[again] = unit, place, file
                finished.add(again)
                continue
            store.write_sealed(file, rows)
            yield len(unit)
    except CancelledError as error:
        raise ConnectionError(
            f"the Dask scheduler at {address} was lost; {len(futures)} units are left. What is finished is kept: run "
            "the same command again"
        ) from error
    finally:
        client.close()


def _elsewhere(client: "Client", found: Unfit, unfit: dict[str, str]) -> dict[str, Any]:
    """Note a worker as `unfit` and say so once; return the options that submit its unit to the others.

    Raises ValueError when no other worker is there, nor comes back within seconds.
    """
    if found.worker not in unfit:
        unfit[found.worker] = found.why
        print(f"The worker {found.worker} is left out: {found.why}", file=sys.stderr, flush=True)
    until = time.monotonic() + _RETURN
    while not (others := [w for w in client.scheduler_info(n_workers=-1)["workers"] if w not in unfit]):
        if time.monotonic() > until:
            raise ValueError(f"none of {len(unfit)} workers can run these searches. {found.worker}: {found.why}")
        time.sleep(0.2)
    # Others by preference only: should they all die, the unit must not wait for them for ever.
    return {"workers": others, "allow_other_workers": True, "pure": False}


def unit_rows(unit: Unit, place: Place, expected: str) -> bytes | Unfit:
    """Run one unit on a worker; return its rows as the bytes of a Parquet file, or why they cannot be had here."""
    from dask.distributed import get_worker

    with _ONE_AT_A_TIME:
        try:
            check_same_source(expected, place.profile_name)
        except (ValueError, MissingDataError) as error:
            return Unfit(get_worker().address, str(error))
        return simulation.as_parquet(pd.DataFrame(simulation.run_unit(unit, place)))


@lru_cache(maxsize=8)
def check_same_source(expected: str, profile_name: str) -> None:
    """Raise ValueError unless versions, pools and device of this process are the `expected` ones (JSON)."""
    client = json.loads(expected)
    folders = [store.DATA / "pools" / name for name in client["pools"]]
    for folder in folders:
        if not (folder / "pool.json").exists():
            raise MissingDataError(f"this worker needs the pool {folder}. {profile(profile_name).cure}")
    here = validity.versions(folders) | fingerprints.made_by(*validity.CODE)
    for what, value in client.items():
        if here[what] != value:
            raise ValueError(
                f"this worker's {what} are not the client's: {here[what]}, expected {value}. Install the same release "
                f"on both and give the worker the same pools (ELSA_ROOT here: {store.ROOT})"
            )
    for folder in folders:
        Pool.open(folder)  # the copy may have been damaged on its way
