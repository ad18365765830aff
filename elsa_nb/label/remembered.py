"""What a session file remembers of its items: a record, in JSON, of their names and of the contents of some of them."""

import base64
import hashlib
import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

KEPT = 16  # items whose contents are remembered
NAMED = 200_000  # items whose names are kept, to count which are new and which are gone


def about_in(stored: str) -> dict[str, Any]:
    """Return what a session remembers of its items, as `identity` made it; ValueError for anything else."""
    about = json.loads(stored)
    if isinstance(about, dict):
        about = {"ids": "", "n": 0, "names": None, "contents": {}, "where": ""} | about
        kinds = {"ids": str, "n": int, "names": str | None, "contents": dict, "where": str}
        if all(isinstance(about[key], kind) for key, kind in kinds.items()):
            return about
    raise ValueError("what it says of its items is not a record of them")


def about_of(items: Any, ids: Sequence[str]) -> dict[str, Any]:
    """Return what a session is to remember of `items` called `ids`, as `about_in` reads it."""
    rows = np.unique(np.linspace(0, len(ids) - 1, min(KEPT, len(ids))).astype(int)).tolist()
    return {
        "ids": names_digest(ids),
        "n": len(ids),
        "names": packed_names(ids),
        "contents": {ids[row]: digest for row in rows if (digest := content_digest(items, row)) is not None},
        "where": str(getattr(items, "folder", "")),
    }


def content_digest(items: Any, row: int) -> str | None:
    """Return a digest of what is behind an item; None where the items cannot say, or it is not there."""
    return items.digest(row) if hasattr(items, "digest") else None


def names_digest(ids: Sequence[str]) -> str:
    """Return a digest of the names of items in their order, by which a collection that has changed is known."""
    return hashlib.sha256("\n".join(ids).encode(errors="surrogateescape")).hexdigest()


def numbered_before(about: dict[str, Any], ids: Sequence[str]) -> bool:
    """Whether a session's items were called by their row numbers, and as many are called `ids` now.

    Earlier versions numbered the rows of a data frame or table whose index, or column such as image_id, names them now.
    """
    numbers = [str(row) for row in range(len(ids))]
    return about["n"] == len(ids) and list(ids) != numbers and about["ids"] == names_digest(numbers)


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
