"""Pictures of few colours for the notebook of the toy space, still and moving: small enough to live inside it."""

import base64
import io
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from elsa_nb.paper.experiments.toy import figures
from elsa_nb.paper.style import COMPONENT_COLOURS


@dataclass(frozen=True)
class Picture:
    """An encoded picture that a notebook shows as the last value of a cell; `words` say what it is."""

    data: bytes = field(repr=False)
    kind: str  # "png" or "gif"
    words: str

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return what Jupyter shows: a moving picture inside HTML, the form that every front end moves."""
        text = base64.b64encode(self.data).decode()
        if self.kind == "gif":
            return {
                "text/html": f'<img src="data:image/gif;base64,{text}" alt="{self.words}">',
                "text/plain": self.words,
            }
        return {"image/png": text, "text/plain": self.words}


def picture(figure: Figure, words: str, *, dpi: int = 100) -> Picture:
    """Return a figure as a picture a third of the usual size, and close it.

    Pictures of thousands of points would otherwise make the notebook larger than the house allows.
    """
    buffer, small = io.BytesIO(), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight")
    plt.close(figure)
    _in_own_colours(Image.open(buffer)).save(small, format="PNG", optimize=True)
    return Picture(small.getvalue(), "png", words)


def animate(history: pd.DataFrame, states: pd.DataFrame, *, seconds: float = 1.4) -> Picture:
    """Return Fig. 5 as an animation: every round once with its questions open and once answered.

    Each picture stands for `seconds`; few colours keep it small enough to live inside a notebook.
    """
    stages = [(0, True)] + [(state, answered) for state in range(1, len(states)) for answered in (False, True)]
    pictures = []
    with plt.rc_context(figures.BARE_STYLE):
        for state, answered in stages:
            figure, ax = plt.subplots(figsize=(4.0, 4.2), dpi=100)
            figures.draw_state(ax, history, states, state, answered=answered)
            name = states.index[state]
            ax.set_title(name.capitalize() + ("" if state == 0 else ": answered" if answered else ": asked"))
            figure.canvas.draw()
            pictures.append(_in_own_colours(Image.fromarray(np.asarray(figure.canvas.buffer_rgba()))))
            plt.close(figure)
    durations = [int(1000 * seconds)] * (len(pictures) - 1) + [int(3000 * seconds)]
    buffer, rest = io.BytesIO(), pictures[1:]
    pictures[0].save(buffer, format="GIF", save_all=True, append_images=rest, duration=durations, loop=0, optimize=True)
    return Picture(buffer.getvalue(), "gif", "The latent space, round by round: what is asked, then what is found")


def _in_own_colours(picture: Image.Image) -> Image.Image:
    """Return a picture with a palette of nothing but white and three shades of every colour the figures use."""
    solid = [*COMPONENT_COLOURS.values(), *figures.SHADES]
    colours = np.array([to_rgb(colour) for colour in solid])
    shades = [np.ones((1, 3)), *(1 - strength * (1 - colours) for strength in (1, 0.65, 0.3))]
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.rint(255 * np.concatenate(shades)).astype(int).ravel().tolist())
    return picture.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
