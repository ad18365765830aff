"""An audit after a search: label some more rows, chosen at random, and say which share of the class is found at least.

The statement "at least 90 % are found" then holds with the stated confidence however good the scores are, wherever the
missing positives are, and whenever one stops to read it. There is no cheaper way to promise as much: a method that
trusts no score has to look at about 27 / prevalence rows for 90 %, and `labels_for` tells the cost of a statement
before the first label. A narrower statement, about the best-scored rows only, is an audit of those rows; it promises
nothing about the rest.

How it works. N rows are unlabelled, and M of them, an unknown number, are positive. The rows are labelled in a random
order, and h of the first t turn out positive. M is bounded by U, the largest number for which so few hits are not too
unlikely:

    alpha_h = alpha / ((h + 1) (h + 2))                         sums to alpha over h = 0, 1, 2 ...
    u       = max {M : P(at most h hits among t of N rows with M positives) > alpha_h}     hypergeometric
    U       = the least u seen so far

Why it holds at every look: U falls below M at some look only if, for some h, at most h hits had been met by the
earliest t at which the bound for h falls below M. That has probability at most alpha_h; the sum over h is alpha.

A person overlooks some positives: each of the M is a hit only with a probability s. Control items, positives that are
known already and are shown among the rows, tell how many: of the first k, m were overlooked. Then M is bounded by what
some s in [0, 1] leaves for it:

    alpha_hm = alpha / ((h + 1) (h + 2) (m + 1) (m + 2))        sums to alpha over h, m = 0, 1, 2 ...
    u        = max {M : P(at most m of k overlooked; s) P(at most h hits; M, s) > alpha_hm for some s}

This holds at every look for the same reason: which items are control items, and so k, is fixed by the plan of the
audit, so with the true M and s the product falls while h and m stay. If it is at most alpha_hm at the earliest of such
looks, at most h hits and at most m overlooked ones had been met by then, which has that probability: the two are
independent. What this measures are slips on positives such as the control items: it assumes that those still missing
are seen as easily.

The largest product over s is found by a search in one dimension, since both factors are log-concave in s. The first is
the distribution function of a beta variable. The second, F_h, has the derivative -(h + 1) P(h + 1 hits) / s, and
P(j hits) = s^j Q_j(s) with Q_j = G^(j)(1 - s) / j!, where G is the generating function of the positives looked at.
All roots of G are real (the number is hypergeometric) and so are those of its derivatives: each Q_j is log-concave.
Q_j' = -(j + 1) Q_(j + 1), so each Q_j / Q_(j + 1) falls with s; and so does s F_h / P(h + 1 hits), which is a sum of
products of these with powers of 1 / s.
"""

import copy
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from numbers import Integral

import numpy as np
import scipy

from elsa_nb.search.checks import check_count, check_number, check_rng, check_rows, check_rows_asked, check_share
from elsa_nb.search.contract import POSITIVE, UNSURE, QueryError, check_labels

# Probabilities so small that no bound changes if they are taken for 0:
_SURELY = 60.0  # minus twice the logarithm of one, which is exp(-60 / 2), about 1e-13
_NEVER = 1e-12
_IMPOSSIBLE = 1e6  # stands for minus the logarithm of 0
_CLOSE = 1e-6  # to the best share that is seen: there the product is flat

Controls = tuple[int, int]  # of control items, which are known positives: how many were seen, how many shown


