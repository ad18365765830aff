"""The figure of notebook 99: every printed number against ours, drawn from a frame of `tables.compared_cells`."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elsa_nb.paper.measures.medians import RATE_TITLES
from elsa_nb.paper.style import COLOURS, STYLE, log_axis

# One mark per group of tables, one colour per arm: as in all figures.
_TABLES = {
    "Tables 2-4, seeds and arms": ("o", (2, 3, 4)),
    "Table 5, encoders": ("s", (5,)),
    "Tables 6-9, hyperparameters": ("D", (6, 7, 8, 9)),
    "Table 10, noise": ("^", (10,)),
    "Table 11, Food-101": ("v", (11,)),
}
_ARMS = ("ELSA", "No Active", "NN", "NN.Large")


def plot_against(cells: pd.DataFrame) -> Figure:
    """Draw ours against printed, one dot per printed cell: a column per group of tables, a row per measure and reading.

    `cells` are those of `tables.compared_cells` (table, arm, metric, reading, value, median, low, high, within). Filled
    marks: the printed number lies within our 95 % interval (the bar); hollow ones: it does not, or none is there.
    """
    drawn = cells[cells["metric"].isin(list(RATE_TITLES)) & cells["median"].notna()]
    readings = list(dict.fromkeys(cells["reading"]))
    lines = [(metric, reading) for metric in RATE_TITLES for reading in readings]
    with plt.rc_context(STYLE):
        shape = len(lines), len(_TABLES)
        figure, axes = plt.subplots(*shape, figsize=(1.95 * shape[1], 1.85 * shape[0] + 0.5), squeeze=False)
        for line, (metric, reading) in zip(axes, lines, strict=True):
            for ax, (marker, tables) in zip(line, _TABLES.values(), strict=True):
                here = drawn["table"].isin(tables) & (drawn["metric"] == metric) & (drawn["reading"] == reading)
                _plot_panel(drawn[here], ax, marker)
                if metric == "discovery_rate":
                    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
                else:
                    ax.set(xscale="log", yscale="log", xlim=(0.004, 1), ylim=(0.004, 1))
                    log_axis(ax.xaxis, (1,))
                    log_axis(ax.yaxis, (1,))
                    ax.grid(which="minor", visible=False)
            line[0].set_ylabel(f"{RATE_TITLES[metric]} here,\n{reading} reading")
        for ax, title in zip(axes[0], _TABLES, strict=True):
            ax.set_title(title.replace(", ", ",\n"))
        for ax in axes[-1]:
            ax.set_xlabel("Printed in the paper")
        figure.legend(handles=_legend(drawn), loc="outside lower center", ncols=5)
    return figure


def _plot_panel(rows: pd.DataFrame, ax: Axes, marker: str) -> None:
    ax.axline((0.01, 0.01), (1, 1), color="#999999", lw=0.9, ls="--", zorder=1)
    ax.set_aspect("equal")
    for row in rows.itertuples():
        colour = COLOURS[row.arm]
        if row.low == row.low:  # not nan
            ax.plot([row.value, row.value], [row.low, row.high], color=colour, lw=0.8, alpha=0.5, zorder=2)
        face = colour if row.within == "yes" else "white"
        ax.plot(row.value, row.median, marker, color=colour, mfc=face, ms=4.5, mew=0.9, zorder=3)


def _legend(rows: pd.DataFrame) -> list[mpl.lines.Line2D]:
    def mark(label: str, **options) -> mpl.lines.Line2D:
        return mpl.lines.Line2D([], [], ls="none", ms=5, label=label, **options)

    grey = "#555555"
    arms = [mark(arm, marker="o", color=COLOURS[arm]) for arm in _ARMS if arm in set(rows["arm"])]
    return [
        *arms,
        mark("filled: the number printed in the paper lies within our 95 % interval", marker="o", color=grey),
    ]
