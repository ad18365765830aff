"""The controller: what the screen was told is in the file, and the search is where the person is."""

import copy
import sqlite3

import numpy as np
import pytest
from at_the_desk import CONFIG, ByHand, answer_page, settle, shown, stored

from elsa_nb.label import Begin
from elsa_nb.label.answers import Answer
from elsa_nb.label.cards import OPEN, PASSED
from elsa_nb.label.carried_on import CarriedOn
from elsa_nb.label.session import Session
from elsa_nb.label.session_queries import disagreements
from elsa_nb.search.contract import Batch
from elsa_nb.search.elsa import Search
from elsa_nb.search.oracle import Truth, simulate
from elsa_nb.search.strategies.greedy_probe import GreedyProbe


def label_all(controller, positive):
    while not controller.cards.over:
        answer_page(controller, positive)


def log_of(search):
    return [part.tolist() for part in search.log]


def test_labelled_by_hand_a_search_goes_the_way_a_simulation_goes(make_desk, make_search, small):
    controller = make_desk()
    label_all(controller, small[1])
    alone = make_search()
    simulate(alone, Truth(small[1]))
    assert log_of(controller.rounds.search) == log_of(alone)
    assert stored(controller) == shown(controller)
    assert len(stored(controller)) == len(alone.log.rows)


def test_reopened_it_is_where_it_was_cards_history_and_all(make_desk, small):
    controller = make_desk()
    for _ in range(4):
        answer_page(controller, small[1])
    controller.handle([{"op": "label", "v": 1}, {"op": "label", "v": -1}])
    before = (
        controller.cards.labels,
        controller.cards.rounds,
        controller.cards.history,
        controller.cards.check,
        log_of(controller.rounds.search),
    )
    controller.close()
    again = make_desk()
    now = (again.cards.labels, again.cards.rounds, again.cards.history, again.cards.check, log_of(again.rounds.search))
    assert now == before
    assert again.notice == ""
    label_all(again, small[1])


def test_undo_goes_back_through_rounds_and_restarts_to_the_very_first_question(make_desk, small):
    controller = make_desk()
    label_all(controller, small[1])
    controller.close()
    controller = make_desk()
    assert controller.cards.over
    while any(isinstance(entry, list) for entry in controller.cards.history):
        assert controller.handle([{"op": "undo"}])
    assert stored(controller) == shown(controller) == {}
    assert len(controller.rounds.search.log.rows) == 0
    assert len(controller.session.rounds()) == 1
    label_all(controller, small[1])
    assert stored(controller) == shown(controller)


def test_many_undos_in_one_message_may_cross_rounds(make_desk, small):
    controller = make_desk()
    for _ in range(4):
        answer_page(controller, small[1])
    controller.handle([{"op": "label", "v": 1}, {"op": "label", "v": 0}])
    rounds = len(controller.asked)
    undo = sum(isinstance(entry, list) for entry in controller.cards.history) - 1
    assert controller.handle([{"op": "undo"}] * undo)
    assert (controller.error, len(controller.asked) < rounds) == (None, True)
    assert stored(controller) == shown(controller)
    assert len(shown(controller)) > 0


def test_undo_over_a_round_and_another_answer_ask_what_that_answer_leads_to(make_desk, make_search, small):
    controller = make_desk()
    first = len(controller.cards.labels)
    controller.handle([{"op": "rest"}, {"op": "next"}, {"op": "rest"}, {"op": "next"}])
    settle(controller)
    assert len(controller.asked) == 2
    controller.handle([{"op": "undo"}, {"op": "undo"}])
    assert (len(controller.asked), len(controller.cards.labels)) == (1, first)
    answer_page(controller, small[1])
    answer_page(controller, small[1])
    search = make_search()
    search.update(Truth(small[1]).label(search.query().rows))
    assert controller.asked[1].rows == search.query().rows.tolist()


