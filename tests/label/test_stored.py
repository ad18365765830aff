"""What a session file stores, to the byte: as this version writes it, as earlier ones did, and damaged."""

import json
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.errors import CorruptFileError
from elsa_nb.label.answers import Answer
from elsa_nb.label.remembered import About
from elsa_nb.label.session import Session
from elsa_nb.label.stored import Asked, Event, StoredRound, ToldAtEnd

ASKED = (
    '{"number": 3, "rows": [7, 0], "components": ["NN", "RandS"], "scores": [0.1, null], "near": [null, 4], '
    '"scale": [-1.5, 1e-09], "overview": false, "known": [[1, 0]]}'
)
EARLIER = '{"number": 0, "rows": [5], "components": ["NN"], "scores": [1], "near": [2], "known": []}'
BLIND = (
    '{"number": 3, "rows": [7], "components": ["seen again"], "scores": [null], "near": [null], "scale": null, '
    '"overview": true, "known": []}'
)
ROUNDS = {
    "open": (ASKED, None),
    "closed": (ASKED, '{"labels": [1, -3], "amended": [[0, -1], [4, 1]]}'),
    "with wishes": (ASKED, '{"labels": [1, 0], "amended": [], "conclude": true, "start": true, "again": [7, 3]}'),
    "of items seen again": (BLIND, '{"labels": [0], "amended": []}'),
    "of an earlier version": (EARLIER, '{"labels": [1], "amended": []}'),
}


def raw(path, query):
    with closing(sqlite3.connect(path)) as base:
        return base.execute(query).fetchall()


@pytest.mark.parametrize("asked, told", ROUNDS.values(), ids=ROUNDS)
def test_a_stored_round_is_read_and_written_again_to_the_byte(asked, told):
    assert StoredRound.from_json(0, 0, asked, told, 0).to_json() == (asked, told)


