"""What is read off a search, and what is said of many: labels at shares of a class, medians, ratios to Harvest."""

import numpy as np
import pandas as pd
import pytest

from elsa_nb import overheads
from elsa_nb.bench import simulating


def test_labels_at_shares_and_finds_in_budgets_are_read_off():
    found = np.ones(300, bool)
    found[100:200] = False  # 100 finds, a hundred refusals, 100 finds
    measured = overheads.measured(found, 250)
    assert [measured[f"labels_{share}"] for share in (50, 80, 90)] == [225, 300, 0]
    assert [measured[f"found_in_{spent}"] for spent in (200, 500, 1000)] == [0.4, 0.8, 0.8]


def test_an_overhead_is_labels_a_find_and_what_is_not_reached_costs_more_than_the_budget():
    rows = pd.DataFrame([{"class_size": 100, "budget": 1000, "labels_80": 160, "labels_90": 0}])
    assert overheads.overheads(rows, 0.8).item() == 2
    assert overheads.overheads(rows, 0.9).item() == pytest.approx(1250 / 90)


def test_what_no_budget_could_reach_costs_more_than_the_best_search():
    rows = pd.DataFrame([{"class_size": 400, "budget": budget, "labels_90": 0} for budget in (10, 300, 360, 400)])
    assert overheads.overheads(rows, 0.9).tolist() == pytest.approx([1.25, 1.25, 1.25, 500 / 360])


def test_the_summary_compares_class_by_class():
    common = {"pool": "p", "half": "held-out", "seeds": 1, "repeat": 0, "budget": 1000, "class_size": 100}
    finds = {f"found_in_{spent}": 0.9 for spent in overheads.SPENT}
    rows = [
        common | finds | {"target": target, "arm": arm, "labels_50": 50, "labels_80": labels, "labels_90": 0}
        for target, of in {"a": (80, 160), "b": (100, 400), "c": (90, 90)}.items()
        for arm, labels in zip(("Harvest", "Other"), of, strict=True)
    ]
    table = overheads.summary(pd.DataFrame(rows)).set_index("arm")
    assert table.classes.tolist() == [3, 3]
    assert table.overhead_80.tolist() == pytest.approx([90 / 80, 2])
    assert table.ratio_80.tolist() == pytest.approx([1, 2])  # the geometric mean of 2, 4 and 1
    assert table.unreached_90.tolist() == [3, 3]
    assert table.ratio_low_80["Other"] <= 2 <= table.ratio_high_80["Other"]


def test_every_class_is_in_one_half():
    halves = [simulating.half_of(name) for name in "abcdefghij"]
    assert set(halves) == {"tuning", "held-out"}
