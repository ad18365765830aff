"""Answers that the others contradict, looked at again: which ones, when that is offered, and what came out.

Anyone who labels for hours errs now and then, and the search believes it. `Doubts` finds the answers that do not fit
the others (`elsa_nb.search.recheck`), and the panel offers to show these items again on a page that does not say what
was answered. Where several people label, one is asked about the others' doubtful answers first: a second opinion. The
page is a round of the session, but not of the search. What is answered on it counts from then on; what is left stays.

Each answer of a person is shown again only once: anyone who says the same twice is believed.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from elsa_nb.counts import count_of
from elsa_nb.label.cards import NEGATIVE, POSITIVE, UNSURE, Cards
from elsa_nb.label.session import Session
from elsa_nb.label.session_queries import disagreements
from elsa_nb.label.stored import SECOND_OPINION, SEEN_AGAIN, Asked, ToldAtEnd
from elsa_nb.search.heads.prepared_rows import Preparation
from elsa_nb.search.recheck import contradictions

PAGE = 24  # answers on one page, those that are contradicted most
ENOUGH = 60  # answers: fewer cannot contradict one reliably
WORTH = 3  # doubtful answers that are worth a page while the search goes on; at its end one is enough
# Log-odds with which the others say the opposite. Near 0 most of what is shown was right and only looks odd, at 2
# hardly anything is shown: a choice between the two.
CONTRADICTED = 1.0
_LEARNT_FROM, _WEAK = 4096, 200  # rows of which the preparation is made; of them, those taken for weak negatives

Answers = Mapping[int, int]  # labels by row


@dataclass(frozen=True)
class Offer:
    """Rows to be seen again, the most doubtful first, and what the page says about them.

    `whose` are the people whose answers they are; nobody for one's own.
    """

    rows: tuple[int, ...]
    whose: tuple[str, ...] = ()

    @property
    def button(self) -> str:
        """What the button says."""
        return f"Second opinion on {_count(self.rows)}" if self.whose else f"Look again at {_count(self.rows)}"

    @property
    def why(self) -> str:
        """Why these, and what will happen."""
        one = len(self.rows) == 1
        contradict, these = ("contradicts", "this one") if one else ("contradict", "these")
        if self.whose:
            return (
                f"{_count(self.rows)} by {' and '.join(self.whose)} {contradict} their other answers: items that look "
                f"like {these} got the opposite answer. What do you say? Their answer is not shown and stays as it is; "
                "Compare shows where you differ."
            )
        return (
            f"{_count(self.rows)} of yours {contradict} your other answers: items that look like {these} got the "
            "opposite answer. Some are slips, others hard cases. You see the items without your answer; what you say "
            "then counts, and the search goes on from it."
        )


class Doubts:
    """Find doubtful answers in the `vectors` (n, d) of a pool. Not safe for several threads."""

    def __init__(self, vectors: np.ndarray):
        self.vectors = vectors
        self._sample = np.sort(np.random.default_rng(0).permutation(len(vectors))[:_LEARNT_FROM])
        self._prepare: Preparation | None = None
        self._known: dict[str | None, tuple[Answers, dict[int, float]]] = {}

    def offer(
        self,
        own: Answers,
        others: Mapping[str, Answers],
        *,
        known: Collection[int] = (),
        seen: Collection[int] = (),
        over: bool = False,
    ) -> Offer | None:
        """Return what to look at again, None while nothing is worth it.

        `own` are the person's answers, `known` rows that are taken as positive whatever was answered (seeds), `seen`
        those that this person has seen again already; `over` says that the search is at its end. `others` are the
        answers of other people, by name: doubtful ones of theirs come first. An answer that two people share is not
        doubtful.
        """
        worth = 1 if over else WORTH
        theirs: dict[int, float] = {}
        whose = set()
        for name, answers in others.items():
            new = {row: by for row, by in self._against(name, answers).items() if row not in own and row not in seen}
            whose |= {name} if new else set()
            theirs |= {row: max(by, theirs.get(row, by)) for row, by in new.items()}
        if len(theirs) >= worth:
            return Offer(_most(theirs), tuple(sorted(whose)))
        shared = {row for row, label in own.items() if any(each.get(row) == label for each in others.values())}
        against = self._against(None, own, known)
        mine = {row: by for row, by in against.items() if row not in seen and row not in shared and row not in known}
        return Offer(_most(mine)) if len(mine) >= worth else None

    def _against(self, whose: str | None, answers: Answers, known: Collection[int] = ()) -> dict[int, float]:
        """Return the contradicted among `answers`, with how strongly the others speak against each, in log-odds."""
        sure = {row: label for row, label in answers.items() if label in (NEGATIVE, POSITIVE)}
        if len(sure) < ENOUGH or len(set(sure.values())) < 2:
            return {}
        if self._known.get(whose, (None,))[0] != sure:
            sure_of = sure | dict.fromkeys(known, POSITIVE)
            rows = np.array(list(sure_of), np.int64)
            weak = np.setdiff1d(np.random.default_rng(0).choice(self._sample, min(_WEAK, len(self._sample))), rows)
            positive = np.array(list(sure_of.values())) == POSITIVE
            by = contradictions(self._prepared(rows), positive, self._prepared(weak))
            self._known[whose] = sure, dict(zip(rows.tolist(), by.tolist(), strict=True))
        return {row: by for row, by in self._known[whose][1].items() if by > CONTRADICTED}

    def _prepared(self, rows: np.ndarray) -> np.ndarray:
        """Return prepared rows (m, k), with a preparation learnt from a sample: the pool may be large."""
        if self._prepare is None:
            self._prepare = Preparation.of(np.ascontiguousarray(self.vectors[self._sample]))
        return self._prepare(np.ascontiguousarray(self.vectors[rows])).astype(np.float64)


class Doubter:
    """Find doubtful answers of a session on a thread of its own (or on `worker`), one round after another.

    `rows` are those of the session's items, by name. `offers` holds what was found, by the number of rounds asked by
    then. `done` is called after each look, with the error message, or None.
    """

    def __init__(
        self,
        session: Session,
        rows: Mapping[str, int],
        done: Callable[[str | None], None],
        worker: Executor | None = None,
    ):
        self.offers: dict[int, Offer | None] = {}
        self._session, self._rows, self._done = session, rows, done
        self._by_others: dict[str, dict[int, int]] = {}
        self._read = 0  # the last event of the log that is in there
        self._worker = worker or ThreadPoolExecutor(1, "elsa-doubts")  # no round waits for it
        self._doubts: Doubts | None = None
        self._latest: Future = Future()
        self._latest.set_result(None)

    def begin(self, number: int, vectors: np.ndarray | None, own: Answers, **known: Any) -> None:
        """Look for what is worth seeing again after `number` rounds (`Doubts.offer`); without vectors, nothing is."""
        self.offers.clear()
        if vectors is not None:
            self._latest = self._worker.submit(self._find, number, vectors, own, known)

    def wait(self) -> None:
        """Wait until what was begun last is found."""
        self._latest.result()

    def _find(self, number: int, vectors: np.ndarray, own: Answers, known: Mapping[str, Any]) -> None:
        try:
            if self._doubts is None or self._doubts.vectors is not vectors:
                self._doubts = Doubts(vectors)
            found = self._doubts.offer(own, self._others(), **known)
        except Exception as error:  # an error on this thread would reach nobody
            self._done(f"doubtful answers could not be looked for: {error}")
            return
        self.offers = {number: found}
        self._done(None)

    def _others(self) -> dict[str, dict[int, int]]:
        """Return the answers of the session's other people, by their names."""
        for event, who, item, label in self._session.said_by_others(self._read):
            self._read = event
            if (row := self._rows.get(item)) is not None:
                theirs = self._by_others.setdefault(who, {})
                theirs.pop(row, None)
                if label >= UNSURE:
                    theirs[row] = label
        return self._by_others

    def offer(self, asked: Sequence[Asked]) -> Offer | None:
        """Return what may be seen again now, after the rounds `asked`."""
        return None if not asked or asked[-1].blind else self.offers.get(len(asked))

    def differing(self, rows: Sequence[int]) -> int:
        """Return on how many of `rows` people differ."""
        return sum(self._rows.get(each["item"]) in rows for each in disagreements(self._session))

    def close(self) -> None:
        """Finish what is in hand."""
        self._worker.shutdown(wait=True, cancel_futures=True)


