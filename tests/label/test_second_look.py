"""Doubtful answers seen again: which are offered, that the page is blind, and that no answer is ever lost by it."""

import dataclasses
import random

import numpy as np
import pytest
from at_the_desk import answer_page, settle
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.label.cards import OPEN, PASSED
from elsa_nb.label.second_look import CONTRADICTED, ENOUGH, PAGE, WORTH, Doubts
from elsa_nb.label.session_queries import disagreements
from elsa_nb.label.stored import SECOND_OPINION, SEEN_AGAIN
from elsa_nb.search.strategies.greedy_probe import GreedyProbe

WRONG = 0.1


@pytest.fixture
def said(small):
    """Return what a person says of each item who errs in one of ten."""
    return small[1] ^ (np.random.default_rng(2).random(400) < WRONG)


@pytest.fixture
def make_person(make_desk, small):
    """Return a function that opens the session for somebody; the search asks round by round, one page each."""

    def make(annotator="ann", seed=1):
        seeds = np.flatnonzero(small[1])[:3]
        return make_desk(GreedyProbe(small[0], seeds, rng=np.random.default_rng(seed)), annotator=annotator)

    return make


def label(controller, said, answers=100):
    """Answer pages until there are so many answers, and a round is done."""
    while controller.figures()["labels"] < answers or not isinstance(controller.cards.history[-1], int):
        answer_page(controller, said)
    return offered(controller)


def offered(controller):
    controller.doubter.wait()
    return controller.doubter.offer(controller.asked)


def look_again(controller):
    """Press the button; return the positions of the page."""
    controller.look_again()
    settle(controller)
    assert controller.asked[-1].blind, controller.error
    return range(controller.cards.rounds[-1], len(controller.cards.labels))


def say(controller, positions, labels):
    events = [{"op": "set", "at": at, "v": int(v)} for at, v in zip(positions, labels, strict=True)]
    assert controller.handle([*events, {"op": "rest"}, {"op": "next"}])
    settle(controller)


def test_wrong_answers_are_offered_and_seen_blind_and_what_is_said_then_counts(make_person, said, small):
    ann = make_person()
    offer = label(ann, said)
    wrong = said != small[1]
    assert wrong[list(offer.rows)].mean() > 4 * WRONG
    assert f"Look again at {len(offer.rows)} answers" == offer.button
    before, rounds = ann.session.known(), len(ann.asked)
    page = look_again(ann)
    assert len(ann.asked) == rounds, "the open round, which nobody had answered in, was taken back"
    cards = [ann.card(position) for position in page]
    assert [card["row"] for card in cards] == list(offer.rows)
    assert {(c["component"], c["score"], c["near"]) for c in cards} == {(SEEN_AGAIN, None, None)}
    assert {ann.cards.labels[position] for position in page} == {OPEN}
    assert ann.session.known() == before
    assert offered(ann) is None
    # all but the last are answered, by somebody who errs no more
    say(ann, page[:-1], small[1][list(offer.rows[:-1])])
    ids, left = small[0].ids, offer.rows[-1]
    known = ann.session.known()
    assert [known[ids[row]] for row in offer.rows[:-1]] == small[1][list(offer.rows[:-1])].astype(int).tolist()
    assert known[ids[left]] == before[ids[left]], "what is left stays"
    assert known.keys() == before.keys()
    told = dict(zip(ann.rounds.search.log.rows.tolist(), ann.rounds.search.log.labels.tolist(), strict=True))
    assert all(told[row] == small[1][row] for row in offer.rows[:-1]), "the search believes it"
    changed = int(wrong[list(offer.rows[:-1])].sum())
    seen = ann.figures()["seen"]
    assert seen["said"] == f"Seen again: {len(page) - 1} answers, {changed} changed; 1 left as it was."
    assert seen["all"] == len(page) - 1
    lines = [e for e in ann.session.events() if e.row == offer.rows[0]]
    assert {before[ids[offer.rows[0]]], known[ids[offer.rows[0]]]} <= {e.label for e in lines}
    assert all(e.annotator == "ann" and e.at for e in lines)
    assert not set(offer.rows) & set(getattr(offered(ann), "rows", ())), "each is asked once"
    figures = ann.figures()
    assert SEEN_AGAIN not in figures["components"]
    assert figures["labels"] == len(known)
    assert figures["positives"] == len(set(ann.finds())) == sum(label == 1 for label in known.values())


