"""Harvest: ask the rows on which two judges agree, a line through the whole space and the neighbourhood of each row.

The algorithm, over the prepared rows z_1 ... z_n of a pool (unit length: `elsa_nb.search.heads.prepared_rows`):

    W <- 500 random rows without an answer, of which nearly all are negative
    kp(i) <- sum over seeds s of K(z_i, z_s);   kn(i) <- 0              K(a, b) = ((1 + a . b) / 2) ** 24
    in round t = 0, 1, 2 ...
        P, N <- the known positives and negatives;   S <- max(|P|, 10)
        w, b <- logistic regression of P against N and W, penalty |w|^2 / 2; the costs of P sum to S, so do those of N
                and W together, where a row of W counts a tenth of one of N
        line(i)          <- w . z_i + b
        neighbourhood(i) <- log(kp(i) + 1e-6) - log(kn(i) + 1e-3)
        score            <- standardised line + standardised neighbourhood, each over the whole pool
        ask the 10 x 1.1^t unasked rows of highest score (200 at most; of equal rows, one)
        add K of every row with each new positive to kp, with each new negative to kn

Why each part is there:

- *The line* generalises: it learns from every answer what separates the class from the rest everywhere. Alone it finds
  most of a class, and misses members that are not where most are.
- *The neighbourhood* remembers: near a find, wherever it is, there may be more, and around a refusal there are not. It
  reaches members that no line separates, and keeps the line from asking one region of refusals again and again.
  Far from all answers it is low, though not as low as beside a refusal.
- *Their sum in standard deviations* needs no scale between the two; that scale would change with every answer.
- *Costs that sum to S on both sides* keep a class with three members known from being drowned by 500 negatives, and let
  the answers outweigh the penalty as they come. S is at least 10: with one seed the direction away from W already
  counts.
- *Random negatives* say where the pool is before any refusal does; each weighs a tenth, since answers know better.
- *Batches that grow* spend effort where it pays: the first answers change the line the most.
- *One of equal rows*: its answer is also that of the others. The others are asked once it is a find, and last of all
  where it is not.

Of a pool of many rows (`LargeRows`) only a part is looked at closely, since a round's time goes into the neighbourhood.
The line is computed from coarse codes for all rows. Looked at are the 2^14 rows that may be asked and are highest by
that, and the 128 rows nearest to one find per round, the find that the line rates lowest; both judges are standardised
over 2^12 random rows. A shortlist without the rows near finds was tried: it costs labels where the neighbourhood finds
most, as on texts.

What it does not do: a second form of the class far from the first (half of the 296 of the letter g) may stay unseen for
a thousand labels, where the line alone reaches it. Tried against that, and not better over a few classes: equal terms
1e-3 in both logarithms; a third of a batch by each judge alone, a larger share the fewer finds there are, or after a
dry round; sums of log-odds that are not standardised. Tried for rare classes, on 16 to 40 classes of the tuning half in
four pools, and not better over all of them: half the neighbourhood; judges weighed by how well each predicted the
answers so far, which saves labels in Food-101 and costs as many in texts; a second line, in rows that are not
half-whitened; a larger S. Tried for two encoders, on 14 to 24 classes of the tuning half in three pools: unequal
weights. The weights that were best for a class from one example were no better for it from another, so answers have
nothing to tell about them. Notebook 18 has what each part is worth, on classes that nothing was chosen on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from elsa_nb.pool import Pool
from elsa_nb.search.checks import (
    check_config,
    check_counts,
    check_kinds,
    check_made,
    check_number,
    check_pool,
    check_rng,
)
from elsa_nb.search.contract import POSITIVE, UNASKED, Batch, KeepsLedger, Ledger, QueryError
from elsa_nb.search.heads.head import LinearHead
from elsa_nb.search.heads.large_rows import LargeRows
from elsa_nb.search.heads.logistic import confidence, logistic_regression
from elsa_nb.search.heads.neighbourhood import Followed, Neighbourhood
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.highest import highest
from elsa_nb.threads import one_blas_thread

LINE, NEIGHBOURHOOD = 4, 5
_NEAREST = 128  # of `LargeRows`: how many of the rows nearest to a find are followed
_ALL = slice(None)

Rows = np.ndarray | slice  # row numbers, or all rows
_Looked = tuple[Rows, Rows, np.ndarray, np.ndarray]
_Turns = tuple[np.ndarray, np.ndarray | None]  # which rows (n,) may be asked, and which when no other is left, if any


@dataclass(frozen=True)
class _Scored:
    """What a query found: the score of `rows` and, unless these are all, the line's logits (n,)."""

    score: np.ndarray
    rows: np.ndarray | None = None
    logits: np.ndarray | None = None

    def of_all(self, scaled_by: np.ndarray) -> np.ndarray:
        """Return the score (n,) float32 of every row."""
        if self.logits is None or self.rows is None:
            return self.score
        # The others are given the neighbourhood of an average row: its standardised score is 0.
        score = _standardised(self.logits, scaled_by).astype(np.float32)
        score[self.rows] = self.score
        return score


