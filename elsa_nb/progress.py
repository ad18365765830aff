"""Progress bars with the time left: shown to a person, silent in tests, pipes and committed notebooks."""

import os
import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def wanted(progress: bool | None) -> bool:
    """Decide whether to show a bar: `progress` if given, else `ELSA_PROGRESS` (0 or 1), else on a terminal only."""
    if progress is not None:
        return progress
    setting = os.environ.get("ELSA_PROGRESS")
    if setting is not None:
        if setting not in {"0", "1"}:
            raise ValueError(f"ELSA_PROGRESS = {setting!r}; allowed: 0 (no progress bars) or 1 (always)")
        return setting == "1"
    return sys.stderr.isatty()


def bar(items: Iterable, what: str, progress: bool | None = None, **options: Any) -> tqdm:
    """Wrap `items` in a progress bar on standard error that leaves nothing behind when done."""
    return tqdm(items, desc=what, disable=not wanted(progress), leave=False, mininterval=0.5, **options)
