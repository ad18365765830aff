"""Several people in one session: what they say together, and how well they agree.

Agreement is Cohen's kappa, (p - e) / (1 - e): p is the share of items on which two people say the same, e the share
that would be the same if each gave positives and negatives as often as now, but at random. Doubtful answers count for
nothing here. Where they differ says `Session.disagreements`. https://doi.org/10.1177/001316446002000104
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from elsa_nb import store
from elsa_nb.label.export import WORDS, safe
from elsa_nb.label.session import Session

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Agreement:
    """How well two people agree: on how many items `both` gave an answer, on how many `same`, and kappa.

    `low` and `high` are its limits at 95 % confidence: Wilson's for the share of the same answers, with the share
    expected by chance held. All three are None where kappa says nothing: no item in common, or all of one kind.
    """

    first: str
    second: str
    both: int
    same: int
    kappa: float | None = None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        """Say it in a sentence."""
        said = (
            f"{self.first} and {self.second} both answered {self.both:,} items, {self.both - self.same:,} differently"
        )
        if self.kappa is None:
            why = "no item in common" if not self.both else "all answers of one kind"
            return f"{said}; Cohen's kappa says nothing here ({why})."
        return f"{said}; Cohen's kappa {self.kappa:.2f} ({self.low:.2f} to {self.high:.2f})."


def merged(session: Session) -> list[dict[str, Any]]:
    """Return what all said of each item: {"item", "labels": {annotator: label}, "label"}, in the order of the names.

    `label` is what those who were not in doubt agree on, -1 where they differ or all were in doubt.
    """
    given: dict[str, dict[str, int]] = {}
    for answer in session.answers():
        given.setdefault(answer["item"], {})[answer["annotator"]] = answer["label"]
    rows = []
    for item in sorted(given):
        sure = {label for label in given[item].values() if label >= 0}
        rows.append({"item": item, "labels": given[item], "label": sure.pop() if len(sure) == 1 else -1})
    return rows


def agreements(session: Session) -> list[Agreement]:
    """Return the agreement of each two people who answered in `session`."""
    labels = [row["labels"] for row in merged(session)]
    pairs = []
    for first, second in combinations(session.annotators, 2):
        both = [(each.get(first, -1), each.get(second, -1)) for each in labels]
        pairs.append(_agreement(first, second, [pair for pair in both if min(pair) >= 0]))
    return pairs


def write_merged(session: Session, path: Path | str) -> Path:
    """Write `merged` as CSV, whole or not at all: a column for each person, and what they agree on; return `path`."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    people = session.annotators
    writer.writerow(["item", *map(safe, people), "agreed"])
    for row in merged(session):
        words = [WORDS.get(row["labels"].get(who), "") for who in people]
        writer.writerow([safe(row["item"]), *words, "" if row["label"] < 0 else WORDS[row["label"]]])
    store.write_atomically(Path(path), stream.getvalue().encode())
    return Path(path)


def _agreement(first: str, second: str, pairs: Sequence[tuple[int, int]]) -> Agreement:
    n, same = len(pairs), sum(a == b for a, b in pairs)
    if not n:
        return Agreement(first, second, 0, 0)
    first_ones, second_ones = (sum(pair[i] for pair in pairs) for i in (0, 1))
    chance = first_ones * second_ones + (n - first_ones) * (n - second_ones)  # of n * n
    if chance == n * n:
        return Agreement(first, second, n, same)
    limits = binomtest(same, n).proportion_ci(_CONFIDENCE, method="wilson")
    low, high = ((share * n * n - chance) / (n * n - chance) for share in limits)
    return Agreement(first, second, n, same, (same * n - chance) / (n * n - chance), max(low, -1.0), high)
