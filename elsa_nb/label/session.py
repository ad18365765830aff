"""The session file: every answer of every annotator, in SQLite, on the disk before the screen calls it saved.

Nothing is ever overwritten. `events` is a log: an answer, a change of mind and an undo are each one more line, and the
current label of an item is its last line. `rounds` holds what the search asked and what it was told, so that the same
line of code that made a search brings it back to where it was, here or on another machine.
"""

import json
import os
import socket
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from elsa_nb.errors import CorruptFileError

SESSION_FORMAT = 1
STALE = 15.0  # seconds without a sign of life after which a window on another machine counts as closed

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY, annotator TEXT NOT NULL, action INTEGER NOT NULL, kind TEXT NOT NULL,
  round INTEGER, position INTEGER, item TEXT NOT NULL, row INTEGER, old INTEGER NOT NULL, label INTEGER NOT NULL,
  component TEXT, score REAL, seconds REAL, at REAL NOT NULL, code TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_by_item ON events (annotator, item, id);
CREATE TABLE IF NOT EXISTS rounds (
  annotator TEXT NOT NULL, number INTEGER NOT NULL, start INTEGER NOT NULL, asked TEXT NOT NULL, told TEXT,
  after INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (annotator, number));
CREATE TABLE IF NOT EXISTS leases (
  annotator TEXT PRIMARY KEY, holder TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL,
  since REAL NOT NULL, seen REAL NOT NULL);
CREATE VIEW IF NOT EXISTS answers AS
  SELECT * FROM events WHERE id IN (SELECT max(id) FROM events GROUP BY annotator, item) AND label > -2;
