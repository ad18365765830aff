"""A session file as SQLite sees it: whether it is ours, whether it is whole, and whether it can only be read.

`Session` opens its file with `Opened`. A file of another program is left alone to the last byte: its header is read
before SQLite is, and SQLite looks at it without a lock before it may write. A damaged one is said to be damaged when it
is opened, not when somebody's fiftieth answer meets the broken part of it.
"""

import errno
import os
import shlex
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from elsa_nb.errors import BusyError, CorruptFileError, MissingDataError
from elsa_nb.label.log_rules import LINE_HOLDS
from elsa_nb.label.present_answer import ANSWERS_VIEW, EARLIER_VIEW, PLANTED, PLANTED_UNDO
from elsa_nb.option_names import option_told
from elsa_nb.store import DATABASE

SESSION_FORMAT = 1
APPLICATION = 0x454C5341  # "ELSA": the application id in the header of a session file
_APPLICATION_AT = 68
_ROOM = "Make room on its disk, then do the same again."
_FULL = (errno.ENOSPC, errno.EDQUOT)
_REFUSED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_WAIT = 10  # seconds for another process to end what it writes
_ENDINGS = ("", "-wal", "-shm")  # of the parts that SQLite keeps of a session: the file, its log, the log's index
_READINGS = 5  # attempts at a session that changes while it is read
_TRIAL = 1 << 18  # bytes that must fit on the disk before a session is begun: its names, and some answers

_TABLES = f"""
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
{ANSWERS_VIEW};
"""
ON_PAGE = ("answer", PLANTED), ("undo", PLANTED_UNDO)
CLASS = "class"  # the key of the remark that says what is looked for, as it was named on the page
# The kinds of the events that hold labels from files, and answers that a person gave in an audit of the session.
IMPORTED, AUDITED = "import", "audit"
NOT_ASKED = (IMPORTED, AUDITED)  # here: the search itself did not ask about these items
LABELS_SAID = "1 positive, 0 negative, -1 unsure, -2 none, -3 passed in a first look (an int)"
_OURS = {"meta", "events", "rounds", "leases"}

_WRONG = f"""
SELECT (SELECT count(*) FROM events WHERE NOT ({LINE_HOLDS}))
  + (SELECT count(*) FROM rounds WHERE typeof(number) <> 'integer' OR typeof(after) <> 'integer'
    OR NOT json_valid(asked) OR (told IS NOT NULL AND NOT json_valid(told)))
  + (SELECT count(*) FROM meta WHERE typeof(key) <> 'text' OR typeof(value) <> 'text'
    OR (key LIKE '%:%' AND NOT json_valid(value)))
  + (SELECT count(*) FROM leases WHERE typeof(pid) <> 'integer' OR pid > 2147483647
    OR typeof(since) <> 'real' OR typeof(seen) <> 'real')
"""


def damaged(path: Path, why: object) -> CorruptFileError:
    """Return the error of a session that cannot be read as it is, with its cure."""
    said = " ".join(str(why).split())  # SQLite may say it in two lines
    return CorruptFileError(
        f"the session {path} is damaged ({said}). `elsa-nb session rescue {shlex.quote(str(path))}` brings out every "
        "answer that can be read, into a new file; this one is not changed."
    )


def unwritable(path: Path, error: OSError | sqlite3.Error) -> ValueError:
    """Return the error of a session that the system does not let us write, with its cure."""
    if isinstance(error, sqlite3.Error) and _code(error) != sqlite3.SQLITE_FULL:
        try:
            _try_to_write(path)  # SQLite reports a full disk in several ways
        except OSError as refused:
            error = refused
    if isinstance(error, OSError):
        full, said = error.errno in _FULL, error.strerror or str(error)
    else:
        full, said = _code(error) == sqlite3.SQLITE_FULL, str(error)
    cure = _ROOM if full else _elsewhere()
    if full and _exists(path):  # opening it to take the answers out would write, too: SQLite keeps its log beside it
        cure += f" `elsa-nb session rescue {shlex.quote(str(path))} FILE` copies its answers to another disk."
    return ValueError(f"the session {path} cannot be written ({said}). {cure}")


def _elsewhere() -> str:
    return f"Give a session file in a folder that you may write to ({option_told('session')})."


def _code(error: sqlite3.Error) -> int:
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def session_there(path: Path | str) -> Path:
    """Return the path of a session that is to be read; MissingDataError where there is no file."""
    path = Path(path)
    if not path.is_file():
        state = "is a folder" if path.is_dir() else "is not here"
        raise MissingDataError(f"{path} {state}; name the session file that `elsa-nb label` wrote.")
    return path


