"""Notebook 04: the paper's toy, a space of two dimensions (Figs. 1, 4, 5 and 6) on which the real search runs."""
