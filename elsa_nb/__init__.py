"""Find every example of a rare class in a large unlabelled pool: the paper ELSA, reproduced.

>>> from elsa_nb import Pool, Search, Truth
>>> elsa_nb.label_folder("my-images")   # in a notebook: label the images of a folder

The names are loaded where they are asked for, so that importing the package stays light.
"""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what an editor and a type checker see at once
    from elsa_nb.own_folder import label_folder
    from elsa_nb.pool import Pool
    from elsa_nb.search.elsa import ELSA, Search
    from elsa_nb.search.oracle import Truth

__version__ = "0.1.0"

# numba does not look at OMP_NUM_THREADS, and starts OpenMP, which torch shares, with one thread per core: a job on a
# shared machine would use more cores than it was given. Once numba is at work, its number cannot be changed.
_given = os.environ.get("OMP_NUM_THREADS", "")
if "numba" not in sys.modules and _given.isdecimal() and int(_given):
    os.environ.setdefault("NUMBA_NUM_THREADS", _given)
# By default an idle thread of OpenMP keeps its core busy. Beside other programs, or a second notebook, threads then
# wait for each other, and everything takes many times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__all__ = ["ELSA", "Pool", "Search", "Truth", "label_folder"]

_MODULES = {
    "Pool": "pool",
    "Search": "search.elsa",
    "ELSA": "search.elsa",
    "Truth": "search.oracle",
    "label_folder": "own_folder",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"elsa_nb.{_MODULES[name]}"), name)
    if not name.startswith("_") and find_spec(f"elsa_nb.{name}") is not None:  # a module, which nobody imported yet
        return import_module(f"elsa_nb.{name}")
    raise AttributeError(f"elsa_nb has no {name!r}; it has {', '.join(__all__)}, and modules to import from")
