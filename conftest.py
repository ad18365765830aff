"""What every run of pytest here holds to, of the notebooks (nbval) as of tests/.

It writes nothing that git tracks; and what executed notebooks publish, into a copy of figures/, is what is committed.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parent
WRITTEN = ("data", "figures", "notebooks")  # what the package writes to when it is used, not tested
BEFORE, CHANGED, STALE = pytest.StashKey[dict](), pytest.StashKey[list](), pytest.StashKey[list]()
COPY = ROOT / "build" / "nbval" / "figures"
LIVE = {"one-search.csv"}  # a search at work, not a stored one: where processors round differently, it goes another way


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
        shutil.rmtree(COPY, ignore_errors=True)
        shutil.copytree(ROOT / "figures", COPY)
        os.environ["ELSA_FIGURES"] = str(COPY)


def pytest_sessionstart(session):
    """Look at the tracked files; once, not in each process of xdist."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[BEFORE] = tracked()


def same_rows(one, other):
    """Whether two tables of exhibits say the same, but for the last digits of what is computed (processors differ)."""
    try:
        pd.testing.assert_frame_equal(pd.read_csv(one), pd.read_csv(other), check_dtype=False, rtol=1e-4)
    except AssertionError:
        return False
    return True


def pytest_sessionfinish(session):
    """Fail a run that passed, but wrote tracked files, or published other rows than those that are committed."""
    if hasattr(session.config, "workerinput"):
        return
    before = session.config.stash.get(BEFORE, {})
    now = tracked() if before else {}
    session.config.stash[CHANGED] = sorted(name for name in before if now.get(name) != before[name])
    if os.environ.get("ELSA_FIGURES") == str(COPY):
        both = [(path, ROOT / "figures" / path.name) for path in sorted(COPY.glob("*.csv")) if path.name not in LIVE]
        session.config.stash[STALE] = [
            committed.name for path, committed in both if not committed.exists() or not same_rows(path, committed)
        ]
    if any(session.config.stash.get(key, []) for key in (CHANGED, STALE)) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    """Name the tracked files that were written, and those that are no longer what the notebooks publish."""
    if stale := config.stash.get(STALE, []):
        terminalreporter.section("figures/ shows other rows than the notebooks make", red=True)
        terminalreporter.line(f"Execute the notebooks again (`make full`), and commit. Their rows now: {COPY}")
        for name in stale:
            terminalreporter.line(f"  {name}")
    if changed := config.stash.get(CHANGED, []):
        terminalreporter.section("files that git tracks were written", red=True)
        terminalreporter.line("Tests write to tmp_path, executed notebooks to ELSA_FIGURES. Written while these ran:")
        for name in changed:
            terminalreporter.line(f"  {name}")
