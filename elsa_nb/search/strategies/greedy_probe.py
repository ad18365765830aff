"""The greedy probe: ask what a classifier, trained anew on all answers, thinks likeliest. What anyone tries first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
from elsa_nb.search.contract import Batch, Component, KeepsLedger, Ledger, QueryError
from elsa_nb.search.heads import head as heads
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.highest import highest

FIRM = 100.0  # penalty of the head on vectors of one length: a few examples must not be learnt by heart


@dataclass(frozen=True)
class ProbeConfig:
    """The choices of a greedy probe.

    Attributes:
        budget: Labels after which it stops.
        batch: Rows of the first batch.
        growth: Share by which each batch is larger than the one before.
        weak_negatives: Random unlabelled rows that are taken for negatives in each training: nearly all are negative.
        head: How the classifier is trained.
    """

    budget: int = 2000
    batch: int = 10
    growth: float = 0.1
    weak_negatives: int = 50
    head: HeadConfig = field(default_factory=HeadConfig)

    def __post_init__(self):
        check_kinds(self)
        check_counts(self, budget=1, batch=1, weak_negatives=1)
        check_number("growth", self.growth, "0 or more", least=0)
        if self.head.least_positives > 1:
            least = self.head.least_positives
            raise ValueError(f"head least_positives = {least}; allowed: 1, for without a head nothing can be ranked")


class GreedyProbe(KeepsLedger):
    """Logistic regression on everything labelled so far; ask the most likely positives; repeat.

    The yardstick that anyone would write in an afternoon. Same arguments and errors as `elsa.Search`.
    """

    name: ClassVar[str] = "Greedy probe"
    version: ClassVar[int] = 1  # raised with a change of this strategy's logs: see `elsa_nb.search.version`
    config_class: ClassVar[type] = ProbeConfig
    needs: ClassVar[tuple[str, ...]] = ("features",)
    components: ClassVar[Mapping[int, str]] = {Component.PROBE: "probe"}
    colour: ClassVar[str] = "#D55E00"
    draws_randomness = True  # which rows are taken for negatives

    def __init__(
        self,
        pool: Pool,
        seeds: Sequence[int] | Sequence[str] | np.ndarray,
        *,
        config: ProbeConfig | None = None,
        rng: np.random.Generator | int | None,
        features: Features | None = None,
    ):
        self.config, self.pool = ProbeConfig() if config is None else config, pool
        check_config(self.config, ProbeConfig)
        n = check_pool(pool)
        check_made("features", features, pool)
        self._ledger = Ledger(n, seeds, pool.ids)
        self._features = features or Features(pool.vectors)
        self._rng = check_rng(rng)
        self._round = 0
        self._size = float(self.config.batch)
        self._left = self.config.budget
        self._head: heads.Head | None = None
        self._trained = False

    def shared_parts(self) -> tuple[object, ...]:
        """Return what copies of this search may share: the pool and the head's features."""
        return self.pool, self._features

    def scores(self) -> np.ndarray:
        """Return the confidence (n,) float64 that each row is positive; `QueryError` before the head is trained."""
        if self._head is None:
            raise QueryError("the head is not trained yet: ask with query() first")
        return heads.confidence(self._head.logits(self._features))

    def amend(self, rows: Sequence[int] | np.ndarray, labels: Sequence[int] | np.ndarray) -> None:
        """Correct answers given earlier: they count from the next training on. See `Search.amend`."""
        self._ledger.amend(rows, labels)

    def head_to_score(self) -> tuple[heads.Head, Features] | None:
        """Return the head whose logits over all rows the next `query` reads, with its features; None if it reads none.

        The head is trained here, once per round; there is none while no positive is known, which amended seeds can
        cause.
        """
        if self._ledger.open or not self.largest_batch():
            return None
        if not self._trained:
            unasked = np.flatnonzero(self._ledger.unasked)
            weak = self._rng.choice(unasked, size=min(self.config.weak_negatives, len(unasked)), replace=False)
            negatives = np.concatenate([self._ledger.negatives, weak])
            positives = self._ledger.positives
            head = heads.train(self._features, positives, negatives, self.config.head, self._rng, self._head)
            self._head = head if len(positives) else None  # not a head that learnt from answers taken back since
            self._trained = True
        return None if self._head is None else (self._head, self._features)

    def query(self, logits: np.ndarray | None = None) -> Batch | None:
        """Return the never-asked rows with the highest scores; None when the budget or the pool is spent.

        While no positive is known nothing can be ranked, and the rows are random: another example may be among them.
        """
        self._ledger.check_query(logits)
        if not (size := self.largest_batch()):
            return None
        if (scored := self.head_to_score()) is None:
            rows = self._rng.choice(np.flatnonzero(self._ledger.unasked), size, replace=False)
        else:
            rows = highest(scored[0].logits(scored[1]) if logits is None else logits, size, self._ledger.unasked)
        return self._ledger.ask(Batch(rows, np.full(len(rows), Component.PROBE, np.int8), self._round))

    def largest_batch(self) -> int:
        """Return how many rows the next query asks."""
        return min(round(self._size), self._left, self._ledger.left)

    def update(self, labels: Sequence[int] | np.ndarray) -> None:
        """Answer the last query: one label per row of its batch, 1 positive, 0 negative, -1 unsure."""
        batch, _ = self._ledger.answer(labels)
        self._left -= len(batch.rows)
        self._size = min(self._size * (1 + self.config.growth), self.config.budget)
        self._round += 1
        self._trained = False
