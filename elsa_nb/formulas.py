"""Texts that a spreadsheet would compute as formulas: marked where they go into a CSV file, and read back as meant.

A name such as `=HYPERLINK(...)` comes from somebody's folder or table; whoever opens the file runs it.
"""

import re
from typing import Any

_COMPUTED = re.compile(r"'*[=+\-@\t\r]")


def safe(value: Any) -> Any:
    """Return a cell for a CSV file: a text that a spreadsheet would compute gets a quotation mark in front.

    All else is returned as it is. `meant` is the inverse.
    """
    # One mark more where there are some already: the reader takes one away.
    return f"'{value}" if isinstance(value, str) and _COMPUTED.match(value) else value


def meant(cell: str) -> str:
    """Return the text of a cell that `safe` made: without its quotation mark, where it has one."""
    return cell[1:] if cell[:1] == "'" and _COMPUTED.match(cell) else cell
