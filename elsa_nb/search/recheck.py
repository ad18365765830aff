"""Doubtful answers asked again before they steer a search: those that the other answers contradict most.

A person who answers hundreds of questions errs in some of them, and a search believes each answer. The other answers
tell which one to doubt: a line is fitted through all of them, and each is compared with what the line would say without
it.

    x_i, y_i   prepared rows and answers, and some random unlabelled rows as weak negatives: a tenth of an answer each
    w, b    <- logistic regression, penalty 0.3 |w|^2 / 2, each answer at the cost c_i = 1: not balanced by class,
               for among many refusals a few errors make many false finds, and these do the harm
    p_i     <- 1 / (1 + exp(-f_i)), f_i = w . x_i + b
    q_i     <- x_i' H^-1 x_i, H the Hessian of the penalised loss at w, b; x_i with a 1 for b
    f_-i    <- f_i + q_i c_i (p_i - y_i) / (1 - q_i c_i p_i (1 - p_i))       the log-odds of i, left out
    contradiction of i <- -f_-i if the answer was positive, else f_-i

f_-i is one Newton step from the fit with i to the fit without it (approximate leave-one-out; Rad and Maleki, 2020).
`benchmarks/results/people_who_err_summary.csv` and notebook 15 have the effect of asking again: with 10 % of the
answers flipped, a fiftieth of what is believed is false instead of a sixth; where real people err and the next person
is asked, half of the errors remain.

`Rechecked` puts such answers to the oracle again. A second answer that agrees settles the matter; one that differs
calls for a third, and two of three win. An answer that changes goes to the search by `amend`; each question is a label.
"""

from collections.abc import Sequence

import numpy as np

from elsa_nb.search.checks import as_truths, check_made, check_number, check_rng
from elsa_nb.search.contract import (
    NEGATIVE,
    POSITIVE,
    UNASKED,
    UNSURE,
    Batch,
    Log,
    QueryError,
    RegisteredStrategy,
    check_labels,
    check_search,
    log_of,
    next_batch,
)
from elsa_nb.search.heads.logistic import confidence, logistic_regression
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.threads import one_blas_thread

RECHECK = 19  # the component of questions asked again
_WEAK, _WEAK_WEIGHT = 200, 0.1
_VOTES = 3  # answers to one question, at most


def contradictions(
    vectors: np.ndarray, positive: np.ndarray, weak: np.ndarray | None = None, *, l2: float = 0.3
) -> np.ndarray:
    """Return how strongly the other answers contradict each one: log-odds (m,) float64 against it, without it.

    `vectors` (m, d) are of the answered rows, of unit length best (`PreparedRows.take`); `positive` (m,) bool the
    answers; `weak` (k, d) are unlabelled rows taken for negatives, with little weight. Above 0 the others say
    the opposite. Zeros are returned unless both answers occur, `weak` rows included: nothing is contradicted then.
    """
    positive = as_truths("answers", positive, "an answer (such as labels == 1)")
    for name, given in {"vectors": vectors, **({} if weak is None else {"weak": weak})}.items():
        if np.ndim(given) != 2:
            raise ValueError(f"{name} of type {type(given).__name__} and shape {np.shape(given)}; give an array (m, d)")
    check_number("l2", l2, "more than 0", above=0)
    if len(vectors) != len(positive):
        raise ValueError(f"{len(positive)} answers for {len(vectors)} vectors; give one answer per row")
    x, y, cost = np.asarray(vectors, float), positive, np.ones(len(positive))
    if weak is not None and len(weak):
        x = np.concatenate([x, weak])
        y = np.concatenate([y, np.zeros(len(weak), bool)])
        cost = np.concatenate([cost, np.full(len(weak), _WEAK_WEIGHT)])
    if y.all() or not y.any():
        return np.zeros(len(positive))
    with one_blas_thread():
        weights, bias = logistic_regression(x, y, l2, costs=cost, tolerance=1e-6)
        logits = x @ weights + bias
        p = confidence(logits)
        design = np.column_stack([x, np.ones(len(x))])
        curvature = cost * p * (1 - p)
        hessian = (design.T * curvature) @ design
        hessian[np.diag_indices_from(hessian)] += np.append(np.full(x.shape[1], l2), 1e-9)
        leverage = np.einsum("ij,ji->i", design, np.linalg.solve(hessian, design.T))
    without = logits + leverage * cost * (p - y) / np.maximum(1 - leverage * curvature, 1e-3)
    return np.where(y, -without, without)[: len(positive)]


