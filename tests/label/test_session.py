"""The session file: what was acknowledged is there, once, whoever is killed whenever."""

import itertools
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress

import numpy as np
import pytest

from elsa_nb.errors import BusyError, CorruptFileError
from elsa_nb.label import session_file
from elsa_nb.label.answers import Answer
from elsa_nb.label.lease import STALE, LeaseLostError
from elsa_nb.label.session import BEHIND, Session
from elsa_nb.label.session_queries import disagreements
from elsa_nb.label.stored import Asked, StoredRound

KILLS = 200


def write_for_ever(file, first, out):
    """Write an answer, then say so; be killed at any moment. Items are numbered: gaps and doubles would show."""
    session = Session(file, code="test")
    while not session.acquire():
        pass
    for n in itertools.count(first):
        session.write([Answer(f"item-{n}", -2, n % 2, position=n)])
        os.write(out, f"{n}\n".encode())


def kill_again_and_again(file):
    """Look at the file after each kill. In a process of its own: a fork copies no threads, but the locks they hold."""
    rng, acknowledged = random.Random(11), -1
    for kill in range(KILLS):
        out, into = os.pipe()
        pid = os.fork()  # not a new interpreter: 200 of those would take a minute
        if not pid:
            try:
                write_for_ever(file, acknowledged + 1, into)
            finally:
                os._exit(1)
        os.close(into)
        said = os.read(out, 100)
        time.sleep(rng.uniform(0, 0.02))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while more := os.read(out, 65536):
            said += more
        os.close(out)
        said = [int(line) for line in said.split(b"\n")[:-1]]
        base = sqlite3.connect(file)
        stored = [n for (n,) in base.execute("SELECT position FROM events ORDER BY id")]
        assert base.execute("PRAGMA quick_check").fetchone() == ("ok",)
        base.close()
        # One more than was said may be there: committed, and killed before it could say so.
        assert stored == list(range(len(stored))), f"kill {kill}: a gap or a double"
        assert len(stored) - 1 >= max([acknowledged, *said]), f"kill {kill}: an acknowledged answer is lost"
        acknowledged = len(stored) - 1
    assert acknowledged > KILLS


@pytest.mark.slow
def test_no_acknowledged_answer_is_lost_over_200_random_kills(tmp_path):
    done = subprocess.run([sys.executable, __file__, str(tmp_path / "s.sqlite")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def session(tmp_path):
    session = Session(tmp_path / "s.sqlite", annotator="ann", code="c0de")
    session.acquire()
    yield session
    session.close()


def test_a_notebook_shows_a_session_in_a_line(session):
    assert repr(session) == f"<Session {session.path} of 'ann'>"
    session.close()
    assert repr(session) == f"<Session {session.path} of 'ann', closed>"


def test_an_answer_keeps_all_it_came_with(session):
    before = time.time()
    session.write([Answer("a", -2, 1, position=3, row=7, round=2, component="NN", score=0.5, seconds=1.5)])
    (event,) = session.events()
    known = {"item": "a", "label": 1, "old": -2, "position": 3, "row": 7, "round": 2, "component": "NN", "score": 0.5}
    assert (
        event._asdict().items()
        >= (known | {"seconds": 1.5, "annotator": "ann", "code": "c0de", "kind": "answer"}).items()
    )
    assert before <= event.at <= time.time()


def test_it_is_write_ahead_and_synchronous(session):
    assert session.read("PRAGMA journal_mode")[0]["journal_mode"] == "wal"
    assert session.read("PRAGMA synchronous")[0]["synchronous"] == 2


def test_the_last_word_counts_and_the_first_is_kept(session):
    session.write([Answer("a", -2, 1)])
    session.write([Answer("a", 1, 0)])
    session.write([Answer("a", 0, -2)], undone=[True])
    session.write([Answer("b", -2, -1)])
    assert session.known() == {"b": -1}
    assert len(session.events()) == 4


def test_of_actions_written_at_once_each_is_an_answer_or_takes_one_back(session):
    session.write(*([Answer(item, -2, 1)] for item in "abc"), undone=[False, True])
    assert [event.kind for event in session.events()] == ["answer", "undo", "answer"]


def test_an_action_is_written_whole_or_not_at_all(session):
    with pytest.raises(UnicodeEncodeError):
        session.write([Answer("a", -2, 1), Answer("\ud800", -2, 1)])
    assert session.events() == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"label": "yes"}, "the label of 'b' is 'yes'; allowed: 1 positive, 0 negative, -1 unsure"),
        ({"label": 7}, "the label of 'b' is 7; allowed"),
        ({"label": None}, "the label of 'b' is None"),
        ({"old": np.int64(0)}, "the old label of 'b' is .*; allowed: .*an int"),
        ({"row": -1}, "the row of 'b' is -1; allowed: None, 0, 1"),
    ],
)
def test_an_answer_that_would_make_the_session_a_damaged_one_is_not_stored(session, wrong, said):
    answers = [Answer("a", -2, 1), Answer(**({"item": "b", "old": -2, "label": 1} | wrong))]
    with pytest.raises(ValueError, match=said):
        session.write(answers)
    with pytest.raises(ValueError, match=said):
        session.record(answers, "import")
    assert session.events() == []


