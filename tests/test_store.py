"""A file that is written whole has the permissions and the place that the user chose for it."""

import os
import stat
import subprocess
import sys

import pytest

from elsa_nb import store


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path, mask, mode):
    path = tmp_path / "a.csv"
    code = f"import os; os.umask({mask}); from elsa_nb import store; store.write_atomically({str(path)!r}, b'a')"
    subprocess.run([sys.executable, "-c", code], check=True)  # the mask is the process's, and other threads write here
    assert mode_of(path) == mode


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_a_replaced_file_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "a.csv"
    path.write_bytes(b"before")
    path.chmod(mode)
    store.write_atomically(path, b"after")
    assert (path.read_bytes(), mode_of(path)) == (b"after", mode)


def test_a_private_file_is_private_while_it_is_written(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"before")
    path.chmod(0o600)
    seen = []
    store.write_with(path, lambda stream: seen.append(stat.S_IMODE(os.fstat(stream.fileno()).st_mode)))
    assert seen == [0o600]


def test_a_link_goes_on_leading_to_the_file_that_is_written(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "here").mkdir()
    for name, to in (("file", "../shared/a.csv"), ("link", "file"), ("gone", "../shared/new/b.csv")):
        (tmp_path / "here" / name).symlink_to(to)
    (tmp_path / "shared" / "a.csv").write_bytes(b"before")
    store.write_atomically(tmp_path / "here" / "link", b"after")
    store.write_atomically(tmp_path / "here" / "gone", b"first")
    assert (tmp_path / "shared" / "a.csv").read_bytes() == b"after"
    assert (tmp_path / "shared" / "new" / "b.csv").read_bytes() == b"first"
    assert {path.name for path in (tmp_path / "here").iterdir() if path.is_symlink()} == {"file", "link", "gone"}
    assert not list(tmp_path.rglob("*.part"))


def test_what_is_not_a_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to itself").symlink_to("to itself")
    (tmp_path / "device").symlink_to(os.devnull)
    for name, said in (("pipe", "is not a file"), ("device", "is not a file"), ("to itself", "symbolic links")):
        with pytest.raises((ValueError, OSError), match=said) as raised:
            store.write_atomically(tmp_path / name, b"a")
        assert name in str(raised.value)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert (tmp_path / "device").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["device", "pipe", "to itself"]


def test_what_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"before")

    def failing(stream):
        stream.write(b"half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.write_with(path, failing)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"before"]
