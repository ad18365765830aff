"""Table 5 from a hand-made set of results: what joins, what is honest, and the rank correlations."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from elsa_nb import profiles
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.extraction import expected
from elsa_nb.images.training import quality
from elsa_nb.paper.experiments.encoders import figures, measured, tables
from elsa_nb.paper.measures.medians import ENCODER_TITLES
from elsa_nb.paper.measures.printed import printed_cells
from elsa_nb.paper.runs import runner
from elsa_nb.paper.runs.place import Place
from elsa_nb.pool import Pool
from elsa_nb.profiles import profile
from elsa_nb.store import ROOT

TRAINED = ["vicreg", "barlow-twins", "moco", "moco-v2", "simsiam", "swav"]
RUN = [*TRAINED, "untrained", "raw-pixels"]


@pytest.fixture
def worth():
    top1 = [80.0, 81, 60, 70, 65, 75, 40, 50]
    return pd.DataFrame(
        {
            "encoder": RUN,
            "loaded": "trained here",
            "dimension": 256,
            "linear_top1": top1,
            "purity": np.array(top1) / 100,
        }
    )


@pytest.fixture
def runs(worth):
    rows = []
    for encoder, top1 in zip(worth["encoder"], worth["linear_top1"], strict=True):
        for reading in ("paper", "released-code"):
            for i, target in enumerate("abcde"):
                discovery = top1 / 100 + 0.01 * (i - 2)
                efficiency = 0.1 + (100 - top1) / 1000
                rows.append(
                    {
                        "encoder": encoder,
                        "reading": reading,
                        "arm": "ELSA",
                        "seeds": 5,
                        "target": target,
                        "repeat": 0,
                        "discovery_rate": discovery,
                        "labelling_efficiency": efficiency,
                        "labels": round(100 * discovery / efficiency),
                    }
                )
    return pd.DataFrame(rows)


def test_every_printed_cell_of_table_5_is_there_with_both_readings(runs, worth):
    long = tables.table5(runs, worth)
    printed = printed_cells(5).query("metric != 'linear_top1'")
    measured = long[long["metric"].isin(["labelling_efficiency", "discovery_rate"]) & (long["printed"] != "")]
    assert set(zip(measured["encoder"], measured["metric"], measured["printed"], strict=True)) == set(
        zip(printed["encoder"], printed["metric"], printed["printed"], strict=True)
    )
    readings = measured.groupby("encoder")["reading"].nunique()
    assert (readings[TRAINED] == 2).all()
    cell = long.query("encoder == 'moco' and reading == 'paper' and metric == 'discovery_rate'").iloc[0]
    assert cell["median"] == pytest.approx(0.60)
    assert (cell["printed"], cell["printed_top1"], cell["linear_top1"]) == ("0.69", 60.6, 60.0)
    assert cell["low"] <= cell["median"] <= cell["high"]
    implied = long.query("encoder == 'moco' and metric == 'labels'").iloc[0]
    assert implied["value"] == pytest.approx(0.69 * 1300 / 0.017)


def test_what_was_not_run_and_what_is_not_printed_stay_empty(runs, worth):
    long = tables.table5(runs, worth)
    obow = long[long["encoder"] == "obow"]
    assert obow["reading"].isna().all()
    assert obow["median"].isna().all()
    assert set(obow["loaded"]) == {"not in this profile"}
    assert not long.duplicated(["encoder", "metric", "reading"]).any()
    floor = long[long["encoder"] == "untrained"]
    assert (floor["printed"] == "").all()
    assert set(floor["note"]) == {"not in the paper"}
    assert list(dict.fromkeys(long["encoder"])) == [e for e in ENCODER_TITLES if e in {*RUN, "obow", "swav-multi-crop"}]


def test_the_table_for_reading_says_which_top_1_nobody_can_have(runs, worth):
    wide = tables.lay_out_table5(tables.table5(runs, worth))
    top1 = wide["Linear top-1, %", "the paper"]
    assert top1[["SimSiam", "SwAV", "VICReg", "OBoW", "Raw pixels"]].tolist() == ["71.3*", "71.8*", "73.2", "73.8", "-"]
    assert "never released" in wide.loc["SimSiam", ("What the row is", "the paper")]
    assert wide.loc["OBoW", ("What the row is", "here")] == "not in this profile"
    assert wide.loc["OBoW", ("Discovery rate", "here, paper")] == "-"
    assert wide.loc["MoCo", ("Discovery rate", "here, paper")].startswith("0.600 [")


def test_runs_of_another_arm_and_encoders_without_a_title_are_refused(runs, worth):
    with pytest.raises(ValueError, match="'NN' has no place in Table 5"):
        tables.table5(runs.assign(arm="NN"), worth)
    with pytest.raises(ValueError, match="'byol' has no place in Table 5"):
        tables.table5(runs, worth.replace("untrained", "byol"))


def test_an_encoder_of_the_profile_that_was_not_searched_keeps_its_line(runs, worth):
    long = tables.table5(runs[runs["encoder"] != "raw-pixels"], worth)
    wide = tables.lay_out_table5(long)
    assert wide.loc["Raw pixels", ("Linear top-1, %", "here")] == "50.0"
    assert wide.loc["Raw pixels", ("Discovery rate", "here, paper")] == "-"
    assert "raw-pixels" not in set(tables.points_against_top1(long)["encoder"])
    with pytest.raises(ValueError, match="'raw-pixels' was run, and `worth` does not have it"):
        tables.table5(runs, worth[worth["encoder"] != "raw-pixels"])


def test_correlations_leave_the_floors_out_and_follow_the_ranks(runs, worth):
    points = tables.points_against_top1(tables.table5(runs, worth))
    table = tables.correlations_with_top1(points).set_index(["metric", "against", "panel", "encoders"])
    cell = table.loc["discovery_rate", "linear_top1", "paper", "trained"]
    assert (cell["n"], cell["rho"]) == (6, pytest.approx(1))
    assert cell["by_chance"] == pytest.approx(2 / 720)  # the one order, and its mirror
    assert table.loc["labelling_efficiency", "linear_top1", "paper", "trained"]["rho"] == pytest.approx(-1)
    assert table.loc["discovery_rate", "purity", "paper", "trained, and the floors"]["n"] == 8
    printed = table.xs("printed", level="panel")
    assert sorted(printed["n"]) == [6, 6, 8, 8]
    assert printed["rho"].loc["labelling_efficiency", "linear_top1", "the paper's rows"] == pytest.approx(
        0.838, abs=1e-3
    )


def test_the_interval_of_a_rank_correlation_holds_it_and_shrinks_with_more_points():
    rng = np.random.default_rng(1)
    x = rng.normal(size=200)
    y = x + rng.normal(size=200)
    few, many = (tables.rank_correlation_by_chance(x[:n], y[:n]) for n in (9, 200))
    for rho, low, high, by_chance in (few, many):
        assert low <= rho <= high
        assert 0 < by_chance + 1e-9 <= 1
    assert many[2] - many[1] < few[2] - few[1]
    assert np.isnan(tables.rank_correlation_by_chance(x[:3], y[:3])).all()
    assert np.isnan(tables.rank_correlation_by_chance(x, np.ones(200))).all()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Give profile `quick` one encoder with a pool of 400 vectors in four classes; count what is probed."""
    rng, asked = np.random.default_rng(0), []
    codes = rng.integers(4, size=400)
    vectors = (np.eye(4)[codes] + 0.1 * rng.normal(size=(400, 4))).astype(np.float32)
    Pool.from_arrays(vectors, recipe="made so").save(tmp_path / "pools" / "glyphs-vicreg-embedding")
    monkeypatch.setattr(profiles, "DATA", tmp_path)
    monkeypatch.setattr(runner, "RESULTS", tmp_path / "results")
    names = pd.Series(codes).map({code: f"class {code}" for code in range(4)})
    monkeypatch.setattr(Place, "class_names", names)
    only = replace(profile("quick").datasets[0], encoders=(("vicreg", "vicreg"),))
    monkeypatch.setattr(measured, "profile", lambda name: replace(profile(name), datasets=(only,)))
    probe = quality.linear_probe
    monkeypatch.setattr(quality, "linear_probe", lambda *a, **k: asked.append(len(a[0])) or probe(*a, **k))
    return tmp_path, asked