"""

_ELSEWHERE = "Give a session file in a folder that you may write to."
APPLICATION = 0x454C5341  # "ELSA": the application id in the header of a session file

_INSERT = (
    "INSERT INTO events (annotator, action, kind, round, position, item, row, old, label, component, score, seconds,"
    " at, code) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class LeaseLostError(RuntimeError):
    """Another window or process has taken this session over; nothing was written."""


class Holder(NamedTuple):
    """Who works on a session: the machine, the process, and since when (seconds since 1970)."""

    host: str
    pid: int
    since: float

    def __str__(self):
        clock = time.strftime("%H:%M", time.localtime(self.since))
        return f"process {self.pid} on {self.host}, since {clock}"


@dataclass(frozen=True)
class Answer:
    """One change of one label, as it is stored. `old` and `label`: -2 none, -1 unsure, 0 negative, 1 positive."""

    item: str
    old: int
    label: int
    position: int | None = None
    row: int | None = None
    round: int | None = None
    component: str | None = None
    score: float | None = None
    seconds: float | None = None


class Session:
    """One session file, seen by one annotator; safe to use from several threads.

    Only who holds the lease of the annotator may write (`acquire`); anybody may read.

    >>> session = Session("cats.sqlite", annotator="ann")
    >>> session.acquire() and session.write([Answer("img-7", -2, 1)])
    """

    def __init__(self, path: Path | str, *, annotator: str = "me", code: str = ""):
        if not annotator or len(annotator) > 200:
            raise ValueError(f"annotator {annotator!r}; give a name of 1 to 200 characters")
        self.path, self.annotator, self.code = Path(path), annotator, code
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}"
        self._lock = threading.RLock()
        self._closed = False
        _check_ours(self.path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Handlers run in whatever thread the kernel likes; the lock, not the thread, keeps them apart.
            self._base = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.OperationalError) as error:
            raise ValueError(f"the session {self.path} cannot be written ({error}). {_ELSEWHERE}") from error
        self._base.row_factory = sqlite3.Row
        try:
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")  # in WAL mode the default would lose the last answers
            with self._transaction():
                self._base.execute(f"PRAGMA application_id = {APPLICATION}")
                for statement in _TABLES.split(";\n"):
                    self._base.execute(statement)
                self._base.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (str(SESSION_FORMAT),))
            found = self.meta("format")
        except sqlite3.OperationalError as error:
            self._base.close()
            raise ValueError(f"the session {self.path} cannot be written ({error}). {_ELSEWHERE}") from error
        except sqlite3.DatabaseError as error:
            self._base.close()
            raise CorruptFileError(f"{self.path} is no session file ({error}). Give another name.") from error
        if found != str(SESSION_FORMAT):
            self._base.close()
            raise ValueError(f"{self.path} has format {found}; this version reads {SESSION_FORMAT}")

    @contextmanager
    def _transaction(self):
        with self._lock:
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
            except BaseException:
                self._base.execute("ROLLBACK")
                raise
            self._base.execute("COMMIT")

    def read(self, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows of a query as dictionaries."""
        with self._lock:
            return [dict(row) for row in self._base.execute(query, values)]

    def close(self) -> None:
        """Give the lease back and close the file; afterwards all answers are in the one file."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self.release()
                self._base.close()

    # --- what the file is about

    def meta(self, key: str) -> str | None:
        """Return a remark about the session, None where there is none."""
        found = self.read("SELECT value FROM meta WHERE key = ?", (key,))
        return found[0]["value"] if found else None

    def metas(self, prefix: str) -> dict[str, str]:
        """Return all remarks whose key begins with `prefix`."""
        found = self.read("SELECT key, value FROM meta ORDER BY key")
        return {row["key"]: row["value"] for row in found if row["key"].startswith(prefix)}

    def remark(self, key: str, value: str) -> None:
        """Store a remark about the session."""
        with self._transaction() as base:
            self._check_lease(base)
            base.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # --- the lease

    def acquire(self, *, force: bool = False, patient: bool = False) -> bool:
        """Take the lease if it is free (or by `force`); return whether it is held now.

        It is free where nobody holds it, where its process is dead or is this one (an older panel in the same
        kernel gives way, unless `patient`), and where it has shown no sign of life for 15 seconds.
        """
        host, pid, now = socket.gethostname(), os.getpid(), time.time()
        with self._transaction() as base:
            row = base.execute("SELECT * FROM leases WHERE annotator = ?", (self.annotator,)).fetchone()
            if row and row["holder"] != self.holder and not force:
                ours = row["host"] == host
                gone = ours and (not _alive(row["pid"]) or (row["pid"] == pid and not patient))
                if not gone and now - row["seen"] < STALE:
                    return False
            since = row["since"] if row and row["holder"] == self.holder else now
            lease = (self.annotator, self.holder, host, pid, since, now)
            base.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?)", lease)
        return True

    def keep(self) -> bool:
        """Show a sign of life; return whether the lease is still held."""
        with self._transaction() as base:
            where = (time.time(), self.annotator, self.holder)
            return base.execute("UPDATE leases SET seen = ? WHERE annotator = ? AND holder = ?", where).rowcount == 1

    def release(self) -> None:
        """Give the lease back."""
        with self._transaction() as base:
            base.execute("DELETE FROM leases WHERE annotator = ? AND holder = ?", (self.annotator, self.holder))

    @property
    def held_by(self) -> Holder | None:
        """Who holds the lease of this annotator now."""
        found = self.read("SELECT host, pid, since FROM leases WHERE annotator = ?", (self.annotator,))
        return Holder(**found[0]) if found else None

    def mark(self) -> tuple[int, int]:
        """Return two numbers that change whenever the annotator's answers or rounds do."""
        count = "SELECT (SELECT coalesce(max(id), 0) FROM events WHERE annotator = ?) AS answers,"
        count += " (SELECT count(*) + count(told) FROM rounds WHERE annotator = ?) AS rounds"
        found = self.read(count, (self.annotator, self.annotator))[0]
        return found["answers"], found["rounds"]

    def _check_lease(self, base: sqlite3.Connection) -> None:
        row = base.execute("SELECT holder FROM leases WHERE annotator = ?", (self.annotator,)).fetchone()
        if row is None or row["holder"] != self.holder:
            raise LeaseLostError(f"{self.path} was taken over by {self.held_by}; this window can no longer write.")

    # --- answers

    def write(self, *actions: Iterable[Answer], undone: Sequence[bool] = (), withdrawn: int | None = None) -> None:
        """Commit one or more actions, all or nothing; when it returns they are on the disk.

        `undone` says of each action whether it takes an earlier one back; `withdrawn` deletes the rounds from that
        number on (their questions were taken back unanswered). Raises `LeaseLostError` where another window has
        taken the session over.
        """
        now = time.time()
        with self._transaction() as base:
            self._check_lease(base)
            last = base.execute("SELECT coalesce(max(action), 0) FROM events WHERE annotator = ?", (self.annotator,))
            number = last.fetchone()[0]
            if withdrawn is not None:
                base.execute("DELETE FROM rounds WHERE annotator = ? AND number >= ?", (self.annotator, withdrawn))
                back = "UPDATE rounds SET told = NULL WHERE annotator = ? AND number = ?"
                base.execute(back, (self.annotator, withdrawn - 1))
            for i, action in enumerate(actions):
                number += 1
                kind = "undo" if i < len(undone) and undone[i] else "answer"
                for a in action:
                    values = (self.annotator, number, kind, a.round, a.position, a.item, a.row, a.old, a.label)
                    base.execute(_INSERT, (*values, a.component, a.score, a.seconds, now, self.code))

    def record(self, answers: Iterable[Answer], kind: str, annotator: str | None = None) -> None:
        """Store labels that were not given on screen (imported ones), by default as the annotator's own.

        `undo` leaves them alone.
        """
        who = annotator or self.annotator
        with self._transaction() as base:
            for a in answers:
                values = (who, 0, kind, None, None, a.item, a.row, a.old, a.label, None, None, None)
                base.execute(_INSERT, (*values, time.time(), self.code))

    def events(self) -> list[dict[str, Any]]:
        """Return the annotator's log in order, one dictionary a line."""
        return self.read("SELECT * FROM events WHERE annotator = ? ORDER BY id", (self.annotator,))

    def answers(self, annotator: str | None = None) -> list[dict[str, Any]]:
        """Return the current label of each item in the order of asking, for one annotator or (None) for all."""
        where, values = ("WHERE annotator = ?", (annotator,)) if annotator else ("", ())
        return self.read(f"SELECT * FROM answers {where} ORDER BY annotator, position IS NULL, position, id", values)

    def known(self) -> dict[str, int]:
        """Return {item: label} of this annotator."""
        return {a["item"]: a["label"] for a in self.answers(self.annotator)}

    @property
    def annotators(self) -> list[str]:
        """All who ever answered in this file."""
        return [r["annotator"] for r in self.read("SELECT DISTINCT annotator FROM events ORDER BY annotator")]

    def disagreements(self) -> list[dict[str, Any]]:
        """Return items on which annotators differ: {"item": ..., "labels": {annotator: label}}; unsure counts not."""
        given: dict[str, dict[str, int]] = {}
        for answer in self.read("SELECT item, annotator, label FROM answers WHERE label >= 0 ORDER BY item, annotator"):
            given.setdefault(answer["item"], {})[answer["annotator"]] = answer["label"]
        return [{"item": item, "labels": labels} for item, labels in given.items() if len(set(labels.values())) > 1]

    # --- rounds

    def open_round(self, number: int, start: int, asked: dict[str, Any]) -> None:
        """Store the questions of a round before anybody sees them."""
        with self._transaction() as base:
            self._check_lease(base)
            _insert_round(base, self.annotator, number, start, asked, None, None)

    def close_round(self, number: int, told: dict[str, Any]) -> None:
        """Store what the search was told about a round."""
        with self._transaction() as base:
            self._check_lease(base)
            where = (json.dumps(told), self.annotator, number)
            base.execute("UPDATE rounds SET told = ? WHERE annotator = ? AND number = ?", where)

    def rounds(self) -> list[dict[str, Any]]:
        """Return the annotator's rounds in order: number, start, asked, told (None: still open), after (an event)."""
        found = self.read("SELECT * FROM rounds WHERE annotator = ? ORDER BY number", (self.annotator,))
        parsed = [{"asked": json.loads(r["asked"]), "told": r["told"] and json.loads(r["told"])} for r in found]
        return [r | p for r, p in zip(found, parsed, strict=True)]

    def replace_rounds(self, rounds: Iterable[dict[str, Any]]) -> None:
        """Store other rounds in place of the annotator's: after a search that went another way than before."""
        with self._transaction() as base:
            self._check_lease(base)
            base.execute("DELETE FROM rounds WHERE annotator = ?", (self.annotator,))
            for r in rounds:
                _insert_round(base, self.annotator, r["number"], r["start"], r["asked"], r["told"], r["after"])


