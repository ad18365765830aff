"""The searches that only photographs have: Food-101, in two spaces, and the components with each class made rare."""

from dataclasses import replace

from elsa_nb.paper.runs.grid import Sweep

FOOD = Sweep(
    "food-101",
    ("vicreg",),
    seeds=(1, 2, 5, 10, 50),
    rivals=("Greedy probe",),
    rival_seeds=(5,),
    n_classes=101,
    repeats=2,
    dataset="food-101",
)
THINNED = Sweep(
    name="thinned",
    encoders=("vicreg", "barlow-twins"),
    arms=("ELSA", "No Active", "NN", "NN.Large"),
    seeds=(1, 2, 5, 10),
    repeats=2,
    rivals=("Greedy probe",),
    rival_seeds=(5,),
    share=0.001,
)
# The tables once more where neighbours mean something: the space of a network that learned ImageNet's labels.
SUPERVISED = Sweep(
    name="supervised",
    encoders=("efficientnet-lite0",),
    arms=("ELSA", "No Active", "NN", "NN.Large"),
    seeds=(1, 2, 5, 10, 50),
    rivals=("Greedy probe", "Harvest"),
    rival_seeds=(5,),
    n_classes=20,
    space="embedding",
    dataset="food-101-64px",
)
SWEEPS = {
    "supervised": {"photos": SUPERVISED},
    "food-101": {"photos": replace(FOOD, dataset="food-101-64px"), "paper": replace(FOOD, repeats=5)},
    "thinned": {"photos": THINNED},
}
