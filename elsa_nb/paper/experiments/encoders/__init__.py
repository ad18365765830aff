"""Notebook 05: ELSA on the embedding of each encoder (Table 5), beside what the encoder is worth by other measures."""
