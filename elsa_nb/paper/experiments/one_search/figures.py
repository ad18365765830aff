"""The figures of the first notebooks: glyphs, neighbour purity, and what one search found; they compute nothing."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from elsa_nb.paper.measures.medians import ENCODER_TITLES, FLOOR_TITLES
from elsa_nb.paper.style import COMPONENT_COLOURS, STYLE


def plot_glyphs(frame: pd.DataFrame, images: np.ndarray) -> Figure:
    """Draw a sample of the pool, one row per class; `frame` (character, name, row) goes with `images` (m, 32, 32)."""
    names = list(dict.fromkeys(frame["name"]))
    across = int(frame["name"].value_counts().max())
    with plt.rc_context(STYLE | {"axes.grid": False}):
        figure, axes = plt.subplots(len(names), 1, figsize=(0.32 * across + 2, 0.36 * len(names)))
        for ax, name in zip(axes, names, strict=True):
            strip = np.hstack(list(images[(frame["name"] == name).to_numpy()]))
            ax.imshow(255 - strip, cmap="gray", vmin=0, vmax=255)
            ax.set_ylabel(name.lower(), rotation=0, ha="right", va="center", fontsize=8)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
    return figure


def plot_purity(frame: pd.DataFrame) -> Figure:
    """Draw the neighbour purity of each encoder and space as bars, what needs no training in grey.

    `frame` has encoder, space, purity.
    """
    names = [
        f"{ENCODER_TITLES[encoder]}, {space}" for encoder, space in zip(frame["encoder"], frame["space"], strict=True)
    ]
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(6, 0.36 * len(frame) + 0.7))
        colours = ["#999999" if encoder in FLOOR_TITLES else "#0072B2" for encoder in frame["encoder"]]
        bars = ax.barh(names, frame["purity"], color=colours, height=0.65)
        ax.bar_label(bars, fmt="%.2f", padding=3)
        ax.invert_yaxis()
        ax.grid(axis="y", visible=False)
        ax.set(xlim=(0, 1), xlabel="Share of the ten nearest neighbours of the same class")
    return figure


def plot_search(frame: pd.DataFrame, images: np.ndarray, *, across: int = 30) -> Figure:
    """Draw one search at work: the images of the positives that each round found, framed by component.

    `frame` has one row per image to show (round, component, in the order found), `images` (m, 32, 32) uint8 are the
    pictures; at most `across` per round are drawn.
    """
    rounds = list(dict.fromkeys(frame["round"]))
    with plt.rc_context(STYLE | {"axes.grid": False}):
        figure, ax = plt.subplots(figsize=(0.27 * across + 1.6, 0.275 * len(rounds) + 0.45))
        for y, number in enumerate(rounds):
            members = np.flatnonzero((frame["round"] == number).to_numpy())
            for x, i in enumerate(members[:across]):
                extent = (x, x + 0.9, y + 0.9, y)
                ax.imshow(255 - images[i], cmap="gray", vmin=0, vmax=255, extent=extent, interpolation="nearest")
                colour = COMPONENT_COLOURS[frame["component"].iloc[i]]
                ax.add_patch(plt.Rectangle((x, y), 0.9, 0.9, fill=False, ec=colour, lw=1.2))
            if len(members) > across:
                ax.text(across + 0.2, y + 0.45, f"+ {len(members) - across}", va="center", color="#555555")
        ax.set(xlim=(-0.1, across + 2.5), ylim=(len(rounds), -0.1), xticks=[], yticks=np.arange(len(rounds)) + 0.45)
        ax.set_yticklabels(rounds)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        names = {"seed": "seed", "NN": "nearest neighbours", "RANDS": "RandS", "FINAL": "final search"}
        handles = [plt.Rectangle((0, 0), 1, 1, fill=False, ec=COMPONENT_COLOURS[c], lw=1.6) for c in names]
        figure.legend(handles, names.values(), loc="outside lower center", ncols=4)
    return figure
