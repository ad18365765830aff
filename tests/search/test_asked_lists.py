"""Lists made as rows are asked about: the same answers as lists of every row, and where they end they say so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.search.neighbours import asked_lists
from elsa_nb.search.neighbours.bounds import Sketch
from elsa_nb.search.neighbours.lists import Neighbours


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(asked_lists, "LEAST_ROWS", 1)
    monkeypatch.setattr(asked_lists, "LISTED", 40)


def listing(vectors):
    sketch = Sketch(vectors, progress=False)
    sketch.keep_lists()
    return sketch


def clouds(n, rng, dtype="float16"):
    """Return clusters in 30 dimensions, some rows twice."""
    vectors = rng.normal(size=(n, 30)) * np.arange(1, 31) ** -0.7 + 3 * rng.normal(size=(8, 30))[rng.integers(0, 8, n)]
    vectors[: n // 10] = vectors[n // 2 : n // 2 + n // 10]
    return vectors.astype(dtype)


@pytest.mark.usefixtures("small")
@settings(max_examples=12)
@given(seed=st.integers(0, 2**20), m=st.integers(1, 90), count=st.integers(1, 400), include=st.booleans())
def test_they_answer_as_lists_of_every_row_do(seed, m, count, include):
    rng = np.random.default_rng(seed)
    vectors = clouds(900, rng)
    sketch, plain = listing(vectors), Neighbours(vectors)
    for _ in range(3):  # the later questions find lists from the earlier ones
        queries = rng.choice(200, m, replace=False)
        allowed = rng.random(len(vectors)) < rng.choice([0.1, 0.6, 1.0])
        for got, wanted in zip(
            sketch.nearest_to_any(queries, count, allowed, include_queries=include),
            plain.nearest_to_any(queries, count, allowed, include_queries=include),
            strict=True,
        ):
            np.testing.assert_array_equal(got, wanted)


@pytest.mark.usefixtures("small")
def test_a_second_question_about_a_row_makes_no_pass(monkeypatch):
    sketch = listing(clouds(3000, np.random.default_rng(0)))
    everything, queries = np.ones(3000, bool), np.arange(20)
    first = sketch.nearest_to_any(queries, 15, everything)
    monkeypatch.setattr(asked_lists.AskedLists, "_pass", lambda *_: pytest.fail("a list was made again"))
    monkeypatch.setattr(sketch._one_pass, "complete", lambda *_: pytest.fail("a pass was made"))
    np.testing.assert_array_equal(sketch.nearest_to_any(queries, 15, everything)[0], first[0])


@pytest.mark.usefixtures("small")
def test_no_more_lists_are_kept_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(asked_lists, "_KEPT_BYTES", 16 * 40 * 10)
    sketch = listing(clouds(3000, np.random.default_rng(0)))
    for start in range(0, 100, 25):
        sketch.nearest_to_any(np.arange(start, start + 25), 5, np.ones(3000, bool))
    assert list(sketch._asked._lists) == list(range(75, 100))
    sketch.nearest_to_any(np.array([3]), 5, np.ones(3000, bool))
    assert sketch._asked._held <= 400
