"""Errors are as many and where they are said to be, and searches are measured by the truth."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from benchmarks import people_who_err as simulated
from benchmarks.erring import MOST, LooksAlike, People, likeness, shuffled
from elsa_nb.bench.arms import Spaces
from elsa_nb.pool import Pool
from elsa_nb.search.oracle import Truth
from elsa_nb.search.recheck import Rechecked

N, BUDGET = 1200, 800
CLASS = np.arange(N) % 20 == 0


@pytest.fixture(scope="module")
def spaces():
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(N, 8)) + 1.2 * CLASS[:, None]).astype(np.float32)
    return Spaces(Pool.from_arrays(vectors))


def test_errors_where_classes_look_alike_are_as_many_and_elsewhere_few(spaces):
    rows = np.random.default_rng(1).permutation(N)
    alike = likeness(spaces.rows(), CLASS, np.random.default_rng(0))
    oracle = LooksAlike(CLASS, 0.1, alike, np.random.default_rng(2))
    wrong = np.concatenate([oracle.label(part) != CLASS[part] for part in np.split(rows, 12)])
    assert wrong.mean() == pytest.approx(0.1, abs=0.03)
    most = alike[rows] >= np.quantile(alike, 0.8)
    assert wrong[most].mean() > 4 * wrong[~most].mean()
    hardest = rows[np.argmax(alike[rows])]
    again = [oracle.label(np.array([hardest]))[0] != CLASS[hardest] for _ in range(200)]
    assert 0.02 < np.mean(again) < MOST + 0.12  # drawn anew, with the same probability


def test_each_question_asked_again_is_for_the_next_person():
    people = People(np.array([[True, False], [False, False], [True, True]]))
    assert people.label(np.array([0, 1])).tolist() == [1, 0]
    assert people.label(np.array([0])).tolist() == [0]
    assert people.label(np.array([1, 0])).tolist() == [0, 1]
    assert people.label(np.array([0])).tolist() == [1]  # the first again


def test_shuffled_errors_are_as_many_on_either_side_or_in_all():
    answers = np.stack([CLASS ^ (np.arange(N) < 300), CLASS])
    rng = np.random.default_rng(0)
    aside, anywhere = (shuffled(answers, CLASS, rng, sides=sides) ^ CLASS for sides in (True, False))
    before = answers ^ CLASS
    for part in (CLASS, ~CLASS):
        np.testing.assert_array_equal(aside[:, part].sum(1), before[:, part].sum(1))
    np.testing.assert_array_equal(anywhere.sum(1), before.sum(1))
    assert (aside[0] != before[0]).any()


@pytest.mark.parametrize("arm", simulated.ARMS)
@pytest.mark.parametrize("again", [False, True])
def test_every_arm_is_measured_by_the_truth(spaces, arm, again):
    search = simulated.ARMS[arm](spaces, np.flatnonzero(CLASS)[:5], BUDGET, np.random.default_rng(0))
    if again:
        search = Rechecked(search, spaces.rows(), rng=0)
    case = simulated.Case(spaces, CLASS, lambda errors, rng: Truth(CLASS))
    row = simulated.run(search, case, case.oracle("none", np.random.default_rng(0)), BUDGET)
    assert row["wrong"] == row["false"] == row["changed"] == 0
    assert row["kept"] == row["discovery"] == pytest.approx(np.isin(np.flatnonzero(CLASS), search.positives).mean())
    assert (row["asked_again"] > 0) <= again
    if row["discovery"] >= 0.8:
        assert 43 <= row["shown_80"] <= row["kept_80"] <= row["labels"]
    else:
        assert row["shown_80"] == row["kept_80"] == 0


def test_the_most_telling_searches_come_first():
    units = list(simulated.units("glyphs", ["a", "b"]))
    assert units[:3] == [(0, "none", "a"), (0, "flips 0.1", "a"), (0, "alike 0.1", "a")]
    often, seldom = simulated.REPEATS["glyphs"]
    assert len(set(units)) == len(units) == 2 * (3 * often + (len(simulated.ERRORS["glyphs"]) - 3) * seldom)


def test_searches_of_two_processes_are_all_kept_and_none_twice(tmp_path):
    path = tmp_path / "searches.csv"
    rows = pd.DataFrame([dict.fromkeys(simulated.KEY, "x") | {"repeat": i, "again": False} for i in range(8)])
    with ThreadPoolExecutor(8) as processes:
        list(processes.map(lambda i: simulated._add(path, rows.iloc[[i, (i + 1) % 8]]), range(8)))
    assert sorted(pd.read_csv(path)["repeat"]) == list(range(8))
    assert list(tmp_path.iterdir()) == [path]
