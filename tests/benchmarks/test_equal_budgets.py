"""The parts of the comparison at equal budgets that are the benchmark's own: its pools, SEALS, and the limit."""

import argparse

import numpy as np
import pandas as pd
import pytest

from benchmarks import equal_budgets, every_label, rankers, seals, text_pool
from benchmarks.near_rows import near_rows
from benchmarks.summary import RESULTS
from elsa_nb.bench.arms import Spaces
from elsa_nb.pool import Pool
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.strategies.harvest import Harvest
from elsa_nb.search.version import SEARCH

LISTED = """Package: b
Description: A game
 of two paragraphs.
 .
 Both are left out.
Tag: game::board, role::program,
 use::gameplaying

Package: a
Tag: game::board
Description: Another game

Package: untagged
Description: nothing
"""


def test_texts_are_short_descriptions_and_classes_are_tags_of_what_a_package_is_about(monkeypatch):
    monkeypatch.setattr(text_pool, "SMALLEST", 1)
    texts, tags = text_pool.texts_and_tags(text_pool.stanzas(LISTED.splitlines()))
    assert texts.to_dict() == {"a": "Another game", "b": "A game"}
    assert list(tags.itertuples(index=False, name=None)) == [
        ("a", "game::board"),
        ("b", "game::board"),
        ("b", "use::gameplaying"),
    ]


def test_the_ranking_by_all_labels_has_every_row_once_and_the_class_first(spaces):
    positive = np.arange(330) < 30
    order = every_label.labels_in_order(PreparedRows.of(spaces.pool.vectors), positive)
    assert sorted(order) == list(range(330))
    assert positive[order[:40]].sum() >= 29


def test_of_rows_that_stand_in_the_pool_twice_both_are_of_the_class_and_their_equals_wait():
    vectors = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
    vectors[:20] += 3
    pool, positive = Pool.from_arrays(vectors), np.arange(200) < 20
    asked = argparse.Namespace(dataset="drawn", spaces=["space"], twice=0.3, share=None)
    sought = equal_budgets._sought(asked, Spaces(pool), "the first", positive, 0)
    again = sought.spaces.pool
    copies = np.flatnonzero([name.endswith(", again") for name in again.ids])
    originals = [again.ids.tolist().index(name.removesuffix(", again")) for name in again.ids[copies]]
    assert sought.pool == "drawn-space, 30% twice"
    assert len(copies) == 60
    assert len(again) == 260
    assert (again.vectors[copies] == again.vectors[originals]).all()
    assert (sought.positive[copies] == sought.positive[originals]).all()
    assert (sought.positive[:200] == positive).all()
    assert len(sought.spaces.rows().twins) == 120
    other = equal_budgets._sought(asked, Spaces(pool), "the first", positive, 1)
    assert other.spaces.pool.ids.tolist() != again.ids.tolist()


def test_seals_asks_neighbours_of_what_is_labelled_only(spaces, monkeypatch):
    monkeypatch.setattr(seals, "NEAREST", 5)
    search = seals.seals()(spaces, np.array([0]), 60, np.random.default_rng(0))
    lists, known, asked = near_rows(spaces)[0][:, :5], [0], []
    while (batch := search.query()) is not None:
        near = set(lists[known].ravel())
        assert set(batch.rows) <= near
        asked += batch.rows.tolist()
        known += batch.rows.tolist()
        search.update((batch.rows < 30).astype(np.int8))
    assert len(asked) == len(set(asked))
    assert sum(row < 30 for row in asked) >= 20


def test_seals_by_maxent_asks_beside_the_line_and_finds_fewer(spaces):
    found = {}
    for least_sure in (False, True):
        search = seals.seals(least_sure)(spaces, np.array([0]), 40, np.random.default_rng(0))
        rows = [row for row, _ in _asked(search, 40)]
        found[least_sure] = sum(row < 30 for row in rows)
        assert len(rows) == len(set(rows)) == 40
    assert found[True] < found[False]


def _asked(search, budget):
    """Return (row, component) of what a search asks, at most `budget`."""
    asked = []
    while len(asked) < budget and (batch := search.query()) is not None:
        asked += zip(batch.rows.tolist(), batch.components.tolist(), strict=True)
        search.update((batch.rows < 30).astype(np.int8))
    return asked[:budget]


CHANGED = (
    "judges added as they are",
    "costs are not balanced",
    "no least weight of a side",
    "equal rows are all asked",
)


@pytest.mark.parametrize("name", [*(f"Harvest: {part}" for part in CHANGED), "ELSA, prepared", "NN.Large, prepared"])
def test_a_changed_arm_searches_otherwise_than_the_one_it_changes(spaces, name):
    twins = np.array(spaces.pool.vectors)
    twins[100:140] = twins[5]  # forty refusals that look like a member
    spaces = Spaces(Pool.from_arrays(twins))
    whole = equal_budgets.ARMS[name.split(":")[0].split(",")[0]]
    rows, before = (
        [row for row, _ in _asked(arm(spaces, np.array([0]), 120, np.random.default_rng(0)), 120)]
        for arm in (equal_budgets.ARMS[name], whole)
    )
    assert len(rows) == len(set(rows)) and 0 not in rows
    assert sum(row < 30 for row in rows) >= 15
    assert rows != before


