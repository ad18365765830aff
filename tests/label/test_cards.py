"""The reducer: what each key does, and that Python and JavaScript never differ."""

import json
import random
import shutil
import subprocess

import pytest

import elsa_nb.label
from elsa_nb.label.cards import OPEN, PASSED, UNSURE, Cards, weight

FOLDER = __import__("pathlib").Path(elsa_nb.label.__file__).parent
OPS = ("move", "goto", "turn", "next", "open", "size", "label", "set", "toggle", "row", "rest", "redo", "undo")

DRIVER = """
import { readFileSync } from "node:fs";
import { Cards } from "DECK";
const names = ["labels", "rounds", "overviews", "history", "undone", "cursor", "open", "waiting", "over", "check"];
names.push("size", "starts");
const pairs = (d) => [d.earlier, d.later].map((each) => Object.entries(each).sort());
const state = (d) => [...names.map((name) => d[name]), ...pairs(d)];
const runs = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(runs.map((events) => {
  const cards = new Cards(12);
  return events.map((e) => {
    if (e.op === "deal") cards.deal(e.n, e.known, e.overview, e.earlier, e.passed);
    else if (e.op === "over") { cards.over = true; cards.waiting = false; }
    else cards.apply(e);
    return state(cards);
  }).at(-1);
})));
"""


def dealt(n=30, size=12):
    cards = Cards(size)
    cards.deal(n)
    return cards


def state(d):
    history = [e if isinstance(e, int) else [list(pair) for pair in e] for e in d.history]
    undone = [[list(pair) for pair in e] for e in d.undone]
    cards = [d.labels, d.rounds, d.overviews, history, undone, d.cursor, d.open, d.waiting, d.over, d.check]
    pairs = [sorted([str(q), p] for q, p in each.items()) for each in (d.earlier, d.later)]
    return [*cards, d.size, d.starts, *pairs]


def random_event(rng, n):
    op = rng.choice(OPS)
    values = {
        "by": rng.choice([-6, -1, 1, 6]),
        "at": rng.randrange(-2, n + 3),
        "v": rng.choice([-1, 0, 1, 1, 0, 7, 24, 12]),
        "columns": rng.choice([1, 5, 6]),
        "unseen": rng.choice([None, [], sorted(rng.sample(range(n + 3), min(n, 4)))]),
    }
    return {"op": op} | values


def random_run(rng, length=100):
    """Events as a person and a search would make them, by a cards of its own."""
    cards, events = Cards(12), []

    def deal():
        n = rng.randrange(1, 50)
        known = [[i, rng.choice([0, 1])] for i in sorted(rng.sample(range(n), rng.randrange(0, n)))]
        overview, earlier = rng.random() < 0.3, []
        if cards.labels and rng.random() < 0.3:  # items seen again, some by another person
            places = rng.sample(range(len(cards.labels)), min(n, len(cards.labels)))
            n, known, overview, earlier = len(places), [], True, [p if rng.random() < 0.8 else None for p in places]
        once = [p for p, label in enumerate(cards.labels) if label == PASSED and p not in cards.later]
        passed = [p for p in once if not earlier and rng.random() < 0.5]
        passed = [list(pair) for pair in zip(passed, rng.sample(range(n), n), strict=False)]
        dealt = {"n": n, "overview": overview, "earlier": earlier, "passed": passed}
        events.append({"op": "deal", "known": known} | dealt)
        cards.deal(n, known, overview=overview, earlier=earlier, passed=passed)
        assert cards.as_dealt(len(cards.rounds) - 1) == dealt

    deal()
    for _ in range(length):
        event = random_event(rng, len(cards.labels))
        if rng.random() < 0.15:
            event = {"op": "next"}
        events.append(event)
        cards.apply(event)
        if cards.waiting and rng.random() < 0.7:
            if rng.random() < 0.1:
                events.append({"op": "over"})
                cards.over, cards.waiting = True, False
            else:
                deal()
    return events, state(cards)


