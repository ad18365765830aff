"""Every printed number gets its counterpart of both readings, or the reason why it has none."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.comparison import figures, tables
from elsa_nb.paper.measures.medians import RATES
from elsa_nb.paper.measures.printed import printed_cells
from elsa_nb.search.readings import READINGS

SEEDS = (1, 2, 5, 10, 50)


def search(sweep, reading, arm="ELSA", encoder="vicreg", seeds=5, **more):
    """Three classes of one repeat each: discovery 0.4, 0.5, 0.6 plus `up`, efficiency a tenth of it."""
    up = more.pop("up", 0.0)
    config = {"use_rands": arm in ("ELSA", "No Active"), "use_head": arm == "ELSA"}
    config["use_final"] = config["use_rands"]
    row = {
        "sweep": sweep,
        "reading": reading,
        "arm": arm,
        "encoder": encoder,
        "seeds": seeds,
        "change": "",
        "flip": 0.0,
    }
    row |= {"dataset": "glyphs", "config": json.dumps(config)} | more
    return [
        row | {"target": name, "repeat": 0, "discovery_rate": rate + up, "labelling_efficiency": (rate + up) / 10}
        for name, rate in (("p", 0.4), ("q", 0.5), ("r", 0.6))
    ]


def sweep_of(rows):
    return pd.DataFrame([row for group in rows for row in group])


@pytest.fixture(scope="module")
def found():
    frames = {
        "components": sweep_of(
            search("components", reading, arm, encoder, seeds, up=0.01 * SEEDS.index(seeds))
            for reading in READINGS
            for arm in ("ELSA", "No Active", "NN", "NN.Large")
            for encoder in ("vicreg", "barlow-twins")
            for seeds in SEEDS
        ),
        "hyperparameters": sweep_of(
            search("hyperparameters", reading, change=change, up=up)
            for reading in READINGS
            for change, up in (
                ("", 0.0),
                ("a=10", -0.2),
                ("alpha_1=2.0", 0.1),
                ("l=25", 0.2),
                ("a=10, alpha_2=3.0", 0.3),
            )
        ),
        "noise": sweep_of(
            search("noise", "paper", flip=flip, up=up, change=change)
            for flip in (0.0, 0.025, 0.05, 0.1, 0.15)
            for change, up in (("", -flip), ("negatives=all", 0.3))
        ),
        "encoders": sweep_of(
            search("encoders", reading, encoder=encoder)
            for reading in READINGS
            for encoder in ("vicreg", "moco", "raw-pixels")
        ),
    }
    return tables.Results("full", frames, {"food-101": "no photographs"}, {"vicreg": 80.0})


@pytest.fixture(scope="module")
def cells(found):
    return tables.compared_cells(found)


def cell(cells, table, reading="paper", **where):
    rows = cells[(cells["table"] == table) & (cells["reading"] == reading)]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def test_every_printed_cell_appears_once_a_reading_with_its_digits(cells):
    for table in range(1, 12):
        for reading in READINGS:
            mine = cells[(cells["table"] == table) & (cells["reading"] == reading)]
            assert mine["printed"].tolist() == printed_cells(table)["printed"].tolist()


def test_ours_is_the_median_and_the_difference_follows(cells):
    row = cell(cells, 3, arm="NN", seeds="50", metric="discovery_rate")
    assert row["median"] == pytest.approx(0.54)
    assert row["difference"] == pytest.approx(0.54 - 0.1173)
    assert row["low"] <= row["median"] <= row["high"]
    assert row["within"] == "no"
    assert row["why"] == ""


def test_settings_are_matched_by_number_and_alone(cells):
    at = {"metric": "discovery_rate"}
    assert cell(cells, 6, setting="10", **at)["median"] == pytest.approx(0.3)
    assert cell(cells, 6, setting="50", **at)["median"] == pytest.approx(0.5)
    assert cell(cells, 7, setting="2", **at)["median"] == pytest.approx(0.6)
    assert cell(cells, 7, setting="1", **at)["median"] == pytest.approx(0.5)
    assert cell(cells, 9, setting="25", **at)["median"] == pytest.approx(0.7)
    assert cell(cells, 10, setting="2.5", **at)["median"] == pytest.approx(0.475)


def test_the_median_row_of_table_2_is_the_median_of_the_rows(cells):
    row = cell(cells, 2, encoder="vicreg", seeds="median", metric="discovery_rate")
    assert row["median"] == pytest.approx(0.52)
    assert np.isnan(row["low"])
    assert row["within"] == ""


def test_table_1_is_laid_beside_the_configurations(cells):
    rows = cells[cells["table"] == 1]
    assert set(rows["within"]) == {"yes"}
    changed = rows.assign(value=1 - rows["value"])
    assert all(tables._within(row) == "no" for row in changed.itertuples())


def test_linear_top1_has_no_interval(cells):
    row = cell(cells, 5, encoder="vicreg", metric="linear_top1")
    assert row["difference"] == pytest.approx(80 - 73.2)
    assert row["within"] == ""


@pytest.mark.parametrize(
    ("table", "where", "reason"),
    [
        (5, {"encoder": "obow", "metric": "discovery_rate"}, "not searched in profile full"),
        (5, {"encoder": "moco", "metric": "linear_top1"}, "no linear probe of this encoder"),
        (6, {"setting": "200", "metric": "discovery_rate"}, "not searched in profile full"),
        (8, {"setting": "50", "metric": "discovery_rate"}, "no threshold: a row of Table 9"),
        (11, {"seeds": "5", "metric": "discovery_rate"}, "no photographs"),
    ],
)
def test_a_cell_without_a_counterpart_says_why(cells, table, where, reason):
    row = cell(cells, table, **where)
    assert np.isnan(row["median"])
    assert row["why"] == reason


def test_a_reading_that_was_not_run_has_no_numbers(cells):
    assert (
        cell(cells, 10, "released-code", setting="5", metric="discovery_rate")["why"] == "not searched in profile full"
    )


@pytest.mark.parametrize(
    ("printed", "low", "high", "within"),
    [
        ("0.50", 0.4, 0.6, "yes"),
        ("0.50", 0.504, 0.6, "yes"),
        ("0.500", 0.504, 0.6, "no"),
        ("0.7", 0.4, 0.66, "yes"),
        ("0.7", 0.4, 0.64, "no"),
    ],
)
def test_half_the_last_printed_digit_counts_as_rounding(printed, low, high, within):
    row = pd.DataFrame(
        [
            {
                "metric": "discovery_rate",
                "median": 0.5,
                "low": low,
                "high": high,
                "printed": printed,
                "value": float(printed),
            }
        ]
    )
    assert tables._within(next(row.itertuples())) == within


def test_the_tally_counts_what_the_cells_say(cells):
    tally = tables.agreement_by_table(cells)
    line = tally.loc[3, "paper"]
    mine = cells[(cells["table"] == 3) & (cells["reading"] == "paper")]
    assert line["printed cells"] == line["with one of ours"] == 40
    assert line["within the spread"] == (mine["within"] == "yes").sum()
    assert line["within the spread"] + line["ours higher"] + line["ours lower"] == 40
    assert 1 not in tally.index.get_level_values("table")


@pytest.mark.parametrize("table", range(1, 12))
def test_a_page_has_a_row_a_printed_cell_and_no_blank_side(cells, table):
    page = tables.lay_out_table(cells, table)
    assert len(page) == len(printed_cells(table))
    for reading in READINGS:
        assert (page[reading, "ours"] != "").all()


def test_about_names_the_sweeps_and_what_is_missing(found):
    about = tables.results_overview(found)
    assert about.loc["components", "classes"] == 3
    assert about.loc["food-101", "data set"] == "no photographs"


def test_the_figure_draws_every_number_once(cells):
    figure = figures.plot_against(cells)
    drawn = cells[cells["metric"].isin(list(RATES)) & cells["median"].notna()]
    marks = [line for ax in figure.axes for line in ax.lines if line.get_marker() not in ("None", None, "")]
    assert len(marks) == len(drawn)
    plt.close(figure)


def test_linear_top1_is_that_of_the_trained_encoders(monkeypatch):
    worth = pd.DataFrame({"encoder": ["vicreg", "untrained", "raw-pixels"], "linear_top1": [91.0, 50.0, 30.0]})
    monkeypatch.setattr(tables.measured, "measured_encoders", lambda profile_name: worth)
    assert tables.top1_by_encoder("full") == {"vicreg": 91.0}


def test_a_table_is_shown_whole_and_in_one_line():
    sentence = " ".join(["long"] * 40)
    text = tables.as_html(pd.DataFrame({"a": [sentence], "b": [1]})).data
    assert sentence in text
    assert "\n" not in text
    assert "<td>1</td>" in text
