"""The committed results: made by the committed code, unaltered, and what the README and the figures show."""

import shutil
from dataclasses import replace
from functools import lru_cache

import pandas as pd
import pytest

from elsa_nb import profiles, store
from elsa_nb.errors import CorruptFileError
from elsa_nb.paper.experiments.catalogue import sweep
from elsa_nb.paper.experiments.hyperparameters import tables as hyperparameters
from elsa_nb.paper.experiments.noise import tables as noise
from elsa_nb.paper.experiments.photographs import tables as photographs
from elsa_nb.paper.experiments.trade_off import tables as trade_off
from elsa_nb.paper.measures import budgets, by_arm
from elsa_nb.paper.publishing import exhibits, readme_blocks
from elsa_nb.paper.runs import runner
from elsa_nb.paper.runs.grid import Setting

KEPT = [
    *((name, "full") for name in ("components", "hyperparameters", "noise", "encoders", "trade-off")),
    *((name, "photos") for name in ("components", "thinned", "food-101")),
]


@pytest.fixture(scope="module", params=KEPT, ids=" ".join)
def kept(request):
    return request.param


@pytest.fixture(scope="module")
def all_runs(kept):
    return runner.load(*kept)


@pytest.fixture(scope="module")
def runs():
    return runner.load("components", "full")


def test_the_code_that_made_them_is_the_code_that_is_here(kept):
    card = store.read_json(runner.results_file(*kept).with_suffix(".json"))
    assert card["provenance"]["code"] == store.code_hash(*runner.CODE), "the search changed: run `make full` again"


def test_every_search_of_the_sweep_is_there_once(kept, all_runs):
    plan = sweep(*kept)
    assert all_runs["target"].nunique() == plan.n_classes
    one_class = replace(plan, chosen="by name", targets=(all_runs["target"].iloc[0],), least_members=1)
    one = next(one_class.units(all_runs["target"]))
    assert len(all_runs) == len(one) * plan.n_classes * len(plan.encoders)
    assert not all_runs.duplicated(list(Setting.__dataclass_fields__)).any()


def test_a_cell_that_was_altered_is_found(tmp_path, monkeypatch):
    for suffix in (".parquet", ".json"):
        shutil.copy(runner.results_file("components", "full").with_suffix(suffix), tmp_path)
    frame = pd.read_parquet(tmp_path / "components-full.parquet")
    frame.loc[3, "discovery_rate"] += 1e-9
    frame.to_parquet(tmp_path / "components-full.parquet")
    monkeypatch.setattr(runner, "RESULTS", tmp_path)
    with pytest.raises(CorruptFileError, match=r"components-full\.parquet was altered"):
        runner.load("components", "full")


def test_every_row_says_how_to_make_it_again(all_runs):
    for column in ("config", "seed", "pool_recipe", "pool_sha256", "code", "versions", "log_sha256"):
        assert (all_runs[column].str.len() > 5).all()
    assert (all_runs["seconds"] > 0).all()


def test_the_measures_of_every_row_agree_with_one_another(all_runs):
    assert (all_runs["discovery_rate"] - all_runs["found"] / all_runs["class_size"]).abs().max() < 1e-12
    assert (all_runs["labelling_efficiency"] - all_runs["found"] / all_runs["labels"]).abs().max() < 1e-12
    assert (all_runs["found"] <= all_runs["class_size"]).all()
    assert (all_runs["found"] >= all_runs["seeds"]).all()


def test_the_readme_shows_them():
    text = (store.ROOT / "README.md").read_text(encoding="utf-8")
    assert text == readme_blocks.with_blocks(text), "README.md is stale: run `elsa-nb readme`"


@lru_cache(maxsize=1)
def loaded(name, profile_name):
    return runner.load(name, profile_name)


# What each exhibit with searches behind it shows: how its rows are made, and from which results.
SHOWN = {
    **{f"table{n:02}": (lambda runs, n=n: by_arm.beside_paper(runs, n), "components", "full") for n in (2, 3, 4)},
    "equal-budget": (budgets.equal_budget, "components", "full"),
    **{
        f"table{n:02}": (lambda runs, n=n: hyperparameters.table(runs, n), "hyperparameters", "full")
        for n in (6, 7, 8, 9)
    },
    "silent-choices": (hyperparameters.silent_choices, "hyperparameters", "full"),
    "table10": (noise.table, "noise", "full"),
    "noise-labels": (noise.labels_by_component, "noise", "full"),
    "noise-choices": (noise.choices, "noise", "full"),
    "fig03-trade-off": (trade_off.points, "trade-off", "full"),
    "trade-off-equal-budget": (trade_off.budget_curves, "trade-off", "full"),
    "photos-table02": (lambda runs: by_arm.beside_paper(runs, 2), "components", "photos"),
    "photos-tables03-04": (photographs.by_components, "components", "photos"),
    "photos-thinned-tables03-04": (photographs.by_components, "thinned", "photos"),
    "photos-equal-budget": (budgets.equal_budget, "thinned", "photos"),
    "photos-chance": (photographs.beyond_chance, "components", "photos"),
    "table11": (photographs.table11, "food-101", "photos"),
}


@pytest.mark.parametrize("exhibit", SHOWN)
def test_the_committed_exhibits_show_them(exhibit):
    make, *source = SHOWN[exhibit]
    rows = make(loaded(*source)).reset_index(drop=True)
    kept = pd.read_csv(profiles.profile("full").figures / f"{exhibit}.csv")
    numbers = rows.select_dtypes("number").columns
    assert len(numbers) >= 3
    pd.testing.assert_frame_equal(kept[numbers].astype(float), rows[numbers].astype(float), rtol=1e-5)


def test_nothing_in_the_catalogue_is_missing():
    assert exhibits.read_index(profiles.profile("full").figures)["name"].tolist() == list(exhibits.CATALOGUE)


def test_every_figure_comes_with_its_picture_and_rows():
    folder = profiles.profile("full").figures
    for row in exhibits.read_index(folder).itertuples():
        kinds = ("html", "csv") if row.kind == "table" else ("png", "svg", "csv")
        for suffix in kinds:
            assert (folder / f"{row.name}.{suffix}").stat().st_size > 0
