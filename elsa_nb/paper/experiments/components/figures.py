"""Figs. 2 and 9 and discovery at equal budget, for notebooks 03, 09 and 11: drawn from frames, nothing computed."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elsa_nb.paper.measures.medians import ENCODER_TITLES, RATE_TITLES
from elsa_nb.paper.runs.rivals import PREPARED, RAW
from elsa_nb.paper.style import COLOURS, COMPONENT_COLOURS, MARKERS, STYLE, log_axis

# NN inside ELSA is broad and pale, NN alone thin, dark and hollow: so both show where they agree.
_SERIES = {
    "NN in ELSA": {"color": COMPONENT_COLOURS["NN"], "marker": "o", "ms": 5, "lw": 3.6, "alpha": 0.5},
    "NN alone": {"color": "#222222", "marker": MARKERS["NN"], "mfc": "white", "ms": 3.5, "lw": 1.1, "ls": (0, (4, 2))},
    "RandS in ELSA": {"color": COMPONENT_COLOURS["RANDS"], "marker": "s", "ms": 3, "lw": 1.3},
}
_BAND = 0.16  # opacity
_OUTLINE = (0, (3, 2))  # of the bands of searchers that have no reading
_NO_READING = "no reading"
# Two preparations of one strategy have its colour; on raw vectors it is dotted, and its mark hollow, as in notebook 18.
_ARM_COLOURS = COLOURS | dict.fromkeys((PREPARED, RAW), COLOURS["Greedy probe"])
_ARM_MARKERS = MARKERS | dict.fromkeys((PREPARED, RAW), MARKERS["Greedy probe"])


def plot_rounds(frame: pd.DataFrame, classes: pd.DataFrame) -> Figure:
    """Draw Fig. 9: new positives over rounds, one column per class, one row per reading.

    `frame` is long (target, reading, series, round, median, low, high, running); `classes` has members and purity of
    each target, in the order of the columns. Lines are medians, bands the extremes of a class's runs. A line ends in a
    large mark after the last round in which half of the runs still asked something.
    """
    readings = list(dict.fromkeys(frame["reading"]))
    with plt.rc_context(STYLE):
        shape = len(readings), len(classes)
        figure, axes = plt.subplots(
            *shape, figsize=(2.1 * shape[1], 2.3 * shape[0] + 0.5), sharex=True, sharey="row", squeeze=False
        )
        for line, reading in zip(axes, readings, strict=True):
            for ax, target in zip(line, classes["target"], strict=True):
                here = frame[(frame["reading"] == reading) & (frame["target"] == target)]
                for series, style in _SERIES.items():
                    rows = here[here["series"] == series]
                    rows = rows[rows["round"] <= rows.loc[rows["running"] >= 0.5, "round"].max()]
                    ax.fill_between(rows["round"], rows["low"], rows["high"], color=style["color"], alpha=_BAND, lw=0)
                    ax.plot(rows["round"], rows["median"], label=series, **style)
                    ax.plot(*rows.tail(1)[["round", "median"]].to_numpy().T, clip_on=False, **style | {"ms": 7})
                ax.set_ylim(0, None)
            line[0].set_ylabel(f"{reading} reading\nNew positives in the round")
        for ax, one in zip(axes[0], classes.itertuples(), strict=True):
            ax.set_title(f"{_broken(one.target.lower())}\n{one.members} images, purity {one.purity:.2f}", fontsize=7.5)
        for ax in axes[-1]:
            ax.set_xlabel("Round")
            ax.set_xticks(range(1, int(frame["round"].max()) + 1, 3))
        handles, labels = axes[0, 0].get_legend_handles_labels()
        handles += [
            mpl.patches.Patch(color="#777777", alpha=2 * _BAND, lw=0),
            mpl.lines.Line2D([], [], color="#777777", marker="o", ls="none", ms=7),
        ]
        labels += ["extremes of a class's runs", "half of the runs had ended"]
        figure.legend(handles, labels, loc="outside lower center", ncols=5)
    return figure


def _broken(name: str, longest: int = 24) -> str:
    """Return a long name in two lines, broken at a word."""
    if len(name) <= longest:
        return f"{name}\n"
    cut = name.rfind(" ", 0, longest)
    return f"{name[:cut]}\n{name[cut + 1 :]}" if cut > 0 else f"{name}\n"


def _panel_title(encoder: str, reading: str, longest: int = 36) -> str:
    """Return what a panel shows, in two lines where one would reach into the next panel."""
    parts = ENCODER_TITLES[encoder], f"{reading} reading"
    return ", ".join(parts) if len(", ".join(parts)) <= longest else ",\n".join(parts)


def plot_components(frame: pd.DataFrame) -> Figure:
    """Draw Fig. 2: discovery and efficiency over the number of seeds: a line per arm, a column per reading and encoder.

    `frame` is long (encoder, arm, seeds, reading, metric, median, low, high, value). Bars are 95 % intervals; hollow
    marks on dotted lines are the paper's printed values, of ImageNet-1k, for the shape and not the height. Efficiency
    is on a log axis: its arms differ by factors.
    """
    columns = [(e, r) for e in dict.fromkeys(frame["encoder"]) for r in dict.fromkeys(frame["reading"])]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2, len(columns), figsize=(2.6 * len(columns), 5.2), sharex=True, sharey="row")
        for (metric, label), line in zip(RATE_TITLES.items(), axes, strict=True):
            for ax, (encoder, reading) in zip(line, columns, strict=True):
                here = frame.query("encoder == @encoder and reading == @reading and metric == @metric")
                _plot_by_seeds(here, ax)
                if metric == "discovery_rate":
                    ax.set_title(_panel_title(encoder, reading))
                    ax.set_ylim(0, 1)
                else:
                    ax.set_xlabel("Seeds")
                    ax.set_yscale("log")
            if metric != "discovery_rate":
                log_axis(line[0].yaxis)
            line[0].set_ylabel(label if metric == "discovery_rate" else f"{label} (log)")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        dotted = mpl.lines.Line2D([], [], color="#777777", ls=":", marker="o", mfc="white", ms=4)
        figure.legend([*handles, dotted], [*labels, "printed in the paper"], loc="outside lower center", ncols=5)
    return figure


def _plot_by_seeds(frame: pd.DataFrame, ax: Axes) -> None:
    for arm, rows in frame.groupby("arm", sort=False):
        rows = rows.assign(x=rows["seeds"].astype(int)).sort_values("x")
        colour, marker = COLOURS[arm], MARKERS[arm]
        bars = [rows["median"] - rows["low"], rows["high"] - rows["median"]]
        ax.errorbar(
            rows["x"], rows["median"], bars, color=colour, marker=marker, ms=4, lw=1.4, elinewidth=0.8, label=arm
        )
        ax.plot(rows["x"], rows["value"], color=colour, marker=marker, mfc="white", ms=4, lw=0.9, ls=":")
    ax.set_xscale("log")
    ticks = sorted(frame["seeds"].astype(int).unique())
    ax.set_xticks(ticks, map(str, ticks))
    ax.minorticks_off()


def plot_equal_budget(frame: pd.DataFrame) -> Figure:
    """Draw discovery against labels spent: one line per arm, one column per encoder, one row per reading.

    `frame` is long (encoder, reading, arm, labels, median, low, high, ended): bands are 95 % intervals, the dot is the
    median end of an arm's searches. The rows of the arms "random" and "ideal" are the two reference lines. Arms of the
    reading "rival" have none, so they stand alike in every panel, and say so; their bands are outlines, which lie on
    other bands without blending with them. Where no arm finds half of a class, the axis ends shortly above what they
    find, and the ideal leaves the picture.
    """
    highest = float(frame.loc[frame["arm"] != "ideal", ["median", "high"]].max(axis=None))
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
                ax.set_ylim(0, 1.02 if highest > 0.5 else 1.1 * highest)
                ax.set_title(_panel_title(encoder, reading))
            line[0].set_ylabel("Discovery rate (median)")
        for ax in axes[-1]:
            ax.set_xlabel("Labels spent, seeds included (log)")
            log_axis(ax.xaxis)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        band = mpl.patches.Patch(facecolor="#dddddd", edgecolor="#777777", lw=0.7, ls=_OUTLINE)
        told = [*labels, "95 % interval"]
        figure.legend([*handles, band], told, loc="outside lower center", ncols=5 if len(encoders) > 1 else 3)
    return figure


def _plot_by_labels(frame: pd.DataFrame, ax: Axes) -> None:
    for arm, rows in frame.groupby("arm", sort=False):
        reference = arm in ("random", "ideal")
        dotted = arm in ("ideal", RAW)
        style = {"ls": "--" if arm == "random" else ":" if dotted else "-", "lw": 1.1 if reference else 1.6}
        rival, colour = (rows["reading"] == "rival").all(), _ARM_COLOURS[arm]
        name = f"{arm} ({_NO_READING})" if rival else arm
        ax.plot(rows["labels"], rows["median"], color=colour, label=name, **style)
        if not reference:
            band = ax.fill_between(rows["labels"], rows["low"], rows["high"], color=colour, alpha=0.13, lw=0)
            if rival:
                band.set(alpha=None, facecolor="none", edgecolor=colour, lw=0.7, ls=_OUTLINE)
            mark = {"marker": _ARM_MARKERS[arm], "ms": 5, "ls": "none"} | ({"mfc": "white"} if arm == RAW else {})
            end = rows[rows["ended"]].head(1)
            ax.plot(end["labels"], end["median"], color=colour, **mark)
    ax.set_xscale("log")
