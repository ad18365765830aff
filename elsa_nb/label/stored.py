"""What a session file stores of its rounds: the questions, and what the search was told of the answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any, NamedTuple

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
    changed since, `wishes` has (name, value) of what is to come next.
    """

    labels: tuple[int, ...]
    amended: tuple[tuple[int, int], ...]
    wishes: tuple[tuple[str, Any], ...]

    def record(self) -> dict[str, Any]:
        """Return it as the session file keeps it."""
        return {"labels": list(self.labels), "amended": [list(pair) for pair in self.amended]} | dict(self.wishes)


def is_round(asked: Any, told: Any) -> bool:
    """Whether these can be the questions of a round and what the search was told, as they are read from JSON."""
    lists = {"rows": int, "components": str, "scores": (float, int, NoneType), "near": (int, NoneType)}
    pairs = [asked.get("known")] if isinstance(asked, dict) else [None]
    pairs += [told.get("amended")] if isinstance(told, dict) else []
    if told is not None and not (isinstance(told, dict) and _all_of(told.get("labels"), int)):
        return False
    if not _all_of((told or {}).get("again", []), int):
        return False
    return (
        all(isinstance(each, list) and all(_all_of(pair, int) and len(pair) == 2 for pair in each) for each in pairs)
        and asked.keys() - {"scale", "overview"} == {"number", "known", *lists}  # sessions from before lack the two
        and _is_scale(asked.get("scale"))
        and isinstance(asked.get("overview", False), bool)
        and all(_all_of(asked[name], kind) for name, kind in lists.items())
        and {len(asked[name]) for name in lists} == {len(asked["rows"])}
        and min(asked["rows"], default=0) >= 0
        and (told is None or len(told["labels"]) == len(asked["rows"]))
    )


def _is_scale(scale: Any) -> bool:
    """Whether it is the scale of a round's scores: mean and deviation, or None; rounds of before have none."""
    return scale is None or (_all_of(scale, (float, int)) and len(scale) == 2)


def _all_of(values: Any, kind: type | tuple[type, ...]) -> bool:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)
