"""Where labels go when answers are wrong, and what silent choices change then: the figures of notebook 08."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from elsa_nb.paper.measures.medians import RATE_TITLES
from elsa_nb.paper.style import COLOURS, COMPONENT_COLOURS, STYLE

_COMPONENTS = {"NN": "nearest neighbours", "RANDS": "RandS", "FINAL": "final search"}
_COMPONENT_MARKERS = {"NN": "^", "RANDS": "s", "FINAL": "o"}
_WHAT = {"labels": "Labels asked (median)", "found": "Positives found (median)"}
# One arm, ELSA, with one choice after another made differently: told apart by mark and dash as much as by colour.
_CHOICES = (
    {"color": COLOURS["ELSA"], "marker": "o", "ls": "-"},
    {"color": "#000000", "marker": "^", "ls": "--"},
    {"color": "#56B4E9", "marker": "s", "ls": "-."},
    {"color": "#777777", "marker": "D", "ls": "-"},
)


def plot_labels_by_component(frame: pd.DataFrame) -> Figure:
    """Draw what each component asked and truly found over the share of flipped answers, one column per reading.

    `frame` is long (reading, flip, component, what, median, low, high). Bars are 95 % intervals, drawn side by side so
    that none hides another; both axes are linear and begin at 0.
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
                    bars = [rows["median"] - rows["low"], rows["high"] - rows["median"]]
                    style = {"color": COMPONENT_COLOURS[component], "marker": _COMPONENT_MARKERS[component]}
                    ax.errorbar(
                        100 * rows["flip"] + aside,
                        rows["median"],
                        bars,
                        ms=4,
                        lw=1.4,
                        elinewidth=0.8,
                        label=name,
                        **style,
                    )
                ticks = sorted(100 * frame["flip"].unique())
                ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            line[0].set_ylabel(label)
            line[0].set_ylim(-0.03 * line[0].get_ylim()[1], None)  # a component may stay silent
        for ax, reading in zip(axes[0], readings, strict=True):
            ax.set_title(f"{reading} reading")
        for ax in axes[-1]:
            ax.set_xlabel("Answers flipped, %")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def plot_choices_under_noise(frame: pd.DataFrame) -> Figure:
    """Draw discovery and efficiency over the share of flipped answers, one line per silent choice.

    `frame` is long (title, flip, metric, median, low, high, printed), the reading as it is first. Bars are 95 %
    intervals, side by side; hollow marks on dotted lines are the paper's printed values.
    """
    titles = list(dict.fromkeys(frame["title"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(7.4, 3.6))
        for ax, (metric, label) in zip(axes, RATE_TITLES.items(), strict=True):
            rows = frame[frame["metric"] == metric]
            for i, (title, style) in enumerate(zip(titles, _CHOICES[: len(titles)], strict=True)):
                points = rows[rows["title"] == title]
                bars = [points["median"] - points["low"], points["high"] - points["median"]]
                x = 100 * points["flip"] + 0.2 * (i - (len(titles) - 1) / 2)
                ax.errorbar(x, points["median"], bars, ms=4, lw=1.4, elinewidth=0.8, label=title, **style)
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
