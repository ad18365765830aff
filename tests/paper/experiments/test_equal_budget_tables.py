"""What notebook 18 makes of the committed searches: equal work is compared, and each table says what its words say."""

import numpy as np
import pandas as pd
import pytest

from elsa_nb.overheads import BASE
from elsa_nb.paper.experiments.equal_budgets import tables


@pytest.fixture(scope="module")
def searches():
    return tables.compared_searches()


@pytest.fixture(scope="module")
def said(searches):
    return tables.spent(searches)


def test_every_arm_of_a_pool_begins_with_the_same_examples_of_the_same_classes(searches):
    assert not searches[["pool", "arm"]].isna().any().any()  # every one has a title
    one_pool = ["class_size", "smaller_form", "forms_alike"]  # texts are made of what a system lists on that day
    assert (searches.groupby(["pool", "target"])[one_pool].nunique() == 1).all(axis=None)
    for _, of in searches[~searches["arm"].str.startswith(tables.PARTS)].groupby("pool"):
        keys = {arm: set(rows[["target", "repeat"]].itertuples(index=False)) for arm, rows in of.groupby("arm")}
        once = keys.pop("SEALS, MaxEnt")  # from one example of each class only, as the notebook says
        assert once == {key for key in keys[BASE] if key.repeat == 0}
        assert all(each == keys[BASE] for each in keys.values())


def test_rare_classes_are_as_rare_as_their_title_says_for_every_arm():
    rare = tables.compared_searches(rare=True)
    assert rare["pool"].nunique() > 2
    # A pool of texts is as large as the list that it was made of, and loses more where a class was larger.
    sizes = {"glyphs": (40, 40), "Food-101": (25, 25), "Tiny-ImageNet": (50, 50), "texts": (28, 31)}
    searchers = {arm for arm in rare["arm"] if not arm.startswith(tables.PARTS)}
    for (pool, _), of in rare.groupby(["pool", "target"]):
        assert pool.endswith("%") and searchers <= set(of["arm"])
        least, most = sizes[pool.split(",")[0]]
        assert of["class_size"].nunique() == 1 and of["class_size"].between(least, most).all()


def test_the_ratios_in_words_are_those_of_the_rivals(said):
    rows = tables.rivals(said, 50)
    words = tables.ratios_in_words(rows)
    assert words.shape == (rows["arm"].nunique(), rows["pool"].nunique())
    for row in rows.itertuples():
        text = f"{row.ratio:.2f} [{row.low:.2f}, {row.high:.2f}]"
        assert words.loc[row.arm, row.pool] == (f"({text})" if row.neither > 0.5 else text)


def test_a_ratio_of_searches_that_did_not_get_there_stands_in_brackets():
    frame = pd.concat([rows_of("Harvest", [10, 20, 0, 0, 0]), rows_of("ELSA", [20, 40, 0, 0, 0])])
    said = tables.spent(frame)
    (row,) = tables.rivals(said, 50).to_dict("records")
    assert row["neither"] == 0.6
    assert tables.ratios_in_words(tables.rivals(said, 50)).loc["ELSA", "p"].startswith("(1.32 [1.00, ")
    assert tables.best_rivals(said, 50)["neither"].tolist() == [0.6]


def test_worst_class_wins_and_losses_are_told_class_by_class():
    frame = pd.concat([rows_of("Harvest", [10, 20, 30], rounds=2), rows_of("ELSA", [5, 40, 60], rounds=4)])
    table = tables.class_by_class(tables.spent(frame.assign(seconds=1)), 50).set_index("arm")
    assert table.loc["ELSA", ["worst", "fewer", "more", "round_ms"]].tolist() == [12.0, 1, 2, 250.0]
    assert table.loc["Harvest", ["worst", "round_ms"]].tolist() == [6.0, 500.0]
    assert table.loc["Harvest", ["fewer", "more"]].isna().all()
    assert table["at_95"].isna().all()  # no search got that far
    assert tables.classes_in_words(table)["at_95"].tolist() == ["-"] * 2


def test_the_worst_class_is_not_one_whose_searches_did_not_get_there():
    frame = pd.concat([rows_of("Harvest", [10, 20, 30]), rows_of("ELSA", [5, 40, 0])])
    table = tables.class_by_class(tables.spent(frame.assign(seconds=1, rounds=1)), 50).set_index("arm")
    assert table.loc["Harvest", "worst"] == 6.0
    assert np.isnan(table.loc["ELSA", "worst"])
    assert tables.classes_in_words(table).loc["ELSA", "worst"] == "-"


def test_the_better_searcher_than_harvest_would_be_named(said):
    best = tables.best_rivals(said, 80)
    assert set(best["pool"]) == set(said["pool"])
    assert ((best["low"] <= best["ratio"]) & (best["ratio"] <= best["high"])).all()
    for row in best.itertuples():
        others = tables.rivals(said, 80).query("pool == @row.pool")
        assert 1 / row.ratio == pytest.approx(others["ratio"].min())


