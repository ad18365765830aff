"""The figures of the settings hold what their rows hold."""

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.experiments.hyperparameters import figures
from elsa_nb.paper.experiments.noise import figures as noise
from elsa_nb.paper.measures import settings_figure
from elsa_nb.paper.style import COLOURS, COMPONENT_COLOURS


def bars(ax):
    """Return the middle points of every line with error bars, in the order drawn."""
    return [np.column_stack(container.lines[0].get_data()).astype(float) for container in ax.containers]


def test_settings_show_both_readings_and_the_printed_values():
    rows = [
        {
            "value": value,
            "reading": reading,
            "metric": metric,
            "median": 0.5,
            "low": 0.4,
            "high": 0.6,
            "printed_value": p,
        }
        for value, p in ((0.0, np.nan), (2.5, 0.3), (5.0, 0.2))
        for reading in ("paper", "released-code")
        for metric in ("discovery_rate", "labelling_efficiency", "labels")
    ]
    figure = settings_figure.plot_settings(pd.DataFrame(rows), "p")
    assert len(figure.axes) == 4
    for ax in figure.axes:
        assert bars(ax)[0].tolist() == [[0, 0.5], [2.5, 0.5], [5, 0.5]]
        printed = next(line for line in ax.lines if line.get_label() == "ELSA, printed in the paper")
        assert printed.get_xdata().tolist() == [2.5, 5.0]
        assert printed.get_color() == COLOURS["ELSA"]


@pytest.mark.parametrize("reach", [1.05, 3.0, 40.0])
def test_silent_choices_lie_inside_their_axes_in_the_order_given(reach):
    rows = []
    for kind, names in (("silent", ("x=1", "y=2")), ("tuned", ("a=10",))):
        for i, name in enumerate(names):
            for effect, value in (("discovery", -0.1), ("found", 0.9), ("labels", reach), ("efficiency", 1 / reach)):
                low, high = value - abs(value) / 50, value + abs(value) / 50
                cells = {"change": name, "title": f"{name}!", "kind": kind, "effect": effect, "size": 3 - i}
                rows.append(cells | {"median": value, "low": low, "high": high})
    figure = figures.plot_silent_choices(pd.DataFrame(rows))
    discovery, labels, efficiency = figure.axes
    assert [text.get_text() for text in discovery.get_yticklabels()] == ["x=1!", "y=2!", "a=10!"]
    assert bars(discovery)[0][:, 0] == pytest.approx([-10, -10])
    assert bars(labels)[0].tolist() == [[reach, 0], [reach, 1]]
    assert bars(efficiency)[1].tolist() == [[pytest.approx(1 / reach), 3]]
    for ax in (labels, efficiency):
        low, high = ax.get_xlim()
        assert low < 1 / (1.02 * reach)
        assert high > 1.02 * reach
        assert low * high == pytest.approx(1)
        assert "1" in [text.get_text() for text in ax.get_xticklabels()]


def test_components_keep_their_colours():
    rows = [
        {"reading": r, "flip": f, "component": c, "what": w, "median": 10.0, "low": 9.0, "high": 12.0}
        for r in ("paper", "released-code")
        for f in (0.0, 0.15)
        for c in ("NN", "RANDS", "FINAL")
        for w in ("labels", "found")
    ]
    figure = noise.plot_labels_by_component(pd.DataFrame(rows))
    for ax in figure.axes:
        assert [container.lines[0].get_color() for container in ax.containers] == [
            COMPONENT_COLOURS[name] for name in ("NN", "RANDS", "FINAL")
        ]
        assert bars(ax)[0][:, 0] == pytest.approx([0, 15], abs=0.3)
        assert ax.get_ylim()[0] < 0 < 8 < ax.get_ylim()[1]  # marks at 0 are drawn whole


def test_choices_under_noise_keep_their_marks_and_show_the_printed_line():
    titles = ["The reading as it is", "Head: keeps all negatives", "Head: MLP"]
    rows = [
        {"title": t, "flip": f, "metric": m, "median": 0.5, "low": 0.4, "high": 0.6, "printed": 0.7 if f else np.nan}
        for t in titles
        for f in (0.0, 0.15)
        for m in ("discovery_rate", "labelling_efficiency", "labels")
    ]
    figure = noise.plot_choices_under_noise(pd.DataFrame(rows))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [*titles, "printed in the paper"]
    for ax in figure.axes:
        lines = [container.lines[0] for container in ax.containers]
        assert len({(line.get_color(), line.get_marker()) for line in lines}) == len(titles)
        assert lines[0].get_color() == COLOURS["ELSA"]
        printed = next(line for line in ax.lines if line.get_label() == "printed in the paper")
        assert (printed.get_xdata().tolist(), printed.get_ydata().tolist()) == ([15.0], [0.7])
