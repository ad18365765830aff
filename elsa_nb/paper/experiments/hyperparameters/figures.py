"""The figures of notebook 07: silent choices beside the tuned hyperparameters, and two of them at a time."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from elsa_nb.paper.experiments.hyperparameters.tables import PAIR_TITLES
from elsa_nb.paper.style import COLOURS, STYLE

_EFFECTS = {"discovery": "Discovery rate, change\nin percentage points", "labels": "Labels spent, times"}
_EFFECTS["efficiency"] = "Labelling efficiency, times"
_TUNED_COLOUR = "#777777"
_DOUBLINGS, _POINTS = 2.0, 0.5  # of labels and of discovery, that are drawn darkest


def plot_silent_choices(frame: pd.DataFrame) -> Figure:
    """Draw what each silent choice changes: one line per choice, discovery, labels and efficiency side by side.

    `frame` is long (change, title, kind, effect, median, low, high), in the order drawn. Bars are 95 % intervals; the
    line in the middle is the reading `paper` as it is. The tuned parameters, in grey, show the scale.
    """
    changes = frame.drop_duplicates("change")
    silent = int((changes["kind"] == "silent").sum())
    # A gap between the two kinds; the first line on top.
    heights = pd.Series(np.arange(len(changes)) + (np.arange(len(changes)) >= silent), index=changes["change"])
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(8.2, 0.22 * len(changes) + 1.5), sharey=True)
        for ax, (effect, label) in zip(axes, _EFFECTS.items(), strict=True):
            scale, middle = (100, 0) if effect == "discovery" else (1, 1)
            ax.axvline(middle, color="#333333", lw=0.9)
            for kind, colour, marker in (("silent", COLOURS["ELSA"], "o"), ("tuned", _TUNED_COLOUR, "s")):
                rows = frame[(frame["effect"] == effect) & (frame["kind"] == kind)]
                values = scale * rows[["median", "low", "high"]]
                bars = [values["median"] - values["low"], values["high"] - values["median"]]
                y = heights[rows["change"]].to_numpy()
                ax.errorbar(
                    values["median"], y, xerr=bars, color=colour, marker=marker, ms=4, ls="none", elinewidth=1.2
                )
            if effect != "discovery":
                _ratio_axis(ax, frame[frame["effect"] == effect])
            ax.set_xlabel(label)
            ax.grid(axis="y", visible=False)
            ax.tick_params(axis="y", length=0)
        axes[0].set_yticks(heights, changes["title"])
        axes[0].set_ylim(heights.max() + 0.7, -0.7)
        names = {"silent choice of the paper": ("o", COLOURS["ELSA"]), "parameter it tuned": ("s", _TUNED_COLOUR)}
        handles = [mpl.lines.Line2D([], [], color=c, marker=m, ms=4, lw=1.2) for m, c in names.values()]
        figure.legend(handles, names, loc="outside lower center", ncols=2)
    return figure


def plot_choices_in_pairs(frame: pd.DataFrame) -> Figure:
    """Draw what pairs of silent choices change: one row of panels per arm, discovery and labels side by side.

    `frame` is that of `tables.choices_in_pairs`. On the diagonal stands a choice alone. A frame stands around pairs
    whose labels differ from the product of both alone (their interval excludes 1).
    """
    arms, names = list(dict.fromkeys(frame["arm"])), list(PAIR_TITLES)
    panels = {"discovery": ("Discovery rate, change in points", 100), "labels": ("Labels spent, times", 1)}
    with plt.rc_context(STYLE | {"axes.grid": False}):
        figure, axes = plt.subplots(len(arms), 2, figsize=(8.8, 3.5 * len(arms)), sharex=True, sharey=True)
        for i, arm in enumerate(arms):
            own = frame[frame["arm"] == arm]
            beyond = own[(own["effect"] == "beyond") & ((own["low"] > 1) | (own["high"] < 1))]
            framed = set(zip(beyond["first"], beyond["second"], strict=True))
            for ax, (effect, (label, scale)) in zip(axes[i], panels.items(), strict=True):
                _draw_pairs(ax, own[own["effect"] == effect], effect, scale, framed)
                ax.set_title(f"{arm}: {label}")
        axes[0, 0].set_yticks(range(len(names)), PAIR_TITLES.values())
        for ax in axes[-1]:
            ax.set_xticks(range(len(names)), PAIR_TITLES.values(), rotation=40, ha="right", rotation_mode="anchor")
    return figure


def _draw_pairs(ax: mpl.axes.Axes, rows: pd.DataFrame, effect: str, scale: int, framed: set[tuple[str, str]]) -> None:
    """Draw one triangle of pairs; twice the labels are as dark as half of them, and so are points won and lost."""
    names = list(PAIR_TITLES)
    grid = np.full((len(names), len(names)), np.nan)
    for row in rows.itertuples():
        y, x = names.index(row.second), names.index(row.first)
        grid[y, x] = np.log2(row.median) if effect == "labels" else row.median
        dark = abs(grid[y, x]) > (0.7 * _DOUBLINGS if effect == "labels" else 0.7 * _POINTS)
        points = round(scale * row.median)
        text = f"{row.median:.2f}" if effect == "labels" else f"{points:+d}" if points else "0"
        ax.text(x, y, text, ha="center", va="center", fontsize=8, color="white" if dark else "black")
        if effect == "labels" and (row.first, row.second) in framed:
            ax.add_patch(plt.Rectangle((x - 0.46, y - 0.44), 0.92, 0.88, fill=False, ec="black", lw=1.4))
    reach = _DOUBLINGS if effect == "labels" else _POINTS
    ax.imshow(grid, cmap="PuOr" if effect == "labels" else "BrBG", vmin=-reach, vmax=reach, aspect="auto")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)


def _ratio_axis(ax: mpl.axes.Axes, rows: pd.DataFrame) -> None:
    """Make the axis one of ratios: twice is as far from 1 as half."""
    furthest = max(rows["high"].max(), 1 / rows["low"].min(), 1.3)
    ticks = [t for t in (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32) if 1 / furthest <= t <= furthest]
    ticks = ticks if len(ticks) > 2 else [0.8, 1, 1.25]
    ax.set_xscale("log")
    ax.set_xlim(1 / (1.1 * furthest), 1.1 * furthest)
    ax.set_xticks(ticks, [f"1/{1 / t:g}" if t < 0.6 else f"{t:g}" for t in ticks])
    ax.minorticks_off()
