"""An item has one present answer: on the page, in the file, for a session opened anew, and whatever was done before."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from at_the_desk import settle
from hypothesis import example, given, settings
from hypothesis import strategies as st

from elsa_nb.label import Begin
from elsa_nb.label.answers import Answer
from elsa_nb.label.cards import LABELS, OPEN, PASSED
from elsa_nb.label.controller import Controller
from elsa_nb.label.export import answer_rows
from elsa_nb.label.identity import settle as settle_session
from elsa_nb.label.label_files.reader import read_labels
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import AUDITED
from elsa_nb.label.summary import summarize_session
from elsa_nb.pool import Pool
from elsa_nb.search.strategies.greedy_probe import GreedyProbe, ProbeConfig

# --- the log

LINES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from([None, 0, 1, 2]),  # the card
        st.sampled_from([PASSED, OPEN, *LABELS]),  # before
        st.sampled_from([PASSED, OPEN, *LABELS]),  # now
        st.sampled_from(["answer", "answer", "answer", "undo", "import", "planted"]),
        st.sampled_from(["me", "you"]),
    ),
    max_size=12,
)


def answer_by_hand(lines):
    """Return the answer of one item by its lines (card, before, now), as the module says it in words; None: none."""
    if not lines or lines[-1][2] in LABELS:
        return lines[-1][2] if lines else None
    taken_back = lines[-1][0]
    if taken_back is None:
        return None
    standing = {}
    said = {}
    for card, before, now in lines:
        if card is None or (before in LABELS and said.get(card) != before):
            standing.clear()
        standing.pop(card, None)
        said[card] = now
        if now in LABELS:
            standing[card] = now
    standing.pop(taken_back, None)
    return list(standing.values())[-1] if standing else None


@settings(max_examples=60, deadline=None)
@given(LINES)
@example([("a", 0, OPEN, PASSED, "answer", "me"), ("a", 1, OPEN, 0, "answer", "me")])
def test_the_answers_of_a_log_are_those_that_its_definition_says_in_words(lines):
    with tempfile.TemporaryDirectory() as folder, Session(Path(folder) / "s.sqlite") as session:
        by_item = {}
        with session._transaction() as base:
            for number, (item, card, before, now, kind, who) in enumerate(lines):
                values = (who, number, kind, 0, card, item, None, before, now, None, None, None, 0.0, "")
                base.execute(f"INSERT INTO events VALUES (NULL, {', '.join('?' * len(values))})", values)
                if kind != "planted":
                    by_item.setdefault((who, item), []).append((card, before, now))
        wanted = {key: label for key, its in by_item.items() if (label := answer_by_hand(its)) is not None}
        mine = {item: label for (who, item), label in wanted.items() if who == "me"}
        assert {(a.annotator, a.item): a.label for a in session.answers()} == wanted
        assert session.known() == session.known(["a", "b"]) == dict(session.current("item", "label")) == mine
        assert {(who, item): label for _, who, item, label in session.said_by_others() if label != OPEN} == {
            key: label for key, label in wanted.items() if key[0] == "you"
        }


# --- what a person does

FEW = 40
WHOLE = Pool.from_arrays(
    np.random.default_rng(2).normal(size=(FEW, 4)).astype(np.float32), [f"i{row:02d}" for row in range(FEW)]
)


class Desk:
    """A person at a first look of eight of a few items, and at the search after it."""

    def __init__(self, folder, items=30):
        self.path, self.items = Path(folder) / "s.sqlite", items
        self.open()

    def open(self):
        self.controller = self.opened()

    def opened(self, to_look_on=False):
        """Return a controller of the session, as it is opened anew."""
        ids = WHOLE.ids[: self.items].tolist()
        pool = Pool.from_arrays(WHOLE.vectors[: self.items], ids)
        config = ProbeConfig(budget=60, batch=6, growth=0)
        begin = Begin(
            [np.arange(8)],
            lambda seeds: GreedyProbe(pool, seeds, config=config, rng=0),
            least=1,
            page=8,
            n=self.items,
            overview=True,
        )
        session = Session(self.path, to_read=to_look_on)
        controller = Controller(begin, ids, session, size=12, settled=settle_session(session, None, ids))
        if not to_look_on:  # such a session begins no round
            settle(controller)
        return controller

    def act(self, act, at, label):
        cards = self.controller.cards
        if act == "open anew":
            self.controller.close()
            self.open()
        elif act == "more items":
            self.controller.close()
            self.items = min(FEW, self.items + 3)
            self.open()
        elif act == "audit":  # of items that have answers, or none
            self.controller.close()
            with Session(self.path) as session:
                item = str(WHOLE.ids[at % self.items])
                session.record([Answer(item, session.known().get(item, OPEN), max(label, 0))], AUDITED)
            self.open()
        elif act == "page":
            first, end = cards.page(cards.cursor)
            mark = {"op": "set", "at": first + at % (end - first), "v": label}
            assert self.controller.handle([mark, {"op": "rest"}, {"op": "next"}])
        elif act == "first look":  # a card of it, which may have another by now
            assert self.controller.handle([{"op": "toggle" if label else "set", "at": at % 8, "v": label}])
        else:
            assert self.controller.handle([{"op": act, "at": at % len(cards.labels), "v": label, "columns": 3}])
        settle(self.controller)
        assert self.controller.error is None

    def check(self):
        known, page = self.controller.session.known(), on_page(self.controller)
        assert page == {item: label for item, label in known.items() if item in asked(self.controller)}
        assert {a.item: a.label for a in self.controller.session.answers()} == known
        assert self.controller.figures()["labels"] == len(page)
        again = self.opened(to_look_on=True)
        assert on_page(again) == page
        assert again.cards.later == self.controller.cards.later
        again.close()


def asked(controller):
    return {str(controller.ids[row]) for each in controller.asked for row in each.rows}


def on_page(controller):
    """Return the answers that the page shows, by item: all cards of one item show the same."""
    shown = {}
    for position in range(len(controller.cards.labels)):
        label = controller.cards.labels[controller.cards.card_of(position)]
        if label in LABELS:
            assert shown.setdefault(controller.card(position)["item"], label) == label
    assert shown == {str(controller.ids[row]): label for row, label in controller._restored.labels_by_row().items()}
    return shown


ACTS = ["page", "page", "page", "first look", "first look", "undo", "undo", "redo", "toggle", "set", "row", "rest"]
ACTS += ["open anew", "more items", "audit"]
THINGS_DONE = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 40), st.sampled_from(LABELS)), max_size=14)
LOOKED = [("page", 0, 1)] * 4


@settings(max_examples=12, deadline=None)
@given(THINGS_DONE)
@example([*LOOKED, *(("first look", at, 1) for at in range(8)), *[("undo", 0, 1)] * 8])
@example([*LOOKED, *[("first look", at, 1) for at in range(8) for _ in range(2)], ("undo", 0, 1)])
@example([*LOOKED, ("audit", 3, 1), ("audit", 4, 0), ("undo", 0, 1), ("first look", 4, 1), ("more items", 0, 1)])
def test_page_file_and_a_session_opened_anew_agree_whatever_is_done(done):
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(folder)
        for act in done:
            desk.act(*act)
            desk.check()
        desk.controller.close()


# --- a card of a first look whose item has another card


@pytest.fixture
def looked(tmp_path):
    """Return a desk, and the (first, second) cards of items that were passed in the first look and answered since."""
    desk = Desk(tmp_path)
    for _ in range(8):
        desk.act("page", 0, 1)
    closed = desk.controller.cards.rounds[-1]
    both = [(first, second) for first, second in desk.controller.cards.later.items() if second < closed]
    assert len(both) > 2
    yield desk, both
    desk.controller.close()


def test_a_click_on_a_card_of_a_first_look_corrects_the_answer_given_since_and_undo_restores_it(looked):
    desk, both = looked
    controller, (first, second) = desk.controller, both[0]
    item = controller.card(first)["item"]
    before = controller.cards.labels[second]
    others = dict(on_page(controller))
    others.pop(item)
    for clicks in (1, 2):
        for _ in range(clicks):
            desk.act("toggle", first, 1)
        desk.check()
        now = on_page(controller)
        assert now.pop(item) == (1 - before if clicks == 1 else before)
        assert now == others
        for _ in range(clicks):
            desk.act("undo", 0, 1)
        desk.check()
        assert controller.session.known()[item] == before


@pytest.mark.parametrize("taken_back", ["undo", "answer", None])
def test_a_session_of_an_earlier_version_shows_answers_again_that_were_lost(looked, taken_back):
    """That version stored a click on the first card there, and where it was taken back the item had no answer."""
    desk, both = looked
    controller = desk.controller
    cards = [(controller.card(first)["item"], first, second) for first, second in both]
    before = {item: controller.cards.labels[second] for item, _, second in cards}
    rest = {item: label for item, label in on_page(controller).items() if item not in before}
    controller.close()
    with Session(desk.path) as session:
        assert session.acquire()
        for item, first, _ in cards:
            there = {"position": first, "row": int(item[1:]), "round": 0, "component": "sample"}
            session.write([Answer(item, PASSED, 1, **there)])
            if taken_back:
                session.write([Answer(item, 1, PASSED, **there)], undone=[taken_back == "undo"])
    desk.open()
    desk.check()
    wanted = before if taken_back else dict.fromkeys(before, 1)
    assert on_page(desk.controller) == rest | wanted
    words = {1: "positive", 0: "negative", -1: "unsure"}
    with Session(desk.path, to_read=True) as session:
        assert {r["item"]: r["label"] for r in answer_rows(session, None, "x")} == {
            item: words[label] for item, label in (rest | wanted).items()
        }
        (work,) = summarize_session(session).work
        assert work.answers == len(rest | wanted)
        assert "not recorded" not in work.origins
    found = read_labels(desk.path, WHOLE.ids.tolist()).given
    assert {str(WHOLE.ids[row]): label for row, label in next(iter(found.values())).items()} == rest | wanted
    if not taken_back:  # what was stored on the first card is undone on the second
        for _ in cards:
            desk.act("undo", 0, 1)
            desk.check()
        assert on_page(desk.controller) == rest | before


def test_the_answers_of_somebody_else_count_as_they_stand_when_opinions_are_sought(looked):
    desk, both = looked
    first, _ = both[0]
    known = desk.controller.session.known()
    desk.act("toggle", first, 1)
    desk.act("toggle", first, 1)
    with Session(desk.path, annotator="you", to_read=True) as session:
        assert {item: label for _, who, item, label in session.said_by_others() if label != OPEN} == known


def test_an_undo_on_a_page_of_an_earlier_version_brings_back_what_a_file_said(tmp_path):
    """That page did not show what came from files, so its lines say that a card had no answer before."""
    desk = Desk(tmp_path)
    desk.act("page", 0, 1)
    cards = desk.controller.cards
    first = next(at for at in range(8) if cards.labels[at] == PASSED and at not in cards.later)
    item = desk.controller.card(first)["item"]
    desk.controller.close()
    with Session(desk.path) as session:
        assert session.acquire()
        session.record([Answer(item, OPEN, 0)], "import")
        there = {"position": first, "row": int(item[1:]), "round": 0, "component": "sample"}
        session.write([Answer(item, PASSED, 1, **there)])
    desk.open()
    desk.check()
    desk.act("undo", 0, 1)
    desk.check()
    assert on_page(desk.controller)[item] == desk.controller.session.known()[item] == 0
    desk.controller.close()


def test_what_others_said_is_read_in_work_that_grows_as_their_answers(tmp_path):
    """Within milliseconds for thousands: the work of a person waits for it. It grew with the square once."""
    work = []
    for count in (300, 1200):
        path = tmp_path / f"{count}.sqlite"
        with Session(path, annotator="you") as session:
            session.record([Answer(f"img-{i:04d}", OPEN, i % 2) for i in range(count)], "import")
        with Session(path, annotator="me", to_read=True) as session:
            steps = []
            session._base.set_progress_handler(lambda steps=steps: steps.append(1), 100)
            assert len(session.said_by_others()) == count
            work.append(len(steps))
    assert work[1] < 8 * work[0]  # four times as many answers; the square of them would be 16 times the work
