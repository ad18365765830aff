"""The rows of items by their names, also where another disk has changed how a name is written."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence


class Places:
    """The rows of items by name: as they are written, or else in another letter case or form of accents.

    Disks of Windows and macOS, and archives that are unpacked there, change both.
    """

    def __init__(self, ids: Sequence[str]):
        self.rows = {item: row for row, item in enumerate(ids)}
        self._alike: dict[str, list[int]] | None = None

    def row(self, name: str) -> int | None:
        """Return the row of the item that `name` means; None where there is none, or more than one."""
        if (row := self.rows.get(name)) is not None:
            return row
        if self._alike is None:
            self._alike = {}
            for item, row in self.rows.items():
                self._alike.setdefault(_form(item), []).append(row)
        alike = self._alike.get(_form(name), [])
        return alike[0] if len(alike) == 1 else None

    def of(self, names: Iterable[str]) -> dict[str, int]:
        """Return {name: row} of those names that mean an item, each item once, the exact name before others."""
        found = {name: row for name in names if (row := self.row(name)) is not None}
        taken = Counter(found.values())
        return {name: row for name, row in found.items() if taken[row] == 1 or name in self.rows}


def _form(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
