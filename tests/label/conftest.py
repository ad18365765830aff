"""A small search that a person could label, and a controller for it."""

from dataclasses import replace

import numpy as np
import pytest
from at_the_desk import CONFIG, IDS

from elsa_nb.label.controller import Controller
from elsa_nb.label.label_files.reader import read_labels
from elsa_nb.label.session import Session
from elsa_nb.pool import Pool
from elsa_nb.search.elsa import Search


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


@pytest.fixture
def read(tmp_path):
    """Return a function that reads labels from a file with this content."""

    def one(content, ids=IDS, name="labels.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_labels(path, ids, **options)

    return one
