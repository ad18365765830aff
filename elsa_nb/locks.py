"""One writer at a time: a lock beside what is written, which says who holds it and goes with its process.

The system lets go of the lock of a process that dies, however it dies. Its holder (host, process, since when) is named
in a file beside it, since a locked file cannot be read everywhere; that is for people, and decides nothing.
"""

import errno
import multiprocessing
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from elsa_nb.errors import BusyError

_TRIES = 5  # to make a file where the system says that its folder is not there
_POLL = 0.05  # seconds between two looks at a lock that another process holds


class Lock:
    """The right to write `what`, held until `release` or the end of the process.

    `path` is the file that is locked; it goes with the last holder. A lock belongs to whoever took it: a second
    lock of the same path waits or is refused even in the same process.
    """

    def __init__(self, path: Path | str, what: str):
        self.path, self.what = Path(path), what
        self._holder = self.path.with_name(f"{self.path.name}-holder")
        self._lock = FileLock(self.path, thread_local=False, poll_interval=_POLL)

    def acquire(self, *, wait: bool = False, quiet: bool = False) -> "Lock":
        """Take the lock; where another holds it, raise BusyError, or with `wait` say so once and wait until it is free.

        `quiet` is for what is held for a moment only: nothing is printed. A worker process that reads the script which
        started it does not wait: its own parent may hold the lock, and the parent waits for the worker.

        Raises OSError, naming the file, at once where no file can be made.
        """
        with suppress(FileNotFoundError):  # which is told in the next line
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self._check_place()
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            if not wait or _reading_its_script():
                raise BusyError(f"{self._held_by()}. Wait until it has ended, or end it, then try again.") from None
            if not quiet:
                print(f"{self._held_by()}: waiting for its end.", flush=True)
            self._lock.acquire()
        try:
            # Not through a temporary file: it says nothing that anybody relies on.
            self._holder.write_text(f"process {os.getpid()} on {socket.gethostname()} since {_now()}", encoding="utf-8")
        except BaseException:
            self.release()
            raise
        return self

    def _check_place(self) -> None:
        """Raise FileNotFoundError in a folder that takes no files, such as one of `/proc`: it would be tried for ever.

        What the system says of it is also what a file server says for a moment, so that filelock tries again; every
        other refusal, such as that of a disk that is read-only, it raises itself.
        """
        for _ in range(_TRIES):
            try:
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644))
            except FileNotFoundError:
                time.sleep(_POLL)
            except OSError:
                return
            else:
                return
        told = f"no file can be made in {self.path.parent}, which is of the system's own kind; name another folder"
        raise FileNotFoundError(errno.ENOENT, told, str(self.path))

    def release(self) -> None:
        """Let go of the lock, and remove its files; without effect where it is not held."""
        if not self._lock.is_locked:
            return
        # While it is still ours. A waiting process notices that the file it has opened is gone, and begins again.
        try:
            for file in (self._holder, self.path):
                with suppress(OSError):  # Windows removes no open file; the lock is let go of anyway
                    file.unlink()
        finally:
            self._lock.release()

    def _held_by(self) -> str:
        try:
            holder = self._holder.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):  # it has the lock, but not yet said so
            holder = "another process"
        return f"{self.what} is being written by {holder or 'another process'}"

    def __enter__(self) -> "Lock":
        """Take the lock without waiting, unless it was taken already."""
        return self if self._lock.is_locked else self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the lock."""
        self.release()


def lock_beside(path: Path, what: str) -> Lock:
    """Return the lock of whoever writes the file or folder `path`, not yet taken: a hidden file beside it.

    `what` is what people call it: "The download".
    """
    return Lock(path.with_name(f".{path.name}.lock"), f"{what} {path}")


def _reading_its_script() -> bool:
    """Tell whether this is a worker process of `multiprocessing` that is being started: it runs the script again."""
    # Read from the mark by which multiprocessing itself refuses to start processes at this moment. Nothing public says
    # it: parent_process() is None until the script has been read, and the server of "forkserver" has no worker's name.
    return bool(getattr(multiprocessing.current_process(), "_inheriting", False))


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %z")
