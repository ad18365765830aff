"""What notebook 08 shows."""

from elsa_nb.paper.experiments.noise.tables import choices_under_noise, labels_by_component, noise_table
from elsa_nb.paper.measures.exhibit import Exhibit

_NOTEBOOK, _SWEEP = "08-noisy-oracle", "noise"
EXHIBITS = (
    Exhibit("table10", "ELSA by the answers flipped", "Table 10", _NOTEBOOK, _SWEEP, noise_table),
    Exhibit("fig08-noise", "Discovery and efficiency over flipped answers", "Fig. 8", _NOTEBOOK, _SWEEP, noise_table),
    Exhibit("noise-labels", "Where the extra labels go", "beyond the paper", _NOTEBOOK, _SWEEP, labels_by_component),
    Exhibit(
        "noise-choices",
        "Is it the noise or a silent choice?",
        "beyond the paper",
        _NOTEBOOK,
        _SWEEP,
        choices_under_noise,
    ),
)
