"""What every searcher spends per find: the figures of notebook 18."""

from textwrap import wrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from elsa_nb.paper.experiments.equal_budgets.tables import AT_RANDOM, PREPARED, RAW, SAYS_LITTLE, SUPERVISED_MEANS
from elsa_nb.paper.style import COLOURS, STYLE, log_axis

_LINES = {
    "Harvest": {"color": "#000000", "lw": 2.0},
    PREPARED: {"color": COLOURS["Greedy probe"], "lw": 1.4},
    RAW: {"color": COLOURS["Greedy probe"], "lw": 1.2, "ls": ":"},
    "SEALS": {"color": "#56B4E9", "lw": 1.2, "ls": "--"},
    "ELSA": {"color": COLOURS["ELSA"], "lw": 1.4},
    "NN.Large": {"color": COLOURS["NN.Large"], "lw": 1.4},
    AT_RANDOM: {"color": COLOURS["random"], "lw": 1.0, "ls": "--"},
}
_POOLS = ("#0072B2", "#56B4E9", "#D55E00", "#E69F00", "#009E73")
_MARKS = "osD^v"
_HOLLOW = {"mfc": "white", "alpha": 0.5}
_PALE = {"color": "#000000", "alpha": 0.1, "lw": 0}
_BAND = "Harvest: 95 % interval over classes"
_SAYS_LITTLE = "hollow: most pairs of searches did not get that far"
_CHANGES = {  # of Harvest that say too little by their short names
    "line only": "line only, no neighbourhood",
    "neighbourhood only": "neighbourhood only, no line",
    "no preparation but unit length": "rows of unit length, not prepared else",
    "whitened": "fully whitened",
    "judges added as they are": "log-odds of both added as they are",
    "costs are not balanced": "costs of both sides not balanced",
    "no least weight of a side": "no least weight of a side (S = |P|)",
    "random negatives in full": "random negatives count in full",
    "l2 = 0.1": "penalty of the line: a tenth",
    "l2 = 10": "penalty of the line: tenfold",
    "far from all answers says nothing": "neighbourhood: neutral far from all answers",
    "a hundredth looked at closely": "as in large pools: a hundredth looked at",
}


def plot_curves(frame: pd.DataFrame) -> Figure:
    """Draw the share of a class found against labels, one panel per pool, medians over searches.

    `frame` is `tables.discovery_curves`; the band about Harvest is its 95 % interval over classes.
    """
    pools = list(dict.fromkeys(frame["pool"]))
    with plt.rc_context(STYLE):
        rows = -(-len(pools) // 3)
        figure, axes = plt.subplots(rows, 3, figsize=(9, 2.9 * rows), sharey=True, squeeze=False)
        for ax, pool in zip(axes.flat, pools, strict=False):
            for arm, style in _LINES.items():
                of = frame[(frame["pool"] == pool) & (frame["arm"] == arm)]
                ax.plot(of["labels"], of["discovery"], label=arm, **style)
                if arm == "Harvest":
                    ax.fill_between(of["labels"], of["low"], of["high"], label=_BAND, **_PALE)
            ax.set(title=pool, xscale="log", xlim=(5, None), ylim=(0, 1))
            log_axis(ax.xaxis)
        for ax in axes.flat[len(pools) :]:
            ax.axis("off")
        for ax in axes[:, 0]:
            ax.set_ylabel("Share of the class found")
        for ax in axes.flat[max(0, len(pools) - 3) : len(pools)]:
            ax.set_xlabel("Labels (log)")
        _legend(figure, axes[0, 0], 4)
    return figure


def _legend(figure: Figure, ax: Axes, columns: int) -> None:
    """Put the legend of one panel below the figure, and say over it what the vectors of photographs know."""
    told = {"title": "\n".join(wrap(SUPERVISED_MEANS, 18 * round(figure.get_figwidth()))), "title_fontsize": "small"}
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=columns, **told)


