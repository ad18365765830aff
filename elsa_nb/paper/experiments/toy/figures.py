"""The figures of the toy space (Figs. 1, 5 and 6) in notebook 04: drawn from frames of `space` and `rands`."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from elsa_nb.paper.experiments.toy import rands
from elsa_nb.paper.style import COMPONENT_COLOURS, STYLE

COMPONENT_TITLES = {"NN": "nearest neighbours", "RANDS": "RandS", "FINAL": "final search"}
BARE_STYLE = STYLE | {"axes.grid": False, "axes.spines.left": False, "axes.spines.bottom": False}
VIEW = (-2.9, 4.5)  # of both axes: the corner behind the other classes holds nothing to see
UNLABELLED_COLOUR, LIKELY_COLOUR, EARLIER_COLOUR, UNDISCOVERED_COLOUR, NEGATIVE_COLOUR = (
    "#b5b5b5",
    "#f0c36d",
    "#6e6e6e",
    "#333333",
    "#a0a0a0",
)
SHADES = (UNLABELLED_COLOUR, LIKELY_COLOUR, EARLIER_COLOUR, UNDISCOVERED_COLOUR, NEGATIVE_COLOUR)
STATE_TITLES = {  # appendix A counts the state before the first answers as iteration 1
    "the seed": "Iteration 1: the seed",
    "round 1": "Iteration 2: one round answered",
    "round 2": "Iteration 3: two rounds",
    "round 3": "Iteration 4: three rounds",
    "round 4": "Iteration 5: four rounds",
    "round 5": "All five rounds",
    "final search": "After the final search",
}


def plot_toy(history: pd.DataFrame, reach: pd.DataFrame) -> Figure:
    """Draw Fig. 1: the problem as the search sees it, the reach one neighbour search needs, and who found what.

    `history` is of `space.watch_search`, `reach` of `space.neighbour_reach`.
    """
    with plt.rc_context(BARE_STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(8.6, 3.6))
        seed = history[history["asked"] == 0]
        positive = history[history["part"] != "other"]
        for ax in axes:
            _prepare(ax)
            _unlabelled(ax, history[history["part"] == "other"])
        axes[0].set_title("What the search sees: one seed")
        _unlabelled(axes[0], positive)
        axes[1].set_title("What one neighbour search must reach")
        _hollow(axes[1], positive)
        centre = seed[["x", "y"]].to_numpy()[0]
        for line in reach[reach["what"].isin(_LABELLED)].itertuples():
            nearest = line.what == "nearest"
            style = {"ec": COMPONENT_COLOURS["NN"], "lw": 1.4 if nearest else 0.9, "ls": "-" if nearest else "--"}
            axes[1].add_patch(plt.Circle(centre, line.radius, fill=False, zorder=1.5, **style))
            text = f"{line.labels} labels" if nearest else f"{line.what}: {line.labels} labels"
            position = centre + line.radius * _LABELLED[line.what]
            axes[1].annotate(text, position, color=style["ec"], fontsize=8, ha="center", va="center", bbox=_PAPER)
        axes[2].set_title("Which part of ELSA found what")
        _hollow(axes[2], positive[positive["asked"] < 0])
        for name, colour in COMPONENT_COLOURS.items():
            found = positive[positive["component"] == name]
            if name != "seed":
                _points(axes[2], found, colour, 4, zorder=3)
        for ax in axes[1:]:
            _name_clusters(ax, history)
        for ax in axes:
            _star(ax, seed)
        _legend(figure, ["unlabelled", "undiscovered", *COMPONENT_TITLES, "seed"], ncols=3)
    return figure


def plot_iterations(history: pd.DataFrame, states: pd.DataFrame) -> Figure:
    """Draw Fig. 5: the space after each round, what the round asked in its components' colours; frames of `space`."""
    with plt.rc_context(BARE_STYLE):
        figure, axes = plt.subplots(2, 4, figsize=(8.6, 4.9))
        for state, (name, ax) in enumerate(zip(states.index, axes.flat, strict=False)):
            draw_state(ax, history, states, state)
            ax.set_title(STATE_TITLES[name])
        keys = [
            "seed",
            *COMPONENT_TITLES,
            "missed",
            "earlier",
            "earlier negative",
            "undiscovered",
            "likely",
            "unlabelled",
        ]
        _legend_in(axes.flat[-1], keys)
    return figure