def test_worth_is_measured_once_and_again_when_the_measure_or_the_vectors_change(small, monkeypatch):
    folder, asked = small
    (first,) = measured.measured_encoders("quick").to_dict("records")
    assert first["linear_top1"] == pytest.approx(100)
    assert first["purity"] > 0.95
    assert measured.measured_encoders("quick").to_dict("records") == [first]
    assert asked == [200]  # 50 a class, once
    kept = json.loads((folder / "results" / "encoder-worth-quick.json").read_text())["encoders"]["vicreg"]
    assert set(kept["made_by"]) == {"code", "commit", "versions"}
    monkeypatch.setattr(measured, "PURITY_QUERIES", 100)
    measured.measured_encoders("quick")
    assert len(asked) == 2
    others = np.random.default_rng(1).normal(size=(400, 3)).astype(np.float32)
    Pool.from_arrays(others, recipe="made otherwise").save(folder / "pools" / "glyphs-vicreg-embedding")
    assert measured.measured_encoders("quick")["dimension"].tolist() == [3]


def test_what_was_measured_is_read_without_the_vectors(small, monkeypatch):
    folder, asked = small
    first = measured.measured_encoders("quick")
    shutil.rmtree(folder / "pools")
    monkeypatch.setattr(expected, "expected_recipe", lambda *_: "made so")
    pd.testing.assert_frame_equal(measured.measured_encoders("quick"), first)
    monkeypatch.setattr(expected, "expected_recipe", lambda *_: "made otherwise")
    with pytest.raises(MissingDataError, match="glyphs-vicreg-embedding, which is not here"):
        measured.measured_encoders("quick")
    assert len(asked) == 1


