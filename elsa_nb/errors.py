"""The errors a caller may want to catch; all others are a `ValueError`, such as that for an unknown name."""

from collections.abc import Iterable
from typing import Any


def check_known(what: str, name: Any, known: Iterable[str]) -> None:
    """Raise ValueError, which lists the `known` names, unless `name` is one of them.

    Anything may be given as `name`: a list, which cannot be looked up in a dictionary, is an unknown name.
    """
    known = list(known)
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"{what} {name!r:.60} is not known; allowed: {', '.join(known)}")


class MissingDataError(FileNotFoundError):
    """Say which data are missing, where they were looked for and what makes them."""

    def __str__(self) -> str:
        """Return the sentence alone (`OSError` would add errno and file name)."""
        return str(self.args[0]) if self.args else ""


class CorruptFileError(ValueError):
    """Say which stored file does not match its checksum or format, and how to make it again."""


class BusyError(OSError):
    """Say what another process is writing, which process that is, and since when."""