def test_a_label_changed_in_an_earlier_round_is_kept_told_and_replayed(make_desk, make_search, small):
    told = []

    class Amendable(type(make_search())):
        def amend(self, rows, labels):
            told.append((list(rows), list(labels)))

    def make():
        search = make_search()
        search.__class__ = Amendable
        return search

    controller = make_desk(make())
    answer_page(controller, small[1])
    answer_page(controller, small[1])
    row, was = controller.card(0)["row"], controller.cards.labels[0]
    controller.handle([{"op": "set", "at": 0, "v": 1 - was}])
    controller.handle([{"op": "open"}])
    answer_page(controller, small[1])
    answer_page(controller, small[1])
    assert ([row], [1 - was]) in told
    labels = controller.cards.labels
    controller.close()
    told.clear()
    again = make_desk(make())
    assert again.cards.labels == labels
    assert told == [([row], [1 - was])]


class WithoutAmend:
    """Somebody's own strategy, of the least that the panel can drive."""

    def __init__(self, inner):
        self.inner = inner

    def query(self):
        return self.inner.query()

    def update(self, labels):
        self.inner.update(labels)

    @property
    def log(self):
        return self.inner.log


@pytest.mark.parametrize("around", [lambda search: search, lambda search: Begin([[0]], lambda seeds: search, least=1)])
def test_a_strategy_that_takes_no_corrections_is_told_of_once(make_desk, make_search, small, around):
    said = []
    controller = make_desk(around(WithoutAmend(make_search())), publish=said.append)
    controller.handle([{"op": "set", "at": 0, "v": 1}])
    for _ in range(3):
        answer_round(controller, small[1])
    assert controller.notice == ""
    at = controller.cards.rounds[1]
    for label in (1, 0, 1):
        controller.handle([{"op": "set", "at": at, "v": label}])
        answer_round(controller, small[1])
    notice = "WithoutAmend has no amend(), so this search keeps to the first answers: a later one is kept and exported"
    assert controller.notice.startswith(notice)
    assert [m["text"] for m in said if m["kind"] == "trouble"] == [controller.notice]
    assert controller.error is None


class Endless(WithoutAmend):
    """Ask once, and then no rows, over and over, in place of saying that it is the end."""

    def query(self):
        return Batch(np.empty(0, np.int64), np.empty(0, np.int8), 1) if len(self.log.rows) else super().query()


@pytest.mark.parametrize(
    "around",
    [
        lambda search: search,
        lambda search: Begin([[0]], lambda seeds: search, least=1),
        lambda search: CarriedOn(search, np.array([0])),
    ],
    ids=["alone", "after examples", "carried on"],
)
def test_a_strategy_that_asks_no_rows_and_does_not_end_is_told_of(make_desk, make_search, small, around):
    """It was asked for ever, and no page came."""
    said = []
    controller = make_desk(around(Endless(make_search())), publish=said.append)
    while controller.error is None:
        answer_page(controller, np.ones(400, bool))
    assert controller.error.startswith("the search failed: query() of Endless gives a batch of no rows; allowed: one")
    assert {message["text"] for message in said if message["kind"] == "trouble"} == {controller.error}
    assert not controller.cards.waiting


def test_another_way_is_not_worth_a_word_before_the_first_answer(make_desk, make_search):
    make_desk().close()
    assert make_desk(make_search(seed=99)).notice == ""


def test_on_a_machine_that_goes_another_way_no_answer_is_lost_or_asked_twice(make_desk, make_search, small):
    controller = make_desk()
    for _ in range(3):
        answer_page(controller, small[1])
    known = controller.session.known()
    controller.close()
    other = make_desk(make_search(seed=99))  # another random course
    assert "asks other questions" in other.notice
    asked = [str(other.ids[row]) for round_ in other.asked for row in round_.rows]
    filled = {asked[p]: label for p, label in shown(other).items()}
    assert filled == {item: known[item] for item in filled}
    assert not any(asked[p] in known for p, label in enumerate(other.cards.labels) if label == -2)
    label_all(other, small[1])
    everything = other.session.known()
    assert everything.items() >= known.items()
    labels = list(other.cards.labels)
    other.close()
    again = make_desk(make_search(seed=99))
    assert (again.notice, again.cards.labels) == ("", labels)


