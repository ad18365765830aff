"""What every run of pytest here holds to, of the notebooks (nbval) as of tests/: it writes nothing that git tracks."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
WRITTEN = ("data", "figures", "notebooks")  # what the package writes to when it is used, not tested
BEFORE, CHANGED = pytest.StashKey[dict](), pytest.StashKey[list]()


def tracked():
    """Return when each tracked file of these folders was last written, and its size; empty outside a git checkout."""
    listed = subprocess.run(["git", "ls-files", "-z", *WRITTEN], cwd=ROOT, capture_output=True, text=True, check=False)
    found = {}
    for name in filter(None, listed.stdout.split("\0")):
        if (path := ROOT / name).exists():
            found[name] = (path.stat().st_mtime_ns, path.stat().st_size)
    return found


def pytest_configure(config):
    """Let executed notebooks publish into a copy of figures/: they hold timings, which differ each time."""
    if getattr(config.option, "nbval", False) and "ELSA_FIGURES" not in os.environ:
        copy = ROOT / "build" / "nbval" / "figures"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(ROOT / "figures", copy)
        os.environ["ELSA_FIGURES"] = str(copy)


def pytest_sessionstart(session):
    """Look at the tracked files; once, not in each process of xdist."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[BEFORE] = tracked()


def pytest_sessionfinish(session):
    """Fail a run that passed, but wrote tracked files."""
    before = session.config.stash.get(BEFORE, {})
    now = tracked() if before else {}
    session.config.stash[CHANGED] = sorted(name for name in before if now.get(name) != before[name])
    if session.config.stash[CHANGED] and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    """Name the tracked files that were written."""
    if changed := config.stash.get(CHANGED, []):
        terminalreporter.section("files that git tracks were written", red=True)
        terminalreporter.line("Tests write to tmp_path, executed notebooks to ELSA_FIGURES. Written while these ran:")
        for name in changed:
            terminalreporter.line(f"  {name}")
