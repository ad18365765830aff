"""Screen and kernel without a browser: the messages, their order, and who may answer."""

import gc
import json
import sqlite3
import threading
import weakref
from types import SimpleNamespace

import comm
import numpy as np
import pytest
from at_the_desk import PATIENCE, answer_page, settle, shown, stored, wait_for
from ipywidgets.widgets.widget import _instances

from elsa_nb.label import Arrays, Panel
from elsa_nb.label.label_files.words import check_class
from elsa_nb.label.widget import OTHER
from elsa_nb.pool import Pool
from elsa_nb.search.elsa import Search
from elsa_nb.search.oracle import Truth


class RecordingComm(comm.base_comm.BaseComm):
    def __init__(self, *arguments, **named):
        self.sent = []
        super().__init__(*arguments, **named)

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **_):
        self.sent.append((msg_type, data, buffers or []))


@pytest.fixture
def panel(monkeypatch, make_search, small, tmp_path):
    monkeypatch.setattr(comm, "create_comm", lambda *a, **k: RecordingComm(*a, **k))
    pixels = np.zeros((400, 8, 8), np.uint8)
    panel = Panel(make_search(), Arrays(pixels, small[0].ids), tmp_path / "s.sqlite", oracle=Truth(small[1]), page=12)
    yield panel
    panel.close()


class Window:
    """A browser window as the kernel sees it."""

    def __init__(self, panel, nonce):
        self.panel, self.nonce, self.seq = panel, nonce, 0
        self.say("hello")

    def say(self, kind, **more):
        content = {"kind": kind, "nonce": self.nonce, "client": self.nonce} | more
        message = {"content": {"data": {"method": "custom", "content": content}}, "buffers": []}
        self.panel.widget._handle_msg(message)

    def send(self, *events, seq=None):
        self.seq = seq or self.seq + 1
        self.say("events", seq=self.seq, events=list(events))

    def got(self, kind):
        sent = [data["content"] for _, data, _ in self.panel.widget.comm.sent if data.get("method") == "custom"]
        return [m for m in sent if m["kind"] == kind and m.get("to") in (None, self.nonce)]


def test_hello_brings_the_cards_and_an_answer_its_acknowledgement_after_the_commit(panel):
    window = Window(panel, "a")
    (snapshot,) = window.got("snapshot")
    assert snapshot["active"]
    assert json.dumps(snapshot)
    window.send({"op": "label", "v": 1}, {"op": "label", "v": 0})
    (ack,) = window.got("ack")
    assert (ack["seq"], ack["check"]) == (1, panel.controller.cards.check)
    assert stored(panel.controller) == shown(panel.controller) == {0: 1, 1: 0}


def test_a_message_that_comes_twice_counts_once_and_a_gap_is_asked_for(panel):
    window = Window(panel, "a")
    window.send({"op": "label", "v": 1})
    window.send({"op": "label", "v": 1}, seq=1)
    assert len(window.got("ack")) == 2
    assert stored(panel.controller) == {0: 1}
    window.send({"op": "label", "v": 1}, seq=5)
    assert window.got("resend") == [{"kind": "resend", "to": "a", "from": 2}]
    assert stored(panel.controller) == {0: 1}


def test_a_second_window_looks_on_until_it_takes_over(panel):
    first, second = Window(panel, "a"), Window(panel, "b")
    assert not second.got("snapshot")[0]["active"]
    assert second.got("snapshot")[0]["text"] == OTHER
    second.send({"op": "label", "v": 1})
    assert second.got("refused")
    assert stored(panel.controller) == {}
    second.say("take")
    second.seq = 0
    second.send({"op": "label", "v": 1})
    first.send({"op": "label", "v": 0})
    assert first.got("refused")
    assert stored(panel.controller) == {0: 1}


def test_a_window_that_says_goodbye_makes_room(panel):
    first = Window(panel, "a")
    first.say("bye")
    assert Window(panel, "b").got("snapshot")[0]["active"]


