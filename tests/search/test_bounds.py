"""The sketch gives what the neighbour lists give, row for row and bit for bit, whatever the pool looks like."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.search import kernels
from elsa_nb.search.neighbours import bounds, one_pass
from elsa_nb.search.neighbours.bounds import Sketch
from elsa_nb.search.neighbours.lists import Neighbours


def clustered(n, d, seed=0, spread=0.3):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(6, d)) * (1 + np.arange(d)) ** -0.5
    return (centres[rng.integers(6, size=n)] + spread * rng.normal(size=(n, d))).astype(np.float32)


POOLS = {
    "clustered": clustered(900, 24),
    "flat": clustered(900, 24, spread=3.0),  # the directions tell next to nothing
    "far away": clustered(900, 24) + np.float32(3000),
    "half": clustered(900, 24).astype(np.float16),
    "grid": np.random.default_rng(0).integers(3, size=(900, 5)).astype(np.float32),
    "equal": np.full((300, 4), 2.5, np.float32),
    "wide": clustered(120, 300),
    "one column": np.random.default_rng(0).normal(size=(400, 1)).astype(np.float32),
    "two rows": clustered(2, 3),
    "tiny": clustered(300, 9) * np.float32(1e-25),
    "long": clustered(300, 9) * np.float32(1e19),  # squares near the end of float32, and beyond
    "longer": clustered(300, 9) * np.float32(1e30),
    "longest": clustered(300, 9) * np.float32(1e38 / 9),
}


@cache  # most of the work of this file
def lists_of(name):
    return Neighbours(POOLS[name], k=30)


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize("spare", [0, 400])
def test_it_answers_as_neighbour_lists_do(name, include, spare, monkeypatch):
    monkeypatch.setattr(one_pass, "SPARE", spare)
    vectors = POOLS[name]
    n = len(vectors)
    sketch, lists = Sketch(vectors, width=4, progress=False), lists_of(name)
    rng = np.random.default_rng(1)
    for queries, count in ((1, 1), (3, 20), (40, 50), (n, 7), (2, n)):
        asked = rng.choice(n, min(queries, n), replace=False)
        allowed = rng.random(n) < 0.8
        ours = sketch.nearest_to_any(asked, count, allowed, include_queries=include)
        theirs = lists.nearest_to_any(asked, count, allowed, include_queries=include)
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])
        for mine, other in zip(
            sketch.nearest_to_each(asked[:5], 3, allowed), lists.nearest_to_each(asked[:5], 3, allowed), strict=True
        ):
            np.testing.assert_array_equal(mine, other)


def test_nothing_to_ask_and_nothing_allowed():
    sketch = Sketch(POOLS["clustered"], width=4, progress=False)
    for queries, allowed in (([], np.ones(900, bool)), ([3], np.zeros(900, bool))):
        rows, distances = sketch.nearest_to_any(np.array(queries, int), 5, allowed)
        assert rows.tolist() == distances.tolist() == []


@settings(deadline=None, max_examples=40)
@given(d=st.integers(1, 40), width=st.integers(1, 12), shift=st.sampled_from([0, 50, 3000]), seed=st.integers(0, 99))
def test_a_bound_is_never_above_the_distance(d, width, shift, seed):
    vectors = clustered(60, d, seed) + np.float32(shift)
    sketch = Sketch(vectors, width=width, progress=False)
    i, j = np.triu_indices(60, 1)
    bounds = kernels.squared_distances(sketch._bounds.coordinates, i, j[:, None])[:, 0]
    true = ((vectors[i].astype(float) - vectors[j].astype(float)) ** 2).sum(1)
    assert (bounds <= true + sketch._bounds.error).all()


def test_good_directions_leave_little_to_measure(monkeypatch):
    measured = []
    distances = kernels.squared_distances

    def spy(vectors, queries, candidates):
        if vectors.shape[1] == 200:
            measured.append(candidates.size)
        return distances(vectors, queries, candidates)

    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(4000, 200)) * (1 + np.arange(200)) ** -2.0).astype(np.float32)
    sketch = Sketch(vectors, width=16, progress=False)
    monkeypatch.setattr(kernels, "squared_distances", spy)
    sketch.nearest_to_any(np.arange(20), 30, np.ones(4000, bool))
    assert sum(measured) < 1000  # of 80,000 pairs


def test_a_mapped_pool_is_read_in_place(tmp_path, monkeypatch):
    np.save(tmp_path / "vectors.npy", POOLS["half"])
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    monkeypatch.setattr(kernels, "SLAB_BYTES", 4096)
    monkeypatch.setattr(kernels, "KEPT_SHARE", 0)  # so that it is read in slabs and pages are let go of
    sketch, plain = Sketch(mapped, width=4, progress=False), Sketch(POOLS["half"], width=4, progress=False)
    assert kernels.mapping(sketch.vectors) is not None
    assert kernels.mapping(plain.vectors) is None
    allowed = np.ones(900, bool)
    for mine, other in zip(
        sketch.nearest_to_any([4, 8], 30, allowed), plain.nearest_to_any([4, 8], 30, allowed), strict=True
    ):
        np.testing.assert_array_equal(mine, other)
    weights = np.random.default_rng(0).normal(size=(3, 24))
    np.testing.assert_array_equal(kernels.project(mapped, weights), kernels.project(POOLS["half"], weights))


@pytest.fixture
def passed(monkeypatch):
    """Return a list that grows by the number of queries of each pass that is made."""
    counts, nearest = [], kernels.distances_to_nearest
    monkeypatch.setattr(
        kernels, "distances_to_nearest", lambda rows, points: (counts.append(len(points)), nearest(rows, points))[1]
    )
    return counts


def test_a_pass_is_made_for_new_queries_only(passed):
    sketch, lists = Sketch(POOLS["clustered"], width=4, progress=False), Neighbours(POOLS["clustered"], k=30)
    allowed = np.ones(900, bool)
    for queries in ([5, 9], [5, 9], [5, 7, 9, 100], [7, 8], [5, 7, 9, 100, 101]):
        ours, theirs = (one.nearest_to_any(queries, 20, allowed) for one in (sketch, lists))
        np.testing.assert_array_equal(ours[0], theirs[0])
        allowed[ours[0][:5]] = False
    assert passed == [2, 2, 2, 1]  # the third knows the first's, the last the third's, the fourth nothing


def test_no_more_passes_are_kept_than_are_soon_looked_through(passed, monkeypatch):
    monkeypatch.setattr(bounds, "_KEPT", 2)
    sketch = Sketch(POOLS["clustered"], width=4, progress=False)
    for queries in ([5], [6], [7], [5, 8], [7, 9]):
        sketch.nearest_to_any(queries, 20, np.ones(900, bool))
    assert passed == [1, 1, 1, 2, 1]  # of [5] nothing is left, of [7] all


def test_passes_kept_from_other_searches_change_nothing():
    rng = np.random.default_rng(1)
    sketch, lists = Sketch(POOLS["grid"], width=2, progress=False), Neighbours(POOLS["grid"], k=30)
    for _ in range(60):
        queries = np.flatnonzero(rng.random(12) < 0.5)
        allowed, include = rng.random(900) < 0.5, bool(rng.integers(2))
        ours, theirs = (one.nearest_to_any(queries, 30, allowed, include_queries=include) for one in (sketch, lists))
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])


def test_passes_may_be_remembered_by_another_thread_meanwhile():
    sketch = Sketch(np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32))
    allowed = np.ones(300, bool)
    alone = sketch.nearest_to_any(np.array([3, 5]), 4, allowed)
    passes = sketch._one_pass._passes

    class Meanwhile:
        def __len__(self):
            passes.append(passes[0])
            return 1000

    passes.append((Meanwhile(), None))
    again = sketch.nearest_to_any(np.array([3, 5]), 4, allowed)
    np.testing.assert_array_equal(again, alone)
