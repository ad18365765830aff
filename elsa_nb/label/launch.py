"""`elsa-nb label FOLDER`: the same panel as a web page, for people who do not open notebooks.

A Voila server shows a notebook of one line. It listens on this machine only and asks for a token; it serves no file
at all: pictures reach the page through the panel, which reads none but those of the session.
"""

import contextlib
import json
import os
import secrets
import socket
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb import store
from elsa_nb.errors import MissingDataError
from elsa_nb.label import first_examples, searching, serving
from elsa_nb.label.cards import OPEN
from elsa_nb.label.import_labels import KIND, import_labels
from elsa_nb.label.items import Files
from elsa_nb.label.label_files.reader import read_labels
from elsa_nb.label.session import Answer, Session
from elsa_nb.pool import Pool
from elsa_nb.search.contract import POSITIVE

VARIABLE = "ELSA_LABEL_JOB"
SAMPLE_ITEMS = 96  # items shown to pick seeds from
LEAST_SEEDS = 3
LONGEST_START = 120  # seconds in which a server answers at all


@dataclass(frozen=True)
class Job:
    """What to label: the folder of items, the pool of their vectors (ids are paths in the folder), the session file.

    `samples` are rows to pick seeds from, shown one group after the other. `strategy`, `metric` and `budget` are those
    of `searching.search_from`.
    """

    folder: str
    pool: str
    session: str
    annotator: str = "me"
    page: int = 24
    samples: list[list[int]] = field(default_factory=list)
    strategy: str = searching.DEFAULT
    metric: str | None = None
    budget: int | None = None


def make_job(
    folder: Path,
    pool: Path,
    session: Path,
    *,
    names: Sequence[str] = (),
    first: Sequence[int] = (),
    labels: Path | str | None = None,
    seeds: Path | str | None = None,
    annotator: str = "me",
    **settings: Any,
) -> Job:
    """Return the job, checked; `names` (file names or patterns) and `first` (rows) are shown before the sample.

    A name that means one file is an example, from which the search begins at once.
    `labels` is a file of earlier labels and `seeds` one of examples, in any of the formats that `read_labels` reads:
    they go into the session, and the search begins from what they call positive. `settings` are other fields of `Job`.
    Raises MissingDataError for what is not here, ValueError for a pool of other files and for bad settings; then the
    session is as it was.
    """
    folder, pool = Path(folder).resolve(), Path(pool).resolve()
    opened = Pool.open(pool)
    if not folder.is_dir():
        raise MissingDataError(f"{folder} is no folder; name the folder that holds the images.")
    if not any((folder / str(item)).is_file() for item in opened.ids[:50]):
        raise MissingDataError(
            f"The pool {pool} is not about {folder}: its items are called {opened.ids[0]!s} and so on, and none of the "
            "first 50 is there. Give the folder they were read from."
        )
    named = first_examples.rows_named(opened.ids, *names) if names else np.empty(0, np.int64)
    spread = first_examples.spread_rows(opened.vectors, SAMPLE_ITEMS, np.random.default_rng(0))
    samples = [np.asarray(rows).tolist() for rows in (named, first, spread) if len(rows)]
    job = Job(str(folder), str(pool), str(Path(session).resolve()), annotator, samples=samples, **settings)
    searching.check(job.strategy, metric=job.metric, budget=job.budget)
    examples = [row for name in names for row in _meant(opened.ids, name)]
    if labels is not None or seeds is not None or examples:
        _take_labels(job, opened, labels, seeds, examples)
    return job


def _meant(ids: Sequence[str], name: str) -> list[int]:
    """Return the one row that a name, not a pattern, means."""
    rows = [row for row, item in enumerate(map(str, ids)) if name in (item, item.rpartition("/")[2])]
    return rows if len(rows) == 1 else []


def _take_labels(
    job: Job, pool: Pool, labels: Path | str | None, seeds: Path | str | None, examples: Sequence[int]
) -> None:
    """Put the labels of files, and the examples that were named, into the session; say what they were."""
    files = [(path, every) for path, every in ((labels, None), (seeds, "positive")) if path is not None]
    for path, every in files:  # a mistake in either leaves nothing half taken
        read_labels(path, pool.ids, every=every)
    session = Session(job.session, annotator=job.annotator)
    try:
        for path, every in files:
            print(import_labels(session, path, pool.ids, every=every))
        known = session.known()
        new = [(str(pool.ids[row]), row) for row in examples if str(pool.ids[row]) not in known]
        session.record([Answer(item, OPEN, POSITIVE, row=row) for item, row in new], KIND)
    finally:
        session.close()


