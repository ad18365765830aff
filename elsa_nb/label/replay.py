"""Bring a search back to where its session file says it was.

The file holds what each round asked and what the search was told. The same line of code makes the same search again,
so telling it the same answers leads to the same place. Where it does not (another processor rounds differently, the
code changed, the random generator was not seeded) no answer is lost: what the search asks now and the file knows is
filled in, and only the rest is put to the person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from elsa_nb.label.cards import OPEN, Cards
from elsa_nb.label.identity import carried_after
from elsa_nb.label.rounds import Asked, Rounds
from elsa_nb.label.session import Session


@dataclass
class Restored:
    """The state of a session: its cards, the questions behind them, and what the search was told, by round."""

    cards: Cards
    asked: list[Asked] = field(default_factory=list)
    told: list[dict] = field(default_factory=list)
    notice: str = ""


def restore(session: Session, rounds: Rounds, ids: Sequence[str], size: int, *, write: bool) -> Restored:
    """Replay the session into `rounds` (fresh); with `write`, store what a different course makes different.

    Raises ValueError where the file is about other items than `ids`.
    """
    stored, after = session.rounds(), carried_after(session)
    events = [event for event in session.events() if event["id"] > after]  # others are about an earlier collection
    _check_items(session, events, stored, ids)
    restored = Restored(Cards(size))
    if not stored and not write:
        restored.notice = "Nothing has been asked yet."
        return restored
    rounds.reset()
    state, asked = rounds.begin()
    same = still_open = False
    pending = _surviving(events)
    for here in stored:
        same = asked is not None and asked.rows == here["asked"]["rows"]
        if not same:
            break
        while pending and pending[0][0]["id"] <= here["after"]:
            _act(restored.cards, pending.pop(0))
        _deal(restored, rounds, state, _asked(here), here["asked"]["known"])
        if still_open := here["told"] is None:
            break
        restored.told.append(here["told"])
        told = here["told"]
        wishes = {name: told[name] for name in ("start", "conclude") if name in told}
        state, asked = rounds.after(told["labels"], rows_of(restored, told["amended"]), **wishes)
    while pending:
        _act(restored.cards, pending.pop(0))
    same, kept = same or not stored, len(restored.asked)
    if not still_open:
        go_on(restored, rounds, state, asked, session, ids, write=write)
    if not same:
        restored.notice = (
            f"From round {kept + 1} on this search goes another way than the one in the file (another machine, other "
            "code, or a random generator without a fixed seed). No answer is lost: what the file knows is filled in."
        )
        if write:
            afters = [r["after"] for r in stored[:kept]]
            session.replace_rounds([_as_stored(restored, i, afters) for i in range(len(restored.asked))])
    cards = restored.cards
    cards.cursor = next((p for p, label in enumerate(cards.labels) if label == OPEN), max(0, len(cards.labels) - 1))
    cards.waiting = bool(cards.labels) and not cards.open and not cards.over
    return restored


def go_on(
    restored: Restored, rounds: Rounds, state, asked: Asked | None, session: Session, ids: Sequence[str], *, write=True
) -> list[tuple[int, list]]:
    """Deal the round `asked`, and, as long as the file knows all answers already, the ones after it.

    Returns the rounds dealt as (number of cards, [(offset, label) known]); a search that is over deals none.
    """
    dealt = []
    while asked is not None:
        knows = session.known()
        known = [(i, knows[ids[row]]) for i, row in enumerate(asked.rows) if ids[row] in knows]
        if write:
            session.open_round(len(restored.asked), len(restored.cards.labels), vars(asked) | {"known": known})
        _deal(restored, rounds, state, asked, known)
        dealt.append((len(asked), known))
        if len(known) < len(asked):
            return dealt
        told = {"labels": [label for _, label in known], "amended": []}
        if write:
            session.close_round(len(restored.asked) - 1, told)
        restored.told.append(told)
        state, asked = rounds.after(told["labels"])
    rounds.push(state)
    restored.cards.over = True
    return dealt


def amendments(restored: Restored) -> list[list[int]]:
    """Return [position, label] of answers in closed rounds that differ from what the search was told."""
    believed: list[int] = []
    for told in restored.told:
        believed += told["labels"]
        for position, label in told["amended"]:
            believed[position] = label
    labels = restored.cards.labels
    # An answer that was taken back altogether stays as told: a closed round cannot lack one.
    return [[p, labels[p]] for p, label in enumerate(believed) if labels[p] not in (label, OPEN)]


def rows_of(restored: Restored, amended: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Turn [position, label] into (row, label)."""
    rows = [row for asked in restored.asked for row in asked.rows]
    return [(rows[position], label) for position, label in amended]


def _deal(restored: Restored, rounds: Rounds, state, asked: Asked, known) -> None:
    rounds.push(state)
    restored.asked.append(asked)
    restored.cards.deal(len(asked), known, overview=asked.overview)


def _asked(stored: dict) -> Asked:
    return Asked(**{key: value for key, value in stored["asked"].items() if key != "known"})


def _act(cards: Cards, action: list[dict]) -> None:
    """Repeat an action; one on cards of another course of the search is past repeating, and past undoing."""
    if any(e["position"] is None or e["position"] >= len(cards.labels) for e in action):
        return
    cards.history.append([(e["position"], e["old"]) for e in action])
    for e in action:
        cards._put(e["position"], e["label"])


def _surviving(events: list[dict]) -> list[list[dict]]:
    """Return the actions that no undo took back, in order."""
    stack: list[list[dict]] = []
    for event in events:
        if event["kind"] not in ("answer", "undo"):
            continue
        if stack and stack[-1][0]["action"] == event["action"]:
            stack[-1].append(event)
        else:
            stack.append([event])
    kept: list[list[dict]] = []
    for action in stack:
        if action[0]["kind"] == "undo":
            kept.pop()
        else:
            kept.append(action)
    return kept


def _as_stored(restored: Restored, number: int, afters: list[int]) -> dict:
    start = restored.cards.rounds[number]
    asked = restored.asked[number]
    labels = restored.cards.labels[start : start + len(asked)]
    known = [(i, label) for i, label in enumerate(labels) if label != OPEN]
    told = restored.told[number] if number < len(restored.told) else None
    after = afters[number] if number < len(afters) else None
    return {"number": number, "start": start, "asked": vars(asked) | {"known": known}, "told": told, "after": after}


def _check_items(session: Session, events: list[dict], stored: list[dict], ids: Sequence[str]) -> None:
    for event in events:
        row = event["row"]
        if row is not None and (row >= len(ids) or str(ids[row]) != event["item"]):
            here = str(ids[row]) if row < len(ids) else "no item"
            raise ValueError(
                f"{session.path} holds answers about other items: row {row} was {event['item']!r} there and is "
                f"{here!r} here. Give the pool it was made with, or another session file."
            )
    most = max((row for r in stored for row in r["asked"]["rows"]), default=0)
    if most >= len(ids):
        raise ValueError(f"{session.path} asks row {most} of a pool of {len(ids)}. Give the pool it was made with.")
