"""Tables 6 to 10 and paired effects from hand-made searches whose answers are known."""

import pandas as pd
import pytest

from elsa_nb.paper.experiments import catalogue
from elsa_nb.paper.experiments.hyperparameters import tables as hyperparameters
from elsa_nb.paper.experiments.noise import tables as noise
from elsa_nb.paper.measures import by_setting
from elsa_nb.paper.measures.printed import printed_cells

CHANGES = {  # change: (factor on the finds, factor on the labels)
    "": (1.0, 1.0),
    "a=10": (0.5, 0.5),
    "a=25": (0.9, 0.8),
    "a=100": (1.1, 1.5),
    "a=200": (1.2, 2.0),
    **{f"alpha_1={value}": (1.0, 1.0) for value in (0.2, 0.5, 0.7, 1.5, 2.0)},
    **{f"alpha_2={value}": (1.0, 4.0 / value) for value in (1.0, 1.5, 3.0, 4.0)},
    "l=25": (1.0, 1.0),
    "l=100": (1.0, 1.25),
}
SILENT = {"head=mlp": (1.0, 4.0), "rands=appendix b": (0.5, 1.0), "relabel=True": (1.0, 1.1)}


def search(reading, target, repeat, *, finds=1.0, labels=1.0, **fields):
    """Return one search; easier classes find more and label more, so that only pairing shows a clean effect."""
    level = {"a": 1, "b": 2, "c": 3}[target]
    found, spent = 20 * level * finds, 100 * level * labels
    nn, rands = 0.2 * spent, 0.3 * spent
    return {
        "encoder": "vicreg",
        "reading": reading,
        "arm": "ELSA",
        "target": target,
        "seeds": 5,
        "repeat": repeat,
        "discovery_rate": found / 200,
        "found": found,
        "labels": spent,
        "labelling_efficiency": found / spent,
        "nn_labels": nn,
        "rands_labels": rands,
        "final_labels": spent - nn - rands,
        "nn_found": 0.1 * found,
        "rands_found": 0.2 * found,
        "final_found": 0.7 * found,
        "change": "",
        "flip": 0.0,
        **fields,
    }


@pytest.fixture(scope="module")
def runs():
    rows = []
    for reading in ("paper", "released-code"):
        changes = CHANGES | SILENT if reading == "paper" else CHANGES
        for change, (finds, labels) in changes.items():
            for target in "abc":
                rows += [search(reading, target, r, finds=finds, labels=labels, change=change) for r in (0, 1)]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def noisy():
    rows = []
    for reading in ("paper", "released-code"):
        for flip in (0.0, 0.025, 0.05, 0.1, 0.15):
            rows += [search(reading, target, 0, labels=1 + 20 * flip, flip=flip) for target in "abc"]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("number", "settings"), [(6, 5), (7, 6), (9, 3)])
def test_every_printed_cell_gets_both_readings(runs, number, settings):
    table = hyperparameters.hyperparameter_table(runs, number)
    assert len(table) == settings * 2 * 3
    printed = table[table["metric"] != "labels"].drop_duplicates(["setting", "metric"])
    expected = printed_cells(number)[["setting", "metric", "printed"]]
    assert sorted(map(tuple, printed[expected.columns].to_numpy())) == sorted(map(tuple, expected.to_numpy()))
    assert table["median"].notna().all()
    assert table["value"].is_monotonic_increasing


def test_the_reading_as_it_is_stands_at_its_own_value(runs):
    table = hyperparameters.hyperparameter_table(runs, 6).query("reading == 'paper' and metric == 'discovery_rate'")
    assert table.set_index("setting")["median"].to_dict() == pytest.approx(
        {"10": 0.1, "25": 0.18, "50": 0.2, "100": 0.22, "200": 0.24}
    )
    assert table.set_index("setting")["printed"].to_dict() == {
        "10": "0.448",
        "25": "0.725",
        "50": "0.772",
        "100": "0.793",
        "200": "0.796",
    }
    assert (table["searches"] == 6).all()


def test_labels_of_the_paper_are_implied(runs):
    cell = hyperparameters.hyperparameter_table(runs, 6).query("setting == '50' and metric == 'labels'").iloc[0]
    assert cell["printed_value"] == pytest.approx(0.772 * 1300 / 0.116)
    assert cell["printed"] == "≈ 8,652"


