"""A person is the oracle: the labelling panel, its session file, and what goes out of it.

>>> panel = Panel(search, images, session="cats.sqlite")   # in a notebook: a last line `panel` shows it
>>> elsa_nb.label_folder("my-images")                       # the same for a folder of images, with all that it needs

From the top down: `panel.py` is what a notebook shows, `widget.py` its screen, `controller.py` the work behind it,
`cards.py` the labels on screen, `session.py` the file. Start with `controller.py`.

Importing this package is cheap; the widget libraries are loaded with `Panel`.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

_PLACES = {
    "AuditPages": "audit_pages",
    "Panel": "panel",
    "Session": "session",
    "Files": "items",
    "Arrays": "items",
    "Texts": "items",
    "Begin": "first_examples",
    "Fixed": "fixed_rows",
}

__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(f"elsa_nb.label.{_PLACES[name]}"), name)
    if not name.startswith("_") and find_spec(f"elsa_nb.label.{name}") is not None:  # a module, not imported yet
        return import_module(f"elsa_nb.label.{name}")
    raise AttributeError(f"elsa_nb.label has no {name!r}; it has {', '.join(__all__)}, and modules to import from")