def test_another_pool_is_refused(make_desk, small, tmp_path):
    from elsa_nb.label.controller import Controller

    controller = make_desk()
    answer_page(controller, small[1])
    controller.close()
    ids = [f"dog-{row}" for row in range(400)]
    with pytest.raises(ValueError, match="other items"):
        Controller(controller.rounds._fresh, ids, Session(tmp_path / "s.sqlite"))


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
    controller = make_desk()
    assert controller.cards.labels[:5] == Truth(small[1]).label(rows[:5]).tolist()
    assert controller.cards.open == len(rows) - 5
    assert controller.cards.cursor == 5


def test_what_cannot_be_stored_is_not_accepted_and_the_cards_are_as_before(make_desk):
    controller = make_desk()
    controller.handle([{"op": "label", "v": 1}])
    before = list(controller.cards.labels)
    write, controller.session.write = controller.session.write, full_disk
    assert not controller.handle([{"op": "label", "v": 1}])
    assert "disk" in controller.error
    assert controller.cards.labels == before
    controller.session.write = write
    assert controller.handle([{"op": "label", "v": 0}])
    assert (controller.error, stored(controller)) == (None, shown(controller))


def full_disk(*_, **__):
    raise sqlite3.OperationalError("database or disk is full")


@pytest.mark.parametrize("how", ["begin_again", "wake", "look_around"])
def test_cards_that_could_not_be_restored_wait_until_they_are(make_desk, make_search, small, monkeypatch, how):
    worker = ByHand()
    controller = make_desk(worker=worker)
    answer_page(controller, small[1])
    if how == "wake":
        controller.rest()
        controller._mark = (0, 0)  # others have answered since
    with monkeypatch.context() as patch:
        patch.setattr(controller.session, "rounds", full_disk)
        with pytest.raises(sqlite3.OperationalError):
            if how == "begin_again":
                controller.begin_again(make_search(), "")
            elif how == "wake":
                controller.wake()
            else:
                controller.look_around(force=True)
    assert not controller.handle([{"op": "label", "v": 1}])
    assert controller.look_around()
    assert (controller.held, stored(controller)) == (True, shown(controller))
    assert controller.handle([{"op": "label", "v": 1}])


def test_two_people_work_in_one_file_each_on_their_own_cards(make_desk, small):
    ann, bea = make_desk(annotator="ann"), make_desk(annotator="bea")
    assert ann.held
    assert bea.held
    answer_page(ann, small[1])
    answer_page(bea, ~small[1])
    both = disagreements(ann.session)
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
    controller = make_desk(publish=lambda message: kinds.append(message["kind"]), worker=worker)
    answer_page(controller, small[1])  # the last page of the round begins
    worker.run()
    kinds.clear()
    controller.handle([{"op": "label", "v": 1}])
    worker.run()
    assert kinds == ["ahead"]
    controller.handle([{"op": "rest"}, {"op": "next"}])
    assert not controller.cards.waiting  # dealt within the handler: nothing was waited for
    assert len(controller.asked) == 2


def test_a_search_that_fails_says_so_and_the_answers_stay(make_desk, make_search, small):
    search = make_search()
    controller = make_desk(search)
    controller.rounds.after = lambda *_, **__: 1 / 0
    controller.handle([{"op": "label", "v": 1}, {"op": "rest"}, {"op": "next"}, {"op": "rest"}, {"op": "next"}])
    settle(controller)
    assert "division" in controller.error
    assert stored(controller) == shown(controller)


ALL_ANSWERED = [{"op": "label", "v": 1}, {"op": "rest"}, {"op": "next"}, {"op": "rest"}]


def test_who_takes_over_a_session_that_waits_for_its_next_round_gets_it(make_desk):
    worker = ByHand()
    first = make_desk(worker=worker)
    worker.run()
    second = make_desk(worker=ByHand())
    second.handle([*ALL_ANSWERED, {"op": "next"}])
    assert first.look_around()  # it notices that it was taken over
    assert not first.held
    first.look_around(force=True)
    worker.run()
    assert (len(first.asked), first.cards.waiting) == (2, False)


