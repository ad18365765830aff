"""Progress bars with the time left: redrawn in place for a person, one line every half minute elsewhere (pipes, logs).

Elsewhere, work of less than half a minute prints nothing. `ELSA_PROGRESS` = 0 (nothing at all) or 1 (always a bar)
overrules this. `ELSA_PROGRESS_FILE` names a file that gets the bar instead: a notebook that runs headlessly thus
reports to the program that runs it, and its outputs stay clean.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tqdm import tqdm

EVERY = 30.0  # seconds between two lines


def wanted(progress: bool | None) -> bool:
    """Decide whether to show a bar: as `progress` says; for None as the environment says, else to a person only."""
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
    shown, report = wanted(progress), os.environ.get("ELSA_PROGRESS_FILE")
    if progress is None and not shown and "ELSA_PROGRESS" not in os.environ:
        told = options.pop("bar_format", None)
        without_bar = {"bar_format": told.replace("|{bar}| ", "")} if told else {"ncols": 0}
        seldom = {"mininterval": EVERY, "delay": EVERY, "miniters": 1}
        return tqdm(items, desc=what, file=_Lines(), leave=False, **seldom, **without_bar, **options)
    if report is not None and progress is None:
        options |= {"file": _Report(Path(report)), "ncols": 78}
    elif _in_notebook():  # which keeps an empty red line of what went to stderr
        options |= {"file": sys.stdout}
    return tqdm(items, desc=what, disable=not shown, leave=False, mininterval=0.5, **options)


class _Lines:
    """What a bar writes to instead of a terminal: each state that it shows becomes a line of stderr."""

    encoding = "ascii"

    def write(self, text: str) -> None:
        if text := text.strip():
            print(text, file=sys.stderr, flush=True)

    def flush(self) -> None:
        """Do nothing: every line is on its way."""


class _Report:
    """What a bar writes to where a file gets it: the file is open while something is written, so none is left open."""

    encoding = "utf-8"

    def __init__(self, path: Path):
        self._path = path

    def write(self, text: str) -> None:
        with self._path.open("a", encoding=self.encoding) as stream:
            stream.write(text)

    def flush(self) -> None:
        """Do nothing: what is written is in the file already."""


def _in_notebook() -> bool:
    """Tell whether a kernel runs this; that somebody imported ipykernel is not enough."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel")
