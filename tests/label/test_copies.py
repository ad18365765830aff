"""Copies of a search: small, however large the pool, for every strategy that ships."""

import pickle
import tracemalloc

import numpy as np
import pytest

from elsa_nb.label.offered import vectors_of
from elsa_nb.label.rounds import fork
from elsa_nb.pool import Pool
from elsa_nb.search.elsa import ELSA, Search
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.neighbours.bounds import Sketch
from elsa_nb.search.oracle import Truth, simulate
from elsa_nb.search.strategies.greedy_probe import GreedyProbe

N, D = 20_000, 256  # 20 MB of vectors: a copy of them would show


@pytest.fixture(scope="module")
def pool():
    return Pool.from_arrays(np.random.default_rng(0).normal(size=(N, D)).astype(np.float32))


@pytest.fixture(params=["ELSA", "ELSA by bounds", "Greedy probe"])
def search(request, pool):
    if request.param == "Greedy probe":
        return GreedyProbe(pool, [0, 1], rng=0)
    neighbours = Sketch(pool.vectors, progress=False) if "bounds" in request.param else None
    return Search(pool, [0, 1], config=ELSA, rng=0, neighbours=neighbours, features=Features(pool.vectors))


def test_a_copy_holds_no_vectors(search):
    tracemalloc.start()
    try:
        copies = [fork(search) for _ in range(5)]
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(copies) == 5
    assert held < 5 * 400_000  # an answer a row, and little more


def test_a_copy_goes_on_by_itself(search):
    copy = fork(search)
    first = search.query()
    search.update(np.zeros(len(first.rows), int))
    assert not len(copy.log.rows)
    assert copy.query().rows.tolist() == first.rows.tolist()


def test_a_search_survives_being_pickled(tiny_pool):
    vectors, labels = tiny_pool
    positive = labels == 3
    for kind in (Search, GreedyProbe):
        search = kind(Pool.from_arrays(vectors), np.flatnonzero(positive)[:2], rng=0)
        search.update(Truth(positive).label(search.query().rows))
        again = pickle.loads(pickle.dumps(search))
        logs = [simulate(one, Truth(positive)) for one in (search, again)]
        for one, other in zip(*logs, strict=True):
            np.testing.assert_array_equal(one, other)


class Own:
    """Somebody's strategy, which does not say what its copies share."""

    def __init__(self, pool):
        self.rows, self.sketch, self.asked = PreparedRows.of(pool.vectors), Sketch(pool.vectors, progress=False), []

    def query(self):
        return None

    def update(self, labels):
        self.asked.append(labels)


def test_copies_of_somebody_s_own_strategy_share_what_is_made_of_the_pool(tiny_pool):
    own = Own(Pool.from_arrays(tiny_pool[0]))
    copy = fork(own)
    assert copy.rows is own.rows
    assert copy.sketch is own.sketch
    assert copy.asked is not own.asked
    assert vectors_of(own) is None  # prepared rows are not the vectors that were given


@pytest.mark.parametrize("kind", [Search, GreedyProbe])
def test_the_random_generator_is_checked_at_once(kind, tiny_pool):
    pool = Pool.from_arrays(tiny_pool[0])
    for rng in ("0", -1, 0.5):
        with pytest.raises(ValueError, match=r"rng = .*; allowed: a numpy.random.Generator, a whole number"):
            kind(pool, [0], rng=rng)
    seeded = [kind(pool, [0], rng=rng).query().rows.tolist() for rng in (7, np.random.default_rng(7))]
    assert seeded[0] == seeded[1]
