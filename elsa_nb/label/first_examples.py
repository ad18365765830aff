"""Beginning without seeds: pick examples from a sample, by file name, by an example image, or by a text.

Each way is a strategy like any other: it asks rows, the person answers on the same panel, and the session keeps the
answers. `Begin` then hands the positives to the search proper as its seeds.
"""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

import numpy as np

from elsa_nb.label.cards import PASSED
from elsa_nb.label.label_files.names import Names
from elsa_nb.label.offered import (
    EARLIER,
    PANEL_COMPONENTS,
    SAMPLE,
    components_of,
    is_amendable,
    is_concluding,
    is_confident,
    positives_of,
)
from elsa_nb.plain_arrays import plain_array
from elsa_nb.search.checks import check_count, check_rng, check_rows
from elsa_nb.search.contract import (
    POSITIVE,
    UNSURE,
    Batch,
    Log,
    QueryError,
    Strategy,
    check_labels,
    check_search,
    next_batch,
)
from elsa_nb.search.highest import highest
from elsa_nb.search.kernels import check_shape

_AMONG = 4000  # random rows from which those that lie far apart are chosen


class FileEncoder(Protocol):
    """Encode image files into the space of the pool."""

    def encode_images(self, paths: Sequence[Path]) -> np.ndarray:
        """Return vectors (m, d)."""


def random_rows(n: int, count: int, rng: np.random.Generator | int | None) -> np.ndarray:
    """Return `count` of the rows 0 to n - 1 at random; `rng` is a generator, its seed, or None."""
    check_count("n", n, 1)
    check_count("count", count, 1)
    return check_rng(rng).choice(n, size=min(count, n), replace=False)


def spread_rows(vectors: np.ndarray, count: int, rng: np.random.Generator | int | None) -> np.ndarray:
    """Return `count` rows that lie far apart: one for each corner of the pool, so that rare looks are shown too.

    Farthest-point sampling (k-centre, greedy) among 4,000 random rows, or `count` if that is more; the first is the one
    nearest to their mean. No row comes twice: where fewer vectors differ, some rows have equal ones. A pool of fewer
    rows than `count` gives all of them. `rng` is a generator, its seed, or None.
    """
    check_count("count", count, 1)
    check_shape(vectors)
    vectors = vectors if isinstance(vectors, np.ndarray) else np.asarray(vectors, np.float32)
    candidates = np.sort(random_rows(len(vectors), max(_AMONG, count), rng))
    x = np.asarray(vectors[candidates], np.float32)
    chosen = [int(((x - x.mean(0)) ** 2).sum(1).argmin())]
    distance = np.full(len(x), np.inf, np.float32)
    while len(chosen) < min(count, len(x)):
        distance = np.minimum(distance, ((x - x[chosen[-1]]) ** 2).sum(1))
        distance[chosen[-1]] = -1  # equal vectors are no distance away either
        chosen.append(int(distance.argmax()))
    return candidates[chosen]


def rows_named(ids: Sequence[str], *names: str) -> np.ndarray:
    """Return the rows of `names`, ascending: an id, its last part, a pattern such as `*cat*.jpg`, or a path to it.

    A pattern is compared with the whole id and with its last part, whatever the letter case; an item's exact name is
    never a pattern. A name that finds an item in a file of labels finds it here too. Raises ValueError for a name
    without an item.
    """
    found: set[int] = set()
    for name in names:
        for fits in (_is_called, _fits_pattern):
            if rows := [row for row, item in enumerate(map(str, ids)) if fits(item, name)]:
                break
        if not rows and not (rows := row_meant(ids, name)):
            known = f"the ids look like {str(ids[0])!r}" if len(ids) else "there are no items"
            raise ValueError(f"no item is called {name!r}; {known}")
        found.update(rows)
    return np.array(sorted(found), np.int64)


def row_meant(ids: Sequence[str], name: str) -> list[int]:
    """Return the one row that a name, not a pattern, means: [] where there is none, or where there are several."""
    rows = [row for row, item in enumerate(map(str, ids)) if _is_called(item, name)]
    if not rows and isinstance(row := Names(ids).find(name), int):
        rows = [row]
    return rows if len(rows) == 1 else []


