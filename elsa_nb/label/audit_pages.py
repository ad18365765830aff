"""The pages of an audit: random items that nobody has answered, and what may be said of the class after each of them.

A search ends when it finds no more; what it does not expect may still be there. These pages are a strategy like any
other, shown on a panel of their own after the search; the statement above them holds whatever the scores are worth
(`elsa_nb.search.stopping.audit`).
"""

import copy
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from elsa_nb.counts import count_of
from elsa_nb.search.checks import check_count, check_rows, check_rows_asked
from elsa_nb.search.contract import POSITIVE, Batch, Log, check_labels, corrected, log_of
from elsa_nb.search.stopping.audit import Audit, labels_for

AUDIT = 18  # the component; 16 and 17 are those of `first_examples` and `fixed_rows`
PROMISES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


class AuditPages:
    """Ask random rows of a pool of `n`, except those `answered` before, of which `found` are of the class.

    `found_since` are rows that the search has found since the audit began; they count as found. `doubtful` is how many
    of the `answered` have become unsure since: they may be missing finds. `corrected` has {row:
    (label, label now)} of rows that earlier pages asked about and that were answered otherwise since, elsewhere: the
    label of now counts for them, unless the person changes it here.

    >>> audit = AuditPages(len(pool), [*seeds, *panel.rows_answered], found=len(seeds) + len(panel.positives))
    >>> Panel(audit, images, session="cats-audit.sqlite")
    """

    components: ClassVar = {AUDIT: "audit"}

    def __init__(
        self,
        n: int,
        answered: Sequence[int] | np.ndarray,
        found: int,
        *,
        rng: np.random.Generator | int | None = 0,
        confidence: float = 0.95,
        page: int = 60,
        found_since: Sequence[int] | np.ndarray = (),
        doubtful: int = 0,
        corrected: Mapping[int, tuple[int, int]] | None = None,
    ):
        check_count("n", n, 1)
        rows = np.setdiff1d(np.arange(n), check_rows_asked(answered, n, "answered"))
        if not len(rows):
            raise ValueError(f"all {n} items are answered: there is nothing to audit")
        since = check_rows_asked(found_since, n, "found_since")
        beside = {"found_since": since, "doubtful": doubtful}
        self._fresh = Audit(rows, found, rng=rng, confidence=confidence, **beside)
        self._corrected = dict(corrected or {})
        self._audit = copy.copy(self._fresh)
        self._pool_size, self._n, self._confidence, self._page = n, len(rows), confidence, page
        self._answered: list[tuple[Batch, np.ndarray]] = []
        self._open: Batch | None = None

    @property
    def statement(self) -> str:
        """What may be said now, and how many more labels the next statement takes."""
        audit = self._audit
        if audit.recall_at_least == 1 and audit.labels == self._n:
            return "Every item has an answer: all of the class is found."  # certain: no confidence level belongs to it
        finds = audit.found + audit.hits + audit.elsewhere
        sure = f"with {_percent(self._confidence)} confidence"
        said = f"At least {np.floor(1000 * audit.recall_at_least) / 10:.3g} % of the class is found, {sure}: "
        said += f"{count_of(finds, 'find')}, at most {audit.missing_at_most:,} missing."
        reach = finds / (finds + audit.doubtful + audit.unsure)
        higher = next((share for share in PROMISES if audit.recall_at_least < share <= reach), None)
        if higher is None:
            return said
        settings = {"hits": audit.hits, "elsewhere": audit.elsewhere, "confidence": self._confidence}
        settings |= {"doubtful": audit.doubtful, "unsure": audit.unsure}
        more = labels_for(self._n, audit.found, higher, **settings) - audit.labels
        further = f" {more:,} more answers without a find would make it at least {_percent(higher)}."
        return said + further if more > 0 else said

    def query(self) -> Batch | None:
        """Return the next page, or None when every row is answered."""
        rows = self._audit.query(self._page)
        self._open = None if rows is None else Batch(rows, np.full(len(rows), AUDIT, np.int8), len(self._answered))
        return self._open

    def update(self, labels: Sequence[int] | np.ndarray) -> None:
        """Take the answers to the page, one per row."""
        if self._open is not None and np.shape(labels) == self._open.rows.shape:
            labels = self._now(self._open.rows, check_labels(labels, len(self._open.rows)))
        self._audit.update(labels)
        self._answered.append((self._open, np.asarray(labels, np.int8)))
        self._open = None

    def _now(self, rows: np.ndarray, labels: Sequence[int] | np.ndarray) -> list[int]:
        """Return labels of rows as they are now: those that were corrected elsewhere since."""
        now = []
        for row, label in zip(rows.tolist(), np.asarray(labels).tolist(), strict=True):
            before, after = self._corrected.get(row, (label, label))
            now.append(after if label == before else label)
        return now

    def amend(self, rows: Sequence[int] | np.ndarray, labels: Sequence[int] | np.ndarray) -> None:
        """Correct answers given earlier: what may be said is computed anew, as if they had been right from the start.

        Raises ValueError for a row that this audit has not asked, and changes nothing then.
        """
        rows = check_rows(rows, self._pool_size, "corrections")
        labels = check_labels(labels, len(rows))
        if (never := np.setdiff1d(rows, self.log.rows)).size:
            raise ValueError(f"row {never[0]} has no answer to correct; allowed: rows that this audit has asked")
        self._answered = corrected(self._answered, rows, np.array(self._now(rows, labels), np.int8))
        self._audit = copy.copy(self._fresh)
        for batch, given in self._answered:
            self._audit.query(len(batch.rows))
            self._audit.update(given)
        if self._open is not None:
            self._audit.query(len(self._open.rows))

    @property
    def log(self) -> Log:
        """All questions answered so far."""
        return log_of(self._answered)

    @property
    def positives(self) -> np.ndarray:
        """The rows that the audit found, ascending."""
        log = self.log
        return np.sort(log.rows[log.labels == POSITIVE])
