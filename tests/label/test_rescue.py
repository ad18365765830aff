"""A damaged session says so in one sentence, and what can be read of it comes out; the file itself is only read."""

import json
import re
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elsa_nb import cli
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.label import Fixed, Panel, Texts
from elsa_nb.label.answers import Answer
from elsa_nb.label.label_files.reader import read_labels
from elsa_nb.label.rescue import rescue
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import CLASS, IMPORTED
from elsa_nb.search.oracle import Truth

N = 120
IDS = [f"where/picture-{row:05d}.jpg" for row in range(N)]


def panel(path, annotator="me"):
    search = Fixed(N, np.arange(N))
    items = Texts([str(row) for row in range(N)], IDS)
    return Panel(search, items, session=path, annotator=annotator, oracle=Truth(np.arange(N) % 7 == 0))


def answers(path):
    with closing(sqlite3.connect(path)) as base:
        return set(base.execute("SELECT annotator, item, label FROM answers"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "s.sqlite"
    for annotator in ("ann", "bob"):
        one = panel(path, annotator)
        one.play(pages=3)
        one.close()
    return path


@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_damaged_is_one_sentence_with_its_cure_and_no_wrong_answer_comes_out(whole, tmp_path, data):
    good = whole.read_bytes()
    at, length = data.draw(st.integers(0, len(good) - 1)), data.draw(st.sampled_from([1, 16, 4096]))
    filled = data.draw(st.binary(min_size=1, max_size=1)) * length
    bad = good[:at] + filled + good[at + length :] if data.draw(st.booleans()) else good[:at]
    path = tmp_path / "s.sqlite"
    path.write_bytes(bad)
    try:
        with closing(Session(path, annotator="ann")) as session:  # one left open would write to the next example's file
            session.rounds(), session.answers()
    except ValueError as error:  # CorruptFileError is one; a header that is gone makes it no session at all
        assert str(path) in str(error)
    path.write_bytes(bad)
    for file in tmp_path.iterdir():
        if file != path:
            file.unlink()
    try:
        rescue(path)
    except ValueError as error:
        assert "no answer can be read" in str(error)
    else:
        true = {(who, item) for who, item, _ in answers(whole)}
        found = answers(tmp_path / "s-rescued.sqlite")
        # A byte within a name or a number is past noticing; nothing else may be wrong.
        assert len({pair[:2] for pair in found} - true) <= 1 + length // 60
    assert path.read_bytes() == bad


def test_without_a_header_everything_comes_out_and_the_work_goes_on(whole, tmp_path, capsys):
    path = tmp_path / "s.sqlite"
    path.write_bytes(bytes(24) + whole.read_bytes()[24:])
    with pytest.raises(CorruptFileError, match=f"is damaged.*elsa-nb session rescue {re.escape(str(path))}"):
        Session(path)
    assert cli.main(["session", "rescue", str(path)]) == 0
    assert "answers to 144 items" in capsys.readouterr().out
    assert answers(tmp_path / "s-rescued.sqlite") == answers(whole)
    again = panel(tmp_path / "s-rescued.sqlite", "ann")
    assert again.figures["labels"] == 72
    again.play(pages=1)
    assert again.figures["labels"] == 96
    again.close()
    for name in ("s.csv", "S.CSV"):
        assert cli.main(["session", "rescue", str(path), str(tmp_path / name)]) == 0
        assert len((tmp_path / name).read_text().splitlines()) == 1 + 2 * 72


def test_what_is_remembered_of_the_search_and_of_an_audit_comes_out_and_goes_on(tmp_path):
    kept = {
        "strategy:me": '"greedy-probe"',
        "audit:me": '{"answered": [0, 3], "found": 1}',
        "kind:me": '"greedy-probe in vectors of an encoder"',
        "asked:me": '{"kind": "greedy-probe", "items": {"a": ["NN", 1.5]}, "new": 0}',
        "vectors:me": '"those of an encoder"',
    }
    session = Session(tmp_path / "s.sqlite")
    session.acquire()
    session.write([Answer("a", -2, 1)])
    for key, value in kept.items():
        session.remark(key, value)
    session.close()
    rescue(session.path, tmp_path / "out.sqlite")
    out = Session(tmp_path / "out.sqlite")
    assert {key: out.meta(key) for key in kept} == kept
    out.close()


def test_a_table_of_what_came_out_names_the_class(tmp_path):
    session = Session(tmp_path / "s.sqlite")
    session.acquire()
    session.write([Answer("a", -2, 1)])
    session.remark(CLASS, "owl")
    session.close()
    rescue(session.path, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().splitlines()[1].endswith(",owl")


def test_answers_that_are_only_in_the_log_beside_it_come_out(tmp_path):
    session = Session(tmp_path / "s.sqlite")
    session.acquire()
    session.write([Answer("a", -2, 1, score=2.0, seconds=1.5)])
    session.write([Answer("a", 1, 0)])
    (line,) = [event for event in session.events() if event.label == 1]
    done = rescue(session.path, tmp_path / "out.sqlite")
    session.close()
    assert (done.lines, done.items, done.lost) == (2, 1, 0)
    out = Session(tmp_path / "out.sqlite")
    assert out.known() == {"a": 0}
    assert out.events()[0] == line
    out.close()


def test_a_panel_on_a_session_that_may_only_be_read_shows_it_and_says_so(whole, monkeypatch):
    monkeypatch.setattr("elsa_nb.label.session_file._writable", lambda path: False)
    before = whole.read_bytes()
    seen = panel(whole, "ann")
    assert seen.figures["labels"] == 72
    assert "can only be read here" in seen.widget._banner()
    seen.close()
    assert whole.read_bytes() == before


def test_what_holds_no_answer_and_what_would_be_overwritten_is_refused(whole, tmp_path):
    (tmp_path / "text.sqlite").write_text("no session at all")
    with pytest.raises(ValueError, match="no answer can be read"):
        rescue(tmp_path / "text.sqlite")
    assert not (tmp_path / "text-rescued.sqlite").exists()
    with pytest.raises(MissingDataError, match="is a folder; name the session file"):
        rescue(tmp_path)
    shutil.copy(whole, tmp_path / "my owls.sqlite")
    (tmp_path / "my owls-rescued.sqlite").touch()
    with pytest.raises(ValueError, match=r"elsa-nb session rescue '.*/my owls\.sqlite' FILE"):  # as a shell takes it
        rescue(tmp_path / "my owls.sqlite")
    with pytest.raises(ValueError, match="exists already"):
        rescue(whole, whole)
    with pytest.raises(MissingDataError, match="is not here"):
        rescue(tmp_path / "none.sqlite")


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE events SET label = 7 WHERE id = 5",
        "UPDATE events SET item = x'00ff' WHERE id = 5",
        "UPDATE rounds SET asked = '{}' WHERE number = 0",
        "UPDATE rounds SET told = '[1, 2' WHERE number = 0",
        "UPDATE meta SET value = 'about' WHERE key = 'about:ann'",
    ],
)
def test_values_that_nobody_wrote_are_noticed_when_it_is_opened(whole, tmp_path, damage):
    path = tmp_path / "s.sqlite"
    path.write_bytes(whole.read_bytes())
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(damage)
    with pytest.raises(CorruptFileError, match=r"damaged.*session rescue"):
        panel(path, "ann")


@pytest.mark.parametrize("damage", ["label = 7", "item = x'00ff'", "annotator = x'ff'", "label = 0.5"])
def test_a_damaged_session_is_no_source_of_earlier_labels(whole, tmp_path, damage):
    path = tmp_path / "s.sqlite"
    path.write_bytes(whole.read_bytes())
    assert read_labels(path, IDS).rows()
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(f"UPDATE events SET {damage} WHERE id = (SELECT max(id) FROM answers)")
    refused = r"s\.sqlite is damaged \(1 of its entries.*session rescue.*Nothing was taken from it"
    with pytest.raises(ValueError, match=refused):
        read_labels(path, IDS)


DAMAGE = {  # found by `make fuzz`
    "a format of another version of SQLite": lambda data: data[:47] + b"\x09" + data[48:],
    "the same, in a file without our mark": lambda data: data[:47] + b"\x09" + data[48:68] + bytes(4) + data[72:],
    "a table whose name is no text": lambda data: data.replace(b"CREATE TABLE rounds", b"CREATE TABLE r\xd4\xffnds"),
    "a column of the answers that no table has": lambda data: data.replace(b"label > -2", b"lbael > -2"),
    "a table that is called otherwise": lambda data: data.replace(b"CREATE TABLE leases", b"CREATE TABLE lapses"),
    "a page of which SQLite speaks in two lines": lambda data: data[:8192] + b"\xff" + data[8193:],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_sqlite_says_of_damage_is_one_sentence(whole, tmp_path, damage):
    good = whole.read_bytes()
    path = tmp_path / "s.sqlite"
    path.write_bytes(bad := DAMAGE[damage](good))
    assert bad != good
    with pytest.raises(CorruptFileError, match=r"is damaged \(.+\). `elsa-nb session rescue") as told:
        session = Session(path, annotator="ann")
        session.answers()
        session.acquire()
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)
    assert rescue(path, tmp_path / "out.sqlite").items


def test_a_rescue_that_a_full_disk_ends_leaves_nothing_in_its_way(whole, tmp_path, monkeypatch):
    def full(session, lines, remarks):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as disk:
        disk.setattr(Session, "restore_log", full)
        with pytest.raises(sqlite3.OperationalError):
            rescue(whole, tmp_path / "r.sqlite")
    assert not list(tmp_path.iterdir())
    assert answers(rescue(whole, tmp_path / "r.sqlite").path) == answers(whole)


def test_a_time_that_is_no_number_is_lost_and_its_answer_comes_out(whole, tmp_path):
    """SQLite stores it as nothing, and nothing is no time: such a line once made all of the rescue fail."""
    good, at = tmp_path / "good.sqlite", 1.5e9 + 0.25
    good.write_bytes(whole.read_bytes())
    with closing(sqlite3.connect(good)) as base, base:
        base.execute("UPDATE events SET at = ? WHERE id = 5", (at,))
    lines = rescue(good, tmp_path / "out.sqlite").lines
    bad = tmp_path / "bad.sqlite"
    bad.write_bytes(good.read_bytes().replace(struct.pack(">d", at), struct.pack(">d", float("nan"))))
    rescued = rescue(bad, tmp_path / "bad-out.sqlite")
    assert (rescued.lines, rescued.lost) == (lines, 0)
    assert len(answers(rescued.path)) == rescued.items


def test_answers_that_go_from_the_log_into_the_file_meanwhile_are_rescued(tmp_path, monkeypatch):
    session, read = Session(tmp_path / "s.sqlite"), Path.read_bytes
    session.acquire()
    session.write([Answer("a", -2, 1)])

    def read_before_the_log_is_emptied(path):
        data = read(path)
        with closing(sqlite3.connect(session.path)) as base:
            base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return data

    monkeypatch.setattr(Path, "read_bytes", read_before_the_log_is_emptied)
    assert rescue(session.path, tmp_path / "out.sqlite").lines == 1
    session.close()


STRANGE = [("at", 6.8e177), ("at", -1.0), ("at", float("inf")), ("position", -107), ("row", -1), ("row", "x")]
STRANGE += [("action", -5), ("round", "x"), ("component", b"x"), ("score", "x"), ("seconds", b"x"), ("code", b"x")]


@pytest.mark.parametrize(("column", "value"), STRANGE)
def test_a_column_that_holds_what_no_line_can_costs_that_column_and_not_the_answer(tmp_path, column, value):
    path = tmp_path / "s.sqlite"
    with Session(path) as session:
        session.acquire()
        for k in range(5):
            session.write(
                [Answer(f"p{k}", -2, k % 2, position=k, row=k, round=0, component="NN", score=0.5, seconds=1.0)]
            )
        before = session.read("SELECT * FROM events ORDER BY id")
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(f"UPDATE events SET {column} = ? WHERE id = 3", (value,))
    with pytest.raises(CorruptFileError, match="session rescue"):
        Session(path)
    rescued = rescue(path)
    assert (rescued.lines, rescued.lost) == (5, 0)
    with Session(rescued.path) as session:
        after = session.read("SELECT * FROM events ORDER BY id")
    assert [line | {column: 0} for line in after] == [line | {column: 0} for line in before]
    kept = after[2][column]
    assert kept == before[1]["at"] if column == "at" else kept in (None, 0, "")
    assert rescue(path, tmp_path / "s.csv").lines == 5


def test_what_a_session_says_of_its_items_is_left_behind_where_it_is_no_record(tmp_path):
    path = tmp_path / "s.sqlite"
    with Session(path) as session:
        session.record([Answer("a", -2, 1)], IMPORTED)
        session.remark_once("about:me", json.dumps({"ids": 5}))
    with Session(rescue(path).path) as session:
        assert session.meta("about:me") is None
        assert session.known() == {"a": 1}
