"""Searches for labelling by name: vectors of one length, budgets, and what copies share."""

import numpy as np
import pytest

from elsa_nb.label.rounds import fork
from elsa_nb.label.searching import make_ready, search_from
from elsa_nb.pool import Pool
from elsa_nb.search.heads.large_rows import LargeRows
from elsa_nb.search.strategies import registry
from elsa_nb.side_by_side import by_direction


@pytest.fixture
def pool():
    rng = np.random.default_rng(0)
    return Pool.from_arrays(rng.normal(size=(300, 8)).astype(np.float16) * rng.integers(1, 50, (300, 1)).astype("f2"))


def test_the_default_searches_by_direction(pool):
    search = search_from(pool)([3])
    lengths = np.linalg.norm(search.pool.vectors, axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-6)
    assert search.pool.ids is pool.ids
    stretched = Pool.from_arrays(np.asarray(pool.vectors, np.float32) * np.linspace(1, 9, 300, dtype="f4")[:, None])
    assert search_from(stretched)([3]).query().rows.tolist() == search.query().rows.tolist()


def test_a_vector_of_zeros_stays_one():
    with pytest.warns(UserWarning, match="all zero"):
        pool = Pool.from_arrays(np.diag([2.0, 0.0]).astype("f4"))
    assert by_direction(pool).vectors.tolist() == [[1, 0], [0, 0]]


def test_the_paper_s_searches_by_distance_unless_told_otherwise(pool):
    rows = [search_from(pool, "elsa", metric=metric)([3]).query().rows.tolist() for metric in (None, "euclidean")]
    assert rows[0] == rows[1]
    assert search_from(pool, "elsa", metric="cosine")([3]).query().rows.tolist() != rows[0]


@pytest.mark.parametrize("name", ["harvest", "greedy-probe"])
def test_without_a_budget_a_person_is_asked_about_everything(name):
    """The strategies' own default, 2,000, is for comparisons: earlier labels that are filled in would use it up."""
    rng = np.random.default_rng(0)
    pool = Pool.from_arrays(rng.normal(size=(2300, 4)).astype(np.float32))
    search, asked = search_from(pool, name)([3]), 0
    while (batch := search.query()) is not None:
        search.update(np.zeros(len(batch.rows), int))
        asked += len(batch.rows)
    assert asked == 2299


def test_a_budget_ends_the_search(pool):
    search, asked = search_from(pool, budget=15)([3]), 0
    while (batch := search.query()) is not None:
        asked += len(batch.rows)
        search.update(np.zeros(len(batch.rows), int))
    assert asked == 15


def test_the_same_seeds_give_the_same_questions_again(pool):
    make = search_from(pool)
    assert make([3, 5]).query().rows.tolist() == make([3, 5]).query().rows.tolist()
    assert fork(make([3])).pool is make([3]).pool


def test_mistakes_are_one_sentence(pool):
    for options, sentence in (
        ({"name": "magic"}, "'magic' is not known; allowed: elsa, greedy-probe"),
        ({"metric": "taxi"}, "metric is 'taxi'; allowed: cosine, euclidean"),
        ({"name": "elsa", "budget": 5}, "elsa has no budget"),
        ({"budget": 0}, "budget = 0"),
    ):
        with pytest.raises(ValueError, match=sentence):
            search_from(pool, **options)


def test_every_registered_strategy_labels_by_its_name(pool):
    for name in registry.strategies():
        search = search_from(pool, registry.slug(name))([0, 1])
        assert type(search).name == name
        assert len(search.query().rows)


def test_the_probe_learns_few_examples_with_a_firm_penalty(pool):
    assert search_from(pool, "greedy-probe")([0, 1]).config.head.l2 == 100
    assert search_from(pool, "greedy-probe", metric="euclidean")([0, 1]).config.head.l2 == 1


def test_a_large_pool_stays_on_the_disk_and_is_searched_in_rows_prepared_there(pool, tmp_path, monkeypatch):
    monkeypatch.setattr("elsa_nb.prepared.DATA", tmp_path)
    monkeypatch.setattr("elsa_nb.prepared.MOST_LOOKED_AT", 100)
    monkeypatch.setattr("elsa_nb.label.searching.MOST_LOOKED_AT", 100)
    make_ready(pool)
    with monkeypatch.context() as patch:
        patch.setattr(LargeRows, "make", lambda *_, **__: pytest.fail("the rows were there"))
        small = search_from(pool)([3])
    monkeypatch.undo()
    expected = search_from(pool)([3])
    assert small.pool is pool
    rows = small.shared_parts()[1]
    np.testing.assert_allclose(rows.vectors, expected.shared_parts()[1].vectors, rtol=2**-10, atol=1e-5)
    assert small.query().rows.tolist() == expected.query().rows.tolist()
    assert fork(small).shared_parts()[1] is rows