def test_goals_are_met_or_said_not_to_be(said, searches):
    goals = tables.against_goals(said, tables.parts(searches))
    assert (goals["met"] == (goals["measured"] <= goals["goal"])).all()
    projection = said.set_index(["pool", "arm"]).loc[("glyphs, projection", BASE)]
    row = goals.query("what == 'labels per find at 80 %'")
    assert row["measured"].tolist() == [projection["overhead_80"]]
    (both,) = goals[goals["what"].str.contains("two encoders")].to_dict("records")
    assert both["low"] < both["measured"] < both["high"] < 1 and both["pool"] == "glyphs, projection"


def rows_of(arm, labels, **more):
    """Return searches of one arm for classes a, b, c ... of ten members, with labels to half of each."""
    shared = {"pool": "p", "half": "held-out", "seeds": 1, "repeat": 0, "budget": 100, "arm": arm, "class_size": 10}
    shared |= {f"labels_{share}": 0 for share in (80, 90, 95)} | {f"found_in_{k}": 0.5 for k in (200, 500, 1000)}
    return pd.DataFrame([shared | {"target": "abcdef"[i], "labels_50": n} for i, n in enumerate(labels)]).assign(**more)


def test_a_part_is_worth_what_leaving_it_out_costs():
    frame = pd.concat([rows_of("Harvest", [10, 20, 30]), rows_of("Harvest: line only", [20, 40])])
    (row,) = tables.parts(frame, shares=(0.5,)).to_dict("records")
    assert (row["changed"], row["classes"], row["to 50 %"]) == ("line only", 2, 2.0)


def test_more_examples_are_worth_the_labels_that_they_save():
    one = pd.concat([rows_of("ELSA", [20, 40] * 3), rows_of("Harvest", [10, 90, 50, 20, 30])])
    five = pd.concat([rows_of("ELSA", [20, 20] * 3, seeds=5), rows_of("Harvest", [5, 45, 25, 10, 15], seeds=5)])
    worth = tables.worth_of_examples(one, five, 50).set_index("arm")
    assert worth.loc["Harvest", ["ratio", "low", "high"]].tolist() == [0.5, 0.5, 0.5]
    assert worth.loc["ELSA", "ratio"] == pytest.approx(0.707, abs=1e-3)  # the geometric mean of 1 and a half
    assert worth.loc["ELSA", ["fewer", "more"]].tolist() == [3, 0]


def test_stages_are_worth_the_labels_that_they_save():
    one = pd.concat([rows_of("Harvest", [10, 20, 30] * 2), rows_of(tables.PREPARED, [20, 20, 20] * 2)])
    worth = tables.worth_of_stages(one, rows_of("Harvest", [5, 10, 15] * 2), 50).set_index("arm")
    assert worth.loc["Harvest, last layer", ["ratio", "low", "high"]].tolist() == [0.5, 0.5, 0.5]
    expected = (1 / 4 * 1 / 2 * 3 / 4) ** (1 / 3)
    assert worth.loc[f"{tables.PREPARED}, last layer", "ratio"] == pytest.approx(expected, abs=1e-3)


def test_searches_with_stages_are_of_the_same_classes_and_examples(searches):
    stages = tables.searches_with_stages()
    known = set(searches.query("arm == @BASE")[["pool", "target", "repeat"]].itertuples(index=False))
    assert set(stages[["pool", "target", "repeat"]].itertuples(index=False)) <= known
    assert stages.query("arm == @BASE").groupby("pool")["target"].nunique().tolist() == [30, 30]


def test_classes_of_two_forms_stand_apart():
    forms = {"smaller_form": [0.3, 0.3, 0.1], "forms_alike": [0.1, 0.8, 0.1]}
    table = tables.two_forms(rows_of("Harvest", [10, 20, 40], **forms), ["Harvest"])
    assert table[["forms", "classes", "to 50%"]].values.tolist() == [["one", 2, 6.0], ["two", 1, 2.0]]
    assert table["not_90"].tolist() == [2, 1]


def test_curves_end_where_searches_do():
    frame = rows_of("Harvest", [10, 20], discovery=" ".join(["0.5"] * 24 + ["1.0"]), found_in_1000=0.5)
    random = rows_of("Random", [10, 20], found_in_1000=0.1)
    curves = tables.discovery_curves(pd.concat([frame.assign(budget=2000), random.assign(budget=2000)]))
    of = curves.set_index("arm").loc["Random"]
    assert np.allclose(of["discovery"], of["labels"] / 10_000)
    assert curves.query("arm == 'Harvest'")["discovery"].iloc[-1] == 0.95
