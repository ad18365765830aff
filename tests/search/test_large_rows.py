"""Prepared rows on disk: what they are, that they are whole or not there, and that a search in them asks the same."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.pool import Pool
from elsa_nb.search.heads.large_rows import LargeRows
from elsa_nb.search.heads.neighbourhood import Followed
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.oracle import Truth, simulate, simulate_together
from elsa_nb.search.strategies.harvest import Harvest, HarvestConfig
from elsa_nb.side_by_side import by_direction

N = 6000


@pytest.fixture(scope="module")
def space():
    """Return a pool of 6,000 in 60 clusters, whose dimensions differ in scale, and which cluster each row is of."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 60, N)
    vectors = rng.normal(size=(60, 24))[classes] * 0.6 + rng.normal(size=(N, 24))
    vectors = (vectors * np.geomspace(1, 9, 24)).astype(np.float32)
    vectors[5000:5004] = vectors[17]
    return Pool.from_arrays(vectors, name="clusters"), classes


@pytest.fixture(scope="module")
def large(space, tmp_path_factory):
    return LargeRows.make(space[0], tmp_path_factory.mktemp("rows"), progress=False)


@pytest.fixture(scope="module")
def in_part(large):
    """Return the rows, to be looked at in part: 200 rows that may be asked, and 500 for the scale."""
    return replace(large, shortlist=200, scaled_by=500)


def harvest(space, rows, target=3, **fields):
    members = np.flatnonzero(space[1] == target)
    return Harvest(space[0], members[:2], config=HarvestConfig(**fields), rng=0, prepared_rows=rows)


def test_rows_are_those_prepared_in_memory_as_half_precision_and_codes_within_half_a_step(space, large):
    np.testing.assert_array_equal(large.vectors, PreparedRows.of_pool(space[0]).vectors.astype(np.float16))
    np.testing.assert_array_equal(large.twins, [17, 5000, 5001, 5002, 5003])
    np.testing.assert_array_equal(large.twin_groups, np.zeros(5))
    assert len({row.tobytes() for row in large.vectors[large.twins]}) == 1
    back = large.codes * large.steps
    assert (np.abs(back - large.vectors.astype(np.float32)) <= 0.5001 * large.steps).all()
    assert np.abs(large.codes).max(0).tolist() == [127] * large.codes.shape[1]
    np.testing.assert_array_equal(large.single(np.array([4, 2])), large.vectors[[4, 2]])
    np.testing.assert_array_equal(large.take(np.array([4, 2])), large.vectors[[4, 2]].astype(float))


def test_lines_are_read_off_the_codes_together_as_alone(large):
    rng = np.random.default_rng(1)
    weights, biases = rng.normal(size=(3, large.codes.shape[1])), rng.normal(size=3)
    together = large.project(weights, biases)
    for number in range(3):
        np.testing.assert_array_equal(together[number], large.project(weights[[number]], biases[[number]])[0])
    literal = (large.codes * large.steps.astype(float)) @ weights.T + biases
    np.testing.assert_allclose(together, literal.T, atol=2e-4)  # weights are whole numbers up to 2^15
    assert np.corrcoef(together[0], large.take(np.arange(N)) @ weights[0])[0, 1] > 0.999


@pytest.mark.parametrize("k", [1, 256, 512, 3000])
def test_the_largest_sums_of_codes_are_held(large, k):
    codes = np.array([[127] * k, [-127] * k, [0] * k], np.int8)
    rows = replace(large, codes=codes, vectors=codes.astype(np.float16), steps=np.ones(k, np.float32))
    weights = np.array([[2.5] * k, [-1e-30] * k, [0.0] * k])
    expected = weights @ codes.T.astype(float)
    np.testing.assert_allclose(rows.project(weights, np.zeros(3)), expected, rtol=1e-4)


def test_vectors_of_one_length_and_several_encoders_are_prepared_as_in_memory(space, tmp_path):
    pool = replace(space[0], widths=(10, 14))
    rows = LargeRows.make(pool, tmp_path, one_length=True, progress=False)
    expected = PreparedRows.of_pool(by_direction(pool)).vectors.astype(np.float16)
    np.testing.assert_array_equal(rows.vectors, expected)


