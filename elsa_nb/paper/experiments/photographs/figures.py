"""How good the encoders of photographs became while they were trained: a figure that draws and computes nothing."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from elsa_nb.paper.style import STYLE

_COLOURS = ("#0072B2", "#E69F00", "#009E73")  # Okabe and Ito's, as everywhere
_MARKERS = ("o", "s", "^")
_TITLES = {"purity": "Share of ten neighbours of the same class", "top1": "Linear probe, top-1"}


def plot_training_curves(frame: pd.DataFrame) -> Figure:
    """Draw purity and linear top-1 over the epochs of training, one panel per metric, one line per encoder.

    `frame` is long (encoder, metric, epoch, value, chance); dotted lines are what guessing would reach.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(_TITLES), figsize=(7.2, 2.9))
        for ax, (metric, title) in zip(axes, _TITLES.items(), strict=True):
            here = frame[frame["metric"] == metric]
            for (encoder, rows), colour, marker in zip(
                here.groupby("encoder", sort=False), _COLOURS, _MARKERS, strict=False
            ):
                ax.plot(rows["epoch"], rows["value"], color=colour, marker=marker, ms=4, lw=1.4, label=encoder)
                ax.axhline(rows["chance"].iloc[0], color=colour, ls=":", lw=0.9)
            ax.set(title=title, xlabel="Epochs")
            ax.set_xlim(left=0)
            ax.set_ylim(bottom=0)
        handles, labels = axes[0].get_legend_handles_labels()
        dotted = plt.Line2D([], [], color="#777777", ls=":")
        figure.legend([*handles, dotted], [*labels, "guessing"], loc="outside lower center", ncols=4)
    return figure
