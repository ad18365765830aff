"""The reducer: what each key does, and that Python and JavaScript never differ."""

import json
import random
import shutil
import subprocess

import pytest

import elsa_nb.label
from elsa_nb.label.cards import OPEN, Deck, weight

FOLDER = __import__("pathlib").Path(elsa_nb.label.__file__).parent
OPS = ("move", "goto", "turn", "next", "open", "size", "label", "set", "toggle", "row", "rest", "undo")

DRIVER = """
import { readFileSync } from "node:fs";
import { Deck } from "DECK";
const state = (d) => [d.labels, d.rounds, d.history, d.cursor, d.open, d.waiting, d.over, d.check, d.size, d.starts];
const runs = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(runs.map((events) => {
  const deck = new Deck(12);
  return events.map((e) => {
    if (e.op === "deal") deck.deal(e.n, e.known); else if (e.op === "over") { deck.over = true; deck.waiting = false; }
    else deck.apply(e);
    return state(deck);
  }).at(-1);
})));
"""


def dealt(n=30, size=12):
    deck = Deck(size)
    deck.deal(n)
    return deck


def state(d):
    history = [e if isinstance(e, int) else [list(pair) for pair in e] for e in d.history]
    return [d.labels, d.rounds, history, d.cursor, d.open, d.waiting, d.over, d.check, d.size, d.starts]


def random_event(rng, n):
    op = rng.choice(OPS)
    values = {
        "by": rng.choice([-6, -1, 1, 6]),
        "at": rng.randrange(-2, n + 3),
        "v": rng.choice([-1, 0, 1, 1, 0, 7, 24, 12]),
        "columns": rng.choice([1, 5, 6]),
    }
    return {"op": op} | values


def random_run(rng, length=100):
    """Events as a person and a search would make them, by a deck of its own."""
    deck, events = Deck(12), []

    def deal():
        n = rng.randrange(1, 50)
        known = [[i, rng.choice([0, 1])] for i in sorted(rng.sample(range(n), rng.randrange(0, n)))]
        events.append({"op": "deal", "n": n, "known": known})
        deck.deal(n, known)

    deal()
    for _ in range(length):
        event = random_event(rng, len(deck.labels))
        if rng.random() < 0.15:
            event = {"op": "next"}
        events.append(event)
        deck.apply(event)
        if deck.waiting and rng.random() < 0.7:
            if rng.random() < 0.1:
                events.append({"op": "over"})
                deck.over, deck.waiting = True, False
            else:
                deal()
    return events, state(deck)


def test_python_and_javascript_agree_after_300_times_100_random_events(tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here; the browser tests put the same question to Chromium")
    shutil.copy(FOLDER / "cards.js", tmp_path / "deck.mjs")
    (tmp_path / "driver.mjs").write_text(DRIVER.replace("DECK", "./deck.mjs"))
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
        deck = Deck(12)
        for event in events:
            if event["op"] == "deal":
                deck.deal(event["n"], event["known"])
            elif event["op"] != "over":
                deck.apply(event)
        while any(isinstance(entry, list) for entry in deck.history):
            deck.apply({"op": "undo"})
        first = events[0]
        fresh = Deck(deck.size)
        fresh.deal(first["n"], first["known"])
        assert (deck.labels, deck.check, deck.open) == (fresh.labels, fresh.check, fresh.open)


def test_check_and_open_are_what_they_say():
    rng = random.Random(4)
    for _ in range(50):
        _, (labels, _, _, _, left, _, _, check, _, _) = random_run(rng)
        assert check == sum(weight(p) * (label + 2) for p, label in enumerate(labels))
        assert left == labels.count(OPEN)


def test_pages_never_cross_rounds():
    deck = Deck(12)
    deck.deal(30)
    deck.deal(5)
    assert deck.starts == [0, 12, 24, 30]
    assert [deck.page(p) for p in (0, 11, 12, 29, 30, 34)] == [(0, 12), (0, 12), (12, 24), (24, 30), (30, 35), (30, 35)]


def test_a_label_moves_to_the_next_open_card_of_the_page():
    deck = dealt()
    deck.apply({"op": "set", "at": 1, "v": 0})
    deck.apply({"op": "goto", "at": 0})
    deck.apply({"op": "label", "v": 1})
    assert (deck.labels[:3], deck.cursor) == ([1, 0, OPEN], 2)
    for _ in range(10):
        deck.apply({"op": "label", "v": 0})
    assert deck.cursor == 11  # the page is full: it stays, so that nothing is labelled unseen
    deck.apply({"op": "label", "v": 1})
    assert deck.cursor == 11


def test_rest_and_next_close_a_page_but_never_an_unseen_card():
    deck = dealt(30)
    deck.apply({"op": "turn", "by": 1})
    deck.apply({"op": "rest"})
    assert deck.labels.count(0) == 12
    deck.apply({"op": "next"})
    deck.apply({"op": "rest"})
    deck.apply({"op": "next"})  # the last page: back to what is still open
    assert (deck.cursor, deck.waiting) == (0, False)
    deck.apply({"op": "rest"})
    for _ in range(3):
        deck.apply({"op": "next"})
    assert deck.waiting


def test_nothing_but_undo_moves_a_waiting_deck():
    deck = dealt(3)
    deck.apply({"op": "rest"})
    deck.apply({"op": "next"})
    before = state(deck)
    for op in OPS[:-1]:
        deck.apply({"op": op, "by": 1, "at": 1, "v": 1, "columns": 2})
    assert state(deck) == before
    deck.apply({"op": "undo"})
    assert (deck.waiting, deck.open) == (False, 3)


def test_row_and_toggle():
    deck = dealt()
    deck.apply({"op": "goto", "at": 8})
    deck.apply({"op": "row", "columns": 6, "v": 1})
    assert [p for p, label in enumerate(deck.labels) if label == 1] == list(range(6, 12))
    deck.apply({"op": "toggle", "at": 8})
    assert deck.labels[8] == 0
    deck.apply({"op": "undo"})
    deck.apply({"op": "undo"})
    assert deck.labels.count(OPEN) == 30


@pytest.mark.parametrize(
    "event", [{}, {"op": "label"}, {"op": "set", "at": "0", "v": 1}, {"op": "__init__"}, {"op": None}]
)
def test_nonsense_changes_nothing(event):
    deck = dealt()
    before = state(deck)
    deck.apply(event)
    assert state(deck) == before


def test_a_label_changed_after_the_end_opens_the_search_again():
    deck = dealt(3)
    deck.apply({"op": "rest"})
    deck.over = True
    steps = deck.apply({"op": "set", "at": 1, "v": 1})
    assert steps.resumed
    assert not deck.over