def _is_called(item: str, name: str) -> bool:
    return name in (item, item.rpartition("/")[2])


def _fits_pattern(item: str, pattern: str) -> bool:
    item, pattern = item.casefold(), pattern.casefold()
    return fnmatchcase(item, pattern) or fnmatchcase(item.rpartition("/")[2], pattern)


def rows_like(vectors: np.ndarray, queries: np.ndarray, count: int) -> np.ndarray:
    """Return the `count` rows nearest to any of the vectors `queries` (m, d), nearest first."""
    queries = np.atleast_2d(np.asarray(queries, np.float32))
    if not len(queries):
        raise ValueError("no example is given that rows could be like; give at least one")
    if queries.shape[1] != vectors.shape[1]:
        raise ValueError(
            f"a query has {queries.shape[1]} values and a vector of the pool {vectors.shape[1]}; use the pool's encoder"
        )
    nearest = np.full(len(vectors), np.inf)
    for start in range(0, len(vectors), 8192):
        block = np.asarray(vectors[start : start + 8192], np.float32)
        distance = (block**2).sum(1)[:, None] - 2 * block @ queries.T + (queries**2).sum(1)
        nearest[start : start + 8192] = distance.min(1)
    return highest(-nearest, count)


def rows_like_images(vectors: np.ndarray, encoder: FileEncoder, paths: Sequence[Path | str], count: int) -> np.ndarray:
    """Return the `count` rows most like the example images on disk."""
    return rows_like(vectors, encoder.encode_images([Path(p) for p in paths]), count)


def rows_like_text(vectors: np.ndarray, encoder: object, text: str, count: int) -> np.ndarray:
    """Return the `count` rows most like a text, by cosine; needs an encoder with a text tower."""
    if not hasattr(encoder, "encode_text"):
        raise ValueError(
            f"the encoder {getattr(encoder, 'name', type(encoder).__name__)} knows no words, so nothing can be found "
            "by a text; start from images, names or a sample instead"
        )
    query = np.asarray(encoder.encode_text([text]), np.float32)[0]
    cosine = np.concatenate(
        [
            block @ query / np.maximum(np.linalg.norm(block, axis=1), 1e-12)
            for block in (np.asarray(vectors[s : s + 8192], np.float32) for s in range(0, len(vectors), 8192))
        ]
    )
    return highest(cosine, count)


