"""What a session file stores, as values: a line of its log, and a round with its questions and what was told.

Only this module knows how a round is written as JSON: `from_json` refuses what no version ever wrote, and `to_json`
gives back the same text, to the byte.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any, NamedTuple, Self

# Components of pages that the search did not ask for: one's own answers seen again, and somebody else's.
SEEN_AGAIN, SECOND_OPINION = "seen again", "second opinion"


@dataclass(frozen=True)
class Asked:
    """The questions of one round, and why each is asked.

    `near` is the row of the known positive nearest to each row, `scores` the head's confidence; None where there is
    none. All are lists of one length. `scale` is that of the scores of all rows (`stopping.remaining.scale_of`).
    An `overview` is looked over as a whole: what is not marked in it gets no answer.
    """

    number: int
    rows: list[int]
    components: list[str]
    scores: list[float | None]
    near: list[int | None]
    scale: Sequence[float] | None = None
    overview: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def blind(self) -> bool:
        """Whether these items were answered before, by this person or another, and the page must not say how."""
        return self.overview and self.components[0] in (SEEN_AGAIN, SECOND_OPINION)


class ToldAtEnd(NamedTuple):
    """What the search is told at the end of a round.

    `labels` are those of the round's cards, `amended` has (position, label) of cards in earlier rounds that were
    changed since, `wishes` has (name, value) of what is to come next: "start" or "conclude" with True, or "again" with
    the rows to be seen again.
    """

    labels: tuple[int, ...]
    amended: tuple[tuple[int, int], ...] = ()
    wishes: tuple[tuple[str, Any], ...] = ()

    def to_json(self) -> str:
        """Return it as the session file keeps it."""
        return json.dumps({"labels": self.labels, "amended": self.amended} | dict(self.wishes), allow_nan=False)


class Event(NamedTuple):
    """A line of a session's log: an answer, a change of mind, an undo, or a label that came from elsewhere.

    `id` is its number, `annotator` whose it is, and `kind` which of these: "answer", "undo", "import" and so on. Lines
    of one `action` were written at once (0: not on the page). `old` and `label` are the label of the `item` before and
    now: -3 passed in a first look, -2 none, -1 unsure, 0 negative, 1 positive. `row` is the item's in the pool,
    `position` the place of its card, `round` the number of the question, `component` the part of the strategy that
    asked, `score` the confidence then. `seconds` is what the person took, `at` when, in seconds since 1970, `code` the
    version that wrote it. None stands for what is not known.
    """

    id: int
    annotator: str
    action: int
    kind: str
    round: int | None
    position: int | None
    item: str
    row: int | None
    old: int
    label: int
    component: str | None
    score: float | None
    seconds: float | None
    at: float
    code: str


@dataclass(frozen=True)
class StoredRound:
    """A round of an annotator's as the session file keeps it.

    `number` counts the rounds from 0, `start` is the position of its first card. `known` has (offset, label) of cards
    that were filled in when it was dealt. `told` is None while the round is open. `after` is the last event before the
    round; None when a round is stored: the last one there is. `lacks` names the keys that an earlier version left out.
    """

    number: int
    start: int
    asked: Asked
    known: Sequence[Sequence[int]] = ()
    told: ToldAtEnd | None = None
    after: int | None = None
    lacks: frozenset[str] = frozenset()

    @classmethod
    def from_json(cls, number: int, start: int, asked: str, told: str | None, after: int) -> Self:
        """Return a round from the columns of the file; ValueError where they hold what no round can."""
        try:
            ask, end = json.loads(asked), None if told is None else json.loads(told)
        except ValueError:
            ask = end = None
        if not _is_round(ask, end):
            raise ValueError(f"round {number + 1} holds what no round can")
        known = tuple(map(tuple, ask.pop("known")))
        return cls(number, start, Asked(**ask), known, end and _told_of(end), after, frozenset(_LATER - ask.keys()))

    def to_json(self) -> tuple[str, str | None]:
        """Return the questions and what was told as the session file keeps them; None of an open round."""
        asked = {key: value for key, value in vars(self.asked).items() if key not in self.lacks}
        told = None if self.told is None else self.told.to_json()
        return json.dumps(asked | {"known": self.known}, allow_nan=False), told


_LISTS = {"rows": int, "components": str, "scores": (float, int, NoneType), "near": (int, NoneType)}  # in `Asked`
_LATER = {"scale", "overview"}  # rounds of earlier versions lack them


def _told_of(told: dict[str, Any]) -> ToldAtEnd:
    wishes = {name: tuple(value) if name == "again" else value for name, value in told.items()}
    labels, amended = wishes.pop("labels"), wishes.pop("amended")
    return ToldAtEnd(tuple(labels), tuple(map(tuple, amended)), tuple(wishes.items()))


def _is_round(asked: Any, told: Any) -> bool:
    """Whether these can be the questions of a round and what the search was told, as they are read from JSON."""
    return (
        isinstance(asked, dict)
        and asked.keys() - _LATER == {"number", "known", *_LISTS}
        and _are_pairs(asked["known"])
        and _is_scale(asked.get("scale"))
        and isinstance(asked.get("overview", False), bool)
        and all(_all_of(asked[name], kind) for name, kind in _LISTS.items())
        and {len(asked[name]) for name in _LISTS} == {len(asked["rows"])}
        and min(asked["rows"], default=0) >= 0
        and (told is None or _is_told(told, len(asked["rows"])))
    )


def _is_told(told: Any, cards: int) -> bool:
    """Whether this can be what the search was told of a round of so many cards."""
    return (
        isinstance(told, dict)
        and _all_of(told.get("labels"), int)
        and len(told["labels"]) == cards
        and _are_pairs(told.get("amended"))
        and _all_of(told.get("again", []), int)
    )


def _are_pairs(values: Any) -> bool:
    return isinstance(values, list) and all(_all_of(pair, int) and len(pair) == 2 for pair in values)


def _is_scale(scale: Any) -> bool:
    """Whether it is the scale of a round's scores: [mean, deviation], or None, as of a round without scores."""
    return scale is None or (_all_of(scale, (float, int)) and len(scale) == 2)


def _all_of(values: Any, kind: type | tuple[type, ...]) -> bool:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)
