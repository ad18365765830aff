"""The controller: session, cards and search together. It takes events and answers; it knows no widget and no kernel.

Every call may come from any thread. A handler does three quick things under the lock (reduce, commit, acknowledge);
searching happens on one thread of its own, also ahead of time (`ahead`).
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from elsa_nb.label import replay
from elsa_nb.label.advice import Advisor
from elsa_nb.label.ahead import Ahead
from elsa_nb.label.asked_before import EarlierCourse, begin_course
from elsa_nb.label.cards import NEGATIVE, OPEN, PASSED, POSITIVE, Cards, Steps, check_page_size
from elsa_nb.label.carried_on import Begun, answered_rows, as_begun, carry_on
from elsa_nb.label.first_examples import Begin
from elsa_nb.label.identity import Settled
from elsa_nb.label.lease import LeaseLostError
from elsa_nb.label.offered import uncorrected, vectors_of
from elsa_nb.label.places import Places
from elsa_nb.label.progress_figures import ProgressFigures, WorkSoFar
from elsa_nb.label.rounds import Rounds
from elsa_nb.label.second_look import Doubter, looked_again, seen_again
from elsa_nb.label.session import Session
from elsa_nb.label.session_queries import pace_of
from elsa_nb.label.stored import Asked, ToldAtEnd
from elsa_nb.search.contract import Strategy
from elsa_nb.search.stopping.remaining import Estimator

LONGEST_PAUSE = 60.0  # seconds: a longer silence is a pause, not work on a label


class Controller:
    """One annotator at work on one session.

    `publish(message)` is called with what happens unasked: {"kind": "deal" | "over" | "ahead" | "trouble" | "lease" |
    "doubts"}; it must be quick and may be called from other threads. `worker` computes the rounds, one after another,
    and doubtful answers; by default these are two threads of the controller's own, and `close` shuts them down in any
    case. `settled` is what `identity.settle` said of the session, `kind` the kind of search, for `EarlierCourse`.
    """

    def __init__(
        self,
        search: Strategy,
        ids: Sequence[str],
        session: Session,
        *,
        size: int = 24,
        estimate: Estimator | None = None,
        target: float | None = None,
        settled: Settled | None = None,
        begin: Begun | None = None,
        kind: str = "",
        publish: Callable[[dict[str, Any]], None] = lambda message: None,
        worker: Executor | None = None,
    ):
        check_page_size(size)
        self.lock = threading.RLock()
        self.session, self.ids, self.publish = session, ids, publish
        self.advisor = Advisor(estimate, target, size)
        self._places = Places([str(item) for item in ids])
        self._kind, self._begin = kind, begin
        settled = self._settled = as_begun(session, self._places, settled, search, seeded=begin is not None)
        # Rows whose answers stand in front of the search.
        self.carried = settled.carried if settled is not None else np.empty(0, np.int64)
        self.rounds = self._rounds_of(search)
        self.seconds = pace_of(session)
        self.error: str | None = None
        self.refused = False  # the last answers could not be stored
        self.resting = False
        self._mark = (0, 0)  # of the session when it began to rest
        self._size = size
        self._last = time.monotonic()
        self.doubter = Doubter(session, self._places.rows, self._doubted, worker)
        self._ahead = Ahead(self.lock, self._computed, self._failed, worker)
        self._wishes: dict[str, Any] = {}  # what is to come next: "start", "conclude", or rows to be seen "again"
        self._figures = ProgressFigures(self.advisor)
        self.held = session.acquire()
        self._restore()
        self._make_ready()

    def _make_ready(self) -> None:
        """Compute the next round, ahead of time where nobody waits for it yet: it loads libraries and compiles code."""
        if self.held and self.asked and not self.cards.over:
            self._want()

    def _rounds_of(self, search: Strategy) -> Rounds:
        return Rounds(carry_on(search, self.carried, self._begin) if len(self.carried) else search)

    def begin_again(self, search: Strategy, notice: str, *, carried: np.ndarray | None = None) -> None:
        """Go on with another, fresh `search`. No answer is lost: what it asks and the file knows is filled in.

        In front of a search with seeds come all answers so far, and the finds among them become seeds too. With
        `carried` (rows), the answers to these rows come in front instead.
        """
        with self.lock:
            if carried is not None:
                self.carried = carried
            elif self._begin is not None and not isinstance(search, Begin):
                self.carried = answered_rows(self.session, self._places)
                self._settled = Settled(self.carried, fresh=True)
            self.rounds, self._wishes = self._rounds_of(search), {}
            self._restore()
            self._restored.notice = notice
            self._make_ready()  # a page that was answered to its end waits for it

    # --- state

    @property
    def cards(self) -> Cards:
        """The cards."""
        return self._restored.cards

    @property
    def asked(self) -> list:
        """The questions behind the cards, by round."""
        return self._restored.asked

    @property
    def notice(self) -> str:
        """What the person should know about how the session was opened."""
        return self._restored.notice

    def _restore(self) -> None:
        try:
            self._restore_held()
        except LeaseLostError:  # another window has taken the session over at this moment: this one only looks on
            self.held = False
            self._restore_held()
        except Exception:
            self.held = False  # the cards are not as the file has them; `look_around` restores them with the lease
            raise

    def _restore_held(self) -> None:
        self._ahead.forget()
        settled = self._settled
        if self.held:
            begin_course(self.session, settled, self.ids, self._kind)
            self._settled = None
        self._restored = replay.restore(self.session, self.rounds, self.ids, self._size, write=self.held)
        if settled is not None and (settled.notice or settled.replaced):
            notices = settled.notice or self._restored.notice, settled.replaced
            self._restored.notice = " ".join(filter(None, notices))
        self._earlier = EarlierCourse(self.session, self.ids, self._kind)
        self._servable = {row for asked in self.asked for row in asked.rows} | set(self.rounds.seeds.tolist())
        self._imported = replay.imported_rows(self.session, self._places.rows)
        self._doubt()

    def card(self, position: int) -> dict[str, Any]:
        """Return what a card says: row, item, round, component, score, nearest positive."""
        return self._restored.card(position, self.ids)

    def may_show(self, row: int) -> bool:
        """Whether a row belongs to the session: asked, about to be asked, or a seed. Nothing else is ever served."""
        return row in self._servable

    def finds(self) -> list[int]:
        """Return the rows labelled positive, in the order of asking."""
        with self.lock:
            return [row for row, label in self._restored.labels_by_row().items() if label == POSITIVE]

    def places(self, items: Sequence[str]) -> dict[str, tuple[int, int | None]]:
        """Return row and position (None: not asked here) of items that the session is about; they may be shown."""
        rows = self._places.rows
        with self.lock:
            mine = {row: i for i, row in enumerate(row for asked in self.asked for row in asked.rows)}
            found = {item: (rows[item], mine.get(rows[item])) for item in items if item in rows}
            self._servable |= {row for row, _ in found.values()}
        return found

    # --- events

    def start(self) -> None:
        """Let the search begin when the open page is answered, whether enough examples are marked or not."""
        with self.lock:
            self._wishes |= {"start": True}

    def conclude(self) -> None:
        """Let the final search come when the open round is answered."""
        with self.lock:
            self._wishes |= {"conclude": True}

    def handle(self, events: Sequence[dict[str, Any]]) -> bool:
        """Apply events and commit what they changed; return whether they were accepted.

        When it returns True, every answer in them is on the disk. When it returns False nothing was stored, and the
        cards are as the file has them.
        """
        with self.lock:
            if not self.held:
                return False
            now, steps, actions = time.monotonic(), [], []
            try:
                for event in events:
                    step = self.cards.apply(event)
                    for _ in range(step.withdrawn):
                        self._restored.asked.pop()
                    for _ in range(step.withdrawn + step.resumed):
                        self._restored.told.pop()
                        self.rounds.pop()
                    if step.withdrawn or step.resumed:
                        self._ahead.forget()
                    # At once: a later event may take back the round that this one is about.
                    actions += [self._restored.answers(step.changes, self.ids, self.rounds)] if step.changes else []
                    if step.undone:
                        self._wishes = {}  # they were about the page as it was
                    steps.append(step)
                changed = sum(len({a.item for a in act if a.label != PASSED and a.label != a.old}) for act in actions)
                each = min(now - self._last, LONGEST_PAUSE) / changed if changed else None
                if actions:
                    self.session.write(
                        *([replace(answer, seconds=each) for answer in action] for action in actions),
                        undone=[step.undone for step in steps if step.changes],
                        withdrawn=len(self.asked) if any(s.withdrawn or s.resumed for s in steps) else None,
                    )
            except Exception as error:  # whatever it was: the cards must be as the file has them
                self._refused(error)
                self._make_ready()
                return False
            if any(step.undone for step in steps):  # an answer from a file or an audit may stand again
                withdrawn = any(step.withdrawn for step in steps)
                at = None if withdrawn else [change.position for step in steps for change in step.changes]
                self._restored.agree_with_file(self.rounds, self.session, self.ids, at)
            self.error, self.refused = None, False
            if changed:
                self._last = now
                self.seconds += [each] * changed
            self._look_on(steps)
            return True

    def _refused(self, error: Exception) -> None:
        """Go back to what the file has, and say why."""
        self.held = self.held and not isinstance(error, LeaseLostError)
        self.error, self.refused = str(error), True
        with suppress(Exception):  # it cannot be read either: that is the same trouble
            self._restore()
        self.publish({"kind": "trouble", "text": self.error})

    # --- rounds, now and ahead of time

    def _look_on(self, steps: Sequence[Steps]) -> None:
        cards = self.cards
        last_page = cards.open and (cards.open <= cards.size or cards.overviews[-1])
        if cards.waiting or (last_page and any(step.changes for step in steps)):
            self._want()

    def _told(self) -> ToldAtEnd:
        """Return what the search would be told now: labels of the open round, and amendments of earlier ones."""
        cards = self.cards
        rest = PASSED if cards.overviews[-1] else NEGATIVE
        labels = [rest if label == OPEN else label for label in cards.labels[cards.rounds[-1] :]]
        amended = tuple((position, label) for position, label in replay.amendments(self._restored))
        return ToldAtEnd(tuple(labels), amended, tuple(self._wishes.items()))

    def _want(self) -> None:
        """Compute the round that follows the present answers; deal it if it is there and the person waits."""
        told, restored = self._told(), self._restored
        labels, amended = replay.labels_told(restored, told.labels), replay.rows_of(restored, told.amended)
        wishes = replay.wishes_of(restored, told)
        found = self._ahead.want(told, partial(self.rounds.after, labels, amended, self.rounds.state, **wishes))
        if found is not None and self.cards.waiting:
            self._turn_over(told, *found)

    def _computed(self, told: ToldAtEnd, asked: Asked | None) -> None:
        """Deal the round that was computed if the person waits for it; else its pictures may go to the screen."""
        self._servable |= set(asked.rows if asked else ())
        dealt = self.cards.waiting and told == self._told()
        if self.cards.waiting:
            self._want()
        if asked is not None and not dealt:
            shown = len(asked) if asked.overview else self.cards.size
            self.publish({"kind": "ahead", "rows": asked.rows[:shown]})

    def _failed(self, told: ToldAtEnd, error: Exception) -> None:
        """Say that the search failed, unless the answers that it failed on have changed by now."""
        if told == self._told():
            self.cards.waiting = False
            self.error = f"the search failed: {error}"
            self.publish({"kind": "trouble", "text": self.error})

    def _turn_over(self, told: ToldAtEnd, state: Strategy, asked: Asked | None) -> None:
        """Close the open round with the answers it was computed for, and deal the next."""
        self._ahead.forget()
        self._wishes = {}
        try:
            self.session.close_round(len(self.asked) - 1, told)
            self._restored.told.append(told)
            dealt = replay.go_on(self._restored, self.rounds, state, asked, self.session, self.ids)
        except Exception as error:
            self._refused(error)
            return
        self.cards.waiting = False
        self._servable |= {row for asked in self.asked[-len(dealt) :] for row in asked.rows}
        for which, known in enumerate(dealt, len(self.asked) - len(dealt)):
            more = which + 1 < len(self.asked) or self.cards.over
            self.publish({"kind": "deal", "known": known, "more": more} | self.cards.as_dealt(which))
        if self.cards.over:
            self.publish({"kind": "over"})
        if told.amended and (notice := uncorrected(state)) not in ("", self.notice):
            self._restored.notice = notice
            self.publish({"kind": "trouble", "text": notice})
        self._doubt()

    # --- doubtful answers

    def _doubt(self) -> None:
        """Look for doubtful answers in the closed rounds, beside the person's work."""
        if self.held and len(self.asked) > 1:
            own = self._restored.labels_by_row(None if self.cards.over else self.cards.rounds[-1])
            known = {"seen": seen_again(self.asked), "known": self.rounds.seeds.tolist(), "over": self.cards.over}
            self.doubter.begin(len(self.asked), vectors_of(self.rounds.state), own, **known)

    def _doubted(self, error: str | None) -> None:
        if error:  # on another thread: the error of now must not be put back after it was taken away
            self.error = error
        self.publish({"kind": "trouble", "text": error} if error else {"kind": "doubts"})

    def look_again(self) -> None:
        """Show again what is offered: after the open round, which is taken back if nothing in it is answered."""
        with self.lock:
            if not self.held or (offer := self.doubter.offer(self.asked)) is None or self.cards.waiting:
                return
            wishes = replay.reopened(self._restored, self.rounds)
            if wishes is not None:
                try:
                    self.session.write(withdrawn=len(self.asked))
                except Exception as error:
                    self._refused(error)
                    return
                self._ahead.forget()
            self._wishes |= (wishes or {}) | {"again": offer.rows}
            if not self.cards.open:
                self.cards.waiting = True
                self._want()

    # --- figures

    def figures(self) -> dict[str, Any]:
        """Return the figures about the work so far."""
        with self.lock:
            labels, asked, starts = list(self.cards.labels), self._earlier.in_place(self.asked), self.cards.starts
            state, seeds, seconds = self.rounds.state, self.rounds.seeds, self.seconds[-500:]
            seen = looked_again(asked, self._restored.told, self.cards, self.doubter.differing)
            offer = None if isinstance(state, Begin) and state.looking else self.doubter.offer(asked)
            examples, wishes = self._restored.example_rows(seeds.tolist())[:24], [*self._wishes]
            more = self._imported, len(self.ids), self._earlier.untold(self.asked, labels)
            now = WorkSoFar(labels, asked, starts, state, seeds, seconds, seen, offer, *more)
        return self._figures(now, examples, wishes)

    # --- other windows

    def look_around(self, *, force: bool = False) -> bool:
        """Show a sign of life, or take the lease where it is free (or by `force`); return whether this changed."""
        with self.lock:
            before = self.held
            if self.resting and not force:
                return False
            self.resting = False
            if self.held and not force:
                self.held = self.session.keep()
                if self.held and self.cards.waiting:  # a round that could not be closed is computed anew
                    self._make_ready()
            elif self.session.acquire(force=force, patient=True):
                self.held = True
                self._restore()
                self._make_ready()
            return self.held != before

    def rest(self) -> None:
        """Give the lease back because nobody looks: whoever opens the session next, here or elsewhere, gets it."""
        with self.lock:
            if self.held and not self.cards.waiting:
                self._mark = self.session.mark()
                self.session.release()
                self.held, self.resting = False, True

    def wake(self) -> bool:
        """Take the lease again if it is still free, since somebody looks. Return whether the cards have changed."""
        with self.lock:
            if not self.resting:
                return False
            self.resting, self.held = False, self.session.acquire(patient=True)
            if changed := self.session.mark() != self._mark:
                self._restore()
                self._make_ready()
            return changed

    def close(self) -> None:
        """Finish the work in hand, give the lease back and close the file."""
        self._ahead.close()
        self.doubter.close()
        self.session.close()
