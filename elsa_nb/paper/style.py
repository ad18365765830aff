"""How every figure looks: one colour and mark for each arm and component, plain numbers, the settings of matplotlib."""

import math

from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from elsa_nb.search.strategies.registry import strategies

# Okabe and Ito's colours, told apart by all common kinds of colour vision; grey for the two reference lines.
COLOURS = {name: kind.colour for name, kind in strategies().items()} | {
    "No Active": "#E69F00",
    "NN": "#009E73",
    "NN.Large": "#CC79A7",
    "random": "#999999",
    "ideal": "#555555",
}
COMPONENT_COLOURS = {"NN": "#009E73", "RANDS": "#E69F00", "FINAL": "#0072B2", "seed": "#000000"}
MARKERS = dict.fromkeys(strategies(), "D") | {"ELSA": "o", "No Active": "s", "NN": "^", "NN.Large": "v"}
STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.titlesize": 9,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
_DECADE, _HALVED, _FINE = (1,), (1, 2, 5), (1, 2, 3, 4, 5, 6, 8)  # what is labelled of each decade
_FEW_DECADES = {"x": 1.6, "y": 3.5}  # that an axis may span to be labelled at 1, 2 and 5 of each: room differs
_TOO_FEW = 3  # labels tell no scale


def log_axis(axis: Axis, steps: tuple[int, ...] | None = None, *, to_ticks: bool = False) -> None:
    """Make an axis logarithmic, with plain numbers such as 0.05 and 2,000; call it when all is drawn.

    Labelled are `steps` of each decade: by default 1, 2 and 5, and 1 where there are many decades, or more where only a
    part of one is shown. With `to_ticks` the axis begins and ends at one of them.
    """
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    low, high = sorted(axis.get_view_interval())
    if steps is None:
        steps = _HALVED if math.log10(high / low) <= _FEW_DECADES[axis.axis_name] else _DECADE
        steps = steps if len(_marks(low, high, steps)) >= _TOO_FEW else _FINE
    if to_ticks:
        around = _marks(low / 10, 10 * high, steps)
        low, high = max(mark for mark in around if mark <= low), min(mark for mark in around if mark >= high)
        axis.axes.set(**{f"{axis.axis_name}lim": (low, high)})
    axis.set_major_locator(FixedLocator(_marks(low, high, steps)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axis.set_minor_locator(LogLocator(subs=range(2, 10)))
    axis.set_minor_formatter(NullFormatter())


def _marks(low: float, high: float, steps: tuple[int, ...]) -> list[float]:
    """Return the numbers from `low` to `high` that are one of `steps` in their decade, ascending."""
    decades = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    marks = [float(f"{step}e{decade}") for decade in decades for step in steps]
    return [mark for mark in marks if low <= mark * (1 + 1e-9) and mark * (1 - 1e-9) <= high]