def test_python_and_javascript_agree_after_300_times_100_random_events(tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here; the browser tests put the same question to Chromium")
    shutil.copy(FOLDER / "cards.js", tmp_path / "cards.mjs")
    (tmp_path / "driver.mjs").write_text(DRIVER.replace("DECK", "./cards.mjs"))
    rng = random.Random(7)
    runs = [random_run(rng) for _ in range(300)]
    text = json.dumps([events for events, _ in runs])
    out = subprocess.run([node, tmp_path / "driver.mjs"], input=text, capture_output=True, text=True, check=True).stdout
    mismatches = [i for i, (theirs, (_, ours)) in enumerate(zip(json.loads(out), runs, strict=True)) if theirs != ours]
    assert mismatches == []


def test_undoing_everything_leads_back_to_the_beginning():
    rng = random.Random(3)
    for _ in range(50):
        events, _ = random_run(rng, 60)
        cards = Cards(12)
        for event in events:
            if event["op"] == "deal":
                dealt = {key: event[key] for key in ("overview", "earlier", "passed")}
                cards.deal(event["n"], event["known"], **dealt)
            elif event["op"] == "over":
                cards.over, cards.waiting = True, False
            else:
                cards.apply(event)
        while any(isinstance(entry, list) for entry in cards.history):
            cards.apply({"op": "undo"})
        first = events[0]
        fresh = Cards(cards.size)
        fresh.deal(first["n"], first["known"], overview=first["overview"])
        assert (cards.labels, cards.check, cards.open) == (fresh.labels, fresh.check, fresh.open)


def test_check_and_open_are_what_they_say():
    rng = random.Random(4)
    for _ in range(50):
        _, (labels, _, _, _, _, _, left, _, _, check, *_) = random_run(rng)
        assert check == sum(weight(p) * (label + 2) for p, label in enumerate(labels))
        assert left == labels.count(OPEN)


def test_pages_never_cross_rounds():
    cards = Cards(12)
    cards.deal(30)
    cards.deal(5)
    assert cards.starts == [0, 12, 24, 30]
    assert [cards.page(p) for p in (0, 11, 12, 29, 30, 34)] == [
        (0, 12),
        (0, 12),
        (12, 24),
        (24, 30),
        (30, 35),
        (30, 35),
    ]


def test_an_overview_is_one_page_and_makes_nothing_negative():
    cards = Cards(12)
    cards.deal(50, overview=True)
    assert (cards.starts, cards.page(49)) == ([0], (0, 50))
    cards.apply({"op": "toggle", "at": 20})
    cards.apply({"op": "toggle", "at": 30})
    cards.apply({"op": "toggle", "at": 30})  # marked by mistake
    cards.apply({"op": "set", "at": 40, "v": 0})  # said in so many words
    cards.apply({"op": "rest", "unseen": [3]})
    assert [p for p, label in enumerate(cards.labels) if label != PASSED] == [20, 40]
    assert (cards.labels[20], cards.labels[40], cards.open) == (1, 0, 0)
    cards.apply({"op": "next"})
    assert cards.waiting
    cards.deal(30)
    cards.apply({"op": "rest"})
    assert cards.labels[50:62] == [0] * 12  # after the first look, Enter means what it says
    cards.apply({"op": "turn", "by": -1})
    cards.apply({"op": "toggle", "at": 5})
    cards.apply({"op": "toggle", "at": 20})
    assert (cards.labels[5], cards.labels[20]) == (1, PASSED)


def test_what_is_done_to_a_passed_card_is_done_to_the_card_on_which_its_item_was_asked_since():
    cards = Cards(12)
    cards.deal(6, overview=True)
    cards.apply({"op": "rest"})
    cards.deal(12, passed=[(2, 4), (3, 0)])
    cards.apply({"op": "rest"})
    for event, label in (
        ({"op": "toggle", "at": 2}, 1),
        ({"op": "toggle", "at": 2}, 0),
        ({"op": "set", "at": 2, "v": -1}, -1),
        ({"op": "label", "v": 1}, 1),  # where the cursor is
        ({"op": "undo"}, -1),
    ):
        cards.apply(event)
        assert (cards.labels[2], cards.labels[6 + 4]) == (PASSED, label)
    cards.apply({"op": "goto", "at": 0})
    cards.apply({"op": "row", "columns": 6, "v": 1})
    assert cards.labels == [1, 1, PASSED, PASSED, 1, 1, 1, 0, 0, 0, 1, *[0] * 7]
    while len(cards.rounds) > 1:
        cards.apply({"op": "undo"})
    assert cards.later == {}
    cards.apply({"op": "toggle", "at": 2})
    assert cards.labels[2] == 1


def test_a_label_moves_to_the_next_open_card_of_the_page():
    cards = dealt()
    cards.apply({"op": "set", "at": 1, "v": 0})
    cards.apply({"op": "goto", "at": 0})
    cards.apply({"op": "label", "v": 1})
    assert (cards.labels[:3], cards.cursor) == ([1, 0, OPEN], 2)
    for _ in range(10):
        cards.apply({"op": "label", "v": 0})
    assert cards.cursor == 11  # the page is full: it stays, so that nothing is labelled unseen
    cards.apply({"op": "label", "v": 1})
    assert cards.cursor == 11


def test_rest_and_next_close_a_page_but_never_an_unseen_card():
    cards = dealt(30)
    cards.apply({"op": "turn", "by": 1})
    cards.apply({"op": "rest"})
    assert cards.labels.count(0) == 12
    cards.apply({"op": "next"})
    cards.apply({"op": "rest"})
    cards.apply({"op": "next"})  # the last page: back to what is still open
    assert (cards.cursor, cards.waiting) == (0, False)
    cards.apply({"op": "rest"})
    for _ in range(3):
        cards.apply({"op": "next"})
    assert cards.waiting


def test_a_card_that_could_not_be_shown_is_never_made_negative_by_the_rest():
    cards = dealt(14)
    cards.apply({"op": "set", "at": 5, "v": 1})
    cards.apply({"op": "rest", "unseen": [3, 5, 12, "2", 99]})
    assert cards.labels[:12] == [0, 0, 0, UNSURE, 0, 1, 0, 0, 0, 0, 0, 0]
    assert cards.labels[12:] == [OPEN, OPEN]  # another page
    cards.apply({"op": "undo"})
    assert cards.labels.count(OPEN) == 13
    cards.apply({"op": "rest", "unseen": 7})
    assert cards.labels[:12].count(0) == 11


def test_nothing_but_undo_moves_a_waiting_deck():
    cards = dealt(3)
    cards.apply({"op": "rest"})
    cards.apply({"op": "next"})
    before = state(cards)
    for op in OPS[:-1]:
        cards.apply({"op": op, "by": 1, "at": 1, "v": 1, "columns": 2})
    assert state(cards) == before
    cards.apply({"op": "undo"})
    assert (cards.waiting, cards.open) == (False, 3)


def test_row_and_toggle():
    cards = dealt()
    cards.apply({"op": "goto", "at": 8})
    cards.apply({"op": "row", "columns": 6, "v": 1})
    assert [p for p, label in enumerate(cards.labels) if label == 1] == list(range(6, 12))
    cards.apply({"op": "toggle", "at": 8})
    assert cards.labels[8] == 0
    cards.apply({"op": "undo"})
    cards.apply({"op": "undo"})
    assert cards.labels.count(OPEN) == 30


def test_redo_does_again_what_undo_took_back_until_something_else_is_done():
    rng = random.Random(11)
    for _ in range(100):
        cards = dealt(30)
        for _ in range(20):
            cards.apply(random_event(rng, 30))
        while cards.undone:
            cards.apply({"op": "redo"})
        labels, history = list(cards.labels), list(cards.history)
        undone = rng.randrange(len([e for e in history if isinstance(e, list)]) + 1)
        for _ in range(undone):
            cards.apply({"op": "undo"})
        for _ in range(undone + 2):  # more often than there is something to do again
            cards.apply({"op": "redo"})
        assert (cards.labels, cards.history, cards.undone) == (labels, history, [])
    cards.apply({"op": "undo"})
    at = cards.cursor
    cards.apply({"op": "set", "at": at, "v": -1 if cards.labels[at] != -1 else 0})
    before = state(cards)
    cards.apply({"op": "redo"})
    assert state(cards) == before


def test_redo_never_reaches_into_another_round():
    cards = dealt(12)
    cards.apply({"op": "rest"})
    cards.apply({"op": "next"})
    cards.deal(12)
    cards.apply({"op": "label", "v": 1})
    cards.apply({"op": "undo"})
    cards.apply({"op": "undo"})  # back in the first round: the second may ask others when it comes again
    cards.apply({"op": "redo"})
    assert (cards.labels, cards.undone) == ([0] * 12, [])
    cards.apply({"op": "next"})
    cards.deal(12)
    cards.apply({"op": "redo"})
    assert cards.labels[12:] == [OPEN] * 12


@pytest.mark.parametrize(
    "event",
    [{}, {"op": "label"}, {"op": "set", "at": "0", "v": 1}, {"op": "__init__"}, {"op": None}],
)
def test_nonsense_changes_nothing(event):
    cards = dealt()
    before = state(cards)
    cards.apply(event)
    assert state(cards) == before


def test_a_label_changed_after_the_end_opens_the_search_again():
    cards = dealt(3)
    cards.apply({"op": "rest"})
    cards.over = True
    steps = cards.apply({"op": "set", "at": 1, "v": 1})
    assert steps.resumed
    assert not cards.over