def draw_state(ax: Axes, history: pd.DataFrame, states: pd.DataFrame, state: int, *, answered: bool = True) -> None:
    """Draw one state of a watched search; without `answered`, its questions are still open."""
    _prepare(ax)
    other, asked = history["part"] == "other", history["asked"]
    known = (asked >= 0) & (asked < state)
    now = (asked == state) & (asked > 0)
    open_ = ~known & ~now & (asked != 0)
    threshold = state + answered  # the sampler's choice for the round that comes, or for the one that is open
    column = f"likely_{threshold}"
    likely = history[column] if column in history else pd.Series(False, history.index)
    _unlabelled(ax, history[open_ & other & ~likely])
    _points(ax, history[open_ & other & likely], LIKELY_COLOUR, 2.2)
    _hollow(ax, history[open_ & ~other])
    _crosses(ax, history[known & other], NEGATIVE_COLOUR)
    _points(ax, history[known & ~other], EARLIER_COLOUR, 3.3, zorder=3)
    for name in COMPONENT_TITLES:
        asked_now = history[now & (history["component"] == name)]
        if answered:
            _crosses(ax, asked_now[asked_now["part"] == "other"], COMPONENT_COLOURS[name])
            _points(ax, asked_now[asked_now["part"] != "other"], COMPONENT_COLOURS[name], 4.2, zorder=4)
        else:
            _rings(ax, asked_now, COMPONENT_COLOURS[name], 5.4)
    _star(ax, history[asked == 0])
    _name_clusters(ax, history)
    line = states.iloc[state if answered else state - 1]
    text = f"{line['found']} found, {line['labels']} labels" if line["labels"] > 1 else "1 found"
    ax.text(0.03, 0.03, text, transform=ax.transAxes, fontsize=8, color="#444444", bbox=_PAPER)


def plot_rands(proposals: pd.DataFrame, counts: pd.DataFrame, history: pd.DataFrame) -> Figure:
    """Draw Fig. 6: what each variant asks in the same round; `proposals` and `counts` of `rands`.

    `history` is of the search in the same space, whose first round is answered.
    """
    with plt.rc_context(BARE_STYLE):
        figure, axes = plt.subplots(2, 4, figsize=(8.6, 4.9))
        other, known = history["part"] == "other", history["asked"].isin([0, 1])
        nearest = proposals[proposals["variant"] == rands.NN_PROPOSALS]
        for variant, ax in zip(rands.VARIANTS, axes.flat[:-1], strict=True):
            _prepare(ax)
            open_ = ~known & other
            _unlabelled(ax, history[open_ & ~history["likely_2"]])
            _points(ax, history[open_ & history["likely_2"]], LIKELY_COLOUR, 2.2)
            _hollow(ax, history[~known & ~other])
            _points(ax, history[known & ~other], EARLIER_COLOUR, 3.3, zorder=3)
            rows = proposals[proposals["variant"] == variant]
            colour = COMPONENT_COLOURS["NN" if variant == rands.NN_PROPOSALS else "RANDS"]
            for row in rows.dropna(subset="from_x").itertuples():
                ax.plot([row.from_x, row.x], [row.from_y, row.y], color=colour, lw=0.9, zorder=2)
            _crosses(ax, rows[~rows["positive"]], colour, 4.2)
            _points(ax, rows[rows["positive"]], colour, 4.4, zorder=4)
            if variant != rands.NN_PROPOSALS:
                _rings(ax, nearest, COMPONENT_COLOURS["NN"], 6, zorder=5)
            _star(ax, history[history["asked"] == 0])
            _name_clusters(ax, history)
            line = counts.loc[variant]
            ax.set_title(variant)
            text = f"{line['positives']:.0f} of {line['asked']:.0f} positive"
            if variant != rands.NN_PROPOSALS:
                text += f"\n{line['also asked by NN']:.0f} asked by NN, too"
            ax.text(0.03, 0.03, text, transform=ax.transAxes, fontsize=8, color="#444444", bbox=_PAPER)
        keys = ["seed", "earlier", "undiscovered", "likely", "unlabelled", "asked", "asked negative", "asked by NN"]
        _legend_in(axes.flat[-1], keys)
    return figure


_PAPER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.2}
_LABELLED = {  # where on its circle each reach is written: clear of the clusters and of one another
    "nearest": np.array([2.3, 0.5]),
    "C1": np.array([-0.8, -0.6]),
    "C3": np.array([-0.6, -0.8]),
}


def _prepare(ax: Axes) -> None:
    ax.set(xlim=VIEW, ylim=VIEW, xticks=[], yticks=[], aspect="equal")
    ax.add_patch(plt.Rectangle((0, 0), 1, 1, transform=ax.transAxes, fill=False, ec="#c4c4c4", lw=1.1, zorder=0))