def test_undo_brings_the_former_answers_back_and_then_the_page_goes(make_person, said, small):
    ann = make_person()
    offer = label(ann, said)
    before, rounds, labels = ann.session.known(), len(ann.asked), list(ann.cards.labels)
    say(ann, look_again(ann), small[1][list(offer.rows)])
    while ann.asked[-1].number > offer_round(ann) or ann.session.known() != before:
        assert ann.handle([{"op": "undo"}])
    assert ann.asked[-1].blind
    assert {ann.cards.labels[p] for p in range(ann.cards.rounds[-1], len(ann.cards.labels))} == {OPEN}
    assert ann.handle([{"op": "undo"}])
    assert len(ann.asked) == rounds - 1
    assert len(ann.cards.labels) < len(labels)
    assert not ann.cards.earlier


def offer_round(controller):
    return max(each.number for each in controller.asked if each.blind)


def test_a_page_that_is_half_answered_goes_on_where_it_stood(make_person, said, small):
    ann = make_person()
    label(ann, said)
    page = look_again(ann)
    ann.handle([{"op": "set", "at": page[0], "v": 1}, {"op": "set", "at": page[1], "v": 0}])
    cards = ann.cards
    before = (cards.labels, cards.rounds, cards.history, cards.earlier, cards.check, ann.session.known())
    ann.close()
    ann = make_person()
    cards = ann.cards
    assert (cards.labels, cards.rounds, cards.history, cards.earlier, cards.check, ann.session.known()) == before
    assert (ann.notice, ann.asked[-1].blind, cards.cursor) == ("", True, page[2])
    say(ann, page, small[1][ann.asked[-1].rows])
    answer_page(ann, said)
    labels = ann.cards.labels
    ann.close()
    assert make_person().cards.labels == labels


def test_in_a_round_that_is_begun_the_page_waits_and_in_a_finished_search_it_comes_at_once(make_person, said, small):
    ann = make_person()
    label(ann, said)
    ann.handle([{"op": "label", "v": 1}])
    rounds = len(ann.asked)
    ann.look_again()
    assert ann.figures()["wishes"] == ["again"]
    assert not ann.asked[-1].blind
    while len(ann.asked) == rounds:
        answer_page(ann, said)
    assert (len(ann.asked), ann.asked[-1].blind) == (rounds + 1, True)
    say(ann, [], [])
    assert "0 answers, 0 changed" in ann.figures()["seen"]["said"]
    while not ann.cards.over:
        answer_page(ann, said)
    labels = len(ann.session.known())
    if offered(ann):
        say(ann, look_again(ann), small[1][ann.asked[-1].rows])
        assert ann.cards.over
        assert "changed" in ann.figures()["seen"]["said"]
    assert len(ann.session.known()) == labels == 397


OPS = ("set", "toggle", "label", "row", "rest", "undo", "redo", "goto", "next", "reopen")


def test_whatever_is_pressed_the_file_holds_for_each_item_what_its_card_says(make_person, said):
    ann = make_person()
    label(ann, said)
    look_again(ann)
    items = {str(ann.ids[row]) for each in ann.asked if not each.blind for row in each.rows}
    items &= ann.session.known().keys()
    rng = random.Random(1)
    for _ in range(150):
        if not ann.asked[-1].blind and rng.random() < 0.8:
            event = {"op": "undo"}
        else:
            event = {"op": rng.choice(OPS), "at": rng.randrange(len(ann.cards.labels)), "v": rng.choice([-1, 0, 1])}
            event |= {"columns": 4}
            if rng.random() < 0.6:
                event["at"] = rng.randrange(ann.cards.rounds[-1], len(ann.cards.labels))
        if event["op"] == "reopen":
            if rng.random() < 0.2:
                ann.close()
                ann = make_person()
        else:
            assert ann.handle([event])
            settle(ann)
        known, by_row = ann.session.known(), ann._restored.labels_by_row()
        assert {str(ann.ids[row]): label for row, label in by_row.items()} == known
    assert len(items) > 50


