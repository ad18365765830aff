"""The cards on screen and the events that change it: one reducer, written twice, here and in `cards.js`.

The screen answers a key at once, by its own copy of the reducer, and sends the event; the kernel applies the same
event to this copy, stores what changed, and only then acknowledges it. Both must therefore agree to the letter:
`tests/label/test_cards.py` puts the same random events to both.

A card is a position in the order of asking. Rounds follow one another; each is cut into pages of `size` cards. A round
that is an overview is one page, however long, and what is not marked there gets no answer: it was seen and passed.
A round of items seen again is an overview: an answer given there becomes that of the item's earlier card.

An item that was passed in a first look has a second card once the search asks about it. That one says the item's
answer: the first card shows it, and what is done to the first card is done to the second.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from elsa_nb.search.contract import NEGATIVE, POSITIVE, UNASKED, UNSURE

PASSED, OPEN = -3, UNASKED  # of a card without an answer: it was seen in an overview and not marked; not answered yet
LABELS = (UNSURE, NEGATIVE, POSITIVE)
PAGE_SIZES = (12, 24, 36, 48, 60)


def check_page_size(size: int) -> None:
    """Raise ValueError for a number of cards per page that the screen does not offer."""
    if size not in PAGE_SIZES:
        raise ValueError(f"page = {size!r}; allowed: {', '.join(map(str, PAGE_SIZES))} items on a page")


class LabelChange(NamedTuple):
    """One card whose label changed: its position, the label before and the label after."""

    position: int
    old: int
    new: int


class Steps(NamedTuple):
    """What one event did: the labels it changed, whether by undoing, how many rounds that took back, and whether it
    reopened a search that was over.
    """

    changes: list[LabelChange]
    undone: bool = False
    withdrawn: int = 0
    resumed: bool = False


NO_STEPS = Steps([])


@dataclass
class Cards:
    """All cards asked so far: their labels, the cursor, and what `undo` would take back.

    `rounds` holds the first position of each round, `overviews` whether it is an overview, `history` one entry
    per action: the (position, old label) pairs it changed, or the first position of a round that was dealt. `undone`
    holds what `redo` would do again, the last undone last: (position, label) pairs of the open round, since another
    round may ask other items. `earlier` gives the position of the earlier card of each item seen again (None: it has
    none), `later` that of the later card of each item that was passed in a first look and is asked about since. By
    `check`, the sum of weight x (label + 2) over all cards, screen and kernel notice that they differ.
    """

    size: int = 24
    labels: list[int] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    overviews: list[bool] = field(default_factory=list)
    history: list[list[tuple[int, int]] | int] = field(default_factory=list)
    undone: list[list[tuple[int, int]]] = field(default_factory=list)
    earlier: dict[int, int | None] = field(default_factory=dict)
    later: dict[int, int] = field(default_factory=dict)
    cursor: int = 0
    open: int = 0  # cards without a label
    waiting: bool = False  # every card has a label and the person asked for more
    over: bool = False  # the search has no more questions
    check: int = 0

    @property
    def starts(self) -> list[int]:
        """The first position of each page."""
        ends = [*self.rounds[1:], len(self.labels)][: len(self.rounds)]  # none before the first round
        rounds = zip(self.rounds, ends, self.overviews, strict=True)
        return [p for start, end, whole in rounds for p in range(start, end, end - start if whole else self.size)]

    def page(self, position: int) -> tuple[int, int]:
        """Return the (first, last + 1) positions of the page that holds `position`."""
        which = bisect_right(self.rounds, position) - 1
        end = self.rounds[which + 1] if which + 1 < len(self.rounds) else len(self.labels)
        if self.overviews[which]:
            return self.rounds[which], end
        first = self.rounds[which] + (position - self.rounds[which]) // self.size * self.size
        return first, min(first + self.size, end)

    def in_overview(self, position: int) -> bool:
        """Whether `position` is in a round that is an overview."""
        return self.overviews[bisect_right(self.rounds, position) - 1]

    def deal(
        self,
        n: int,
        known: Iterable[Sequence[int]] = (),
        *,
        overview: bool = False,
        earlier: Sequence[int | None] = (),
        passed: Sequence[Sequence[int]] = (),
    ) -> None:
        """Add a round of `n` cards; `known` gives (offset, label) of those answered earlier.

        If the items of the round are seen again, `earlier` gives the position of the earlier card of each. `passed` has
        (position, offset) of cards of a first look that were passed, and whose items are asked about now.
        """
        start = len(self.labels)
        self.labels += [OPEN] * n
        self.rounds.append(start)
        self.overviews.append(overview)
        self.history.append(start)
        self.undone.clear()
        self.open += n
        self.earlier |= {start + i: card for i, card in enumerate(earlier)}
        self.later |= {position: start + offset for position, offset in passed}
        for offset, label in known:
            self.put(start + offset, label)
        self.waiting = self.over = False
        self.cursor = self._first_open(start, start + n, start)

    def as_dealt(self, which: int) -> dict[str, Any]:
        """Return what `deal` took for the round number `which`, besides what was known; as plain data."""
        start, end = self.rounds[which], [*self.rounds, len(self.labels)][which + 1]
        earlier = [self.earlier[p] for p in range(start, end) if p in self.earlier]
        passed = [[p, later - start] for p, later in self.later.items() if start <= later < end]
        return {"n": end - start, "overview": self.overviews[which], "earlier": earlier, "passed": passed}

    def card_of(self, position: int) -> int:
        """Return the position of the card that says the answer of the item at `position`: mostly that one."""
        return self.later.get(position, position)

    def put(self, position: int, label: int) -> LabelChange:
        """Give the card at `position` a label, or OPEN; return what changed. Cursor and history stay as they are."""
        old = self.labels[position]
        self.labels[position] = label
        self.open += (label == OPEN) - (old == OPEN)
        self.check += weight(position) * (label - old)  # an open card counts 0
        return LabelChange(position, old, label)

    def apply(self, event: dict[str, Any]) -> Steps:
        """Apply one event of the person's; unknown and impossible events change nothing."""
        op = event.get("op")
        if any(type(event.get(name)) is not int for name in _NEEDS.get(op, ())):
            return NO_STEPS
        if op == "undo":
            return self._undo()
        if self.waiting or not self.labels:
            return NO_STEPS
        if op in _MOVES:
            _MOVES[op](self, event)
            return NO_STEPS
        if op in _ANSWERS:
            changes = _ANSWERS[op](self, event)
            resumed = self.over and bool(changes)
            if changes:
                changes += self._passed_on(changes) if op != "redo" else []
                self.history.append([(c.position, c.old) for c in changes])
                self.over = False
                if op != "redo":
                    self.undone.clear()
            return Steps(changes, resumed=resumed)
        return NO_STEPS

    def _passed_on(self, changes: Sequence[LabelChange]) -> list[LabelChange]:
        """Give answers to items seen again to their earlier cards, which keep theirs where nothing was answered."""
        earlier = [(self.earlier.get(c.position), c.new) for c in changes]
        known = [(self.card_of(p), new) for p, new in earlier if p is not None]
        return [self.put(p, new if new in LABELS else self.labels[p]) for p, new in known]

    def _put_all(self, positions: Iterable[int], label: int) -> list[LabelChange]:
        return [self.put(p, label) for p in map(self.card_of, positions) if self.labels[p] != label]

    def _first_open(self, start: int, end: int, otherwise: int) -> int:
        return next((p for p in range(start, end) if self.labels[p] == OPEN), otherwise)

    # --- moves

    def _move(self, event: dict) -> None:
        self.cursor = max(0, min(len(self.labels) - 1, self.cursor + event["by"]))

    def _goto(self, event: dict) -> None:
        if 0 <= event["at"] < len(self.labels):
            self.cursor = event["at"]

    def _turn(self, event: dict) -> None:
        first, end = self.page(self.cursor)
        if event["by"] > 0 and end < len(self.labels):
            self.cursor = end
        elif event["by"] < 0 and first > 0:
            self.cursor = self.page(first - 1)[0]

    def _next(self, _: dict) -> None:
        end = self.page(self.cursor)[1]
        if end < len(self.labels):
            self.cursor = self._first_open(end, self.page(end)[1], end)
        elif self.open:
            self.cursor = self._first_open(0, len(self.labels), self.cursor)
        else:
            self.waiting = not self.over

    def _find_open(self, _: dict) -> None:
        self.cursor = self._first_open(0, len(self.labels), self.cursor)

    def _resize(self, event: dict) -> None:
        if event["v"] in PAGE_SIZES:
            self.size = event["v"]

    # --- answers

    def _label(self, event: dict) -> list[LabelChange]:
        if event["v"] not in LABELS:
            return []
        at = self.cursor
        changes = self._put_all([at], event["v"])
        first, end = self.page(at)
        after = self._first_open(at + 1, end, -1)
        self.cursor = after if after >= 0 else self._first_open(first, at, at)
        return changes

    def _set(self, event: dict) -> list[LabelChange]:
        if event["v"] not in LABELS or not 0 <= event["at"] < len(self.labels):
            return []
        self.cursor = event["at"]
        return self._put_all([event["at"]], event["v"])

    def _toggle(self, event: dict) -> list[LabelChange]:
        if not 0 <= event["at"] < len(self.labels):
            return []
        self.cursor = event["at"]
        at = self.card_of(self.cursor)
        off = PASSED if self.in_overview(at) and at not in self.earlier else NEGATIVE
        return [self.put(at, off if self.labels[at] == POSITIVE else POSITIVE)]

    def _row(self, event: dict) -> list[LabelChange]:
        if event["v"] not in LABELS or event["columns"] < 1:
            return []
        first, end = self.page(self.cursor)
        start = first + (self.cursor - first) // event["columns"] * event["columns"]
        return self._put_all(range(start, min(start + event["columns"], end)), event["v"])

    def _rest(self, event: dict) -> list[LabelChange]:
        """Answer what is open on the page: negative, but unsure where the screen could not show the card.

        In an overview nothing is answered for the person: the rest is passed.
        """
        first, end = self.page(self.cursor)
        if self.in_overview(self.cursor):
            return [self.put(p, PASSED) for p in range(first, end) if self.labels[p] == OPEN]
        unseen = event.get("unseen")
        unseen = unseen if isinstance(unseen, list) else []
        return [self.put(p, UNSURE if p in unseen else NEGATIVE) for p in range(first, end) if self.labels[p] == OPEN]

    def _redo(self, _: dict) -> list[LabelChange]:
        if not self.undone:
            return []
        entry = self.undone.pop()
        self.cursor = entry[0][0]
        return [self.put(position, label) for position, label in entry]

    # --- undo

    def _drop(self, start: int) -> None:
        """Take the last round, which begins at `start`, off the table."""
        for position in range(start, len(self.labels)):
            self.put(position, OPEN)
            self.earlier.pop(position, None)
        self.later = {p: later for p, later in self.later.items() if later < start}
        self.open -= len(self.labels) - start
        del self.labels[start:]
        self.rounds.pop()
        self.overviews.pop()

    def withdraw(self) -> bool:
        """Take the last round back if another is before it and nobody has answered in it; return whether it was."""
        if len(self.rounds) < 2 or not isinstance(self.history[-1], int):
            return False
        self._drop(self.history.pop())
        self.undone.clear()
        self.cursor = len(self.labels) - 1
        return True

    def _undo(self) -> Steps:
        """Take back the last action; where it lies in an earlier round, that round is open again."""
        self.waiting = False
        if not any(isinstance(entry, list) for entry in self.history):
            return NO_STEPS
        resumed, self.over = self.over, False
        withdrawn = 0
        while isinstance(entry := self.history.pop(), int):
            withdrawn += 1
            self._drop(entry)
        changes = [self.put(position, old) for position, old in reversed(entry)]
        self.cursor = entry[0][0]
        if withdrawn:
            self.undone.clear()
        self.undone.append([(c.position, c.old) for c in reversed(changes)])
        return Steps(changes, True, withdrawn, resumed)


def weight(position: int) -> int:
    """Return what a position counts for in `check`."""
    return position * 7919 % 1000003 + 1


_NEEDS = {
    "move": ["by"],
    "goto": ["at"],
    "turn": ["by"],
    "size": ["v"],
    "label": ["v"],
    "set": ["at", "v"],
    "toggle": ["at"],
    "row": ["columns", "v"],
}
_MOVES = {
    "move": Cards._move,
    "goto": Cards._goto,
    "turn": Cards._turn,
    "next": Cards._next,
    "open": Cards._find_open,
    "size": Cards._resize,
}
_ANSWERS = {
    "label": Cards._label,
    "set": Cards._set,
    "toggle": Cards._toggle,
    "row": Cards._row,
    "rest": Cards._rest,
    "redo": Cards._redo,
}
