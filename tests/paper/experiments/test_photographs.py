"""Which results of photographs a profile shows, Table 11 beside its printed numbers, and what the cards tell."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from elsa_nb import store
from elsa_nb.errors import MissingDataError
from elsa_nb.paper.experiments.catalogue import SWEEPS
from elsa_nb.paper.experiments.photographs import figures, tables
from elsa_nb.paper.measures.printed import printed_cells
from elsa_nb.paper.runs import runner
from elsa_nb.paper.style import COLOURS

ARMS = ("ELSA", "No Active", "NN", "NN.Large")
FILES = {
    "photos-vicreg-tiny-imagenet": 0.04,
    "photos-barlow-twins-tiny-imagenet": 0.05,
    "photos-vicreg-food101": 0.06,
}


@pytest.fixture
def asked(monkeypatch):
    """Record what is run and what is loaded instead of doing it."""
    calls = []
    frame = pd.DataFrame({"target": ["a", "b"]})
    for verb in ("run", "stored_results"):
        monkeypatch.setattr(runner, verb, lambda *names, verb=verb: calls.append((verb, *names)) or frame)
    return calls


def test_profiles_with_photographs_compute_and_the_others_show_what_is_stored(asked, capsys):
    for profile in ("quick", "full"):
        for name in ("components", "thinned", "food-101", "supervised"):
            tables.photograph_runs(name, profile, SWEEPS)
            assert asked.pop() == ("stored_results", name, "photos")
            assert f"profile {profile!r} has no photographs; these are the 2 searches" in capsys.readouterr().out
    tables.photograph_runs("thinned", "photos", SWEEPS)
    tables.photograph_runs("food-101", "paper", SWEEPS)
    assert asked == [("run", SWEEPS["thinned"]["photos"], "photos"), ("run", SWEEPS["food-101"]["paper"], "paper")]
    assert capsys.readouterr().out == ""
    tables.photograph_runs("thinned", "paper", SWEEPS)
    assert asked[-1] == ("run", SWEEPS["components"]["paper"], "paper")
    assert "not thinned" in capsys.readouterr().out
    tables.photograph_runs("supervised", "paper", SWEEPS)
    assert asked[-1] == ("stored_results", "supervised", "photos")
    assert "supervised: profile 'paper' does not run it; these are the 2 searches" in capsys.readouterr().out
    with pytest.raises(ValueError, match="sweep 'noise' is not one of photographs; allowed: components, thinned"):
        tables.photograph_runs("noise", "quick", SWEEPS)


def test_missing_results_are_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "RESULTS", tmp_path)
    with pytest.raises(MissingDataError, match=r"food-101-photos.parquet is not here. `elsa-nb reproduce --profile"):
        tables.photograph_runs("food-101", "quick", SWEEPS)


def searches(**columns):
    """Make results of four classes of 100 in 10,000: VICReg, ELSA, both readings, 5 seeds."""
    frame = pd.DataFrame({"target": list("abcd") * 2, "reading": ["paper"] * 4 + ["released-code"] * 4})
    fixed = {"encoder": "vicreg", "arm": "ELSA", "seeds": 5, "repeat": 0, "class_size": 100, "pool_size": 10_005}
    found = {"labels": 200, "discovery_rate": 0.2, "labelling_efficiency": 0.1}
    fresh = {"labels_without_seeds": 195, "discovery_rate_without_seeds": 15 / 95}
    return frame.assign(**fixed, **found, **fresh, dataset="food-101-64px").assign(**columns)


def test_table_11_has_every_printed_number_beside_ours():
    runs = pd.concat([searches(seeds=seeds) for seeds in (1, 2, 5, 10, 50)])
    table = tables.table11(runs)
    printed = printed_cells(11)
    for reading in ("paper", "released-code"):
        mine = table[(table["reading"] == reading) & (table["metric"] != "labels")]
        assert mine["printed"].tolist() == printed["printed"].tolist()
    assert (table.loc[table["metric"] == "discovery_rate", "median"] == 0.2).all()
    implied = table[(table["metric"] == "labels") & (table["seeds"] == "1")].iloc[0]
    assert implied["printed"] == "≈ 4,168"  # 0.629 x 1000 / 0.1509
    assert implied["median"] == 200
    assert set(tables.table11(searches())["seeds"]) == {"5"}


def test_the_supervised_space_stands_beside_what_is_printed_of_vicreg():
    runs = pd.concat([searches(encoder="efficientnet-lite0", seeds=seeds, arm=arm) for seeds in (1, 5) for arm in ARMS])
    components = tables.supervised_components(runs)
    assert set(components["arm"]) == set(ARMS)
    assert set(components["encoder"]) == {"efficientnet-lite0"}
    of_vicreg = printed_cells(3).query("encoder == 'vicreg' and arm == 'NN' and metric == 'discovery_rate'")
    here = components.query("arm == 'NN' and metric == 'discovery_rate' and reading == 'paper'")
    assert here["printed"].tolist() == of_vicreg.set_index("seeds").loc[["1", "5"], "printed"].tolist()
    assert "median" in set(tables.supervised_beside_paper(runs, 2)["seeds"])
    assert tables.supervised_beside_paper(runs, 11)["value"].notna().all()


def test_dishes_that_imagenet_knows_are_told_apart():
    runs = searches(target=["pizza", "guacamole", "ramen", "sushi"] * 2, discovery_rate=[0.8, 0.6, 0.3, 0.1] * 2)
    long = tables.without_known_dishes(runs)
    found = long.query("metric == 'discovery_rate' and reading == 'paper'").set_index("dishes")
    assert found["median"].to_dict() == {"all (4)": pytest.approx(0.45), "without (2)": 0.2}
    shown = tables.lay_out_dishes(long)
    assert shown.loc[("paper", "ELSA"), ("Discovery rate", "without (2)")].startswith("0.200 [")


def test_no_two_arms_of_a_figure_have_one_colour():
    assert len(set(COLOURS.values())) == len(COLOURS)


def test_finds_are_told_without_the_seeds_and_against_chance():
    told = tables.beyond_chance(searches())
    assert told[["labels", "new"]].to_numpy().tolist() == [[195, 15]] * 2
    chance = 195 * 95 / 10_000  # nobody needs to label the seeds
    assert np.allclose(told["by_chance"], chance)
    assert np.allclose(told[["times", "low", "high"]], 15 / chance)
    mixed = searches(discovery_rate_without_seeds=[0.0, 0.0, 0.2, 0.4] * 2)
    told = tables.beyond_chance(mixed).iloc[0]
    assert told["low"] < told["times"] < told["high"]
    assert len(tables.beyond_chance(searches(), seeds=50)) == 0


def test_one_line_says_what_was_searched():
    assert tables.describe_searches(searches()) == (
        "8 searches in food-101-64px (10,005 images): 4 classes of 100 images (1.00% of them), 1 repeats"
    )


def put_cards(folder, names):
    for name in names:
        worth = {"purity_10nn": FILES[name], "linear_probe": 2 * FILES[name]}
        curve = [{"step": 10 * e, "epoch": e, "purity_10nn": e / 100, "linear_probe": e / 50} for e in (1, 2, 4)]
        card = {
            "config": {"epochs": 4},
            "steps": 40,
            "seconds": 600,
            "quality": {"embedding": worth, "projection": worth},
        }
        path = folder / "weights" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(card | {"quality_curve": curve}))


def test_the_cards_tell_what_encoders_are_worth(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "DATA", tmp_path)
    put_cards(tmp_path, FILES)
    told = tables.photograph_encoders()
    assert told["photographs"].tolist() == ["Tiny-ImageNet"] * 4 + ["Food-101"] * 2
    assert told["purity"].tolist() == [0.04, 0.04, 0.05, 0.05, 0.06, 0.06]
    assert told["chance"].tolist() == [1 / 200] * 4 + [1 / 101] * 2
    curves = tables.training_curves()
    assert len(curves) == 3 * 3 * 2
    assert curves.query("metric == 'top1' and encoder == 'VICReg, Food-101'")["value"].tolist() == [0.02, 0.04, 0.08]
    figure = figures.plot_training_curves(curves)
    assert [len(ax.lines) for ax in figure.axes] == [6, 6]
    plt.close(figure)


def test_an_encoder_that_is_not_trained_is_said_to_be_so(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "DATA", tmp_path)
    put_cards(tmp_path, ["photos-vicreg-food101"])
    told = tables.photograph_encoders()
    assert told["space"].tolist() == ["not trained", "not trained", "embedding", "projection"]
    assert told["epochs"].tolist()[2:] == [4, 4]
    card = store.read_json(tmp_path / "weights" / "photos-vicreg-food101.json") | {"planned_steps": 50}
    (tmp_path / "weights" / "photos-vicreg-food101.json").write_text(json.dumps(card))
    assert tables.photograph_encoders()["epochs"].tolist()[2:] == [3.2, 3.2]
    assert told["purity"].isna().tolist() == [True, True, False, False]
    assert tables.training_curves()["encoder"].unique().tolist() == ["VICReg, Food-101"]
