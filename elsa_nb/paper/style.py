"""How every figure looks: one colour and mark an arm and a component, and the settings of matplotlib."""

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