class Audit:
    """One audit of `rows` (N,), all unlabelled rows of the pool or a part of them, after a search found `found`.

    Ask with `query`, answer with `update`, read `recall_at_least` or `missing_at_most` whenever you like. `confidence`
    is the probability with which all statements of the audit hold together. `rng` decides the order of the rows: a
    generator, its seed, or None. Only answers in that order count, so do not choose `rows` by looking at it.

    `found_since` are rows that were found in another way after the audit began, by a search that went on. Those of the
    audit count as found, and others nowhere; they change neither the order nor the bound on all positives among the
    rows. `doubtful` is how many items outside of `rows` have an answer that is unsure by now: each may be a missing
    positive.

    A person overlooks some positives. With `controls` = (seen, shown), counted on known positives shown among the rows
    (control items), the statements allow for it. Where they are shown bit by bit, begin with (0, 0) and add what came
    of them with `update`. Without `controls` the statements hold for somebody who overlooks nothing.

    Raises ValueError for numbers that are out of range; `QueryError` when `query` and `update` are not called in turn.
    """

    def __init__(
        self,
        rows: Sequence[int] | np.ndarray,
        found: int,
        *,
        rng: np.random.Generator | int | None,
        confidence: float = 0.95,
        controls: Controls | None = None,
        found_since: Sequence[int] | np.ndarray = (),
        doubtful: int = 0,
    ):
        rows = check_rows(rows, None, "rows of an audit")
        check_count("found", found, 1)  # a share of nothing has no meaning
        check_count("doubtful", doubtful, 0)
        self.doubtful = int(doubtful)
        self.found, self.hits, self.labels = int(found), 0, 0
        self._order = check_rng(rng).permutation(rows)
        self._found_since = np.isin(self._order, check_rows_asked(found_since, None, "found_since"))
        self._risk, self.controls = _risk_of(confidence), controls if controls is None else check_controls(controls)
        self._bound = len(rows)
        self.unsure = 0
        self._open: np.ndarray | None = None

    def __repr__(self) -> str:
        least = int(1000 * self.recall_at_least) / 1000  # never more than was shown
        return (
            f"<Audit of {len(self._order):,} rows: {self.labels:,} labels, {self.hits:,} found beside {self.found:,}; "
            f"a share of {least:g} is found at least>"
        )

    def query(self, size: int = 200) -> np.ndarray | None:
        """Return the next rows (at most `size`) to label, or None when all are labelled."""
        if self._open is not None:
            raise QueryError(f"answer the {len(self._open)} open rows with update() before asking for more")
        check_count("size", size, 1)
        rows = self._order[self.labels : self.labels + size]
        self._open = rows if len(rows) else None
        return None if self._open is None else rows.copy()  # the audit's own order stays as it is

    def update(self, labels: Sequence[int] | np.ndarray, *, controls: Controls = (0, 0)) -> None:
        """Answer the last query: one label per row, 1 positive, 0 negative, -1 unsure, which may be missing.

        `controls` counts the control items that were shown among these rows, as (seen, shown). Wrong labels and
        counts raise ValueError and change nothing, and so does `controls` for an audit that was made without it.
        """
        if self._open is None:
            raise QueryError("no rows are open: they were answered already, or query() was not called yet")
        labels = check_labels(labels, len(self._open), self._open)
        check_controls(controls)
        if self.controls is not None:
            self.controls = self.controls[0] + controls[0], self.controls[1] + controls[1]
        elif controls != (0, 0):
            raise ValueError(f"controls = {controls!r}; allowed: (0, 0), unless the audit began with controls=(0, 0)")
        self.labels += len(labels)
        self.hits += int((labels == POSITIVE).sum())
        self.unsure += int((labels == UNSURE).sum())
        self._open = None
        seen = self.hits + self.unsure
        risk = spent_at(self._risk, seen, self.controls)
        self._bound = min(self._bound, most_positives(len(self._order), self.labels, seen, risk, self.controls))

    def at_best(self, controls: Controls = (0, 0)) -> "Audit":
        """Return the audit as it would be with all rows labelled and no further find, after more `controls`."""
        last = copy.copy(self)
        last._open = self._order[self.labels :]
        last.update(self._found_since[self.labels :].astype(np.int8), controls=controls)
        return last

    @property
    def elsewhere(self) -> int:
        """How many of the rows that the audit has not reached yet were found in another way."""
        return int(self._found_since[self.labels :].sum())

    @property
    def missing_at_most(self) -> int:
        """How many positives are not found yet, at most, including doubtful ones."""
        found = self.hits + self.elsewhere
        return max(self._bound, found + self.unsure) - found + self.doubtful

    @property
    def recall_at_least(self) -> float:
        """The share of the positives that is found, at least: of found ones and those among the audited rows."""
        found = self.found + self.hits + self.elsewhere
        return found / (found + self.missing_at_most)


