"""A lock has one holder, says who that is, and goes with its process, however that ends."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from elsa_nb.errors import BusyError
from elsa_nb.locks import Lock
from elsa_nb.written_files import write_export

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


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder that takes no files")
@pytest.mark.parametrize("wait", [False, True])
def test_where_no_file_can_be_made_it_is_refused_at_once(tmp_path, wait):
    with pytest.raises(OSError, match=r"no file can be made in /proc, .*name another folder: '/proc/\.lock'"):
        Lock("/proc/.lock", "It").acquire(wait=wait)
    with pytest.raises(OSError, match="no file can be made in /proc/new"):
        Lock("/proc/new/.lock", "It").acquire(wait=wait)
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere" / "it")
    for place in (tmp_path / "file" / ".lock", tmp_path / "link", tmp_path):  # nor there
        with pytest.raises(OSError, match=str(tmp_path)):
            Lock(place, "It").acquire(wait=wait)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOENT, errno.ENOSPC, errno.ELOOP, errno.EIO])
def test_whatever_the_system_refuses_is_raised(tmp_path, monkeypatch, number):
    opened = os.open

    def refused(path, *arguments, **options):
        if str(path).endswith("it"):
            raise OSError(number, os.strerror(number), str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(OSError, match=str(tmp_path)) as raised:
        Lock(tmp_path / "it", "It").acquire(wait=True)
    assert raised.value.errno == number


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder that takes no files")
def test_an_export_to_where_no_file_can_be_made_is_refused():
    with pytest.raises(OSError, match="no file can be made in /proc"):
        write_export(Path("/proc/o.csv"), b"1")
