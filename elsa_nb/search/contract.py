"""What every search strategy shares: the batch it asks, the answers it gets, and the record of both.

A strategy has `query() -> Batch | None` and `update(labels)`; those of this package keep a `Ledger`. Labels are int8:
1 positive, 0 negative, -1 unsure (asked, paid for, and used as neither).
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from numbers import Integral
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol, cast, runtime_checkable

import numpy as np

from elsa_nb.plain_arrays import in_order_of, plain_array, same_index
from elsa_nb.search.checks import check_rows, find_rows

if TYPE_CHECKING:
    from elsa_nb.search.heads.features import HeadInput
    from elsa_nb.search.heads.head import Head

UNASKED, UNSURE, NEGATIVE, POSITIVE = -2, -1, 0, 1
MOST_COMPONENTS = 16  # the parts of a strategy are numbered below this


class Component(IntEnum):
    """Which part of a strategy proposed a row. ELSA has three parts; a strategy of one part uses the last.

    Results have columns for these four; a strategy may use numbers of its own from 4 to 15 and name them in its
    `components`.
    """

    NN = 0
    RANDS = 1
    FINAL = 2
    PROBE = 3


class Batch(NamedTuple):
    """Questions to the oracle, at least one: `rows` (m,) int64, distinct; `components` (m,) int8; the `round`."""

    rows: np.ndarray
    components: np.ndarray
    round: int


class Log(NamedTuple):
    """All questions answered so far, in order: four arrays (m,). Seeds are not in it, unless asked again.

    `rows` int64 and their `labels` int8; which of the strategy's `components` asked, int8; the number of their
    `rounds`, int32.
    """

    rows: np.ndarray
    labels: np.ndarray
    components: np.ndarray
    rounds: np.ndarray


class Strategy(Protocol):
    """The least that simulations and the labelling panel need of a strategy."""

    def query(self) -> Batch | None:
        """Return the next questions, or None when the search is over."""

    def update(self, labels: Sequence[int] | np.ndarray) -> None:
        """Answer the last query, one label per row."""

    @property
    def log(self) -> Log:
        """All questions answered so far."""
        ...


@runtime_checkable
class Sharing(Strategy, Protocol):
    """A strategy that says what its copies may share: the panel copies a search in every round."""

    def shared_parts(self) -> Sequence[object]:
        """Return the large objects that a copy may share, since no search changes what they answer.

        Pools, and all that is made from their vectors, belong here.
        """
        ...


class Confident(Strategy, Protocol):
    """A strategy that says how sure it is of each row: the panel's estimates of what is missing rest on it."""

    def scores(self) -> np.ndarray:
        """Return the confidence (n,) float64 that each row is positive; `QueryError` while there is none."""
        ...


class Amendable(Strategy, Protocol):
    """A strategy that can be told that an earlier answer was wrong."""

    def amend(self, rows: Sequence[int] | np.ndarray, labels: Sequence[int] | np.ndarray) -> None:
        """Correct answers given earlier: they count from the next query on."""


class Concluding(Strategy, Protocol):
    """A strategy with a final search, which the panel can let come early. A registered strategy may do without."""

    @property
    def may_conclude(self) -> bool:
        """Tell whether the final search is still to come."""
        ...

    def conclude(self) -> None:
        """Let the final search come next."""


class RegisteredStrategy(Sharing, Confident, Amendable, Protocol):
    """A strategy that is known by name: sweeps, commands and the panel offer it.

    A class with these attributes, called with `(pool, seeds, *, config, rng)` and with what it `needs`; it makes what
    is not given. `elsa_nb.search.strategies.registry` says how it becomes known.
    """

    name: ClassVar[str]  # as in tables and figures, such as "Greedy probe"
    version: ClassVar[int]  # raised with a change of this strategy's logs: see `elsa_nb.search.version`
    config_class: ClassVar[type]  # a frozen dataclass whose defaults are the strategy's
    # "neighbours", "features", "prepared_rows": made once for a pool and handed to searches
    needs: ClassVar[tuple[str, ...]]
    components: ClassVar[Mapping[int, str]]  # the names of its parts in the panel and the session file
    colour: ClassVar[str]  # in figures, as "#rrggbb"

    @property
    def positives(self) -> np.ndarray:
        """The rows known to be positive, seeds included, ascending."""
        ...

    @property
    def draws_randomness(self) -> bool:
        """Tell whether the questions depend on `rng` at all."""
        ...

    def largest_batch(self) -> int:
        """Return how many rows the next query may ask at most."""
        ...


