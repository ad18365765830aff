"""The figures of notebook 16: a map of discovery by size and purity, and full-size cells beside the printed rows."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from elsa_nb.paper.style import COLOURS, MARKERS, STYLE, log_axis

READ_AS = {"paper": "paper", "literal": "literal", "released-code": "released code"}
_FILLS = {0.15: "white", 0.45: "0.75", 0.75: None}


def plot_map(off: pd.DataFrame) -> Figure:
    """Draw the discovery of each arm by class size (up) and purity (right), one row of panels per reading.

    `off` is `tables.misfits` of the small pools. A frame stands around cells whose discovery is near the print,
    a thick one where the labels are near too.
    """
    arms, readings = list(dict.fromkeys(off["arm"])), [each for each in READ_AS if each in set(off["reading"])]
    sizes, purities = sorted(off["members"].unique()), sorted(off["purity"].unique())
    with plt.rc_context(STYLE | {"axes.grid": False}):
        figure, axes = plt.subplots(len(readings), len(arms), figsize=(8.2, 6.2), sharex=True, sharey=True)
        for i, reading in enumerate(readings):
            for j, arm in enumerate(arms):
                ax, part = axes[i, j], off[(off["reading"] == reading) & (off["arm"] == arm)]
                grid = part.pivot_table(index="members", columns="purity", values="discovery_rate")
                shown = ax.imshow(grid, origin="lower", aspect="auto", cmap="viridis", vmin=0, vmax=1)
                for row in part.itertuples():
                    x, y = purities.index(row.purity), sizes.index(row.members)
                    colour = "black" if row.discovery_rate > 0.6 else "white"
                    ax.text(x, y, f"{row.discovery_rate:.2f}", ha="center", va="center", color=colour, fontsize=8)
                    if row.near_discovery:
                        corner, style = (x - 0.46, y - 0.44), {"fill": False, "ec": "#D55E00", "zorder": 3}
                        ax.add_patch(plt.Rectangle(corner, 0.92, 0.88, lw=3.5 if row.near else 1.2, **style))
                if i == 0:
                    ax.set_title(f"{arm} (printed: {part['discovery_rate_printed'].iloc[0]:.2f})")
                if j == 0:
                    ax.set_ylabel(f"{READ_AS[reading]}\nMembers of the class")
        axes[0, 0].set_xticks(range(len(purities)), [f"{purity:g}" for purity in purities])
        axes[0, 0].set_yticks(range(len(sizes)), [f"{size:,}" for size in sizes])
        for ax in axes[-1]:
            ax.set_xlabel("Purity of ten neighbours")
        figure.colorbar(shown, ax=axes, label="Discovery rate (median)", shrink=0.6)
    return figure


def plot_full_size(frame: pd.DataFrame, claimed: pd.DataFrame) -> Figure:
    """Draw what each arm finds over what it asks at full size, one panel per reading, with 95 % intervals.

    `frame` is `tables.cells` of the full-size pools, `claimed` the printed rows (stars). A line joins the purities of
    an arm; the fuller the mark, the purer.
    """
    readings = [each for each in READ_AS if each in set(frame["reading"])]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(readings), figsize=(8.8, 3.9), sharex=True, sharey=True, squeeze=False)
        for ax, reading in zip(axes[0], readings, strict=True):
            for row in claimed.itertuples():
                own = {"color": COLOURS[row.arm], "mec": "black", "mew": 0.8, "zorder": 4}
                ax.plot(row.labels, row.discovery_rate, "*", ms=13, **own)
            for arm, part in frame[frame["reading"] == reading].groupby("arm", sort=False):
                found = part[part["metric"] == "discovery_rate"].sort_values("purity")
                asked = part[part["metric"] == "labels"].sort_values("purity")
                x, y = asked["median"].to_numpy(), found["median"].to_numpy()
                ax.plot(x, y, "-", lw=1, color=COLOURS[arm])
                reach = [y - found["low"], found["high"] - y]
                across = [x - asked["low"], asked["high"] - x]
                ax.errorbar(x, y, reach, across, fmt="none", lw=0.9, color=COLOURS[arm])
                for each_x, each_y, purity in zip(x, y, found["purity"], strict=True):
                    fill = _FILLS.get(purity) or COLOURS[arm]
                    ax.plot(each_x, each_y, MARKERS[arm], ms=6, mfc=fill, mec=COLOURS[arm])
            ax.set(title=READ_AS[reading], xlabel="Labels spent (log)", xscale="log", ylim=(-0.03, 1.03))
            log_axis(ax.xaxis)
        axes[0, 0].set_ylabel("Discovery rate")
        arms = list(dict.fromkeys(frame["arm"]))
        handles = [plt.Line2D([], [], color=COLOURS[arm], marker=MARKERS[arm], label=arm) for arm in arms]
        handles.append(
            plt.Line2D([], [], ls="", marker="*", color="0.5", mec="black", ms=11, label="printed in the paper")
        )
        for purity, fill in _FILLS.items():
            handles.append(
                plt.Line2D([], [], ls="", marker="o", mfc=fill or "0.3", mec="0.3", label=f"purity {purity:g}")
            )
        figure.legend(handles=handles, loc="outside lower center", ncols=8)
    return figure