def labels_for(
    rows: int,
    found: int,
    promise: float,
    *,
    labels: int = 0,
    hits: int = 0,
    elsewhere: int = 0,
    doubtful: int = 0,
    unsure: int = 0,
    confidence: float = 0.95,
    controls: Controls | Callable[[int], Controls] | None = None,
) -> int:
    """Return how many of `rows` unlabelled rows an audit labels until it can say "at least `promise` is found".

    That is the cost if it meets `hits` further positives on the way; with 0 it is the least cost. The answer is all
    `rows` where nothing less suffices. `elsewhere` more of the rows were found in another way: the random order reaches
    them, too, and they are hits by then, as many as are to be expected among the rows after the first `labels`, which
    were labelled before. `doubtful` items beside the rows may be missing, as in `Audit`; `unsure` of the labels so far
    were neither yes nor no. `promise`
    is a share of the class, above 0 and below 1. `controls` is that of `Audit`, or a function that says it for a number
    of labels, where more are shown on the way; control items are not among the labels counted here.

    Raises ValueError for numbers that are out of range, for more `hits` and `elsewhere` than `rows`, for more
    `elsewhere` than rows that are not labelled yet, and for an audit of nothing `found`: see `Audit`.
    """
    counts = {"rows": rows, "found": found, "hits": hits, "elsewhere": elsewhere, "doubtful": doubtful}
    counts |= {"labels": labels, "unsure": unsure}
    for name, count in counts.items():
        check_count(name, count, 1 if name == "found" else 0)
    _check_within(labels=labels, rows=rows)
    _check_within(hits=hits, rows=rows - elsewhere - unsure)
    _check_within(elsewhere=elsewhere, rows=rows - labels)
    check_share("promise", promise)
    risk = _risk_of(confidence)
    counted = controls if callable(controls) else lambda labels: controls
    allowed = int((found + hits + elsewhere) / promise + 1e-9) - found - doubtful  # positives among the rows, at most
    if allowed >= rows:
        return 0
    if allowed < 0:  # the doubtful alone are too many
        return rows
    low, high = 0, rows  # `low` labels do not suffice, unless none are needed; `high` labels do
    while low < high:
        middle = (low + high) // 2
        shown = counted(middle)
        reached = round(elsewhere * max(middle - labels, 0) / max(rows - labels, 1))
        seen = min(hits + unsure + reached, middle)
        if may_be(rows, allowed + 1, middle, seen, spent_at(risk, seen, shown), shown):
            low = middle + 1
        else:
            high = middle
    return high


def spent_at(risk: float, hits: int, controls: Controls | None = None) -> float:
    """Return the part of the `risk` that is spent on the statements made after `hits` hits, and so many overlooked."""
    spent = risk / ((hits + 1) * (hits + 2))
    if controls is None:
        return spent
    seen, shown = check_controls(controls)
    return spent / ((shown - seen + 1) * (shown - seen + 2))


def most_positives(rows: int, labels: int, hits: int, risk: float, controls: Controls | None = None) -> int:
    """Return the largest number of positives among `rows` for which `hits` or fewer in `labels` draws exceed `risk`.

    With `controls`, they and the number of control items that were overlooked do so together, for some share of
    positives that is seen. Raises ValueError for more `hits` than `labels`, or more `labels` than `rows`.
    """
    _check_within(hits=hits, labels=labels, rows=rows)
    return _most_positives(rows, labels, hits, risk, None if controls is None else tuple(check_controls(controls)))


@lru_cache(4096)  # a correction computes all pages anew, and most of them are as they were
def _most_positives(rows: int, labels: int, hits: int, risk: float, controls: Controls | None) -> int:
    low, high = hits, rows
    if not may_be(rows, low, labels, hits, risk, controls):
        return hits  # possible only by rounding: this many were seen
    while low < high:
        middle = (low + high + 1) // 2
        if may_be(rows, middle, labels, hits, risk, controls):
            low = middle
        else:
            high = middle - 1
    return low


