"""Why items were asked, and with what score, in an earlier course of a session: its folder has grown since, say.

When a search begins anew, its rounds go, and with them the scores that an estimate of the missing items rests on.
`keep_asked` writes them down before, by item, and `EarlierCourse` puts them back in place of "answered earlier". A
reason stays true. A standing among scores (`stopping.remaining.standings`) means the same only in a search of the same
kind: by the same strategy, in vectors of the same encoder. For any other search it is left out.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from elsa_nb.label.identity import Settled, carried_after
from elsa_nb.label.rounds import Asked
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import NOT_PLANTED, PLANTED, damaged
from elsa_nb.search.stopping.remaining import standings

KIND = "kind:"  # the key of the remark that says what kind of search an annotator's rounds are of
_ASKED, _EARLIER = "asked:", "earlier"
_PACE = 500  # answers
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


def keep_asked(session: Session, settled: Settled) -> None:
    """Write down why each item was asked in the annotator's rounds, where these are about to go: in a fresh course.

    Standings of a course before that stay where its kind of search was that of these rounds.
    """
    if not settled.fresh:
        return
    after, kind = carried_after(session), _kind(session)
    kind_before, kept = _kept(session)
    if kind_before != kind:
        kept = {item: before._replace(standing=None) for item, before in kept.items()}
    asked_about = (e for e in session.events() if e["id"] > after and e["kind"] == "answer" and e["row"] is not None)
    items = {event["row"]: event["item"] for event in asked_about}
    for stored in session.rounds():
        asked = Asked(**{key: value for key, value in stored["asked"].items() if key != "known"})
        if asked.blind:
            continue
        for row, component, standing in zip(asked.rows, asked.components, standings_of(asked).tolist(), strict=True):
            if row in items and component != _EARLIER:
                known = None if np.isnan(standing) else round(standing, _DIGITS)
                kept.setdefault(items[row], Before(component, known))
    told = {settled.renamed.get(item, item): list(before) for item, before in kept.items()}
    session.remark(f"{_ASKED}{session.annotator}", json.dumps({"kind": kind, "items": told}, allow_nan=False))


class EarlierCourse:
    """What `keep_asked` wrote about items, called `ids`, for a search of a `kind` ("": not known)."""

    def __init__(self, session: Session, ids: Sequence[str], kind: str):
        kind_before, kept = _kept(session)
        same = bool(kind) and kind_before == kind
        self._kept = {item: before if same else before._replace(standing=None) for item, before in kept.items()}
        self._ids = ids
        self._made: dict[int, tuple[Asked, Asked]] = {}  # by identity: the figures are asked for all the time

    def in_place(self, asked: Sequence[Asked]) -> list[Asked]:
        """Return rounds, with what is known of those of earlier answers."""
        return [self._known(each) if self._kept and each.components[0] == _EARLIER else each for each in asked]

    def _known(self, asked: Asked) -> Asked:
        if id(asked) not in self._made:
            unknown = Before(_EARLIER, None)
            before = [self._kept.get(str(self._ids[row]), unknown) for row in asked.rows]
            given = [np.nan if each.standing is None else each.standing for each in before]
            components = [each.component for each in before]
            scores = asked.scores, asked.near, asked.scale, asked.overview
            self._made[id(asked)] = asked, AskedBefore(asked.number, asked.rows, components, *scores, given)
        return self._made[id(asked)][1]


def pace_of(session: Session) -> list[float]:
    """Return the seconds that the annotator's last answers took, at most 500, in the order of answering."""
    query = f"SELECT seconds FROM events WHERE annotator = ? AND kind IN ('answer', '{PLANTED}')"
    query += " AND seconds IS NOT NULL"
    found = session.read(f"{query} ORDER BY id DESC LIMIT {_PACE}", (session.annotator,))
    return [float(each["seconds"]) for each in reversed(found)]


def planted_answers(session: Session) -> dict[str, int]:
    """Return {item: label} of what the annotator answered about known finds that an audit showed again."""
    last = f"SELECT max(id) FROM events WHERE annotator = ? AND NOT ({NOT_PLANTED}) GROUP BY item"
    query = f"SELECT item, label FROM events WHERE id IN ({last}) AND label > -2"
    return {each["item"]: each["label"] for each in session.read(query, (session.annotator,))}


def _kind(session: Session) -> str:
    kind = json.loads(session.meta(f"{KIND}{session.annotator}") or '""')
    if not isinstance(kind, str):
        raise damaged(session.path, "what it says of the kind of search is not a text")
    return kind


def _kept(session: Session) -> tuple[str, dict[str, Before]]:
    """Return the kind of search, and {item: why it was asked}, as they were written; CorruptFileError where damaged."""
    if (stored := session.meta(f"{_ASKED}{session.annotator}")) is None:
        return "", {}
    told = json.loads(stored)
    if isinstance(told, dict) and isinstance(told.get("kind"), str) and isinstance(told.get("items"), dict):
        items = told["items"]
        if all(isinstance(item, list) and _is_before(item) for item in items.values()):
            return told["kind"], {item: Before(*before) for item, before in items.items()}
    raise damaged(session.path, "what it says of earlier questions is not a record of them")


def _is_before(told: list[Any]) -> bool:
    if len(told) != 2 or not isinstance(told[0], str):
        return False
    return told[1] is None or (isinstance(told[1], float | int) and bool(np.isfinite(told[1])))
