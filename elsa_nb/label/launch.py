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
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from elsa_nb import store
from elsa_nb.label import serving
from elsa_nb.label.jobs import Job, open_panel

if TYPE_CHECKING:
    from elsa_nb.label.panel import Panel

VARIABLE = "ELSA_LABEL_JOB"
LOG_SHOWN = 4000  # characters of what a server said before it failed
LONGEST_START = 120  # seconds in which a server answers at all


def open_job(path: Path | str | None = None) -> "Panel":
    """Return the panel of a job file (by default the one that ELSA_LABEL_JOB names)."""
    return open_panel(Job(**store.read_json(Path(path or os.environ[VARIABLE]))))


def command(notebook: Path, *, ip: str, port: int, token: str) -> list[str]:
    """Return the Voila command line: `ip` and `port` to listen on, the token to ask for ("" for none)."""
    return [
        *(sys.executable, "-m", "voila", str(notebook), "--no-browser"),
        *(f"--Voila.ip={ip}", f"--port={port}", "--Voila.port_retries=0", f"--Voila.token={token}"),
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
        print(f"The page is being made. The answers go to {job.session}. Stop with Ctrl-C.", flush=True)
        environment = os.environ | {VARIABLE: str(Path(folder) / "job.json")}
        # What the server says is for programmers, and would bury the address; it is shown if the server fails.
        log = Path(folder) / "server.log"
        with log.open("wb") as output:
            status = serving.serve(
                command(notebook, ip=ip, port=port, token=token),
                environment=environment,
                started=lambda: _tell_once_there(url, ip, port, browser),
                output=output,
            )
        if status:
            print(log.read_text(encoding="utf-8", errors="replace")[-LOG_SHOWN:], file=sys.stderr)
            print(f"The page's server ended with status {status}; above is what it said last.", file=sys.stderr)
        return status


def _tell_once_there(url: str, ip: str, port: int, browser: bool) -> None:
    """Say where the page is, and open it in the `browser`, once the server answers: before, it would show an error."""

    def wait():
        until = time.monotonic() + LONGEST_START
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection((ip, port), timeout=1):
                print(f"Open {url}", flush=True)
                if browser:
                    webbrowser.open(url)
                return
            time.sleep(0.2)

    threading.Thread(target=wait, name="elsa-page", daemon=True).start()


def _free_port(ip: str) -> int:
    with socket.socket() as s:
        s.bind((ip, 0))
        return s.getsockname()[1]
