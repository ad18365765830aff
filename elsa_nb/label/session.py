"""The session file: every answer of every annotator, in SQLite, on the disk before the screen calls it saved.

Nothing is ever overwritten. `events` is a log: an answer, a change of mind and an undo each add a line, and
`present_answer` says which line has an item's current label. `rounds` holds what the search asked and what it was told,
so that the same line of code that made a search brings it back to where it was, here or on another machine.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from elsa_nb.label.answers import Answer, Given, check_annotator, checked_answers
from elsa_nb.label.lease import Holder, Lease
from elsa_nb.label.present_answer import NOT_PLANTED, present_lines
from elsa_nb.label.session_file import NOT_ASKED, ON_PAGE, Opened, damage_named, damaged
from elsa_nb.label.stored import Event, StoredRound, ToldAtEnd

# Answers, as many as the smallest page has: at most so many are in the log beside the file and not yet in it.
BEHIND = 12

_AT_ONCE = 500  # items looked up in one statement
EVENT = Event._fields[1:]  # the columns of a line of the log, after its number
_INSERT = f"INSERT INTO events ({', '.join(EVENT)}) VALUES ({', '.join('?' * len(EVENT))})"


class Session:
    """One session file, seen by one annotator; safe to use from several threads. `with` closes it at the end.

    Only the holder of the annotator's lease may write (`acquire`); anybody may read. `to_read` opens an existing file
    as it is now, without writing anything; answers that are given later are not seen.

    >>> session = Session("cats.sqlite", annotator="ann")
    >>> session.acquire() and session.write([Answer("img-7", -2, 1)])
    """

    def __init__(self, path: Path | str, *, annotator: str = "me", code: str = "", to_read: bool = False):
        check_annotator(annotator)
        if not isinstance(path, str | os.PathLike):
            raise ValueError(f"session {path!r:.60}; give the name of a session file, such as labels.sqlite")
        self.path, self.annotator, self.code = Path(path), annotator, code
        self._lease = Lease(annotator)
        self._lock = threading.RLock()
        self._closed = False
        self._to_read = to_read
        self._file = Opened(self.path, to_read=to_read)
        self._base, self.read_only = self._file.base, self._file.read_only
        self._behind = 0  # answers since the log was last brought into the file

    def __repr__(self) -> str:
        state = ", closed" if self._closed else ", read-only" if self.read_only else ""
        return f"<Session {self.path} of {self.annotator!r}{state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self):
        if self._to_read:
            raise ValueError(f"the session {self.path} was opened with to_read=True; open it without, to write to it")
        if self.read_only:
            raise ValueError(
                f"the session {self.path} can only be read here: its disk or folder is not writable. Copy it to a "
                "folder that you may write to, and name the copy"
            )
        with self._lock, damage_named(self.path):
            self._check_open()
            if self._base.in_transaction:  # within `together`
                yield self._base
                return
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:  # on a full disk SQLite has rolled back already
                    self._base.execute("ROLLBACK")
                raise

    @contextmanager
    def together(self):
        """Store all that is written within `with session.together():`, or nothing of it where an error ends it.

        Nobody else can write in between. Errors are those of the calls within; one that is caught there undoes nothing.
        """
        with self._transaction():
            yield
        self._bring_in(0)

    def read(self, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows of a query as dictionaries."""
        return [dict(row) for row in self._fetched(query, values)]

    def _fetched(self, query: str, values: Sequence[Any]) -> list[sqlite3.Row]:
        with self._lock, damage_named(self.path):
            self._check_open()
            return self._base.execute(query, values).fetchall()

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError(f"the session {self.path} is closed here; open it again to go on")

    def _bring_in(self, answers: int = BEHIND) -> None:
        """Bring the log beside the file into it, after so many answers: a copy of the file alone is then complete."""
        with self._lock:
            self._behind += answers
            if self._behind < BEHIND:
                return
            try:
                self._base.execute("PRAGMA wal_checkpoint(PASSIVE)")
            except sqlite3.OperationalError:
                return  # what is committed is on the disk, in the log: nothing is lost by trying later
            self._behind = 0

    def close(self) -> None:
        """Give the lease back and close the file; afterwards all answers are in the one file."""
        with self._lock:
            if not self._closed:
                try:
                    self.release()
                finally:  # a damaged file may refuse that, and must not stay locked
                    self._closed = True
                    self._file.close()

    def abandon(self) -> None:
        """Close a session that nothing came of; remove its file if it was made here and nobody has used it.

        The folders that were made for it go too. A file is used if it holds answers or rounds, or if another window
        or process works on it.
        """
        used = "SELECT EXISTS (SELECT 1 FROM events) OR EXISTS (SELECT 1 FROM rounds)"
        used += " OR EXISTS (SELECT 1 FROM leases WHERE holder <> ?) AS used"
        with self._lock:
            try:
                needless = self._file.fresh and not self.read(used, (self._lease.holder,))[0]["used"]
            finally:
                self.close()
            if needless:
                self._file.forget()

    # --- what the file is about

    def meta(self, key: str) -> str | None:
        """Return a remark about the session, None where there is none."""
        found = self.read("SELECT value FROM meta WHERE key = ?", (key,))
        return found[0]["value"] if found else None

    def metas(self, prefix: str) -> dict[str, str]:
        """Return all remarks whose key begins with `prefix`."""
        found = self.read("SELECT key, value FROM meta WHERE substr(key, 1, ?) = ? ORDER BY key", (len(prefix), prefix))
        return {row["key"]: row["value"] for row in found}

    def remark(self, key: str, value: str) -> None:
        """Store a remark about the session."""
        with self._transaction() as base:
            self._lease.check(base, self.path)
            base.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
        self._bring_in()

    def remark_once(self, key: str, value: str) -> str:
        """Store a remark where there is none, with or without the lease; return the remark that is there then."""
        if (found := self.meta(key)) is not None:
            return found
        with self._transaction() as base:
            base.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, value))
            (stored,) = base.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        self._bring_in()
        return stored

    # --- the lease

    def acquire(self, *, force: bool = False, patient: bool = False) -> bool:
        """Take the lease if it is free (or by `force`); return whether it is held now.

        It is free where nobody holds it, and where a process of this machine holds it that is dead, has shown no sign
        of life for 15 seconds, or is this one (an older panel in the same kernel gives way, unless `patient`). What
        another machine holds is free once it is released there.
        """
        if self.read_only:
            return False
        with self._transaction() as base:
            return self._lease.take(base, force=force, patient=patient)

    def keep(self) -> bool:
        """Show a sign of life; return whether the lease is still held."""
        if self.read_only:
            return False
        with self._transaction() as base:
            return self._lease.keep(base)

    def release(self) -> None:
        """Give the lease back."""
        if self.read_only:
            return
        with self._transaction() as base:
            self._lease.give_back(base)
        self._bring_in()

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

    # --- answers

    def write(self, *actions: Iterable[Answer], undone: Sequence[bool] = (), withdrawn: int | None = None) -> None:
        """Commit one or more actions, all or nothing; when it returns they are on the disk.

        `undone` says of each action whether it takes an earlier one back; `withdrawn` deletes the rounds from that
        number on (their questions were taken back unanswered). Raises `LeaseLostError` where another window has
        taken the session over or it was not acquired, ValueError for an answer that no session can hold.
        """
        actions = [checked_answers(action) for action in actions]
        now, written = time.time(), 0
        with self._transaction() as base:
            self._lease.check(base, self.path)
            last = base.execute("SELECT coalesce(max(action), 0) FROM events WHERE annotator = ?", (self.annotator,))
            number = last.fetchone()[0]
            if withdrawn is not None:
                base.execute("DELETE FROM rounds WHERE annotator = ? AND number >= ?", (self.annotator, withdrawn))
                back = "UPDATE rounds SET told = NULL WHERE annotator = ? AND number = ?"
                base.execute(back, (self.annotator, withdrawn - 1))
            for i, action in enumerate(actions):
                number += 1
                kinds = ON_PAGE[i < len(undone) and undone[i]]
                for a in action:
                    values = (self.annotator, number, kinds[a.control], a.round, a.position, a.item, a.row, a.old)
                    base.execute(_INSERT, (*values, a.label, a.component, a.score, a.seconds, now, self.code))
                    written += 1
        self._bring_in(written)

    def record(self, answers: Iterable[Answer], kind: str, annotator: str | None = None) -> None:
        """Store labels that were not given on screen (imported ones), by default as the annotator's own.

        `undo` leaves them alone.
        """
        self.record_all([(annotator or self.annotator, answers)], kind)

    def record_all(self, given: Given | Callable[[], Given], kind: str) -> None:
        """Store labels of several annotators as `record` does, all or nothing; ValueError also for a bad name.

        `given` are pairs (annotator, answers), or a function without arguments that returns them. What it reads of this
        session stays as it is until its answers are stored: nobody else can write in between.
        """
        with self._transaction() as base:
            for who, answers in given() if callable(given) else given:
                check_annotator(who)
                for a in checked_answers(answers):
                    values = (who, 0, kind, None, None, a.item, a.row, a.old, a.label, None, None, None)
                    base.execute(_INSERT, (*values, time.time(), self.code))
        self._bring_in()

    def restore_log(self, lines: Sequence[dict[str, Any]], remarks: dict[str, str]) -> None:
        """Store the lines of another session's log as they are, and its remarks, in this one, which must be new."""
        values = ", ".join(f":{name}" for name in ("id", *EVENT))
        with self._transaction() as base:
            base.executemany(f"INSERT INTO events (id, {', '.join(EVENT)}) VALUES ({values})", lines)
            base.executemany("INSERT INTO meta VALUES (?, ?)", list(remarks.items()))
        self._bring_in()

    def events(self, *, since: int = 0, shown: bool = False) -> list[Event]:
        """Return the annotator's log in order.

        `since`: only what comes after that event. `shown`: only what says on which card, or about which row of the
        pool, it is; labels from files mostly do not.
        """
        which = " AND (position IS NOT NULL OR row IS NOT NULL)" if shown else ""
        query = f"SELECT {', '.join(Event._fields)} FROM events WHERE annotator = ? AND id > ?{which} ORDER BY id"
        return [Event(*line) for line in self._fetched(query, (self.annotator, since))]

    def imported_since(self, event: int) -> dict[str, int]:
        """Return {item: label} of what has come from files and audits after an event; -2 where it was taken back."""
        which = f"annotator = ? AND id > ? AND kind IN ({_marks(NOT_ASKED)})"
        lines = self._fetched(
            f"SELECT item, label FROM events WHERE {which} ORDER BY id", (self.annotator, event, *NOT_ASKED)
        )
        return dict(map(tuple, lines))

    def answers(self, annotator: str | None = None) -> list[Event]:
        """Return the line of each item's current label, in the order of asking: of one annotator, or (None) of all."""
        where, values = ("WHERE annotator = ?", (annotator,)) if annotator else ("", ())
        query = f"SELECT {', '.join(Event._fields)} FROM answers {where}"
        lines = self._fetched(f"{query} ORDER BY annotator, position IS NULL, position, id", values)
        return [Event(*line) for line in lines]

    def current(
        self, *columns: str, kinds: Sequence[str] = (), label: int | None = None, since: int = 0
    ) -> list[tuple[Any, ...]]:
        """Return some columns of the annotator's current answers, one tuple each, in the order of asking.

        It is what `answers` returns, in a fraction of the time where there are many: only answers of these `kinds`
        (none given: of all), with this `label`, and given after the event `since`.
        """
        which, values = "", [self.annotator, since]
        if kinds:
            which, values = f" AND kind IN ({_marks(kinds)})", [*values, *kinds]
        if label is not None:
            which, values = f"{which} AND label = ?", [*values, label]
        query = f"SELECT {', '.join(columns)} FROM events WHERE id IN ({present_lines('annotator = ?')}) AND id > ?"
        return list(map(tuple, self._fetched(f"{query}{which} ORDER BY position IS NULL, position, id", values)))

    def known(self, items: Sequence[str] | None = None) -> dict[str, int]:
        """Return {item: label} of this annotator: of all items, or of these, without a look at the others."""
        if items is None:
            return dict(self.current("item", "label"))
        found: dict[str, int] = {}
        for start in range(0, len(items), _AT_ONCE):
            # As bytes: a name of which SQLite makes no text is in no session, and no reason to fail.
            part = [str(item).encode("utf-8", "surrogatepass") for item in items[start : start + _AT_ONCE]]
            among = ", ".join(["CAST(? AS TEXT)"] * len(part))
            present = present_lines(f"annotator = ? AND item IN ({among})")
            query = f"SELECT item, label FROM events WHERE id IN ({present})"
            found |= dict(map(tuple, self._fetched(query, (self.annotator, *part))))
        return found

    @property
    def annotators(self) -> list[str]:
        """All who ever answered in this file."""
        return [r["annotator"] for r in self.read("SELECT DISTINCT annotator FROM events ORDER BY annotator")]

    def said_by_others(self, since: int = 0) -> list[tuple[int, str, str, int]]:
        """Return (event, annotator, item, label) of items of which other people said something after an event.

        The label is the present one, -2 where there is none; the last event comes last.
        """
        said = f"SELECT max(id) AS last, annotator, item FROM events WHERE annotator <> ? AND id > ? AND {NOT_PLANTED}"
        present = present_lines("(annotator, item) IN (SELECT annotator, item FROM said)")
        query = f"WITH said AS ({said} GROUP BY 2, 3) SELECT last, annotator, item, coalesce(label, -2) FROM said"
        # The sign before id keeps SQLite from going through all of `present` once for each row of `said`.
        query += f" LEFT JOIN (SELECT * FROM events WHERE +id IN ({present})) USING (annotator, item) ORDER BY last"
        return list(map(tuple, self._fetched(query, (self.annotator, since))))

    # --- rounds

    def open_round(self, asked: StoredRound) -> None:
        """Store the questions of a round before anybody sees them."""
        with self._transaction() as base:
            self._lease.check(base, self.path)
            _insert_round(base, self.annotator, asked)
        self._bring_in()

    def close_round(self, number: int, told: ToldAtEnd) -> None:
        """Store what the search was told about a round."""
        with self._transaction() as base:
            self._lease.check(base, self.path)
            where = (told.to_json(), self.annotator, number)
            base.execute("UPDATE rounds SET told = ? WHERE annotator = ? AND number = ?", where)
        self._bring_in()

    def rounds(self) -> list[StoredRound]:
        """Return the annotator's rounds in order; CorruptFileError where one holds what no round can."""
        query = "SELECT number, start, asked, told, after FROM rounds WHERE annotator = ? ORDER BY number"
        found = self._fetched(query, (self.annotator,))
        try:
            return [StoredRound.from_json(*row) for row in found]
        except ValueError as error:
            raise damaged(self.path, error) from None

    def replace_rounds(self, rounds: Iterable[StoredRound]) -> None:
        """Store other rounds in place of the annotator's: after a search that took another course than before."""
        with self._transaction() as base:
            self._lease.check(base, self.path)
            base.execute("DELETE FROM rounds WHERE annotator = ?", (self.annotator,))
            for each in rounds:
                _insert_round(base, self.annotator, each)
        self._bring_in()


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _insert_round(base: sqlite3.Connection, annotator: str, new: StoredRound) -> None:
    (last,) = base.execute("SELECT coalesce(max(id), 0) FROM events WHERE annotator = ?", (annotator,)).fetchone()
    values = (annotator, new.number, new.start, *new.to_json(), last if new.after is None else new.after, time.time())
    base.execute("INSERT OR REPLACE INTO rounds VALUES (?, ?, ?, ?, ?, ?, ?)", values)
