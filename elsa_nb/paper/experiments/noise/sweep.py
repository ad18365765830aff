"""The searches under noise: up to 15 % of the answers flipped."""

from elsa_nb.paper.runs.by_profile import by_profile
from elsa_nb.paper.runs.grid import Change, Sweep

# Is it the noise, or a choice the paper is silent about, that does the harm?
_UNDER_NOISE = tuple(Change(text, readings=("paper",)) for text in ("head=linear-sgd", "negatives=all"))
NOISE = Sweep("noise", ("vicreg",), flips=(0.0, 0.025, 0.05, 0.1, 0.15), changes=(Change(), *_UNDER_NOISE))
SWEEPS = {"noise": by_profile(NOISE, quick={"n_classes": 3})}
