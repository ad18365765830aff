"""How every figure looks: one colour and mark an arm and a component, and the settings of matplotlib."""

# Okabe and Ito's colours, told apart by all common kinds of colour vision; grey for the two reference lines.
COLOURS = {
    "ELSA": "#0072B2",
    "No Active": "#E69F00",
    "NN": "#009E73",
    "NN.Large": "#CC79A7",
    "Greedy probe": "#D55E00",
    "random": "#999999",
    "ideal": "#555555",
}
COMPONENT_COLOURS = {"NN": "#009E73", "RANDS": "#E69F00", "FINAL": "#0072B2", "seed": "#000000"}
MARKERS = {"ELSA": "o", "No Active": "s", "NN": "^", "NN.Large": "v", "Greedy probe": "D"}
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
