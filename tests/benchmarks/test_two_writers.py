"""A few of the meetings that `python -m benchmarks.two_writers` counts by the hundred."""

import subprocess
import sys

import pytest

from elsa_nb.store import ROOT


@pytest.mark.slow
def test_two_processes_that_want_one_file_and_die_at_random_lose_and_spoil_nothing():
    command = [sys.executable, "-m", "benchmarks.two_writers", "--cases", "4", "--seed", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("silently wrong 0, lost 0, not to be ended 0, hung 0") == 4