def _points(ax: Axes, rows: pd.DataFrame, colour: str, size: float, zorder: float = 1) -> None:
    """Draw filled dots of a diameter in points (as markers of a line: a tenth of a scatter's size in a vector copy)."""
    ax.plot(rows["x"], rows["y"], "o", ms=size, mfc=colour, mec="none", zorder=zorder)


def _unlabelled(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw the many points nobody asked; not as vectors, which would make the vector copy ten times as large."""
    ax.plot(rows["x"], rows["y"], "o", ms=1.2, mfc=UNLABELLED_COLOUR, mec="none", rasterized=True, zorder=1)


def _rings(ax: Axes, rows: pd.DataFrame, colour: str, size: float, face: str = "none", zorder: float = 4) -> None:
    """Draw circles: open questions, or with a white face positives that nobody has found yet."""
    ax.plot(rows["x"], rows["y"], "o", ms=size, mfc=face, mec=colour, mew=0.8, zorder=zorder)


def _hollow(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw positives that nobody has found yet."""
    _rings(ax, rows, UNDISCOVERED_COLOUR, 3.4, "white", 2)


def _crosses(ax: Axes, rows: pd.DataFrame, colour: str, size: float = 3.4) -> None:
    """Draw questions that were answered no."""
    ax.plot(rows["x"], rows["y"], "x", ms=size, mec=colour, mew=0.9, zorder=3)


def _star(ax: Axes, seed: pd.DataFrame) -> None:
    ax.scatter(seed["x"], seed["y"], s=85, marker="*", fc=COMPONENT_COLOURS["seed"], ec="white", lw=0.7, zorder=6)


def _name_clusters(ax: Axes, history: pd.DataFrame) -> None:
    """Write each cluster's name beside it, on the far side as seen from the middle."""
    clusters = history[history["part"].str.fullmatch(r"C\d")]
    for name, (x, y) in clusters.groupby("part")[["x", "y"]].mean().iterrows():
        out = 1 + 0.85 / np.hypot(x, y)
        text = ax.text(x * out, y * out, name, fontsize=9, weight="bold", color="#222222", ha="center", va="center")
        text.set(path_effects=[withStroke(linewidth=2.5, foreground="white")], zorder=7)


def _handles(keys: list[str]) -> tuple[list[Line2D], list[str]]:
    def dot(colour: str, size: float = 5, **style: object) -> Line2D:
        return Line2D([], [], ls="none", marker="o", mfc=colour, mec="none", ms=size, **style)

    def ring(colour: str, size: float, face: str = "none") -> Line2D:
        return Line2D([], [], ls="none", marker="o", mfc=face, mec=colour, mew=0.9, ms=size)

    def cross(colour: str) -> Line2D:
        return Line2D([], [], ls="none", marker="x", mec=colour, mew=1.0, ms=4)

    star = Line2D([], [], ls="none", marker="*", mfc=COMPONENT_COLOURS["seed"], mec="none", ms=10)
    known = {
        "seed": (star, "seed"),
        "missed": (cross("#555555"), "asked in this round: negative"),
        "earlier": (dot(EARLIER_COLOUR), "positive, found earlier"),
        "earlier negative": (cross(NEGATIVE_COLOUR), "negative, asked earlier"),
        "undiscovered": (ring(UNDISCOVERED_COLOUR, 4.5, "white"), "positive, undiscovered"),
        "likely": (dot(LIKELY_COLOUR, 4), "unlabelled, above the threshold"),
        "unlabelled": (dot(UNLABELLED_COLOUR, 4), "unlabelled"),
        "asked": (dot(COMPONENT_COLOURS["RANDS"]), "asked: positive"),
        "asked negative": (cross(COMPONENT_COLOURS["RANDS"]), "asked: negative"),
        "asked by NN": (ring(COMPONENT_COLOURS["NN"], 6.5), "asked by NN in this round"),
    }
    known |= {name: (dot(COMPONENT_COLOURS[name]), f"found by {title}") for name, title in COMPONENT_TITLES.items()}
    return [known[key][0] for key in keys], [known[key][1] for key in keys]


def _legend(figure: Figure, keys: list[str], ncols: int) -> None:
    figure.legend(*_handles(keys), loc="outside lower center", ncols=ncols, columnspacing=1.4, handletextpad=0.4)


def _legend_in(ax: Axes, keys: list[str]) -> None:
    """Draw the legend in a panel of its own."""
    ax.axis("off")
    legend = ax.legend(*_handles(keys), loc="center left", labelspacing=0.75, fontsize=8, borderpad=0)
    legend.set_in_layout(False)  # wider than its panel: it may stand in the margin