def may_be(rows: int, positives: int, labels: int, hits: int, risk: float, controls: Controls | None = None) -> bool:
    """Whether so many `positives` among `rows` leave more than `risk` for what was seen: see the top of the module."""
    if controls is None:
        return few_hits(rows, positives, labels, hits) > risk
    seen, shown = controls
    if not seen:  # then she may see none at all
        return True
    # Below `least` the control items alone leave too little, and of `enough` positives more than `hits` are seen.
    least = float(scipy.special.betaincinv(seen, shown - seen + 1, risk))
    drawn, looked_at = _looked_at(rows, positives, labels, hits, max(least, _NEVER))

    def surprise(sight: float) -> float:
        """Return minus the logarithm of the probability of what was seen."""
        both = scipy.special.betainc(seen, shown - seen + 1, sight) * (looked_at @ _at_most(hits, drawn, sight))
        return -np.log(both) if both > 0 else _IMPOSSIBLE + sight  # so that the search goes back from there

    if min(surprise(least), surprise(1.0)) < -np.log(risk):
        return True
    found = scipy.optimize.minimize_scalar(surprise, bounds=(least, 1.0), method="bounded", options={"xatol": _CLOSE})
    return bool(found.fun < -np.log(risk))


def few_hits(rows: int, positives: int, labels: int, hits: int, sight: float = 1.0) -> float:
    """Return the probability of at most `hits` hits in `labels` of `rows`, drawn without replacement.

    `positives` of the `rows` are hits if they are seen, each with the probability `sight`. Raises ValueError for
    more `positives` or `labels` than `rows`.
    """
    _check_within(positives=positives, rows=rows)
    _check_within(labels=labels, rows=rows)
    if sight == 1.0:
        return float(scipy.stats.hypergeom.cdf(hits, rows, positives, labels))
    if sight < _NEVER:  # of any number of positives none may be seen
        return 1.0
    drawn, looked_at = _looked_at(rows, positives, labels, hits, sight)
    return float(looked_at @ _at_most(hits, drawn, sight))


def _looked_at(rows: int, positives: int, labels: int, hits: int, sight: float) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers of positives that may be looked at, from 0, and their probabilities.

    Left out are those of which more than `hits` are surely seen, by Chernoff, with a probability of at least `sight`.
    """
    enough = int(((np.sqrt(_SURELY) + np.sqrt(_SURELY + 4 * hits)) / 2) ** 2 / sight) + 1
    drawn = np.arange(min(positives, labels, enough) + 1)
    return drawn, np.exp(scipy.stats.hypergeom.logpmf(drawn, rows, positives, labels))  # pmf is slow in large pools


def _at_most(hits: int, drawn: np.ndarray, sight: float) -> np.ndarray:
    """Return the probability that at most `hits` of each number `drawn` (n,) of positives are seen, (n,)."""
    return np.where(drawn <= hits, 1.0, scipy.special.bdtr(hits, np.maximum(drawn, hits), sight))


def _check_within(**counts: int) -> None:
    """Raise ValueError unless each of the counts is at most the next one, which it is a part of."""
    for (name, part), (of, whole) in pairwise(counts.items()):
        if part > whole:
            raise ValueError(f"{name} = {part} and {of} = {whole}; allowed: at most as many {name} as {of}")


def _risk_of(confidence: float) -> float:
    check_number("confidence", confidence, "a probability above 0 and below 1, such as 0.95", above=0, below=1)
    return 1 - confidence


def check_controls(controls: Controls) -> Controls:
    """Return `controls`; raise ValueError unless it is (seen, shown), with at most as many seen as shown."""
    pair = isinstance(controls, tuple | list) and len(controls) == 2
    seen, shown = controls if pair else (0, -1)
    whole = all(isinstance(count, Integral) and not isinstance(count, bool) for count in (seen, shown))
    if not whole or not 0 <= seen <= shown:
        raise ValueError(f"controls = {controls!r}; allowed: (seen, shown), at most as many seen as shown")
    return seen, shown
