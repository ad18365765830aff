"""Earlier labels come into a session, all or none, without touching what a person answered."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from elsa_nb.label.answers import Answer
from elsa_nb.label.identity import Settled, remember
from elsa_nb.label.import_labels import import_labels, take_back
from elsa_nb.label.session import Session
from elsa_nb.label.session_queries import disagreements

IDS = ["a.png", "b.png", "c.png", "d.png"]


@pytest.fixture
def session(tmp_path):
    session = Session(tmp_path / "s.sqlite", annotator="me")
    yield session
    session.close()


def file(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    return path


def test_labels_are_known_afterwards_and_count_once(session, tmp_path):
    path = file(tmp_path, "item,label\na.png,1\nb.png,0\nc.png,\n")
    done = import_labels(session, path, IDS)
    assert (done.new, done.same, session.known()) == (2, 0, {"a.png": 1, "b.png": 0})
    again = import_labels(session, path, IDS)
    assert (again.new, again.same) == (0, 2)
    assert "2 were known already" in str(again)
    assert [(e.kind, e.item) for e in session.events()] == [("import", "a.png"), ("import", "b.png")]


def test_a_corrected_file_replaces_its_labels_but_no_answer_of_a_person(session, tmp_path):
    session.acquire()
    session.write([Answer("a.png", -2, 1, position=0, row=0)])
    import_labels(session, file(tmp_path, "item,label\nb.png,0\n"), IDS)
    done = import_labels(session, corrected := file(tmp_path, "item,label\na.png,0\nb.png,1\nc.png,1\n"), IDS)
    assert (done.new, done.replaced, done.kept) == (1, 1, ["a.png"])
    assert "1 answer given on screen differs and was kept (a.png)" in str(done)
    assert session.known() == {"a.png": 1, "b.png": 1, "c.png": 1}
    import_labels(session, corrected, IDS, replace=True)
    assert session.known()["a.png"] == 0


def test_several_people_stay_apart(session, tmp_path):
    path = file(tmp_path, "item,label,annotator\na.png,1,ann\na.png,0,bob\nb.png,1,bob\n")
    done = import_labels(session, path, IDS)
    assert session.known() == {}
    assert session.annotators == ["ann", "bob"]
    assert disagreements(session) == [{"item": "a.png", "labels": {"ann": 1, "bob": 0}}]
    assert "none is 'me'" in str(done)
    import_labels(session, path, IDS, annotator="bob")
    assert session.known() == {"a.png": 0, "b.png": 1}


def test_a_break_in_the_name_of_a_person_is_a_space(session, tmp_path):
    path = file(tmp_path, 'item,label,annotator\na.png,1,"ann\r\nlee"\nb.png,0,bob\nc.png,1,ann lee\n')
    import_labels(session, path, IDS)
    assert session.annotators == ["ann lee", "bob"]
    with pytest.raises(ValueError, match="in one line"):  # no session could be opened under it
        session.record([Answer("d.png", -2, 1)], "import", "ann\nlee")


def test_an_import_that_breaks_off_between_two_people_stores_neither(session, tmp_path):
    def full():
        yield Answer("b.png", -2, 0, row=1)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        session.record_all([("ann", [Answer("a.png", -2, 1, row=0)]), ("bo", full())], "import")
    assert session.annotators == []


def test_an_import_of_several_people_is_taken_back(session, tmp_path):
    import_labels(session, file(tmp_path, "item,label,annotator\na.png,1,ann\nb.png,0,bo\n"), IDS)
    before = session.answers()
    done = import_labels(session, file(tmp_path, "item,label,annotator\na.png,0,ann\nc.png,1,bo\n"), IDS)
    take_back(session, done)
    told = [[(a.annotator, a.item, a.label) for a in answers] for answers in (before, session.answers())]
    assert told[0] == told[1]


def test_one_person_of_another_name_becomes_the_sessions(session, tmp_path):
    import_labels(session, file(tmp_path, "item,label,annotator\na.png,1,ann\n"), IDS)
    assert session.known() == {"a.png": 1}


def test_a_bad_file_stores_nothing(session, tmp_path):
    with pytest.raises(ValueError, match="line 3"):
        import_labels(session, file(tmp_path, "item,label\na.png,1\nb.png,perhaps\n"), IDS)
    assert session.events() == []


def test_an_open_window_is_named_and_keeps_its_lease(session, tmp_path):
    path = file(tmp_path, "item,label\na.png,1\n")
    other = Session(session.path, annotator="me")
    other.acquire()
    done = import_labels(session, path, IDS)
    assert "is open now" in str(done)
    assert other.keep()
    other.close()
    assert "is open" not in str(import_labels(session, path, IDS))
    assert session.held_by is None


def test_another_session_is_a_file_of_labels(session, tmp_path):
    other = Session(tmp_path / "other.sqlite", annotator="ann")
    other.acquire()
    other.write([Answer("a.png", -2, 1, position=0)], [Answer("a.png", 1, 0, position=0)])
    other.write([Answer("d.png", -2, -1, position=1)])
    other.close()
    import_labels(session, other.path, IDS)
    assert session.known() == {"a.png": 0, "d.png": -1}


def test_labels_of_nobody_named_and_of_the_own_name_are_counted_once(session, tmp_path):
    done = import_labels(session, file(tmp_path, "item,label,annotator\na.png,1,\na.png,0,me\nb.png,1,bob\n"), IDS)
    assert (done.new, done.replaced, session.known()) == (2, 1, {"a.png": 0})


def answered_meanwhile(session, monkeypatch, *answers):
    """Let another window answer as soon as `session` has read what is answered, if it is let; return what was held up.

    It has one moment only: what is refused then would come after, where it is the last word.
    """
    refused = []

    def with_an_answer_after(read):
        def answers_now(self, *arguments, **options):
            found = read(self, *arguments, **options)
            if self is session and not refused:
                answer_now()
            return found

        return answers_now

    def answer_now():
        with closing(sqlite3.connect(session.path, timeout=0, isolation_level=None)) as base:
            try:
                for item, label in answers:
                    base.execute(
                        "INSERT INTO events (annotator, action, kind, item, old, label, at, code)"
                        " VALUES (?, 1, 'answer', ?, -2, ?, 0.0, '')",
                        (session.annotator, item, label),
                    )
                refused.append(False)
            except sqlite3.OperationalError:
                refused.append(True)

    for reads in ("answers", "current"):
        monkeypatch.setattr(Session, reads, with_an_answer_after(getattr(Session, reads)))
    return refused


def test_an_answer_given_on_screen_while_a_file_is_compared_waits_for_it(session, tmp_path, monkeypatch):
    """Else the import, written after it, would be the last word, and would count as new."""
    refused = answered_meanwhile(session, monkeypatch, ("a.png", 0))
    done = import_labels(session, file(tmp_path, "item,label\na.png,1\n"), IDS)
    assert refused == [True]
    assert (done.new, session.known()) == (1, {"a.png": 1})


def test_an_answer_given_on_screen_while_items_are_renamed_waits_for_it(session, monkeypatch):
    session.acquire()
    session.write([Answer("A.png", -2, 1)])
    refused = answered_meanwhile(session, monkeypatch, ("a.png", 0))
    remember(session, Settled(np.empty(0, np.int64), renamed={"A.png": "a.png"}), IDS)
    assert (refused, session.known()) == ([True], {"a.png": 1})


def test_what_a_person_answered_since_an_import_is_not_taken_back_with_it(session, tmp_path, monkeypatch):
    done = import_labels(session, file(tmp_path, "item,label\na.png,1\nb.png,1\nc.png,1\n"), IDS)
    session.acquire()
    session.write([Answer("a.png", 1, 0)])
    import_labels(session, file(tmp_path, "item,label\nb.png,0\n"), IDS)
    refused = answered_meanwhile(session, monkeypatch, ("c.png", 0))
    take_back(session, done)
    assert refused == [True]
    assert session.known() == {"a.png": 0, "b.png": 0}


def test_two_labels_of_one_item_are_both_taken_back(session, tmp_path):
    take_back(session, import_labels(session, file(tmp_path, "item,label,annotator\na.png,1,\na.png,0,me\n"), IDS))
    assert session.known() == {}


def test_an_import_that_fails_gives_its_lease_back(session, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "answers", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        import_labels(session, file(tmp_path, "item,label\na.png,1\n"), IDS)
    assert session.held_by is None
