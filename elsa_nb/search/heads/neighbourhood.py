"""How near rows are to the answered rows: the kernel's sums, brought up to the answers of now where they are read.

Of a pool that is looked at whole they are kept for all rows. Of a larger one they are kept for the rows that are
followed at the time: what is known of those that stay is kept, and those that are new are compared with all answers.
"""

from dataclasses import dataclass, field

import numpy as np

from elsa_nb.search.contract import NEGATIVE, POSITIVE, UNASKED
from elsa_nb.search.heads.kernel_sums import KernelSums
from elsa_nb.search.heads.large_rows import LargeRows
from elsa_nb.search.heads.prepared_rows import PreparedRows


@dataclass(eq=False)
class Neighbourhood:
    """The kernel's `sums` over answers for the prepared rows `of` a pool: for all, or for some `rows` (m,), ascending.

    They are of the answers that `update` was last told.
    """

    of: PreparedRows | LargeRows
    sums: KernelSums
    rows: np.ndarray | None = None
    _gathered: np.ndarray | None = None  # the vectors (m, k) float32 of `rows`; of all rows nothing needs a copy
    _answered: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    _labels: np.ndarray = field(default_factory=lambda: np.empty(0, np.int8))

    @classmethod
    def begin(cls, of: PreparedRows | LargeRows, rows: np.ndarray | None = None) -> "Neighbourhood":
        """Return the sums before any answer: for `rows` (m,), ascending, or for all."""
        if rows is None:
            return cls(of, KernelSums(len(of)))
        return cls(of, KernelSums(len(rows)), rows, of.single(rows))

    @property
    def vectors(self) -> np.ndarray:
        """The vectors (m, k) float32 of the rows whose sums are kept."""
        return self.of.vectors if self._gathered is None else self._gathered

    def update(self, answered: np.ndarray, labels: np.ndarray) -> None:
        """Bring the sums up to `labels` (a,) of the rows `answered` (a,), ascending: all there are, old and new."""
        before = np.full(len(answered), UNASKED, np.int8)
        before[np.searchsorted(answered, self._answered)] = self._labels
        if len(changed := np.flatnonzero(labels != before)):
            now, then = labels[changed], before[changed]
            more = [(now == label).astype(int) - (then == label) for label in (POSITIVE, NEGATIVE)]
            self.sums.add(self.vectors, self.of.single(answered[changed]), *more)
        self._answered, self._labels = answered, labels

    def following(self, rows: np.ndarray) -> "Neighbourhood":
        """Return the sums for other `rows` (m,), ascending, over the same answers."""
        before = np.arange(len(self.of)) if self.rows is None else self.rows
        stays = np.isin(rows, before, assume_unique=True)
        at = np.searchsorted(before, rows[stays])
        new = Neighbourhood.begin(self.of, rows[~stays])
        new.update(self._answered, self._labels)
        vectors, sums = np.empty((len(rows), self.vectors.shape[1]), np.float32), KernelSums(len(rows))
        for places, part, among in ((stays, self, at), (~stays, new, slice(None))):
            vectors[places] = part.vectors[among]
            sums.put(places, part.sums, among)
        return Neighbourhood(self.of, sums, rows, vectors, self._answered, self._labels)
