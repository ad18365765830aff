"""What notebooks 00 to 02 show."""

from elsa_nb.paper.measures.exhibit import Exhibit

EXHIBITS = (
    Exhibit("glyphs", "What the pool looks like", "beyond the paper", "00-start-here"),
    Exhibit("purity", "Neighbours of the same class, by encoder and space", "beyond the paper", "01-embeddings"),
    Exhibit("one-search", "One search at work", "Fig. 1 in spirit, on real images", "02-one-search"),
)
