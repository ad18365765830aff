"""Whatever lines of its log a session has lost, what remains of them opens, counts, and is gone on from."""

import json
import random
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from at_the_desk import settle
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from elsa_nb.label import Fixed, Panel, Texts
from elsa_nb.label.answers import Answer
from elsa_nb.label.controller import Controller
from elsa_nb.label.rescue import rescue
from elsa_nb.label.session import Session
from elsa_nb.label.summary import summarize_session

IDS = [f"picture-{row:03d}.jpg" for row in range(48)]
ACTS = ["label", "set", "toggle", "row", "rest", "next", "undo", "undo", "redo"]


def opened(path):
    return Controller(Fixed(len(IDS), np.arange(len(IDS))), IDS, Session(path, annotator="ann"), size=12)


def begun(path, acts, seed=0):
    """Make a session by `acts`, at random positions with random labels."""
    rng = random.Random(seed)
    desk = opened(path)
    for act in acts:
        event = {"op": act, "at": rng.randrange(len(IDS)), "v": rng.choice([-1, 0, 1]), "columns": 4}
        assert desk.handle([event])
        settle(desk)
    desk.close()


def lose(path, numbers):
    """Delete lines of the log, and the bytes that they were."""
    with closing(sqlite3.connect(path)) as base:
        with base:
            base.executemany("DELETE FROM events WHERE id = ?", [(number,) for number in numbers])
        base.execute("VACUUM")


def on_cards(desk):
    answered = {desk.card(p)["item"]: label for p, label in enumerate(desk.cards.labels) if label >= -1}
    return {item: label for item, label in desk.session.known().items() if item in IDS}, answered


@pytest.mark.parametrize("rescued", [False, True])
@pytest.mark.parametrize(
    ("acts", "lost"),
    [(["label"] * 3 + ["undo"] * 3 + ["set"], [1, 2, 3]), (["set", "label", "undo"], [2])],
    ids=["of which nothing is left", "after another answer"],
)
def test_an_undo_whose_answer_is_lost_takes_no_other_answer_back(tmp_path, acts, lost, rescued):
    path = tmp_path / "s.sqlite"
    begun(path, acts)
    lose(path, lost)
    desk = opened(rescue(path).path if rescued else path)
    known, shown = on_cards(desk)
    assert len(known) == 1
    assert shown == known
    desk.close()


@given(
    seed=st.integers(0, 1000),
    acts=st.lists(st.sampled_from(ACTS), min_size=1, max_size=15),
    lost=st.sets(st.integers(1, 60)),
    imported=st.booleans(),
)
@example(seed=0, acts=["label", "label", "undo", "undo"], lost={1, 3}, imported=True)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_remains_of_a_log_opens_counts_and_is_gone_on_from(tmp_path_factory, seed, acts, lost, imported):
    path = tmp_path_factory.mktemp("log") / "s.sqlite"
    begun(path, acts, seed)
    with closing(Session(path, annotator="ann")) as session:
        if imported:
            session.record([Answer(IDS[row], -2, row % 2) for row in range(40, 48)], "import")
        lines = len(session.events())
    lose(path, lost)
    if lines <= len(lost & set(range(1, lines + 1))):
        return  # nothing is left
    path = rescue(path).path
    desk = opened(path)
    known, shown = on_cards(desk)
    assert shown == known
    at = seed % len(IDS)
    assert desk.handle([{"op": "set", "at": at, "v": 1}])
    assert desk.handle([{"op": "set", "at": at, "v": 0}, {"op": "undo"}])
    now, labels = on_cards(desk)
    assert now == known | {IDS[at]: 1}
    desk.close()
    again = opened(path)
    settle(again)
    assert on_cards(again) == (now, labels)
    if again.session.known():
        assert summarize_session(again.session).work
    again.close()


@pytest.mark.parametrize("lost", [range(13, 25), range(1, 13), range(1, 24), range(20, 25)])
def test_in_a_collection_that_has_grown_answers_after_a_rescue_are_kept(tmp_path, lost):
    def panel(path, n):
        ids = [f"picture-{row:03d}.jpg" for row in range(n)]
        items = Texts([str(row) for row in range(n)], ids)
        return Panel(Fixed(n, np.arange(n)), items, session=path, annotator="ann", page=12)

    path = tmp_path / "s.sqlite"
    first = panel(path, 40)
    assert first.controller.handle([{"op": "rest"}, {"op": "next"}, {"op": "rest"}])
    first.close()
    panel(path, 48).close()  # carries the answers into another course
    lose(path, lost)
    path = rescue(path).path
    before = panel(path, 48)
    open_ones = [p for p, label in enumerate(before.controller.cards.labels) if label == -2][:3]
    assert len(before.session.known()) == 24 - len(lost)
    assert before.controller.handle([{"op": "set", "at": p, "v": 1} for p in open_ones])
    labels, history = before.controller.cards.labels, len(before.controller.cards.history)
    assert json.loads(before.session.meta("carried:ann"))["after"]
    before.close()
    after = panel(path, 48)
    assert after.controller.cards.labels == labels
    assert len(after.controller.cards.history) == history, "what was answered can be taken back"
    after.close()
