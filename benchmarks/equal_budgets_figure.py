"""The figure of `equal_budgets`: labels a find of each arm, pool by pool, from `results/equal_budgets_summary.csv`.

    python -m benchmarks.equal_budgets_figure

Writes `results/equal_budgets.png`. It computes nothing.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from benchmarks.summary import RESULTS
from elsa_nb.paper.measures.overheads import ALL_LABELS
from elsa_nb.paper.style import STYLE

# Arms in their order, and how they are drawn.
ARMS = {
    "Harvest": ("#009E73", "o"),
    "Greedy probe, unit rows, l2 = 100": ("#D55E00", "s"),
    "Greedy probe": ("#E69F00", "D"),
    "ELSA": ("#0072B2", "^"),
    "NN.Large": ("#CC79A7", "v"),
    ALL_LABELS: ("#000000", "_"),
    "Random": ("#999999", "x"),
}
POOLS = {
    "glyphs-vicreg-projection": "letters\n(VICReg, without labels)",
    "food-101-efficientnet-lite0-96px-embedding": "Food-101\n(EfficientNet-Lite0,\nImageNet-supervised)",
    "tiny-imagenet-efficientnet-lite0-96px-embedding": "Tiny-ImageNet\n(EfficientNet-Lite0,\nImageNet-supervised)",
    "debian-wordllama-256-embedding": "Debian's descriptions\n(WordLlama)",
}
SHARES = (50, 80)


def plot_overheads(summary: pd.DataFrame, axes: list[Axes]) -> None:
    """Draw median labels a find with their intervals, a share of the class an axis, a pool a group of arms.

    `summary` is that of `overheads.summary` with one example to begin from; where most searches of an arm did not come
    so far, its mark is hollow: it stands for more.
    """
    pools = [pool for pool in POOLS if (summary["pool"] == pool).any()]
    for share, ax in zip(SHARES, axes, strict=True):
        for number, (arm, (colour, marker)) in enumerate(ARMS.items()):
            rows = summary[summary["arm"] == arm].set_index("pool")
            label = arm
            for place, pool in enumerate(pools):
                if pool not in rows.index:
                    continue
                row, x = rows.loc[pool], place + 0.11 * (number - (len(ARMS) - 1) / 2)
                ax.plot([x, x], [row[f"low_{share}"], row[f"high_{share}"]], color=colour, lw=1)
                face = "white" if row[f"unreached_{share}"] > row["searches"] / 2 and marker != "_" else colour
                ax.plot(x, row[f"overhead_{share}"], marker, color=colour, mfc=face, ms=5, label=label, ls="none")
                label = None
        ax.set(yscale="log", title=f"to {share} % of a class", xticks=range(len(pools)))
        ax.set_xticklabels([POOLS[pool] for pool in pools], fontsize=7)
    axes[0].set_ylabel("labels a find")


def main() -> None:
    """Draw what is in the results."""
    summary = pd.read_csv(RESULTS / "equal_budgets_summary.csv").query("seeds == 1 and half == 'held-out'")
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(SHARES), figsize=(9, 4.2), sharey=True)
        plot_overheads(summary, list(axes))
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
        figure.savefig(RESULTS / "equal_budgets.png", dpi=110)


if __name__ == "__main__":
    main()
