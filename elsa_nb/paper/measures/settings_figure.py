"""Discovery and efficiency over a setting: Figs. 7 and 8, drawn from a frame of `by_setting`."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from elsa_nb.paper.measures.medians import RATE_TITLES
from elsa_nb.paper.style import COLOURS, MARKERS, STYLE


def plot_settings(frame: pd.DataFrame, label: str, *, log: bool = False) -> Figure:
    """Draw Fig. 7 or Fig. 8: discovery and efficiency over a setting, one column per reading.

    `frame` is long (value, reading, metric, median, low, high, printed_value). Bars are 95 % intervals; hollow marks on
    dotted lines are the paper's printed values, of ImageNet-1k, for the shape and not the height.
    """
    readings = list(dict.fromkeys(frame["reading"].dropna()))
    colour, marker = COLOURS["ELSA"], MARKERS["ELSA"]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            2, len(readings), figsize=(2.9 * len(readings), 4.6), sharex=True, sharey="row", squeeze=False
        )
        for (metric, name), line in zip(RATE_TITLES.items(), axes, strict=True):
            for ax, reading in zip(line, readings, strict=True):
                rows = frame[(frame["reading"] == reading) & (frame["metric"] == metric)]
                bars = [rows["median"] - rows["low"], rows["high"] - rows["median"]]
                style = {"color": colour, "marker": marker, "ms": 4}
                ax.errorbar(rows["value"], rows["median"], bars, lw=1.4, elinewidth=0.8, label="ELSA, here", **style)
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