class Around:
    """What a strategy that wraps another, its `search` (None: not begun yet), passes on."""

    search: Strategy | None
    _seeds: np.ndarray  # that the search began with
    _batch: Batch | None = None  # as the search asked it
    _fresh: np.ndarray = np.empty(0, bool)  # those of its rows that are asked on, since they have no answer in front

    def _in_front(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows (m,) that have an answer from before the search, and their labels (m,)."""
        raise NotImplementedError

    def _ask_on(self, rounds: int) -> Batch | None:
        """Return the search's questions without those answered in front; the search gets their answers.

        `rounds` are in front of its own.
        """
        known, _ = self._in_front()
        while (batch := next_batch(self.search)) is not None:
            self._batch, self._fresh = batch, ~np.isin(batch.rows, known)
            if (fresh := self._fresh).any():
                return Batch(batch.rows[fresh], batch.components[fresh], batch.round + rounds)
            self.search.update(self._answers(batch.rows, np.empty(0, np.int8)))
        return None

    def _answer_on(self, labels: Sequence[int] | np.ndarray) -> None:
        """Give the search the answers to the questions that `_ask_on` left."""
        self.search.update(labels if self._batch is None else self._answers(self._batch.rows, labels))
        self._batch = None

    def _answers(self, rows: np.ndarray, labels: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the answers to `rows` (m,): those given in front, and the `labels` of the others in their order.

        What is in front may have changed since the rows were asked: a new answer overrides the label given, and where
        one was taken back the answer is unsure.
        """
        answers = np.full(len(rows), UNSURE, np.int8)
        answers[self._fresh] = check_labels(labels, np.count_nonzero(self._fresh))
        front, given = self._in_front()
        known, order = np.isin(rows, front), np.argsort(front)
        answers[known] = given[order][np.searchsorted(front, rows[known], sorter=order)]
        return answers

    def _joined(self, front: Log, rounds: int) -> Log:
        """Return the log of what is in `front`, and then what the search asked beside it, `rounds` later."""
        fresh = ~np.isin(self.search.log.rows, front.rows)
        later = Log(*(part[fresh] for part in self.search.log))
        later = later._replace(rounds=later.rounds + np.int32(rounds))
        return Log(*(np.concatenate(part) for part in zip(front, later, strict=True)))

    @property
    def components(self) -> Mapping[int, str]:
        """The parts that ask: those of the search, samples to begin from, and answers given before it began."""
        around = {each: PANEL_COMPONENTS[each] for each in (SAMPLE, EARLIER)}
        return around if self.search is None else around | dict(components_of(self.search))

    @property
    def may_conclude(self) -> bool:
        """Whether the search has a final one still to come."""
        return is_concluding(self.search)

    def conclude(self) -> None:
        """Let the search's final one come next."""
        if is_concluding(self.search):
            self.search.conclude()

    def scores(self) -> np.ndarray:
        """Return the search's confidence (n,); `QueryError` before there is one."""
        if not is_confident(self.search):
            raise QueryError("nothing is scored yet; mark a few examples first")
        return self.search.scores()

    def _amend_search(self, rows: Sequence[int], labels: Sequence[int]) -> None:
        """Pass corrections on to the search, as far as it knows the rows."""
        if not is_amendable(self.search):
            return
        known = np.union1d(self.search.log.rows, self._seeds)
        if amended := [pair for pair in zip(rows, labels, strict=True) if pair[0] in known]:
            self.search.amend(*map(list, zip(*amended, strict=True)))


class Begin(Around):
    """Show samples, page by page, until enough examples are marked, then search from them: one strategy, one session.

    `samples` are arrays of rows, shown one after the other and no row twice; with `n`, the size of the pool, all other
    rows follow in a random order, so that a class of three is found as well. The search begins once `least` examples
    are marked, or when the person says so (`start`) and at least one is, or when nothing is left to show.
    `search(seeds)` makes the search proper. It must make its own random generator, since rounds are computed on copies.
    If it asks rows that a sample has answered, those answers are used.

    With `overview` the panel shows each page as a whole, many small pictures on which only what is wanted is marked.
    What is not marked was passed (`cards.PASSED`): it has no answer, is not shown in another overview, and the search
    may ask it like any other row.
    """

    def __init__(
        self,
        samples: Sequence[Sequence[int] | np.ndarray],
        search: Callable[[np.ndarray], Strategy],
        *,
        least: int = 1,
        page: int = 24,
        n: int | None = None,
        overview: bool = False,
    ):
        if least < 1 or page < 1:
            raise ValueError(f"least = {least!r}, page = {page!r}; allowed: 1 or more")
        self._carried = 0  # rows of the first page, answered before
        each_once = (list(dict.fromkeys(rows)) if np.ndim(rows) == 1 else rows for rows in samples)
        rows = [check_rows(rows, n or None, "each of samples") for rows in each_once]
        rows += [random_rows(n, n, np.random.default_rng(0))] if n is not None else []
        joined = np.concatenate(rows) if rows else np.empty(0, np.int64)
        _, first = np.unique(joined, return_index=True)
        self.least = least
        self._to_show, self._page, self._overview = joined[np.sort(first)], page, overview
        self._make = search
        self.search: Strategy | None = None
        self._open: np.ndarray | None = None
        self._rows, self._labels, self._rounds = _EMPTY
        self._shown = 0  # pages
        self._seeds = np.empty(0, np.int64)
        self._start_now = False

    @property
    def looking(self) -> bool:
        """Whether examples are still looked for: the search has not begun."""
        return self.search is None

    @property
    def overviews(self) -> bool:
        """Whether its samples are shown as overviews."""
        return self._overview

    @property
    def first_page(self) -> list[int]:
        """The rows that its first page shows."""
        return self._to_show[: self._carried or self._page].tolist()

    @property
    def in_overview(self) -> bool:
        """Whether the open page is an overview."""
        carried = self._carried and not len(self._rows)
        return self._overview and self.looking and not carried

    def carry(self, rows: np.ndarray) -> "Begin":
        """Put `rows` that were answered before in front of all samples, as one page; return this object."""
        self._to_show = np.concatenate([rows, self._to_show[~np.isin(self._to_show, rows)]])
        self._carried = len(rows)
        return self

    def _in_front(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of the samples that have an answer, and their labels."""
        given = self._labels != PASSED
        return self._rows[given], self._labels[given]

    def start(self) -> None:
        """Begin the search with the answers to the open page, if an example is among those marked so far."""
        self._start_now = True

    def query(self) -> Batch | None:
        """Return the next page of the sample, or the search's questions once there are seeds."""
        if self.search is not None:
            return self._ask_on(self._shown)
        earlier = bool(self._carried) and not len(self._rows)
        size = self._carried if earlier else self._page
        self._open = self._to_show[len(self._rows) : len(self._rows) + size]
        if not len(self._open):
            return None
        self._shown += 1
        return Batch(self._open, np.full(len(self._open), EARLIER if earlier else SAMPLE, np.int8), self._shown - 1)

    def update(self, labels: Sequence[int] | np.ndarray) -> None:
        """Take the answers; with enough positives among them, the search begins."""
        if self.search is not None:
            self._answer_on(labels)
            return
        if self._open is None:
            raise QueryError("no rows are open: they were answered already, or query() was not called yet")
        given = self._checked(labels, len(self._open))
        self._rows = np.concatenate([self._rows, self._open])
        self._labels = np.concatenate([self._labels, given])
        self._rounds = np.concatenate([self._rounds, np.full(len(self._open), self._shown - 1, np.int32)])
        self._open = None
        enough = 1 if self._start_now or len(self._rows) == len(self._to_show) else self.least
        self._start_now = False
        if len(self.positives) >= enough:
            seeds = self.positives
            check_search(search := self._make(seeds))
            self.search, self._seeds = search, seeds

    def _checked(self, labels: Sequence[int] | np.ndarray, questions: int) -> np.ndarray:
        """Return the answers to rows of a sample as int8: labels, or in overviews `PASSED`."""
        given = plain_array(labels, "labels", "give one label per row, in its order").copy()
        passed = np.flatnonzero(given == PASSED) if self._overview else []
        given[passed] = UNSURE
        given = check_labels(given, questions)
        given[passed] = PASSED
        return given

    def amend(self, rows: Sequence[int], labels: Sequence[int]) -> None:
        """Take corrections, of the sample and of what the search asked since.

        A row whose mark was taken back is passed again; for a search that began with it, it is unsure.
        """
        given = self._checked(labels, len(rows))
        shown, order = np.isin(rows, self._rows), np.argsort(self._rows)
        at = order[np.searchsorted(self._rows, np.asarray(rows, np.int64)[shown], sorter=order)]
        self._labels = self._labels.copy()  # a copy of this search may share the array
        self._labels[at] = given[shown]
        self._amend_search(rows, np.where(given == PASSED, UNSURE, given))

    @property
    def log(self) -> Log:
        """All questions answered so far, those of the samples first."""
        given = self._labels != PASSED
        components = np.where(np.arange(len(self._rows)) < self._carried, EARLIER, SAMPLE).astype(np.int8)
        own = (self._rows, self._labels, components, self._rounds)
        own = Log(*(part[given] for part in own))
        return own if self.search is None else self._joined(own, self._shown)

    @property
    def positives(self) -> np.ndarray:
        """The rows known to be positive, ascending."""
        marked = np.sort(self._rows[self._labels == POSITIVE])
        return marked if self.search is None else np.union1d(marked, positives_of(self.search))


_EMPTY = (np.empty(0, np.int64), np.empty(0, np.int8), np.empty(0, np.int32))