def test_writing_without_the_lease_says_how_to_get_it(tmp_path):
    session = Session(tmp_path / "s.sqlite")
    with pytest.raises(LeaseLostError, match=r"is not acquired.*session.acquire\(\)"):
        session.write([Answer("a", -2, 1)])
    session.close()


def test_disagreements_are_listed_and_doubts_are_none(tmp_path):
    for name, labels in (("ann", {"a": 1, "b": 0, "c": 1}), ("bea", {"a": 0, "b": 0, "c": -1, "d": 1})):
        session = Session(tmp_path / "s.sqlite", annotator=name)
        session.acquire()
        session.write([Answer(item, -2, label) for item, label in labels.items()])
        assert session.known() == labels
        session.close()
    session = Session(tmp_path / "s.sqlite", annotator="cleo")
    assert session.annotators == ["ann", "bea"]
    assert disagreements(session) == [{"item": "a", "labels": {"ann": 1, "bea": 0}}]
    session.close()


def another_process(session, seen, host=None, pid=None):
    """Let the lease belong to a living process that is not this one."""
    values = ("other", host or socket.gethostname(), pid or os.getppid(), time.time(), seen, session.annotator)
    with session._transaction() as base:
        base.execute("UPDATE leases SET holder = ?, host = ?, pid = ?, since = ?, seen = ? WHERE annotator = ?", values)


def test_a_second_window_is_told_and_cannot_write(session):
    another_process(session, time.time())
    assert not session.acquire()
    assert str(os.getppid()) in str(session.held_by)
    with pytest.raises(LeaseLostError, match="taken over"):
        session.write([Answer("a", -2, 1)])
    assert session.events() == []
    assert session.acquire(force=True)
    session.write([Answer("a", -2, 1)])


def test_a_silent_window_gives_way(session):
    another_process(session, time.time() - STALE - 1)
    assert session.acquire()


