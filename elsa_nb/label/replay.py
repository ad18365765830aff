"""Bring a search back to where its session file says it was.

The file holds what each round asked and what the search was told. The same line of code makes the same search again,
so telling it the same answers leads to the same place. Where it does not (another processor rounds differently, the
code changed, the random generator was not seeded) no answer is lost: what the search asks now and the file knows is
filled in, and the person is asked only the rest.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from elsa_nb.label.answers import Answer
from elsa_nb.label.cards import OPEN, PASSED, POSITIVE, UNSURE, Cards, LabelChange
from elsa_nb.label.identity import carried_after
from elsa_nb.label.offered import EARLIER, PANEL_COMPONENTS, SAMPLE
from elsa_nb.label.present_answer import PLANTED, PLANTED_UNDO
from elsa_nb.label.rounds import Rounds
from elsa_nb.label.second_look import blind_page, earlier_cards
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import NOT_ASKED
from elsa_nb.label.session_queries import control_answers
from elsa_nb.label.stored import Asked, Event, StoredRound, ToldAtEnd

_UNDONE = ("undo", PLANTED_UNDO)


@dataclass
class Restored:
    """The state of a session: its cards, the questions behind them, and what the search was told, by round."""

    cards: Cards
    asked: list[Asked] = field(default_factory=list)
    told: list[ToldAtEnd] = field(default_factory=list)
    notice: str = ""

    def card(self, position: int, ids: Sequence[str]) -> dict[str, Any]:
        """Return what a card says: row, item, round, component, score, nearest positive."""
        which = bisect_right(self.cards.rounds, position) - 1
        asked, i = self.asked[which], position - self.cards.rounds[which]
        row = asked.rows[i]
        return {
            "position": position,
            "row": row,
            "item": str(ids[row]),
            "round": asked.number + 1,
            "component": asked.components[i],
            "score": asked.scores[i],
            "near": asked.near[i],
        }

    def answers(self, changes: Iterable[LabelChange], ids: Sequence[str], rounds: Rounds) -> list[Answer]:
        """Return changes of cards as the answers that the session stores; `rounds` are those of the search.

        An item that is seen again has two cards. The change of its earlier card comes last, since the last line of the
        log is the item's current label, and the earlier card is the one that says it.
        """
        stored = []
        for change in sorted(changes, key=lambda change: change.position not in self.cards.earlier):
            card = self.card(change.position, ids)
            control = card["row"] in rounds.control_rows
            fields = {name: card[name] for name in ("position", "row", "component", "score")}
            stored.append(
                Answer(card["item"], change.old, change.new, round=card["round"] - 1, control=control, **fields)
            )
        return stored

    def example_rows(self, seeds: Sequence[int]) -> list[int]:
        """Return `seeds` and what was marked in a sample; on a blind page none of the items on it."""
        cards = zip(((a, i) for a in self.asked for i in range(len(a))), self.cards.labels, strict=True)
        samples = [PANEL_COMPONENTS[each] for each in (SAMPLE, EARLIER)]
        marked = [a.rows[i] for (a, i), label in cards if label == POSITIVE and a.components[i] in samples]
        hidden = self.asked[-1].rows if self.asked and self.asked[-1].blind else ()
        return [row for row in [*seeds, *marked] if row not in hidden]

    def labels_by_row(self, end: int | None = None) -> dict[int, int]:
        """Return {row: label} of the cards before position `end`; of an item that has several, that of its first."""
        found: dict[int, int] = {}
        for row, label in zip((row for a in self.asked for row in a.rows), self.cards.labels[:end], strict=False):
            if label >= UNSURE:
                found.setdefault(row, label)
        return found

    def agree_with_file(
        self, rounds: Rounds, session: Session, ids: Sequence[str], positions: Sequence[int] | None = None
    ) -> None:
        """Let the cards at some positions, by default all, say what the file has of their items.

        What came from a file or an audit since is there, too.
        """
        cards, rows = self.cards, [(row, asked.blind) for asked in self.asked for row in asked.rows]
        at = range(len(rows)) if positions is None else positions
        known = session.known(None if positions is None else [str(ids[rows[position][0]]) for position in at])
        for position in at:
            row, blind = rows[position]
            label = known.get(str(ids[row]))
            own = not blind and row not in rounds.control_rows and cards.card_of(position) == position
            if own and label not in (None, cards.labels[position]):
                cards.put(position, label)


def restore(session: Session, rounds: Rounds, ids: Sequence[str], size: int, *, write: bool) -> Restored:
    """Replay the session into `rounds` (fresh); with `write`, store the rounds anew where they differ.

    Raises ValueError where the file is about other items than `ids`.
    """
    stored, after = session.rounds(), carried_after(session)
    events = session.events(since=after, shown=True)  # what is before that is about an earlier collection
    _check_items(session, events, stored, ids)
    restored = Restored(Cards(size))
    if not stored and not write:
        restored.notice = "Nothing has been asked yet."
        return restored
    rounds.reset()
    state, asked = rounds.begin()
    same = still_open = False
    pending, own = _surviving(events), {}
    for here in stored:
        same = asked is not None and asked.rows == here.asked.rows
        if not same:
            break
        while pending and pending[0][0].id <= here.after:
            _act(restored.cards, pending.pop(0), own)
        told, still_open = here.told, here.told is None
        known = _filled_in(session, here, ids) if still_open else here.known
        _deal(restored, rounds, state, here.asked, known)
        if told is None:
            break
        amended = rows_of(restored, told.amended)  # before this round counts as told: as when it was answered
        restored.told.append(told)
        state, asked = rounds.after(labels_told(restored, told.labels), amended, **wishes_of(restored, told))
    while pending:
        _act(restored.cards, pending.pop(0), own)
    same, kept = same or not stored, len(restored.asked)
    if not still_open:
        go_on(restored, rounds, state, asked, session, ids, write=write)
    if not same:
        if session.known():  # else there is nothing that could be missed
            restored.notice = (
                f"From round {kept + 1} on, this search asks other questions than the one in the file: it began "
                "differently (other examples, labels or strategy), this is another machine or version, or its random "
                "generator has no fixed seed. No answer is lost: what the file knows is filled in."
            )
        if write:
            afters = [each.after for each in stored[:kept]]
            session.replace_rounds([_as_stored(restored, i, afters) for i in range(len(restored.asked))])
    restored.agree_with_file(rounds, session, ids)
    cards = restored.cards
    cards.cursor = next((p for p, label in enumerate(cards.labels) if label == OPEN), max(0, len(cards.labels) - 1))
    cards.waiting = bool(cards.labels) and not cards.open and not cards.over
    return restored


def imported_rows(session: Session, rows: Mapping[str, int]) -> set[int]:
    """Return the rows whose answers came from files or audits; `rows` are those of all items, by name."""
    return {rows[item] for (item,) in session.current("item", kinds=NOT_ASKED) if item in rows}


def _filled_in(session: Session, here: StoredRound, ids: Sequence[str]) -> list[tuple[int, int]]:
    """Return (offset, label) of what is known in an open round: when it was dealt, and by what was imported since."""
    known = dict(map(tuple, here.known))
    if not here.asked.blind:
        imported = session.imported_since(here.after)
        items = {i: str(ids[row]) for i, row in enumerate(here.asked.rows)}
        present = session.known([item for item in items.values() if item in imported])
        known |= {i: present.get(item, OPEN) for i, item in items.items() if item in imported}
    return sorted((i, label) for i, label in known.items() if label != OPEN)


def go_on(
    restored: Restored, rounds: Rounds, state, asked: Asked | None, session: Session, ids: Sequence[str], *, write=True
) -> list[list]:
    """Deal the round `asked`, and, as long as the file knows all answers already, the ones after it.

    Returns for each round dealt the [(offset, label)] known of it; a search that is over deals none.
    """
    dealt = []
    while asked is not None:
        items = [str(ids[row]) for row in asked.rows]
        knows = {} if asked.blind else session.known(items) | _measured(rounds, session, asked, items)
        known = [(i, knows[item]) for i, item in enumerate(items) if item in knows]
        if write:
            session.open_round(StoredRound(len(restored.asked), len(restored.cards.labels), asked, known))
        _deal(restored, rounds, state, asked, known)
        dealt.append(known)
        if len(known) < len(asked):
            return dealt
        told = ToldAtEnd(tuple(label for _, label in known))
        if write:
            session.close_round(len(restored.asked) - 1, told)
        restored.told.append(told)
        state, asked = rounds.after(told.labels)
    rounds.push(state)
    restored.cards.over = True
    return dealt


def _measured(rounds: Rounds, session: Session, asked: Asked, items: Sequence[str]) -> dict[str, int]:
    """Return what was answered about the control items of an audit on a page of `items`."""
    control = [item for row, item in zip(asked.rows, items, strict=True) if row in rounds.control_rows]
    return {item: label for item, label in control_answers(session).items() if item in control} if control else {}


def amendments(restored: Restored) -> list[list[int]]:
    """Return [position, label] of answers in closed rounds that differ from what the search was told."""
    labels, believed = restored.cards.labels, _believed(restored)
    # The search is not told of an answer that was taken back altogether: a closed round cannot lack one.
    return [
        [p, labels[p]] for p, before in enumerate(believed) if before is not None and labels[p] not in (before, OPEN)
    ]


def _believed(restored: Restored) -> list[int | None]:
    """Return what the search was told of each card in closed rounds, corrections included.

    It knows of no card of a blind page (None): where it asked the item, its own card says the same.
    """
    believed: list[int | None] = []
    for asked, told in zip(restored.asked, restored.told, strict=False):
        believed += [None] * len(asked) if asked.blind else told.labels
        for position, label in told.amended:
            believed[position] = label
    return believed


def reopened(restored: Restored, rounds: Rounds) -> dict[str, Any] | None:
    """Reopen the last round that was answered, if nobody has answered since; None: somebody has.

    Returns what had been wished for after it. A search that was over goes on.
    """
    if restored.cards.withdraw():
        restored.asked.pop()
    elif not restored.cards.over:
        return None
    restored.cards.over = False
    rounds.pop()
    told = restored.told.pop()
    return _wishes_of_search(told)


def labels_told(restored: Restored, labels: Sequence[int]) -> Sequence[int] | None:
    """Return what the search is told of the open round: nothing (None) of a page that is not its own."""
    return None if restored.asked[-1].blind else labels


def wishes_of(restored: Restored, told: ToldAtEnd) -> dict[str, Any]:
    """Return what was wished for after a round, as `Rounds.after` takes it."""
    wishes = _wishes_of_search(told)
    if rows := dict(told.wishes).get("again"):
        wishes["blind"] = blind_page(rows, restored.asked, restored.cards.labels)
    return wishes


def _wishes_of_search(told: ToldAtEnd) -> dict[str, Any]:
    return {name: value for name, value in told.wishes if name in ("start", "conclude")}


def rows_of(restored: Restored, amended: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Turn [position, label] into (row, label), each row once: of two cards of one item the later counts.

    Where a mark of an overview was taken back, the search's own card of the item counts, if it has one.
    """
    if not amended:  # mostly; and this is called after every answer
        return []
    rows = [row for asked in restored.asked for row in asked.rows]
    believed = dict(enumerate(_believed(restored))) | dict(amended)
    answered = {rows[p]: label for p, label in believed.items() if label is not None and label >= UNSURE}
    pairs = [(rows[p], label) for p, label in amended]
    return list({row: answered.get(row, PASSED) if label == PASSED else label for row, label in pairs}.items())


