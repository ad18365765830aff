"""Logarithmic axes tell plain numbers, as many as there is room for."""

import matplotlib.pyplot as plt
import pytest

from elsa_nb.paper.style import log_axis


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def labels(axis):
    axis.figure.canvas.draw()
    return [label.get_text() for label in axis.get_ticklabels() if label.get_text()]


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ((0.014, 0.7), ["0.02", "0.05", "0.1", "0.2", "0.5"]),
        ((0.033, 0.09), ["0.04", "0.05", "0.06", "0.08"]),
        ((1500, 6000), ["2,000", "3,000", "4,000", "5,000", "6,000"]),
        ((0.001, 20000), ["0.001", "0.01", "0.1", "1", "10", "100", "1,000", "10,000"]),
    ],
)
def test_a_logarithmic_axis_has_plain_numbers_and_no_powers(ax, limits, told):
    ax.set_ylim(limits)
    log_axis(ax.yaxis)
    assert labels(ax.yaxis) == told
    assert ax.get_yscale() == "log"


def test_an_axis_of_many_decades_across_has_one_number_each(ax):
    ax.set_xlim(4, 3000)
    log_axis(ax.xaxis)
    assert labels(ax.xaxis) == ["10", "100", "1,000"]


def test_an_axis_may_end_at_numbers(ax):
    ax.set_ylim(0.00011, 0.29)
    log_axis(ax.yaxis, (1, 2, 5), to_ticks=True)
    assert ax.get_ylim() == (0.0001, 0.5)
    assert (labels(ax.yaxis)[0], labels(ax.yaxis)[-1]) == ("0.0001", "0.5")