def test_pictures_come_for_rows_of_the_session_and_for_no_others(panel):
    window = Window(panel, "a")
    served = len(panel.controller.asked[0]) + len(panel.controller.rounds.seeds)
    wait_for(lambda: sum(map(panel.controller.may_show, range(400))) > served)  # the next round's are, too
    inside = panel.controller.asked[0].rows[0]
    outside = next(row for row in range(400) if not panel.controller.may_show(row))
    window.say("want", positions=[1, 9999, "x"], rows=[inside, outside, -1])
    wait_for(lambda: any(m["to"] == "a" for m in window.got("cards")))
    (cards,) = (m for m in window.got("cards") if m["to"] == "a")
    assert [c["position"] for c in cards["cards"]] == [1]
    assert {p["row"] for p in cards["pictures"]} == {inside, panel.controller.asked[0].rows[1]}
    window.say("zoom", row=outside)
    window.say("zoom", row=inside)
    wait_for(lambda: window.got("zoom"))
    assert [m["row"] for m in window.got("zoom")] == [inside]


def test_pictures_come_in_the_size_asked_for_within_bounds(panel):
    window = Window(panel, "a")
    row = panel.controller.asked[0].rows[0]

    def sides():
        return [m["pictures"][0]["side"] for m in window.got("cards") if m["to"] == "a"]

    for i, side in enumerate((512, 10**9, "x", None)):
        window.say("want", rows=[row], side=side)
        wait_for(lambda i=i: len(sides()) > i)
    assert sides() == [512, 224, 224, 224]
    for side in (600, 10**9, -5):
        window.say("zoom", row=row, side=side)
    window.say("zoom", row=row, side="large")
    wait_for(lambda: len(window.got("zoom")) == 3)
    assert [m["side"] for m in window.got("zoom")] == [600, 4096, 1]


@pytest.mark.parametrize("name", ["unsure", "-", "none", "N/A"])
def test_a_name_that_no_export_can_hold_is_refused_at_once_in_the_words_of_the_exports(panel, name):
    window = Window(panel, "a")
    window.say("name", text="cats")
    window.say("name", text=name)
    with pytest.raises(ValueError, match="name it otherwise") as refused:
        check_class(name)
    assert window.got("roles")[-1]["text"] == str(refused.value)
    assert window.got("roles")[-1]["active"] == "a"
    assert window.got("named")[-1]["text"] == panel.session.meta("class") == "cats"
    window.say("name", text=" ")
    assert panel.session.meta("class") == window.got("roles")[-1]["text"] == ""


def test_what_is_looked_for_gets_a_name_by_who_works_and_exports_have_it(panel, tmp_path):
    window, looking_on = Window(panel, "a"), Window(panel, "b")
    looking_on.say("name", text="dogs")
    assert panel.session.meta("class") is None
    window.say("name", text=7)
    window.say("name", text="cats")
    assert looking_on.got("named") == [{"kind": "named", "text": "cats"}]
    assert Window(panel, "c").got("snapshot")[0]["sought"] == "cats"
    window.send({"op": "label", "v": 1})
    assert "cats" in panel.export(tmp_path / "out.json", kind="coco").read_text()
    assert "dogs" in panel.export(tmp_path / "out.json", kind="coco", label="dogs").read_text()


def test_what_one_window_dismisses_is_gone_in_all_of_them(panel):
    panel.widget.remark = "570 cannot be found."
    window, looking_on = Window(panel, "a"), Window(panel, "b")
    looking_on.say("dismiss")
    panel.widget.renew()
    assert looking_on.got("roles")[-1]["remark"] == window.got("snapshot")[-1]["remark"] == "570 cannot be found."
    window.say("dismiss")
    assert looking_on.got("roles")[-1]["remark"] == window.got("roles")[-1]["remark"] == ""


class FaultyFile:
    """A session file that can be neither read nor written, as where a network folder has gone."""

    def __init__(self, base):
        self.base = base

    def execute(self, *_):
        raise sqlite3.OperationalError("disk I/O error")

    def __getattr__(self, name):
        return getattr(self.base, name)