def _deal(restored: Restored, rounds: Rounds, state, asked: Asked, known) -> None:
    earlier = earlier_cards(asked.rows, restored.asked, restored.cards.labels) if asked.blind else ()
    passed = () if asked.blind else _passed_before(restored, asked.rows)
    rounds.push(state)
    restored.asked.append(asked)
    restored.cards.deal(len(asked), known, overview=asked.overview, earlier=earlier, passed=passed)


def _passed_before(restored: Restored, rows: Sequence[int]) -> list[tuple[int, int]]:
    """Return (position, offset among `rows`) of cards that were passed in a first look, of items asked about now."""
    offsets = {row: i for i, row in enumerate(rows)}
    cards = zip((row for asked in restored.asked for row in asked.rows), restored.cards.labels, strict=True)
    return [(p, offsets[row]) for p, (row, label) in enumerate(cards) if label == PASSED and row in offsets]


def _act(cards: Cards, action: list[Event], own: dict[int, int]) -> None:
    """Repeat an action; one on cards of another course of the search can be neither repeated nor undone.

    Earlier versions gave an answer to the first card of an item that has a later one (`Cards.later`): it counts for the
    later card, until it is taken back. `own` holds what was said on such later cards themselves, by position.
    """
    entry = []
    for e in action:
        if (position := e.position) is None or position >= len(cards.labels):
            continue
        at, label = cards.card_of(position), e.label
        if at == position and at not in own:
            entry.append((at, e.old))
        elif at == position:
            entry.append((at, cards.labels[at]))
            own[at] = label
        else:
            entry.append((at, cards.labels[at]))
            own.setdefault(at, cards.labels[at])
            label = label if label >= UNSURE else own[at]
        cards.put(at, label)
    if entry:
        cards.history.append(entry)