def test_a_round_that_could_not_be_closed_is_closed_at_the_next_look_around(make_desk, monkeypatch):
    worker = ByHand()
    controller = make_desk(worker=worker)

    def locked(*_):
        raise sqlite3.OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(controller.session, "close_round", locked)
        controller.handle([*ALL_ANSWERED, {"op": "next"}])
        worker.run()
        assert (controller.error, controller.cards.waiting) == ("database is locked", True)
    controller.look_around()
    worker.run()
    assert (len(controller.asked), controller.cards.waiting) == (2, False)


def test_who_comes_back_to_a_session_that_waits_for_its_next_round_gets_it(make_desk):
    worker = ByHand()
    first = make_desk(worker=worker)
    worker.run()
    first.rest()
    second = make_desk(worker=ByHand())
    second.handle(ALL_ANSWERED)
    second.close()
    assert first.wake()
    worker.run()
    assert (len(first.asked), first.cards.waiting) == (2, False)


def test_after_an_event_that_cannot_be_stored_the_next_round_comes_all_the_same(make_desk, monkeypatch):
    worker = ByHand()
    controller = make_desk(worker=worker)
    controller.handle(ALL_ANSWERED)
    worker.run()  # the next round is there, for the answers as they are
    with monkeypatch.context() as broken:
        broken.setattr(controller.session, "write", full_disk)
        assert not controller.handle([{"op": "set", "at": 0, "v": 0}])
    worker.run()
    assert (len(controller.asked), controller.cards.waiting) == (2, False)


def test_only_rows_of_the_session_may_be_shown(make_desk):
    ahead, worker = [], ByHand()
    controller = make_desk(publish=lambda message: ahead.extend(message["rows"]), worker=worker)
    inside = set(controller.asked[0].rows) | set(controller.rounds.seeds.tolist())
    assert {row for row in range(400) if controller.may_show(row)} == inside
    worker.run()  # the round after this one is looked for
    now = {row for row in range(400) if controller.may_show(row)}
    assert now > inside
    assert now - inside >= set(ahead) - inside > set()
    assert len(now) <= len(inside) + CONFIG.a + CONFIG.b


def test_the_figures_add_up(make_desk, small):
    controller = make_desk()
    for _ in range(4):
        answer_page(controller, small[1])
    figures = controller.figures()
    labels = controller.cards.labels
    assert figures["labels"] == sum(label > -2 for label in labels)
    assert figures["positives"] == labels.count(1) == len(controller.finds())
    assert figures["efficiency"] == figures["positives"] / figures["labels"]
    assert figures["curve"][-1] == [figures["labels"], figures["positives"]]
    assert np.sum(list(figures["components"].values()), 0).tolist() == [figures["labels"], figures["positives"]]
    assert np.sum(figures["pages"], 0).tolist() == [figures["labels"], figures["positives"]]


class UnderLock:
    """Stand for `part` of a controller, and refuse to be read by anyone who does not hold its `lock`."""

    def __init__(self, part, lock):
        self._part, self._lock = part, lock

    def _read(self):
        assert self._lock._is_owned(), "read while another thread may change it"
        return self._part

    def __getattr__(self, name):
        return getattr(self._read(), name)

    def __iter__(self):
        return iter(self._read())


def test_what_others_change_meanwhile_is_read_under_the_lock(make_desk, small):
    controller = make_desk()
    answer_page(controller, small[1])
    controller.doubter.wait()
    with controller.lock:
        for name in ("_restored", "_wishes", "rounds"):
            setattr(controller, name, UnderLock(getattr(controller, name), controller.lock))
    assert controller.figures()["labels"] == 12
    controller.finds(), controller.places([small[0].ids[0]])


def test_where_items_are_is_looked_up_not_read_from_all_of_them(make_desk, small):
    """Nobody's answer waits meanwhile, however large the collection is."""
    controller, ids = make_desk(), [str(item) for item in small[0].ids]
    controller.ids = None  # whoever went through them would fail
    asked = controller.asked[0].rows
    unasked = next(row for row in range(400) if row not in asked)
    found = controller.places([ids[asked[3]], ids[unasked], "elsewhere"])
    assert found == {ids[asked[3]]: (asked[3], 3), ids[unasked]: (unasked, None)}
    assert controller.may_show(unasked)


