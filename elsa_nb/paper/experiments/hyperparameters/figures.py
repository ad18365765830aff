"""The figure of notebook 07: silent choices beside the tuned hyperparameters, from a frame of `silent_choices`."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from elsa_nb.paper.style import COLOURS, STYLE

_EFFECTS = {"discovery": "Discovery rate, change\nin percentage points", "labels": "Labels spent, times"}
_EFFECTS["efficiency"] = "Labelling efficiency, times"
_TUNED_COLOUR = "#777777"


def plot_silent_choices(frame: pd.DataFrame) -> Figure:
    """Draw what each silent choice changes: a choice a line, discovery, labels and efficiency side by side.

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


def _ratio_axis(ax: mpl.axes.Axes, rows: pd.DataFrame) -> None:
    """Make the axis one of ratios: twice is as far from 1 as half."""
    furthest = max(rows["high"].max(), 1 / rows["low"].min(), 1.3)
    ticks = [t for t in (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32) if 1 / furthest <= t <= furthest]
    ticks = ticks if len(ticks) > 2 else [0.8, 1, 1.25]
    ax.set_xscale("log")
    ax.set_xlim(1 / (1.1 * furthest), 1.1 * furthest)
    ax.set_xticks(ticks, [f"1/{1 / t:g}" if t < 0.6 else f"{t:g}" for t in ticks])
    ax.minorticks_off()
