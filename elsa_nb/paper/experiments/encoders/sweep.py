"""The searches of Table 5: ELSA in the embedding of each encoder."""

from elsa_nb.paper.runs.by_profile import by_profile
from elsa_nb.paper.runs.grid import Sweep

_PUBLISHED = ("vicreg", "barlow-twins", "moco", "moco-v2", "obow", "simsiam", "swav", "swav-multi-crop")
ENCODERS = Sweep("encoders", (*_PUBLISHED, "untrained", "raw-pixels"), space="embedding")
SWEEPS = {
    "encoders": by_profile(
        ENCODERS,
        quick={"encoders": ("vicreg", "barlow-twins", "raw-pixels"), "n_classes": 3},
        photos={"encoders": ("vicreg",)},
        paper={"encoders": _PUBLISHED},
    )
}
