"""A lock has one holder, says who that is, and goes with its process, however that ends."""

import os
import subprocess
import sys

import pytest

from elsa_nb.errors import BusyError
from elsa_nb.locks import Lock

HOLD = """
import sys
from elsa_nb.locks import Lock
with Lock(sys.argv[1], "It"):
    print("held", flush=True)
    input()
"""


def test_a_held_lock_is_refused_in_one_sentence_and_leaves_no_file(tmp_path):
    lock = Lock(tmp_path / "new" / ".lock", "The thing")
    with lock:
        with pytest.raises(
            BusyError, match=rf"^The thing is being written by process {os.getpid()} on \S+ since 2\d{{3}}-"
        ):
            Lock(lock.path, "The thing").acquire()
        with lock:  # taken already
            pass
    lock.release()
    assert list(lock.path.parent.iterdir()) == []
    with Lock(lock.path, "The thing"):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "it"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout.readline() == b"held\n"
    with pytest.raises(BusyError, match=f"process {other.pid} "):
        Lock(tmp_path / "it", "It").acquire()
    other.kill()
    other.communicate()
    with Lock(tmp_path / "it", "It"):
        assert f"process {os.getpid()} " in (tmp_path / "it-holder").read_text()
