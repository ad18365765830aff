"""What a session file remembers of its items: their names, and a digest of what is behind some of them."""

import base64
import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

KEPT = 16  # items whose contents are remembered
NAMED = 200_000  # items whose names are kept, to count which are new and which are gone


@dataclass(frozen=True)
class About:
    """What a session is about: its `n` items.

    `ids` is `names_digest` of their names, `names` all names as `packed_names` packs them (None: not kept), `contents`
    has {name: digest} of what is behind some items, `where` is the folder they were in ("": not known).
    """

    ids: str = ""
    n: int = 0
    names: str | None = None
    contents: dict[str, str] = field(default_factory=dict)
    where: str = ""

    @classmethod
    def of(cls, items: Any, ids: Sequence[str]) -> Self:
        """Return what a session is to remember of `items` called `ids`; of names alone, where `items` is None."""
        rows = np.unique(np.linspace(0, len(ids) - 1, min(KEPT, len(ids))).astype(int)).tolist()
        contents = {ids[row]: digest for row in rows if (digest := content_digest(items, row)) is not None}
        where = str(getattr(items, "folder", ""))
        return cls(names_digest(ids), len(ids), packed_names(ids), contents, where)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return what `to_json` wrote, here or in an earlier version; ValueError for anything else."""
        record = json.loads(text)
        kinds = {"ids": str, "n": int, "names": str | None, "contents": dict, "where": str}
        if isinstance(record, dict):
            record = {key: record[key] for key in kinds if key in record}  # earlier versions lack some
            if all(isinstance(value, kinds[key]) for key, value in record.items()):
                return cls(**record)
        raise ValueError("what it says of its items is not a record of them")

    def to_json(self) -> str:
        """Return it as the session file keeps it."""
        return json.dumps(vars(self))

    @property
    def all_names(self) -> list[str] | None:
        """The names of the items in their order; None where they are not kept."""
        return None if self.names is None else unpacked_names(self.names)

    def numbered_before(self, ids: Sequence[str]) -> bool:
        """Whether the items were called by their row numbers, and as many are called `ids` now.

        Earlier versions numbered the rows of a data frame or table whose index, or column such as image_id, names them
        now.
        """
        numbers = [str(row) for row in range(len(ids))]
        return self.n == len(ids) and list(ids) != numbers and self.ids == names_digest(numbers)


def content_digest(items: Any, row: int) -> str | None:
    """Return a digest of what is behind an item; None where the items cannot say, or it is not there."""
    return items.digest(row) if hasattr(items, "digest") else None


def names_digest(ids: Sequence[str]) -> str:
    """Return a digest of the names of items in their order, by which a collection that has changed is known."""
    return hashlib.sha256("\n".join(ids).encode(errors="surrogateescape")).hexdigest()


def packed_names(ids: Sequence[str]) -> str | None:
    """Return names in one text, of which `unpacked_names` makes them again; None where there are too many."""
    if len(ids) > NAMED or any("\0" in item for item in ids):
        return None
    text = "\0" + "\0".join(ids) if any("\n" in item for item in ids) else "\n".join(ids)
    return base64.b85encode(zlib.compress(text.encode(errors="surrogateescape"))).decode()


def unpacked_names(names: str) -> list[str]:
    """Return the names that `packed_names` put into one text."""
    text = zlib.decompress(base64.b85decode(names)).decode(errors="surrogateescape")
    return text[1:].split("\0") if text.startswith("\0") else text.split("\n")
