"""What errors cost over their share, and kind by kind: the figures of notebook 15."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from elsa_nb.paper.style import COLOURS, MARKERS, STYLE

_SHOWN = {
    "times_kept": "Labels to 80 % kept,\nby a clean oracle's",
    "kept": "Kept at the end,\nshare of the class",
    "false": "False, share of what\nis believed positive",
}
_SHOWN_OF_PEOPLE = {
    "discovery": "Asked, share\nof the class",
    "kept_points": "Kept at the end, points\nagainst a clean oracle",
    "false": _SHOWN["false"],
}
_ARMS = {
    arm: {"color": COLOURS[arm], "marker": MARKERS[arm]} for arm in ("Harvest", "Greedy probe", "ELSA", "NN.Large")
}
_ARMS["Greedy probe"]["marker"] = "s"  # two strategies share a mark elsewhere
_ARMS["ELSA, released code"] = {"color": "#56B4E9", "marker": "X"}
_AGAIN = {False: ("-", "as it is"), True: (":", "doubtful answers asked again")}
_ALIKE = {False: "o", True: "s"}  # marks without a line, which could be dotted: asked again or not


def plot_flips(frame: pd.DataFrame) -> Figure:
    """Draw what flipped answers cost over their share, one row per measure, one column per searcher.

    `frame` has rows of `tables.cost_of_errors` for glyphs: errors "none", "flips p", and "alike p", which are hollow.
    Where doubtful answers are asked again, lines are dotted and hollow marks square. Bars are 95 % intervals over
    classes.
    """
    arms = list(dict.fromkeys(frame["arm"]))
    flips = frame.assign(percent=frame["errors"].map(_percent), alike=frame["errors"].str.startswith("alike"))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(_SHOWN), len(arms), figsize=(1.75 * len(arms), 5.6), sharex=True, sharey="row", squeeze=False
        )
        for line, (measure, label) in zip(axes, _SHOWN.items(), strict=True):
            for ax, arm in zip(line, arms, strict=True):
                for again, (dash, _) in _AGAIN.items():
                    rows = flips[(flips["arm"] == arm) & (flips["again"] == again)].sort_values("percent")
                    aside = 0.25 if again else -0.25
                    for alike, part in rows.groupby("alike"):
                        style = {"color": _ARMS[arm]["color"], "ls": dash, "marker": "o"}
                        style |= {"ls": "none", "marker": _ALIKE[again], "mfc": "white"} if alike else {}
                        x = part["percent"] + aside + (0.6 if alike else 0)
                        ax.errorbar(x, part[measure], _bars(part, measure), ms=3.5, lw=1.3, elinewidth=0.7, **style)
                if measure == "times_kept":
                    ax.axhline(1, color=COLOURS["ideal"], lw=0.8)
                    ax.set_title(arm)
            line[0].set_ylabel(label)
        for ax in axes[-1]:
            ax.set_xticks([0, 5, 10, 15])
            ax.set_xlabel("Answers wrong, %")
        handles = [plt.Line2D([], [], color="#333333", ls=dash, lw=1.3) for dash, _ in _AGAIN.values()]
        handles += [
            plt.Line2D([], [], color="#333333", ls="none", marker=mark, mfc="white", ms=4) for mark in _ALIKE.values()
        ]
        names = [
            f"{errors}, {name}"
            for errors in ("flips", "errors where classes look alike")
            for _, name in _AGAIN.values()
        ]
        figure.legend(handles, names, loc="outside lower center", ncols=2)
    return figure


def plot_people(frame: pd.DataFrame) -> Figure:
    """Draw what each kind of error costs: one panel per measure, one line per kind, top to bottom, marks for searchers.

    `frame` has rows of `tables.cost_of_errors` for one pool. Hollow marks: doubtful answers asked again. Bars are 95 %
    intervals over classes.
    """
    kinds = list(dict.fromkeys(frame["errors"]))
    arms = list(dict.fromkeys(frame["arm"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(_SHOWN_OF_PEOPLE), figsize=(8.2, 0.75 * len(kinds) + 1.4), sharey=True)
        for ax, (measure, label) in zip(axes, _SHOWN_OF_PEOPLE.items(), strict=True):
            for i, arm in enumerate(arms):
                for again in _AGAIN:
                    rows = frame[(frame["arm"] == arm) & (frame["again"] == again)]
                    places = rows["errors"].map(kinds.index) + 0.15 * (i - (len(arms) - 1) / 2) + 0.06 * again
                    style = _ARMS[arm] | {"ls": "none", "ms": 3.5, "elinewidth": 0.7}
                    style |= {"mfc": "white"} if again else {"label": arm}
                    ax.errorbar(rows[measure], places, xerr=_bars(rows, measure), **style)
            ax.set_xlabel(label)
            ax.grid(axis="y", visible=False)
        axes[1].axvline(0, color=COLOURS["ideal"], lw=0.8)
        axes[0].set_yticks(range(len(kinds)), kinds)
        axes[0].invert_yaxis()
        handles, names = axes[0].get_legend_handles_labels()
        handles.append(plt.Line2D([], [], color="#333333", ls="none", marker="o", mfc="white", ms=4))
        figure.legend(handles, [*names, _AGAIN[True][1]], loc="outside lower center", ncols=3)
    return figure


def _percent(errors: str) -> float:
    return 0.0 if errors == "none" else round(100 * float(errors.split()[-1]), 6)


def _bars(rows: pd.DataFrame, measure: str) -> list[pd.Series]:
    return [rows[measure] - rows[f"{measure}_low"], rows[f"{measure}_high"] - rows[measure]]