def test_an_answer_that_could_be_neither_stored_nor_read_back_counts_once_when_it_comes_again(panel, monkeypatch):
    panel._stop.set()  # no heartbeat: what it does is done below
    window = Window(panel, "a")
    with monkeypatch.context() as patch:
        patch.setattr(panel.session, "_base", FaultyFile(panel.session._base))
        window.send({"op": "label", "v": 1})
    assert not window.got("ack")
    assert panel.controller.look_around()
    panel.widget.renew()
    window.send({"op": "label", "v": 1}, seq=1)
    assert stored(panel.controller) == shown(panel.controller) == {0: 1}


def test_the_heartbeat_outlives_a_file_that_cannot_be_read_and_says_no_more_of_it_afterwards(panel, monkeypatch):
    monkeypatch.setattr("elsa_nb.label.panel.BEAT", 0.01)
    window, faulty = Window(panel, "a"), FaultyFile(panel.session._base)
    with monkeypatch.context() as patch:
        patch.setattr(panel.session, "_base", faulty)
        wait_for(lambda: panel.controller.error == "disk I/O error")
    wait_for(lambda: panel.controller.error is None)
    window.say("alive")
    window.send({"op": "label", "v": 1})
    wait_for(lambda: panel.widget.figures["labels"] == 1)


def test_what_was_undone_outlives_a_reload(panel):
    window = Window(panel, "a")
    window.send({"op": "label", "v": 1}, {"op": "row", "columns": 6, "v": 0}, {"op": "undo"}, {"op": "undo"})
    again = Window(panel, "a")
    again.seq = 1
    again.send({"op": "redo"}, {"op": "redo"}, {"op": "redo"})
    assert stored(panel.controller) == shown(panel.controller) == {0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0}


@pytest.mark.parametrize(
    "content",
    [{}, {"kind": "close"}, {"kind": "hello", "nonce": 3}, {"kind": "events", "nonce": "a", "events": 7, "seq": 1}],
)
def test_nonsense_is_ignored(panel, content):
    Window(panel, "a")
    panel.widget.hear(content)
    assert stored(panel.controller) == {}


def test_the_simulated_person_drives_the_same_messages_to_the_end(panel, small):
    looking_on = Window(panel, "a")
    figures = panel.play()
    assert panel.controller.cards.over
    assert looking_on.got("over")
    assert stored(panel.controller) == shown(panel.controller)
    assert set(panel.positives) <= set(np.flatnonzero(small[1]))
    assert figures["positives"] == len(panel.positives)
    assert "finished" in repr(panel)
    looking_on.say("alive")
    assert panel.widget._active == "a"


def test_a_session_nobody_looks_at_is_given_free_and_taken_again(panel, monkeypatch):
    window = Window(panel, "a")
    window.send({"op": "label", "v": 1})
    monkeypatch.setattr("elsa_nb.label.widget.GOODBYE", 0.0)
    window.say("bye")
    wait_for(lambda: panel.controller.resting)
    assert panel.session.held_by is None
    again = Window(panel, "b")
    assert again.got("snapshot")[-1]["active"]
    again.send({"op": "label", "v": 0})
    settle(panel.controller)
    assert stored(panel.controller) == shown(panel.controller) == {0: 1, 1: 0}


def test_closed_again_and_without_an_oracle(panel, make_search, tmp_path):
    panel.close()
    panel.close()
    other = Panel(make_search(), [f"text {row}" for row in range(400)], tmp_path / "t.sqlite")
    with pytest.raises(ValueError, match="oracle"):
        other.play()
    other.close()