def imported_positives(session: Session, ids: Sequence[str]) -> np.ndarray:
    """Return the rows whose label in the session is positive and came from a file, ascending."""
    positive = {a["item"] for a in session.answers(session.annotator) if a["kind"] == KIND and a["label"] == POSITIVE}
    return np.flatnonzero([str(item) in positive for item in ids])


def open_job(path: Path | str | None = None):
    """Return the panel of a job file (by default the one that ELSA_LABEL_JOB names)."""
    return open_panel(Job(**store.read_json(Path(path or os.environ[VARIABLE]))))


def open_panel(job: Job):
    """Return the panel of a job: it searches from imported positives, or from what is marked in the sample."""
    from elsa_nb.label.panel import Panel, code_stamp

    pool = Pool.open(job.pool, verify=False)
    search_from = searching.search_from(pool, job.strategy, metric=job.metric, budget=job.budget)
    folder = Path(job.folder)
    session = Session(job.session, annotator=job.annotator, code=code_stamp())
    seeds = imported_positives(session, pool.ids)
    if len(seeds):
        search = search_from(seeds)
    else:
        search = first_examples.Begin(job.samples, search_from, least=LEAST_SEEDS, page=job.page, n=len(pool))
    return Panel(search, Files(folder, pool), session, page=job.page, title=folder.name)


def command(notebook: Path, *, ip: str, port: int, token: str) -> list[str]:
    """Return the Voila command line: `ip` and `port` to listen on, the token to ask for ("" for none)."""
    return [
        *(sys.executable, "-m", "voila", str(notebook), "--no-browser"),
        *(
            "--Voila.log_level=ERROR",
            f"--Voila.ip={ip}",
            f"--port={port}",
            "--Voila.port_retries=0",
            f"--Voila.token={token}",
        ),
        *("--VoilaConfiguration.file_allowlist=[]", "--VoilaConfiguration.file_denylist=['.*']"),
        "--VoilaConfiguration.extension_denylist=['jupyterlab-jupytext']",
        f"--KernelManager.shutdown_wait_time={serving.PATIENCE / 2}",  # kernels that are busy when the server ends
    ]


def write_notebook(job: Job, folder: Path) -> Path:
    """Write the notebook of one line and its job file into `folder`; return the notebook."""
    store.write_json(folder / "job.json", asdict(job))
    lines = ["from elsa_nb.label.launch import open_job\n", "\n", "panel = open_job()\n", "panel"]
    cell = {"cell_type": "code", "execution_count": None, "id": "panel", "metadata": {}, "outputs": [], "source": lines}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    store.write_atomically(folder / "label.ipynb", json.dumps(notebook).encode())
    return folder / "label.ipynb"


def launch(job: Job, *, ip: str = "127.0.0.1", port: int = 0, token: str | None = None, browser: bool = True) -> int:
    """Serve the panel until the server ends by itself; return its exit status.

    SIGINT (Ctrl-C), SIGTERM and SIGHUP end the server and its kernels within seconds: `serving.serve`. Raises
    ValueError for an empty token on an address that other machines reach.
    """
    token = secrets.token_urlsafe(24) if token is None else token
    if not token and ip not in ("127.0.0.1", "localhost", "::1"):
        raise ValueError(
            f"listening on {ip} without a token would let anybody in; leave the token alone, or the address"
        )
    port = port or _free_port(ip)
    with tempfile.TemporaryDirectory(prefix="elsa-label-") as folder:
        notebook = write_notebook(job, Path(folder))
        url = f"http://{ip}:{port}/" + (f"?token={token}" if token else "")
        where = "The page opens in your browser in some seconds" if browser else "In some seconds the page is there"
        print(f"{where}: {url}\nThe answers go to {job.session}. Stop with Ctrl-C.", flush=True)
        # Warnings to programmers about the server's own options would bury the address.
        environment = os.environ | {VARIABLE: str(Path(folder) / "job.json"), "PYTHONWARNINGS": "ignore"}
        return serving.serve(
            command(notebook, ip=ip, port=port, token=token),
            environment=environment,
            started=lambda: browser and _open_once_there(url, ip, port),
        )


def _open_once_there(url: str, ip: str, port: int) -> None:
    """Open the page in the person's browser as soon as the server answers: before, it would show an error."""

    def wait():
        until = time.monotonic() + LONGEST_START
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection((ip, port), timeout=1):
                webbrowser.open(url)
                return
            time.sleep(0.2)

    threading.Thread(target=wait, name="elsa-browser", daemon=True).start()


def _free_port(ip: str) -> int:
    with socket.socket() as s:
        s.bind((ip, 0))
        return s.getsockname()[1]
