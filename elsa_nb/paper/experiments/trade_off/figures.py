"""Fig. 3 and the equal-budget curves of the same searches, for notebook 06: drawn from frames of `tables`."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elsa_nb.paper.style import COLOURS, MARKERS, STYLE, log_axis


def plot_trade_off(points: pd.DataFrame, classes: pd.DataFrame) -> Figure:
    """Draw Fig. 3: discovery over efficiency, one mark per configuration, one column per class, one row per reading.

    `points` has a row per (target, reading, arm, change) with the medians, extremes, `default` and `front`; `classes`
    the role, members and purity of each target. A line joins an arm's Pareto front; the large mark is the default
    configuration, with the extremes of its runs.
    """
    readings = list(dict.fromkeys(points["reading"]))
    with plt.rc_context(STYLE):
        figure, axes = _grid(len(readings), len(classes))
        for line, reading in zip(axes, readings, strict=True):
            for ax, one in zip(line, classes.itertuples(), strict=True):
                here = points[(points["reading"] == reading) & (points["target"] == one.target)]
                for arm, rows in here.groupby("arm", sort=False):
                    _plot_arm(ax, arm, rows)
                ax.set_xscale("log")
                ax.set(xlim=(0.8 * points["labelling_efficiency_low"].min(), 1.15), ylim=(-0.03, 1.05))
            line[0].set_ylabel(f"{reading} reading\nDiscovery rate")
        _name_classes(axes[0], classes)
        for ax in axes[-1]:
            ax.set_xlabel("Labelling efficiency (log)")
            log_axis(ax.xaxis)
        arms = dict.fromkeys(points["arm"])
        handles = [mpl.lines.Line2D([], [], ls="none", marker=MARKERS[arm], color=COLOURS[arm], ms=4) for arm in arms]
        default = mpl.lines.Line2D([], [], ls="none", marker="o", ms=8, mfc="white", mec="black")
        front = mpl.lines.Line2D([], [], color="#555555", lw=1.3)
        figure.legend(
            [*handles, default, front],
            [*arms, "default, extremes of its runs", "Pareto front of an arm"],
            loc="outside lower center",
            ncols=5,
        )
    return figure


def plot_budget(curves: pd.DataFrame, classes: pd.DataFrame) -> Figure:
    """Draw discovery over labels spent: one column per class, one row per reading.

    `curves` is long (target, reading, arm, labels, default, low, high, best, ended). A thick line is the default
    configuration (median and extremes of its runs) up to the mark where it ends; a thin one the best configuration at
    each number of labels, chosen in hindsight. "random" and "ideal" are references.
    """
    readings = [reading for reading in dict.fromkeys(curves["reading"]) if reading != "reference"]
    with plt.rc_context(STYLE):
        figure, axes = _grid(len(readings), len(classes))
        for line, reading in zip(axes, readings, strict=True):
            for ax, one in zip(line, classes.itertuples(), strict=True):
                here = curves[curves["reading"].isin([reading, "reference"]) & (curves["target"] == one.target)]
                for arm, rows in here.groupby("arm", sort=False):
                    _plot_curve(ax, arm, rows)
                ax.set_xscale("log")
                ax.set_ylim(0, 1.04)
            line[0].set_ylabel(f"{reading} reading\nDiscovery rate")
        _name_classes(axes[0], classes)
        for ax in axes[-1]:
            ax.set_xlabel("Labels spent, seeds included (log)")
            log_axis(ax.xaxis)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        best = mpl.lines.Line2D([], [], color="#555555", lw=0.8)
        figure.legend(
            [*handles, best],
            [*labels, "thin: the arm's best configuration"],
            loc="outside lower center",
            ncols=6,
        )
    return figure


def _grid(rows: int, columns: int) -> tuple[Figure, np.ndarray]:
    return plt.subplots(
        rows, columns, figsize=(2.9 * columns, 2.6 * rows + 0.5), sharex=True, sharey=True, squeeze=False
    )


def _name_classes(line: np.ndarray, classes: pd.DataFrame) -> None:
    for ax, one in zip(line, classes.itertuples(), strict=True):
        ax.set_title(f"{one.role}: {one.target.lower()}\n{one.members} images, purity {one.purity:.2f}", fontsize=8)


def _plot_arm(ax: Axes, arm: str, rows: pd.DataFrame) -> None:
    x, y, colour, marker = "labelling_efficiency", "discovery_rate", COLOURS[arm], MARKERS[arm]
    ax.plot(rows[x], rows[y], color=colour, marker=marker, ms=3.5, mew=0, alpha=0.45, ls="none")
    front = rows[rows["front"]].sort_values(x)
    ax.plot(front[x], front[y], color=colour, marker=marker, ms=3.5, lw=1.3)
    default = rows[rows["default"]]
    across, along = ([default[of] - default[f"{of}_low"], default[f"{of}_high"] - default[of]] for of in (x, y))
    style = {"color": colour, "marker": marker, "ms": 8, "mec": "black", "mew": 0.9, "elinewidth": 0.8}
    ax.errorbar(default[x], default[y], along, across, ls="none", zorder=3, **style)


def _plot_curve(ax: Axes, arm: str, rows: pd.DataFrame) -> None:
    colour = COLOURS[arm]
    if arm in ("random", "ideal"):
        ax.plot(rows["labels"], rows["default"], color=colour, ls="--" if arm == "random" else ":", lw=1.1, label=arm)
        return
    ax.plot(rows["labels"], rows["best"], color=colour, lw=0.8)
    ax.fill_between(rows["labels"], rows["low"], rows["high"], color=colour, alpha=0.16, lw=0)
    ax.plot(rows["labels"], rows["default"], color=colour, lw=1.8, label=arm)
    end = rows[rows["ended"]]
    ax.plot(end["labels"], end["default"], color=colour, marker=MARKERS[arm], ms=6, mec="black", mew=0.7, ls="none")