def test_who_looks_for_doubtful_answers_and_meets_no_error_leaves_that_of_others_alone(make_desk, monkeypatch):
    """It runs on another thread: what it reads and writes back may have been dealt with in between."""
    controller, written = make_desk(), []
    monkeypatch.setattr(controller.__class__, "__setattr__", lambda *change: written.append(change[1]), raising=False)
    controller._doubted(None)
    assert written == []


def test_scores_are_those_of_the_search_that_is_asked_about(make_desk, small, monkeypatch):
    """While one is being scored, another may take its place in the same round, on another thread."""
    controller, seen, taken = make_desk(), [], []
    answer_page(controller, small[1])
    figures = controller._figures
    monkeypatch.setattr(controller, "_figures", lambda *given: taken.append(given))
    controller.figures()
    ((now, *more),) = taken
    figures._advisor = lambda evidence, *_, **__: seen.append(evidence().scores)
    first, second = copy.copy(now.state), copy.copy(now.state)
    second.scores = lambda: np.full(len(small[0]), 0.25)

    def scored_slowly():
        figures(now._replace(state=second), *more)
        return np.full(len(small[0]), 0.75)

    first.scores = scored_slowly
    for state in (first, second, first):
        figures(now._replace(state=state), *more)
    assert [set(scores) for scores in seen] == [{0.25}, {0.75}, {0.25}, {0.25}, {0.75}]


@pytest.mark.parametrize("size", [0, 13, "24"])
def test_page_sizes_are_checked(make_desk, size):
    with pytest.raises((ValueError, TypeError), match="size"):
        make_desk(size=size)


@pytest.fixture
def make_beginner(make_desk, small):
    """Return a function that makes a controller which looks for examples first, in pages of 12."""
    pool, positive = small
    first = np.concatenate([np.flatnonzero(~positive)[:11], np.flatnonzero(positive)[:1]])

    def make(**options):
        begin = Begin([first], lambda seeds: GreedyProbe(pool, seeds, rng=0), least=3, page=12, n=400)
        return make_desk(begin, **options)

    return make


def test_a_search_begins_with_one_example_when_the_person_says_so_and_again_when_reopened(make_beginner, small):
    controller = make_beginner()
    assert (controller.figures()["looking"], controller.figures()["examples"]) == (3, [])
    controller.start()
    answer_page(controller, small[1])
    assert controller.figures()["looking"] is None
    marked = np.flatnonzero(small[1])[:1].tolist()
    assert controller.figures()["examples"] == marked
    assert {controller.card(p)["component"] for p in range(12, len(controller.cards.labels))} == {"probe"}
    labels, rounds = controller.cards.labels, controller.cards.rounds
    controller.close()
    again = make_beginner()
    assert (again.notice, again.cards.labels, again.cards.rounds) == ("", labels, rounds)
    assert again.figures()["looking"] is None


def test_without_that_word_the_next_page_looks_on(make_beginner, small):
    controller = make_beginner()
    answer_page(controller, small[1])
    assert controller.figures()["looking"] == 3
    assert controller.card(12)["component"] == "sample"


def test_the_final_search_comes_when_it_is_wanted_and_again_when_reopened(make_desk, make_search, small):
    def make():
        return make_desk(make_search(rounds=40))

    controller = make()
    assert controller.figures()["may_conclude"]
    answer_round(controller, small[1])
    controller.conclude()
    assert controller.figures()["wishes"] == ["conclude"]
    answer_round(controller, small[1])
    assert set(controller.asked[-1].components) == {"final"}
    assert not controller.figures()["may_conclude"]
    labels, rounds = controller.cards.labels, controller.cards.rounds
    controller.close()
    again = make()
    assert (again.notice, again.cards.labels, again.cards.rounds) == ("", labels, rounds)
    while len(again.cards.rounds) > 2:
        again.handle([{"op": "undo"}])
    again.handle([{"op": "rest"}, {"op": "next"}])  # without that word, the rounds go on
    settle(again)
    assert "NN" in again.asked[-1].components


