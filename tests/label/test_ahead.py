"""Rounds computed ahead of time: which are begun, which are kept, and when what was computed is thrown away."""

import threading

import pytest
from at_the_desk import ByHand

from elsa_nb.label.ahead import Ahead
from elsa_nb.label.stored import ToldAtEnd


def told(*labels):
    return ToldAtEnd(labels, (), ())


class Machine(Ahead):
    """One whose rounds are words, and which notes what it begins and tells."""

    def __init__(self):
        self.lock, self.worker, self.begun, self.heard = threading.RLock(), ByHand(), [], []
        note = lambda about, what: self.heard.append((about.labels, str(what)))  # noqa: E731
        super().__init__(self.lock, note, note, self.worker)

    def ask(self, *labels, meanwhile=lambda: None):
        """Want the round after `labels`; `meanwhile` happens while it is computed."""

        def compute():
            self.begun.append(labels)
            meanwhile()
            return "search", f"after {labels}"

        return self.want(told(*labels), compute)


@pytest.fixture
def machine():
    return Machine()


def test_a_round_that_was_computed_is_there_and_computed_once(machine):
    assert machine.ask(1) is None
    assert machine.ask(1) is None
    machine.worker.run()
    assert machine.ask(1) == ("search", "after (1,)")
    assert (machine.begun, machine.heard) == ([(1,)], [((1,), "after (1,)")])


def test_of_several_that_wait_only_the_one_wanted_last_is_begun(machine):
    machine.ask(1)
    machine.ask(2)
    machine.worker.run()
    assert machine.begun == [(2,)]
    assert machine.ask(1) is None


def test_one_that_was_begun_is_kept_for_whoever_comes_back_to_its_answers(machine):
    machine.ask(1, meanwhile=lambda: (machine.ask(2), machine.ask(1)))
    machine.worker.run()
    assert machine.begun == [(1,)]
    assert machine.ask(1) == ("search", "after (1,)")


@pytest.mark.parametrize("again", [False, True])
def test_what_belongs_to_another_open_round_is_not_begun_not_told_and_not_kept(machine, again):
    """Also where the new open round wants what reads the same."""

    def forget():
        machine.forget()
        if again:
            machine.ask(1)

    machine.ask(1)
    forget()
    machine.worker.run()
    assert (machine.begun, machine.heard) == (([(1,)], [((1,), "after (1,)")]) if again else ([], []))
    machine.forget()
    machine.ask(1, meanwhile=forget)  # it is thrown away while it is computed
    machine.heard.clear()
    machine.worker.calls.pop(0)()
    assert machine.heard == []
    assert machine.ask(1) is None


def test_a_round_that_could_not_be_computed_is_told_and_tried_again_when_it_is_wanted_again(machine):
    for _ in range(2):
        machine.want(told(1), lambda: 1 / 0)
        machine.worker.run()
    assert machine.heard == [((1,), "division by zero")] * 2


def test_nobody_waits_for_a_computation(machine):
    free = []

    def handle():  # as the person's events are, on another thread
        if machine.lock.acquire(blocking=False):
            free.append(True)
            machine.lock.release()

    def look():
        other = threading.Thread(target=handle)
        other.start()
        other.join()

    machine.ask(1, meanwhile=look)
    machine.worker.run()
    assert free == [True]


def test_what_the_file_keeps_of_it_is_plain():
    end = ToldAtEnd((1, 0), ((3, -1),), (("start", True),))
    assert end.to_json() == '{"labels": [1, 0], "amended": [[3, -1]], "start": true}'
