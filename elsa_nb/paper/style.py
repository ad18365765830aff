"""The figures: functions of a tidy frame that draw and compute nothing. One arm has one colour everywhere."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elsa_nb.paper.measures.medians import ENCODERS, FLOORS

# Okabe and Ito's colours, told apart by all common kinds of colour vision; grey for the two reference lines.
COLOURS = {
    "ELSA": "#0072B2",
    "No Active": "#E69F00",
    "NN": "#009E73",
    "NN.Large": "#CC79A7",
    "Greedy probe": "#D55E00",
    "random": "#999999",
    "ideal": "#555555",
}
COMPONENT_COLOURS = {"NN": "#009E73", "RANDS": "#E69F00", "FINAL": "#0072B2", "seed": "#000000"}
MARKERS = {"ELSA": "o", "No Active": "s", "NN": "^", "NN.Large": "v", "Greedy probe": "D"}
STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.titlesize": 9,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
_LABELS = {"discovery_rate": "Discovery rate", "labelling_efficiency": "Labelling efficiency"}


def plot_components(frame: pd.DataFrame) -> Figure:
    """Draw Fig. 2: discovery and efficiency over the number of seeds, an arm a line, a reading and encoder a column.

    `frame` is long (encoder, arm, seeds, reading, metric, median, low, high, value). Bars are 95 % intervals; hollow
    marks on dotted lines are the paper's printed values, of ImageNet-1k, for the shape and not the height.
    """
    columns = [(e, r) for e in dict.fromkeys(frame["encoder"]) for r in dict.fromkeys(frame["reading"])]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2, len(columns), figsize=(2.6 * len(columns), 5.2), sharex=True, sharey="row")
        for (metric, label), line in zip(_LABELS.items(), axes, strict=True):
            for ax, (encoder, reading) in zip(line, columns, strict=True):
                here = frame.query("encoder == @encoder and reading == @reading and metric == @metric")
                _plot_by_seeds(here, ax)
                if metric == "discovery_rate":
                    ax.set_title(f"{ENCODERS[encoder]}, {reading} reading")
                else:
                    ax.set_xlabel("Seeds")
            line[0].set_ylabel(label)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        dotted = mpl.lines.Line2D([], [], color="#777777", ls=":", marker="o", mfc="white", ms=4)
        figure.legend([*handles, dotted], [*labels, "printed in the paper"], loc="outside lower center", ncols=5)
    return figure


def _plot_by_seeds(frame: pd.DataFrame, ax: Axes) -> None:
    for arm, rows in frame.groupby("arm", sort=False):
        rows = rows.assign(x=rows["seeds"].astype(int)).sort_values("x")
        colour, marker = COLOURS[arm], MARKERS[arm]
        spread = [rows["median"] - rows["low"], rows["high"] - rows["median"]]
        ax.errorbar(
            rows["x"], rows["median"], spread, color=colour, marker=marker, ms=4, lw=1.4, elinewidth=0.8, label=arm
        )
        ax.plot(rows["x"], rows["value"], color=colour, marker=marker, mfc="white", ms=4, lw=0.9, ls=":")
    ax.set_xscale("log")
    ax.set_ylim(0, 1)
    ticks = sorted(frame["seeds"].astype(int).unique())
    ax.set_xticks(ticks, map(str, ticks))
    ax.minorticks_off()


def plot_equal_budget(frame: pd.DataFrame) -> Figure:
    """Draw discovery against labels spent: an arm a line, an encoder a column, a reading a row.

    `frame` is long (encoder, reading, arm, labels, median, low, high, ended): bands are 95 % intervals, the dot is the
    median end of an arm's searches. The rows of the arms "random" and "ideal" are the two reference lines.
    """
    readings = [r for r in dict.fromkeys(frame["reading"]) if r not in ("rival", "reference")]
    encoders = list(dict.fromkeys(frame["encoder"]))
    shape = len(readings), len(encoders)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            *shape, figsize=(3.9 * shape[1], 2.9 * shape[0]), sharex=True, sharey=True, squeeze=False
        )
        for line, reading in zip(axes, readings, strict=True):
            for ax, encoder in zip(line, encoders, strict=True):
                shown = frame["reading"].isin([reading, "rival", "reference"]) & (frame["encoder"] == encoder)
                _plot_by_labels(frame[shown], ax)
                ax.set_title(f"{ENCODERS[encoder]}, {reading} reading")
            line[0].set_ylabel("Discovery rate (median)")
        for ax in axes[-1]:
            ax.set_xlabel("Labels spent, seeds included")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def _plot_by_labels(frame: pd.DataFrame, ax: Axes) -> None:
    for arm, rows in frame.groupby("arm", sort=False):
        reference = arm in ("random", "ideal")
        style = {"ls": "--" if arm == "random" else ":" if arm == "ideal" else "-", "lw": 1.1 if reference else 1.6}
        ax.plot(rows["labels"], rows["median"], color=COLOURS[arm], label=arm, **style)
        if not reference:
            ax.fill_between(rows["labels"], rows["low"], rows["high"], color=COLOURS[arm], alpha=0.13, lw=0)
            end = rows[rows["ended"]].head(1)
            ax.plot(end["labels"], end["median"], color=COLOURS[arm], marker=MARKERS[arm], ms=5, ls="none")
    ax.set_xscale("log")
    ax.set_ylim(0, 1.02)


def plot_glyphs(frame: pd.DataFrame, images: np.ndarray) -> Figure:
    """Draw a sample of the pool, a class a row; `frame` (character, name, row) and `images` (m, 32, 32) go together."""
    names = list(dict.fromkeys(frame["name"]))
    across = int(frame["name"].value_counts().max())
    with plt.rc_context(STYLE | {"axes.grid": False}):
        figure, axes = plt.subplots(len(names), 1, figsize=(0.32 * across + 2, 0.36 * len(names)))
        for ax, name in zip(axes, names, strict=True):
            strip = np.hstack(list(images[(frame["name"] == name).to_numpy()]))
            ax.imshow(255 - strip, cmap="gray", vmin=0, vmax=255)
            ax.set_ylabel(name.lower(), rotation=0, ha="right", va="center", fontsize=8)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
    return figure


def plot_purity(frame: pd.DataFrame) -> Figure:
    """Draw the neighbour purity of each encoder and space as bars, what needs no training in grey.

    `frame` has encoder, space, purity.
    """
    names = [f"{ENCODERS[encoder]}, {space}" for encoder, space in zip(frame["encoder"], frame["space"], strict=True)]
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(6, 0.36 * len(frame) + 0.7))
        colours = ["#999999" if encoder in FLOORS else "#0072B2" for encoder in frame["encoder"]]
        bars = ax.barh(names, frame["purity"], color=colours, height=0.65)
        ax.bar_label(bars, fmt="%.2f", padding=3)
        ax.invert_yaxis()
        ax.grid(axis="y", visible=False)
        ax.set(xlim=(0, 1), xlabel="Share of the ten nearest neighbours of the same class")
    return figure


def plot_search(frame: pd.DataFrame, images: np.ndarray, *, across: int = 30) -> Figure:
    """Draw one search at work: the images of the positives that each round found, framed by component.

    `frame` has one row an image to show (round, component, in the order found), `images` (m, 32, 32) uint8 are the
    pictures; at most `across` a round are drawn.
    """
    rounds = list(dict.fromkeys(frame["round"]))
    with plt.rc_context(STYLE | {"axes.grid": False}):
        figure, ax = plt.subplots(figsize=(0.27 * across + 1.6, 0.275 * len(rounds) + 0.45))
        for y, number in enumerate(rounds):
            members = np.flatnonzero((frame["round"] == number).to_numpy())
            for x, i in enumerate(members[:across]):
                extent = (x, x + 0.9, y + 0.9, y)
                ax.imshow(255 - images[i], cmap="gray", vmin=0, vmax=255, extent=extent, interpolation="nearest")
                colour = COMPONENT_COLOURS[frame["component"].iloc[i]]
                ax.add_patch(plt.Rectangle((x, y), 0.9, 0.9, fill=False, ec=colour, lw=1.2))
            if len(members) > across:
                ax.text(across + 0.2, y + 0.45, f"+ {len(members) - across}", va="center", color="#555555")
        ax.set(xlim=(-0.1, across + 2.5), ylim=(len(rounds), -0.1), xticks=[], yticks=np.arange(len(rounds)) + 0.45)
        ax.set_yticklabels(rounds)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        names = {"seed": "seed", "NN": "nearest neighbours", "RANDS": "RandS", "FINAL": "final search"}
        handles = [plt.Rectangle((0, 0), 1, 1, fill=False, ec=COMPONENT_COLOURS[c], lw=1.6) for c in names]
        figure.legend(handles, names.values(), loc="outside lower center", ncols=4)
    return figure
