"""Beginning without seeds: pick examples from a sample, by file name, by an example image, or by a text.

Each way is a strategy like any other: it asks rows, the person answers on the same panel, and the session keeps the
answers. `Begin` then hands the positives to the search proper as its seeds.
"""

from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol

import numpy as np

from elsa_nb.label.rounds import GIVEN, SAMPLE
from elsa_nb.search.checks import check_rows
from elsa_nb.search.contract import POSITIVE, Batch, Log, QueryError, Strategy


class FileEncoder(Protocol):
    """Encode image files into the space of the pool."""

    def encode_images(self, paths: Sequence[Path]) -> np.ndarray:
        """Return vectors (m, d)."""


class TextEncoder(Protocol):
    """Encode text into the space of the pool (encoders with a text tower)."""

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Return vectors (m, d)."""


def random_rows(n: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return `count` of the rows 0 to n - 1 at random."""
    return rng.choice(n, size=min(count, n), replace=False)


def spread_rows(vectors: np.ndarray, count: int, rng: np.random.Generator, *, among: int = 4000) -> np.ndarray:
    """Return `count` rows that lie far apart: one for each corner of the pool, so that rare looks are on view too.

    Farthest-point sampling (k-centre, greedy) among `among` random rows; the first is the one nearest to their mean.
    """
    candidates = np.sort(random_rows(len(vectors), among, rng))
    x = np.asarray(vectors[candidates], np.float32)
    chosen = [int(((x - x.mean(0)) ** 2).sum(1).argmin())]
    distance = np.full(len(x), np.inf, np.float32)
    while len(chosen) < min(count, len(x)):
        distance = np.minimum(distance, ((x - x[chosen[-1]]) ** 2).sum(1))
        chosen.append(int(distance.argmax()))
    return candidates[chosen]


def rows_named(ids: Sequence[str], *names: str) -> np.ndarray:
    """Return the rows whose id matches one of `names`: an id, its last part, or a pattern such as `*cat*.jpg`."""
    found = [
        row
        for row, item in enumerate(map(str, ids))
        if any(name in (item, item.rpartition("/")[2]) or fnmatch(item, name) for name in names)
    ]
    if not found:
        raise ValueError(f"no item is called {', '.join(map(repr, names))}; the ids look like {str(ids[0])!r}")
    return np.array(found, np.int64)


def rows_like(vectors: np.ndarray, queries: np.ndarray, count: int) -> np.ndarray:
    """Return the `count` rows nearest to any of the vectors `queries` (m, d), nearest first."""
    queries = np.atleast_2d(np.asarray(queries, np.float32))
    if queries.shape[1] != vectors.shape[1]:
        raise ValueError(
            f"a query of {queries.shape[1]} values in a pool of {vectors.shape[1]}; use the pool's encoder"
        )
    nearest = np.full(len(vectors), np.inf)
    for start in range(0, len(vectors), 8192):
        block = np.asarray(vectors[start : start + 8192], np.float32)
        distance = (block**2).sum(1)[:, None] - 2 * block @ queries.T + (queries**2).sum(1)
        nearest[start : start + 8192] = distance.min(1)
    return np.lexsort((np.arange(len(nearest)), nearest))[:count]


def rows_like_images(vectors: np.ndarray, encoder: FileEncoder, paths: Sequence[Path], count: int) -> np.ndarray:
    """Return the `count` rows most like the example images on disk."""
    return rows_like(vectors, encoder.encode_images([Path(p) for p in paths]), count)


def rows_like_text(vectors: np.ndarray, encoder: object, text: str, count: int) -> np.ndarray:
    """Return the `count` rows most like a text, by cosine; needs an encoder with a text tower."""
    if not hasattr(encoder, "encode_text"):
        raise ValueError(f"{type(encoder).__name__} has no text tower; start from images, names or a sample instead")
    query = np.asarray(encoder.encode_text([text]), np.float32)[0]
    cosine = np.concatenate(
        [
            block @ query / np.maximum(np.linalg.norm(block, axis=1), 1e-12)
            for block in (np.asarray(vectors[s : s + 8192], np.float32) for s in range(0, len(vectors), 8192))
        ]
    )
    return np.lexsort((np.arange(len(cosine)), -cosine))[:count]


