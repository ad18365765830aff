"""Neighbours are exact, in one order, whatever computes them."""

import pickle
from importlib.util import find_spec

import numpy as np
import pytest
from backends import HERE
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.search import kernels
from elsa_nb.search.neighbours import lists as module
from elsa_nb.search.neighbours.all_pairs import proved_reach
from elsa_nb.search.neighbours.lists import BACKENDS, Neighbours
from elsa_nb.search.neighbours.one_pass import OnePass

pytestmark = pytest.mark.filterwarnings("error")


def brute_force(vectors, query, k):
    """All other rows by (squared distance in float64, row)."""
    z = vectors.astype(np.float64)
    order = sorted((float(((z[i] - z[query]) ** 2).sum()), i) for i in range(len(z)) if i != query)
    return [i for _, i in order[:k]], [distance for distance, _ in order[:k]]


def brute_force_any(vectors, queries, count, allowed, include_queries):
    z = vectors.astype(np.float64)
    reach = []
    for i in np.flatnonzero(allowed):
        to = [float(((z[i] - z[q]) ** 2).sum()) for q in queries if include_queries or q != i]
        if to:
            reach.append((min(to), i))
    return [i for _, i in sorted(reach)[:count]], [distance for distance, _ in sorted(reach)[:count]]


def random_vectors(seed, n, d, kind):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, d))
    if kind == "duplicates":
        vectors[rng.permutation(n)[: n // 2]] = vectors[0]
    elif kind == "grid":
        vectors = np.round(vectors)
    elif kind == "all equal":
        vectors[:] = vectors[0]
    elif kind == "far away":  # float32 sees hardly any difference between squared norms of 1e7
        vectors = vectors + 2000
    elif kind == "tiny":
        vectors = vectors * 1e-12
    return vectors.astype(np.float32)


KINDS = ("normal", "duplicates", "grid", "all equal", "far away", "tiny")


@pytest.fixture(params=HERE)
def backend(request):
    return request.param


@pytest.fixture
def scans(monkeypatch):
    """Count the rows whose first proposal was not proved, so that they were searched again."""
    monkeypatch.setattr(module, "SLACKS", module.SLACKS[:1])
    counted = []
    scan = Neighbours._scan

    def counting(self, query, k):
        counted.append(int(query))
        return scan(self, query, k)

    monkeypatch.setattr(Neighbours, "_scan", counting)
    return counted


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "d", "k"), [(150, 6, 10), (60, 3, 59), (60, 40, 1), (34, 2, 33), (2, 3, 1)])
def test_every_backend_gives_the_exact_order(backend, kind, n, d, k):
    vectors = random_vectors(1, n, d, kind)
    rows, distances = Neighbours(vectors, backend=backend).exact(np.arange(n), k)
    assert rows.shape == distances.shape == (n, k)
    for query in range(n):
        expected_rows, expected_distances = brute_force(vectors, query, k)
        assert rows[query].tolist() == expected_rows
        np.testing.assert_allclose(distances[query], expected_distances, rtol=1e-12, atol=0)


def test_backends_agree_to_the_last_bit(tiny_pool):
    answers = [Neighbours(tiny_pool[0], backend=name, k=20).build(progress=False).lists for name in HERE]
    for rows, distances in answers[1:]:
        np.testing.assert_array_equal(rows, answers[0][0])
        np.testing.assert_array_equal(distances, answers[0][1])


@pytest.mark.skipif(find_spec("torch") is None, reason="an installation for the search alone")
def test_every_backend_is_tested_where_all_is_installed():
    assert set(HERE) == {"blas", "faiss", "torch"} == set(BACKENDS)


