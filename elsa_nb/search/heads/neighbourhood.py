"""How near rows are to the answered rows: the kernel's sums, brought up to date where they are read.

In a pool that is looked at as a whole they are kept for all rows. In a larger one they are kept for the rows that are
followed at the time: rows that stay keep their sums, and new rows are compared with all answers.
"""

import numpy as np

from elsa_nb.search import kernels
from elsa_nb.search.contract import NEGATIVE, POSITIVE, UNASKED
from elsa_nb.search.heads.head import LinearHead
from elsa_nb.search.heads.kernel_sums import KernelSums
from elsa_nb.search.heads.large_rows import LargeRows
from elsa_nb.search.heads.prepared_rows import PreparedRows


class Neighbourhood:
    """The kernel's sums over answers for all prepared rows `of` a pool.

    They are of the answers last given to `update`.
    """

    def __init__(self, of: PreparedRows | LargeRows, count: int | None = None):
        """Begin before any answer, for all rows, or for a given number of them."""
        self._of = of
        self._sums = KernelSums(len(of) if count is None else count)
        self._answered, self._labels = np.empty(0, np.int64), np.empty(0, np.int8)

    @property
    def positive(self) -> np.ndarray:
        """The sum over positives of the kernel with each row, (n,) float64."""
        return self._sums.positive

    @property
    def negative(self) -> np.ndarray:
        """The sum over negatives, (n,) float64."""
        return self._sums.negative

    def update(self, answered: np.ndarray, labels: np.ndarray) -> None:
        """Bring the sums up to `labels` (a,) of the rows `answered` (a,), ascending: all answers, old and new."""
        before = np.full(len(answered), UNASKED, np.int8)
        before[np.searchsorted(answered, self._answered)] = self._labels
        if len(changed := np.flatnonzero(labels != before)):
            now, then = labels[changed], before[changed]
            more = [(now == label).astype(int) - (then == label) for label in (POSITIVE, NEGATIVE)]
            self._sums.add(self._vectors(), self._of.single(answered[changed]), *more)
        self._answered, self._labels = answered, labels

    def _vectors(self) -> np.ndarray:
        return self._of.vectors


class Followed(Neighbourhood):
    """The kernel's sums for some prepared `rows` (m,) of a pool, ascending, which others may follow: (m,) each.

    Their vectors are copied, each into a slot of its own. Free slots are used again, so that in a round only the
    vectors of new rows are read.
    """

    def __init__(self, of: PreparedRows | LargeRows, rows: np.ndarray):
        super().__init__(of, len(rows))
        self.rows, self._slots, self._copied = rows, np.arange(len(rows)), of.single(rows)

    @property
    def positive(self) -> np.ndarray:
        """The sum over positives of the kernel with each row, (n,) float64."""
        return self._sums.positive[self._slots]

    @property
    def negative(self) -> np.ndarray:
        """The sum over negatives, (n,) float64."""
        return self._sums.negative[self._slots]

    def line(self, head: LinearHead) -> np.ndarray:
        """Return the log-odds (m,) float64 that a line gives each row."""
        return kernels.project(self._copied, head.weights[None])[0][self._slots] + head.bias

    def follow(self, rows: np.ndarray) -> None:
        """Go on with other `rows` (m,), ascending: those that stay keep their sums."""
        stays = np.isin(rows, self.rows, assume_unique=True, kind="sort")
        new = Followed(self._of, rows[~stays])
        new.update(self._answered, self._labels)
        slots = np.empty(len(rows), np.int64)
        slots[stays] = self._slots[np.searchsorted(self.rows, rows[stays])]
        free = np.setdiff1d(np.arange(len(self._copied)), slots[stays], assume_unique=True)
        if (short := len(new.rows) - len(free)) > 0:
            more = short + len(self._copied) // 8  # their number grows with the answers: room for more than this round
            free = np.concatenate([free, np.arange(more) + len(self._copied)])
            self._copied = np.concatenate([self._copied, np.zeros((more, self._copied.shape[1]), np.float32)])
            self._sums.grow(more)
        slots[~stays] = free[: len(new.rows)]
        self._copied[slots[~stays]] = new._copied
        self._sums.put(slots[~stays], new._sums)
        self.rows, self._slots = rows, slots

    def _vectors(self) -> np.ndarray:
        return self._copied