@pytest.mark.parametrize("doors", [False, True])
def test_nothing_of_a_closed_panel_stays(make_search, tmp_path, doors):
    """A notebook may make one after another: each kept pool, pictures and two threads until the kernel ended."""

    def shown_and_closed():
        pool = Pool.from_arrays(np.random.default_rng(0).normal(size=(60, 8)))
        search, make_search = Search(pool, [0, 1], rng=0), (lambda: Search(pool, [0, 1], rng=0)) if doors else None
        options = {"oracle": Truth(np.arange(60) < 9), "make_search": make_search}
        panel = Panel(search, np.ones((60, 8, 8), np.uint8), tmp_path / "s.sqlite", **options)
        panel.play(pages=1)
        row = panel.controller.asked[0].rows[0]
        for more in ({"kind": "hello"}, {"kind": "want", "positions": [0, 1]}, {"kind": "zoom", "row": row}):
            panel.widget.hear(more | {"nonce": "a", "client": "c"})
        panel.close()
        panel.widget.hear({"kind": "want", "nonce": "a", "positions": [0, 1]})  # what was on its way
        return [weakref.ref(part) for part in (panel, panel.widget, panel.controller, pool)]

    threads, widgets = set(threading.enumerate()), set(_instances)
    parts = shown_and_closed()
    for thread in set(threading.enumerate()) - threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), thread.name
    gc.collect()
    assert [part() for part in parts] == [None] * 4
    assert set(_instances) == widgets


def test_a_widget_that_is_closed_while_the_search_goes_on_gets_no_more_of_it(panel, small):
    panel.widget.close()
    answer_page(panel.controller, small[1])
    panel.controller.publish({"kind": "ahead", "rows": [0]})
    assert panel.controller.error is None


def test_what_cannot_be_played_is_said(panel, make_search, tmp_path):
    """Below 0 it played to the end, and a closed panel ended in an error of the database."""
    with pytest.raises(ValueError, match="pages = -1; allowed: a whole number, 0 or more"):
        panel.play(pages=-1)
    panel.close()
    shown = panel._repr_mimebundle_()  # it raised, and a notebook showed nothing
    state = "round 1; closed, and opened again by the line that made it"
    assert shown == {"text/plain": f"Panel(s.sqlite: 0 labels, 0 positives, {state})"}
    with pytest.raises(ValueError, match="this panel is closed: make one with the same session file"):
        panel.play(pages=1)
    kind = type(make_search())
    with pytest.raises(ValueError, match=rf"search is the class {kind.__name__}; begin one: {kind.__name__}\(pool"):
        Panel(kind, ["a"], tmp_path / "u.sqlite")
    with pytest.raises(ValueError, match=r"search of type SimpleNamespace lacks log; give one, such as Search\(pool"):
        Panel(SimpleNamespace(query=None, update=None), ["a"], tmp_path / "u.sqlite")


def test_a_panel_that_was_called_wrongly_says_no_more_than_that():
    class Called(Panel):
        def __init__(self):
            pass  # as where Python refuses the arguments

    Called().close()


NO_ANSWERS = {
    "probabilities": lambda rows: np.full(len(rows), 0.9),
    "a class number": lambda rows: np.full(len(rows), 2),
    "the mark of an open card": lambda rows: np.full(len(rows), -2),
    "text": lambda rows: ["1"] * len(rows),
    "missing numbers": lambda rows: np.full(len(rows), np.nan),
    "too few": lambda rows: [1] * (len(rows) - 1),
    "too many": lambda rows: [1] * (len(rows) + 1),
    "nothing": lambda rows: None,
}


@pytest.mark.parametrize("answers", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_not_an_answer_is_refused_before_any_of_the_page_is_stored(panel, answers):
    """Most became "negative" in the session, silently; of too few or too many, half a page did."""
    panel.oracle = type("Answers", (), {"label": lambda self, rows: answers(rows)})()
    with pytest.raises(ValueError, match=r"label\(\) of Answers returned .*(allowed: 1 |one label per row)"):
        panel.play(pages=1)
    assert not panel.session.answers()


def test_the_button_of_the_simulated_person_says_what_stopped_it(panel):
    panel.oracle = type("Answers", (), {"label": lambda self, rows: None})()
    go, *_, message = panel.children[1].children
    go.click()
    wait_for(lambda: "The simulated person stopped: label() of Answers returned a NoneType" in message.value)
