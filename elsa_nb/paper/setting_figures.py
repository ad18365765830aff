"""The figures of the settings: Fig. 7, Fig. 8, the silent choices, and where labels go when answers are wrong."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from elsa_nb.paper.style import COLOURS, COMPONENT_COLOURS, MARKERS, STYLE

_METRICS = {"discovery_rate": "Discovery rate", "labelling_efficiency": "Labelling efficiency"}
_COMPONENTS = {"NN": "nearest neighbours", "RANDS": "RandS", "FINAL": "final search"}
_COMPONENT_MARKERS = {"NN": "^", "RANDS": "s", "FINAL": "o"}
_WHAT = {"labels": "Labels asked (median, log)", "found": "Positives found (median)"}
_EFFECTS = {"discovery": "Discovery rate, change\nin percentage points", "labels": "Labels spent, times"}
_EFFECTS["efficiency"] = "Labelling efficiency, times"
_TUNED_COLOUR = "#777777"
# One arm, ELSA, with one choice after another made otherwise: told apart by mark and dash as much as by colour.
_CHOICES = (
    {"color": COLOURS["ELSA"], "marker": "o", "ls": "-"},
    {"color": "#000000", "marker": "^", "ls": "--"},
    {"color": "#56B4E9", "marker": "s", "ls": "-."},
    {"color": "#777777", "marker": "D", "ls": "-"},
)


def plot_settings(frame: pd.DataFrame, label: str, *, log: bool = False) -> Figure:
    """Draw Fig. 7 or Fig. 8: discovery and efficiency over a setting, a reading a column.

    `frame` is long (value, reading, metric, median, low, high, printed_value). Bars are 95 % intervals; hollow marks on
    dotted lines are the paper's printed values, of ImageNet-1k, for the shape and not the height.
    """
    readings = list(dict.fromkeys(frame["reading"].dropna()))
    colour, marker = COLOURS["ELSA"], MARKERS["ELSA"]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            2, len(readings), figsize=(2.9 * len(readings), 4.6), sharex=True, sharey="row", squeeze=False
        )
        for (metric, name), line in zip(_METRICS.items(), axes, strict=True):
            for ax, reading in zip(line, readings, strict=True):
                rows = frame[(frame["reading"] == reading) & (frame["metric"] == metric)]
                spread = [rows["median"] - rows["low"], rows["high"] - rows["median"]]
                style = {"color": colour, "marker": marker, "ms": 4}
                ax.errorbar(rows["value"], rows["median"], spread, lw=1.4, elinewidth=0.8, label="ELSA, here", **style)
                printed = rows[rows["printed_value"].notna()]
                ax.plot(
                    *(printed["value"], printed["printed_value"]),
                    **(style | {"mfc": "white", "lw": 0.9, "ls": ":", "label": "ELSA, printed in the paper"}),
                )
                ax.set_xscale("log" if log else "linear")
                ticks = sorted(rows["value"].unique())
                ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
                ax.minorticks_off()
            line[0].set_ylabel(name)
            line[0].set_ylim(0, 1.02 if metric == "discovery_rate" else None)
        for ax, reading in zip(axes[0], readings, strict=True):
            ax.set_title(f"{reading} reading")
        for ax in axes[-1]:
            ax.set_xlabel(label)
        printed, here = axes[0, 0].get_legend_handles_labels()[0]
        figure.legend(handles=[here, printed], loc="outside lower center", ncols=2)
    return figure


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
                spread = [values["median"] - values["low"], values["high"] - values["median"]]
                y = heights[rows["change"]].to_numpy()
                ax.errorbar(
                    values["median"], y, xerr=spread, color=colour, marker=marker, ms=4, ls="none", elinewidth=1.2
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
    reach = max(rows["high"].max(), 1 / rows["low"].min(), 1.3)
    ticks = [t for t in (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32) if 1 / reach <= t <= reach]
    ticks = ticks if len(ticks) > 2 else [0.8, 1, 1.25]
    ax.set_xscale("log")
    ax.set_xlim(1 / (1.1 * reach), 1.1 * reach)
    ax.set_xticks(ticks, [f"1/{1 / t:g}" if t < 0.6 else f"{t:g}" for t in ticks])
    ax.minorticks_off()


def plot_labels_by_component(frame: pd.DataFrame) -> Figure:
    """Draw what each component asked and truly found over the share of flipped answers, a reading a column.

    `frame` is long (reading, flip, component, what, median, low, high). Bars are 95 % intervals, drawn side by side so
    that none hides another; labels on a log scale.
    """
    readings = list(dict.fromkeys(frame["reading"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            2, len(readings), figsize=(2.9 * len(readings), 4.8), sharex=True, sharey="row", squeeze=False
        )
        for (what, label), line in zip(_WHAT.items(), axes, strict=True):
            for ax, reading in zip(line, readings, strict=True):
                for aside, (component, name) in zip((-0.2, 0, 0.2), _COMPONENTS.items(), strict=True):
                    here = (frame["reading"] == reading) & (frame["what"] == what) & (frame["component"] == component)
                    rows = frame[here].sort_values("flip")
                    spread = [rows["median"] - rows["low"], rows["high"] - rows["median"]]
                    style = {"color": COMPONENT_COLOURS[component], "marker": _COMPONENT_MARKERS[component]}
                    ax.errorbar(
                        100 * rows["flip"] + aside,
                        rows["median"],
                        spread,
                        ms=4,
                        lw=1.4,
                        elinewidth=0.8,
                        label=name,
                        **style,
                    )
                ticks = sorted(100 * frame["flip"].unique())
                ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            line[0].set_ylabel(label)
            if what == "labels":  # down to 0: a component may stay silent
                line[0].set_yscale("symlog", linthresh=10)
            line[0].set_ylim(-1 if what == "labels" else -0.03 * line[0].get_ylim()[1], None)
        for ax, reading in zip(axes[0], readings, strict=True):
            ax.set_title(f"{reading} reading")
        for ax in axes[-1]:
            ax.set_xlabel("Answers flipped, %")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def plot_choices_under_noise(frame: pd.DataFrame) -> Figure:
    """Draw discovery and efficiency over the share of flipped answers, a silent choice a line.

    `frame` is long (title, flip, metric, median, low, high, printed), the reading as it is first. Bars are 95 %
    intervals, side by side; hollow marks on dotted lines are the paper's printed values.
    """
    titles = list(dict.fromkeys(frame["title"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(7.4, 3.6))
        for ax, (metric, label) in zip(axes, _METRICS.items(), strict=True):
            rows = frame[frame["metric"] == metric]
            for i, (title, style) in enumerate(zip(titles, _CHOICES[: len(titles)], strict=True)):
                mine = rows[rows["title"] == title]
                spread = [mine["median"] - mine["low"], mine["high"] - mine["median"]]
                x = 100 * mine["flip"] + 0.2 * (i - (len(titles) - 1) / 2)
                ax.errorbar(x, mine["median"], spread, ms=4, lw=1.4, elinewidth=0.8, label=title, **style)
            printed = rows[(rows["title"] == titles[0]) & rows["printed"].notna()]
            style = {"color": COLOURS["ELSA"], "marker": "o", "mfc": "white", "ms": 4, "lw": 0.9, "ls": ":"}
            ax.plot(100 * printed["flip"], printed["printed"], label="printed in the paper", **style)
            ticks = sorted(100 * rows["flip"].unique())
            ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            ax.set(xlabel="Answers flipped, %", ylabel=label)
            ax.set_ylim(0, 1.02 if metric == "discovery_rate" else None)
        handles, labels = axes[0].get_legend_handles_labels()
        named = dict(zip(labels, handles, strict=True))  # matplotlib puts lines without bars first
        names = [*titles, "printed in the paper"]
        figure.legend([named[name] for name in names], names, loc="outside lower center", ncols=3)
    return figure
