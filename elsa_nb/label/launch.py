"""`elsa-nb label FOLDER`: the same panel as a web page, for people who do not open notebooks.

A Voila server (`page_server`) shows a notebook of one line. It listens on this machine only and asks for a token; it
serves no file at all: pictures reach the page through the panel, which reads none but those of the session.
"""

import atexit
import contextlib
import errno
import html
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
from urllib.parse import quote

from elsa_nb import store
from elsa_nb.counts import count_of
from elsa_nb.label import server_process
from elsa_nb.label.audits import audit_files
from elsa_nb.label.jobs import Job, open_panel
from elsa_nb.label.session import Session
from elsa_nb.option_names import by_command, told_by

if TYPE_CHECKING:
    from elsa_nb.label.panel import Panel

VARIABLE = "ELSA_LABEL_JOB"
LOG_SHOWN = 4000  # characters of what a server printed before it failed
LONGEST_START = 120  # seconds within which a server answers, or never
IDLE = 120  # seconds after which a kernel ends that no window is connected to


def open_job(path: Path | str | None = None) -> "Panel":
    """Return the panel of a job file (by default the one that ELSA_LABEL_JOB names); raises what `open_panel` does."""
    with told_by(by_command):  # which made the file, in another process
        return open_panel(Job(**store.read_json(Path(path or os.environ[VARIABLE]))))


def command(notebook: Path, *, ip: str, port: int) -> list[str]:
    """Return the command line of the page's server: `ip` and `port` to listen on. It has the token from `TOKEN`."""
    return [
        *(sys.executable, "-m", "elsa_nb.label.page_server", str(notebook), "--no-browser"),
        *(f"--Voila.ip={ip}", f"--port={port}", "--Voila.port_retries=0"),
        *("--VoilaConfiguration.file_allowlist=[]", "--VoilaConfiguration.file_denylist=['.*']"),
        "--VoilaConfiguration.extension_denylist=['jupyterlab-jupytext']",
        *(f"--MappingKernelManager.cull_idle_timeout={IDLE}", f"--MappingKernelManager.cull_interval={IDLE // 6}"),
        f"--KernelManager.shutdown_wait_time={server_process.PATIENCE / 2}",  # for busy kernels when the server ends
    ]


def write_notebook(job: Job, folder: Path) -> Path:
    """Write the notebook of one line and its job file into `folder`; return the notebook."""
    store.write_json(folder / "job.json", asdict(job))
    lines = ["from elsa_nb.label.launch import open_job\n", "from elsa_nb.label.refusals import shown\n", "\n"]
    lines += ["panel = shown(open_job)\n", "panel"]
    cell = {"cell_type": "code", "execution_count": None, "id": "panel", "metadata": {}, "outputs": [], "source": lines}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    store.write_atomically(folder / "label.ipynb", json.dumps(notebook).encode())
    return folder / "label.ipynb"


def launch(job: Job, *, ip: str = "127.0.0.1", port: int = 0, token: str | None = None, browser: bool = True) -> int:
    """Serve the panel until the server ends by itself; return its exit status.

    The token is by default what the variable ELSA_LABEL_TOKEN holds, or a new random one; "" means no token.

    SIGINT (Ctrl-C), SIGTERM and SIGHUP end the server and its kernels within seconds: `server_process.serve`. Raises
    ValueError for an empty token on an address that other machines reach, for an address that is not this machine's,
    and for a port that is taken.
    """
    check_address(ip=ip, port=port, token=token)
    token = os.environ.get(server_process.TOKEN) or secrets.token_urlsafe(24) if token is None else token
    port = _free_port(ip, port)
    with tempfile.TemporaryDirectory(prefix="elsa-label-") as folder:
        notebook = write_notebook(job, Path(folder))
        url = f"http://{f'[{ip}]' if ':' in ip else ip}:{port}/" + (f"?token={quote(token, safe='')}" if token else "")
        print(f"The page is being made. {where_answers_go(job)} Stop with Ctrl-C.", flush=True)
        environment = os.environ | {VARIABLE: str(Path(folder) / "job.json"), server_process.TOKEN: token}
        # What the server prints is for programmers, and would bury the address; it is shown if the server fails.
        log = Path(folder) / "server.log"
        try:
            with log.open("wb") as output:
                status = server_process.serve(
                    command(notebook, ip=ip, port=port),
                    environment=environment,
                    started=lambda: _tell_once_there(url, ip, port, browser),
                    output=output,
                )
        finally:
            _bring_together(job)
        if status:
            print(log.read_text(encoding="utf-8", errors="replace")[-LOG_SHOWN:], file=sys.stderr)
            print(f"The page's server ended with status {status}; above is what it printed last.", file=sys.stderr)
        return status


