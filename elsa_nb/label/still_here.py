"""Which of the answered items are still here: by the names that a session was last opened with.

Answers about items that were removed or renamed stay in the session, so it holds more than the page shows. Exports and
summaries say which answers those are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from elsa_nb.counts import count_of
from elsa_nb.label.identity import carried_after
from elsa_nb.label.places import Places
from elsa_nb.label.remembered_items import about_items, names_in
from elsa_nb.label.session import Session
from elsa_nb.label.session_queries import last_at_work
from elsa_nb.label.stored import Event
from elsa_nb.search.contract import POSITIVE, UNSURE


def names_now(session: Session) -> list[str] | None:
    """Return the names of the items that a session was last opened with, in their order; None where it knows none.

    Several people may have opened it with different states of the collection; `person_of_now` knows the present one.
    """
    return names_in(session, person_of_now(session))


def person_of_now(session: Session) -> str:
    """Return who knows the present state of a collection: the session's annotator, who may be working on it.

    Where a session is only read, it is the person whose work is the latest.
    """
    return (last_at_work(session) if session.read_only else None) or session.annotator


def folder_now(session: Session) -> str | None:
    """Return the folder of the items that a session was last opened with; None where it knows none."""
    about = about_items(session, person_of_now(session))
    return None if about is None else about.where or None


def with_rows(session: Session, answers: Sequence[Event]) -> list[dict[str, Any]]:
    """Return answers of `session` with the `row` that each item has now, and whether it is `present`: True or False.

    The row of an item that is gone is None. Where the session knows no names, `present` is None, and `row` is where the
    item was when it was asked about; None if that was in an earlier state of the collection.
    """
    names = names_now(session)
    items: dict[str, list[str]] = {}
    for answer in answers:
        items.setdefault(answer.annotator, []).append(answer.item)
    if names is None:
        after = {who: carried_after(session, who) for who in items}
        here = [a.row if a.id > after[a.annotator] else None for a in answers]
        return [a._asdict() | {"row": row, "present": None} for a, row in zip(answers, here, strict=True)]
    place = Places(names)
    rows = {who: place.of(theirs) for who, theirs in items.items()}  # two names of one person are two items
    here = [rows[a.annotator].get(a.item) for a in answers]
    return [a._asdict() | {"row": row, "present": row is not None} for a, row in zip(answers, here, strict=True)]


def answers_counted(answers: Sequence[Mapping[str, Any]]) -> str:
    """Say how many of the answers from `with_rows` are finds, finds of items that are gone, and unsure."""
    finds = [answer for answer in answers if answer["label"] == POSITIVE]
    gone = sum(answer["present"] is False for answer in finds)
    unsure = sum(answer["label"] == UNSURE for answer in answers)
    said = f"{count_of(len(answers), 'answer')}: {count_of(len(finds), 'find')}"
    said += f", {gone:,} of them of {'an item that is' if gone == 1 else 'items that are'} gone" if gone else ""
    return f"{said}, {unsure:,} unsure" if unsure else said
