"""The searches of the components: every arm in both readings, from 1 to 50 seeds."""

from elsa_nb.paper.runs.by_profile import by_profile
from elsa_nb.paper.runs.grid import Change, Sweep
from elsa_nb.paper.runs.rivals import PREPARED

COMPONENTS = Sweep(
    name="components",
    encoders=("vicreg", "barlow-twins"),
    arms=("ELSA", "No Active", "NN", "NN.Large"),
    seeds=(1, 2, 5, 10, 50),
    rivals=("Greedy probe", PREPARED, "Harvest"),
    rival_seeds=(5,),
)
# After a round without finds NN alone ends, while NN inside ELSA goes on from all positives: how much does that gain?
EQUAL_RULES = Sweep(
    name="equal-rules",
    encoders=("vicreg",),
    readings=("paper",),
    arms=("ELSA", "NN", "NN.Large"),
    changes=(Change(), Change("nn_alone=goes on", arms=("NN", "NN.Large"))),
)
SWEEPS = {
    "components": by_profile(
        COMPONENTS,
        quick={"seeds": (1, 5, 50)},
        photos={"n_classes": 50, "rivals": ("Greedy probe",)},
        paper={"rivals": ("Greedy probe", "Harvest")},  # another copy of ImageNet's vectors takes tens of GB of memory
    ),
    "equal-rules": by_profile(EQUAL_RULES, quick={"n_classes": 3}),
}
