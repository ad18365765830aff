"""Workers of one machine: a program that they cannot read, or that has no guard, is told so in a sentence."""

import os
import re
import subprocess
import sys

import pytest

from elsa_nb.paper.runs.processes import in_processes

SCRIPT = """
import math
from elsa_nb.paper.runs.processes import in_processes
print(sorted(in_processes(math.sqrt, [(1,), (4,), (9,)], {workers})))
"""


def ran(arguments, **options):
    """Return what a program printed, or the error it ended with: after that, others may warn as they end, too."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, **options)
    errors = re.findall(r"^\w+Error: .*", done.stderr, re.MULTILINE)
    return errors[-1] if done.returncode else done.stdout


def test_a_program_from_a_pipe_is_refused_with_the_cure_and_works_without_workers():
    said = ran(["-"], input=SCRIPT.format(workers=2))
    assert said.startswith("ValueError: ")
    assert "save the script and run it by its name, or give workers=1" in said
    assert ran(["-"], input=SCRIPT.format(workers=1)) == "[1.0, 2.0, 3.0]\n"


@pytest.mark.slow
def test_a_script_without_a_guard_is_told_what_it_lacks(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT.format(workers=2))
    assert '`if __name__ == "__main__":`' in ran([tmp_path / "script.py"])


@pytest.mark.slow
def test_a_script_without_a_guard_does_not_wait_for_itself(tmp_path):
    """What takes a lock before it starts workers: each of them read the script, and waited for the one who waited."""
    taking = f"from elsa_nb.locks import Lock\nheld = Lock({str(tmp_path / 'it')!r}, 'It').acquire(wait=True)\n"
    (tmp_path / "script.py").write_text(taking + SCRIPT.format(workers=2))
    assert '`if __name__ == "__main__":`' in ran([tmp_path / "script.py"])


@pytest.mark.slow
def test_a_worker_that_is_killed_is_told_of_in_a_sentence():
    with pytest.raises(ChildProcessError, match="a worker process ended before its work was done"):
        list(in_processes(os._exit, [(3,), (3,)], 2))