@dataclass(frozen=True)
class HarvestConfig:
    """The choices of Harvest; the letters are those of the algorithm above.

    Only the budget is for a user to set: the others are there so that a benchmark can measure the effect of each.

    Attributes:
        budget: Labels after which it stops.
        batch: Rows of the first batch.
        growth: Share by which each batch is larger than the one before.
        most_rows: Rows of the largest batch.
        weak_negatives: How many random rows are taken for negatives: the size of W.
        weak_weight: The weight of a row of W in the regression, where a refused row has 1.
        balanced: Whether the costs of each side sum to S; if not, an answer costs 1 and a row of W `weak_weight`.
        least_side: The least value of S.
        l2: The weight of |w|^2 / 2 in the regression of the line.
        least_found: Added to the kernel's sum over finds before its logarithm is taken, since 0 has none.
        least_refused: Added likewise to the kernel's sum over refusals.
        judges: Which judges' standardised scores are added up: "line", "neighbourhood" or both, each once.
    """

    budget: int = 2000
    batch: int = 10
    growth: float = 0.1
    most_rows: int = 200
    weak_negatives: int = 500
    weak_weight: float = 0.1
    balanced: bool = True
    least_side: float = 10.0
    l2: float = 1.0
    least_found: float = 1e-6
    least_refused: float = 1e-3
    judges: tuple[str, ...] = ("line", "neighbourhood")

    def __post_init__(self):
        check_kinds(self)
        check_counts(self, budget=1, batch=1, most_rows=1, weak_negatives=1)
        for name in ("growth", "least_side"):
            check_number(name, getattr(self, name), "0 or more", least=0)
        for name in ("weak_weight", "l2", "least_found", "least_refused"):
            check_number(name, getattr(self, name), "more than 0", above=0)
        several = isinstance(self.judges, tuple | list) and len(self.judges) > 0
        known = several and all(judge in ("line", "neighbourhood") for judge in self.judges)
        if not known or len(set(self.judges)) < len(self.judges):
            raise ValueError(f"judges = {self.judges!r}; allowed: ('line',), ('neighbourhood',) or both, each once")
        object.__setattr__(self, "judges", tuple(self.judges))  # a list equals no tuple, and has no hash


