"""The desk: what the screen was told is in the file, and the search is where the person is."""

import sqlite3

import numpy as np
import pytest
from conftest import CONFIG, ByHand, answer_page, settle, shown, stored

from elsa_nb.label.session import Answer, Session
from elsa_nb.search.oracle import Truth, simulate


def label_all(desk, positive):
    while not desk.deck.over:
        answer_page(desk, positive)


def log_of(search):
    return [part.tolist() for part in search.log]


def test_labelled_by_hand_a_search_goes_the_way_a_simulation_goes(make_desk, make_search, small):
    desk = make_desk()
    label_all(desk, small[1])
    alone = make_search()
    simulate(alone, Truth(small[1]))
    assert log_of(desk.rounds.search) == log_of(alone)
    assert stored(desk) == shown(desk)
    assert len(stored(desk)) == len(alone.log.rows)


def test_reopened_it_is_where_it_was_cards_history_and_all(make_desk, small):
    desk = make_desk()
    for _ in range(4):
        answer_page(desk, small[1])
    desk.handle([{"op": "label", "v": 1}, {"op": "label", "v": -1}])
    before = (desk.deck.labels, desk.deck.rounds, desk.deck.history, desk.deck.check, log_of(desk.rounds.search))
    desk.close()
    again = make_desk()
    now = (again.deck.labels, again.deck.rounds, again.deck.history, again.deck.check, log_of(again.rounds.search))
    assert now == before
    assert again.notice == ""
    label_all(again, small[1])


def test_undo_goes_back_through_rounds_and_restarts_to_the_very_first_question(make_desk, small):
    desk = make_desk()
    label_all(desk, small[1])
    desk.close()
    desk = make_desk()
    assert desk.deck.over
    while any(isinstance(entry, list) for entry in desk.deck.history):
        assert desk.handle([{"op": "undo"}])
    assert stored(desk) == shown(desk) == {}
    assert len(desk.rounds.search.log.rows) == 0
    assert len(desk.session.rounds()) == 1
    label_all(desk, small[1])
    assert stored(desk) == shown(desk)


def test_many_undos_in_one_message_may_cross_rounds(make_desk, small):
    desk = make_desk()
    for _ in range(4):
        answer_page(desk, small[1])
    desk.handle([{"op": "label", "v": 1}, {"op": "label", "v": 0}])
    rounds = len(desk.asked)
    undo = sum(isinstance(entry, list) for entry in desk.deck.history) - 1
    assert desk.handle([{"op": "undo"}] * undo)
    assert (desk.error, len(desk.asked) < rounds) == (None, True)
    assert stored(desk) == shown(desk)
    assert len(shown(desk)) > 0


def test_undo_over_a_round_and_another_answer_ask_what_that_answer_leads_to(make_desk, make_search, small):
    desk = make_desk()
    first = len(desk.deck.labels)
    desk.handle([{"op": "rest"}, {"op": "next"}, {"op": "rest"}, {"op": "next"}])
    settle(desk)
    assert len(desk.asked) == 2
    desk.handle([{"op": "undo"}, {"op": "undo"}])
    assert (len(desk.asked), len(desk.deck.labels)) == (1, first)
    answer_page(desk, small[1])
    answer_page(desk, small[1])
    search = make_search()
    search.update(Truth(small[1]).label(search.query().rows))
    assert desk.asked[1].rows == search.query().rows.tolist()


def test_a_label_changed_in_an_earlier_round_is_kept_told_and_replayed(make_desk, make_search, small):
    told = []

    class Amendable(type(make_search())):
        def amend(self, rows, labels):
            told.append((list(rows), list(labels)))

    def make():
        search = make_search()
        search.__class__ = Amendable
        return search

    desk = make_desk(make())
    answer_page(desk, small[1])
    answer_page(desk, small[1])
    row, was = desk.card(0)["row"], desk.deck.labels[0]
    desk.handle([{"op": "set", "at": 0, "v": 1 - was}])
    desk.handle([{"op": "open"}])
    answer_page(desk, small[1])
    answer_page(desk, small[1])
    assert ([row], [1 - was]) in told
    labels = desk.deck.labels
    desk.close()
    told.clear()
    again = make_desk(make())
    assert again.deck.labels == labels
    assert told == [([row], [1 - was])]


def test_on_a_machine_that_goes_another_way_no_answer_is_lost_or_asked_twice(make_desk, make_search, small):
    desk = make_desk()
    for _ in range(3):
        answer_page(desk, small[1])
    known = desk.session.known()
    desk.close()
    other = make_desk(make_search(seed=99))  # another random course
    assert "another way" in other.notice
    asked = [str(other.ids[row]) for round_ in other.asked for row in round_.rows]
    filled = {asked[p]: label for p, label in shown(other).items()}
    assert filled == {item: known[item] for item in filled}
    assert not any(asked[p] in known for p, label in enumerate(other.deck.labels) if label == -2)
    label_all(other, small[1])
    everything = other.session.known()
    assert everything.items() >= known.items()
    labels = list(other.deck.labels)
    other.close()
    again = make_desk(make_search(seed=99))
    assert (again.notice, again.deck.labels) == ("", labels)