def plot_ratios(frame: pd.DataFrame) -> Figure:
    """Draw the labels of every searcher, Harvest's set to 1: one panel per share of the class, one row per searcher.

    `frame` is `tables.rivals` of one share or more. Marks are geometric means over classes with 95 % intervals. A
    hollow mark says little: in most pairs of searches neither got that far.
    """
    shares, pools = sorted(frame["share"].unique()), list(dict.fromkeys(frame["pool"]))
    order = frame[frame["share"] == shares[0]].groupby("arm")["ratio"].median().sort_values().index
    with plt.rc_context(STYLE):
        size = (3.2 + 2.9 * len(shares), 0.36 * len(order) + 1.4)
        figure, axes = plt.subplots(1, len(shares), figsize=size, sharey=True, squeeze=False)
        for ax, share in zip(axes[0], shares, strict=True):
            ax.axvline(1, color=COLOURS["ideal"], lw=1)
            for i, pool in enumerate(pools):
                of = frame[(frame["share"] == share) & (frame["pool"] == pool)].set_index("arm").reindex(order)
                places = [row + 0.13 * (i - (len(pools) - 1) / 2) for row in range(len(order))]
                style = {"color": _POOLS[i], "marker": _MARKS[i], "ms": 3.5, "elinewidth": 0.8, "ls": "none"}
                little = of["neither"] > SAYS_LITTLE
                for ratio, how in ((of["ratio"].mask(little), {"label": pool}), (of["ratio"].where(little), _HOLLOW)):
                    ax.errorbar(ratio, places, xerr=[ratio - of["low"], of["high"] - ratio], **style, **how)
            ax.errorbar([], [], color="#555555", marker="o", ms=3.5, ls="none", label=_SAYS_LITTLE, **_HOLLOW)
            ax.set(xscale="log", title=f"to {share} % of a class", xlabel="Labels, Harvest's are 1 (log)")
            ax.set_xticks([0.5, 1, 2, 5, 10], ["0.5", "1", "2", "5", "10"])
            ax.minorticks_off()
            ax.grid(axis="y", visible=False)
        axes[0, 0].set_yticks(range(len(order)), list(order))
        axes[0, 0].invert_yaxis()
        _legend(figure, axes[0, 0], 3)
    return figure


def plot_parts(frame: pd.DataFrame, share: int = 80) -> Figure:
    """Draw what each change of Harvest costs to a share of a class, one row per change: right of 1 the part helps.

    `frame` is `tables.parts`; bars are 95 % intervals over classes.
    """
    order, pools = list(dict.fromkeys(frame["changed"])), list(dict.fromkeys(frame["pool"]))
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(7, 0.42 * len(order) + 1.3))
        ax.axvline(1, color=COLOURS["ideal"], lw=1)
        for i, pool in enumerate(pools):
            of = frame[frame["pool"] == pool].set_index("changed").reindex(order)
            ratio = of[f"to {share} %"]
            places = [row + 0.14 * (i - (len(pools) - 1) / 2) for row in range(len(order))]
            style = {"color": _POOLS[i], "marker": _MARKS[i], "ms": 3.5, "elinewidth": 0.8, "ls": "none"}
            bars = [ratio - of[f"low_{share}"], of[f"high_{share}"] - ratio]
            ax.errorbar(ratio, places, xerr=bars, label=f"{pool} ({_counted(of['classes'])})", **style)
        ax.set(xlabel=f"Labels to {share} % of a class, Harvest's are 1")
        ax.set_yticks(range(len(order)), [_CHANGES.get(change, change) for change in order])
        ax.invert_yaxis()
        ax.grid(axis="y", visible=False)
        _legend(figure, ax, 2)
    return figure


def _counted(classes: pd.Series) -> str:
    """Return how many classes the marks of a pool stand for."""
    least, most = int(classes.min()), int(classes.max())
    return f"{most} classes" if least == most else f"{least} to {most} classes"
