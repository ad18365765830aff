"""A small search that a person could label, and a controller for it."""

import time
from concurrent.futures import Executor, Future
from dataclasses import replace

import numpy as np
import pytest

from elsa_nb.label.controller import Controller
from elsa_nb.label.label_files.reader import read_labels
from elsa_nb.label.session import Session
from elsa_nb.pool import Pool
from elsa_nb.search.config import SearchConfig
from elsa_nb.search.elsa import Search

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


@pytest.fixture(scope="session")
def small():
    """Make a pool of 400 items in which 40 are of the class, and say who they are."""
    rng = np.random.default_rng(5)
    positive = np.zeros(400, bool)
    positive[rng.choice(400, 40, replace=False)] = True
    vectors = rng.normal(size=(400, 8)).astype(np.float32)
    vectors[positive] += 1.5
    return Pool.from_arrays(vectors, np.array([f"img-{row:03d}" for row in range(400)])), positive


@pytest.fixture
def make_search(small):
    pool, positive = small

    def make(seed=1, **changes):
        config = replace(CONFIG, **changes)
        return Search(pool, np.flatnonzero(positive)[:3], config=config, rng=np.random.default_rng(seed))

    return make


@pytest.fixture
def make_desk(make_search, small, tmp_path):
    desks = []

    def make(search=None, path="s.sqlite", annotator="me", **options):
        session = Session(tmp_path / path, annotator=annotator, code="test")
        desks.append(Controller(search or make_search(), small[0].ids, session, size=12, **options))
        return desks[-1]

    yield make
    for controller in desks:
        controller.close()


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
    found = {e["position"]: e["label"] for e in controller.session.events() if e["position"] is not None}
    return {position: label for position, label in found.items() if label > -2}


def shown(controller):
    return {position: label for position, label in enumerate(controller.cards.labels) if label > -2}


@pytest.fixture
def read(tmp_path):
    """Return a function that reads labels from a file with this content."""

    def one(content, ids=IDS, name="labels.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_labels(path, ids, **options)

    return one
