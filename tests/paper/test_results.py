"""The committed results: made by the committed code, unaltered, and what README, documentation and figures show."""

import shutil
from dataclasses import replace
from functools import lru_cache

import pandas as pd
import pytest

from elsa_nb import profiles, store
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.extraction import expected
from elsa_nb.paper.experiments import catalogue
from elsa_nb.paper.publishing import exhibits, readme_blocks
from elsa_nb.paper.runs import runner, validity
from elsa_nb.paper.runs.grid import Setting, strategy_of
from elsa_nb.paper.runs.place import Place

# Every sweep and profile whose committed results an exhibit shows.
KEPT = list(dict.fromkeys(exhibit.results for exhibit in catalogue.EXHIBITS.values() if exhibit.results))


@pytest.fixture(scope="module", params=KEPT, ids=" ".join)
def kept(request):
    return request.param


@pytest.fixture(scope="module")
def all_runs(kept):
    return runner.stored_results(*kept)


@pytest.fixture(scope="module")
def runs():
    return runner.stored_results("components", "full")


def plan_of(kept, all_runs):
    """Return the sweep of stored results with the classes that they are about, so that no pool is needed."""
    targets = tuple(all_runs["target"].unique())
    return replace(catalogue.sweep(*kept), chosen="by name", targets=targets, least_members=1)


def test_every_row_is_valid_for_what_the_code_does_now(kept, all_runs):
    source = store.read_json(runner.results_file(*kept).with_suffix(".json"))["provenance"]
    now = validity.versions({})
    raised = [name for name, version in source["strategies"].items() if now["strategies"][name] != version]
    assert (source["search"], raised) == (now["search"], []), "a version of behaviour was raised: run `make full` again"
    assert {strategy_of(arm).name for arm in all_runs["arm"].unique()} <= source["strategies"].keys()
    dataset, units = all_runs["dataset"].iloc[0], plan_of(kept, all_runs).units(all_runs["target"])
    wanted = {validity.key(setting, dataset, source) for unit in units for setting in unit}
    assert set(validity.stored_keys(all_runs, source)) == wanted


@pytest.fixture
def on_a_processor(monkeypatch):
    """Let recipes be those of a processor, as the stored results are, whatever this machine has."""
    monkeypatch.setattr(expected, "device_and_precision", lambda _: ("cpu", "float32"))
    expected.expected_recipe.cache_clear()
    yield
    expected.expected_recipe.cache_clear()


def test_the_pools_are_those_that_extraction_makes_now(on_a_processor):
    stored = {}
    for results in (("components", "full"), ("encoders", "full")):
        stored |= runner.results_card(*results)["provenance"]["pools"]
    assert {f"glyphs-{title}-embedding" for title, _ in profiles.profile("full").datasets[0].encoders} <= stored.keys()
    for name, recipe in stored.items():
        encoder, _, space = name.removeprefix("glyphs-").rpartition("-")
        assert expected.expected_recipe("full", encoder, space, "glyphs") == recipe, name


def test_every_search_of_the_sweep_is_there_once(kept, all_runs):
    plan = catalogue.sweep(*kept)
    assert all_runs["target"].nunique() == plan.n_classes
    one_class = replace(plan, chosen="by name", targets=(all_runs["target"].iloc[0],), least_members=1)
    one = next(one_class.units(all_runs["target"]))
    assert len(all_runs) == len(one) * plan.n_classes * len(plan.encoders)
    assert not all_runs.duplicated(list(Setting.__dataclass_fields__)).any()


def test_a_cell_that_was_altered_is_found(tmp_path):
    for suffix in (".parquet", ".json"):
        shutil.copy(runner.results_file("components", "full").with_suffix(suffix), tmp_path)
    frame = pd.read_parquet(tmp_path / "components-full.parquet")
    frame.loc[3, "discovery_rate"] += 1e-9
    frame.to_parquet(tmp_path / "components-full.parquet")
    with pytest.raises(CorruptFileError, match=r"components-full\.parquet was altered"):
        runner.stored_results("components", "full", tmp_path)


def test_every_row_says_how_to_make_it_again(all_runs):
    for column in ("config", "seed", "pool_recipe", "pool_sha256", "code", "versions", "log_sha256"):
        assert (all_runs[column].str.len() > 5).all()
    assert (all_runs["seconds"] > 0).all()


def test_the_measures_of_every_row_agree_with_one_another(all_runs):
    assert (all_runs["discovery_rate"] - all_runs["found"] / all_runs["class_size"]).abs().max() < 1e-12
    assert (all_runs["labelling_efficiency"] - all_runs["found"] / all_runs["labels"]).abs().max() < 1e-12
    assert (all_runs["found"] <= all_runs["class_size"]).all()
    assert (all_runs["found"] >= all_runs["seeds"]).all()


@pytest.mark.parametrize("place", readme_blocks.PLACES)
def test_readme_and_documentation_show_them(place):
    text = (store.ROOT / place).read_text(encoding="utf-8")
    assert text == readme_blocks.with_blocks(text, place), f"{place} is stale: run `elsa-nb readme`"


@lru_cache(maxsize=1)
def made(rows, results):
    """Return the rows of an exhibit; a table and its figure share them."""
    return rows(runner.stored_results(*results)).reset_index(drop=True)


SHOWN = {name: exhibit for name, exhibit in catalogue.EXHIBITS.items() if exhibit.rows}


@pytest.mark.parametrize("exhibit", SHOWN)
def test_the_committed_exhibits_show_them(exhibit):
    rows = made(SHOWN[exhibit].rows, SHOWN[exhibit].results)
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


def test_stored_results_are_read_without_their_vectors(on_a_processor, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(profiles, "DATA", tmp_path)  # where pools are looked for
    rows = catalogue.run_sweep("encoders", "full", progress=False)
    assert "5000 searches reused" in capsys.readouterr().out
    pd.testing.assert_frame_equal(rows, runner.stored_results("encoders", "full"))
    assert not list(tmp_path.iterdir())


def test_a_place_that_nothing_can_be_made_for_says_that_its_pool_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(profiles, "DATA", tmp_path)
    monkeypatch.setenv("ELSA_DATA", str(tmp_path))  # no pack of photographs
    with pytest.raises(MissingDataError, match=r"needs the pool .*imagenet-1k-simsiam-embedding, which is not here"):
        _ = Place.of("paper", "simsiam", "embedding").recipe