def _surviving(events: list[Event]) -> list[list[Event]]:
    """Return the actions that no undo took back, in order.

    Where lines of the log are lost, an undo may follow another action than the one it took back. It then stands for
    itself: its labels are the last that is known of its items.
    """
    stack: list[list[Event]] = []
    for event in events:
        if event.kind not in ("answer", *_UNDONE, PLANTED):
            continue
        if stack and stack[-1][0].action == event.action:
            stack[-1].append(event)
        else:
            stack.append([event])
    kept: list[list[Event]] = []
    for action in stack:
        if action[0].kind in _UNDONE and kept and _items_of(kept[-1]) == _items_of(action):
            kept.pop()
        else:
            kept.append(action)
    return kept


def _items_of(action: list[Event]) -> set[str]:
    return {event.item for event in action}


def _as_stored(restored: Restored, number: int, afters: list[int | None]) -> StoredRound:
    start = restored.cards.rounds[number]
    asked = restored.asked[number]
    labels = restored.cards.labels[start : start + len(asked)]
    known = [(i, label) for i, label in enumerate(labels) if label != OPEN]
    told = restored.told[number] if number < len(restored.told) else None
    after = afters[number] if number < len(afters) else None
    return StoredRound(number, start, asked, known, told, after)


def _check_items(session: Session, events: list[Event], stored: list[StoredRound], ids: Sequence[str]) -> None:
    for event in events:
        row = event.row
        if row is not None and (row >= len(ids) or str(ids[row]) != event.item):
            here = str(ids[row]) if row < len(ids) else "no item"
            raise ValueError(
                f"{session.path} holds answers about other items: row {row} was {event.item!r} there and is "
                f"{here!r} here. Give the pool it was made with, or another session file."
            )
    most = max((row for each in stored for row in each.asked.rows), default=0)
    if most >= len(ids):
        raise ValueError(f"{session.path} asks row {most} of a pool of {len(ids)}. Give the pool it was made with.")