def test_neighbours_survive_being_pickled(backend, tiny_pool):
    neighbours = Neighbours(tiny_pool[0], backend=backend, k=20)
    queries = np.arange(3)
    before = neighbours.exact(queries, 20)  # the backend is there now
    for one, other in zip(before, pickle.loads(pickle.dumps(neighbours)).exact(queries, 20), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("magnitude", [1e-30, 1e-3, 1e3, 1e10])
def test_scaling_by_a_power_of_two_changes_no_order(backend, magnitude):
    vectors = random_vectors(3, 90, 5, "normal")
    factor = 2.0 ** round(np.log2(magnitude))
    scaled = Neighbours(vectors * np.float32(factor), backend=backend)
    plain = Neighbours(vectors, backend=backend)
    np.testing.assert_array_equal(scaled.exact(np.arange(90), 8)[0], plain.exact(np.arange(90), 8)[0])


@pytest.mark.parametrize("magnitude", [1e21, 1e30, 1e37])
def test_vectors_whose_squares_overflow_float32_are_still_ordered(backend, magnitude, scans):
    vectors = random_vectors(3, 90, 5, "normal") * np.float32(magnitude / 10)
    rows, _ = Neighbours(vectors, backend=backend).exact(np.arange(90), 8)
    assert len(scans) >= 80  # a row near the origin may have finite distances
    for query in range(90):
        assert rows[query].tolist() == brute_force(vectors, query, 8)[0]


def test_a_proof_usually_succeeds(backend, scans):
    vectors = random_vectors(2, 400, 16, "normal")
    Neighbours(vectors, backend=backend, k=10).build(progress=False)
    assert scans == []


@pytest.mark.parametrize("kind", ["all equal", "far away"])
def test_a_row_without_proof_is_searched_again(backend, kind, scans):
    vectors = random_vectors(2, 200, 5, kind)
    rows, _ = Neighbours(vectors, backend=backend).exact(np.arange(200), 10)
    assert scans  # more equals, or more blur, than the spare candidates hold
    for query in range(200):
        assert rows[query].tolist() == brute_force(vectors, query, 10)[0]


def test_more_candidates_prove_what_a_few_could_not(backend, monkeypatch):
    vectors = random_vectors(2, 900, 5, "normal")
    vectors[:100] = vectors[0]  # a hundred equals: more than the first spare candidates hold, fewer than the second
    monkeypatch.setattr(Neighbours, "_scan", lambda *_: pytest.fail("a whole scan was not needed"))
    rows, _ = Neighbours(vectors, backend=backend).exact(np.arange(20), 10)
    for query in range(20):
        assert rows[query].tolist() == brute_force(vectors, query, 10)[0]


def test_candidates_in_any_order_and_blurred_distances_are_put_right(monkeypatch, scans):
    """A backend may return its candidates unsorted, and distances as wrong as the bound allows."""
    vectors = random_vectors(5, 300, 3, "grid")
    rng = np.random.default_rng(0)

    def sloppy(stored, norms):
        def nearest(queries, k):
            exact = ((stored[None].astype(float) - queries[:, None]) ** 2).sum(2)
            size = (stored.astype(float) ** 2).sum(1)
            blur = 1e-7 * (size.max() + (queries.astype(float) ** 2).sum(1))[:, None]
            approximate = exact + rng.uniform(-1, 1, exact.shape) * blur
            rows = np.argsort(approximate, axis=1)[:, :k]
            rows = rng.permuted(rows, axis=1)
            return rows, np.take_along_axis(approximate, rows, 1).max(1).astype(np.float32)

        return nearest

    monkeypatch.setitem(BACKENDS, "sloppy", sloppy)
    rows, _ = Neighbours(vectors, backend="sloppy").exact(np.arange(300), 5)
    for query in range(300):
        assert rows[query].tolist() == brute_force(vectors, query, 5)[0]
    assert 0 < len(scans) < 300  # some rows lay too close together to call, not all


def test_a_backend_that_stops_short_is_repaired(monkeypatch, scans):
    """Candidates that leave nearer rows out, and whose distances admit it, are searched again."""
    vectors = random_vectors(6, 120, 4, "normal")

    def lazy(stored, norms):
        def nearest(queries, k):
            """Look at the first rows only, and vouch for no more than what was not looked at."""
            exact = ((stored[None] - queries[:, None]) ** 2).sum(2)
            return np.tile(np.arange(k), (len(queries), 1)), exact[:, k:].min(1)

        return nearest

    monkeypatch.setitem(BACKENDS, "lazy", lazy)
    rows, _ = Neighbours(vectors, backend="lazy").exact(np.arange(120), 12)
    for query in range(120):
        assert rows[query].tolist() == brute_force(vectors, query, 12)[0]
    assert len(scans) > 100


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_distances_that_are_no_numbers_prove_nothing(monkeypatch, scans, value):
    vectors = random_vectors(6, 120, 4, "normal")
    monkeypatch.setitem(
        BACKENDS,
        "broken",
        lambda stored, norms: (
            lambda queries, k: (
                np.tile(np.arange(k), (len(queries), 1)),
                np.full(len(queries), value, np.float32),
            )
        ),
    )
    rows, _ = Neighbours(vectors, backend="broken").exact(np.arange(120), 3)
    assert len(scans) == 120
    assert rows[7].tolist() == brute_force(vectors, 7, 3)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_error_bound_covers_what_float32_does(backend, kind):
    eps, tiny = np.finfo(np.float32).eps, np.finfo(np.float32).tiny
    for d in (1, 3, 50, 600):
        vectors = random_vectors(9, 80, d, kind)
        norms = kernels.squared_norms(vectors)
        rows, limits = BACKENDS[backend](vectors, norms)(vectors, 40)
        for query in range(80):
            true = ((vectors.astype(float) - vectors[query].astype(float)) ** 2).sum(1)
            reach = proved_reach(limits[query : query + 1], norms[query : query + 1], norms.max(), d)[0]
            assert reach <= np.delete(true, rows[query]).min()  # what the proof relies on
            assert true[rows[query]].max() <= reach + 8 * (d + 3) * (eps * norms.max() + tiny)  # as sharp as float32 is


def test_a_row_is_never_its_own_neighbour(backend):
    vectors = random_vectors(4, 50, 3, "all equal")
    rows, distances = Neighbours(vectors, backend=backend, k=7).build(progress=False).lists
    assert (rows != np.arange(50)[:, None]).all()
    assert (distances == 0).all()
    assert rows[0].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert rows[49].tolist() == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("k", [1, 5, 500])
def test_k_larger_than_the_pool_gives_the_whole_pool(backend, k):
    vectors = random_vectors(4, 12, 3, "normal")
    neighbours = Neighbours(vectors, backend=backend, k=k)
    assert neighbours.exact(np.array([3]), 500)[0].tolist() == [brute_force(vectors, 3, 11)[0]]
    assert neighbours.build(progress=False).lists[0].shape == (12, min(k, 11))


def test_two_rows_are_each_others_neighbours(backend):
    neighbours = Neighbours(np.array([[0.0], [3.0]], np.float32), backend=backend)
    everything = np.ones(2, bool)
    assert neighbours.nearest_to_any([0], 5, everything)[0].tolist() == [1]
    assert neighbours.nearest_to_any([0], 5, everything, include_queries=True)[0].tolist() == [0, 1]
    assert neighbours.nearest_to_any([0, 1], 5, everything)[1].tolist() == [9, 9]
    assert neighbours.build(progress=False).lists[0].tolist() == [[1], [0]]


def test_one_row_has_no_neighbours(backend):
    neighbours = Neighbours(np.ones((1, 2), np.float32), backend=backend)
    assert len(neighbours.nearest_to_any([0], 5, np.ones(1, bool))[0]) == 0
    assert neighbours.nearest_to_any([0], 5, np.ones(1, bool), include_queries=True)[0].tolist() == [0]


def test_float16_vectors_are_compared_as_they_are_stored(backend):
    vectors = random_vectors(8, 70, 4, "normal").astype(np.float16)
    rows, _ = Neighbours(vectors, backend=backend).exact(np.arange(70), 6)
    assert rows[5].tolist() == brute_force(vectors, 5, 6)[0]


@pytest.mark.parametrize(
    ("backend", "k", "match"), [("annoy", 5, "annoy.*allowed: blas, faiss, torch"), ("blas", 0, "k = 0")]
)
def test_bad_settings_are_refused(backend, k, match):
    with pytest.raises(ValueError, match=match):
        Neighbours(np.ones((3, 2)), backend=backend, k=k)


PROBLEMS = st.tuples(
    st.integers(0, 10_000),
    st.integers(2, 40),
    st.integers(1, 5),
    st.sampled_from(["normal", "duplicates", "grid", "all equal"]),
)


@settings(max_examples=250)
@given(problem=PROBLEMS, data=st.data())
def test_nearest_to_any_is_exact_for_any_mask_count_and_list_length(problem, data):
    _, n, _, _ = problem
    vectors = random_vectors(*problem)
    k = data.draw(st.integers(1, n + 5), label="k")
    queries = data.draw(st.lists(st.integers(0, n - 1), max_size=6), label="queries")
    count = data.draw(st.integers(0, n + 3), label="count")
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n), label="allowed"))
    include = data.draw(st.booleans(), label="include_queries")
    neighbours = Neighbours(vectors, backend="blas", k=k)
    if data.draw(st.booleans(), label="built"):
        neighbours.build(progress=False)
    for _ in range(2):  # the second time from the lists remembered
        rows, distances = neighbours.nearest_to_any(queries, count, allowed, include_queries=include)
        expected_rows, expected_distances = brute_force_any(vectors, queries, count, allowed, include)
        assert rows.tolist() == expected_rows
        assert rows.dtype == np.int64
        np.testing.assert_allclose(distances, expected_distances, rtol=1e-12, atol=0)
    rows, distances = neighbours.nearest_to_each(queries, count, allowed)
    each = [brute_force_any(vectors, [query], count, allowed, False) for query in queries]
    assert rows.tolist() == [row for found, _ in each for row in found]
    np.testing.assert_allclose(distances, [v for _, values in each for v in values], rtol=1e-12, atol=0)


