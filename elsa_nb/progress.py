"""Progress bars with the time left: shown to a person, silent in pipes, tests and committed notebooks.

`ELSA_PROGRESS` = 0 or 1 overrules. `ELSA_PROGRESS_FILE` names a file that gets the bar instead: so a notebook that
runs headlessly reports to the program that runs it, and its outputs stay clean.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tqdm import tqdm


def wanted(progress: bool | None) -> bool:
    """Decide whether to show a bar: as `progress` says; None: as the environment says, else to a person only."""
    if progress is not None:
        return progress
    setting = os.environ.get("ELSA_PROGRESS")
    if setting is None:
        return sys.stderr.isatty() or _in_notebook() or "ELSA_PROGRESS_FILE" in os.environ
    if setting not in {"0", "1"}:
        raise ValueError(f"ELSA_PROGRESS = {setting!r}; allowed: 0 (no progress bars) or 1 (always)")
    return setting == "1"


def bar(items: Iterable | None, what: str, progress: bool | None = None, **options: Any) -> tqdm:
    """Wrap `items` in a progress bar that leaves nothing behind when done (`items` None: a bar to `update` by hand)."""
    report = os.environ.get("ELSA_PROGRESS_FILE")
    if report is not None and progress is None:
        options |= {"file": Path(report).open("a", encoding="utf-8"), "ncols": 78}  # noqa: SIM115
    elif _in_notebook():  # which keeps an empty red line of what went to stderr
        options |= {"file": sys.stdout}
    return tqdm(items, desc=what, disable=not wanted(progress), leave=False, mininterval=0.5, **options)


def _in_notebook() -> bool:
    """Tell whether a kernel runs this; that somebody imported ipykernel is not enough."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel")
