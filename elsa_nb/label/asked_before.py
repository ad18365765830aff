"""Why items were asked, and with what score, before the search of a session began anew: as when its folder grows.

When a search begins anew, its rounds go, and with them the scores that an estimate of the missing items rests on.
`keep_asked` writes them down before, by item, and `EarlierCourse` puts them back in place of "answered earlier". A
reason stays true. A standing among scores (`stopping.remaining.standings`) means the same only in a search of the same
kind: by the same strategy, in vectors of the same encoder. For any other search it is left out. And of new items the
earlier answers say little: the range is held back until some answers were given since these came (`untold`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from elsa_nb.counts import count_of
from elsa_nb.label.identity import Settled, carried_after, remember
from elsa_nb.label.offered import EARLIER, PANEL_COMPONENTS
from elsa_nb.label.places import Places
from elsa_nb.label.remembered_items import names_in
from elsa_nb.label.rounds import first_answers
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import damaged
from elsa_nb.label.stored import SECOND_OPINION, SEEN_AGAIN, Asked
from elsa_nb.search.contract import POSITIVE, UNASKED, UNSURE
from elsa_nb.search.stopping.by_scores import LEAST_ANSWERS, MOST_HITS
from elsa_nb.search.stopping.remaining import standings

_ASKED, _KIND = "asked:", "kind:"  # keys of remarks; the latter says what kind of search an annotator's rounds are of
_EARLIER = PANEL_COMPONENTS[EARLIER]
_DIGITS = 5


class Before(NamedTuple):
    """The component that asked an item, and the item's standing then; None where there is none that counts."""

    component: str
    standing: float | None


@dataclass(frozen=True)
class AskedBefore(Asked):
    """A round of answers given in an earlier course; `given` holds the standing of each row when it was asked."""

    given: Sequence[float] = ()


def standings_of(asked: Asked) -> np.ndarray:
    """Return the standing of each row of a round when it was asked, float64 (m,); nan where none is known."""
    if isinstance(asked, AskedBefore):
        return np.array(asked.given, np.float64)
    if asked.scale is None or None in asked.scores:
        return np.full(len(asked), np.nan)
    mean, deviation = asked.scale
    return standings(np.array(asked.scores), (mean, deviation))


def begin_course(session: Session, settled: Settled | None, ids: Sequence[str], kind: str) -> None:
    """Write down how a session goes on, by a search of a `kind`, in items called `ids`: `identity.remember`, and more.

    Why items were asked is kept before the rounds go that say it, and the kind of these rounds stays until then. All
    is written or nothing: half of it would be about a collection that never was.
    """
    if settled is None and _kind(session) == kind:
        return
    with session.together():
        if settled is not None:
            keep_asked(session, settled, ids)
            remember(session, settled, ids)
        session.remark(f"{_KIND}{session.annotator}", json.dumps(kind))


def keep_asked(session: Session, settled: Settled, ids: Sequence[str]) -> None:
    """Write down why each item was asked in the annotator's rounds, where these are about to go: in a fresh course.

    Also how many of the items, called `ids` from now on, came in since answers were last enough to judge by. Standings
    of a course before that stay where its kind of search was that of these rounds.
    """
    if not settled.fresh:
        return
    after, kind = carried_after(session), _kind(session)
    kind_before, kept, new = _kept(session)
    if kind_before != kind:
        kept = {item: before._replace(standing=None) for item, before in kept.items()}
    items, given = {}, {}
    for event in session.events(since=after, shown=True):
        if event.kind in ("answer", "undo") and event.row is not None:
            items[event.row] = event.item
            given[event.position, event.row] = event.label
    rows, labels, why = [], [], []
    for stored in session.rounds():
        asked = stored.asked
        known = {asked.rows[offset]: label for offset, label in stored.known}
        labels += [given.get((len(rows) + i, row), known.get(row, UNASKED)) for i, row in enumerate(asked.rows)]
        rows += asked.rows
        why += zip(asked.components, standings_of(asked).tolist(), strict=True)
    since = []
    for first in first_answers(rows, labels):
        component, standing = why[first]
        since += [labels[first]] if component != _EARLIER else []
        if rows[first] in items and component not in (_EARLIER, SEEN_AGAIN, SECOND_OPINION):
            known = None if np.isnan(standing) else round(standing, _DIGITS)
            kept.setdefault(items[rows[first]], Before(component, known))
    new = (new if untold(new, since) else 0) + (_new_among(session, ids) if kept else 0)
    why_asked = {settled.renamed.get(item, item): list(before) for item, before in kept.items()}
    record = {"kind": kind, "items": why_asked, "new": new}
    session.remark(f"{_ASKED}{session.annotator}", json.dumps(record, allow_nan=False))