def check_writable(path: Path) -> None:
    """Raise unless answers can be written to `path`, which may be there or not: on a full disk, too.

    ValueError, with the cure, for what the system refuses and for a folder; CorruptFileError as from `check_ours`.
    Nothing stays on the disk.
    """
    check_ours(path)
    if _exists(path) and not _writable(path):
        raise ValueError(
            f"the session {path} can only be read here: it, its folder or its disk is not writable. {_elsewhere()}"
        )
    try:
        _try_to_write(path)
    except OSError as error:
        raise unwritable(path, error) from error


def check_session_folder(path: Path) -> None:
    """Raise MissingDataError where the folder of a session is not here: that is more often a slip than intended."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise MissingDataError(
            f"the folder {folder} of the session {path.name} is not here: a slip in the path, or a disk that is not "
            "mounted? Make the folder first, or give another session file."
        )


def _try_to_write(path: Path) -> None:
    """Write as much as a session begins with where `path` is or will be, and remove it again; or raise OSError."""
    folder = next(each for each in path.absolute().parents if each.exists())
    with tempfile.TemporaryFile(dir=folder) as trial:
        trial.write(bytes(_TRIAL))
        trial.flush()
        os.fsync(trial.fileno())


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about a file that is damaged, busy, or cannot be written into errors with a cure.

    Those are CorruptFileError, BusyError, ValueError. All others pass.
    """
    try:
        yield
    except UnicodeDecodeError as error:  # SQLite's message may quote bytes of a damaged file
        raise damaged(path, "its names are not text") from error
    except sqlite3.DatabaseError as error:
        code = _code(error)
        broken = any(words in str(error) for words in ("decode to UTF-8", "unsupported file format"))
        # Our statements are correct: if one names what is not there, the tables are not ours any more.
        broken |= code == sqlite3.SQLITE_ERROR and any(words in str(error) for words in ("no such ", "has no column"))
        if broken or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise damaged(path, error) from error
        if code in _BUSY:
            raise BusyError(
                f"another process has been writing to the session {path} for {_WAIT} seconds, so nothing was written "
                "or read here. Try again when it has ended."
            ) from error
        if code in _REFUSED:
            raise unwritable(path, error) from error
        raise


class Opened:
    """A connection to a session, and whether it can only be read: then it is to a copy in memory (`read_whole`).

    With `to_read` it is only read: nothing is written to the disk, which may be full, nor beside the file.
    Then MissingDataError where there is no file.
    """

    def __init__(self, path: Path, *, to_read: bool = False):
        check_ours(session_there(path) if to_read else path)
        self.fresh, self.read_only = not path.exists(), to_read or (_exists(path) and not _writable(path))
        self._path, self._folders = path, [each for each in path.absolute().parents if not each.exists()]
        try:
            if not self.read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
            # Handlers run in whatever thread the kernel likes; a lock of the session keeps them apart, not the thread.
            place = ":memory:" if self.read_only else path
            self.base = sqlite3.connect(place, timeout=_WAIT, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.OperationalError) as error:
            self._forget_folders()
            raise unwritable(path, error) from error
        try:
            if self.read_only:
                with damage_named(path):
                    read_whole(path, self.base)
            self.base.row_factory = sqlite3.Row
            self._begin(path)
        except BaseException:
            self.close()
            if self.fresh:
                _forget_empty(path)
                self._forget_folders()
            raise

    def _begin(self, path: Path) -> None:
        try:
            with damage_named(path):
                self.base.execute("PRAGMA journal_mode = WAL")
                self.base.execute("PRAGMA synchronous = FULL")  # in WAL mode the default would lose the last answers
                # All at once: a half read cursor would keep the file locked after it is closed.
                for (found,) in self.base.execute("PRAGMA quick_check(1)").fetchall():
                    if found != "ok":
                        raise damaged(path, found)
                self.base.execute("BEGIN IMMEDIATE")
                self.base.execute(f"PRAGMA application_id = {APPLICATION}")
                if self.base.execute(EARLIER_VIEW).fetchone():
                    self.base.execute("DROP VIEW answers")
                for statement in _TABLES.split(";\n"):
                    self.base.execute(statement)
                self.base.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (str(SESSION_FORMAT),))
                self.base.execute("COMMIT")
                (number,) = self.base.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
                if number != str(SESSION_FORMAT):
                    raise ValueError(f"{path} has format {number}; this version reads {SESSION_FORMAT}")
                check_values(path, self.base)
        except sqlite3.OperationalError as error:
            raise unwritable(path, error) from error
        except sqlite3.DatabaseError as error:
            raise damaged(path, error) from error

    def close(self) -> None:
        """Close the file."""
        self.base.close()

    def forget(self) -> None:
        """Remove a closed file that was made here, and the folders that were made for it."""
        for ending in _ENDINGS:
            _beside(self._path, ending).unlink(missing_ok=True)
        self._forget_folders()

    def _forget_folders(self) -> None:
        for folder in self._folders:  # from the innermost; one that somebody else has put something into stays
            with suppress(OSError):
                folder.rmdir()


