"""Ways to begin: a sample, a name, an example, a text; and a search that begins with what was marked."""

import numpy as np
import pytest

from elsa_nb.label import Begin, Fixed, first_examples
from elsa_nb.search.oracle import Truth, simulate


def test_a_spread_sample_visits_every_corner():
    rng = np.random.default_rng(0)
    corners = np.array([[0, 0], [0, 9], [9, 0], [9, 9]])
    sizes = [970, 10, 10, 10]
    vectors = np.repeat(corners, sizes, 0) + rng.normal(size=(1000, 2)) / 10
    rows = first_examples.spread_rows(vectors.astype(np.float32), 8, rng)
    assert len(set(np.repeat(range(4), sizes)[rows])) == 4
    assert len(np.unique(rows)) == 8


def test_rows_by_name_part_and_pattern():
    ids = ["cats/a.jpg", "cats/b.jpg", "dogs/a.jpg"]
    assert first_examples.rows_named(ids, "dogs/a.jpg").tolist() == [2]
    assert first_examples.rows_named(ids, "a.jpg").tolist() == [0, 2]
    assert first_examples.rows_named(ids, "cats/*").tolist() == [0, 1]
    with pytest.raises(ValueError, match="'fox"):
        first_examples.rows_named(ids, "fox*")


def test_rows_like_an_image_and_like_a_text(small):
    vectors = small[0].vectors

    class Encoder:
        def encode_images(self, paths):
            return vectors[[int(path.name) for path in paths]]

        def encode_text(self, texts):
            return vectors[[7]] * 3

    assert first_examples.rows_like_images(vectors, Encoder(), ["5"], 3)[0] == 5
    assert first_examples.rows_like_text(vectors, Encoder(), "seven", 3)[0] == 7
    with pytest.raises(ValueError, match="no text tower"):
        first_examples.rows_like_text(vectors, object(), "seven", 3)
    with pytest.raises(ValueError, match="encoder"):
        first_examples.rows_like(vectors, np.zeros(3), 3)


def test_begin_shows_samples_until_there_are_seeds_then_searches(small, make_search):
    pool, positive = small
    made = []

    def make(seeds):
        made.append(seeds.tolist())
        search = make_search()
        return type(search)(pool, seeds, config=search.config, rng=np.random.default_rng(0))

    negatives, members = np.flatnonzero(~positive), np.flatnonzero(positive)
    begin = Begin([negatives[:10], np.concatenate([negatives[5:12], members[:2]])], make, least=2)
    first = begin.query()
    assert first.rows.tolist() == negatives[:10].tolist()
    begin.update(np.zeros(10))
    second = begin.query()
    assert second.rows.tolist() == [*negatives[10:12], *members[:2]]  # nothing is shown twice
    begin.update(Truth(positive).label(second.rows))
    assert made == [members[:2].tolist()]
    log = simulate(begin, Truth(positive))
    assert len(begin.positives) > 10
    assert log.rounds.tolist() == sorted(log.rounds.tolist())


def test_a_sample_without_finds_ends_the_search(small):
    begin = Begin([[1, 2]], lambda seeds: 1 / 0)
    simulate(begin, Truth(np.zeros(400, bool)))
    assert len(begin.positives) == 0


def test_fixed_rows_are_asked_once():
    fixed = Fixed(10, [3, 1, 2])
    log = simulate(fixed, Truth(np.arange(10) == 1))
    assert log.rows.tolist() == [3, 1, 2]
    assert fixed.positives.tolist() == [1]
    with pytest.raises(ValueError, match="no rows"):
        Fixed(10, [])