@runtime_checkable
class Scored(Strategy, Protocol):
    """A strategy whose head may be scored elsewhere, together with the heads of other searches."""

    def head_to_score(self) -> tuple["Head", "HeadInput"] | None:
        """Return the head whose logits over all rows the next `query` reads, with its features; None if none."""

    def query(self, logits: np.ndarray | None = None) -> Batch | None:
        """Return the next questions; `logits` (n,) are those of `head_to_score`, by default computed here."""


class QueryError(RuntimeError):
    """`query` and `update` were not called in turn."""


def check_labels(labels: Sequence[int] | np.ndarray, questions: int, rows: np.ndarray | None = None) -> np.ndarray:
    """Return `labels` as int8 (questions,); ValueError unless they are one per question, each 1, 0 or -1.

    `rows` (questions,) are those asked, where they are known: a pandas column of them in another order is refused.
    """
    cure = "give one label per row, in its order"
    given = plain_array(labels if rows is None else in_order_of(rows, labels, "labels"), "labels", cure)
    if given.shape != (questions,):
        raise ValueError(f"labels of shape {given.shape} for {questions} questions; {cure}")
    known = np.isin(given, (UNSURE, NEGATIVE, POSITIVE))
    known &= given.dtype.kind not in "mc"  # to NumPy one second equals 1, and so does 1 + 0i
    if not known.all():
        wrong = given[~known].tolist()[0]
        raise ValueError(f"label {wrong!r}; allowed: 1 (positive), 0 (negative), -1 (unsure)")
    return given.astype(np.int8)


def check_search(search: object) -> None:
    """Raise ValueError for what cannot ask and be answered, such as the class of a strategy."""
    if isinstance(search, type):
        raise ValueError(f"search is the class {search.__name__}; begin one: {search.__name__}(pool, seeds, rng=0)")
    if lacking := [name for name in ("query", "update", "log") if not hasattr(search, name)]:
        what = f"search of type {type(search).__name__} lacks {', '.join(lacking)}"
        raise ValueError(f"{what}; give one, such as Search(pool, seeds, rng=0)")


def next_batch(search: Strategy, logits: np.ndarray | None = None) -> Batch | None:
    """Return the next questions of `search`, or None at its end: whatever drives a search asks for them here.

    `logits` (n,) are those of its `head_to_score`, where they were computed elsewhere. Raises ValueError for a batch
    without rows: the author of the strategy meant that it is over, and it would be asked for ever.
    """
    batch = search.query() if logits is None else cast(Scored, search).query(logits)
    if batch is None or len(batch.rows):
        return batch
    raise ValueError(
        f"query() of {type(search).__name__} gives a batch of no rows; allowed: one row or more, or None, which ends "
        "the search: let it return None where nothing is left to ask"
    )


def check_logits(logits: np.ndarray, n: int) -> None:
    """Raise ValueError unless `logits` are an array of one finite number per row of a pool of `n`."""
    got = f"logits of type {type(logits).__name__}"
    if isinstance(logits, np.ndarray):
        got = f"logits of shape {logits.shape} and type {logits.dtype}"
        if logits.shape == (n,) and logits.dtype.kind in "fiu":
            if (finite := np.isfinite(logits)).all():
                return
            got = f"logits with {logits[~finite][0]} for row {int(np.argmin(finite))}"
    raise ValueError(
        f"{got}; allowed: None, or an array of {n} finite numbers, one per row, as the head of head_to_score() gives"
    )


