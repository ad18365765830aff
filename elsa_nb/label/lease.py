"""The lease of a session file: which window or process may write the answers of an annotator.

Its place is the table `leases` of the file, one line per annotator. Each function takes part in a transaction that is
open already, so what is decided here holds until that transaction ends.

The lease of another machine is not judged from here: its process numbers mean nothing on this one, and its clock may
be wrong. So it stands until it is given back there or a person here takes it over.
"""

import os
import socket
import sqlite3
import time
import uuid
from pathlib import Path
from typing import NamedTuple

import psutil

STALE = 15.0  # seconds without a sign of life after which another process of this machine counts as closed


class LeaseLostError(RuntimeError):
    """Another window or process has taken this session over, or it was not acquired; nothing was written."""


class Holder(NamedTuple):
    """Who works on a session: `host`, the machine, `pid`, the process, `since` when (seconds since 1970)."""

    host: str
    pid: int
    since: float

    def __str__(self):
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.since))
        return f"process {self.pid} on {self.host}, since {since}"


class Lease:
    """The lease of one annotator as one window or process sees it, which is called `holder` in the file."""

    def __init__(self, annotator: str):
        self.annotator = annotator
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}"

    def take(self, base: sqlite3.Connection, *, force: bool, patient: bool) -> bool:
        """Take the lease if it is free (or by `force`); return whether it is held now: see `Session.acquire`."""
        host, pid, now = socket.gethostname(), os.getpid(), time.time()
        row = base.execute("SELECT * FROM leases WHERE annotator = ?", (self.annotator,)).fetchone()
        if row and row["holder"] != self.holder and not force:
            gone = not psutil.pid_exists(row["pid"]) or now - row["seen"] >= STALE
            if row["host"] != host or not (gone or (row["pid"] == pid and not patient)):
                return False
        since = row["since"] if row and row["holder"] == self.holder else now
        values = (self.annotator, self.holder, host, pid, since, now)
        base.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?)", values)
        return True

    def keep(self, base: sqlite3.Connection) -> bool:
        """Show a sign of life; return whether the lease is still held."""
        where = (time.time(), self.annotator, self.holder)
        return base.execute("UPDATE leases SET seen = ? WHERE annotator = ? AND holder = ?", where).rowcount == 1

    def give_back(self, base: sqlite3.Connection) -> None:
        """Give the lease back, if it is held."""
        base.execute("DELETE FROM leases WHERE annotator = ? AND holder = ?", (self.annotator, self.holder))

    def check(self, base: sqlite3.Connection, path: Path) -> None:
        """Raise LeaseLostError, about the session `path`, unless the lease is held."""
        row = base.execute("SELECT * FROM leases WHERE annotator = ?", (self.annotator,)).fetchone()
        if row is None:
            raise LeaseLostError(f"{path} is not acquired, so nothing was written; call session.acquire() first.")
        if row["holder"] != self.holder:
            by = Holder(row["host"], row["pid"], row["since"])
            raise LeaseLostError(
                f"{path} is held by {by}: it was taken over, or never acquired here; nothing was written. If nobody "
                'works there, take it: "Work here instead" on the page, session.acquire(force=True) in Python.'
            )