def test_worth_that_was_damaged_is_refused(small):
    folder, _ = small
    measured.measured_encoders("quick")
    file = folder / "results" / "encoder-worth-quick.json"
    file.write_text(file.read_text().replace('"dimension": 4', '"dimension": 5'))
    with pytest.raises(CorruptFileError, match=r"encoder-worth-quick\.json.*Delete it"):
        measured.measured_encoders("quick")


def test_every_row_says_what_was_loaded():
    full, paper = profile("full"), profile("paper")
    assert measured.loaded_weights(full, "untrained") == "random weights"
    assert measured.loaded_weights(full, "vicreg") == "trained here, 6 epochs"
    assert measured.loaded_weights(paper, "simsiam") == "published file, 100 epochs, top-1 68.3"
    assert all(encoder in ENCODER_TITLES for each in (full, paper) for encoder, _ in each.datasets[0].encoders)


def test_the_figure_draws_every_encoder_and_tells_the_correlation(runs, worth):
    points = tables.points_against_top1(tables.table5(runs, worth))
    figure = figures.plot_against_top1(points, tables.correlations_with_top1(points))
    assert len(figure.axes) == 6
    assert figure.axes[0].get_title(loc="left").startswith("rank correlation 1.00")
    assert {t.get_text() for t in figure.legends[0].get_texts()} == {ENCODER_TITLES[e] for e in points["encoder"]}
    few = points[points["encoder"].isin(["vicreg", "untrained"])]
    figure = figures.plot_against_top1(few, tables.correlations_with_top1(few))
    assert "too few" in figure.axes[0].get_title(loc="left")


def test_the_committed_table_has_the_worth_that_is_stored():
    shown = pd.read_csv(ROOT / "figures" / "table05.csv").drop_duplicates("encoder").set_index("encoder")
    stored = measured.measured_encoders("full", progress=False).set_index("encoder")
    for figure in ("linear_top1", "purity"):
        assert np.allclose(shown.loc[stored.index, figure], stored[figure], rtol=1e-5)
