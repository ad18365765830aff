"""The results: `summary.csv`, one row per line of `goals.LINES`. `elsa_nb.paper.publishing.readme_blocks` shows it."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.goals import LINES, MISSED, UNLESS, WHY, judge
from elsa_nb.locks import Lock, lock_beside
from elsa_nb.store import write_atomically

COLUMNS = ("what", "goal", "measured", "unit", "ratio", "met", "why", "load", "device", "commit")
RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Row:
    """One measurement. `what` is a line of `goals.LINES`; `measured` a number, or words where there is none."""

    what: str
    measured: float | str
    unit: str = ""
    ratio: str = ""

    def __post_init__(self):
        if self.what not in LINES:
            raise ValueError(f"{self.what!r} is not a line of the summary; add it to benchmarks/goals.py with its goal")
        judge(LINES[self.what], self.told, self.unit, self.ratio)  # here, where a fault costs the figures of one part

    @property
    def told(self) -> str:
        """The figure as the summary has it: a number with three digits that count."""
        return self.measured if isinstance(self.measured, str) else _digits(self.measured)


def only_writer(path: Path) -> Lock:
    """Return the lock, for `with`, under which a table of results is read, extended and written anew; wait for it.

    Without it, what another benchmark adds in between is lost.
    """
    return lock_beside(path, "The table").acquire(wait=True, quiet=True)


def read(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a summary by their first column; none if there is no file yet."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["what"]: row for row in csv.DictReader(stream)}


def store(path: Path, rows: Iterable[Row], device: str, commit: str, load: float) -> None:
    """Put `rows` into the summary at `path`; keep the earlier row of every other line that still exists.

    Every row is judged by its goal as that is now. `load` is the number of programs that wanted a processor before the
    measurement began.
    """
    with only_writer(path):
        kept = read(path)
        for row in rows:
            at = {"load": f"{load:.1f}", "device": device, "commit": commit}
            kept[row.what] = {"what": row.what, "measured": row.told, "unit": row.unit, "ratio": row.ratio, **at}
        blank = dict.fromkeys(COLUMNS, "") | {"measured": UNLESS}
        stream = io.StringIO()
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for what, goal in LINES.items():
            row = blank | kept.get(what, {})
            met = judge(goal, row["measured"], row["unit"], row["ratio"])
            why = WHY.get(what, "") if met == MISSED else ""
            writer.writerow(row | {"what": what, "goal": goal, "met": met, "why": why})
        write_atomically(path, stream.getvalue().encode())


def _digits(value: float) -> str:
    """Write a number with three significant digits; whole numbers from 100 on."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