def test_another_pool_is_refused(make_desk, small, tmp_path):
    from elsa_nb.label.desk import Desk

    desk = make_desk()
    answer_page(desk, small[1])
    desk.close()
    ids = [f"dog-{row}" for row in range(400)]
    with pytest.raises(ValueError, match="other items"):
        Desk(desk.rounds._fresh, ids, Session(tmp_path / "s.sqlite"))


def test_a_used_search_is_refused(make_desk, make_search, small):
    search = make_search()
    search.update(Truth(small[1]).label(search.query().rows))
    with pytest.raises(ValueError, match="fresh"):
        make_desk(search)


def test_imported_labels_are_filled_in_and_not_asked(make_desk, make_search, small, tmp_path):
    rows = make_search().query().rows
    session = Session(tmp_path / "s.sqlite")
    session.record([Answer(str(small[0].ids[row]), -2, int(small[1][row]), row=int(row)) for row in rows[:5]], "import")
    session.close()
    desk = make_desk()
    assert desk.deck.labels[:5] == Truth(small[1]).label(rows[:5]).tolist()
    assert desk.deck.open == len(rows) - 5
    assert desk.deck.cursor == 5


def test_what_cannot_be_stored_is_not_accepted_and_the_cards_are_as_before(make_desk):
    desk = make_desk()
    desk.handle([{"op": "label", "v": 1}])
    before = list(desk.deck.labels)
    write, desk.session.write = desk.session.write, full_disk
    assert not desk.handle([{"op": "label", "v": 1}])
    assert "disk" in desk.error
    assert desk.deck.labels == before
    desk.session.write = write
    assert desk.handle([{"op": "label", "v": 0}])
    assert (desk.error, stored(desk)) == (None, shown(desk))


def full_disk(*_, **__):
    raise sqlite3.OperationalError("database or disk is full")


def test_two_people_work_in_one_file_each_on_their_own_cards(make_desk, small):
    ann, bea = make_desk(annotator="ann"), make_desk(annotator="bea")
    assert ann.held
    assert bea.held
    answer_page(ann, small[1])
    answer_page(bea, ~small[1])
    both = ann.session.disagreements()
    assert len(both) == 12
    assert set(both[0]["labels"]) == {"ann", "bea"}
    assert stored(ann) == shown(ann)
    assert stored(bea) == shown(bea)


def test_a_window_that_was_taken_over_stops_and_the_other_has_it_all(make_desk, small):
    old = make_desk()
    answer_page(old, small[1])
    new = make_desk()  # same process: as if the cell was run again
    assert shown(new) == shown(old)
    assert not old.handle([{"op": "label", "v": 1}])
    assert not old.held
    answer_page(new, small[1])
    assert stored(new) == shown(new)


def test_the_next_round_is_ready_before_the_page_is_finished(make_desk, small):
    kinds, worker = [], ByHand()
    desk = make_desk(publish=lambda message: kinds.append(message["kind"]), worker=worker)
    answer_page(desk, small[1])  # the last page of the round begins
    worker.run()
    kinds.clear()
    desk.handle([{"op": "label", "v": 1}])
    worker.run()
    assert kinds == ["ahead"]
    desk.handle([{"op": "rest"}, {"op": "next"}])
    assert not desk.deck.waiting  # dealt within the handler: nothing was waited for
    assert len(desk.asked) == 2


def test_a_search_that_fails_says_so_and_the_answers_stay(make_desk, make_search, small):
    search = make_search()
    desk = make_desk(search)
    desk.rounds.after = lambda *_: 1 / 0
    desk.handle([{"op": "label", "v": 1}, {"op": "rest"}, {"op": "next"}, {"op": "rest"}, {"op": "next"}])
    settle(desk)
    assert "division" in desk.error
    assert stored(desk) == shown(desk)


def test_only_rows_of_the_session_may_be_shown(make_desk):
    ahead, worker = [], ByHand()
    desk = make_desk(publish=lambda message: ahead.extend(message["rows"]), worker=worker)
    inside = set(desk.asked[0].rows) | set(desk.rounds.seeds.tolist())
    assert {row for row in range(400) if desk.may_show(row)} == inside
    worker.run()  # the round after this one is looked for
    now = {row for row in range(400) if desk.may_show(row)}
    assert now > inside
    assert now - inside >= set(ahead) - inside > set()
    assert len(now) <= len(inside) + CONFIG.a + CONFIG.b


def test_the_figures_add_up(make_desk, small):
    desk = make_desk()
    for _ in range(4):
        answer_page(desk, small[1])
    figures = desk.tally()
    labels = desk.deck.labels
    assert figures["labels"] == sum(label > -2 for label in labels)
    assert figures["positives"] == labels.count(1) == len(desk.finds())
    assert figures["efficiency"] == figures["positives"] / figures["labels"]
    assert figures["curve"][-1] == [figures["labels"], figures["positives"]]
    assert np.sum(list(figures["components"].values()), 0).tolist() == [figures["labels"], figures["positives"]]
    assert np.sum(figures["pages"], 0).tolist() == [figures["labels"], figures["positives"]]


@pytest.mark.parametrize("size", [0, 13, "24"])
def test_page_sizes_are_checked(make_desk, size):
    with pytest.raises((ValueError, TypeError), match="size"):
        make_desk(size=size)