class Fixed:
    """A strategy that asks the given rows once, in that order: a sample to start from, or a second look."""

    def __init__(self, n: int, rows: Sequence[int] | np.ndarray, *, component: int = GIVEN):
        rows = check_rows(rows, n, "rows")
        if not len(rows):
            raise ValueError("no rows given; a panel needs at least one item to show")
        self.n, self.rows, self.component = n, rows, component
        self._batch: Batch | None = None
        self._labels: np.ndarray | None = None

    def query(self) -> Batch | None:
        """Return all rows at once; after the answers, None."""
        if self._labels is not None:
            return None
        self._batch = Batch(self.rows, np.full(len(self.rows), self.component, np.int8), 0)
        return self._batch

    def update(self, labels: Sequence[int] | np.ndarray) -> None:
        """Take the answers, one a row."""
        if self._batch is None or np.shape(labels) != self.rows.shape:
            raise ValueError(f"{np.size(labels)} labels for {len(self.rows)} rows; call query() first, answer each row")
        self._labels = np.asarray(labels, np.int8)

    @property
    def log(self) -> Log:
        """All questions answered so far."""
        if self._labels is None:
            return Log(np.empty(0, np.int64), np.empty(0, np.int8), np.empty(0, np.int8), np.empty(0, np.int16))
        m = len(self.rows)
        return Log(self.rows, self._labels, np.full(m, self.component, np.int8), np.zeros(m, np.int16))

    @property
    def positives(self) -> np.ndarray:
        """The rows answered positive."""
        return np.empty(0, np.int64) if self._labels is None else np.sort(self.rows[self._labels == POSITIVE])


class Begin:
    """Show samples until enough positives are marked, then search from them: one strategy, one session.

    `samples` are arrays of rows, shown one after the other; once at least `least` positives are marked,
    `search(seeds)` makes the search proper. It must make its own random generator, since rounds are computed on
    copies. Rows marked negative in a sample may be asked again by the search; the panel fills their answers in.
    """

    def __init__(self, samples: Sequence[np.ndarray], search: Callable[[np.ndarray], Strategy], *, least: int = 1):
        self.least = least
        self._samples = [np.asarray(rows, np.int64) for rows in samples]
        self._make = search
        self._search: Strategy | None = None
        self._open: np.ndarray | None = None
        self._rows, self._labels, self._rounds = _EMPTY
        self._shown = 0

    def query(self) -> Batch | None:
        """Return the next sample, or the search's questions once there are seeds."""
        if self._search is not None:
            batch = self._search.query()
            return batch and batch._replace(round=batch.round + self._shown)
        while self._shown < len(self._samples):
            rows = self._samples[self._shown]
            self._open = rows[~np.isin(rows, self._rows)]
            self._shown += 1
            if len(self._open):
                return Batch(self._open, np.full(len(self._open), SAMPLE, np.int8), self._shown - 1)
        return None

    def update(self, labels: Sequence[int] | np.ndarray) -> None:
        """Take the answers; with enough positives among them, the search begins."""
        if self._search is not None:
            self._search.update(labels)
            return
        if self._open is None or np.shape(labels) != self._open.shape:
            raise ValueError(f"{np.size(labels)} labels; call query() first, then give one label a row")
        self._rows = np.concatenate([self._rows, self._open])
        self._labels = np.concatenate([self._labels, np.asarray(labels, np.int8)])
        self._rounds = np.concatenate([self._rounds, np.full(len(self._open), self._shown - 1, np.int16)])
        self._open = None
        if len(self.positives) >= self.least:
            self._search = self._make(self.positives)

    def amend(self, rows: Sequence[int], labels: Sequence[int]) -> None:
        """Pass corrections on to the search, where it takes any."""
        if hasattr(self._search, "amend"):
            self._search.amend(rows, labels)

    @property
    def log(self) -> Log:
        """All questions answered so far, those of the samples first."""
        own = Log(self._rows, self._labels, np.full(len(self._rows), SAMPLE, np.int8), self._rounds)
        if self._search is None:
            return own
        later = self._search.log
        later = later._replace(rounds=later.rounds + np.int16(self._shown))
        return Log(*(np.concatenate(part) for part in zip(own, later, strict=True)))

    @property
    def positives(self) -> np.ndarray:
        """The rows known to be positive."""
        return np.sort(self._rows[self._labels == POSITIVE]) if self._search is None else self._search.positives

    def scores(self) -> np.ndarray:
        """Return the search's confidence (n,); `QueryError` before there is one."""
        if self._search is None or not hasattr(self._search, "scores"):
            raise QueryError("there is no head yet; mark a few examples first")
        return self._search.scores()


_EMPTY = (np.empty(0, np.int64), np.empty(0, np.int8), np.empty(0, np.int16))