@pytest.mark.parametrize("name", ["vectors.npy", "codes.npy", "steps.npy", "twins.npy", "card.json"])
def test_damaged_and_missing_files_are_refused_with_the_cure(space, tmp_path, name):
    folder = tmp_path / "rows"
    LargeRows.make(space[0], folder, progress=False)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    with pytest.raises(CorruptFileError, match=rf"{name}.*Delete the folder .*rows"):
        LargeRows.open(folder)
    (folder / name).unlink()
    with pytest.raises(MissingDataError, match=rf"{name} is not here.*Delete the folder"):
        LargeRows.open(folder, verify=False)


def test_files_of_another_shape_are_refused_without_their_checksums(space, tmp_path):
    LargeRows.make(space[0], tmp_path, progress=False)
    np.save(tmp_path / "codes.npy", np.zeros((N - 1, 24), np.int8))
    with pytest.raises(CorruptFileError, match=r"\(5999, 24\).*Delete the folder"):
        LargeRows.open(tmp_path, verify=False)


def test_what_a_killed_process_has_left_is_removed(space, tmp_path):
    """Gigabytes in files of no name, one more with each attempt."""
    code = """
import os, sys
from pathlib import Path
import numpy as np
from elsa_nb.pool import Pool
from elsa_nb.search.heads import large_rows

def killed(items, *_):
    yield items[0]
    os._exit(9)

large_rows.bar = killed
pool = Pool.from_arrays(np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32))
large_rows.LargeRows.make(pool, Path(sys.argv[1]), progress=False)
"""
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 9
    assert [path for path in tmp_path.iterdir() if path.suffix == ".part"]
    LargeRows.make(space[0], tmp_path, progress=False)
    names = {"card.json", "vectors.npy", "codes.npy", "steps.npy", "twins.npy"}
    assert {path.name for path in tmp_path.iterdir()} == names


def test_a_full_disk_is_told_before_anything_is_made(space, tmp_path, monkeypatch):
    made = LargeRows.make(space[0], tmp_path, progress=False)
    size = made.vectors.nbytes + made.codes.nbytes
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=-size))  # more than is there is needed
    with pytest.raises(OSError, match=r"0.0 GB of prepared rows need room.*make room.*test_a_full"):
        LargeRows.make(space[0], tmp_path, progress=False)
    LargeRows.open(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))  # what is replaced makes room
    LargeRows.make(space[0], tmp_path, progress=False)


def test_what_is_interrupted_is_not_taken_for_finished(space, tmp_path, monkeypatch):
    LargeRows.make(space[0], tmp_path, progress=False)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(np, "rint", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        LargeRows.make(space[0], tmp_path, progress=False)
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".part"]
    with pytest.raises(MissingDataError):
        LargeRows.open(tmp_path)
    LargeRows.make(space[0], tmp_path, progress=False)


def test_a_search_that_looks_at_all_rows_asks_what_it_asks_in_memory(space, large):
    """The scale is then that of all rows too: what differs is the rounding of the rows to half precision."""
    as_single, all_of_them = in_memory(large), replace(large, scaled_by=N)
    for target in range(3):
        asked = [
            simulate(harvest(space, rows, target, budget=200), Truth(space[1] == target)).rows
            for rows in (as_single, all_of_them)
        ]
        assert asked[0].tolist() == asked[1].tolist()


def in_memory(large):
    """Return the same rows as those that are looked at whole."""
    return PreparedRows(large.vectors.astype(np.float32), large.twins, large.twin_groups)


def test_a_search_that_looks_at_few_rows_asks_much_the_same_and_finds_as_many(space, in_part):
    found = []
    for target in range(8):
        truth = space[1] == target
        logs = [
            simulate(harvest(space, rows, target, budget=250), Truth(truth)).rows
            for rows in (in_memory(in_part), in_part)
        ]
        assert len(np.intersect1d(*logs)) > 180
        found.append([truth[rows].sum() for rows in logs])
    whole, part = np.sum(found, axis=0)
    assert part == pytest.approx(whole, rel=0.03)


