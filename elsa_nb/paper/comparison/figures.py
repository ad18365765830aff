"""The figure of notebook 99: every printed number against ours, drawn from a frame of `tables.compared_cells`."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elsa_nb.paper.measures.medians import RATE_TITLES
from elsa_nb.paper.style import COLOURS, STYLE

# A mark a group of tables, a colour an arm: as in all figures.
_TABLES = {
    "Tables 2-4, seeds and arms": ("o", (2, 3, 4)),
    "Table 5, encoders": ("s", (5,)),
    "Tables 6-9, hyperparameters": ("D", (6, 7, 8, 9)),
    "Table 10, noise": ("^", (10,)),
    "Table 11, Food-101": ("v", (11,)),
}
_ARMS = ("ELSA", "No Active", "NN", "NN.Large")


def plot_against(cells: pd.DataFrame) -> Figure:
    """Draw ours against printed, a dot a printed cell: a reading a column, a measure a row.

    `cells` are those of `tables.compared_cells` (table, arm, metric, reading, value, median, low, high, within). Filled
    marks: the printed number lies within our 95 % interval (the bar); hollow ones: it does not, or none is there.
    """
    drawn = cells[cells["metric"].isin(list(RATE_TITLES)) & cells["median"].notna()]
    readings = list(dict.fromkeys(cells["reading"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(RATE_TITLES),
            len(readings),
            figsize=(3.2 * len(readings), 6.6),
            sharex="row",
            sharey="row",
            squeeze=False,
        )
        for line, (metric, label) in zip(axes, RATE_TITLES.items(), strict=True):
            for ax, reading in zip(line, readings, strict=True):
                _plot_panel(drawn[(drawn["metric"] == metric) & (drawn["reading"] == reading)], ax)
                ax.set_xlabel(f"{label}, printed")
                if metric == "discovery_rate":
                    ax.set(title=f"{reading} reading", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
                else:
                    ax.set(xscale="log", yscale="log", xlim=(0.008, 1), ylim=(0.008, 1))
                    ax.grid(which="minor", visible=False)
            line[0].set_ylabel(f"{label}, here")
        figure.legend(handles=_legend(drawn), loc="outside lower center", ncols=3, fontsize=7.5)
    return figure


def _plot_panel(rows: pd.DataFrame, ax: Axes) -> None:
    ax.axline((0.01, 0.01), (1, 1), color="#999999", lw=0.9, ls="--", zorder=1)
    ax.set_aspect("equal")
    for marker, tables in _TABLES.values():
        for row in rows[rows["table"].isin(tables)].itertuples():
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
    tables = [
        mark(label, marker=marker, color=grey, mfc="white")
        for label, (marker, numbers) in _TABLES.items()
        if rows["table"].isin(numbers).any()
    ]
    inside = mark("printed lies within our 95 % interval", marker="o", color=grey)
    return [*arms, *tables, inside]
