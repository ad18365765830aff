"""Algorithm 4: ELSA as one object that asks (`query`) and is answered (`update`)."""

from collections.abc import Sequence

import numpy as np

from elsa_nb.pool import Pool
from elsa_nb.search import algorithms
from elsa_nb.search.checks import check_rng
from elsa_nb.search.config import ELSA as ELSA
from elsa_nb.search.config import SearchConfig
from elsa_nb.search.contract import NEGATIVE, POSITIVE, Batch, Component, Ledger, Log, QueryError
from elsa_nb.search.heads import head as heads
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.neighbours.bounds import Sketch, without_lists
from elsa_nb.search.neighbours.lists import Neighbours


class Search:
    """One search for the class of the seeds: ask with `query`, answer with `update`, until `query` returns None.

    `pool` holds the vectors searched; `seeds` are the row numbers of known positives; all randomness comes from `rng`,
    a generator or its seed (None: another seed each time).
    `neighbours` (over `pool.vectors`) and `features` (what the head sees) can be shared by many searches; by default
    both are made from `pool`. With `config.head_space` "embedding", pass the `Features` of the embedding.

    `query` and `update` raise `QueryError` when not called in turn; bad seeds and labels raise `ValueError` and
    change nothing.
    """

    version = 1  # raised with a change of this strategy's logs: see `elsa_nb.search.version`
    config_class = SearchConfig

    def __init__(
        self,
        pool: Pool,
        seeds: Sequence[int] | np.ndarray,
        *,
        config: SearchConfig = ELSA,
        rng: np.random.Generator | int | None,
        neighbours: Neighbours | Sketch | None = None,
        features: Features | None = None,
    ):
        n = len(pool.vectors)
        if config.head_space == "embedding" and features is None:
            raise ValueError("this configuration trains its head on the embedding: pass features=Features(its vectors)")
        for name, given in (("neighbours", neighbours), ("features", features)):
            if given is not None and len(given.vectors) != n:
                raise ValueError(f"{name} of {len(given.vectors)} rows for a pool of {n}; make them from the same pool")
        self.config, self.pool = config, pool
        self._ledger = Ledger(n, seeds)
        self._rng = check_rng(rng)
        self._neighbours = neighbours or without_lists(pool.vectors)
        self._features = features or Features(pool.vectors)
        self._head: heads.Head | None = None
        self._round = 0
        self._queries = self._ledger.seeds  # line 1: delta0 <- Lambda
        self._round_negatives = np.empty(0, np.int64)
        self._stuck = False  # the last round found nothing
        self._in_final = False
        self._logits: np.ndarray | None = None  # handed in, as long as a query reads them
        self._final_head_trained = False

    @property
    def log(self) -> Log:
        """All questions answered so far, in order."""
        return self._ledger.log

    @property
    def positives(self) -> np.ndarray:
        """The rows known to be positive, seeds included: Lambda, and at the end Lambda*."""
        return self._ledger.positives

    def shared_parts(self) -> tuple[object, ...]:
        """Return what copies of this search may share: the pool, its neighbours and the head's features."""
        return self.pool, self._neighbours, self._features

    def head_to_score(self) -> tuple[heads.Head, Features] | None:
        """Return the head whose logits over all rows the next `query` reads, with its features, or None."""
        if self._in_final or self._ledger.open:
            return None
        if self._goes_on():
            reads = self.config.use_rands and self.config.use_head
        else:
            reads = self.config.use_final
            self._train_final_head()
        return (self._head, self._features) if reads and self._head is not None else None

    def query(self, logits: np.ndarray | None = None) -> Batch | None:
        """Return the next questions to the oracle, or None when the search is over.

        `logits` (n,) are those of `head_to_score`; by default they are computed here.
        """
        self._ledger.check_answered()
        if self._in_final:
            return None
        self._logits = logits
        batch = self._next_round() if self._goes_on() else None
        if batch is None:
            self._in_final = True
            batch = self._final_search()
        self._logits = None
        return batch and self._ledger.ask(batch)

    def update(self, labels: Sequence[int] | np.ndarray) -> None:
        """Answer the last query: one label a row of its batch, 1 positive, 0 negative, -1 unsure."""
        # Lines 7-8: Oracle(gamma) -> gamma+, gamma-; Lambda <- Lambda u gamma+
        batch, given = self._ledger.answer(labels)
        if self._in_final:
            return
        self._stuck = not (given == POSITIVE).any()  # known positives are not asked again, but in the zero pass
        if (given == NEGATIVE).any():  # a round without negatives leaves those of the round before
            self._round_negatives = batch.rows[given == NEGATIVE]
        if self.config.use_head:
            self._train(self.config.head)  # line 9
        self._queries = self._next_queries(batch, given)  # line 10: delta0 = gamma+
        self._round += 1

    def amend(self, rows: Sequence[int] | np.ndarray, labels: Sequence[int] | np.ndarray) -> None:
        """Correct answers given earlier (a person changes her mind): they count from the next training and query on.

        `rows` were asked before, or are seeds; `labels` as for `update`. Wrong ones raise `ValueError`, change nothing.
        """
        self._ledger.amend(rows, labels)
        answers = self._ledger.answers
        rows = np.asarray(rows, np.int64)
        self._round_negatives = np.setdiff1d(self._round_negatives, rows[answers[rows] != NEGATIVE])
        if self.config.nn_queries != "last neighbours":  # there the queries are whatever was near, positive or not
            kept = np.setdiff1d(self._queries, rows[answers[rows] != POSITIVE])
            queries = np.union1d(kept, rows[answers[rows] == POSITIVE])
            self._queries = queries if len(queries) else self.positives

    def _goes_on(self) -> bool:
        """Tell whether another round comes: NN alone has nowhere to go after one without new positives."""
        return self._round < self.config.rounds + self.config.zero_pass and (self.config.use_rands or not self._stuck)

    def _next_round(self) -> Batch | None:
        """Lines 3-6: gamma = NN(delta0, a) u RandS(Sampler(D), b)."""
        config = self.config
        in_zero_pass = config.zero_pass and self._round == 0
        allowed = self._allowed(everything=in_zero_pass)
        nearest = algorithms.nearest_neighbours(self._neighbours, self._queries, config.a, allowed, per=config.nn_per)
        rows, components = nearest, np.full(len(nearest), Component.NN, np.int8)
        if config.use_rands:
            random = algorithms.random_search(
                self._neighbours,
                self._likely(allowed),
                config.l,
                self._b(),
                allowed,
                self._rng,
                variant=config.rands,
            )
            random = random[~np.isin(random, nearest)]
            rows = np.concatenate([nearest, random])
            components = np.concatenate([components, np.full(len(random), Component.RANDS, np.int8)])
        return Batch(rows, components, self._round) if len(rows) else None

    def _final_search(self) -> Batch | None:
        """Lines 13-14: z <- Sampler(D), with the head as it is after the last round."""
        config = self.config
        if not config.use_final:
            return None
        self._train_final_head()
        if self._head is None:  # never saw both classes
            return None
        allowed = np.ones_like(self._ledger.unasked) if config.relabel else self._ledger.unasked
        rows = algorithms.final_search(self._confidences(), config.alpha_2, allowed, config.final_budget)
        components = np.full(len(rows), Component.FINAL, np.int8)
        return Batch(rows, components, self._round) if len(rows) else None

    def _allowed(self, *, everything: bool) -> np.ndarray:
        """Return the mask of rows a round may ask (min >= 0 in Algorithm 1 leaves this open; paper notes 3)."""
        if everything:
            return np.ones(len(self._ledger.answers), bool)
        return self._ledger.answers != POSITIVE if self.config.relabel else self._ledger.unasked

    def _likely(self, allowed: np.ndarray) -> np.ndarray:
        """Return the rows RandS samples from: the sampler's, or all never asked as long as there is no head."""
        if not self.config.use_head or self._head is None:
            return np.flatnonzero(self._ledger.unasked)
        return algorithms.sampler(self._confidences(), self.config.alpha_1, allowed)

    def _b(self) -> int:
        """Return how many rows RandS asks in this round."""
        config = self.config
        grown = round(config.b_slope * len(self.positives))
        if config.b_floor:
            return max(config.b, grown)
        return config.b if self._round == 0 else grown

    def _next_queries(self, batch: Batch, given: np.ndarray) -> np.ndarray:
        """Return the queries of the next NN."""
        if self.config.nn_queries == "last neighbours":
            return batch.rows[batch.components == Component.NN]
        new = batch.rows[given == POSITIVE]
        return new if self.config.nn_queries == "new positives" and len(new) else self.positives

    def _train_final_head(self) -> None:
        """Train the head of an arm that does without one in its rounds, once."""
        config = self.config
        if config.use_final and not config.use_head and not self._final_head_trained:
            self._train(config.final_head or config.head)
            self._final_head_trained = True

    def _train(self, config: HeadConfig) -> None:
        negatives = self._round_negatives if self.config.negatives == "round" else self._ledger.negatives
        self._head = heads.train(self._features, self.positives, negatives, config, self._rng, self._head)

    def scores(self) -> np.ndarray:
        """Return the confidence (n,) float64 that each row is positive; `QueryError` before the head is trained."""
        if self._head is None:
            raise QueryError("the head is not trained yet: it needs positives and negatives; label a batch first")
        return self._confidence(self._head.logits(self._features))

    def _confidences(self) -> np.ndarray:
        """Return the scores that this query reads, from the logits handed in or computed here."""
        return self.scores() if self._logits is None else self._confidence(self._logits)

    def _confidence(self, logits: np.ndarray) -> np.ndarray:
        return logits if self.config.confidence == "logit" else heads.confidence(logits)
