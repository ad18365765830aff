"""What answers the questions: the truth, a truth that errs, and the loop that puts questions to them."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from elsa_nb.search.checks import as_truths, check_number, check_rng
from elsa_nb.search.contract import Log, Scored, Strategy, check_labels, check_search, next_batch
from elsa_nb.search.heads.head import logits_together


class Oracle(Protocol):
    """Answer questions: rows (m,) in, labels (m,) int8 out (1 positive, 0 negative, -1 unsure)."""

    def label(self, rows: np.ndarray) -> np.ndarray:
        """Return one label for each row asked."""
        ...


class Truth:
    """A perfect oracle: `positive` (n,) bool says which rows belong to the class.

    >>> import numpy as np
    >>> from elsa_nb import Truth
    >>> Truth([True, False, True]).label(np.array([2, 1])).tolist()
    [1, 0]
    """

    def __init__(self, positive: Sequence[bool] | np.ndarray):
        # A copy: whoever goes on with the array, for the next class, must not change what this one answers.
        self.positive = as_truths("truth", positive, "a row (such as labels == 'owl')").copy()
        self.positive.flags.writeable = False

    def __repr__(self) -> str:
        return f"<Truth: {self.positive.sum():,} of {len(self.positive):,} rows are positive>"

    def label(self, rows: np.ndarray) -> np.ndarray:
        """Return 1 for members of the class, else 0; ValueError for a row that the truth does not cover."""
        rows = np.asarray(rows)
        rows = rows if rows.size else rows.astype(np.int64)
        if rows.dtype.kind not in "iu":  # a mask would pick rows, and return fewer labels than it is long
            raise ValueError(f"rows asked are of type {rows.dtype}; give row numbers, such as those of a batch")
        if len(beyond := rows[(rows < 0) | (rows >= len(self.positive))]):
            raise ValueError(
                f"row {beyond[0]} is asked, and the truth covers {len(self.positive)} rows; give one True or False for "
                "each row of the pool"
            )
        return self.positive[rows.astype(np.int64)].astype(np.int8)


class Flipped:
    """An oracle that gives the wrong answer with probability `flip`, each time anew (appendix D of the paper).

    `rng` is a generator or its seed; None: another seed each time.
    """

    def __init__(self, positive: Sequence[bool] | np.ndarray, flip: float, rng: np.random.Generator | int | None):
        check_number("flip", flip, "a probability from 0 to 1 (the paper's p % divided by 100)", least=0, most=1)
        self._truth = Truth(positive)
        self.flip = flip
        self._rng = check_rng(rng)

    def __repr__(self) -> str:
        return f"<Flipped with probability {self.flip:g}: {self._truth!r}>"

    def label(self, rows: np.ndarray) -> np.ndarray:
        """Return the truth, each answer flipped with probability `flip`."""
        truth = self._truth.label(rows)
        return np.where(self._rng.random(truth.shape) < self.flip, 1 - truth, truth).astype(np.int8)


def simulate(search: Strategy, oracle: Oracle) -> Log:
    """Put every question of `search` to `oracle` until none is left; return the log.

    Raises ValueError for what is not a search, for a search that asks no rows and does not end, and for an `oracle`
    that cannot answer, such as the truth as an array.
    """
    check_search(search)
    check_oracle(oracle)
    while (batch := next_batch(search)) is not None:
        search.update(answers_of(oracle, batch.rows))
    return search.log


def check_oracle(oracle: object) -> None:
    """Raise ValueError for what cannot be asked, such as the truth as an array, or the class of an oracle."""
    if isinstance(oracle, type):
        raise ValueError(f"oracle is the class {oracle.__name__}; make one, such as Truth(positive)")
    if not callable(getattr(oracle, "label", None)):
        raise ValueError(
            f"oracle of type {type(oracle).__name__}; give an object with label(rows), such as Truth(positive), "
            "where positive has one True or False per row"
        )


def answers_of(oracle: Oracle, rows: np.ndarray) -> np.ndarray:
    """Put `rows` (m,) to `oracle` and return its answers, (m,) int8: whatever asks an oracle asks it here.

    Raises ValueError where it does not answer each row with 1, 0 or -1: a probability is not an answer.
    """
    answers = oracle.label(rows)
    try:
        return check_labels(answers, len(rows), rows)
    except ValueError as error:
        raise ValueError(f"label() of {type(oracle).__name__} returned a {type(answers).__name__}: {error}") from None


def simulate_together(searches: Sequence[Strategy], oracles: Sequence[Oracle]) -> list[Log]:
    """Run several searches round by round, each with its oracle; return their logs, equal to those of `simulate`.

    One pass over the vectors of a pool scores the heads of all its searches. Each search and each oracle that draws
    randomness needs a generator of its own: of one that they share, each gets other numbers than it would get alone.
    """
    for name, given in (("searches", searches), ("oracles", oracles)):
        if not isinstance(given, Sequence) or isinstance(given, str | bytes):
            raise ValueError(f"{name} of type {type(given).__name__}; give a list of them")
    if len(searches) != len(oracles):
        raise ValueError(f"{len(searches)} searches and {len(oracles)} oracles; give an oracle for each search")
    for search, oracle in zip(searches, oracles, strict=True):
        check_search(search)
        check_oracle(oracle)
    if len(set(map(id, searches))) < len(searches):
        raise ValueError("the same search is given twice; make one for each oracle")
    running = list(zip(searches, oracles, strict=True))
    while running:
        asked = [search.head_to_score() if isinstance(search, Scored) else None for search, _ in running]
        scored = iter(logits_together([one for one in asked if one is not None]))
        going_on = []
        for (search, oracle), one in zip(running, asked, strict=True):
            batch = next_batch(search, None if one is None else next(scored))
            if batch is not None:
                search.update(answers_of(oracle, batch.rows))
                going_on.append((search, oracle))
        running = going_on
    return [search.log for search in searches]
