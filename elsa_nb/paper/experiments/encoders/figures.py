"""The figures of notebook 05: whether a better linear probe means a better search, and what another training gives."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from elsa_nb.paper.measures.medians import ENCODER_TITLES, METRIC_TITLES, RATE_TITLES
from elsa_nb.paper.style import COLOURS, STYLE, log_axis

_MARKERS = dict(zip(ENCODER_TITLES, "osP^vD*Xphd", strict=True))  # one encoder, one mark; the colour is that of the arm
_FLOOR, _PRINTED = "#777777", "printed"


def plot_against_top1(points: pd.DataFrame, correlations: pd.DataFrame) -> Figure:
    """Draw discovery and efficiency over linear top-1: a mark per encoder, a column per reading, one for the paper.

    `points` has a row per (panel, encoder, metric) with linear_top1 (%), median, low, high, floor; `correlations` the
    rank correlations that the panels state, of the trained encoders or of the paper's rows. Bars are 95 % intervals
    over classes; floors are grey and do not count; the paper's printed values are hollow, starred where the printed
    top-1 is `literature`.
    """
    panels = list(dict.fromkeys(points["panel"]))
    shown = correlations[(correlations["against"] == "linear_top1")].drop_duplicates(["metric", "panel"])
    shown = shown.set_index(["metric", "panel"])
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            2, len(panels), figsize=(2.75 * len(panels), 5.4), sharex="col", sharey="row", squeeze=False
        )
        for (metric, label), line in zip(RATE_TITLES.items(), axes, strict=True):
            for ax, panel in zip(line, panels, strict=True):
                rows = points[(points["metric"] == metric) & (points["panel"] == panel)]
                for row in rows.itertuples():
                    _mark(ax, row, hollow=panel == _PRINTED)
                ax.set_title(_title(shown, metric, panel), fontsize=8, loc="left")
                ax.margins(x=0.1)
            line[0].set_ylabel(label)
            line[0].set_ylim(0, 1.02 if metric == "discovery_rate" else None)
        for ax, panel in zip(axes[-1], panels, strict=True):
            where = "as printed: ImageNet-1k" if panel == _PRINTED else f"here, {panel} reading"
            ax.set_xlabel(f"Linear top-1, %\n({where})")
        figure.legend(handles=_handles(points), loc="outside lower center", ncols=5, fontsize=8)
    return figure


def plot_trainings(again: pd.DataFrame) -> Figure:
    """Draw Table 5 with every training of a method that was trained more than once: measures down, readings across.

    `again` is what `trained_again.by_training` returns. Bars are 95 % intervals over classes; trainings stand side by
    side, the bundled one (training 0, that of the table) leftmost. Efficiency and labels have a logarithmic axis.
    """
    again = again[(again["space"] == "embedding") & (again["arm"] == "ELSA")]
    encoders = [encoder for encoder in ENCODER_TITLES if encoder in set(again["encoder"])]
    readings = list(dict.fromkeys(again["reading"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(METRIC_TITLES), len(readings), figsize=(9.0, 6.6), sharex=True, sharey="row", squeeze=False
        )
        for (metric, label), line in zip(METRIC_TITLES.items(), axes, strict=True):
            for ax, reading in zip(line, readings, strict=True):
                for x, encoder in enumerate(encoders):
                    _side_by_side(ax, x, _cell(again, reading, metric, encoder).sort_values("training"))
                ax.margins(x=0.05)
            line[0].set_ylabel(label)
            if metric != "discovery_rate":
                log_axis(line[0].yaxis)
        for ax, reading in zip(axes[0], readings, strict=True):
            ax.set_title(f"{reading} reading", fontsize=9, loc="left")
        for ax in axes[-1]:
            ax.set_xticks(range(len(encoders)), [ENCODER_TITLES[e] for e in encoders], rotation=40, ha="right")
        handles = [
            mpl.lines.Line2D([], [], ls="none", marker="o", ms=4, color=COLOURS["ELSA"], mfc=filled, label=label)
            for label, filled in (("the encoder of Table 5", None), ("the same recipe from another seed", "white"))
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=2, fontsize=8)
    return figure


def _cell(long: pd.DataFrame, reading: str, metric: str, encoder: str) -> pd.DataFrame:
    return long[(long["reading"] == reading) & (long["metric"] == metric) & (long["encoder"] == encoder)]


def _side_by_side(ax, x: float, rows: pd.DataFrame) -> None:
    """Draw the first of `rows` filled at `x`, or left of it where more follow, those hollow."""
    places = x + 0.2 * (np.arange(len(rows)) - (len(rows) - 1) / 2)
    for i, (place, row) in enumerate(zip(places, rows.itertuples(), strict=True)):
        bars = [[row.median - row.low], [row.high - row.median]]
        style = {"color": COLOURS["ELSA"], "mfc": "white" if i else None}
        ax.errorbar(place, row.median, bars, marker="o", ms=4, elinewidth=0.9, **style)


def _mark(ax, row, *, hollow: bool) -> None:
    colour = _FLOOR if row.floor else COLOURS["ELSA"]
    style = {"color": colour, "marker": _MARKERS[row.encoder], "ms": 6, "ls": "none"}
    if hollow:
        ax.plot(row.linear_top1, row.median, mfc="white", **style)
        if row.literature:
            ax.annotate("*", (row.linear_top1, row.median), (4, 1), textcoords="offset points", color=colour)
    else:
        bars = [[row.median - row.low], [row.high - row.median]]
        ax.errorbar(row.linear_top1, row.median, bars, elinewidth=0.8, **style)


def _title(correlations: pd.DataFrame, metric: str, panel: str) -> str:
    row = correlations.loc[metric, panel]
    if pd.isna(row["rho"]):
        return f"{row['n']} trained encoders:\ntoo few for a correlation"
    return f"rank correlation {row['rho']:.2f}\n95 % [{row['low']:.2f}, {row['high']:.2f}], {row['n']} encoders"


def _handles(points: pd.DataFrame) -> list[mpl.lines.Line2D]:
    floors = set(points.loc[points["floor"], "encoder"])
    run = set(points.loc[points["panel"] != _PRINTED, "encoder"])
    return [
        mpl.lines.Line2D(
            [],
            [],
            ls="none",
            marker=marker,
            ms=6,
            color=_FLOOR if encoder in floors else COLOURS["ELSA"],
            mfc=None if encoder in run else "white",
            label=ENCODER_TITLES[encoder],
        )
        for encoder, marker in _MARKERS.items()
        if encoder in set(points["encoder"])
    ]
