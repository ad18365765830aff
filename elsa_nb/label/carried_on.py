"""How a session is carried on when its search now begins differently: all its answers first, then the search.

`as_begun` notices that it does, and `carry_on` makes the search. `Controller` calls both.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from elsa_nb.label.audit_pages import AuditPages
from elsa_nb.label.first_examples import Around, Begin
from elsa_nb.label.fixed_rows import Fixed
from elsa_nb.label.identity import Settled, answered_items, rows_in
from elsa_nb.label.offered import EARLIER, positives_of
from elsa_nb.label.places import Places
from elsa_nb.label.rounds import Rounds
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import NOT_ASKED
from elsa_nb.search.contract import POSITIVE, Batch, Log, Strategy

Begun = Callable[[np.ndarray], Strategy]  # makes a search from seeds


def answered_rows(session: Session, place: Places) -> np.ndarray:
    """Return the rows of the items that the annotator has answered, in their order."""
    return rows_in(answered_items(session, place)[0])


def as_begun(
    session: Session, place: Places, settled: Settled | None, search: Strategy, *, seeded: bool
) -> Settled | None:
    """Return `settled`, or how a session goes on when its fresh `search` now begins differently.

    `seeded`: a search that does not look for examples begins from those that came from files. It begins differently:

    - where an earlier version began with ordinary pages, and this one with a first look;
    - where a first look shows other pictures first: by other vectors, or from other examples to look like;
    - where the first questions are others: by another strategy, in other vectors, or on another machine;
    - where examples have come from a file or an audit since: the search begins from these, without a first look.

    The answers are then carried in front of the search, which begins from them: nobody is led back to look for
    examples.
    """
    begin = search if isinstance(search, Begin) else None  # it looks for examples
    carried = settled is not None and len(settled.carried)
    if settled is not None and (settled.fresh or (carried and begin is not None)):
        return settled
    if (first := next(iter(session.rounds()), None)) is None:
        return settled
    rows = answered_rows(session, place)
    looked = first.asked.overview
    if begin is None:
        if not len(rows):
            return settled
        if (looked and not carried) or (seeded and _examples_since(session, first.after)):
            why = "with a first look" if looked else "from fewer examples"
            why += ", and there are examples from a file by now" if looked else ": more came from a file or audit since"
        elif seeded and not carried and not looked and _asks_first(search) != first.asked.rows:
            why = "with other questions: by another strategy, in other vectors, or on another machine"
        else:
            return settled
    elif begin.overviews and not looked:
        why = "with pages of another kind, by an earlier version"
    elif len(rows) and first.asked.rows != begin.first_page:
        why = "with other pictures on its first page: by other vectors, or from other examples"
    else:
        return settled
    notice = f"This session was begun {why}. Your answers are kept, and the search goes on from them."
    return replace(settled or Settled(rows), carried=rows, fresh=True, notice=notice)


def _asks_first(search: Strategy) -> list[int]:
    """Return the rows that a fresh search asks first; the search stays as it is."""
    asked = Rounds(search).begin()[1]
    return [] if asked is None else asked.rows


def _examples_since(session: Session, event: int) -> bool:
    """Whether an example came from a file after an event of the session, and is one still."""
    return bool(session.current("id", kinds=NOT_ASKED, label=POSITIVE, since=event))


def carry_on(search: Strategy, rows: np.ndarray, begin: Begun | None = None) -> Strategy:
    """Return a strategy that asks `rows`, which were answered before, and then goes on as `search` (fresh).

    The panel fills the answers in. A search that looks for examples takes them as its first page. For one that has
    seeds, these are not asked again; where `begin(seeds)` makes it, it also begins from what was found before.
    Raises ValueError for an audit, which cannot go on with other items than it began with.
    """
    if isinstance(search, AuditPages):  # rows of the present items would be taken for those that it draws from
        raise ValueError(
            "an audit draws from the items that were here when it began, and they have changed: begin another audit, "
            "with another session file"
        )
    if isinstance(search, Begin):
        return search.carry(rows)
    rows = rows[~np.isin(rows, positives_of(search))]
    return CarriedOn(search, rows, begin) if len(rows) else search


class CarriedOn(Around):
    """A search with answers from an earlier course of its session in front, to be filled in.

    With `begin`, which makes the search from seeds, the rows answered positive become seeds too.
    """

    def __init__(self, search: Strategy, rows: np.ndarray, begin: Begun | None = None):
        self.search, self._seeds, self._begin = search, positives_of(search), begin
        self._earlier = Fixed(int(rows.max()) + 1, rows, component=EARLIER)

    def _in_front(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows answered before, and their labels."""
        return self._earlier.log.rows, self._earlier.log.labels

    def query(self) -> Batch | None:
        """Return the rows answered before; then the search's questions about others."""
        return self._ask_on(1) if len(self._earlier.log.rows) else self._earlier.query()

    def update(self, labels: Sequence[int] | np.ndarray) -> None:
        """Take the answers."""
        if len(self._earlier.log.rows):
            self._answer_on(labels)
            return
        self._earlier.update(labels)
        if self._begin is not None and len(self._earlier.positives):
            self._seeds = np.union1d(self._seeds, self._earlier.positives)
            self.search = self._begin(self._seeds)

    def amend(self, rows: Sequence[int], labels: Sequence[int]) -> None:
        """Take corrections, of the answers in front and of what the search asked; of both, where both have the row."""
        pairs = list(zip(rows, labels, strict=True))
        if earlier := [pair for pair in pairs if pair[0] in self._earlier.log.rows]:
            self._earlier.amend(*map(list, zip(*earlier, strict=True)))
        self._amend_search(rows, labels)

    @property
    def log(self) -> Log:
        """All questions answered so far, the earlier ones first."""
        return self._joined(self._earlier.log, 1)

    @property
    def positives(self) -> np.ndarray:
        """The rows known to be positive, ascending."""
        return np.union1d(self._earlier.positives, positives_of(self.search))