class Harvest(KeepsLedger):
    """Ask what a line and the neighbourhood of the answers both think likely. Same arguments and errors as `Search`.

    `prepared_rows`, of the pool or (`PreparedRows.of`) of several encoders of its items, can be shared by many
    searches; by default they are made from `pool`, in seconds for a hundred thousand rows, and all are looked at.
    `elsa_nb.prepared.prepared_rows` gives those that suit a pool of any size. A search adds 21 bytes per row; with
    `LargeRows`, 5 bytes and some 50 MB.
    """

    name: ClassVar[str] = "Harvest"
    version: ClassVar[int] = 1  # raised with a change of this strategy's logs: see `elsa_nb.search.version`
    config_class: ClassVar[type] = HarvestConfig
    needs: ClassVar[tuple[str, ...]] = ("prepared_rows",)
    components: ClassVar[Mapping[int, str]] = {LINE: "line", NEIGHBOURHOOD: "neighbourhood"}
    colour: ClassVar[str] = "#000000"
    draws_randomness = True  # which rows are taken for negatives

    def __init__(
        self,
        pool: Pool,
        seeds: Sequence[int] | Sequence[str] | np.ndarray,
        *,
        config: HarvestConfig | None = None,
        rng: np.random.Generator | int | None,
        prepared_rows: PreparedRows | LargeRows | None = None,
    ):
        n = check_pool(pool)
        check_made("prepared_rows", prepared_rows, pool)
        self.config, self.pool = HarvestConfig() if config is None else config, pool
        check_config(self.config, HarvestConfig)
        self._ledger = Ledger(n, seeds, pool.ids)
        others = np.flatnonzero(self._ledger.unasked)
        count = min(self.config.weak_negatives, len(others))
        rng = check_rng(rng)
        self._weak = np.sort(rng.choice(others, size=count, replace=False))
        self._rows = prepared_rows or PreparedRows.of_pool(pool)
        some = min(self._rows.scaled_by, n) if isinstance(self._rows, LargeRows) else 0
        self._scaled_by = np.sort(rng.choice(n, size=some, replace=False))
        # Of `LargeRows`: the finds that were looked around, and the rows near them, which stay if one is taken back.
        self._around, self._near = np.empty(0, np.int64), np.empty(0, np.int64)
        self._neighbourhood: Neighbourhood | None = None  # of the answers at the last query
        self._round = 0
        self._size = float(self.config.batch)
        self._head: LinearHead | None = None
        self._scored: _Scored | None = None
        self._trained = False

    def shared_parts(self) -> tuple[object, ...]:
        """Return what copies of this search may share: the pool and its prepared rows."""
        return self.pool, self._rows

    def largest_batch(self) -> int:
        """Return how many rows the next query asks."""
        size = min(round(self._size), self.config.most_rows)
        return min(size, self.config.budget - self._ledger.asked, self._ledger.left)

    def head_to_score(self) -> tuple[LinearHead, PreparedRows | LargeRows] | None:
        """Return the line, whose logits over all rows the next `query` reads, with the rows; None if it reads none.

        It is trained here, once per round.
        """
        if self._ledger.open or not self.largest_batch():
            return None
        if (head := self._head) is None or not self._trained:
            head = self._head = self._train()
            self._trained = True
        return head, self._rows

    def query(self, logits: np.ndarray | None = None) -> Batch | None:
        """Return the unasked rows of highest score, each with the judge that rates it higher; None at the end."""
        self._ledger.check_query(logits)
        if (scored := self.head_to_score()) is None:
            return None
        turns = self._turns()
        if isinstance(self._rows, LargeRows):
            logits = self._look_around(scored[0], self._rows, logits, turns[0])
        elif logits is None:
            logits = scored[0].logits(self._rows)
        rows, scale, line, near = self._looked_at(scored[0], logits, turns)
        judges = {"line": _standardised(line, scale), "neighbourhood": _standardised(near, scale)}
        score = sum((judges[name] for name in self.config.judges), np.zeros(len(line)))
        best = _first(score, self.largest_batch(), turns, rows)
        self._scored, asked = _Scored(score.astype(np.float32)), best
        if not isinstance(rows, slice):
            self._scored, asked = _Scored(score.astype(np.float32), rows, logits), rows[best]
        components = np.where(judges["line"][best] >= judges["neighbourhood"][best], LINE, NEIGHBOURHOOD)
        if len(self.config.judges) == 1:
            components[:] = LINE if self.config.judges == ("line",) else NEIGHBOURHOOD
        return self._ledger.ask(Batch(asked, components.astype(np.int8), self._round))

    def update(self, labels: Sequence[int] | np.ndarray) -> None:
        """Answer the last query: one label a row of its batch, 1 positive, 0 negative, -1 unsure."""
        self._ledger.answer(labels)
        self._trained = False
        self._size = min(self._size * (1 + self.config.growth), self.config.most_rows)
        self._round += 1

    def amend(self, rows: Sequence[int] | np.ndarray, labels: Sequence[int] | np.ndarray) -> None:
        """Correct answers given earlier: the next query is as if they had been given like this. See `Search.amend`.

        What was asked meanwhile stays asked.
        """
        self._ledger.amend(rows, labels)
        self._trained = False

    def scores(self) -> np.ndarray:
        """Return the confidence (n,) float64 that each row is positive; `QueryError` before the first query.

        The scores of the last query, brought to probabilities by a logistic regression on the answers and W (Platt).
        """
        if self._scored is None:
            raise QueryError("nothing is scored yet: ask with query() first")
        score = self._scored.of_all(self._scaled_by)
        rows, y, costs = self._samples()
        if y.all() or not y.any():
            return confidence(score.astype(float))
        weights, bias = logistic_regression(score[rows, None].astype(float), y, 1e-3, costs=costs)
        return confidence(score * max(weights[0], 0.0) + bias)

    def _look_around(
        self, head: LinearHead, rows: LargeRows, logits: np.ndarray | None, free: np.ndarray
    ) -> np.ndarray:
        """Return the line's logits over all rows, and note which rows are near one more find: both from the codes.

        That is the find that the line rates lowest: what is near others is on the shortlist.
        """
        finds = np.setdiff1d(self._ledger.positives, self._around)
        points = rows.single(finds)
        if len(finds):
            least = int(np.argmin(points @ head.weights.astype(np.float32)))
            finds, points = finds[[least]], points[[least]]
        if logits is None:  # both in one pass over the codes
            weights, biases = np.concatenate([head.weights[None], points]), np.array([head.bias, *np.zeros(len(finds))])
            line, *cosines = rows.project(weights, biases)
        else:
            line, cosines = logits, rows.project(points, np.zeros(len(finds)))
        near = [highest(each, _NEAREST, free) for each in cosines]
        self._around, self._near = np.union1d(self._around, finds), np.unique(np.concatenate([self._near, *near]))
        return line

    def _looked_at(self, head: LinearHead, logits: np.ndarray, turns: _Turns) -> _Looked:
        """Return the rows looked at closely, those among them that give the scale, and the scores of both judges."""
        # An interruption in between leaves no sums, and all answers are added anew.
        near, self._neighbourhood = self._neighbourhood, None
        if isinstance(self._rows, LargeRows):
            shortlist = _first(logits, self._rows.shortlist, turns)
            others = self._near, self._ledger.known, self._weak, self._scaled_by
            rows = np.unique(np.concatenate([shortlist, *others]))
            if isinstance(near, Followed):
                near.follow(rows)
            else:
                near = Followed(self._rows, rows)
            line, scale = near.line(head), np.searchsorted(rows, self._scaled_by)
        else:
            rows, scale, line = _ALL, _ALL, logits
            near = near or Neighbourhood(self._rows)
        if "neighbourhood" in self.config.judges:
            near.update(self._ledger.known, self._ledger.answers[self._ledger.known])
        self._neighbourhood = near
        found, refused = near.positive + self.config.least_found, near.negative + self.config.least_refused
        return rows, scale, line, np.log(found) - np.log(refused)

    def _samples(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rows, whether they are positive, and weights: all answers, and W without what was answered."""
        positives, negatives = self._ledger.positives, self._ledger.negatives
        weak = self._weak[self._ledger.answers[self._weak] == UNASKED]
        rows = np.concatenate([positives, negatives, weak])
        costs = np.ones(len(rows))
        costs[len(rows) - len(weak) :] = self.config.weak_weight
        return rows, np.arange(len(rows)) < len(positives), costs

    def _train(self) -> LinearHead:
        rows, y, costs = self._samples()
        if y.all() or not y.any():  # there is nothing to tell apart: the neighbourhood decides
            return LinearHead(np.zeros(self._rows.vectors.shape[1]), 0.0)
        for side in (y, ~y) if self.config.balanced else ():
            costs[side] *= max(np.count_nonzero(y), self.config.least_side) / costs[side].sum()
        before = (None, 0.0) if self._head is None else (self._head.weights, self._head.bias)
        # One thread: it is faster on matrices this small, and no bit depends on the number of threads.
        with one_blas_thread():
            return LinearHead(
                *logistic_regression(
                    self._rows.take(rows),
                    y,
                    self.config.l2,
                    costs=costs,
                    start=before[0],
                    start_bias=before[1],
                    coarse=True,
                )
            )

    def _turns(self) -> _Turns:
        """Return which rows may be asked, and which are asked when no others are left: those that wait for twins."""
        free, waiting = self._ledger.unasked, self._waiting_twins()
        free[waiting] = False
        if not len(waiting):
            return free, None
        late = np.zeros(len(free), bool)
        late[waiting] = True
        return free, late

    def _waiting_twins(self) -> np.ndarray:
        """Return the unasked rows that equal an answered row which is not a find, or an unasked row before them."""
        twins, groups = self._rows.twins, self._rows.twin_groups
        answers = self._ledger.answers[twins]
        unasked = answers == UNASKED
        found, known = (np.zeros(groups.max(initial=-1) + 1, bool) for _ in range(2))
        found[groups[answers == POSITIVE]] = True
        known[groups[~unasked]] = True
        first = np.zeros(len(twins), bool)
        open_ = np.flatnonzero(unasked & ~known[groups])
        first[open_[np.unique(groups[open_], return_index=True)[1]]] = True
        return twins[unasked & ~found[groups] & ~first]


def _first(score: np.ndarray, size: int, turns: _Turns, rows: Rows = _ALL) -> np.ndarray:
    """Return the places of the `size` highest scores that may be asked, ties by row, those whose turn is late last."""
    free, late = turns
    best = highest(score, size, free[rows])
    if len(best) == size or late is None:
        return best
    return np.concatenate([best, highest(score, size - len(best), late[rows])])


def _standardised(values: np.ndarray, scale: Rows = _ALL) -> np.ndarray:
    """Return values (n,) in units of the standard deviation of those at `scale`, whose mean is 0; equal ones are 0."""
    values = values - values[scale].mean()
    deviation = values[scale].std()
    return values / deviation if deviation > 1e-12 else np.zeros_like(values)