def log_of(answered: Sequence[tuple[Batch, np.ndarray]]) -> Log:
    """Return batches and the labels (m,) given to each as one log, in their order."""
    return Log(
        np.concatenate([np.empty(0, np.int64), *(batch.rows for batch, _ in answered)]),
        np.concatenate([np.empty(0, np.int8), *(labels for _, labels in answered)]),
        np.concatenate([np.empty(0, np.int8), *(batch.components for batch, _ in answered)]),
        np.repeat(np.array([batch.round for batch, _ in answered], np.int32), [len(labels) for _, labels in answered]),
    )


def corrected(
    answered: Sequence[tuple[Batch, np.ndarray]], rows: np.ndarray, labels: np.ndarray
) -> list[tuple[Batch, np.ndarray]]:
    """Return batches and the labels (m,) given to each, but `labels` (k,) for `rows` (k,) wherever these were asked."""
    now = dict(zip(rows.tolist(), labels.tolist(), strict=True))
    again = []
    for batch, given in answered:
        pairs = zip(batch.rows.tolist(), given.tolist(), strict=True)
        again.append((batch, np.array([now.get(row, label) for row, label in pairs], np.int8)))
    return again


class Ledger:
    """The answers of one search over a pool of `n` rows, beginning with `seeds` (known positives).

    `seeds` are row numbers, or names out of `ids` (n,), those of the pool.
    """

    def __init__(self, n: int, seeds: Sequence[int] | Sequence[str] | np.ndarray, ids: np.ndarray | None = None):
        self.seeds = find_rows(seeds, ids, n, "seeds")
        if not len(self.seeds):
            raise ValueError("no seeds given; a search needs at least one known positive, by row number or by id")
        self.answers = np.full(n, UNASKED, np.int8)
        self.answers[self.seeds] = POSITIVE
        self._known = np.unique(self.seeds)
        self._pending: Batch | None = None
        self._answered: list[tuple[Batch, np.ndarray]] = []

    @property
    def known(self) -> np.ndarray:
        """Return the rows that have an answer, seeds and unsure ones included, ascending."""
        return self._known

    @property
    def positives(self) -> np.ndarray:
        """Return all rows known to be positive, seeds included, ascending."""
        return self._known[self.answers[self._known] == POSITIVE]

    @property
    def negatives(self) -> np.ndarray:
        """Return all rows known to be negative, ascending."""
        return self._known[self.answers[self._known] == NEGATIVE]

    @property
    def unasked(self) -> np.ndarray:
        """Return the mask (n,) of rows never asked."""
        return self.answers == UNASKED

    @property
    def left(self) -> int:
        """Tell how many rows were never asked."""
        return len(self.answers) - len(self._known)

    @property
    def asked(self) -> int:
        """Tell how many questions were answered, including those asked again."""
        return sum(len(labels) for _, labels in self._answered)

    @property
    def open(self) -> bool:
        """Tell whether questions wait for their answers."""
        return self._pending is not None

    def check_query(self, logits: np.ndarray | None) -> None:
        """Raise `QueryError` while questions are open, ValueError unless `logits` are one finite number per row."""
        self.check_answered()
        if logits is not None:
            check_logits(logits, len(self.answers))

    def check_answered(self) -> None:
        """Raise `QueryError` while questions are open."""
        if (pending := self._pending) is not None:
            raise QueryError(
                f"round {pending.round}: answer the {len(pending.rows)} open questions with update() "
                "before asking for more with query()"
            )

    def ask(self, batch: Batch, *, again: bool = False) -> Batch:
        """Open the questions of `batch` and return them, read-only: to sort them for display, sort a copy.

        Raises ValueError for what is not a batch of distinct rows of the pool, each with the number of a component, and
        for rows that have an answer already, unless the strategy means to ask them `again`: a search that only repeats
        questions would never end.
        """
        if not isinstance(batch, Batch):
            raise ValueError(f"questions of type {type(batch).__name__}; give a Batch(rows, components, round)")
        rows = check_rows(batch.rows, len(self.answers), "rows of a batch")
        components = np.asarray(batch.components)
        whole = components.shape == rows.shape and (components.dtype.kind in "iu" or not rows.size)
        if not whole or not ((components >= 0) & (components < MOST_COMPONENTS)).all():
            raise ValueError(
                f"components = {batch.components!r:.60}; give a number from 0 to {MOST_COMPONENTS - 1} for each of the "
                f"{len(rows)} rows, such as np.full({len(rows)}, 4, np.int8)"
            )
        if not again and len(known := rows[self.answers[rows] != UNASKED]):
            what = "is a seed" if known[0] in self.seeds else "was asked before"
            raise ValueError(
                f"row {known[0]} of a batch {what}; ask only rows that have no answer, those where ledger.unasked is "
                "True, or pass again=True to ask known rows again"
            )
        if not isinstance(batch.round, Integral):
            raise ValueError(f"round = {batch.round!r:.60}; give the round as a whole number")
        self._pending = Batch(rows, components.astype(np.int8), int(batch.round))
        self._pending.rows.flags.writeable = self._pending.components.flags.writeable = False
        return self._pending

    def answer(self, labels: Sequence[int] | np.ndarray) -> tuple[Batch, np.ndarray]:
        """Close the open questions with `labels`; return both. Wrong labels change nothing.

        A known positive that is asked again (a seed, in the released code) stays positive whatever the answer: Lambda
        only grows (Algorithm 4, lines 8 and 15). The log keeps the answer as given.
        """
        if self._pending is None:
            raise QueryError("no questions are open: they were answered already, or query() was not called yet")
        batch = self._pending
        given = check_labels(labels, len(batch.rows), batch.rows)
        self.answers[batch.rows] = np.where(self.answers[batch.rows] == POSITIVE, POSITIVE, given)
        self._known = np.union1d(self._known, batch.rows)
        self._answered.append((batch, given))
        self._pending = None
        return batch, given

    def amend(self, rows: Sequence[int] | np.ndarray, labels: Sequence[int] | np.ndarray) -> None:
        """Correct answers given earlier, in the log too. Rows that were never asked are refused and change nothing."""
        if same_index("corrections", rows, "labels", labels):
            rows, labels = np.asarray(rows), np.asarray(labels)
        rows = check_rows(rows, len(self.answers), "corrections")
        labels = check_labels(labels, len(rows), rows)
        if (never := rows[self.answers[rows] == UNASKED]).size:
            raise ValueError(f"row {never[0]} has no answer to correct; allowed: rows that were asked, and seeds")
        self.answers[rows] = labels
        self._answered = corrected(self._answered, rows, labels)

    @property
    def log(self) -> Log:
        """Return all questions answered so far, in order."""
        return log_of(self._answered)


class KeepsLedger:
    """What a strategy reports from the ledger that it keeps as `_ledger`: the base of this package's strategies."""

    _ledger: Ledger

    def __repr__(self) -> str:
        ledger, log = self._ledger, self._ledger.log
        seeds = np.count_nonzero(ledger.answers[ledger.seeds] == POSITIVE)  # one may have been taken back
        round = f", round {log.rounds.max() + 1}" if len(log.rounds) else ""
        return (
            f"<{type(self).__name__} in {len(ledger.answers):,} rows: {len(log.rows):,} labels, "
            f"{len(ledger.positives):,} positives ({seeds:,} of them seeds){round}>"
        )

    @property
    def log(self) -> Log:
        """All questions answered so far, in order."""
        return self._ledger.log

    @property
    def positives(self) -> np.ndarray:
        """The rows known to be positive, seeds included, ascending: Lambda of Algorithm 4, and at its end Lambda*."""
        return self._ledger.positives
