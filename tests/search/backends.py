"""The neighbour backends that can be tested here: all, but for an installation without torch (`make lowest`)."""

from importlib.util import find_spec

from elsa_nb.search.neighbours.lists import BACKENDS

HERE = [name for name in BACKENDS if name == "blas" or find_spec(name)]
