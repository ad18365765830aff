"""A person is the oracle: the labelling panel, its session file, and what goes out of it.

>>> panel = Panel(search, images, session="cats.sqlite")   # in a notebook: a last line `panel` shows it
>>> elsa_nb.label_folder("my-images")                       # the same for a folder of images, with all that it needs

From the top down: `panel.py` is what a notebook shows, `widget.py` its screen, `controller.py` the work behind it,
`cards.py` the labels on screen, `session.py` the file. Start with `controller.py`.

Importing this package is cheap; the widget libraries are loaded with `Panel`.
"""

from importlib import import_module
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
    if name not in _PLACES:
        raise AttributeError(f"elsa_nb.label has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"elsa_nb.label.{_PLACES[name]}"), name)
