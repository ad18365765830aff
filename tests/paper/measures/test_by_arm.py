"""Tables and budgets from a hand-made set of results."""

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.experiments.components import tables
from elsa_nb.paper.measures import budgets, by_arm
from elsa_nb.paper.measures.printed import printed_cells
from elsa_nb.paper.runs.simulation import BUDGETS

ARMS = ("ELSA", "No Active", "NN", "NN.Large")


@pytest.fixture
def runs():
    rows = []
    for encoder in ("vicreg", "barlow-twins"):
        for reading in ("paper", "released-code"):
            for arm in ARMS:
                for seeds in (1, 5):
                    for i, target in enumerate("abc"):
                        labels, discovery = 1000 * (i + 1), 0.1 * (i + 1) + 0.05 * (reading == "paper")
                        nn = labels if arm.startswith("NN") else 300
                        rows.append(
                            {
                                "encoder": encoder,
                                "reading": reading,
                                "arm": arm,
                                "seeds": seeds,
                                "target": target,
                                "repeat": 0,
                                "class_size": 100,
                                "pool_size": 10_000,
                                "labels": labels,
                                "discovery_rate": discovery,
                                "labelling_efficiency": discovery * 100 / labels,
                                "nn_labels": nn,
                                "rands_labels": 0 if arm.startswith("NN") else labels - 400,
                                "final_labels": 0 if arm.startswith("NN") else 100,
                                "discovery_at": np.minimum(BUDGETS / labels, 1) * discovery,
                            }
                        )
    return pd.DataFrame(rows)


def test_every_printed_cell_of_the_seeds_run_gets_both_readings(runs):
    table = by_arm.arms_beside_paper(runs, 3)
    printed = printed_cells(3).query("seeds in ['1', '5']")
    measured = table[table["metric"] != "labels"]
    assert len(measured) == 2 * len(printed)
    assert set(measured["printed"]) == set(printed["printed"])
    assert (table["low"] <= table["median"]).all()
    assert (table["median"] <= table["high"]).all()


def test_medians_are_over_the_searches_of_a_cell(runs):
    table = by_arm.arms_beside_paper(runs, 3)
    cell = table.query("arm == 'NN' and seeds == '5' and metric == 'discovery_rate'").set_index("reading")
    assert cell.loc["paper", "median"] == pytest.approx(0.25)
    assert cell.loc["released-code", "median"] == pytest.approx(0.20)
    assert set(cell["printed"]) == {"0.0761"}


def test_implied_labels_follow_from_the_two_printed_measures(runs):
    cell = by_arm.arms_beside_paper(runs, 3).query("arm == 'NN' and seeds == '1' and metric == 'labels'").iloc[0]
    assert cell["value"] == pytest.approx(0.0323 * 1300 / 0.15)
    assert cell["printed"] == "≈ 280"


def test_table_2_has_a_median_row_and_only_elsa(runs):
    table = by_arm.arms_beside_paper(runs, 2)
    assert set(table["arm"]) == {"ELSA"}
    row = table.query("seeds == 'median' and encoder == 'vicreg' and metric == 'discovery_rate' and reading == 'paper'")
    assert row["median"].item() == pytest.approx(0.25)
    assert row["printed"].item() == "0.798"


def test_wide_fills_every_cell_and_keeps_the_papers_digits(runs):
    for number, lines in ((2, 6), (3, 8), (4, 8)):
        wide = by_arm.lay_out_by_arm(by_arm.arms_beside_paper(runs, number))
        assert wide.shape == (lines, 9)
        assert not wide.isna().any().any()
    shown = wide.loc[("Barlow Twins", "NN", "1"), ("Discovery rate", "the paper")]
    assert shown == "0.0346"


def test_other_tables_are_refused(runs):
    with pytest.raises(ValueError, match="table 5; allowed: 2, 3, 4"):
        by_arm.arms_beside_paper(runs, 5)


def test_table_1_shows_the_measured_shares(runs):
    table = tables.arms_table(runs)
    assert table.loc["NN", "RandS"] == "no"
    assert table.loc["NN", "Nearest neighbours"] == "yes, 100% of the labels"
    assert table.loc["ELSA", "Nearest neighbours"] == "yes, 15% of the labels"
    assert table["Active learning in the rounds"].tolist() == ["yes", "no", "no", "no"]


def test_table_1_agrees_with_the_papers_ticks(runs):
    ours = tables.arms_table(runs).rename(
        columns=dict(
            zip(
                ["Nearest neighbours", "Active learning in the rounds", "Final search"],
                ["nearest neighbours", "active learning", "final search"],
                strict=True,
            )
        )
    )
    for claim in printed_cells(1).itertuples():
        assert ours.loc[claim.arm, claim.component].startswith(claim.printed), claim


def test_curves_end_where_half_the_searches_ended_and_references_are_right(runs):
    curve = budgets.equal_budget(runs)
    elsa = curve.query("encoder == 'vicreg' and reading == 'paper' and arm == 'ELSA'")
    assert elsa["labels"].tolist()[-2:] == [BUDGETS[BUDGETS < 2000].max(), 2000]
    assert elsa["ended"].tolist() == [False] * (len(elsa) - 1) + [True]
    assert elsa["median"].is_monotonic_increasing
    random = curve.query("encoder == 'vicreg' and arm == 'random'")
    at = random[random["labels"] == BUDGETS[40]].iloc[0]
    assert at["median"] == pytest.approx((5 + (BUDGETS[40] - 5) * 95 / 9_995) / 100)
    ideal = curve.query("arm == 'ideal'")
    assert (ideal["median"] == np.minimum(ideal["labels"] / 100, 1)).all()


def test_at_budget_ranks_within_an_encoder(runs):
    best = budgets.at_budget(budgets.equal_budget(runs), 500)
    assert (best["labels"] <= 500).all()
    for _, rows in best.groupby("encoder"):
        assert rows["median"].is_monotonic_decreasing
        assert rows["arm"].iloc[0] == "ideal"