def test_table_8_keeps_thresholds_and_printed_rows_apart(runs):
    table = hyperparameters.hyperparameter_table(runs, 8)
    run = table[table["reading"].notna()]
    assert list(dict.fromkeys(run["setting"])) == ["1", "1.5", "2", "3", "4"]
    assert (run["printed"] == "").all()
    only_printed = table[table["reading"].isna()]
    assert list(dict.fromkeys(only_printed["setting"])) == ["25", "50", "100"]
    assert only_printed["median"].isna().all()
    wide = by_setting.lay_out_by_setting(table)
    assert list(wide.index)[-3:] == ["25 (printed only)", "50 (printed only)", "100 (printed only)"]
    assert wide.loc["25 (printed only)", ("Discovery rate", "the paper")] == "0.766"
    assert (wide.loc[["1", "4"], ("Discovery rate", "the paper")] == "-").all()
    assert (wide.loc["100 (printed only)", ("Discovery rate", ["here, paper", "here, released-code"])] == "-").all()


def test_wide_shows_the_papers_digits_and_our_intervals(runs, noisy):
    wide = by_setting.lay_out_by_setting(hyperparameters.hyperparameter_table(runs, 7))
    assert wide.shape == (6, 9)
    assert wide.index.name == "alpha_1"
    assert wide.loc["0.2", ("Discovery rate", "the paper")] == "0.840"
    assert wide.loc["0.2", ("Discovery rate", "here, paper")] == "0.200 [0.100, 0.300]"
    assert by_setting.lay_out_by_setting(noise.noise_table(noisy)).loc["0", ("Labels spent", "the paper")] == "-"


def test_tables_8_and_9_print_the_same():
    same = hyperparameters.same_as_table_9()
    assert list(same.index.get_level_values("setting")) == ["25", "25", "50", "50", "100", "100"]
    assert same["same"].all()


def test_unknown_tables_are_refused(runs):
    with pytest.raises(ValueError, match="table 10; allowed: 6, 7, 8, 9"):
        hyperparameters.hyperparameter_table(runs, 10)
    with pytest.raises(ValueError, match="table 5; allowed: 6, 7, 8, 9, 10"):
        by_setting.settings_beside_paper(runs.assign(value=1.0), 5)


def test_effects_are_paired_by_search(runs):
    effects = by_setting.paired_effects(runs, "change", "").set_index(["reading", "change", "effect"])
    labels = effects.loc[("released-code", "a=200", "labels")]
    # Each search against its own partner: every ratio is 2, though the classes differ threefold.
    assert labels[["median", "low", "high"]].tolist() == pytest.approx([2, 2, 2])
    assert effects.loc[("paper", "a=200", "efficiency"), "median"] == pytest.approx(0.6)
    assert effects.loc[("paper", "a=10", "discovery"), "median"] == pytest.approx(-0.1)
    assert "" not in effects.index.get_level_values("change")


def test_a_search_without_its_partner_is_refused(runs):
    lost = runs[(runs["change"] != "") | (runs["target"] != "b")]
    with pytest.raises(ValueError, match="no partner at change = ''"):
        by_setting.paired_effects(lost, "change", "")
    with pytest.raises(ValueError, match="several partners"):
        by_setting.paired_effects(pd.concat([runs, runs]), "change", "")


def test_silent_choices_are_ranked_and_have_a_scale_beside_them(runs):
    frame = hyperparameters.silent_choices(runs)
    silent = frame[frame["kind"] == "silent"].drop_duplicates("change")
    assert list(silent["change"]) == ["head=mlp", "rands=appendix b", "relabel=True"]
    assert silent["size"].tolist()[:2] == pytest.approx([2, 1])
    tuned = set(frame.loc[frame["kind"] == "tuned", "change"])
    expected = {"a=10", "a=200", "alpha_1=0.2", "alpha_1=2.0", "alpha_2=1.0", "alpha_2=4.0", "l=25", "l=100"}
    assert tuned == expected
    table = by_setting.effects_table(frame[frame["kind"] == "silent"], ["title"])
    assert table.loc["RandS: as in Appendix B", "efficiency, times"] == "0.50 [0.50, 0.50]"
    assert table.loc["RandS: as in Appendix B", "discovery rate, points"].startswith("-10.0 [-15.0, -5.0")


def test_sensitivity_spans_each_parameters_table(runs):
    lines = hyperparameters.sensitivity(runs).set_index(["parameter", "reading"])
    assert lines.loc[("a", "paper"), "discovery_range"] == pytest.approx(0.14)
    assert lines.loc[("a", "the paper"), "discovery_range"] == pytest.approx(0.796 - 0.448)
    assert lines.loc[("l", "the paper"), "efficiency_ratio"] == pytest.approx(0.124 / 0.111)
    assert lines.loc[("alpha_2", "paper"), "settings"] == "1 to 4"
    assert ("alpha_2", "the paper") not in lines.index


