"""A server that runs until it ends or somebody asks for its end; then it ends with all that it has started.

`launch` runs Voila this way, whose kernels are processes in sessions of their own: no signal to a group reaches them,
and they outlive a server that was killed. Start reading at `serve`.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO

import psutil

# Ctrl-C, `kill`, and a terminal that is closed, which not every system reports.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
TOKEN = "ELSA_LABEL_TOKEN"  # the variable with the token: everybody on a machine can read the arguments of a process
BEGUN_BY = "ELSA_LABEL_BEGUN_BY"  # the variable with the number of the process that runs the server
PATIENCE = 2.5  # seconds that a server has to end once it was asked to


def serve(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    started: Callable[[], object] = lambda: None,
    patience: float = PATIENCE,
    output: IO[bytes] | None = None,
) -> int:
    """Run `command` until it ends or this process is asked to stop (SIGINT, SIGTERM, SIGHUP); return its exit status.

    `started` is called once the server runs; what it prints goes to the file `output`, if there is one. Asked to stop,
    the server gets the signal once, and what is left of it and its children after `patience` seconds is killed. Then
    KeyboardInterrupt is raised for SIGINT, SystemExit for the others. Only the main thread of a process may call it.
    """
    with _asked() as asked:
        # In a session of its own: Ctrl-C reaches every process of a terminal, and a server that gets a second signal
        # while it handles the first one may never end.
        streams = {} if output is None else {"stdout": output, "stderr": subprocess.STDOUT}
        variables = dict(environment) | {BEGUN_BY: str(os.getpid())}
        server = subprocess.Popen(command, env=variables, start_new_session=True, **streams)
        try:
            started()
            while server.poll() is None and not asked:
                time.sleep(0.1)
        finally:
            _end(server, patience)
    if asked and asked[0] == signal.SIGINT:
        raise KeyboardInterrupt
    if asked:
        raise SystemExit(128 + asked[0])
    return server.returncode


@contextmanager
def _asked() -> Iterator[list[int]]:
    """Collect the signals that ask for the end instead of dying of them; those that are ignored stay ignored."""
    asked: list[int] = []
    before = {each: signal.getsignal(each) for each in SIGNALS}
    heard = [each for each, handler in before.items() if handler != signal.SIG_IGN]
    for each in heard:
        signal.signal(each, lambda number, _: asked.append(number))
    try:
        yield asked
    finally:
        for each in heard:
            signal.signal(each, before[each])


def _end(server: subprocess.Popen, patience: float) -> None:
    """Ask the server to end; after `patience` seconds kill it and its children."""
    until = time.monotonic() + patience
    children: set[psutil.Process] = set()
    if server.poll() is None:
        server.terminate()
    while server.poll() is None:
        with suppress(psutil.NoSuchProcess):  # again and again: a page may be opening right now
            children |= set(psutil.Process(server.pid).children(recursive=True))
        if time.monotonic() > until:
            server.kill()
            server.wait()
        time.sleep(0.05)
    _, left = psutil.wait_procs(children, timeout=max(until - time.monotonic(), 0))
    for child in left:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(left, timeout=1)
