"""How well estimates of the missing are calibrated: the figures of notebook 14."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from elsa_nb.paper.style import COLOURS, MARKERS, STYLE

# The colours of notebook 18, which searches the same pools.
_POOLS = {
    "glyphs, projection": "#0072B2",
    "glyphs, embedding": "#56B4E9",
    "Food-101, supervised": "#D55E00",
    "Tiny-ImageNet, supervised": "#E69F00",
    "texts": "#009E73",
}
_DASHES = {"Harvest": "-", "Greedy probe": "--"}


def plot_sizes(frame: pd.DataFrame) -> Figure:
    """Draw the size of the class by each estimate against the truth, one panel per estimate, over the share found.

    `frame` has one row per estimate (`tables.estimates`). A mark is a search, on a log scale; the band is 20 % about
    the truth.
    """
    names, pools = list(dict.fromkeys(frame["estimator"])), sorted(frame["pool"].unique(), key=list(_POOLS).index)
    shares = sorted(frame["share"].unique())
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(names), figsize=(2.6 * len(names), 3.4), sharey=True, squeeze=False)
        for ax, name in zip(axes[0], names, strict=True):
            ax.axhspan(0.8, 1.2, color="#eeeeee", lw=0)
            ax.axhline(1, color=COLOURS["ideal"], lw=0.8)
            for i, pool in enumerate(pools):
                rows = frame[(frame["estimator"] == name) & (frame["pool"] == pool) & frame["middle"].notna()]
                places = rows["share"].map(shares.index) + 0.72 / len(pools) * (i - (len(pools) - 1) / 2)
                ax.plot(places, rows["size_ratio"], "o", ms=2.4, alpha=0.4, mew=0, color=_POOLS[pool], label=pool)
            ax.set(title=name, yscale="log", xlabel="Found, % of the class")
            ax.set_xticks(range(len(shares)), [f"{100 * share:g}" for share in shares])
            ax.set_yticks([0.5, 1, 2, 5, 10, 20, 50], ["0.5", "1", "2", "5", "10", "20", "50"])
            ax.minorticks_off()
        axes[0, 0].set_ylabel("Size by the estimate / true size (log)")
        legend = figure.legend(
            *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=min(3, len(pools))
        )
        for handle in legend.legend_handles:
            handle.set(alpha=1, markersize=4)
    return figure


def plot_coverage(frame: pd.DataFrame) -> Figure:
    """Draw how often each interval contains the truth over the share found, one panel per estimate.

    `frame` is `tables.coverage`. Colours are pools, dashes searchers; the thin line is 80 %.
    """
    names, pools = list(dict.fromkeys(frame["estimator"])), sorted(frame["pool"].unique(), key=list(_POOLS).index)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(names), figsize=(2.6 * len(names), 3.6), sharey=True, squeeze=False)
        for ax, name in zip(axes[0], names, strict=True):
            ax.axhline(0.8, color=COLOURS["ideal"], lw=0.8)
            for pool in pools:
                for strategy, dash in _DASHES.items():
                    rows = frame[
                        (frame["estimator"] == name) & (frame["pool"] == pool) & (frame["strategy"] == strategy)
                    ].sort_values("share")
                    style = {"color": _POOLS[pool], "ls": dash, "marker": MARKERS[strategy], "ms": 3.5, "lw": 1.3}
                    ax.plot(100 * rows["share"], rows["held"], **style)
            ax.set(title=name, xlabel="Found, % of the class", ylim=(-0.03, 1.03), xticks=[50, 80, 90, 95])
        axes[0, 0].set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])
        axes[0, 0].set_ylabel("Intervals that hold the truth, share")
        handles = [plt.Line2D([], [], color=_POOLS[pool], marker=MARKERS["Harvest"], ms=3.5, lw=1.3) for pool in pools]
        handles += [plt.Line2D([], [], color="#333333", ls=dash, lw=1.3) for dash in _DASHES.values()]
        figure.legend(handles, [*pools, *_DASHES], loc="outside lower center", ncols=4)
    return figure
