"""What notebook 16 shows."""

from elsa_nb.paper.measures.exhibit import Exhibit

_NOTEBOOK = "16-phase-diagram"
EXHIBITS = (
    Exhibit("generated-spaces", "Generated spaces beside those of encoders", "beyond the paper", _NOTEBOOK),
    Exhibit("phase-diagram", "Discovery by class size and purity", "Table 3, tested", _NOTEBOOK, "phase"),
    Exhibit(
        "phase-full-size",
        "Discovery and labels in pools of ImageNet's size",
        "Table 3, tested",
        _NOTEBOOK,
        "phase-imagenet",
    ),
    Exhibit("phase-cells", "Every cell of the phase diagram", "Table 3, tested", _NOTEBOOK, "phase"),
    Exhibit("phase-together", "Cells nearest to all printed rows", "Table 3, tested", _NOTEBOOK, "phase"),
)
