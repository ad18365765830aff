"""Notebook 16: the arms where the size of a class and the purity of its neighbourhoods are dials."""
