"""The phase diagram's tables: how near a cell comes to the print, counted for all three arms together."""

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.experiments.phase import figures, tables
from elsa_nb.paper.measures.medians import METRICS

ARMS = ("ELSA", "No Active", "NN")


def runs(finds, labels, pool="1,281,167 rows", purity=0.45, reading="paper"):
    """Return two searches an arm that find and ask so much."""
    rows = [
        {"pool": pool, "members": 1281, "purity": purity, "reading": reading, "arm": arm, "target": str(i), "seeds": 5}
        | {"discovery_rate": finds[arm], "labels": labels[arm], "labelling_efficiency": 0.1}
        for arm in ARMS
        for i in range(2)
    ]
    return pd.DataFrame(rows)


PRINTED = tables.claimed().set_index("arm")


def test_the_printed_rows_are_those_of_the_question():
    told = PRINTED.round({"discovery_rate": 2, "labels": -2, "share": 4})
    assert told.loc["ELSA"].tolist() == [0.78, 8800, 0.0068]
    assert told.loc["No Active"].tolist() == [0.81, 48300, 0.0377]
    assert told.loc["NN"].tolist() == [0.08, 400, 0.0003]


def test_a_cell_that_is_as_printed_comes_near_all_three():
    frame = tables.cells(runs(PRINTED["discovery_rate"], PRINTED["labels"]))
    assert set(frame["metric"]) == set(METRICS)
    assert (frame["classes"] == 2).all()
    off = tables.misfits(frame)
    assert off["near"].all()
    assert off["off_labels"].to_numpy() == pytest.approx(1)
    nearest = tables.together(off).iloc[0]
    assert nearest[["near", "arms"]].tolist() == [3, "ELSA, NN, No Active"]
    assert nearest["distance"] == pytest.approx(0)


def test_labels_count_as_a_share_of_a_smaller_pool_but_for_nn():
    share = 91_000 / 1_281_167
    fewer = PRINTED["labels"] * share
    fewer["NN"] = PRINTED.loc["NN", "labels"]
    off = tables.misfits(tables.cells(runs(PRINTED["discovery_rate"], fewer, pool="91,000 rows")))
    assert off["near"].all()


def test_the_nearest_cells_come_first_and_one_arm_off_is_seen():
    good, other = PRINTED["discovery_rate"].copy(), PRINTED["discovery_rate"].copy()
    other["NN"], other["ELSA"] = 0.4, 0.2
    both = pd.concat(
        [runs(other, PRINTED["labels"], purity=0.15), runs(good, 3 * PRINTED["labels"], reading="literal")]
    )
    table = tables.together(tables.misfits(tables.cells(both)))
    assert table["reading"].tolist() == ["paper", "literal"]
    assert table["arms"].tolist() == ["No Active", ""]
    assert table["near_discovery"].tolist() == [1, 3]


@pytest.mark.parametrize("measured", [False, True])
def test_the_figures_draw_what_the_tables_hold(measured):
    frames = [
        runs(PRINTED["discovery_rate"] * factor, PRINTED["labels"], purity=purity, reading=reading)
        for factor, purity in ((0.5, 0.15), (1, 0.45))
        for reading in ("paper", "literal", "released-code")
    ]
    cells = tables.cells(pd.concat(frames))
    if measured:
        figure = figures.plot_full_size(cells, tables.claimed())
        assert [ax.get_title() for ax in figure.axes] == ["paper", "literal", "released code"]
    else:
        off = tables.misfits(cells)
        figure = figures.plot_map(off)
        framed = sum(len(ax.patches) for ax in figure.axes[:9])
        assert framed == off["near_discovery"].sum() > 0
    assert np.isfinite(figure.get_size_inches()).all()


def test_medians_are_laid_out_with_their_intervals():
    shown = tables.lay_out(tables.cells(runs(PRINTED["discovery_rate"], PRINTED["labels"])))
    assert shown.loc[("1,281,167 rows", 1281, 0.45, "paper", "NN")].tolist() == ["0.08 [0.08, 0.08]", "412 [412, 412]"]