def _insert_round(base, annotator: str, number: int, start: int, asked: Any, told: Any, after: int | None) -> None:
    if after is None:
        after = base.execute("SELECT coalesce(max(id), 0) FROM events WHERE annotator = ?", (annotator,)).fetchone()[0]
    told = None if told is None else json.dumps(told)
    values = (annotator, number, start, json.dumps(asked), told, after, time.time())
    base.execute("INSERT OR REPLACE INTO rounds VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def _check_ours(path: Path) -> None:
    """Raise unless `path` is free or holds a session: what another program made is not touched."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give the name of a session file, such as {path / 'labels.sqlite'}")
    if not path.exists() or not path.stat().st_size:
        return
    try:
        with path.open("rb") as stream:
            header = stream.read(16)
    except OSError as error:
        raise ValueError(f"the session {path} cannot be read ({error.strerror}). {_ELSEWHERE}") from error
    if header != b"SQLite format 3\0":
        raise CorruptFileError(f"{path} is no session file (it is no SQLite database). Give another name.")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
            application = base.execute("PRAGMA application_id").fetchone()[0]
            tables = {row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError as error:
        raise CorruptFileError(f"{path} is no session file that can be read ({error}). Give another name.") from error
    if application not in (0, APPLICATION) or (tables and not {"meta", "events", "rounds", "leases"} <= tables):
        raise CorruptFileError(f"{path} is a database of another program, which is left alone. Give another name.")


def _alive(pid: int) -> bool:
    if os.name == "nt":  # there, signal 0 is Ctrl-C; the sign of life must do
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
