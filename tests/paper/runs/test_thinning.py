"""A thinned pool answers as one made from the remaining vectors; which members go is fixed by the class's name."""

import numpy as np
import pytest

from elsa_nb.paper.runs.thinning import LEAST_LENGTH, absent_rows, thinned
from elsa_nb.pool import Pool
from elsa_nb.prepared import Prepared
from elsa_nb.search.elsa import ELSA, Search
from elsa_nb.search.heads.features import Features
from elsa_nb.search.neighbours.bounds import Sketch
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.oracle import Truth, simulate_together

N, K = 900, 128


@pytest.fixture(scope="module")
def base():
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(N, 12)).astype(np.float16)
    vectors[:300] = vectors[:300] * 0.2 + 1  # the class lies close together: its lists lose most
    vectors[700:705] = vectors[0]  # ties
    pool = Pool.from_arrays(vectors, name="small")
    return Prepared(pool, Neighbours(vectors, k=K).build(progress=False))


@pytest.fixture(scope="module")
def positive():
    return np.arange(N) < 300


@pytest.mark.parametrize("kept", [2, 40, 200, 298])
def test_answers_equal_those_of_the_remaining_vectors(base, kept):
    rng = np.random.default_rng(kept)
    absent = np.sort(rng.permutation(300)[kept:])
    thin = thinned(base, absent)
    vectors = np.delete(base.pool.vectors, absent, axis=0)
    assert np.array_equal(thin.pool.vectors, vectors)
    assert thin.neighbours.lists[0].shape == (N - len(absent), thin.neighbours.k)
    assert thin.neighbours.k >= LEAST_LENGTH
    fresh = Neighbours(vectors, k=K).build(progress=False)
    for mine, theirs in zip(thin.neighbours.lists, fresh.lists, strict=True):
        assert np.array_equal(mine, theirs[:, : thin.neighbours.k])
    for m in (1, 3, 50):
        queries = rng.choice(len(vectors), m, replace=False)
        allowed = rng.random(len(vectors)) < 0.7
        for count in (1, 20, 200, N):
            for ask in ("nearest_to_any", "nearest_to_each"):
                got = getattr(thin.neighbours, ask)(queries, count, allowed)
                expected = getattr(fresh, ask)(queries, count, allowed)
                assert all(np.array_equal(g, e) for g, e in zip(got, expected, strict=True))
    features = Features(vectors)
    assert np.array_equal(thin.features.mean, features.mean)
    assert thin.features.scale == features.scale


def test_a_search_in_it_equals_one_in_the_remaining_pool(base, positive):
    absent = absent_rows(positive, 0.05, "dog")
    truth = np.delete(positive, absent)
    thin = thinned(base, absent)
    alone = Pool.from_arrays(np.delete(base.pool.vectors, absent, axis=0))
    given = {"neighbours": thin.neighbours, "features": thin.features}
    logs = [
        simulate_together([Search(pool, [0, 5], config=ELSA, rng=np.random.default_rng(1), **shared)], [Truth(truth)])
        for pool, shared in ((thin.pool, given), (alone, {}))
    ]
    assert len(logs[0][0].rows) > 100
    for mine, theirs in zip(logs[0][0], logs[1][0], strict=True):
        assert np.array_equal(mine, theirs)


def test_pools_without_lists_are_thinned_too(base):
    absent = np.array([0, 7, 800])
    vectors = np.delete(base.pool.vectors, absent, axis=0)
    unbuilt = Prepared(base.pool, Neighbours(base.pool.vectors, k=16))
    assert thinned(unbuilt, absent).neighbours.lists is None
    sketched = Prepared(base.pool, Sketch(base.pool.vectors, progress=False))
    thin = thinned(sketched, absent)
    assert isinstance(thin.neighbours, Sketch)
    allowed = np.ones(len(vectors), bool)
    expected = Neighbours(vectors).nearest_to_any(np.array([3]), 9, allowed)
    for got, told in zip(thin.neighbours.nearest_to_any(np.array([3]), 9, allowed), expected, strict=True):
        assert np.array_equal(got, told)


def test_it_is_told_apart_from_the_whole_pool(base):
    one, same, other = (thinned(base, np.array(rows)).pool for rows in ([1, 2], [1, 2], [1, 3]))
    assert one.recipe == same.recipe
    assert len({base.pool.recipe, one.recipe, other.recipe}) == 3
    assert len({base.pool.sha256, one.sha256, other.sha256}) == 3
    assert one.ids.tolist() == ["0", *map(str, range(3, N))]
    assert one.provenance["absent_rows"] == 2
    with pytest.raises(ValueError, match="read-only"):
        one.vectors[0] = 0
    whole = thinned(base, np.empty(0, np.int64))
    assert np.array_equal(whole.neighbours.lists[0], base.neighbours.lists[0])


def test_the_share_is_met_and_the_choice_is_the_names(positive):
    for share, kept in ((0.005, 3), (0.05, 32), (0.25, 200)):
        absent = absent_rows(positive, share, "dog")
        assert absent.dtype == np.int64
        assert positive[absent].all()
        assert (np.diff(absent) > 0).all()
        assert positive.sum() - len(absent) == kept
        assert np.array_equal(absent, absent_rows(positive, share, "dog"))
    assert not np.array_equal(absent, absent_rows(positive, share, "cat"))
    assert set(absent) <= set(absent_rows(positive, 0.005, "dog"))
    tiny = np.arange(50_000) < 250
    assert 250 - len(absent_rows(tiny, 0.001, "n01443537")) == 50


def test_what_cannot_be_is_refused(base, positive):
    for share in (0, 1, -0.1, 2, None, "0.1", float("nan"), True):
        with pytest.raises(ValueError, match="allowed: between 0 and 1"):
            absent_rows(positive, share, "dog")
    with pytest.raises(ValueError, match=r"share = 0.001 asks for 1 members of class 'dog'.*allowed: 2 to all"):
        absent_rows(positive, 0.001, "dog")
    for truth in ("x", None, positive.astype(int)):
        with pytest.raises(ValueError, match=r"positive of type .*; give one True or False a row"):
            absent_rows(truth, 0.1, "dog")
    with pytest.raises(ValueError, match="target = 5; give the name of the class, a text"):
        absent_rows(positive, 0.1, 5)
    with pytest.raises(ValueError, match="asks for 600 members of class 'dog'"):
        absent_rows(positive, 0.5, "dog")
    for rows in ([3, 1], [1, 1], [-1], [N], [[1]]):
        with pytest.raises(ValueError, match="allowed: rows of a pool of 900, sorted, each once"):
            thinned(base, np.array(rows))
    with pytest.raises(ValueError, match="899 of 900 rows are absent"):
        thinned(base, np.arange(N - 1))