def read_whole(path: Path, base: sqlite3.Connection) -> None:
    """Copy the session `path` into the empty database `base`, as it is at one moment; nothing is written beside it.

    SQLite sees to that wherever others may be writing. Where it reads without a lock, or cannot read at all, nobody
    should be writing: if the file changed nevertheless, it is read again.
    """
    for _ in range(_READINGS):
        before = _parts(path)
        try:
            if "-wal" in before and "-shm" not in before:
                _read_by_copies(path, base)
            else:
                with closing(look_into(path)) as source:
                    source.backup(base)
        except (OSError, sqlite3.Error):
            if _parts(path) == before:
                raise
        else:
            if {"-wal", "-shm"} <= before.keys() or _parts(path) == before:
                return
    raise ValueError(f"the session {path} changed each time that it was read; read it again once less is written to it")


def _read_by_copies(path: Path, base: sqlite3.Connection) -> None:
    """Copy a session with a log but no index of it, left by a killed process or copied here, by way of its files.

    SQLite reads such a log only where it may write its index beside it.
    """
    with tempfile.TemporaryDirectory(prefix="elsa-session-") as folder:
        place = Path(folder) / path.name
        for ending in ("", "-wal"):
            shutil.copyfile(_beside(path, ending), _beside(place, ending))
        with closing(sqlite3.connect(place)) as source:
            source.backup(base)


def _parts(path: Path) -> dict[str, tuple[int, int, int]]:
    """Return what tells whether the parts of a session change: which file each is, its size, when it was written."""
    found = {}
    for ending in _ENDINGS:
        with suppress(FileNotFoundError):
            status = _beside(path, ending).stat()
            found[ending] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return found


def _forget_empty(path: Path) -> None:
    """Remove a session that could not be begun, but nothing that another process has begun meanwhile."""
    parts = [_beside(path, ending) for ending in _ENDINGS]
    if not any(part.exists() and part.stat().st_size for part in parts[:2]):
        for part in parts:
            part.unlink(missing_ok=True)


def check_values(path: Path, base: sqlite3.Connection) -> None:
    """Raise CorruptFileError where an entry of the session `path`, open as `base`, holds what no writer wrote."""
    if wrong := base.execute(_WRONG).fetchone()[0]:
        raise damaged(path, f"{wrong} of its entries hold what no answer can")


def check_ours(path: Path) -> None:
    """Raise unless `path` is free or holds a session: what another program made is not touched.

    ValueError for a folder or an unreadable file, CorruptFileError for what is not a session or is a damaged one.
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give the name of a session file, such as {path / 'labels.sqlite'}")
    if not _exists(path):
        return
    try:
        with path.open("rb") as stream:
            header = stream.read(100)
    except OSError as error:
        raise ValueError(f"the session {path} cannot be read ({error.strerror}). {_elsewhere()}") from error
    application = int.from_bytes(header[_APPLICATION_AT : _APPLICATION_AT + 4], "big")
    if not header.startswith(DATABASE):
        if application == APPLICATION:
            raise damaged(path, "its header is overwritten")
        raise CorruptFileError(f"{path} is not a session file (it is not an SQLite database). Give another name.")
    if application == 0 and not _tables_ours(path):  # made a moment ago, or not by us
        application = -1
    if application not in (0, APPLICATION):
        raise CorruptFileError(f"{path} is a database of another program, which is left alone. Give another name.")


def _tables_ours(path: Path) -> bool:
    """Whether a database without application id is empty or has our tables; nothing is written beside it either."""
    with damage_named(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as base:
        version = base.execute("PRAGMA user_version").fetchone()[0]
        tables = {row[0] for row in base.execute("SELECT name FROM sqlite_master").fetchall()}
    return tables >= _OURS if tables else not version


def look_into(path: Path) -> sqlite3.Connection:
    """Open a database to read it: nothing is written, not even beside it, unless somebody works on it just now."""
    path = path.resolve()
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    return sqlite3.connect(f"{path.as_uri()}?{how}", uri=True)


def _beside(path: Path, ending: str) -> Path:
    """Return where SQLite keeps a part of the session `path`: the log "-wal", its index "-shm", or "" the file."""
    return Path(f"{path}{ending}")


def _exists(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _writable(path: Path) -> bool:
    """Whether SQLite can write to a file, and to its folder, for the log beside it."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