def test_a_second_person_is_asked_about_the_others_doubtful_answers_first(make_person, said, small):
    ann = make_person()
    theirs = label(ann, said)
    hers = ann.session.answers("ann")
    ann.close()
    bo = make_person("bo", seed=2)
    answer_page(bo, small[1])
    offer = offered(bo)
    assert offer.whose == ("ann",)
    assert "by ann contradict" in offer.why
    assert "1 answer of yours contradicts" in dataclasses.replace(offer, rows=offer.rows[:1], whose=()).why
    assert set(offer.rows) <= set(theirs.rows)
    mine = bo.session.known()
    page = look_again(bo)
    assert {bo.card(p)["component"] for p in page} == {SECOND_OPINION}
    say(bo, page[:-1], small[1][list(offer.rows[:-1])])
    given = {str(small[0].ids[row]): int(small[1][row]) for row in offer.rows[:-1]}
    assert bo.session.known() == mine | given
    assert bo.session.answers("ann") == hers, "hers stay as they are"
    differ = {each["item"] for each in disagreements(bo.session)}
    against = [row for row in offer.rows[:-1] if said[row] != small[1][row]]
    assert differ >= {str(small[0].ids[row]) for row in against}
    assert f"{len(page) - 1} answers: you differ on {len(against)} (Compare)" in bo.figures()["seen"]["said"]
    bo.handle([{"op": "set", "at": page[0], "v": -1}])  # a change of mind is no affair of the search, which never asked
    while not bo.cards.over:
        answer_page(bo, small[1])
        assert bo.error is None
    assert len(bo.session.known()) == 397
    assert len(bo.finds()) == len(set(bo.finds()))


def test_what_two_people_say_alike_is_not_doubtful(make_person, said, small):
    ann = make_person()
    offer = label(ann, said)
    ann.close()
    bo = make_person("bo")
    label(bo, said)
    bo.close()
    assert offered(make_person()) is None or not set(offered(make_person()).rows) & set(offer.rows)


def blobs(rng):
    vectors = rng.normal(size=(300, 6)).astype(np.float32)
    vectors[:100] += 3
    return vectors


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 120), st.floats(0, 0.5), st.booleans())
def test_an_offer_is_of_sure_answers_that_are_neither_seen_nor_given(seed, answers, wrong, over):
    rng = np.random.default_rng(seed)
    rows = rng.permutation(300)[:answers]
    labels = np.where(rng.random(answers) < 0.1, -1, (rows < 100) ^ (rng.random(answers) < wrong))
    own = dict(zip(rows.tolist(), labels.tolist(), strict=True))
    other = {row: 1 - label for row, label in [*own.items()][::2] if label >= 0}
    seen, known = set(rows[::3].tolist()), rows[1::7].tolist()
    offer = Doubts(blobs(rng)).offer(own, {"ann": other}, seen=seen, known=known, over=over)
    if offer is None:
        return
    assert (1 if over else WORTH) <= len(offer.rows) <= PAGE
    assert len(set(offer.rows)) == len(offer.rows)
    assert not offer.whose, "this person has answered all that ann has"
    assert all(own[row] in (0, 1) for row in offer.rows)
    assert not set(offer.rows) & (seen | set(known))
    assert answers >= ENOUGH


def test_few_answers_or_answers_of_one_kind_offer_nothing():
    doubts = Doubts(blobs(np.random.default_rng(0)))
    assert doubts.offer({row: int(row < 100) for row in range(0, 300, 6)}, {}) is None
    assert doubts.offer(dict.fromkeys(range(200), 1), {}) is None
    own = {row: int(row < 100) for row in range(0, 300, 2)}
    assert doubts.offer(own, {}) is None, "nothing is wrong"
    assert doubts.offer(own | {4: 0}, {}) is None, "one is not worth a page"
    assert doubts.offer(own | {4: 0}, {}, over=True).rows == (4,), "but at the end it is"
    assert CONTRADICTED > 0 > PASSED
