"""The searches of the components: every arm in both readings, from 1 to 50 seeds."""

from elsa_nb.paper.runs.by_profile import by_profile
from elsa_nb.paper.runs.grid import Sweep

COMPONENTS = Sweep(
    name="components",
    encoders=("vicreg", "barlow-twins"),
    arms=("ELSA", "No Active", "NN", "NN.Large"),
    seeds=(1, 2, 5, 10, 50),
    rivals=("Greedy probe",),
    rival_seeds=(5,),
)
SWEEPS = {"components": by_profile(COMPONENTS, quick={"seeds": (1, 5, 50)}, photos={"n_classes": 50})}