def test_table_10_has_a_perfect_oracle_that_the_paper_lacks(noisy):
    table = noise.noise_table(noisy)
    assert list(dict.fromkeys(table["setting"])) == ["0", "2.5", "5", "10", "15"]
    assert (table.loc[table["setting"] == "0", "printed"] == "").all()
    printed = table.query("setting == '15' and metric == 'labelling_efficiency'")["printed"]
    assert set(printed) == {"0.0186"}
    assert noise.noise_effects(noisy).query("flip == 0.1 and effect == 'labels'")["median"].tolist() == pytest.approx(
        [3, 3]
    )


def test_extra_labels_add_up(noisy):
    frame = noise.labels_by_component(noisy)
    final = frame.query("component == 'FINAL' and what == 'labels' and reading == 'paper' and flip == 0.1")
    assert final["median"].item() == pytest.approx(0.5 * 200 * 3)
    extra = noise.extra_labels(noisy)
    assert extra.index.tolist()[:5] == [("paper", percent) for percent in ("0", "2.5", "5", "10", "15")]
    assert extra.loc[("paper", "0")].tolist() == [0, 0, 0, 0, 0]
    assert extra.loc[("paper", "10")].tolist() == [400, 80, 120, 200, 0]


def test_searches_whose_final_search_is_silent_are_counted(noisy):
    runs = noisy.assign(final_labels=noisy["final_labels"].where(noisy["target"] != "a", 0))
    assert (noise.extra_labels(runs)["final search silent, %"] == 33).all()


def test_table_10_takes_the_readings_as_they_are(noisy):
    both = pd.concat([noisy, noisy.assign(change="negatives=all", discovery_rate=1.0, rands_labels=0)])
    pd.testing.assert_frame_equal(noise.noise_table(both), noise.noise_table(noisy))
    pd.testing.assert_frame_equal(noise.noise_effects(both), noise.noise_effects(noisy))
    pd.testing.assert_frame_equal(noise.labels_by_component(both), noise.labels_by_component(noisy))
    pd.testing.assert_frame_equal(noise.extra_labels(both), noise.extra_labels(noisy))


def test_choices_stand_beside_the_reading_they_change(noisy):
    changed = noisy[noisy["reading"] == "paper"].assign(change="negatives=all", discovery_rate=0.9)
    frame = noise.choices_under_noise(pd.concat([changed, noisy]))
    assert list(dict.fromkeys(frame["title"])) == ["The reading as it is", "Head: keeps all negatives"]
    discovery = frame[(frame["metric"] == "discovery_rate") & (frame["flip"] == 0.025)].set_index("title")
    assert discovery["median"].tolist() == pytest.approx([0.2, 0.9])
    assert set(discovery["printed"]) == {0.741}
    assert frame.loc[frame["flip"] == 0, "printed"].isna().all()


def test_silent_final_searches_are_counted_by_change(runs):
    quiet = runs.assign(final_labels=runs["final_labels"].where(runs["change"] != "alpha_2=4.0", 0))
    table = hyperparameters.silent_finals(quiet)
    assert table.loc["alpha_2=4.0"].tolist() == [100, 100]
    assert table.loc["the reading unchanged"].tolist() == [0, 0]
    assert table.loc["Head: MLP, AdamW steps"].tolist() == [0, "-"]
    assert "a=10" not in table.index


def test_every_change_of_the_sweep_is_a_printed_setting_a_threshold_or_a_titled_choice():
    changes = {change.text for change in catalogue.sweep("hyperparameters", "full").changes} - {""}
    tuned = {change for change in changes if change.partition("=")[0] in hyperparameters.TUNED.values()}
    assert changes - tuned == set(by_setting.SILENT_CHOICES)
    for number in (6, 7, 9):
        name = hyperparameters.TUNED[number]
        run = {float(change.partition("=")[2]) for change in tuned if change.startswith(f"{name}=")}
        printed = set(printed_cells(number)["setting"].astype(float))
        assert len(printed - run) == 1, "the reading as it is, and nothing else, is missing among the changes"
        assert run <= printed
    under_noise = {change.text for change in catalogue.sweep("noise", "full").changes} - {""}
    assert under_noise <= set(by_setting.SILENT_CHOICES)
