"""What notebook 04 shows."""

from elsa_nb.paper.measures.exhibit import Exhibit

_NOTEBOOK = "04-toy-latent-space"
EXHIBITS = (
    Exhibit("fig01-toy", "The toy problem, and which part of ELSA solves what", "Fig. 1", _NOTEBOOK),
    Exhibit("fig04-flow-chart", "The flow of ELSA", "Fig. 4", _NOTEBOOK),
    Exhibit("fig05-iterations", "The latent space after each iteration", "Fig. 5", _NOTEBOOK),
    Exhibit("fig06-rands", "RandS against plain random search", "Fig. 6", _NOTEBOOK),
)
