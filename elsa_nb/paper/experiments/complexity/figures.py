"""The two figures of section 5: measured time and memory against each size, with the claimed slope beside them.

Notebook 12 draws them from the frames of `measure`; nothing is computed here.
"""

from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elsa_nb.paper.style import COLOURS, STYLE, log_axis

# NN has the same colour as in other figures; the two forms differ by line and mark.
_COLOURS = {"NN": COLOURS["NN"], "RandS": "#E69F00", "Sampler": "#0072B2", "lists": "#CC79A7", "vectors": "#999999"}
_NAMES = {
    "NN": "NN",
    "RandS": "RandS",
    "Sampler": "Sampler",
    "lists": "lists, kept between rounds",
    "vectors": "the vectors themselves",
}
_FORMS = {
    "plain": {"ls": "-", "marker": "o"},
    "package": {"ls": "--", "marker": "s"},
    "both": {"ls": ":", "marker": ""},
}
# At k = l the plain forms of NN and RandS are one function: NN is broad and pale, so that both show.
_BROAD = {"NN": {"lw": 4.5, "ms": 7.5, "alpha": 0.45}}
_SIZES = {
    "n": "n, rows of the pool",
    "k": "k, queries of NN",
    "l": "l, points sampled by RandS",
    "d": "d, dimension",
}


def plot_time(points: pd.DataFrame) -> Figure:
    """Draw the median seconds of each part against each size, one panel per size, both axes logarithmic.

    `points` has one row per call (part, form, against, size, seconds); bars span the calls of a point. Grey lines rise
    with the exponent 1 that section 5 claims.
    """
    parts = points[points["part"].isin(["NN", "Sampler", "RandS"])]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 4, figsize=(11, 3.6), sharey=True)
        for ax, (against, label) in zip(axes, _SIZES.items(), strict=True):
            here = parts[parts["against"] == against]
            for (part, form), rows in here.groupby(["part", "form"], sort=False):
                seconds = rows.groupby("size")["seconds"].agg(["median", "min", "max"])
                bars = [seconds["median"] - seconds["min"], seconds["max"] - seconds["median"]]
                ax.errorbar(seconds.index, seconds["median"], bars, **_style_of(part, form), elinewidth=0.8)
            _finish(ax, label, here["size"])
        axes[0].set_ylabel("Seconds of the processor, a call")
        log_axis(axes[0].yaxis, (1, 2, 5), to_ticks=True)
        bottom, top = axes[0].get_ylim()
        for ax in axes:
            _claimed(ax, bottom, top)
        figure.legend(handles=_legend(["NN", "RandS", "Sampler"]), loc="outside lower center", ncols=6)
    return figure


def plot_memory(points: pd.DataFrame) -> Figure:
    """Draw the megabytes that each part holds against n and l; `points` has part, form, against, size, bytes."""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.9), sharey=True)
        for ax, against in zip(axes, ("n", "l"), strict=True):
            here = points[points["against"] == against]
            for (part, form), rows in here.groupby(["part", "form"], sort=False):
                ax.plot(rows["size"], rows["bytes"] / 1e6, **_style_of(part, form))
            _finish(ax, _SIZES[against], here["size"])
        axes[0].set_ylabel("Megabytes held at once")
        log_axis(axes[0].yaxis, (1, 2, 5), to_ticks=True)
        bottom, top = axes[0].get_ylim()
        for ax in axes:
            _claimed(ax, bottom, top)
        figure.legend(
            handles=_legend(["NN", "RandS", "Sampler", "lists", "vectors"]), loc="outside lower center", ncols=4
        )
    return figure


def _style_of(part: str, form: str) -> dict[str, Any]:
    style = _FORMS[form] | {"color": _COLOURS[part], "mfc": "white" if form == "package" else _COLOURS[part]}
    return style | {"ms": 4, "lw": 1.3} | (_BROAD.get(part, {}) if form == "plain" else {})


def _finish(ax: Axes, label: str, sizes: pd.Series) -> None:
    ticks = sorted(sizes.unique())
    ax.set(xscale="log", yscale="log", xlabel=label)
    names = [f"{size // 1000:,.0f}k" if size >= 10_000 else f"{size:,}" for size in ticks]
    ax.set_xticks(ticks, names)
    ax.xaxis.minorticks_off()
    ax.margins(x=0.1)  # the outermost sizes are written inside their own panel


def _claimed(ax: Axes, bottom: float, top: float) -> None:
    """Draw lines of slope 1, a decade apart, behind the measurements."""
    left, right = ax.get_xlim()
    for start in 10.0 ** np.arange(np.floor(np.log10(bottom * left / right)), np.ceil(np.log10(top))):
        ax.plot([left, right], [start, start * right / left], color="#bbbbbb", lw=0.7, zorder=0)
    ax.set(xlim=(left, right), ylim=(bottom, top))


def _legend(parts: list[str]) -> list[mpl.lines.Line2D]:
    dashes = {"vectors": ":"}  # which are neither plain nor package
    lines = [
        mpl.lines.Line2D([], [], color=_COLOURS[part], lw=2, ls=dashes.get(part, "-"), label=_NAMES[part])
        for part in parts
    ]
    grey = "#555555"
    return [
        *lines,
        mpl.lines.Line2D([], [], color=grey, marker="o", ls="-", ms=4, label="plain: the text as it stands"),
        mpl.lines.Line2D([], [], color=grey, marker="s", mfc="white", ls="--", ms=4, label="package: with lists"),
        mpl.lines.Line2D([], [], color="#bbbbbb", lw=0.8, label="claimed slope, 1"),
    ]
