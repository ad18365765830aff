"""What notebook 05 shows.

Neither is made of searches alone, each row has what its encoder is worth: so none names `rows`.
"""

from elsa_nb.paper.measures.exhibit import Exhibit

_NOTEBOOK = "05-embedding-spaces"
EXHIBITS = (
    Exhibit("table05", "ELSA on the embedding of each encoder", "Table 5", _NOTEBOOK, "encoders"),
    Exhibit("encoders-against-top1", "Search against linear top-1", "beyond the paper", _NOTEBOOK, "encoders"),
)
