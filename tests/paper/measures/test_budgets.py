"""Curves of discovery over labels: an arm that has stopped stands at its own end, whichever numbers are stored."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.paper.measures import budgets
from elsa_nb.paper.publishing import readme_blocks
from elsa_nb.paper.runs.simulation import BUDGETS

SEEDS = 5


def searches(arm, ends, rates, reading="paper"):
    """Return searches of one arm, one a class, that find evenly until their end, after so many labels."""
    rows = [
        {"target": f"class {i}", "labels": end, "discovery_rate": rate, "class_size": 100}
        | {"discovery_at": np.minimum(BUDGETS / end, 1) * rate}
        for i, (end, rate) in enumerate(zip(ends, rates, strict=True))
    ]
    named = {"encoder": "vicreg", "reading": reading, "arm": arm, "seeds": SEEDS, "repeat": 0, "pool_size": 10_000}
    return pd.DataFrame(rows).assign(**named)


search = st.tuples(st.integers(SEEDS, 5000), st.floats(0.01, 1))


@given(st.lists(search, min_size=1, max_size=7), st.integers(0, 5000))
def test_a_curve_ends_with_what_its_arm_found_in_all(made, more):
    ends, rates = zip(*made, strict=True)
    curve = budgets.equal_budget(searches("NN", ends, rates)).query("arm == 'NN'")
    end = curve[curve["ended"]]
    assert len(end) == 1
    assert curve["labels"].is_monotonic_increasing and curve["labels"].is_unique
    assert curve["median"].is_monotonic_increasing
    assert end["labels"].item() == curve["labels"].max() == round(float(np.median(ends)))
    assert end["median"].item() == pytest.approx(np.median(rates))
    later = budgets.at_budget(curve, int(end["labels"].item()) + more)
    assert later["median"].tolist() == end["median"].tolist()


def test_an_arm_that_runs_on_stands_at_the_last_stored_number():
    long, short = searches("ELSA", [3000] * 3, [0.9] * 3), searches("NN", [505] * 3, [0.8] * 3)
    curves = budgets.equal_budget(pd.concat([long, short]))
    at = budgets.at_budget(curves, 504).set_index("arm")["labels"]
    assert at["NN"] == at["ELSA"] == BUDGETS[BUDGETS <= 504].max()
    at = budgets.at_budget(curves, 505).set_index("arm")
    assert at.loc["NN", ["labels", "median"]].tolist() == [505, 0.8]
    assert at.loc["ELSA", "labels"] == BUDGETS[BUDGETS <= 505].max()


def test_the_line_below_the_table_says_of_an_arm_that_stopped_what_the_table_says():
    """Curves that rise in their last labels only: what was stored before tells next to nothing of their ends."""
    ends, rates = {"ELSA": 2348, "NN": 505, "NN.Large": 905}, {"ELSA": 0.97, "NN": 0.84, "NN.Large": 0.98}
    made = []
    for arm, end in ends.items():
        runs = searches(arm, [end] * 3, [rates[arm]] * 3)
        late = np.where(end <= BUDGETS, rates[arm], 0.05)
        made.append(runs.assign(discovery_at=[late] * 3, labelling_efficiency=0.1))
    runs = pd.concat(made)
    line = readme_blocks.results_block(pd.concat([runs, runs.assign(reading="released-code")])).splitlines()[-1]
    assert re.findall(r"(\S+) (0\.\d\d) \(it stops at (\d+)\)", line) == [
        ("NN.Large", "0.98", "905"),
        ("NN", "0.84", "505"),
    ]
    assert "ELSA 0.05" in line
    assert f"{BUDGETS[BUDGETS < 2348].max():,} labels" in line
