"""The rounds of a search as the panel goes through them: copies of the search, and what each asks.

A search is advanced on a copy, so that a round can be computed before the person has finished the one before, and so
that undo can lead back into an earlier round. The large parts (pool, neighbour lists, features) are shared.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np

from elsa_nb.label.audit_pages import AuditPages
from elsa_nb.label.first_examples import Begin
from elsa_nb.label.offered import (
    component_name,
    is_amendable,
    is_concluding,
    is_search,
    positives_of,
    scores_of,
    shared_parts_of,
    vectors_of,
)
from elsa_nb.label.stored import Asked
from elsa_nb.search.contract import UNSURE, Batch, Strategy, next_batch
from elsa_nb.search.stopping.remaining import scale_of


def first_answers(rows: Sequence[int] | np.ndarray, labels: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the positions, ascending, of the cards that count: of each item the first one that has an answer.

    `rows` and `labels` (m,) are those of all cards in the order of asking. A card that was only passed in a first look
    does not count, and an item that was asked again was filled in.
    """
    rows, answered = np.array(rows, np.int64), np.flatnonzero(np.array(labels, np.int64) >= UNSURE)
    return np.sort(answered[np.unique(rows[answered], return_index=True)[1]])


def fork(search: Strategy) -> Strategy:
    """Return a copy of `search` that goes on independently; what it says copies may share is not copied."""
    return copy.deepcopy(search, {id(part): part for part in shared_parts_of(search)})


def adopt(search: Strategy, state: Strategy) -> None:
    """Bring the user's own `search` object, and a search inside it, into the `state` of a copy."""
    inner = vars(search).get("search")
    vars(search).clear()
    vars(search).update(vars(fork(state)))
    if is_search(inner) and is_search(search.search):
        adopt(inner, search.search)
        search.search = inner


def questions_of(search: Strategy, batch: Batch) -> Asked:
    """Return the questions of an open `batch`, with the score and the nearest known positive of each row."""
    scores = scores_of(search)
    chosen = [None] * len(batch.rows) if scores is None else scores[batch.rows].tolist()
    near = _nearest(vectors_of(search), batch.rows, positives_of(search))
    names = [component_name(search, component) for component in batch.components.tolist()]
    scale = None if scores is None else scale_of(scores)
    overview = isinstance(search, Begin) and bool(search.in_overview)
    return Asked(int(batch.round), batch.rows.tolist(), names, chosen, near, scale, overview)


def _nearest(vectors: np.ndarray | None, rows: np.ndarray, positives: np.ndarray) -> list[int | None]:
    """Return for each row the nearest of `positives`, None without any."""
    if vectors is None or not len(positives):
        return [None] * len(rows)
    known = np.asarray(vectors[positives], np.float32)
    found = []
    for start in range(0, len(rows), 1024):
        block = np.asarray(vectors[rows[start : start + 1024]], np.float32)
        found.append(((known**2).sum(1) - 2 * block @ known.T).argmin(1))
    return positives[np.concatenate(found)].tolist()


class Rounds:
    """The rounds of one search as a stack of states: advance, look ahead, go back. Not safe for several threads."""

    def __init__(self, search: Strategy):
        if len(search.log.rows):
            raise ValueError(
                f"the search has {len(search.log.rows)} answers already; give a fresh one: the session file brings "
                "it back to where it was"
            )
        self.search = search
        self.seeds = positives_of(search)
        # The finds that an audit shows again: an answer to one is none about the item.
        self.control_rows = frozenset(search.control_items.tolist() if isinstance(search, AuditPages) else ())
        self._fresh = fork(search)
        self._stack: list[Strategy] = []

    def __len__(self) -> int:
        return len(self._stack)

    @property
    def state(self) -> Strategy:
        """The search with its last round open."""
        return self._stack[-1] if self._stack else self._fresh

    def reset(self) -> None:
        """Go back to the beginning."""
        self._stack.clear()
        adopt(self.search, self._fresh)

    def begin(self) -> tuple[Strategy, Asked | None]:
        """Return the search with its first questions."""
        return _query(fork(self._fresh))

    def after(
        self,
        labels: Sequence[int] | None,
        amended: Sequence[Sequence[int]] = (),
        state: Strategy | None = None,
        *,
        start: bool = False,
        conclude: bool = False,
        blind: Asked | None = None,
    ) -> tuple[Strategy, Asked | None]:
        """Return the search after the answers to its open round, with its next questions (None: it is over).

        `labels` are None where the open round is not the search's own; a `blind` page comes before its next questions.
        `amended` gives (row, label) of earlier answers that were changed since; with `start`, a search that is looking
        for examples begins with those it has; with `conclude`, one that has a final search goes over to it. Changes
        nothing here: `push` does.
        """
        after = fork(state or self.state)
        if start and isinstance(after, Begin):
            after.start()
        if conclude and is_concluding(after):
            after.conclude()
        if len(amended) and is_amendable(after):
            after.amend([row for row, _ in amended], [label for _, label in amended])
        if labels is not None:
            after.update(labels)
        return _query(after) if blind is None else (after, blind)

    def push(self, state: Strategy) -> None:
        """Make `state` the present one."""
        self._stack.append(state)
        adopt(self.search, state)

    def pop(self) -> None:
        """Go back to the round before."""
        self._stack.pop()
        adopt(self.search, self.state)


def _query(search: Strategy) -> tuple[Strategy, Asked | None]:
    batch = next_batch(search)
    return search, None if batch is None else questions_of(search, batch)
