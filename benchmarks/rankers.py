"""Searchers from elsewhere, as rivals at equal budgets: each ranks the pool anew from all answers, and asks the top.

They see the prepared rows of Harvest and ask in its batches, so that only the ranking differs:

- *Rocchio* (1971): near the mean of the finds, far from the mean of the refusals, which counts a quarter.
- *Margin* (Lewis & Gale, 1994): the rows a prepared probe is least sure of. It trains a classifier, and does not
  search.
- *PF-MA*, positive first, most ambiguous (Zaher et al., 2026): of the rows that the probe takes for positive the least
  sure, then the rows next below its line.
- *Nearest known* (the model of Bayesian active search, Garnett et al., 2012, one step ahead): the share of positives
  among the labelled rows nearby, weighed by the kernel of Harvest, with a prior of a tenth of an answer.
- *Thompson over clusters* (after Renders, 2017): each cluster of the pool has a Beta posterior of holding positives;
  a batch is dealt to draws from these, and within a cluster goes to what is nearest the finds.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from elsa_nb.bench.arms import Arm, Seeds, Spaces
from elsa_nb.search.contract import POSITIVE, UNASKED, Batch, Component, KeepsLedger, Ledger
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import HeadConfig, train
from elsa_nb.search.heads.kernel_sums import KernelSums
from elsa_nb.search.highest import highest
from elsa_nb.search.strategies.greedy_probe import FIRM

GROWTH, FIRST, MOST = 0.1, 10, 200  # the batches of Harvest
REFUSED = 0.25  # the weight of the mean of the refusals
PRIOR = 0.1  # answers that a row of the model of nearest known begins with, all of them refusals but for the base rate
WEAK_NEGATIVES = 50


class Ranker(KeepsLedger):
    """A search that asks the unasked rows of highest score; the function that scores is handed in.

    `score(ledger, rng)` returns (n,) scores; or, where dealing a batch is more than ranking, `deal(ledger, size, rng)`
    returns the rows themselves.
    """

    def __init__(
        self,
        n: int,
        seeds: Seeds,
        budget: int,
        rng: np.random.Generator,
        *,
        score: Callable[[Ledger, np.random.Generator], np.ndarray] | None = None,
        deal: Callable[[Ledger, int, np.random.Generator], np.ndarray] | None = None,
    ):
        self._ledger, self._left, self._rng = Ledger(n, seeds), budget, rng
        self._score, self._deal = score, deal
        self._size, self._round = float(FIRST), 0

    def query(self) -> Batch | None:
        """Return the next questions; None when the budget or the pool is spent."""
        self._ledger.check_answered()
        size = min(round(self._size), MOST, self._left, int(self._ledger.unasked.sum()))
        if not size:
            return None
        if self._deal is not None:
            rows = self._deal(self._ledger, size, self._rng)
        else:
            rows = highest(self._score(self._ledger, self._rng), size, self._ledger.unasked)
        return self._ledger.ask(Batch(rows, np.full(len(rows), Component.PROBE, np.int8), self._round))

    def update(self, labels: np.ndarray) -> None:
        """Answer the last query."""
        batch, _ = self._ledger.answer(labels)
        self._left -= len(batch.rows)
        self._size *= 1 + GROWTH
        self._round += 1


def new_answers(ledger: Ledger, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows (m,) answered since `known` (n,) bool was updated, and which are finds; update it.

    The seeds come first; an answer that is not a find counts as a refusal.
    """
    new = np.flatnonzero((ledger.answers != UNASKED) & ~known)
    known[new] = True
    return new, ledger.answers[new] == POSITIVE


def rocchio(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Ranker:
    """Return a search by Rocchio's formula."""
    rows = spaces.rows()

    def score(ledger: Ledger, _: np.random.Generator) -> np.ndarray:
        wanted = rows.vectors[ledger.positives].mean(0)
        if len(ledger.negatives):
            wanted = wanted - REFUSED * rows.vectors[ledger.negatives].mean(0)
        return rows.vectors @ wanted

    return Ranker(len(rows), seeds, budget, rng, score=score)


def margin(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Ranker:
    """Return uncertainty sampling."""
    logits = _probe(spaces.unit_features)
    return Ranker(len(spaces.rows()), seeds, budget, rng, score=lambda ledger, rng: -np.abs(logits(ledger, rng)))


def positive_first(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Ranker:
    """Return PF-MA: rows that the probe takes for positive come first, the least sure of them first."""
    logits = _probe(spaces.unit_features)

    def score(ledger: Ledger, rng: np.random.Generator) -> np.ndarray:
        values = logits(ledger, rng)
        return np.where(values >= 0, 1 / (1 + values), values)

    return Ranker(len(spaces.rows()), seeds, budget, rng, score=score)


def _probe(features: Features) -> Callable[[Ledger, np.random.Generator], np.ndarray]:
    """Return what trains the prepared probe on all answers and gives its logits (n,)."""

    def logits(ledger: Ledger, rng: np.random.Generator) -> np.ndarray:
        unasked = np.flatnonzero(ledger.unasked)
        weak = rng.choice(unasked, size=min(WEAK_NEGATIVES, len(unasked)), replace=False)
        negatives = np.concatenate([ledger.negatives, weak])
        return train(features, ledger.positives, negatives, HeadConfig(l2=FIRM), rng).logits(features)

    return logits


def nearest_known(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Ranker:
    """Return the one-step search of a kernel-weighed share of positives nearby."""
    rows = spaces.rows()
    sums, known = KernelSums(len(rows)), np.zeros(len(rows), bool)

    def score(ledger: Ledger, _: np.random.Generator) -> np.ndarray:
        new, found = new_answers(ledger, known)
        sums.add(rows.vectors, rows.vectors[new], found.astype(int), (~found).astype(int))
        return sums.positive / (PRIOR + sums.positive + sums.negative)

    return Ranker(len(rows), seeds, budget, rng, score=score)


def thompson(spaces: Spaces, seeds: Seeds, budget: int, rng: np.random.Generator) -> Ranker:
    """Return Thompson sampling over as many clusters as a cluster has rows."""
    rows, cluster = spaces.rows(), _clusters(spaces)
    clusters = int(cluster.max()) + 1

    def deal(ledger: Ledger, size: int, rng: np.random.Generator) -> np.ndarray:
        found = np.bincount(cluster[ledger.positives], minlength=clusters)
        missed = np.bincount(cluster[ledger.negatives], minlength=clusters)
        near = rows.vectors @ rows.vectors[ledger.positives].mean(0)
        left = np.bincount(cluster[ledger.unasked], minlength=clusters)
        open_, chosen = ledger.unasked.copy(), []
        share = len(ledger.positives) / len(rows)
        while len(chosen) < size:
            drawn = rng.beta(share + found, 1 + missed)
            drawn[left == 0] = -1
            best = int(drawn.argmax())
            members = np.flatnonzero((cluster == best) & open_)
            row = members[near[members].argmax()]
            open_[row], left[best] = False, left[best] - 1
            chosen.append(row)
        return np.array(chosen)

    return Ranker(len(rows), seeds, budget, rng, deal=deal)


@lru_cache(maxsize=1)
def _clusters(spaces: Spaces) -> np.ndarray:
    rows = spaces.rows().vectors
    count = max(2, round(np.sqrt(len(rows))))
    return MiniBatchKMeans(count, batch_size=4096, n_init=1, random_state=0).fit_predict(rows)


RANKERS: dict[str, Arm] = {
    "Rocchio": rocchio,
    "Margin": margin,
    "PF-MA": positive_first,
    "Nearest known": nearest_known,
    "Thompson over clusters": thompson,
}
