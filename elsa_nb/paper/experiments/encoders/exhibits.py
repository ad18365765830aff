"""What notebook 05 shows.

The first two are not made of searches alone, each row has what its encoder is worth, and the third is made of searches
that no sweep ran (`benchmarks.trained_again`): so none names `rows`.
"""

from elsa_nb.paper.measures.exhibit import Exhibit

_NOTEBOOK = "05-embedding-spaces"
EXHIBITS = (
    Exhibit("table05", "ELSA on the embedding of each encoder", "Table 5", _NOTEBOOK, "encoders"),
    Exhibit("encoders-trained-again", "Encoders trained again", "beyond the paper", _NOTEBOOK),
    Exhibit("encoders-against-top1", "Search against linear top-1", "beyond the paper", _NOTEBOOK, "encoders"),
)