def answer_round(controller, positive):
    """Answer pages until another round is there."""
    rounds = len(controller.cards.rounds)
    while len(controller.cards.rounds) == rounds and not controller.cards.over:
        answer_page(controller, positive)


def test_taking_an_answer_back_takes_the_wish_to_begin_back(make_beginner, small):
    controller = make_beginner()
    controller.handle([{"op": "set", "at": 11, "v": 1}])
    controller.start()
    controller.handle([{"op": "undo"}])
    answer_page(controller, small[1])
    assert controller.figures()["looking"] == 3


def test_undo_leads_back_to_before_the_search_began(make_beginner, small):
    controller = make_beginner()
    controller.start()
    answer_page(controller, small[1])
    assert controller.figures()["looking"] is None
    controller.handle([{"op": "undo"}])
    assert controller.figures()["looking"] == 3
    assert controller.rounds.search.looking


@pytest.fixture
def make_first_look(make_desk, small):
    """Return a function that makes a controller which shows overviews of 60 until 3 examples are marked."""
    pool, positive = small
    rows = np.concatenate([np.flatnonzero(~positive)[:57], np.flatnonzero(positive)[:3]])

    def make(**options):
        begin = Begin([rows], lambda seeds: GreedyProbe(pool, seeds, rng=0), least=3, page=60, n=400, overview=True)
        return make_desk(begin, **options)

    return make


def test_what_a_first_look_leaves_unmarked_has_no_answer_and_is_asked_like_any_other(make_first_look, small):
    controller = make_first_look()
    assert controller.cards.page(0) == (0, 60)
    answer_page(controller, small[1])
    assert controller.figures()["looking"] is None
    assert {a.label for a in controller.session.answers()} == {1}
    assert len(controller.session.known()) == 3
    assert [controller.figures()[name] for name in ("labels", "positives", "passed")] == [3, 3, 57]
    assert len(controller.seconds) == 3  # what is passed is no answer, and takes no time of one
    while not controller.cards.over:
        answer_page(controller, small[1])
    given = controller.session.known()
    assert {item: label for item, label in given.items() if label == 1}.keys() == {
        f"img-{row:03d}" for row in np.flatnonzero(small[1])
    }
    assert len(given) == 400  # the 57 were asked again, one by one
    assert [controller.figures()[name] for name in ("labels", "passed")] == [400, 0]


def test_a_first_look_is_where_it_was_when_reopened_and_can_be_taken_back(make_first_look, small):
    controller = make_first_look()
    controller.handle([{"op": "set", "at": 59, "v": 1}, {"op": "set", "at": 4, "v": 0}])
    controller.handle([{"op": "rest"}, {"op": "next"}])
    settle(controller)
    assert controller.figures()["looking"] == 3
    assert controller.cards.page(60) == (60, 120)  # another page of others
    assert len(set(controller.asked[0].rows) & set(controller.asked[1].rows)) == 0
    controller.start()
    controller.handle([{"op": "rest"}, {"op": "next"}])
    settle(controller)
    assert controller.asked[2].components[0] == "probe"
    state = (controller.cards.labels, controller.cards.overviews, controller.cards.starts)
    controller.close()
    again = make_first_look()
    assert (again.notice, (again.cards.labels, again.cards.overviews, again.cards.starts)) == ("", state)
    again.handle([{"op": "undo"}, {"op": "undo"}])
    assert again.figures()["looking"] == 3
    assert (again.cards.labels.count(OPEN), again.cards.labels[4], again.cards.labels[59]) == (58, 0, 1)
    assert again.session.known() == {again.card(4)["item"]: 0, again.card(59)["item"]: 1}


def test_a_mark_of_a_first_look_that_is_taken_back_later_is_no_example_any_more(make_first_look, small):
    controller = make_first_look()
    answer_page(controller, small[1])
    at = controller.cards.labels.index(1)
    controller.handle([{"op": "toggle", "at": at}])
    answer_round(controller, small[1])
    row = controller.card(at)["row"]
    assert row not in controller.rounds.search.positives
    assert controller.card(at)["item"] not in controller.session.known()
    assert row not in controller.figures()["examples"]