def untold(new: int, labels: Sequence[int]) -> str:
    """Return why nothing can be said yet of the missing ones, since `new` items came in; "" where it can be.

    `labels` are the answers given since then. A folder with many finds among its new items has few high scores that
    were refused, as `by_scores` needs them, before some of the new items were asked: in simulations its range held once
    the answers since then alone were as many, and finds among them as few, as `by_scores` asks of all answers.
    """
    sure = np.array([label for label in labels if label != UNSURE], np.int64)
    recent = sure[len(sure) // 2 :]
    least = min(LEAST_ANSWERS, new)
    came = "1 item is" if new == 1 else f"{new:,} items are"
    if len(sure) < least:
        many = f"{count_of(least, 'answer')} from now on, {len(sure)} so far"
        return f"How many are missing cannot be told yet: {came} new, and that takes {many}."
    if new and (recent == POSITIVE).mean() > MOST_HITS:
        return f"How many are missing cannot be told yet: {came} new, and most answers since then are finds."
    return ""


class EarlierCourse:
    """What `keep_asked` wrote about items, called `ids`, for a search of a `kind` ("": not known)."""

    def __init__(self, session: Session, ids: Sequence[str], kind: str):
        kind_before, kept, self._new = _kept(session)
        same = bool(kind) and kind_before == kind
        self._kept = {item: before if same else before._replace(standing=None) for item, before in kept.items()}
        self._ids = ids
        self._made: dict[int, tuple[Asked, Asked]] = {}  # by identity: the figures are asked for all the time

    def in_place(self, asked: Sequence[Asked]) -> list[Asked]:
        """Return rounds, with what is known of those of earlier answers."""
        return [self._known(each) if self._kept and each.components[0] == _EARLIER else each for each in asked]

    def untold(self, asked: Sequence[Asked], labels: Sequence[int]) -> str:
        """Return why nothing can be said yet of the missing ones, since items came in; "" where it can be.

        `labels` are those of all cards of the rounds, in the order of asking.
        """
        if not self._new:
            return ""
        rows = [row for each in asked for row in each.rows]
        carried = [each.components[0] == _EARLIER for each in asked for _ in each.rows]
        return untold(self._new, [labels[i] for i in first_answers(rows, labels) if not carried[i]])

    def _known(self, asked: Asked) -> Asked:
        if id(asked) not in self._made:
            unknown = Before(_EARLIER, None)
            before = [self._kept.get(str(self._ids[row]), unknown) for row in asked.rows]
            given = [np.nan if each.standing is None else each.standing for each in before]
            components = [each.component for each in before]
            scores = asked.scores, asked.near, asked.scale, asked.overview
            self._made[id(asked)] = asked, AskedBefore(asked.number, asked.rows, components, *scores, given)
        return self._made[id(asked)][1]


def _kind(session: Session) -> str:
    kind = json.loads(session.meta(f"{_KIND}{session.annotator}") or '""')
    if not isinstance(kind, str):
        raise damaged(session.path, "what it says of the kind of search is not a text")
    return kind


def _new_among(session: Session, ids: Sequence[str]) -> int:
    """Return how many of the items were not here when the session was last opened; 0 where that is not known."""
    before = names_in(session)
    return 0 if before is None else len(ids) - len(Places([str(item) for item in ids]).of(before))


def _kept(session: Session) -> tuple[str, dict[str, Before], int]:
    """Return the kind of search, {item: why it was asked}, and the number of new items, as they were written.

    Raises CorruptFileError where that is damaged.
    """
    if (stored := session.meta(f"{_ASKED}{session.annotator}")) is None:
        return "", {}, 0
    record = json.loads(stored)
    if isinstance(record, dict) and isinstance(record.get("kind"), str) and isinstance(record.get("items"), dict):
        items, new = record["items"], record.get("new")
        befores = all(isinstance(each, list) and _is_before(each) for each in items.values())
        if befores and type(new) is int and new >= 0:
            return record["kind"], {item: Before(*before) for item, before in items.items()}, new
    raise damaged(session.path, "what it says of earlier questions is not a record of them")


def _is_before(record: list[Any]) -> bool:
    if len(record) != 2 or not isinstance(record[0], str):
        return False
    return record[1] is None or (isinstance(record[1], float | int) and bool(np.isfinite(record[1])))
