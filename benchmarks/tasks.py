"""The equal task for the rivals, and the package's side of it: batches of 50, ten rounds, logistic regression.

All start from the same labelled rows: a few positives and a few negatives. All see the same standardised float32
matrix, and train the same regression (class-balanced, C = 1) on everything labelled so far.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.synthetic import Clustered
from elsa_nb.search.contract import Batch, Component, Ledger
from elsa_nb.search.heads import head as heads
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.neighbours.lists import Neighbours

BATCH, ROUNDS, SEEDS, NEGATIVES, CANDIDATES = 50, 10, 5, 50, 100


@dataclass(frozen=True, eq=False)
class Task:
    """One search problem: vectors (n, d) float32, the truth (n,) bool, and the rows labelled at the start."""

    vectors: np.ndarray
    positive: np.ndarray
    seeds: np.ndarray
    negatives: np.ndarray
    features: Features
    standardised: np.ndarray

    @property
    def start(self) -> np.ndarray:
        """Return the rows labelled at the start."""
        return np.concatenate([self.seeds, self.negatives])


def task(n: int, d: int) -> Task:
    """Return a task in a synthetic pool with classes of about 1,281 rows (at most a twentieth of the pool)."""
    classes = max(20, round(n / 1281))
    vectors, labels = Clustered(n, d, classes=classes).arrays()
    rng = np.random.default_rng(n)
    positive = labels == 0
    features = Features(vectors)
    standardised = ((vectors - features.mean.astype(np.float32)) * np.float32(features.scale)).astype(np.float32)
    seeds = rng.choice(np.flatnonzero(positive), SEEDS, replace=False)
    return Task(
        vectors,
        positive,
        seeds,
        rng.choice(np.flatnonzero(~positive), NEGATIVES, replace=False),
        features,
        standardised,
    )


def regression() -> LogisticRegression:
    """Return scikit-learn's regression with the objective of the package's head."""
    return LogisticRegression(C=1.0, class_weight="balanced", tol=1e-7, max_iter=1000)


class Ours:
    """The package's parts put together for the task: `rule` is "uncertainty" or "greedy".

    With `neighbours`, whose lists are `CANDIDATES` long, only the neighbours of what is labelled are scored (SEALS).
    """

    def __init__(self, given: Task, rule: str, neighbours: Neighbours | None = None):
        self._features, self._rule, self._neighbours = given.features, rule, neighbours
        self._ledger = Ledger(len(given.vectors), given.seeds)
        self._ledger.ask(Batch(given.negatives.copy(), np.zeros(len(given.negatives), np.int8), -1))
        self._ledger.answer(np.zeros(len(given.negatives), np.int8))
        self._near = np.zeros(len(given.vectors), bool)
        self._fresh = given.start

    def query(self) -> np.ndarray:
        """Return the rows to ask next."""
        positives, negatives = self._ledger.positives, self._ledger.negatives
        head = heads.train(self._features, positives, negatives, HeadConfig(), np.random.default_rng(0))
        allowed = self._ledger.unasked
        if self._neighbours is None:
            rows = np.flatnonzero(allowed)
            logits = head.logits(self._features)[rows]
        else:
            self._near[self._neighbours.lists[0][self._fresh]] = True
            rows = np.flatnonzero(allowed & self._near)
            logits = self._features.take(rows) @ head.weights + head.bias
        order = np.abs(logits) if self._rule == "uncertainty" else -logits
        best = np.argpartition(order, min(BATCH, len(rows) - 1))[:BATCH]
        chosen = rows[best[np.lexsort((rows[best], order[best]))]]
        self._ledger.ask(Batch(chosen, np.full(len(chosen), Component.PROBE, np.int8), 0))
        return chosen

    def update(self, labels: np.ndarray) -> None:
        """Answer the last query."""
        self._fresh = self._ledger.answer(labels)[0].rows


def play(query: Callable[[], np.ndarray], update: Callable[[np.ndarray], None], given: Task) -> list[np.ndarray]:
    """Drive ten rounds; return the rows asked in each."""
    asked = []
    for _ in range(ROUNDS):
        rows = np.asarray(query())
        update(given.positive[rows].astype(np.int8))
        asked.append(rows)
    return asked