@pytest.mark.parametrize("change", ["a mark is made", "a mark is taken back"])
def test_a_mark_of_a_first_look_may_change_while_the_search_asks_the_item(make_first_look, small, change):
    made = change == "a mark is made"
    controller = make_first_look()
    shown = {row: position for position, row in enumerate(controller.asked[0].rows)}
    if not made:  # answered in the first look, and so not on view when the search asks it
        controller.handle([{"op": "set", "at": position, "v": 0} for position in range(57)])
    answer_page(controller, small[1])

    def asked_again():
        batch = controller.rounds.state._batch
        return [row for row in batch.rows.tolist() if shown.get(row, 60) < 57]

    while not asked_again():
        answer_page(controller, small[1])
    row = asked_again()[0]
    controller.handle([{"op": "toggle", "at": shown[row]}] * (1 if made else 2))
    assert controller.cards.labels[controller.cards.card_of(shown[row])] == (1 if made else -3)
    rounds = len(controller.asked)
    while len(controller.asked) == rounds and controller.error is None:
        answer_page(controller, small[1])
    assert controller.error is None
    assert (row in controller.rounds.search.positives) == made


def test_two_cards_of_one_item_may_be_put_right_at_once_and_the_later_is_believed(make_first_look, small):
    controller = make_first_look()
    answer_page(controller, small[1])
    first = {row: position for position, row in enumerate(controller.asked[0].rows)}

    def both():
        closed = range(60, controller.cards.rounds[-1])
        return [(first[row], p) for p in closed if (row := controller.card(p)["row"]) in first]

    while not both():
        answer_page(controller, small[1])
    passed, asked = both()[0]
    controller.handle([{"op": "set", "at": passed, "v": 0}, {"op": "set", "at": asked, "v": 1}])
    rounds = len(controller.asked)
    while len(controller.asked) == rounds and controller.error is None:
        answer_page(controller, small[1])
    assert controller.error is None
    assert controller.card(asked)["row"] in controller.rounds.search.positives


@pytest.mark.parametrize("own", [0, -1])
def test_a_mark_on_a_card_of_a_first_look_is_told_to_the_search_for_the_own_card_of_the_item(
    make_first_look, small, own
):
    controller = make_first_look()
    answer_page(controller, small[1])

    def cards_of(row):
        return [p for p in range(len(controller.cards.labels)) if controller.card(p)["row"] == row]

    def told():
        log = controller.rounds.search.log
        return dict(zip(log.rows.tolist(), log.labels.tolist(), strict=True))[row]

    looked_over = controller.asked[0].rows[:57]
    while not (twice := set(looked_over) & {row for asked in controller.asked[1:-1] for row in asked.rows}):
        answer_page(controller, small[1])
    row = min(twice)
    first, second = cards_of(row)
    for event, label in (({"op": "set", "at": second, "v": own}, own), ({"op": "toggle", "at": first}, 1)):
        controller.handle([event])
        answer_round(controller, small[1])
        assert told() == label
    controller.handle([{"op": "set", "at": first, "v": own}])
    assert (controller.cards.labels[first], controller.cards.labels[second]) == (PASSED, own)
    answer_round(controller, small[1])
    assert told() == own
    labels = controller.cards.labels
    controller.close()
    again = make_first_look()
    assert (again.notice, again.cards.labels) == ("", labels)


def test_scores_that_are_no_confidences_are_not_kept_and_the_session_opens_again(
    make_desk, make_search, small, monkeypatch
):
    """Those of somebody's own strategy may be anything, such as logits."""
    monkeypatch.setattr(Search, "scores", Search._scored)
    controller = make_desk(make_search())
    for _ in range(4):
        answer_page(controller, small[1])
    known = controller.session.known()
    assert (controller.asked[-1].scale, set(controller.asked[-1].scores)) == (None, {None})
    assert controller.figures()["labels"] == len(known)
    controller.close()
    again = make_desk(make_search())
    assert (again.notice, again.session.known()) == ("", known)