@pytest.fixture
def work(monkeypatch):
    """Record the lists made, (rows, length), and the rows that passes over the pool are made for."""
    made, passed = [], []
    exact, complete = Neighbours.exact, OnePass.complete

    def lists(self, queries, k):
        made.append((len(queries), k))
        return exact(self, queries, k)

    def passes(self, known, queries, count, allowed):
        passed.append(queries.tolist())
        return complete(self, known, queries, count, allowed)

    monkeypatch.setattr(Neighbours, "exact", lists)
    monkeypatch.setattr(OnePass, "complete", passes)
    return made, passed


def test_a_list_too_short_costs_a_pass_and_the_second_time_it_is_lengthened(work):
    made, passed = work
    vectors = random_vectors(0, 500, 2, "normal")
    neighbours = Neighbours(vectors, backend="blas", k=4).build(progress=False)
    allowed = np.ones(500, bool)
    neighbours.nearest_to_any([1], 3, allowed)
    assert made == passed == []  # the lists made by build suffice
    for made_by_then in ([], [(1, 32)], [(1, 32)]):
        rows, _ = neighbours.nearest_to_any([1], 4, allowed)  # row 5 could lie as far as row 4
        assert rows.tolist() == brute_force_any(vectors, [1], 4, allowed, False)[0]
        assert (made, passed) == (made_by_then, [[1]])


