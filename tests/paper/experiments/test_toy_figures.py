"""The toy figures show every point once in its right dress, and the pictures stay small."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from elsa_nb.paper.experiments.toy import figures, flow_chart, pictures, rands
from elsa_nb.paper.experiments.toy import space as toy
from elsa_nb.paper.publishing import exhibits
from elsa_nb.paper.style import COMPONENT_COLOURS


@pytest.fixture(scope="module")
def history():
    return toy.watch_search(toy.draw_space(0), 0, toy.toy_config())


@pytest.fixture(scope="module")
def states(history):
    return toy.states_by_round(history)


def drawn(ax, colour, marker):
    """Count the marks of one look in a panel."""
    marks = {"o": "get_markerfacecolor", "x": "get_markeredgecolor", "ring": "get_markeredgecolor"}
    lines = [line for line in ax.lines if line.get_marker() == ("x" if marker == "x" else "o")]
    return sum(len(line.get_xdata()) for line in lines if getattr(line, marks[marker])() == colour)


def test_each_panel_of_fig_5_shows_what_its_round_did(history, states):
    figure = figures.plot_iterations(history, states)
    panels = figure.axes
    plt.close(figure)
    assert [ax.get_title() for ax in panels[:7]] == list(figures.STATE_TITLES.values())
    for ax, (_, line) in zip(panels, states.iterrows(), strict=False):
        for name, colour in COMPONENT_COLOURS.items():
            if name != "seed":
                assert drawn(ax, colour, "o") == line[f"{name} found"]
                assert drawn(ax, colour, "x") == line[f"{name} asked"] - line[f"{name} found"]
        assert drawn(ax, figures.UNDISCOVERED_COLOUR, "ring") == 116 - line["found"]
    labels = [text.get_text() for text in panels[6].texts]
    assert f"{states['found'].iloc[-1]} found, {states['labels'].iloc[-1]} labels" in labels


def test_open_questions_are_rings_and_show_no_answer(history, states):
    figure, ax = plt.subplots()
    figures.draw_state(ax, history, states, 2, answered=False)
    plt.close(figure)
    for name in ("NN", "RANDS"):
        assert drawn(ax, COMPONENT_COLOURS[name], "ring") == states.loc["round 2", f"{name} asked"]
        assert drawn(ax, COMPONENT_COLOURS[name], "o") == 0
    assert "20 found, 51 labels" in [text.get_text() for text in ax.texts]


def test_fig_1_colours_every_find_by_who_found_it():
    space = toy.draw_space(0, toy.ToyGeometry(toy.THREE))
    history, reach = toy.watch_search(space, 0, toy.toy_config()), toy.neighbour_reach(space, 25)
    figure = figures.plot_toy(history, reach)
    plt.close(figure)
    found = history[history["part"] != "other"]["component"].value_counts()
    for name in ("NN", "RANDS", "FINAL"):
        assert drawn(figure.axes[2], COMPONENT_COLOURS[name], "o") == found.get(name, 0)
    circles = [patch.radius for patch in figure.axes[1].patches if isinstance(patch, plt.Circle)]
    assert circles == reach.set_index("what").loc[["nearest", "C1", "C3"], "radius"].tolist()


def test_fig_6_has_a_panel_for_every_variant(history):
    frame = rands.proposals(0)
    figure = figures.plot_rands(frame, rands.proposal_counts(frame), history)
    plt.close(figure)
    assert [ax.get_title() for ax in figure.axes] == [*rands.VARIANTS, ""]  # the last holds the legend
    for ax, (_, line) in zip(figure.axes[1:-1], rands.proposal_counts(frame).iloc[1:].iterrows(), strict=True):
        assert drawn(ax, COMPONENT_COLOURS["RANDS"], "o") == line["positives"]
        assert drawn(ax, COMPONENT_COLOURS["NN"], "ring") == 25


def test_the_flow_chart_draws_each_box_and_every_line_of_algorithm_4():
    chart = flow_chart.chart_parts()
    figure = flow_chart.plot_flow_chart(chart)
    plt.close(figure)
    texts = [text.get_text() for text in figure.axes[0].texts]
    boxes = chart[chart["kind"] == "box"]
    assert set(boxes["text"]) | set(boxes["note"]) <= set(texts)
    named = {
        int(n)
        for text in texts
        for n in text.replace(",", " ").replace("(", " ").replace(")", " ").split()
        if n.isdigit()
    }
    assert {1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15} <= named


def test_the_animation_asks_and_answers_every_round(history, states):
    moving = pictures.animate(history, states)
    frames = Image.open(io.BytesIO(moving.data))
    assert frames.n_frames == 1 + 2 * (len(states) - 1)
    assert len(moving.data) < 110_000  # 150 kB inside a notebook
    bundle = moving._repr_mimebundle_()
    assert bundle["text/html"].startswith('<img src="data:image/gif;base64,')
    assert bundle["text/plain"] == moving.words


def test_a_picture_keeps_the_colours_of_the_components():
    figure, ax = plt.subplots(figsize=(2, 2))
    for name, x in (("NN", 0), ("RANDS", 1), ("FINAL", 2)):
        ax.plot([x], [0], "s", ms=20, mfc=COMPONENT_COLOURS[name], mec="none")
    shown = pictures.picture(figure, "three squares")
    assert not plt.fignum_exists(figure.number)
    pixels = np.asarray(Image.open(io.BytesIO(shown.data)).convert("RGB")).reshape(-1, 3)
    for name in ("NN", "RANDS", "FINAL"):
        assert (pixels == [int(COMPONENT_COLOURS[name][i : i + 2], 16) for i in (1, 3, 5)]).all(1).sum() > 300
    assert shown._repr_mimebundle_()["text/plain"] == "three squares"


def test_the_four_exhibits_are_in_the_catalogue():
    names = ("fig01-toy", "fig04-flow-chart", "fig05-iterations", "fig06-rands")
    assert [exhibits.CATALOGUE[name].paper_item for name in names] == ["Fig. 1", "Fig. 4", "Fig. 5", "Fig. 6"]