def test_the_rounds_of_any_version_come_back_into_the_file_to_the_byte(tmp_path):
    """As when an import is taken back: the rounds from before it are stored again."""
    with Session(tmp_path / "s.sqlite") as session:
        session.acquire()
        values = [("me", number, 10 * number, *each, number, 0.0) for number, each in enumerate(ROUNDS.values())]
        with closing(sqlite3.connect(session.path)) as base, base:
            base.executemany("INSERT INTO rounds VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        session.replace_rounds(session.rounds())
    assert raw(tmp_path / "s.sqlite", "SELECT * FROM rounds ORDER BY number") != values  # the time of storing
    stored = raw(
        tmp_path / "s.sqlite", "SELECT annotator, number, start, asked, told, after FROM rounds ORDER BY number"
    )
    assert stored == [each[:-1] for each in values]


numbers, labels = st.integers(0, 10**9), st.integers(-3, 1)
scores = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def rounds(draw):
    """Draw a round, and the same as the two texts that earlier versions wrote of it."""
    rows = draw(st.lists(numbers, max_size=4))
    many = {"min_size": len(rows), "max_size": len(rows)}
    asked = {
        "number": draw(numbers),
        "rows": rows,
        "components": draw(st.lists(st.text(st.characters(codec="utf-8"), max_size=3), **many)),
        "scores": draw(st.lists(scores, **many)),
        "near": draw(st.lists(st.none() | numbers, **many)),
        "scale": draw(st.none() | st.tuples(scores.filter(bool), scores.filter(bool))),
        "overview": draw(st.booleans()),
    }
    known = draw(st.lists(st.tuples(numbers, labels), max_size=3))
    amended = draw(st.lists(st.tuples(numbers, labels), max_size=3))
    wishes = draw(st.permutations([("start", True), ("conclude", True), ("again", tuple(rows))]))[
        : draw(st.integers(0, 3))
    ]
    given_labels = draw(st.lists(labels, **many))
    told = {"labels": given_labels, "amended": [list(pair) for pair in amended]} | dict(wishes)
    end = ToldAtEnd(tuple(given_labels), tuple(amended), tuple(wishes))
    value = StoredRound(draw(numbers), draw(numbers), Asked(**asked), tuple(known), end, draw(numbers))
    return value, (json.dumps(asked | {"known": known}), json.dumps(told))


@given(each=rounds())
def test_any_round_is_written_as_ever_and_read_as_it_was(each):
    value, texts = each
    assert value.to_json() == texts
    read = StoredRound.from_json(value.number, value.start, *texts, value.after)
    assert (read.told, read.known, read.asked.rows, read.asked.scores) == (
        value.told,
        value.known,
        value.asked.rows,
        value.asked.scores,
    )
    assert read.to_json() == texts


WRONG = [
    *([], 5, "rows", {"rows": None}, {"rows": [-1, 0]}, {"rows": [1]}, {"rows": ["1", "2"]}, {"rows": [1.0, 2]}),
    *({"components": [1, 2]}, {"scores": ["a", None]}, {"near": [0.5, 1]}, {"scale": [1]}, {"scale": ["a", 1]}),
    *({"overview": 1}, {"overview": None}, {"known": [[0]]}, {"known": [[0, "1"]]}, {"known": {}}, {"more": 1}),
]
WRONG_TOLD = [[], 5, {}, {"labels": [1]}, {"labels": [1, 0]}, {"labels": [1, "0"], "amended": []}]
WRONG_TOLD += [{"labels": [1, 0], "amended": [[1]]}, {"labels": [1, 0], "amended": [], "again": 3}]


@pytest.mark.parametrize(
    "asked, told",
    [(json.loads(ASKED) | wrong if isinstance(wrong, dict) else wrong, None) for wrong in WRONG]
    + [(json.loads(ASKED), wrong) for wrong in WRONG_TOLD]
    + [({key: value for key, value in json.loads(ASKED).items() if key != left}, None) for left in ("known", "rows")],
)
def test_a_damaged_round_is_refused_in_the_words_that_name_the_cure(tmp_path, asked, told):
    with Session(tmp_path / "s.sqlite") as session:
        session.acquire()
        with closing(sqlite3.connect(session.path)) as base, base:
            values = ("me", 2, 0, json.dumps(asked), None if told is None else json.dumps(told), 0, 0.0)
            base.execute("INSERT INTO rounds VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        with pytest.raises(CorruptFileError) as refused:
            session.rounds()
    path = tmp_path / "s.sqlite"
    assert str(refused.value) == (
        f"the session {path} is damaged (round 3 holds what no round can). `elsa-nb session rescue {path}` brings out "
        "every answer that can be read, into a new file; this one is not changed."
    )


def test_the_columns_of_a_line_are_those_of_the_table_in_their_order(tmp_path):
    with Session(tmp_path / "s.sqlite", annotator="ann", code="c0de") as session:
        session.acquire()
        session.write([Answer("a", -2, 1, position=3, row=7, round=2, component="NN", score=0.5, seconds=1.5)])
        (event,) = session.events()
    assert [tuple(event)] == raw(tmp_path / "s.sqlite", "SELECT * FROM events")
    assert [name for _, name, *_ in raw(tmp_path / "s.sqlite", "PRAGMA table_info(events)")] == [*Event._fields]


class Things:
    folder = "pictures"

    def digest(self, row):
        return f"d{row}" if row else None


def test_what_a_session_is_about_is_written_as_ever():
    text = (
        '{"ids": "7e18f737311b2dc3b2f269dd78396b0351f14fb66efa879f768cb23181883c78", "n": 2, '
        '"names": "c$`b*N&)}@oB+-", "contents": {"b": "d1"}, "where": "pictures"}'
    )
    about = About.of(Things(), ["a", "b"])
    assert about.to_json() == text
    assert About.from_json(text) == about
    assert about.all_names == ["a", "b"]


texts = st.text(st.characters(codec="utf-8"), max_size=3)


@given(ids=texts, n=numbers, names=st.none() | texts, contents=st.dictionaries(texts, texts, max_size=2), where=texts)
def test_anything_that_a_session_may_be_about_is_read_and_written_again_to_the_byte(ids, n, names, contents, where):
    text = json.dumps({"ids": ids, "n": n, "names": names, "contents": contents, "where": where})
    assert About.from_json(text).to_json() == text


def test_what_earlier_versions_did_not_say_of_the_items_is_not_known():
    assert About.from_json('{"n": 3, "later": 1}') == About(n=3)
