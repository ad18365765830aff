"""What notebook 14 says of the estimates holds of the committed simulations, and prices are prices."""

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.experiments.missing import tables
from elsa_nb.paper.measures.simulated import SIMULATED
from elsa_nb.search.stopping.audit import Audit


@pytest.fixture(scope="module")
def said():
    return tables.estimates()


def test_the_bracket_holds_on_classes_that_nothing_was_fitted_on(said):
    assert set(said["half"]) == {"held-out"}
    assert not said[["estimator", "pool"]].isna().any().any()  # every one has a title
    bracket = tables.compared(said).query("estimator == 'bracket (shown)'")
    assert (bracket["held"] >= 0.8).all()
    assert (bracket["within_20"] >= 0.7).all()


def test_silence_is_neither_right_nor_wrong(said):
    silent = said["middle"].isna()
    assert said.loc[silent, ["held", "size_ratio", "width"]].isna().all().all()
    assert said.loc[~silent, "held"].isin((0, 1)).all()
    few = said[said["share"] == 0.8].head(40)
    table = tables.compared(few)
    assert table["searches"].sum() == 40
    assert (table["spoke"] * table["searches"]).sum() == few["middle"].notna().sum()


def test_a_stop_is_compared_with_one_that_knows():
    stops = tables.stops()
    assert (stops.loc[stops["rule"] == "budget 500", "labels"] <= 520).all()
    assert (stops["ratio"].notna() == (stops["reaches_90"] > 0)).all()


def test_the_stored_summaries_are_those_of_the_stored_estimates_and_stops():
    stored = {name: pd.read_csv(SIMULATED / f"whats_missing{name}.csv") for name in ("", "_summary")}
    by = ["estimator", "pool", "half", "strategy", "share"]
    again = tables.summary_of_estimates(tables.beside_truth(stored[""]), by).round(3)
    pd.testing.assert_frame_equal(again, stored["_summary"])
    stored = {name: pd.read_csv(SIMULATED / f"whats_missing_stops{name}.csv") for name in ("", "_summary")}
    again = tables.summary_of_stops(stored[""], ["rule", "pool", "half", "strategy"]).round(3)
    pd.testing.assert_frame_equal(again, stored["_summary"])


def test_an_audit_at_its_price_certifies_its_promise():
    (row,) = tables.prices(sizes=(10_000,), prevalences=(0.01,), promises=(0.8,)).query("rows == 'all'").itertuples()
    audit = Audit(np.arange(10_000 - 10 * row.found), row.found, rng=0)
    audit.update(np.zeros(len(audit.query(row.labels)), int))
    assert audit.recall_at_least >= 0.8
    assert row.labels < 1.15 * 12 / 0.01 * 1.0