def blind_page(rows: Sequence[int], asked: Sequence[Asked], labels: Sequence[int]) -> Asked:
    """Return the page on which `rows` are seen again, after the rounds `asked` and the `labels` of their cards."""
    mine = any(position is not None for position in earlier_cards(rows, asked, labels))
    nothing = [None] * len(rows)  # neither score nor nearest find: both would give the answer away
    component = SEEN_AGAIN if mine else SECOND_OPINION
    return Asked(asked[-1].number, list(rows), [component] * len(rows), nothing, nothing, None, True)


def earlier_cards(rows: Sequence[int], asked: Sequence[Asked], labels: Sequence[int]) -> list[int | None]:
    """Return the position of the card on which each row was answered, the search's own if it has one; None: none."""
    cards = [(row, each.blind) for each in asked for row in each.rows]
    first: dict[int, int] = {}
    for wanted in (False, True):
        for position, ((row, blind), label) in enumerate(zip(cards, labels, strict=False)):
            if blind == wanted and label >= UNSURE:
                first.setdefault(row, position)
    return [first.get(row) for row in rows]


def seen_again(asked: Sequence[Asked]) -> set[int]:
    """Return the rows that were on a page of this kind."""
    return {row for each in asked if each.blind for row in each.rows}


def looked_again(
    asked: Sequence[Asked], told: Sequence[ToldAtEnd], cards: Cards, differing: Callable[[Sequence[int]], int]
) -> dict[str, Any] | None:
    """Return what came of the pages on which items are seen again; None where there was none yet.

    The result has the number of such `pages`, the number of answers on `all` of them, and in `said` a sentence about
    the page that was closed last, "" where another round has been closed since. `told` is what the search was told of
    each closed round, and `differing` returns on how many of some rows people differ.
    """
    closed = [(a, t, start) for a, t, start in zip(asked, told, cards.rounds, strict=False) if a.blind]
    if not closed:
        return None
    counts = [sum(label >= UNSURE for label in t.labels) for _, t, _ in closed]
    just = [(a, t, start) for a, t, start in closed if a in asked[-2 if not cards.over else -1 :]]
    said = _outcome(*just[-1], cards, differing) if just else ""
    return {"pages": len(closed), "all": sum(counts), "said": said}


def _outcome(asked: Asked, told: ToldAtEnd, start: int, cards: Cards, differing: Callable[[Sequence[int]], int]) -> str:
    answered = [i for i, label in enumerate(told.labels) if label >= UNSURE]
    if asked.components[0] == SECOND_OPINION:
        against = differing([asked.rows[i] for i in answered])
        return f"A second opinion on {_count(answered)}: you differ on {against}{' (Compare)' if against else ''}."
    amended = {position for position, _ in told.amended}
    changed = sum(cards.earlier[start + i] in amended for i in answered)
    left = len(asked) - len(answered)
    rest = f"; {left} left as {'it was' if left == 1 else 'they were'}" if left else ""
    return f"Seen again: {_count(answered)}, {changed} changed{rest}."


def _most(against: Mapping[int, float]) -> tuple[int, ...]:
    return tuple(sorted(against, key=lambda row: (-against[row], row))[:PAGE])


def _count(answers: Sequence) -> str:
    return count_of(len(answers), "answer")
