"""Algorithm 4: ELSA as one object that asks (`query`) and is answered (`update`).

Where to find each line of the algorithm; the same numbers mark the lines of code:

     1  delta0 <- Lambda                            __init__
     2  for i <= number of epochs do                query, by _goes_on
     3      K <- NN(delta0, a)                      _next_round
     4      l <- Sampler(D)                         _next_round, by _sample
     5      delta <- RandS(l, b)                    _next_round
     6      gamma <- K u delta                      _next_round
     7      Oracle(gamma) -> (gamma+, gamma-)       the caller, between query and update
     8      Lambda <- Lambda u gamma+               update
     9      header trained on (Lambda u gamma-)     update, by _train_on_answers; after 10 and 11, since it takes long
    10      delta0 = gamma+                         update
    11      i++                                     update
    12  end for                                     query
    13  z <- Sampler(D)                             _final_search
    14  Oracle(z) -> (z+, z-)                       the caller, as in line 7
    15  Lambda* <- Lambda u z+; return Lambda*      update; positives

The loop is the caller's: `while (batch := search.query()) is not None: search.update(answers)`. `readings`
decides what the paper leaves open, and what only its released code does. Below the algorithm is what else the panel and
the sweeps ask of a search: scores, corrections, an early end.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from elsa_nb.pool import Pool
from elsa_nb.search import algorithms, readings
from elsa_nb.search.checks import check_config, check_made, check_pool, check_rng
from elsa_nb.search.config import ELSA as ELSA
from elsa_nb.search.config import SearchConfig
from elsa_nb.search.contract import NEGATIVE, POSITIVE, Batch, Component, KeepsLedger, Ledger, QueryError
from elsa_nb.search.heads import head as heads
from elsa_nb.search.heads.features import Features
from elsa_nb.search.neighbours.bounds import Sketch, without_lists
from elsa_nb.search.neighbours.lists import Neighbours


class Search(KeepsLedger):
    """One search for the class of the seeds: ask with `query`, answer with `update`, until `query` returns None.

    `pool` holds the vectors searched; `seeds` are known positives, as row numbers or as ids of the pool; all randomness
    comes from `rng`, a generator or its seed (None: another seed each time).
    `neighbours` (over `pool.vectors`) and `features` (what the head sees) can be shared by many searches; by default
    both are made from `pool`. With `config.head_space` "embedding", pass the `Features` of the embedding.

    `query` and `update` raise `QueryError` when not called in turn; bad seeds and labels raise `ValueError` and
    change nothing.

    >>> import numpy as np
    >>> from elsa_nb import Pool, Search
    >>> wanted = np.arange(500) < 20
    >>> vectors = np.random.default_rng(0).normal(size=(500, 8)) + 4 * wanted[:, None]
    >>> search = Search(Pool.from_arrays(vectors), [0, 1], rng=0)
    >>> batch = search.query()
    >>> len(batch.rows)   # up to 50 by NN and 50 by RandS
    98
    >>> search.update(wanted[batch.rows].astype(int))   # 1 positive, 0 negative, -1 unsure
    >>> len(search.positives)
    20
    """

    name: ClassVar[str] = "ELSA"
    version: ClassVar[int] = 1  # raised with a change of this strategy's logs: see `elsa_nb.search.version`
    config_class: ClassVar[type] = SearchConfig
    needs: ClassVar[tuple[str, ...]] = ("neighbours", "features")
    components: ClassVar[Mapping[int, str]] = {Component.NN: "NN", Component.RANDS: "RandS", Component.FINAL: "final"}
    colour: ClassVar[str] = "#0072B2"

    def __init__(
        self,
        pool: Pool,
        seeds: Sequence[int] | Sequence[str] | np.ndarray,
        *,
        config: SearchConfig | None = ELSA,
        rng: np.random.Generator | int | None,
        neighbours: Neighbours | Sketch | None = None,
        features: Features | None = None,
    ):
        n = check_pool(pool)
        config = ELSA if config is None else config  # as in other strategies
        check_config(config, SearchConfig)
        if config.head_space == "embedding" and features is None:
            raise ValueError("this configuration trains its head on the embedding: pass features=Features(its vectors)")
        check_made("neighbours", neighbours, pool)
        check_made("features", features, pool)
        self.config, self.pool = config, pool
        self._ledger = Ledger(n, seeds, pool.ids)  # Lambda, and all answers
        self._rng = check_rng(rng)
        self._neighbours = neighbours or without_lists(pool.vectors)
        self._features = features or Features(pool.vectors)
        self._head: heads.Head | None = None
        self._queries = self._ledger.seeds  # line 1: delta0 <- Lambda
        self._round = 0
        self._round_negatives = np.empty(0, np.int64)  # gamma-
        self._stuck = False  # the last round found nothing
        self._amended = np.empty(0, np.int64)  # rows corrected while questions are open
        self._untrained = False  # the head does not know the last answers yet
        self._in_final = False
        self._concluding = False  # the final search is wanted before all rounds are done
        self._final_head_trained = False
        self._logits: np.ndarray | None = None  # handed in, as long as a query reads them

    def query(self, logits: np.ndarray | None = None) -> Batch | None:
        """Return the next questions to the oracle, or None when the search is over.

        `logits` (n,) are those of `head_to_score`; by default they are computed here.
        """
        self._ledger.check_query(logits)
        if self._in_final:
            return None
        self._train_on_answers()
        self._logits = logits
        batch = self._next_round() if self._goes_on() else None  # line 2: for i <= number of epochs
        if batch is None:  # line 12: end for
            batch = self._final_search()
            self._in_final = True  # only now: a final search that is interrupted is still to come
        self._logits = None
        return batch and self._ledger.ask(batch, again=True)  # of line 7, or 14; the reading decides what is barred

    def _goes_on(self) -> bool:
        """Tell whether another round comes: NN alone may end after one without new positives."""
        if self._concluding:
            return False
        ends = self._stuck and not self.config.use_rands and self.config.nn_alone == "ends"
        return self._round < self.config.rounds + self.config.zero_pass and not ends

    def _next_round(self) -> Batch | None:
        """Return the questions of a round, lines 3 to 6; None when nothing is left to ask."""
        config = self.config
        allowed = readings.rows_allowed(config, self._ledger, self._round)
        # Line 3: K <- NN(delta0, a)
        nearest = algorithms.nearest_neighbours(self._neighbours, self._queries, config.a, allowed, per=config.nn_per)
        random = np.empty(0, np.int64)
        if config.use_rands:
            # Line 4: l <- Sampler(D)
            likely = self._sample(allowed)
            # Line 5: delta <- RandS(l, b)
            b = readings.rows_of_rands(config, len(self.positives), self._round)
            random = algorithms.random_search(
                self._neighbours, likely, config.l, b, allowed, self._rng, variant=config.rands
            )
        # Line 6: gamma <- K u delta
        random = random[~np.isin(random, nearest)]
        rows = np.concatenate([nearest, random])
        components = np.repeat(np.array([Component.NN, Component.RANDS], np.int8), [len(nearest), len(random)])
        return Batch(rows, components, self._round) if len(rows) else None

    def _sample(self, allowed: np.ndarray) -> np.ndarray:
        """Return the rows RandS samples from: the sampler's, or all never asked as long as there is no head."""
        if not self.config.use_head or self._head is None:
            return np.flatnonzero(self._ledger.unasked)
        return algorithms.sampler(self._confidences(), self.config.alpha_1, allowed)

    def update(self, labels: Sequence[int] | np.ndarray) -> None:
        """Answer the last query: one label per row of its batch, 1 positive, 0 negative, -1 unsure."""
        # Lines 7 and 8: Oracle(gamma) -> (gamma+, gamma-), Lambda <- Lambda u gamma+; after the rounds lines 14 and 15.
        batch, given = self._ledger.answer(labels)
        if self._in_final:
            return
        self._stuck = not (given == POSITIVE).any()  # known positives are not asked again, except in the zero pass
        if (given == NEGATIVE).any():  # a round without negatives leaves those of the round before
            self._round_negatives = batch.rows[given == NEGATIVE]
        self._queries = readings.next_queries(self.config, batch, given, self.positives)  # line 10: delta0 = gamma+
        self._heed(self._amended)
        self._amended = self._amended[:0]
        self._round += 1  # line 11: i++
        self._untrained = self.config.use_head
        self._train_on_answers()  # line 9, and last: it takes long, and if it is interrupted all else is done

    def _train_on_answers(self) -> None:
        """Train the head, line 9, once per round: in `update`, or, where that was interrupted, before it is read."""
        if self._untrained:
            self._train(self.config.head)  # line 9: header trained on (Lambda u gamma-)
            self._untrained = False

    def _train(self, config: heads.HeadConfig) -> None:
        negatives = self._round_negatives if self.config.negatives == "round" else self._ledger.negatives
        self._head = heads.train(self._features, self.positives, negatives, config, self._rng, self._head)

    def _final_search(self) -> Batch | None:
        """Return the questions of the final search, line 13, with the head as it is after the last round."""
        config = self.config
        if not config.use_final:
            return None
        self._train_final_head()
        if self._head is None:  # never saw both classes
            return None
        # Line 13: z <- Sampler(D)
        allowed = readings.rows_allowed_at_the_end(config, self._ledger)
        rows = algorithms.final_search(self._confidences(), config.alpha_2, allowed, config.final_budget)
        components = np.full(len(rows), Component.FINAL, np.int8)
        return Batch(rows, components, self._round) if len(rows) else None

    def _train_final_head(self) -> None:
        """Train the head of an arm that does without one in its rounds, once."""
        config = self.config
        if config.use_final and not config.use_head and not self._final_head_trained:
            self._train(config.final_head or config.head)
            self._final_head_trained = True

    # --- what else the panel and the sweeps ask of a search

    def scores(self) -> np.ndarray:
        """Return the confidence (n,) float64 that each row is positive; `QueryError` before the head is trained."""
        return heads.confidence(self._scored())

    def _scored(self) -> np.ndarray:
        """Return the logits (n,) of all rows."""
        self._train_on_answers()
        if self._head is None:
            raise QueryError("the head is not trained yet: it needs positives and negatives; label a batch first")
        return self._head.logits(self._features)

    def _confidences(self) -> np.ndarray:
        """Return what this query cuts: scores or logits, from the logits handed in or computed here."""
        logits = self._scored() if self._logits is None else self._logits
        return logits if self.config.confidence == "logit" else heads.confidence(logits)

    def amend(self, rows: Sequence[int] | np.ndarray, labels: Sequence[int] | np.ndarray) -> None:
        """Correct answers given earlier (a person changes her mind).

        Finds and queries are right from the next query on. The head learns of it when it is trained next, after the
        next answers, so a final search before that reads the head as it was. From what was corrected to a negative it
        learns only with `negatives="all"`: a round's negatives are those that were answered so.

        `rows` were asked before, or are seeds; `labels` as for `update`. Wrong ones raise ValueError, and change
        nothing.
        """
        self._ledger.amend(rows, labels)
        rows = np.asarray(rows, np.int64)
        self._heed(rows)
        if self._ledger.open:  # its answers bring other queries, which are corrected then
            self._amended = np.union1d(self._amended, rows)

    def _heed(self, rows: np.ndarray) -> None:
        """Let the next round begin from the corrected answers of `rows`."""
        if not len(rows):
            return
        answers = self._ledger.answers[rows]
        self._round_negatives = np.setdiff1d(self._round_negatives, rows[answers != NEGATIVE])
        self._queries = readings.amended_queries(self.config, self._queries, rows, self._ledger)
        self._stuck = self._stuck and not (answers == POSITIVE).any()  # a positive gives NN something to go on with

    @property
    def may_conclude(self) -> bool:
        """Whether a final search is still to come."""
        return self.config.use_final and not self._in_final

    def conclude(self) -> None:
        """Let the final search (line 13) come next, however many rounds are left."""
        self._concluding = True

    def head_to_score(self) -> tuple[heads.Head, Features] | None:
        """Return the head whose logits over all rows the next `query` reads, with its features, or None."""
        if self._in_final or self._ledger.open:
            return None
        self._train_on_answers()
        if self._goes_on():
            reads = self.config.use_rands and self.config.use_head
        else:
            reads = self.config.use_final
            self._train_final_head()
        return (self._head, self._features) if reads and self._head is not None else None

    @property
    def draws_randomness(self) -> bool:
        """Whether the questions depend on `rng`: RandS samples rows, AdamW draws batches for a head that is read."""
        config = self.config
        rands = config.use_rands and config.rounds + config.zero_pass > 0 and (config.b > 0 or config.b_slope > 0)
        last = config.head if config.use_head or config.final_head is None else config.final_head
        return rands or (config.use_final and last.kind != "logistic")

    def largest_batch(self) -> int:
        """Return how many rows the next query may ask at most: a + b in a round, all left in a final search."""
        config = self.config
        if self._goes_on():
            allowed = readings.rows_allowed(config, self._ledger, self._round)
            most = config.a * (len(self._queries) if config.nn_per == "query" else 1)
            if config.use_rands:
                most += max(readings.rows_of_rands(config, len(self.positives), self._round), 0)
        else:
            allowed = readings.rows_allowed_at_the_end(config, self._ledger)
            most = config.final_budget or len(allowed)
        return min(most, int(np.count_nonzero(allowed)))

    def shared_parts(self) -> tuple[object, ...]:
        """Return what copies of this search may share: the pool, its neighbours and the head's features."""
        return self.pool, self._neighbours, self._features
