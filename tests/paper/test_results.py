"""The committed results: made by the committed code, unaltered, and what the README and the figures show."""

import pandas as pd
import pytest

from elsa_nb import profiles, store
from elsa_nb.paper import curves, publish, readme, runner, tables
from elsa_nb.paper.sweeps import sweep

SWEEPS = ["components"]


@pytest.fixture(scope="module", params=SWEEPS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def runs():
    return runner.load("components", "full")


def test_the_code_that_made_them_is_the_code_that_is_here(name):
    card = store.read_json(runner.results_file(name, "full").with_suffix(".json"))
    assert card["provenance"]["code"] == store.code_hash(*runner.CODE), "the search changed: run `make full` again"


def test_every_search_of_the_sweep_is_there_once(runs):
    names = runner.class_names("full")
    planned = [s for unit in sweep("components", "full").units(names) for s in unit]
    kept = runs[["sweep", "reading", "encoder", "space", "arm", "target", "seeds", "repeat"]]
    assert len(kept) == len(planned)
    assert set(kept.itertuples(index=False, name=None)) == {tuple(vars(s).values()) for s in planned}


def test_every_row_says_how_to_make_it_again(runs):
    for column in ("config", "seed", "pool_recipe", "pool_sha256", "code", "versions", "log_sha256"):
        assert (runs[column].str.len() > 5).all()
    assert (runs["seconds"] > 0).all()


def test_the_measures_of_every_row_agree_with_one_another(runs):
    assert (runs["discovery_rate"] - runs["found"] / runs["class_size"]).abs().max() < 1e-12
    assert (runs["labelling_efficiency"] - runs["found"] / runs["labels"]).abs().max() < 1e-12
    assert (runs["found"] <= runs["class_size"]).all()
    assert (runs["found"] >= runs["seeds"]).all()


def test_the_readme_shows_them():
    text = (store.ROOT / "README.md").read_text(encoding="utf-8")
    assert text == readme.with_blocks(text), "README.md is stale: run `elsa-nb readme`"


def test_the_committed_exhibits_show_them(runs, tmp_path):
    folder = profiles.profile("full").figures
    assert publish.read_index(folder)["name"].tolist() == list(publish.CATALOGUE)
    shown = {
        "table02": tables.beside_paper(runs, 2),
        "table03": tables.beside_paper(runs, 3),
        "table04": tables.beside_paper(runs, 4),
        "equal-budget": curves.equal_budget(runs),
    }
    for exhibit, rows in shown.items():
        kept = pd.read_csv(folder / f"{exhibit}.csv")
        pd.testing.assert_series_equal(kept["median"], rows["median"].reset_index(drop=True), rtol=1e-5)
        pd.testing.assert_series_equal(kept["high"], rows["high"].reset_index(drop=True), rtol=1e-5)


def test_every_figure_comes_with_its_picture_and_rows():
    folder = profiles.profile("full").figures
    for row in publish.read_index(folder).itertuples():
        kinds = ("html", "csv") if row.kind == "table" else ("png", "svg", "csv")
        for suffix in kinds:
            assert (folder / f"{row.name}.{suffix}").stat().st_size > 0
