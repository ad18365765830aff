"""What the tests of the labelling room share: a person who answers, a worker that waits to be told, names of items."""

import time
from concurrent.futures import Executor, Future

from elsa_nb.search.config import SearchConfig

PATIENCE = 120  # seconds; a busy machine is slow, not wrong
IDS = [
    "cats/Müller 1.jpg",
    "cats/2.jpg",
    "dogs/1.jpg",
    "dogs/2.jpg",
    "Ä/ö.png",
]  # of the files of labels that `read` reads
PLAIN = {0: 1, 2: 0}  # the labels of most of them
CONFIG = SearchConfig(rounds=4, a=10, l=5, b=5, final_budget=20)


class ByHand(Executor):
    """A worker that does nothing until it is told to: what a thread may do at any moment happens at one."""

    def __init__(self):
        self.calls = []

    def submit(self, function, /, *arguments, **named):
        self.calls.append(lambda: function(*arguments, **named))
        return Future()

    def run(self):
        """Do all that waits, and what is submitted meanwhile."""
        while self.calls:
            self.calls.pop(0)()

    def shutdown(self, wait=True, *, cancel_futures=False):
        self.calls.clear()


def wait_for(condition):
    """Wait until a condition holds, however busy the machine is."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, f"not within {PATIENCE} s"
        time.sleep(0.002)


def settle(controller):
    """Wait until no round is being computed for a waiting person."""

    def settled():
        with controller.lock:  # between two actions, not within one
            return not controller.cards.waiting

    wait_for(settled)


def answer_page(controller, positive):
    """Answer the open cards of the page truthfully, go on, and wait for what comes."""
    first, end = controller.cards.page(controller.cards.cursor)
    for position in range(first, end):
        if controller.cards.labels[position] == -2 and positive[controller.card(position)["row"]]:
            assert controller.handle([{"op": "set", "at": position, "v": 1}])
    assert controller.handle([{"op": "rest"}, {"op": "next"}])
    settle(controller)


def stored(controller):
    """Return what the file holds now, by position."""
    found = {e.position: e.label for e in controller.session.events() if e.position is not None}
    return {position: label for position, label in found.items() if label > -2}


def shown(controller):
    return {position: label for position, label in enumerate(controller.cards.labels) if label > -2}
