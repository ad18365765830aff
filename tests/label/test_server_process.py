"""A server asked to stop ends, and nothing it has started outlives it.

How long it takes is not measured: one that hangs is ended by the timeout of its test.
"""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import numpy as np
import psutil
import pytest
from at_the_desk import PATIENCE, wait_for

from elsa_nb.label import jobs, launch, server_process
from elsa_nb.pool import Pool

NEVER = 3600.0  # seconds: a server that is waited for so long is one that the test's timeout ends
ENDS = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit), (signal.SIGHUP, SystemExit)]

# A server with one child in a session of its own, as Voila has kernels. Each notes its process number once it is ready.
SERVER = """
import os, signal, subprocess, sys, time
from pathlib import Path
folder, stubborn = Path(sys.argv[1]), sys.argv[2] == "stubborn"
def heard(number, frame):
    with (folder / "heard").open("a") as stream:
        stream.write(f"{number} ")
    if not stubborn:
        child.terminate()
        child.wait()
        sys.exit(7)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, heard)
ignore = "import signal; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]; " if stubborn else ""
code = ignore + "print('ready', flush=True); import time; time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
child.stdout.readline()
(folder / "pids.part").write_text(f"{os.getpid()} {child.pid}")
(folder / "pids.part").rename(folder / "pids")
while True:  # in short sleeps: a signal that comes just before one is handled at its end
    time.sleep(0.05)
"""


def ended(process):
    """Whether a process is over; one that nobody has collected yet (a zombie) is."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def processes(folder):
    return [psutil.Process(int(pid)) for pid in (folder / "pids").read_text().split()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "patience"),
    [
        pytest.param("stubborn", server_process.PATIENCE, id="one that ignores it is killed"),
        pytest.param("willing", NEVER, id="one that obeys is not waited for any longer"),
    ],
)
@pytest.mark.parametrize(("number", "raised"), ENDS)
def test_asked_to_stop_a_server_is_told_once_and_ends_with_its_children(tmp_path, number, raised, kind, patience):
    before = [signal.getsignal(each) for each in server_process.SIGNALS]
    running = []

    def ask_when_ready():
        wait_for((tmp_path / "pids").exists)
        running.extend(processes(tmp_path))
        os.kill(os.getpid(), number)

    command = [sys.executable, "-c", SERVER, str(tmp_path), kind]
    with pytest.raises(raised) as told:
        server_process.serve(command, environment=os.environ, started=ask_when_ready, patience=patience)
    assert len(running) == 2
    assert all(map(ended, running))
    assert (tmp_path / "heard").read_text() == f"{signal.SIGTERM:d} "
    assert raised is KeyboardInterrupt or told.value.code == 128 + number
    assert [signal.getsignal(each) for each in server_process.SIGNALS] == before


def test_a_server_that_ends_by_itself_gives_its_status_back():
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    assert server_process.serve(command, environment=os.environ) == 3


def test_what_fails_meanwhile_ends_the_server_too(tmp_path):
    running = []

    def fail():
        wait_for((tmp_path / "pids").exists)
        running.extend(processes(tmp_path))
        raise OSError("no browser")

    with pytest.raises(OSError, match="no browser"):
        server_process.serve(
            [sys.executable, "-c", SERVER, str(tmp_path), "willing"], environment=os.environ, started=fail
        )
    assert all(map(ended, running))


def test_a_signal_that_was_ignored_stays_ignored():
    """As under nohup: the terminal goes, the server stays."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        command = [sys.executable, "-c", "raise SystemExit(4)"]
        hang_up = lambda: os.kill(os.getpid(), signal.SIGHUP)  # noqa: E731
        assert server_process.serve(command, environment=os.environ, started=hang_up) == 4
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    "number",
    [
        *(pytest.param(number, marks=pytest.mark.slow) for number in (signal.SIGTERM, signal.SIGKILL)),
        *(pytest.param(number, marks=pytest.mark.thorough) for number in (signal.SIGINT, signal.SIGHUP)),
    ],
)
def test_the_label_server_ends_with_its_kernels(tmp_path, number):
    """The command line, Voila and the kernel of a page that was opened 20 times, in processes of their own."""
    (tmp_path / "pictures").mkdir()
    names = np.array([f"cat-{row}.png" for row in range(40)])
    for name in names:
        (tmp_path / "pictures" / name).write_bytes(b"")
    Pool.from_arrays(np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32), names).save(tmp_path / "pool")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    main = "import sys; from elsa_nb.cli import main; sys.exit(main())"
    options = ["--pool", "pool", "--session", "s.sqlite", "--port", str(port), "--no-browser"]
    token = "not-for-everybody"
    environment = os.environ | {
        "ELSA_LABEL_TOKEN": token,
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
    }
    with (tmp_path / "log").open("wb") as log:
        command = subprocess.Popen(
            [sys.executable, "-c", main, "label", "pictures", *options],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=log,
        )

    def page_opens():
        assert command.poll() is None, (tmp_path / "log").read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/?token={token}", timeout=PATIENCE) as page:
                return b"widget" in page.read()
        except urllib.error.URLError:
            return False

    wait_for(page_opens)
    assert all(page_opens() for _ in range(19))  # each of which joins the first one's kernel
    running = [psutil.Process(command.pid), *psutil.Process(command.pid).children(recursive=True)]
    lines = [each.cmdline() for each in running]
    assert sum("ipykernel_launcher" in line for line in lines) == 1
    assert not any(token in argument for line in lines for argument in line)
    command.send_signal(number)
    status = command.wait(PATIENCE)
    if number == signal.SIGKILL:  # it could end nothing itself: the server sees that it is alone
        assert status == -signal.SIGKILL
        wait_for(lambda: all(map(ended, running)))
        return
    assert all(map(ended, running))
    assert status == (130 if number == signal.SIGINT else 128 + number)


@pytest.mark.slow
def test_a_server_whose_command_was_killed_while_it_started_ends_by_itself(tmp_path):
    """By then its parent is another process already, and it would have taken that one for the command."""
    made = jobs.Job(str(tmp_path), str(tmp_path), str(tmp_path / "s.sqlite"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = launch.command(launch.write_notebook(made, tmp_path), ip="127.0.0.1", port=port)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    environment = os.environ | {server_process.BEGUN_BY: str(gone.pid), server_process.TOKEN: "x"}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert server.wait(PATIENCE) == 0