@pytest.mark.parametrize("ahead", [-86_400, -STALE - 5, 0, 86_400])
def test_the_clock_and_the_processes_of_another_machine_are_not_believed(session, ahead):
    """Its window may be alive whatever this clock makes of its last sign, and whether or not that process is here."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for pid in (os.getppid(), os.getpid(), gone.pid):
        another_process(session, time.time() + ahead, "elsewhere", pid)
        assert not session.acquire()
        with pytest.raises(LeaseLostError, match=rf"held by process {pid} on elsewhere, since 2\d{{3}}-.*force=True"):
            session.write([Answer("a", -2, 1)])
    assert session.acquire(force=True)
    session.write([Answer("a", -2, 1)])


def test_what_another_machine_has_given_back_is_free(session):
    another_process(session, time.time(), "elsewhere")
    with session._transaction() as base:
        base.execute("DELETE FROM leases")
    assert session.acquire()


def test_a_dead_process_gives_way_at_once(session):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    another_process(session, time.time())
    with session._transaction() as base:
        base.execute("UPDATE leases SET pid = ?", (process.pid,))
    assert session.acquire()


def test_an_older_panel_in_the_same_kernel_gives_way_and_does_not_come_back(tmp_path):
    old, new = Session(tmp_path / "s.sqlite"), Session(tmp_path / "s.sqlite")
    assert old.acquire()
    assert new.acquire()
    assert not old.keep()
    assert not old.acquire(patient=True)
    old.close()
    assert new.keep()
    new.close()


def test_closed_twice_is_closed(session):
    session.close()
    session.close()


@pytest.mark.parametrize("fails", [False, True])
def test_a_session_closes_at_the_end_of_with_whatever_happens_in_it(tmp_path, fails):
    with suppress(RuntimeError), Session(tmp_path / "s.sqlite") as session:
        session.acquire()
        session.write([Answer("a", -2, 1)])
        if fails:
            raise RuntimeError("the search failed")
    with pytest.raises(ValueError, match="is closed here"):
        session.known()
    with Session(tmp_path / "s.sqlite") as again:
        assert (again.held_by, again.known()) == (None, {"a": 1})


def test_what_is_closed_says_so_to_whoever_reads_or_writes(session):
    session.write([Answer("a", -2, 1)])
    session.close()
    for act in (session.known, session.rounds, session.acquire, lambda: session.write([Answer("b", -2, 1)])):
        with pytest.raises(ValueError, match=r"the session .* is closed here; open it again"):
            act()


def test_a_file_that_is_no_session_is_refused_and_left_alone(tmp_path):
    file = tmp_path / "cats.sqlite"
    file.write_bytes(b"this is no database, it is a text of more than a hundred bytes." * 4)
    before = file.read_bytes()
    with pytest.raises(CorruptFileError, match="is not a session file"):
        Session(file)
    assert file.read_bytes() == before


def test_a_later_format_is_refused(session):
    with closing(sqlite3.connect(session.path)) as base, base:
        base.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    with pytest.raises(ValueError, match="format 99"):
        Session(session.path)


@pytest.mark.parametrize("name", ["", "x" * 201, "ann\nlee", "ann\u2028", "a\tb", "\ud800"])
def test_an_annotator_has_a_name(tmp_path, name):
    with pytest.raises(ValueError, match="annotator"):
        Session(tmp_path / "s.sqlite", annotator=name)


def test_the_file_alone_moves_to_another_machine(session, tmp_path):
    session.write([Answer("a", -2, 1)])
    session.close()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (moved / "s.sqlite").write_bytes(session.path.read_bytes())  # without -wal and -shm
    assert Session(moved / "s.sqlite", annotator="ann").known() == {"a": 1}


def copied_alone(session, folder):
    """Return what a copy of the one file holds, made while the session is open."""
    folder.mkdir(exist_ok=True)
    (folder / "s.sqlite").write_bytes(session.path.read_bytes())
    copy = Session(folder / "s.sqlite", annotator=session.annotator)
    known = copy.known()
    copy.close()
    (folder / "s.sqlite").unlink()
    return known


def test_a_copy_of_the_one_file_is_never_a_page_behind(session, tmp_path):
    for n in range(30):
        session.write([Answer(f"item-{n}", -2, 1)])
        assert n + 1 - len(copied_alone(session, tmp_path / "copy")) < BEHIND
    session.open_round(StoredRound(0, 0, Asked(0, [], [], [], [])))
    assert len(copied_alone(session, tmp_path / "copy")) == 30


@pytest.fixture
def stranger(tmp_path):
    """Make a database of another program: in its own mode, with what it has just written still in its log."""
    path = tmp_path / "theirs.sqlite"
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("CREATE TABLE photos (name TEXT)")
    base.execute("PRAGMA wal_checkpoint")
    base.execute("INSERT INTO photos VALUES ('a')")
    yield path, base
    base.close()


@pytest.mark.parametrize("application", [0, 77])
def test_the_database_of_another_program_keeps_every_byte(stranger, application):
    path, base = stranger
    base.execute(f"PRAGMA application_id = {application}")
    base.execute("PRAGMA wal_checkpoint")
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    with pytest.raises(CorruptFileError, match="of another program"):
        Session(path)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_a_session_that_may_not_be_written_is_read_with_all_its_answers(session, monkeypatch):
    session.write([Answer("a", -2, 1)])  # still in the log beside the file
    before = session.path.read_bytes()
    monkeypatch.setattr("elsa_nb.label.session_file._writable", lambda path: False)
    seen = Session(session.path, annotator="ann")
    assert seen.known() == {"a": 1}
    assert not seen.acquire(force=True)
    with pytest.raises(ValueError, match=r"can only be read here.* Copy it to a folder"):
        seen.write([Answer("b", -2, 1)])
    seen.close()
    assert session.path.read_bytes() == before


def many(session, count=BEHIND - 1):  # so that all of them are in the log alone
    session.write([Answer(f"item-{n}", -2, 1) for n in range(count)])
    return set(session.known())


def checkpointed(path):
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.mark.parametrize("to_read", [False, True])
def test_a_reader_sees_every_answer_while_another_writes(session, monkeypatch, to_read):
    """The log is brought into the file just when a reader has copied the one and not yet the other."""
    there, copy = many(session), shutil.copyfile

    def copied(*places):
        copy(*places)
        checkpointed(session.path)

    monkeypatch.setattr("elsa_nb.label.session_file._writable", lambda path: False)
    monkeypatch.setattr(session_file.shutil, "copyfile", copied)
    with closing(Session(session.path, annotator="ann", to_read=to_read)) as seen:
        assert set(seen.known()) == there


@pytest.mark.parametrize("to_read", [False, True])
def test_a_log_without_its_index_that_goes_while_it_is_read_is_read_again(session, tmp_path, monkeypatch, to_read):
    there, copy, path = many(session), shutil.copyfile, tmp_path / "copy" / "s.sqlite"
    path.parent.mkdir()
    for ending in ("", "-wal"):
        copy(f"{session.path}{ending}", f"{path}{ending}")

    def copied(*places):
        copy(*places)
        checkpointed(path)

    monkeypatch.setattr("elsa_nb.label.session_file._writable", lambda path: False)
    monkeypatch.setattr(session_file.shutil, "copyfile", copied)
    with closing(Session(path, annotator="ann", to_read=to_read)) as seen:
        assert set(seen.known()) == there


@pytest.mark.parametrize("to_read", [False, True])
@pytest.mark.parametrize("times", [1, 1000])
def test_a_session_that_is_written_while_it_is_read_without_a_lock_is_read_again(
    session, monkeypatch, tmp_path, to_read, times
):
    path = tmp_path / "closed.sqlite"
    Session(path, annotator="ann").close()
    look, said = session_file.look_into, []

    def looked(place):
        base = look(place)
        base.execute("SELECT count(*) FROM events").fetchall()
        if len(said) < times:
            said.append(place)
            with closing(Session(path, annotator=f"bea {len(said)}")) as other:
                other.acquire()
                many(other)
        return base

    monkeypatch.setattr(session_file, "look_into", looked)
    writable = session_file._writable
    monkeypatch.setattr(session_file, "_writable", lambda path: len(said) and writable(path))
    if times > 1:
        with pytest.raises(ValueError, match=r"closed\.sqlite changed each time that it was read"):
            Session(path, annotator="ann", to_read=to_read)
        return
    with closing(Session(path, annotator="ann", to_read=to_read)) as seen:
        assert seen.annotators == ["bea 1"]
        assert len(seen.answers()) == BEHIND - 1


def held(folder):
    """Return the bytes of each part of the sessions in a folder; in the index of a log readers leave their marks."""
    return {part.name: part.read_bytes() * (part.suffix != ".sqlite-shm") for part in folder.glob("*.sqlite*")}


def test_what_is_only_read_is_left_alone_and_whatever_its_log_holds_is_seen(session, tmp_path):
    session.write([Answer("a", -2, 1)])  # still in the log beside the file
    folder = tmp_path / "copy"
    folder.mkdir()
    for ending in ("", "-wal"):  # without the index of the log
        (folder / f"s.sqlite{ending}").write_bytes(session.path.with_name(f"s.sqlite{ending}").read_bytes())
    alone = tmp_path / "alone.sqlite"
    with closing(Session(alone, annotator="ann")) as made:
        made.acquire()
        made.write([Answer("a", -2, 1)])
    for path in (session.path, folder / "s.sqlite", alone):
        before = held(path.parent)
        seen = Session(path, annotator="ann", to_read=True)
        assert seen.known() == {"a": 1}
        assert not seen.acquire(force=True)
        with pytest.raises(ValueError, match=r"to_read=True; open it without"):
            seen.write([Answer("b", -2, 1)])
        assert held(path.parent) == before
        seen.close()
        assert held(path.parent) == before
    whole = alone.read_bytes()
    alone.write_bytes(whole[:4096] + bytes(4096) + whole[8192:])
    with pytest.raises(CorruptFileError, match="is damaged"):
        Session(alone, to_read=True)


if __name__ == "__main__":
    kill_again_and_again(sys.argv[1])


def test_a_disk_that_fills_up_is_told_with_the_path_and_the_cure(tmp_path):
    session = Session(tmp_path / "s.sqlite")
    session.acquire()
    (pages,) = session._base.execute("PRAGMA page_count").fetchone()
    session._base.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(
        ValueError, match=r"s\.sqlite cannot be written \(database or disk is full\)\. Make room.* rescue .*FILE"
    ):
        session.write([Answer("an item " * 4000, -2, 1)])
    session._base.execute("PRAGMA max_page_count = 100000")
    session.write([Answer("a", -2, 1)])
    assert session.known() == {"a": 1}
    session.close()


def test_a_session_that_could_not_be_begun_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(session_file, "_TABLES", "CREATE TABLE nowhere.meta (key)")
    with pytest.raises(ValueError, match="cannot be written"):
        Session(tmp_path / "s.sqlite")
    assert not [path for path in tmp_path.iterdir() if path.stat().st_size > 4096]


def test_a_session_that_could_not_be_opened_leaves_no_folder(tmp_path, monkeypatch):
    def full(*_, **__):
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(session_file.sqlite3, "connect", full)
    with pytest.raises(ValueError, match="cannot be written"):
        Session(tmp_path / "new" / "deep" / "s.sqlite")
    assert not list(tmp_path.iterdir())


def test_only_what_was_made_here_and_used_by_nobody_is_abandoned(tmp_path):
    path = tmp_path / "new" / "deep" / "s.sqlite"
    Session(path).abandon()
    assert not list(tmp_path.iterdir())
    first = Session(path)
    (path.parent / "notes.txt").touch()
    first.abandon()
    assert [each.name for each in path.parent.iterdir()] == ["notes.txt"]
    Session(path).close()
    Session(path).abandon()
    assert path.exists(), "it was there before"
    path.unlink()
    first = Session(path)
    with closing(Session(path, annotator="ann")) as other:
        other.acquire()
        first.abandon()
        other.write([Answer("a", -2, 1)])
    assert Session(path, annotator="ann", to_read=True).known() == {"a": 1}


def test_a_damaged_session_is_left_unlocked(tmp_path):
    """Another may take its place, even while what was said of it is still looked at, as a notebook does."""
    path = tmp_path / "s.sqlite"
    with closing(Session(path)) as session:
        session.acquire()
        session.write([Answer(f"item {number}", -2, 1) for number in range(200)])
    whole, said = path.read_bytes(), []
    damages = [whole[:place] + bytes(512) + whole[place + 512 :] for place in range(4096, len(whole), 512)]
    lease = re.search(rb"CREATE TABLE (IF NOT EXISTS )?leases\s*\(\s*annotator", whole).end()
    damages.append(whole[: lease - 1] + b"x" + whole[lease:])  # which can be read, and no lease be given back
    for damage in damages:
        path.write_bytes(damage)
        try:
            with closing(Session(path)) as session:
                session.acquire()
                session.answers()
        except (ValueError, CorruptFileError, sqlite3.Error) as error:
            said.append(error)
        for ending in ("-wal", "-shm"):
            path.with_name(f"s.sqlite{ending}").unlink(missing_ok=True)
        path.write_bytes(b"")
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as base:
            base.execute("BEGIN EXCLUSIVE")  # raises OperationalError where somebody holds it
    assert len(said) > 5


def test_a_session_that_another_process_is_writing_to_is_called_busy_and_not_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(session_file, "_WAIT", 0)
    path = tmp_path / "s.sqlite"
    with closing(Session(path)) as session, closing(sqlite3.connect(path, isolation_level=None)) as other:
        session.acquire()
        other.execute("BEGIN IMMEDIATE")
        for busy in (lambda: Session(path, annotator="bob"), lambda: session.write([Answer("a", -2, 1)])):
            with pytest.raises(BusyError, match=r"another process .*s\.sqlite.* Try again"):
                busy()
        other.execute("ROLLBACK")
        session.write([Answer("a", -2, 1)])
    assert Session(path, to_read=True).known() == {"a": 1}


@pytest.mark.parametrize("pid", [0, -1, 2**31 - 1, 2**40, 2**62])
def test_a_lease_of_a_process_that_no_machine_can_have_gives_way_or_is_called_damaged(tmp_path, pid):
    path = tmp_path / "s.sqlite"
    with closing(Session(path)) as session:
        session.acquire()
        another_process(session, time.time())
        with session._transaction() as base:
            base.execute("UPDATE leases SET pid = ?", (pid,))
    if pid < 2**31:
        with closing(Session(path)) as session:
            assert session.acquire()
    else:
        with pytest.raises(CorruptFileError, match="rescue"):
            Session(path)
