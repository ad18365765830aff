"""Work for the workers of an existing Dask cluster, piece by piece: `--dask tcp://scheduler:8786`.

Sweeps, the embedding of images and neighbours over shards go through `on_workers`. Results arrive in any order, and
the caller keeps each as it comes; whatever process dies, what is kept stays, and the same command goes on from there.
A worker that lacks what a piece needs answers `Unfit`; it is named, and the others do its pieces.
"""

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from dask.distributed import Client

_RETURN = 15  # seconds in which a worker that died is started again
_AT_ONCE = 2000  # pieces that the scheduler knows of
_ADDRESS = re.compile(r"((tcp|tls|ucx|wss?)://)?[^/\s]+:\d{1,5}|inproc://\S+")


class Unfit(NamedTuple):
    """What a worker sends back instead of a result when it cannot do this client's work: its address, and why."""

    worker: str
    why: str


def unfit(why: object) -> Unfit:
    """Return, on a worker, that it cannot do this client's work."""
    from dask.distributed import get_worker

    return Unfit(get_worker().address, str(why))


def check_answers(address: str) -> None:
    """Raise unless a scheduler answers at `address`; called before any work begins, which would take minutes.

    Raises ValueError without Dask and for what is not an address, ConnectionError where nobody answers within half a
    minute (Dask's own setting: distributed.comm.timeouts.connect).
    """
    _connected(address).close()


def _connected(address: str) -> "Client":
    try:
        from dask.distributed import Client
    except ImportError as error:
        raise ValueError(
            f"a cluster at {address} was named, but Dask is not installed: pip install 'elsa_nb[dask]'"
        ) from error
    if not _ADDRESS.fullmatch(address):  # with one, Dask would leave threads behind that never end
        raise ValueError(f"{address!r} is not an address of a Dask scheduler; give one such as tcp://host:8786")
    try:
        return Client(address, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise ConnectionError(
            f"no Dask scheduler answers at {address} ({error}): start one, or correct the address"
        ) from error


def on_workers(
    function: Callable[..., Any], pieces: Iterable[tuple[Any, tuple]], address: str, what: str
) -> Iterator[tuple[Any, Any]]:
    """Call `function(*arguments)` on the cluster at `address` for each piece; yield (key, result) as each arrives.

    `pieces` are (key, arguments) pairs, asked for as the cluster gets through with them. `what` names them in messages,
    such as "searches". When a worker dies, another one does the piece it was at again; a worker that returns
    `Unfit` is named, and the others do its pieces. Raises ValueError where no worker is fit, ConnectionError where the
    scheduler is lost, and what `check_answers` raises.
    """
    client = _connected(address)
    from dask.distributed import as_completed

    left_out: dict[str, str] = {}
    waiting, futures = iter(pieces), {}

    def submit(most: int) -> list:
        fresh = {client.submit(function, *args, pure=False): (key, args) for key, args in islice(waiting, most)}
        futures.update(fresh)
        return list(fresh)

    try:
        finished = as_completed(submit(_AT_ONCE), loop=client.loop)
        for future in finished:
            key, arguments = futures.pop(future)
            result = future.result()
            future.release()
            if isinstance(result, Unfit):
                again = client.submit(function, *arguments, **_elsewhere(client, result, left_out, what))
                futures[again] = key, arguments
                finished.add(again)
                continue
            for more in submit(1):
                finished.add(more)
            yield key, result
    except CancelledError as error:
        raise ConnectionError(
            f"the Dask scheduler at {address} was lost; {len(futures)} pieces of work or more are left. What is "
            "finished is kept: run the same command again"
        ) from error
    finally:
        client.close()


def _elsewhere(client: "Client", found: Unfit, left_out: dict[str, str], what: str) -> dict[str, Any]:
    """Note a worker as left out and say so once; return the options that submit its piece to the others.

    Raises ValueError when no other worker is there, nor comes back within seconds.
    """
    if found.worker not in left_out:
        left_out[found.worker] = found.why
        print(f"The worker {found.worker} is left out: {found.why}", file=sys.stderr, flush=True)
    until = time.monotonic() + _RETURN
    while not (others := [w for w in client.scheduler_info(n_workers=-1)["workers"] if w not in left_out]):
        if time.monotonic() > until:
            raise ValueError(f"none of {len(left_out)} workers can run these {what}. {found.worker}: {found.why}")
        time.sleep(0.2)
    # Others by preference only: should they all die, the piece must not wait for them for ever.
    return {"workers": others, "allow_other_workers": True, "pure": False}