def _bring_together(job: Job) -> None:
    """Bring all answers into the session files themselves: a kernel that is ended leaves the last ones beside them."""
    for path in (Path(job.session), *audit_files(Path(job.session))):
        if path.exists():
            Session(path, annotator=job.annotator).close()


def where_answers_go(job: Job) -> str:
    """Say which file gets the answers, and how many of this person it has: a new one may be a slip in a path."""
    path = audit_files(Path(job.session))[-1] if job.audit else Path(job.session)
    so_far, later = "a new session", ""
    if path.exists():
        with Session(path, annotator=job.annotator, to_read=True) as session:
            has = len(session.known())
        so_far = f"which has {count_of(has, 'label') if has else 'no label'} by {job.annotator!r} so far"
    if job.audit:
        later = " The search takes them in when it is opened again."
    return f"The answers go to {path}, {so_far}.{later}"


def check_address(*, ip: str, port: int, token: str | None) -> None:
    """Raise the ValueError that `launch` would for an address: before vectors are made, which takes minutes."""
    if token == "" and ip not in ("127.0.0.1", "localhost", "::1"):
        raise ValueError(
            f"listening on {ip} without a token would let anybody in; leave out the empty token, or the address"
        )
    _free_port(ip, port)


def _tell_once_there(url: str, ip: str, port: int, browser: bool) -> None:
    """Say where the page is, and open it in the `browser`, once the server answers: before, it would show an error."""

    def wait():
        until = time.monotonic() + LONGEST_START
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection((ip, port), timeout=1):
                print(f"Open {url}", flush=True)
                if browser:
                    _open_in_browser(url)
                return
            time.sleep(0.2)

    threading.Thread(target=wait, name="elsa-page", daemon=True).start()


def _open_in_browser(url: str) -> None:
    """Open an address by way of a file that only its owner may read: anybody can read how a browser was started."""
    from jupyter_core.paths import jupyter_runtime_dir  # where Jupyter puts the same: a confined browser may read there

    folder = Path(jupyter_runtime_dir())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, path = tempfile.mkstemp(prefix="elsa-label-", suffix=".html", dir=folder)  # of mode 600
    os.close(handle)
    Path(path).write_text(f'<!doctype html><meta http-equiv="refresh" content="0; url={html.escape(url)}">')
    webbrowser.open(Path(path).as_uri())
    atexit.register(Path(path).unlink, missing_ok=True)


def _free_port(ip: str, port: int = 0) -> int:
    """Return `port`, or a free one for 0, on the address `ip`; ValueError where it cannot be had."""
    if not 0 <= port < 1 << 16:
        raise ValueError(f"--ip {ip} --port {port}: give an address of this machine, and a port below 65,536")
    try:
        family, _, _, _, address = socket.getaddrinfo(ip, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server that ended a moment ago is no hindrance
            s.bind(address)
            return s.getsockname()[1]
    except socket.gaierror as error:
        raise ValueError(f"--ip {ip}: {error.strerror}; give an address of this machine, such as 127.0.0.1") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ValueError(f"port {port} on {ip} is in use; leave --port out, or give another") from error
        raise ValueError(f"--ip {ip} --port {port}: {error.strerror}; give an address of this machine") from error
