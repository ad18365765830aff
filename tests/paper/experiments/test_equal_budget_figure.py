"""Discovery at equal budget: arms without a reading are told from those that have one."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from elsa_nb.paper.experiments.components.figures import plot_equal_budget

ARMS = [("paper", "No Active"), ("released-code", "No Active"), ("rival", "Greedy probe"), ("reference", "random")]


@pytest.fixture
def figure():
    rows = [
        {"encoder": "vicreg", "reading": reading, "arm": arm, "labels": labels, "median": labels / 200}
        | {"low": labels / 220, "high": labels / 180, "ended": labels == 100}
        for reading, arm in ARMS
        for labels in (10, 50, 100)
    ]
    made = plot_equal_budget(pd.DataFrame(rows))
    yield made
    plt.close(made)


def test_an_arm_without_a_reading_says_so(figure):
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["No Active", "Greedy probe (no reading)", "random", "95 % interval"]
    assert [ax.get_title() for ax in figure.axes] == ["VICReg, paper reading", "VICReg, released-code reading"]


def test_its_band_does_not_blend_with_others(figure):
    for ax in figure.axes:
        filled, outlined = ax.collections
        assert len(filled.get_facecolor()) == 1
        assert len(outlined.get_facecolor()) == 0
        assert len(outlined.get_edgecolor()) == 1