def test_only_a_few_lists_are_lengthened_while_someone_waits(work):
    made, _ = work
    neighbours = Neighbours(random_vectors(0, 500, 2, "normal"), backend="blas", k=4).build(progress=False)
    for _ in range(7):
        neighbours.nearest_to_any(range(20), 400, np.ones(500, bool))
    assert made == [(4, 32)] * 5


@pytest.mark.parametrize("magnitude", [1e21, 1e37])
def test_short_lists_are_completed_where_float32_says_nothing(magnitude):
    vectors = (random_vectors(0, 80, 3, "normal") * magnitude).astype(np.float32)
    neighbours = Neighbours(vectors, backend="blas", k=3).build(progress=False)
    rows, _ = neighbours.nearest_to_any([4, 9], 40, np.ones(80, bool))
    assert rows.tolist() == brute_force_any(vectors, [4, 9], 40, np.ones(80, bool), False)[0]


def test_torch_keeps_its_settings():
    torch = pytest.importorskip("torch")
    before = torch.backends.cuda.matmul.allow_tf32
    try:
        torch.backends.cuda.matmul.allow_tf32 = True
        Neighbours(random_vectors(0, 50, 3, "normal"), backend="torch").exact(np.arange(3), 5)
        assert torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def test_remembered_lists_are_bounded_and_stay_right(monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES", 1500)  # five lists of 24 neighbours, twelve bytes each
    vectors = random_vectors(0, 60, 3, "normal")
    neighbours = Neighbours(vectors, backend="blas", k=3)
    allowed = np.ones(60, bool)
    for queries in (range(20), range(10, 30), range(3), range(60)):
        rows, _ = neighbours.nearest_to_any(list(queries), 9, allowed)
        assert rows.tolist() == brute_force_any(vectors, list(queries), 9, allowed, False)[0]
        assert sum(a.nbytes + b.nbytes for a, b in neighbours._longer.values()) <= 1500


def test_lists_handed_in_are_used(tiny_pool):
    vectors = tiny_pool[0]
    built = Neighbours(vectors, k=12, backend="blas").build(progress=False)
    handed = Neighbours(vectors, lists=built.lists)
    assert handed.k == 12
    allowed = np.ones(len(vectors), bool)
    for count in (3, 30):
        np.testing.assert_array_equal(
            handed.nearest_to_any([4, 9], count, allowed)[0], built.nearest_to_any([4, 9], count, allowed)[0]
        )


def test_queries_given_twice_count_once(tiny_pool):
    neighbours = Neighbours(tiny_pool[0], backend="blas")
    allowed = np.ones(240, bool)
    np.testing.assert_array_equal(
        neighbours.nearest_to_any([7, 7, 3], 9, allowed)[0], neighbours.nearest_to_any([3, 7], 9, allowed)[0]
    )