class Rechecked:
    """A search that asks its most doubtful answers again: a strategy around another one, under the same contract.

    `search` has `amend` and is new: one that has asked already is refused. `prepared_rows` are those of its pool; doubt
    is computed from them, whatever the search itself looks at. Of all questions that the search asked, at most the
    share `share` is asked again, and only answers that the others contradict. `rng` draws the weak negatives. Seeds
    are believed.

    The log holds every answer as it was given; `answers` holds what is believed now.
    """

    def __init__(
        self,
        search: RegisteredStrategy,
        prepared_rows: PreparedRows,
        *,
        share: float = 0.15,
        rng: np.random.Generator | int | None,
    ):
        check_number("share", share, "0 (never ask again) to 1 (as many as were asked)", least=0, most=1)
        if not hasattr(search, "amend"):
            raise ValueError(
                f"{type(search).__name__} has no amend(): its answers cannot be corrected, nor asked again"
            )
        check_search(search)
        if asked := len(search.log.rows):
            raise ValueError(
                f"the search has asked {asked} rows already, whose answers could not be doubted; give a new search"
            )
        if prepared_rows is None:
            raise ValueError("prepared_rows = None; give PreparedRows.of_pool(pool), made of the pool of the search")
        pool = getattr(search, "pool", None)  # not part of the contract, but all strategies of this package have one
        check_made("prepared_rows", prepared_rows, pool)
        self.search = search
        self.share = share
        self._prepared = prepared_rows
        n = len(prepared_rows)
        self.answers = np.full(n, UNASKED, np.int8)
        self._seeds = search.positives
        self.answers[self._seeds] = POSITIVE
        self._weak = check_rng(rng).choice(n, min(_WEAK, n), replace=False)
        self._votes: dict[int, list[int]] = {}  # of questions asked again, the first answer included
        self._amended: set[int] = set()  # rows whose answers were corrected from outside
        self._ties: list[int] = []
        self._spare = 0.0  # questions that may be asked again
        self._open: Batch | None = None
        self._answered: list[tuple[Batch, np.ndarray]] = []
        self._rounds = 0
        self.changed = 0

    def __repr__(self) -> str:
        seeds = np.count_nonzero(self.answers[self._seeds] == POSITIVE)  # one may have been taken back
        again = sum(len(rows) for (rows, components, _), _ in self._answered if RECHECK in components)
        return (
            f"<Rechecked {type(self.search).__name__} in {len(self.answers):,} rows: {len(self.log.rows):,} labels, "
            f"{again:,} of them asked again, {self.changed:,} answers changed, {len(self.positives):,} positives "
            f"({seeds:,} of them seeds)>"
        )

    def query(self) -> Batch | None:
        """Return questions to be answered again, else the next ones of the search; None when there are neither."""
        if self._open is not None:
            raise QueryError(f"answer the {len(self._open.rows)} open questions with update() before asking for more")
        rows = np.array(self._ties, np.int64) if self._ties else self.doubtful(int(self._spare))
        if len(rows):
            batch = Batch(rows, np.full(len(rows), RECHECK, np.int8), self._rounds)
        elif (batch := next_batch(self.search)) is not None:
            batch = batch._replace(round=self._rounds)
        self._open = batch
        return batch

    def update(self, labels: Sequence[int] | np.ndarray) -> None:
        """Answer the last query: one label per row, 1 positive, 0 negative, -1 unsure."""
        if (batch := self._open) is None:
            raise QueryError("no questions are open: they were answered already, or query() was not called yet")
        given = check_labels(labels, len(batch.rows), batch.rows)
        if batch.components[0] == RECHECK:
            self._decide(batch.rows, given)
            self._spare = max(0.0, self._spare - len(batch.rows))
            self._close(batch, given)
            return
        before = len(self.search.log.rows)
        try:
            self.search.update(given)
        finally:  # answers that it took before it was interrupted, it will not take again
            if len(self.search.log.rows) > before:
                known = self.answers[batch.rows] == POSITIVE  # stays so when asked again: see `Ledger.answer`
                self.answers[batch.rows] = np.where(known, POSITIVE, given)
                self._spare += self.share * len(batch.rows)
                self._close(batch, given)

    def _close(self, batch: Batch, given: np.ndarray) -> None:
        self._answered.append((batch, given))
        self._open, self._rounds = None, self._rounds + 1

    def amend(self, rows: Sequence[int] | np.ndarray, labels: Sequence[int] | np.ndarray) -> None:
        """Correct answers given earlier, in the search as well: they are settled then, and not asked again.

        Rows that the search refuses to correct raise its `ValueError`, and change nothing.
        """
        self.search.amend(rows, labels)
        rows = np.asarray(rows, np.int64)
        self.answers[rows] = labels
        self._amended |= set(rows.tolist())
        self._ties = [row for row in self._ties if row not in self._amended]

    def doubtful(self, size: int) -> np.ndarray:
        """Return the rows, `size` at most, whose answers the others contradict most, the most doubtful first.

        Answers that were given twice, or corrected, are settled and left out.
        """
        rows = np.flatnonzero((self.answers == POSITIVE) | (self.answers == NEGATIVE))
        if not size or not len(rows):
            return np.empty(0, np.int64)
        weak = self._weak[self.answers[self._weak] == UNASKED]
        against = contradictions(self._prepared.take(rows), self.answers[rows] == POSITIVE, self._prepared.take(weak))
        settled = np.isin(rows, [*self._votes, *self._amended, *self._seeds])
        against[settled] = -np.inf
        most = np.lexsort((rows, -against))[:size]
        return rows[most[against[most] > 0]]

    def _decide(self, rows: np.ndarray, given: np.ndarray) -> None:
        """Count the votes on `rows` with those `given` now; amend the answers that lost."""
        ties, changed, counted = [], {}, {}
        for row, label in zip(rows.tolist(), given.tolist(), strict=True):
            if row in self._amended:  # while it was open: the correction stands
                continue
            votes = counted[row] = [*self._votes.get(row, [int(self.answers[row])]), label]
            counts = votes.count(POSITIVE), votes.count(NEGATIVE)
            if counts[0] == counts[1] and len(votes) < _VOTES:
                ties.append(row)
                continue
            verdict = UNSURE if counts[0] == counts[1] else POSITIVE if counts[0] > counts[1] else NEGATIVE
            if verdict != self.answers[row]:
                changed[row] = verdict
        if changed:  # first: where the search is interrupted, the votes can be given again
            rows, labels = np.array(list(changed), np.int64), np.array(list(changed.values()), np.int8)
            self.search.amend(rows, labels)
            self.answers[rows] = labels
            self.changed += len(rows)
        self._ties = ties
        self._votes |= counted

    @property
    def positives(self) -> np.ndarray:
        """The rows believed to be positive, seeds included, ascending."""
        return np.flatnonzero(self.answers == POSITIVE)

    @property
    def log(self) -> Log:
        """All questions answered so far, in order, including those asked again, with the answers as given."""
        return log_of(self._answered)
