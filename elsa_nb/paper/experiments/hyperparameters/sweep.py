"""The searches of Tables 6 to 9, one value at a time, and of each choice the paper is silent about."""

from itertools import combinations

from elsa_nb.paper.runs.by_profile import by_profile
from elsa_nb.paper.runs.grid import Change, Sweep

# Tables 6 to 9 in order; the values of the readings themselves (a = 50, alpha_1 = 1, alpha_2 = 2, l = 50) are "".
_PRINTED = tuple(
    f"{name}={value}"
    for name, values in {
        "a": (10, 25, 100, 200),
        "alpha_1": (0.2, 0.5, 0.7, 1.5, 2.0),
        "alpha_2": (1.0, 1.5, 3.0, 4.0),
        "l": (25, 100),
    }.items()
    for value in values
)
# What the paper does not say (paper notes 1-10b): each other choice alone, beside the reading `paper`.
_SILENT = (
    *("b_slope=0.0", "b_slope=0.5", "b_slope=2.0", "head=linear-sgd", "head=mlp", "head_space=embedding"),
    *("nn_queries=all positives", "nn_queries=last neighbours", "nn_per=query"),
    *("rands=appendix b", "rands=sampled points", "negatives=all", "confidence=logit", "relabel=True"),
    "zero_pass=True",
)
HYPERPARAMETERS = Sweep(
    "hyperparameters",
    ("vicreg",),
    changes=(Change(), *map(Change, _PRINTED), *(Change(text, readings=("paper",)) for text in _SILENT)),
)
# The choices that the arms answer differently, beside each arm as it is: those of NN for all, others where they act.
_OF_NN = ("nothing_barred=True", "nn_queries=all positives", "nn_per=query")
_OF_RANDS_AND_HEAD = (
    *("b_added=True", "negatives=all", "b_added=True, negatives=all"),
    *("final_budget=100", "final_budget=500"),
)
CHOICES_BY_ARM = Sweep(
    "choices-by-arm",
    ("vicreg",),
    n_classes=25,  # half of what the tables have: of 26 cells each
    readings=("paper",),
    arms=("ELSA", "No Active", "NN", "NN.Large"),
    changes=(
        *map(Change, ("", *_OF_NN)),
        *(Change(text, arms=("ELSA", "No Active")) for text in _OF_RANDS_AND_HEAD),
    ),
)
# Two at a time: those that move labels or finds most, alone or in one arm.
TOGETHER = (
    *("nothing_barred=True", "nn_per=query", "b_added=True", "rands=appendix b"),
    *("head_space=embedding", "negatives=all", "confidence=logit"),
)
CHOICES_IN_PAIRS = Sweep(
    "choices-in-pairs",
    ("vicreg",),
    n_classes=25,
    repeats=2,
    readings=("paper",),
    arms=("ELSA", "No Active"),
    changes=(Change(), *map(Change, TOGETHER), *map(Change, map(", ".join, combinations(TOGETHER, 2)))),
)
SWEEPS = {
    "hyperparameters": by_profile(HYPERPARAMETERS, quick={"n_classes": 2}),
    "choices-by-arm": by_profile(CHOICES_BY_ARM, quick={"n_classes": 2}),
    "choices-in-pairs": {"full": CHOICES_IN_PAIRS},
}