@pytest.mark.parametrize("name", rankers.RANKERS)
def test_a_ranker_asks_every_row_once_and_members_early(spaces, name):
    search = rankers.RANKERS[name](spaces, np.array([0]), 300, np.random.default_rng(0))
    asked = []
    while (batch := search.query()) is not None:
        asked += batch.rows.tolist()
        search.update((batch.rows < 30).astype(np.int8))
    assert len(asked) == len(set(asked)) == 300 and 0 not in asked
    if name != "Margin":  # which asks what is unsure, not what is likely
        assert sum(row < 30 for row in asked[:100]) >= 20  # nine, were they asked in random order
    rankers._clusters.cache_clear()


def test_a_class_is_made_rare_in_every_space_alike(spaces):
    asked = argparse.Namespace(dataset="made-up", spaces=["of-8"], share=0.02, twice=None)
    whole = np.arange(330) < 30
    _, positive, fewer, name = equal_budgets._sought(asked, spaces, "x", whole, 0)
    assert positive.sum() == 6 and len(positive) == fewer.pool.n == 306
    assert set(fewer.pool.ids[positive]) < set(spaces.pool.ids[:30])
    assert list(fewer.pool.ids[~positive]) == list(spaces.pool.ids[30:])
    assert name == "made-up-of-8, 2%"
    _, again, others, _ = equal_budgets._sought(asked, spaces, "x", whole, 1)
    assert again.sum() == 6 and set(others.pool.ids[again]) != set(fewer.pool.ids[positive])


def test_two_forms_of_a_class_are_seen():
    rng = np.random.default_rng(0)
    one, other = rng.normal((5, 0, 0), 0.1, (30, 3)), rng.normal((0, 5, 0), 0.1, (10, 3))
    share, alike = equal_budgets.two_forms(np.concatenate([one, other]))
    assert share == 0.25 and abs(alike) < 0.1
    assert equal_budgets.two_forms(one)[1] > 0.9


def test_an_interrupted_comparison_goes_on(spaces, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "pools" / "made-up-of-8"
    spaces.pool.save(folder)
    pd.DataFrame({"id": np.arange(50), "label": "x"}).to_csv(folder / "labels.csv", index=False)
    monkeypatch.setattr(equal_budgets, "DATA", tmp_path)
    line = [
        "",
        "made-up",
        "of-8",
        "--half",
        equal_budgets.half_of("x"),
        "--budget",
        "40",
        "--limit",
        "--out",
        str(tmp_path),
    ]
    monkeypatch.setattr("sys.argv", [*line, "--arms", "Harvest"])
    equal_budgets.main()
    first = pd.read_csv(tmp_path / "equal_budgets.csv")
    assert first.arm.tolist() == ["Random", "Every label known", "Harvest"]
    monkeypatch.setattr("sys.argv", [*line, "--arms", "Harvest", "ELSA"])
    capsys.readouterr()
    equal_budgets.main()
    assert "Harvest" not in capsys.readouterr().out
    both = pd.read_csv(tmp_path / "equal_budgets.csv")
    assert set(both.arm) == {*first.arm, "ELSA"}
    assert {"gap_80", "of_elsa"} <= set(pd.read_csv(tmp_path / "equal_budgets_summary.csv"))
    monkeypatch.setattr(Harvest, "version", Harvest.version + 1)
    equal_budgets.main()
    told = capsys.readouterr().out
    assert "Harvest" in told and "ELSA" not in told
    again = pd.read_csv(tmp_path / "equal_budgets.csv", dtype={"version": str})
    assert sorted(again.arm) == sorted(both.arm)
    assert again.set_index("arm").version["Harvest"] == f"{SEARCH}.{Harvest.version}"


def test_rows_of_changed_code_are_not_stored_among_the_results(monkeypatch, capsys):
    monkeypatch.setattr(equal_budgets, "commit", lambda: "abc+")
    monkeypatch.setattr("sys.argv", ["", "made-up", "of-8"])
    with pytest.raises(SystemExit):
        equal_budgets.main()
    assert "commit the changes first" in capsys.readouterr().err


def test_searches_of_two_pools_of_one_name_are_not_mixed(tmp_path):
    key = dict.fromkeys(equal_budgets.KEY, "x") | {"class_size": 40, "half": "tuning"}
    path = tmp_path / "equal_budgets.csv"
    text = pd.DataFrame([key]).to_csv(index=False)
    path.write_text(text)
    with pytest.raises(ValueError, match="another pool of that name"):
        equal_budgets._store(path, pd.DataFrame([key | {"arm": "y", "class_size": 41}]))
    assert path.read_text() == text


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.csv")), ids=lambda path: path.name)
def test_every_stored_row_names_a_committed_state(path):
    """A state with changes that were not committed has a plus behind its name."""
    rows = pd.read_csv(path)
    if "commit" in rows:
        assert rows["commit"].dropna().str.fullmatch("[0-9a-f]{9}").all()
