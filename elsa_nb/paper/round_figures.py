"""Fig. 9: the new positives of each round, by component."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from elsa_nb.paper.style import COLOURS, COMPONENT_COLOURS, MARKERS, STYLE

# Both kinds of NN have NN's colour; that inside ELSA is broad and pale, so that the arm shows where the two agree.
_SERIES = {
    "RandS in ELSA": {"color": COMPONENT_COLOURS["RANDS"], "marker": "s", "ms": 3, "lw": 1.3},
    "NN in ELSA": {"color": COMPONENT_COLOURS["NN"], "marker": "o", "ms": 5, "lw": 3.2, "alpha": 0.45},
    "NN alone": {"color": COLOURS["NN"], "marker": MARKERS["NN"], "ms": 3, "lw": 1.2, "ls": (0, (3, 1.5))},
}


def plot_rounds(frame: pd.DataFrame, classes: pd.DataFrame) -> Figure:
    """Draw Fig. 9: new positives over rounds, a class a column, a reading a row.

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
                    ax.fill_between(rows["round"], rows["low"], rows["high"], color=style["color"], alpha=0.13, lw=0)
                    ax.plot(rows["round"], rows["median"], label=series, **style)
                    ax.plot(*rows.tail(1)[["round", "median"]].to_numpy().T, clip_on=False, **style | {"ms": 7})
                ax.set_ylim(0, None)
            line[0].set_ylabel(f"{reading} reading\nNew positives in the round")
        for ax, one in zip(axes[0], classes.itertuples(), strict=True):
            ax.set_title(f"{_broken(one.target.lower())}\n{one.members} images, purity {one.purity:.2f}", fontsize=7.5)
        for ax in axes[-1]:
            ax.set_xlabel("Round")
            ax.set_xticks(range(1, int(frame["round"].max()) + 1, 3))
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _broken(name: str, longest: int = 24) -> str:
    """Return a long name in two lines, broken at a word."""
    if len(name) <= longest:
        return f"{name}\n"
    cut = name.rfind(" ", 0, longest)
    return f"{name[:cut]}\n{name[cut + 1 :]}" if cut > 0 else f"{name}\n"
