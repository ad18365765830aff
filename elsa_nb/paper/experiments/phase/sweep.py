"""The searches of the phase diagram: every arm and reading, in pools that were generated for it.

`python -m elsa_nb.paper.experiments.phase` runs them. A class at a time in all pools, so that what was computed when a
run was stopped is a smaller sweep of the same kind.
"""

from dataclasses import replace

from elsa_nb.paper.runs.generated import GENERATED_SETS, SPACE
from elsa_nb.paper.runs.grid import Change, Sweep

# What the text says where it says two things: Algorithm 1's "min >= 0", "initially 50 but increases linearly", and
# "the head trained on data from all the previous iterations".
LITERAL = "nothing_barred=True, b_added=True, negatives=all"
_READ = (Change(), Change(LITERAL, readings=("paper",)))
_ARMS = ("ELSA", "No Active", "NN", "NN.Large")

GRID = Sweep(
    "phase",
    tuple(GENERATED_SETS["generated"].blends),
    arms=_ARMS,
    n_classes=200,  # all: 50 of each size
    repeats=1,
    space=SPACE,
    least_members=20,
    changes=_READ,
    dataset="generated",
)
AT_FULL_SIZE = Sweep(
    "phase-imagenet",
    tuple(name for name, blend in GENERATED_SETS["generated-imagenet"].blends.items() if blend.d == 512),
    arms=_ARMS[:3],
    n_classes=20,
    repeats=1,
    space=SPACE,
    changes=_READ,
    dataset="generated-imagenet",
)
# The cheapest arm once more, with the other numbers of seeds that are printed.
NEAREST = replace(AT_FULL_SIZE, name="phase-nearest", arms=("NN",), n_classes=3, seeds=(1, 2, 10, 50), repeats=14)
AT_2048 = replace(AT_FULL_SIZE, name="phase-2048", encoders=("purity-0.45-2048",), n_classes=3)
SWEEPS = {plan.name: {"full": plan} for plan in (GRID, AT_FULL_SIZE, NEAREST, AT_2048)}
