"""What a session stores: answers, under the names of the people who gave them, and what it refuses."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from elsa_nb.label.log_rules import STORED_LABELS
from elsa_nb.label.session_file import LABELS_SAID


@dataclass(frozen=True)
class Answer:
    """One change of one label, as it is stored.

    Attributes:
        item: The id of what is labelled.
        old: The label before: -3 passed in a first look, -2 none, -1 unsure, 0 negative, 1 positive.
        label: The label now.
        position: The place of its card in the order of asking, from 0.
        row: Its row in the pool.
        round: The number of the question that it was part of.
        component: Which part of the strategy asked, by name.
        score: The confidence when it was asked.
        seconds: How long the person took.
        control: Whether it is about a control item: a known find that an audit showed again, to measure how many finds
            the person overlooks. Such an answer is stored, and does not change the label of the item.
    """

    item: str
    old: int
    label: int
    position: int | None = None
    row: int | None = None
    round: int | None = None
    component: str | None = None
    score: float | None = None
    seconds: float | None = None
    control: bool = False


Given = Iterable[tuple[str, Iterable[Answer]]]  # answers by annotator


def checked_answers(answers: Iterable[Answer]) -> list[Answer]:
    """Return answers; ValueError for one that the check at the next opening would take for damage."""
    answers = list(answers)
    for a in answers:
        for name, label in (("old label", a.old), ("label", a.label)):
            if not isinstance(label, int) or label not in STORED_LABELS:
                raise ValueError(f"the {name} of {a.item!r:.60} is {label!r:.60}; allowed: {LABELS_SAID}")
        for name, place in (("row", a.row), ("position", a.position)):
            if place is not None and (not isinstance(place, int) or place < 0):
                raise ValueError(f"the {name} of {a.item!r:.60} is {place!r:.60}; allowed: None, 0, 1, ... (an int)")
    return answers


def check_annotator(name: str) -> None:
    """Raise ValueError for what is not a person's name."""
    if not isinstance(name, str) or not name.strip() or len(name) > 200 or not _is_line(name):
        raise ValueError(f"annotator {name!r:.60}; give a name of 1 to 200 characters, in one line")


def _is_line(name: str) -> bool:
    """Whether a text is one line of letters: no breaks, tabs, other controls, nor halves of letters."""
    return not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name)