def test_sums_of_rows_that_came_later_are_those_over_all_answers(space, in_part):
    search, oracle = harvest(space, in_part), Truth(space[1] == 3)
    for _ in range(6):
        search.update(oracle.label(search.query().rows))
    search.amend(search.log.rows[:5], [1, 0, 1, -1, 0])
    search.query()
    kept = search._neighbourhood
    anew = Followed(in_part, kept.rows)
    anew.update(search._ledger.known, search._ledger.answers[search._ledger.known])
    np.testing.assert_array_equal(kept.positive, anew.positive)
    np.testing.assert_array_equal(kept.negative, anew.negative)
    np.testing.assert_array_equal(kept.line(search._head), anew.line(search._head))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sets(st.integers(0, N - 1), min_size=1, max_size=60), min_size=1, max_size=6), st.data())
def test_whatever_rows_are_followed_and_answers_changed_the_sums_are_those_made_anew(large, followed, data):
    answers = np.full(N, -2, np.int8)
    near = None
    for rows in followed:
        rows = np.array(sorted(rows))
        changed = data.draw(st.dictionaries(st.integers(0, N - 1), st.sampled_from([-1, 0, 1]), max_size=9))
        answers[list(changed)] = list(changed.values())
        known = np.flatnonzero(answers != -2)
        near = near or Followed(large, rows)
        near.follow(rows)
        near.update(known, answers[known])
        anew = Followed(large, rows)
        anew.update(known, answers[known])
        np.testing.assert_array_equal(near.positive, anew.positive)
        np.testing.assert_array_equal(near.negative, anew.negative)


@pytest.mark.parametrize("answered", [0, 300])
def test_what_is_near_finds_that_the_line_does_not_reach_is_followed(space, in_part, answered):
    """A find far from the class: what is near it is not on the shortlist of the line, and would be missed.

    Rows near it that are answered, even if none is nearer, take no place of those that may be asked.
    """
    search = harvest(space, replace(in_part, shortlist=20))
    search.update(np.ones(len(search.query().rows), int))
    far = int(np.argmin(search.scores()))
    order = np.argsort(-(in_part.take(np.arange(N)) @ in_part.take(np.array([far]))[0]))
    refused = np.setdiff1d(order[:answered], [*search._ledger.known, far])
    search._ledger.answers[far], search._ledger.answers[refused] = 1, 0
    search._ledger._known = np.union1d(search._ledger._known, [far, *refused])
    search.query()
    nearest = np.setdiff1d(order[: answered + 60], search._ledger.known)
    assert np.isin(nearest, search._neighbourhood.rows).all()


def test_every_row_has_a_confidence_and_those_to_be_asked_a_high_one(space, in_part):
    search, oracle = harvest(space, in_part), Truth(space[1] == 3)
    for _ in range(4):
        search.update(oracle.label(search.query().rows))
    batch = search.query()
    scores = search.scores()
    assert scores.shape == (N,) and ((scores >= 0) & (scores <= 1)).all()
    assert scores[batch.rows].min() >= np.partition(scores, N - 200)[N - 200]


def test_searches_scored_together_ask_what_each_asks_alone_in_parts(space, in_part):
    truths = [space[1] == target for target in (3, 4)]
    together = [harvest(space, in_part, target, budget=60) for target in (3, 4)]
    logs = simulate_together(together, [Truth(truth) for truth in truths])
    for target, truth, log in zip((3, 4), truths, logs, strict=True):
        assert log.rows.tolist() == simulate(harvest(space, in_part, target, budget=60), Truth(truth)).rows.tolist()


def test_a_pool_is_asked_to_its_end_and_twins_come_last(space, tmp_path):
    vectors = space[0].vectors[:120].copy()
    vectors[40:60] = vectors[40]
    pool = Pool.from_arrays(vectors)
    rows = replace(LargeRows.make(pool, tmp_path, progress=False), shortlist=30)
    log = simulate(Harvest(pool, [0], rng=0, prepared_rows=rows), Truth(np.zeros(120, bool)))
    assert sorted(log.rows) == list(range(1, 120))
    assert set(log.rows[-19:]) <= set(range(40, 60))
