"""Fig. 4: the flow of ELSA, drawn from a list of boxes and arrows, with the line numbers of Algorithm 4."""
# ruff: noqa: RUF001 - Greek letters and the union are the paper's own

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from elsa_nb.paper.style import COMPONENT_COLOURS, STYLE

_INK, _QUIET = "#333333", "#8a8a8a"
_BOXES = (  # name, what it does, x and y of the middle, width, whose colour
    ("Images", "unlabelled", 10, 57, 13, ""),
    ("Encoder", "ResNet-50, self-supervised", 30, 57, 20, ""),
    ("Projector", "MLP", 50, 57, 13, ""),
    ("Vectors", "one a row of the pool", 72, 57, 18, ""),
    ("Seeds", "Λ: known positives", 9, 41, 15, "seed"),
    ("Queries", "δ⁰: last round's positives", 33, 41, 20, ""),
    ("Nearest neighbours", "K: the a points nearest to δ⁰", 60, 41, 24, "NN"),
    ("Sampler", "scores above mean + α₁ std", 33, 30, 20, ""),
    ("RandS", "δ: b neighbours of l of them", 60, 30, 24, "RANDS"),
    ("Oracle", "labels γ = K ∪ δ", 88, 35.5, 15, "seed"),
    ("Head", "learns from Λ ∪ γ⁻", 60, 19, 24, ""),
    ("Final search", "scores above mean + α₂ std", 60, 5, 24, "FINAL"),
    ("Oracle", "labels them", 85, 5, 15, "seed"),
)
_ARROWS = (  # the corners it passes, what is written at (x, y), dashed
    (((16.5, 57), (20, 57)), "", None, False),
    (((40, 57), (43.5, 57)), "", None, False),
    (((56.5, 57), (63, 57)), "", None, False),
    (((72, 53.6), (72, 49.8)), "searched and scored in every round", (86, 51.6), False),
    (((16.5, 41), (23, 41)), "1", (18.2, 42.3), False),
    (((43, 41), (48, 41)), "3", (45.3, 42.3), False),
    (((43, 30), (48, 30)), "5", (45.3, 31.3), False),
    (((72, 41), (76, 41), (76, 37), (80.5, 37)), "6", (74.2, 42.3), False),
    (((72, 30), (76, 30), (76, 34), (80.5, 34)), "6", (74.2, 28.5), False),
    (((88, 38.9), (88, 47.3), (33, 47.3), (33, 44.4)), "γ⁺ joins Λ and is asked about next (8, 10)", (61, 48.4), False),
    (((88, 32.1), (88, 19), (72, 19)), "γ⁺ and γ⁻ (9)", (80, 20.3), False),
    (((48, 19), (33, 19), (33, 26.6)), "4", (34.8, 22.5), False),
    (((60, 15.6), (60, 8.4)), "after the last round (13)", (70.5, 11.8), True),
    (((72, 5), (77.5, 5)), "14", (74.6, 6.3), False),
    (((92.5, 5), (100, 5)), "Λ* (15)", (96.3, 6.5), False),
)


def chart_parts() -> pd.DataFrame:
    """Return the chart, one row per box or arrow: kind, text, note, x, y, width, colour of, path, dashed."""
    boxes = [
        {"kind": "box", "text": text, "note": note, "x": x, "y": y, "width": width, "component": component}
        for text, note, x, y, width, component in _BOXES
    ]
    arrows = []
    for path, text, text_at, dashed in _ARROWS:
        x, y = text_at or (None, None)
        corners = "; ".join(f"{px:g} {py:g}" for px, py in path)
        arrows.append({"kind": "arrow", "text": text, "x": x, "y": y, "path": corners, "dashed": dashed})
    return pd.DataFrame(boxes + arrows)


def plot_flow_chart(chart: pd.DataFrame) -> Figure:
    """Draw Fig. 4 from the rows of `chart_parts`; components have the colours they have in every figure."""
    with plt.rc_context(STYLE | {"axes.grid": False}):
        figure, ax = plt.subplots(figsize=(8.6, 5.3))
        ax.set(xlim=(1, 101), ylim=(0.5, 61.5))
        ax.axis("off")
        ax.add_patch(_rounded(20, 14.5, 79, 35.3, face="#f6f6f4", edge="#dddddd"))
        ax.text(21.5, 15.6, "one round, repeated (lines 2 to 12)", fontsize=8, color=_QUIET, style="italic")
        for box in chart[chart["kind"] == "box"].itertuples():
            colour = COMPONENT_COLOURS.get(box.component, _QUIET)
            ax.add_patch(
                _rounded(box.x - box.width / 2, box.y - 3.4, box.width, 6.8, face="white", edge=colour, line=1.5)
            )
            ax.text(box.x, box.y + 1.1, box.text, ha="center", va="center", weight="bold", color=_INK, fontsize=9)
            ax.text(box.x, box.y - 1.5, box.note, ha="center", va="center", color=_INK, fontsize=7.2)
        for arrow in chart[chart["kind"] == "arrow"].itertuples():
            corners = [tuple(map(float, corner.split())) for corner in arrow.path.split("; ")]
            style = {"color": _INK, "lw": 1.0, "ls": "--" if arrow.dashed else "-"}
            ax.plot(*zip(*corners[:-1], strict=True), **style)
            head = {"arrowstyle": "-|>", "mutation_scale": 9, "shrinkA": 0, "shrinkB": 0, **style}
            ax.annotate("", corners[-1], corners[-2], arrowprops=head)
            if arrow.text:
                label = {"fontsize": 7.5, "color": "#555555", "ha": "center", "va": "center"}
                ax.text(arrow.x, arrow.y, arrow.text, **label)
    return figure


def _rounded(
    x: float, y: float, width: float, height: float, *, face: str, edge: str, line: float = 0.8
) -> FancyBboxPatch:
    style = "round,pad=0,rounding_size=0.9"
    return FancyBboxPatch((x, y), width, height, boxstyle=style, fc=face, ec=edge, lw=line)
