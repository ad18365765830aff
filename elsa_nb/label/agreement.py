"""Several people in one session: what all of them answered, and how well they agree.

Agreement is Cohen's kappa, (p - e) / (1 - e): p is the share of items on which two people say the same, e the share
that would be the same if each gave positives and negatives as often as now, but at random. Doubtful answers count for
nothing here, nor do second opinions: they were asked for because the answer was doubted, and would make two people look
worse than they are. `session_queries.disagreements` says where they differ. https://doi.org/10.1177/001316446002000104

Nobody's answers weigh more for their agreement: between two people kappa is one number for both, and cannot say who
errs. What does count is a second look: where people differ, those who saw the item again settle it, if they agree.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import scipy

from elsa_nb.counts import count_of
from elsa_nb.formulas import safe
from elsa_nb.label.export_kinds import WORDS
from elsa_nb.label.session import Session
from elsa_nb.label.session_queries import answered_in
from elsa_nb.label.stored import SECOND_OPINION, SEEN_AGAIN
from elsa_nb.written_files import write_export

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Agreement:
    """How well two people agree: on how many items `both` gave an answer, on how many `same`, and kappa.

    `low` and `high` are its limits at 95 % confidence: Wilson's for the share of the same answers, with the share
    expected by chance held. All three are None where kappa says nothing: no item in common, or all of one kind.
    On `doubted` other items one gave a second opinion on the other's answer, and differed on `differed` of them.
    """

    first: str
    second: str
    both: int
    same: int
    kappa: float | None = None
    low: float | None = None
    high: float | None = None
    doubted: int = 0
    differed: int = 0

    def __str__(self) -> str:
        """Say it in a sentence."""
        answered = f"{self.first} and {self.second} both answered {count_of(self.both, 'item')}"
        said = f"{answered}, {self.both - self.same:,} differently"
        if self.doubted:
            opinions = f"{self.doubted:,}, {self.differed:,} differently"
            return f"{replace(self, doubted=0)} Second opinions on doubtful answers, not counted in this: {opinions}."
        if self.kappa is None:
            why = "no item in common" if not self.both else "all answers of one kind"
            return f"{said}; Cohen's kappa says nothing here ({why})."
        return f"{said}; Cohen's kappa {self.kappa:.2f} ({self.low:.2f} to {self.high:.2f})."


def merged(session: Session) -> list[dict[str, Any]]:
    """Return all answers to each item: {"item", "labels": {annotator: label}, "label", "settled"}, in order of names.

    `label` is what those who were not in doubt agree on, -1 where they differ or all were in doubt. `settled` is the
    same; but where they differ, it is what those who saw the item again agree on, -1 if they do not.
    """
    looked_again = answered_in(session, SEEN_AGAIN)  # by those who had answered before
    given: dict[str, dict[str, int]] = {}
    for answer in session.answers():
        given.setdefault(answer.item, {})[answer.annotator] = answer.label
    rows = []
    for item in sorted(given):
        sure = {label for label in given[item].values() if label >= 0}
        label = sure.pop() if len(sure) == 1 else -1
        looked = {label for who, label in given[item].items() if label >= 0 and (who, item) in looked_again}
        settled = looked.pop() if label < 0 and len(looked) == 1 else label
        rows.append({"item": item, "labels": given[item], "label": label, "settled": settled})
    return rows


def agreements(session: Session) -> list[Agreement]:
    """Return the agreement of each pair of people who answered in `session`."""
    rows = merged(session)
    opinions = {(each.annotator, each.item) for each in session.answers() if each.component == SECOND_OPINION}
    pairs = []
    for people in combinations(session.annotators, 2):
        both = [(row["item"], tuple(row["labels"].get(who, -1) for who in people)) for row in rows]
        both = [(any((who, item) in opinions for who in people), pair) for item, pair in both if min(pair) >= 0]
        doubted = [pair for doubted, pair in both if doubted]
        found = _agreement(*people, [pair for doubted, pair in both if not doubted])
        pairs.append(replace(found, doubted=len(doubted), differed=sum(a != b for a, b in doubted)))
    return pairs


def write_merged(session: Session, path: Path | str) -> Path:
    """Write `merged` as CSV, whole or not at all; return `path`.

    A column for each person is followed by `agreed` and `settled`. Raises ValueError for a name with the ending of
    another kind of file, and for a file that is there and does not hold what this function wrote before.
    """
    path = Path(path)
    if path.suffix.lower() != ".csv":
        raise ValueError(
            f"{path} ends in {path.suffix or 'nothing'}; what is written is a CSV: give a name that ends in .csv"
        )
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    people = session.annotators
    writer.writerow(["item", *map(safe, people), "agreed", "settled"])
    for row in merged(session):
        words = [WORDS.get(row["labels"].get(who), "") for who in people]
        writer.writerow(
            [
                safe(row["item"]),
                *words,
                *("" if label < 0 else WORDS[label] for label in (row["label"], row["settled"])),
            ]
        )
    write_export(path, stream.getvalue().encode(), cure="Give another name, or delete it.")
    return path


def _agreement(first: str, second: str, pairs: Sequence[tuple[int, int]]) -> Agreement:
    n, same = len(pairs), sum(a == b for a, b in pairs)
    if not n:
        return Agreement(first, second, 0, 0)
    first_ones, second_ones = (sum(pair[i] for pair in pairs) for i in (0, 1))
    chance = first_ones * second_ones + (n - first_ones) * (n - second_ones)  # of n * n
    if chance == n * n:
        return Agreement(first, second, n, same)
    limits = scipy.stats.binomtest(same, n).proportion_ci(_CONFIDENCE, method="wilson")
    low, high = ((share * n * n - chance) / (n * n - chance) for share in limits)
    return Agreement(first, second, n, same, (same * n - chance) / (n * n - chance), max(low, -1.0), high)
