"""In a session with very many labels a page turns as in a small one, and opening it reads each of them but a few times.

What is counted is what SQLite hands over, not time.
"""

import sqlite3

import numpy as np
import pytest
from at_the_desk import answer_page

from elsa_nb.label import identity, jobs
from elsa_nb.label.answers import Answer
from elsa_nb.label.controller import Controller
from elsa_nb.label.places import Places
from elsa_nb.label.second_look import Doubter
from elsa_nb.label.session import Session
from elsa_nb.search.contract import Batch, log_of

MANY, NEW = 2000, 96


class ByTwelve:
    """Ask the last `NEW` rows of a pool, twelve in a round."""

    def __init__(self):
        self.answered, self.open, self.positives = [], None, np.empty(0, np.int64)

    def query(self):
        first = MANY + 12 * len(self.answered)
        if first == MANY + NEW:
            return None
        self.open = Batch(np.arange(first, first + 12), np.zeros(12, np.int8), len(self.answered))
        return self.open

    def update(self, labels):
        self.answered.append((self.open, np.asarray(labels, np.int8)))

    @property
    def log(self):
        return log_of(self.answered)


IDS = [f"picture-{row:05d}.jpg" for row in range(MANY + NEW)]


@pytest.fixture
def read(tmp_path):
    """Make a session with many imported labels; `counted` counts the values that come out of the file."""
    session = Session(tmp_path / "s.sqlite", annotator="ann")
    session.record([Answer(IDS[row], -2, row % 2) for row in range(MANY)], "import")

    class Counting:
        values = 0

        def of(self, session):
            def row(cursor, values):
                self.values += len(values)
                return sqlite3.Row(cursor, values)

            session._base.row_factory = row
            return session

        def since(self):
            count, self.values = self.values, 0
            return count

    counting = Counting()
    counting.session = counting.of(session)
    yield counting
    session.close()


def test_opening_reads_each_label_a_few_times_and_turning_a_page_reads_none_again(read):
    desk = Controller(ByTwelve(), IDS, read.session, size=12)
    assert desk.figures()["besides"] == MANY
    assert read.since() < 6 * MANY, "the opening"
    for _ in range(3):
        answer_page(desk, np.zeros(len(IDS), bool))
        desk.figures()
    assert read.since() < MANY / 2, "three pages"
    desk.close()
    again = Controller(ByTwelve(), IDS, read.of(Session(read.session.path, annotator="ann")), size=12)
    assert len(again.asked) == 4
    assert read.since() < 10 * MANY, "the opening of what was begun"
    again.close()


def test_what_narrow_reads_return_is_what_is_in_the_answers(read):
    session, place = read.session, Places(IDS)
    session.acquire()
    session.write(
        [Answer(IDS[row], -2, row % 3 - 1, position=MANY + NEW - row, row=row) for row in range(MANY, MANY + 9)]
    )
    session.write([Answer(IDS[3], 1, -2), Answer(IDS[4], 0, 1), Answer(IDS[MANY], -1, -3)])
    session.record([Answer(IDS[5], 1, 1)], "audit")
    answers = session.answers("ann")
    assert set(answers) <= set(session.events()), "an answer is a line of the log"
    assert session.current("item", "label", "id") == [(a.item, a.label, a.id) for a in answers]
    assert session.known() == {a.item: a.label for a in answers}
    for some in (IDS[:7], IDS, [], ["none", IDS[1]]):
        assert session.known(some) == {item: label for item, label in session.known().items() if item in some}
    positive = [a.item for a in answers if a.kind in ("import", "audit") and a.label == 1]
    assert jobs.imported_positives(session, IDS).tolist() == sorted(place.rows[item] for item in positive)
    assert list(identity.answered_items(session, place)[0]) == [a.item for a in answers]
    after = session.mark()[0]
    session.record([Answer(IDS[6], 0, 1), Answer(IDS[7], 1, -2)], "import")
    assert session.current("item", kinds=("import",), label=1, since=after) == [(IDS[6],)]
    assert session.imported_since(after) == {IDS[6]: 1, IDS[7]: -2}
    assert session.events(since=after) == session.events()[-2:]
    assert [e.item for e in session.events(shown=True)] == IDS[MANY : MANY + 9]


@pytest.mark.parametrize("name", ["ends\0in nothing", "half a letter \udc80", "'quoted\" %_", "Ω"])
def test_any_name_can_be_looked_up(read, name):
    if "\udc80" not in name:
        read.session.record([Answer(name, -2, 1)], "import")
        assert read.session.known([name, name[:4]]) == {name: 1}
    else:
        assert read.session.known([name, IDS[1]]) == {IDS[1]: 1}


def test_what_others_answered_is_read_once(read):
    others, rows = Session(read.session.path, annotator="bo"), {item: row for row, item in enumerate(IDS)}
    doubter = Doubter(read.of(others), rows, lambda error: None)

    def truth():
        found = {}
        for a in others.answers():
            if a.annotator != "bo" and a.item in rows:
                found.setdefault(a.annotator, {})[rows[a.item]] = a.label
        return found

    assert doubter._others() == truth()
    read.session.record([Answer(IDS[0], 0, 1), Answer(IDS[1], 1, -2), Answer("elsewhere", -2, 1)], "answer")
    read.session.record([Answer(IDS[2], -2, 1)], "answer", "cy")
    others.record([Answer(IDS[2], -2, 0)], "answer")
    read.since()
    found = doubter._others()
    assert read.since() < 50
    assert found == truth()
    doubter.close()
    others.close()


def test_a_remark_is_found_without_reading_all_of_them(read):
    read.session.acquire()
    for number in range(100):
        read.session.remark(f"about:{number}", "{}")
    read.since()
    assert read.session.remark_once("audit:ann", "1") == "1"
    assert read.session.remark_once("audit:ann", "2") == "1"
    assert read.session.metas("audit") == {"audit:ann": "1"}
    assert read.since() < 20
