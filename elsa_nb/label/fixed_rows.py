"""Asking given rows once: a sample, a second look, or answers to be filled in before a search goes on."""

from collections.abc import Sequence

import numpy as np

from elsa_nb.label.offered import GIVEN, PANEL_COMPONENTS
from elsa_nb.search.checks import check_rows
from elsa_nb.search.contract import POSITIVE, Batch, Log, QueryError, check_labels, corrected, log_of


class Fixed:
    """A strategy that asks the given rows once, in that order: a sample to start from, or a second look."""

    def __init__(self, n: int, rows: Sequence[int] | np.ndarray, *, component: int = GIVEN):
        rows = check_rows(rows, n, "rows")
        if not len(rows):
            raise ValueError("no rows given; a panel needs at least one item to show")
        self.n, self.rows, self.component = n, rows, component
        self.components = {component: PANEL_COMPONENTS.get(component, f"component {component}")}
        self._batch: Batch | None = None
        self._labels: np.ndarray | None = None

    def query(self) -> Batch | None:
        """Return all rows at once; after the answers, None."""
        if self._labels is not None:
            return None
        self._batch = Batch(self.rows, np.full(len(self.rows), self.component, np.int8), 0)
        return self._batch

    def update(self, labels: Sequence[int] | np.ndarray) -> None:
        """Take the answers, one per row."""
        if self._batch is None or self._labels is not None:
            raise QueryError("no rows are open: they were answered already, or query() was not called yet")
        self._labels = check_labels(labels, len(self.rows))

    def amend(self, rows: Sequence[int] | np.ndarray, labels: Sequence[int] | np.ndarray) -> None:
        """Correct answers, in the log too. Rows without an answer are refused, and then nothing changes."""
        rows = check_rows(rows, self.n, "corrections")
        labels = check_labels(labels, len(rows))
        if (never := rows[~np.isin(rows, self.log.rows)]).size:
            raise ValueError(f"row {never[0]} has no answer to correct; allowed: rows that were answered")
        if self._labels is not None:
            ((_, self._labels),) = corrected([(self._batch, self._labels)], rows, labels)

    @property
    def log(self) -> Log:
        """All questions answered so far."""
        return log_of([] if self._labels is None else [(self._batch, self._labels)])

    @property
    def positives(self) -> np.ndarray:
        """The rows answered positive."""
        return np.empty(0, np.int64) if self._labels is None else np.sort(self.rows[self._labels == POSITIVE])
