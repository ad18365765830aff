"""What has become of answered items that are not here any more: gone, or there and not to be read now."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from elsa_nb.pictures.opening import RefusedError, real_path

_NAMED = 3  # items in a sentence


def why_unreadable(file: Path) -> str:
    """Return why a file that is there cannot be read now, in a word or two; "" where it can."""
    if not file.stat().st_size:
        return "empty"
    return "" if os.access(file, os.R_OK) else "no permission"


def lost_answers_said(items: Any, lost: Sequence[str]) -> str:
    """Say how many answers are about `lost` items, which are gone or cannot be read now; "" for none.

    `items` are those that are here; where they are files of a `folder`, a lost one may still lie in it.
    """
    there = [item for item in lost if _lies_in(getattr(items, "folder", ""), item)]
    gone = [item for item in lost if item not in there]
    said = [
        _said(gone, "an item that is gone", "gone items"),
        _said(there, "a file that cannot be read now", "files that cannot be read now"),
    ]
    return " ".join(filter(None, said))


def _said(items: Sequence[str], one: str, many: str) -> str:
    if not items:
        return ""
    listed = ", ".join(items[:_NAMED]) + (", ..." if len(items) > _NAMED else "")
    if len(items) == 1:
        return f"1 answer is about {one} ({listed}): it stays in the file."
    return f"{len(items):,} answers are about {many} ({listed}): they stay in the file."


def _lies_in(folder: Path | str, item: str) -> bool:
    if not folder:
        return False
    try:
        return real_path(Path(folder), item).is_file()
    except (RefusedError, OSError):  # no name of a file in it
        return False
