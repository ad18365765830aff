"""What one would write directly from the paper: one search at a time, everything computed anew in every round.

Distances from the queries to the whole pool by one matrix product and a full sort; a head trained from nothing (the
`released-code` reading goes on with the last one's weights, as it must); scores of the whole pool. Nothing is
remembered between rounds, nothing is shared between searches. It draws from the Generator in the same order as
`elsa_nb.search.elsa.Search`, so that the two logs can be laid side by side, answer by answer.

Two concessions, neither of which costs it noticeable time: what depends on the pool alone (norms, standardised
features) is computed once, and the rows that come out nearest are measured again in float64, because the order of
float32 distances is not that of the true ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from elsa_nb.search.config import SearchConfig
from elsa_nb.search.contract import NEGATIVE, POSITIVE, Component, Log
from elsa_nb.search.heads import head as package_head
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.oracle import Oracle

SLACK = 64  # float32's nearest rows measured again beyond those asked for


@dataclass
class PlainPool:
    """A pool as the plain loop holds it: float32 vectors (n, d), and what the head sees, standardised."""

    vectors: np.ndarray
    seen: np.ndarray | None = None  # the embedding (n, e), where the head does not see the vectors searched

    def __post_init__(self):
        self.vectors = np.array(self.vectors, np.float32)  # its own: torch wants it writable
        self.tensor = torch.from_numpy(self.vectors)
        self.norms = (self.tensor * self.tensor).sum(1)
        raw = self.vectors if self.seen is None else np.ascontiguousarray(self.seen, np.float32)
        centred = raw - raw.mean(0)
        self.features = centred / np.sqrt((centred**2).mean(dtype=np.float64)).astype(np.float32)

    def distances(self, queries: np.ndarray, *, own: float) -> np.ndarray:
        """Return the squared distance of every row to its nearest query; `own`: of a query to itself."""
        asked = torch.from_numpy(queries)
        table = torch.addmm(self.norms[:, None], self.tensor, self.tensor[asked].T, alpha=-2)
        table += self.norms[asked]
        table[asked, torch.arange(len(asked))] = own
        return table.min(1).values.numpy()

    def measured(self, rows: np.ndarray, queries: np.ndarray, *, own: float) -> np.ndarray:
        """Return the same for a few rows, in float64."""
        x, q = self.vectors[rows].astype(np.float64), self.vectors[queries].astype(np.float64)
        table = (q * q).sum(1) - 2 * x @ q.T
        table[rows[:, None] == queries] = -np.inf if own == 0 else np.inf
        difference = x - q[table.argmin(1)]
        return np.einsum("ij,ij->i", difference, difference)

    def nearest(self, queries: np.ndarray, count: int, allowed: np.ndarray, *, own: float) -> np.ndarray:
        """Return the `count` allowed rows nearest to any query, by a full sort (Algorithm 1)."""
        count = min(count, int(allowed.sum()))
        if not len(queries) or not count:
            return np.empty(0, np.int64)
        reach = self.distances(queries, own=own)
        reach[~allowed] = np.inf
        order = np.argsort(reach)[: min(count + SLACK, int(allowed.sum()))]
        order = order[np.isfinite(reach[order])]
        return order[np.lexsort((order, self.measured(order, queries, own=own)))][:count]


# A trained head: the scores (n,) of the whole pool, and itself, from which a next training may go on.
Fit = Callable[[PlainPool, np.ndarray, np.ndarray, HeadConfig, np.random.Generator, object], tuple[np.ndarray, object]]


def scikit_learn(pool, positives, negatives, config, rng, previous):
    """Train as one would: scikit-learn's logistic regression, or a linear layer of torch with its AdamW."""
    if config.kind == "logistic":
        model = LogisticRegression(C=1 / config.l2, class_weight="balanced", solver="newton-cholesky", tol=1e-8)
        rows = np.concatenate([positives, negatives])
        model.fit(pool.features[rows].astype(np.float64), np.arange(len(rows)) < len(positives))
        weights, bias = model.coef_[0], float(model.intercept_[0])
        return _sigmoid(pool.features @ weights.astype(np.float32) + np.float32(bias)), None
    layer = previous or _new_layer(pool.features.shape[1], rng)
    _train_layer(layer, pool.features, positives, negatives, config, rng)
    weights, bias = layer.weight.detach().numpy()[0], float(layer.bias.detach())
    return _sigmoid(pool.features @ weights.astype(np.float32) + np.float32(bias)), layer


@dataclass
class SameArithmetic:
    """Train with the package's own head, so that logs differ only where the algorithm does."""

    features: Features

    def __call__(self, pool, positives, negatives, config, rng, previous):
        """Return (scores of the whole pool, the head)."""
        head = package_head.train(self.features, positives, negatives, config, rng, previous)
        return package_head.confidence(head.logits(self.features)), head


@dataclass
class Outcome:
    """A log, and for each round how near the nearest score was to the sampler's threshold."""

    log: Log
    margins: dict[int, float] = field(default_factory=dict)


def search(
    pool: PlainPool, seeds: np.ndarray, oracle: Oracle, rng: np.random.Generator, config: SearchConfig, fit: Fit
) -> Outcome:
    """Run one search to its end (Algorithm 4) in one of the two readings; ValueError for settings it does not know."""
    released = config.nn_queries == "last neighbours"
    if (config.nn_per, config.negatives, config.confidence) != ("total", "round", "probability"):
        raise ValueError("the plain loop knows the arms of the two readings only, not other settings")
    n, margins, asked = len(pool.vectors), {}, []
    labelled, positive = np.zeros(n, bool), np.zeros(n, bool)
    labelled[seeds] = positive[seeds] = True
    queries, negatives, scores, head = np.unique(seeds), np.empty(0, np.int64), None, None
    rounds_done = 0

    def sampler(alpha, allowed, step):
        threshold = scores.mean(dtype=np.float64) + alpha * scores.std(dtype=np.float64)
        margins[step] = float(np.abs(scores[allowed] - threshold).min()) if allowed.any() else np.inf
        return np.flatnonzero((scores > threshold) & allowed)

    def ask(rows, components, step):
        answers = oracle.label(rows)
        asked.append((rows, answers, components, np.full(len(rows), step, np.int16)))
        labelled[rows] = True
        positive[rows[answers == POSITIVE]] = True
        return answers

    for step in range(config.rounds + config.zero_pass):
        zero = config.zero_pass and step == 0
        allowed = np.ones(n, bool) if zero else ~positive if config.relabel else ~labelled
        near = pool.nearest(queries, config.a, allowed, own=0.0)
        rows, components = near, np.full(len(near), Component.NN, np.int8)
        if config.use_rands:
            ready = config.use_head and scores is not None
            likely = sampler(config.alpha_1, allowed, step) if ready else np.flatnonzero(~labelled)
            grown = round(config.b_slope * int(positive.sum()))
            b = max(config.b, grown) if config.b_floor else config.b if step == 0 else grown
            random = np.empty(0, np.int64)
            if len(likely):
                sampled = np.unique(rng.choice(likely, size=min(config.l, len(likely)), replace=False))
                random = pool.nearest(sampled, b, allowed, own=0.0 if released else np.inf)
                random = random[~np.isin(random, near)]
            rows = np.concatenate([near, random])
            components = np.concatenate([components, np.full(len(random), Component.RANDS, np.int8)])
        if not len(rows):
            break
        answers = ask(rows, components, step)
        found = rows[answers == POSITIVE]
        negatives = rows[answers == NEGATIVE] if (answers == NEGATIVE).any() else negatives
        if config.use_head and len(negatives) and positive.sum() >= config.head.least_positives:
            scores, head = fit(pool, np.flatnonzero(positive), negatives, config.head, rng, head)
        queries = near if released else found if len(found) else np.flatnonzero(positive)
        queries, rounds_done = np.unique(queries), step + 1
        if not len(found) and not config.use_rands:
            break
    if config.use_final:
        final_head = config.final_head or config.head
        if not config.use_head and len(negatives) and positive.sum() >= final_head.least_positives:
            scores, head = fit(pool, np.flatnonzero(positive), negatives, final_head, rng, head)
        if scores is not None:
            rows = sampler(config.alpha_2, np.ones(n, bool) if config.relabel else ~labelled, rounds_done)
            rows = rows[np.lexsort((rows, -scores[rows]))]
            if len(rows):
                ask(rows, np.full(len(rows), Component.FINAL, np.int8), rounds_done)
    parts = [np.concatenate(part) for part in zip(*asked, strict=True)] if asked else [np.empty(0, np.int64)] * 4
    return Outcome(Log(*parts), margins)


def first_difference(one: Log, other: Log) -> int | None:
    """Return the first question at which two logs differ in any column, or None if they are the same."""
    shared = min(len(one.rows), len(other.rows))
    differ = np.zeros(shared, bool)
    for a, b in zip(one, other, strict=True):
        differ |= a[:shared] != b[:shared]
    if differ.any():
        return int(differ.argmax())
    return None if len(one.rows) == len(other.rows) else shared


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * logits.astype(np.float64)))


def _new_layer(d: int, rng: np.random.Generator) -> torch.nn.Linear:
    layer, bound = torch.nn.Linear(d, 1, dtype=torch.float64), 1 / np.sqrt(d)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(rng.uniform(-bound, bound, d)))
        layer.bias.fill_(rng.uniform(-bound, bound))
    return layer


def _train_layer(layer, features, positives, negatives, config, rng):
    size = 4 if len(positives) < 8 else 8 if len(positives) < 16 else 16
    optimiser = torch.optim.AdamW(layer.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    target = torch.cat([torch.ones(size), torch.zeros(size)]).double()
    good, bad = (torch.from_numpy(features[rows].astype(np.float64)) for rows in (positives, negatives))
    for _ in range(config.steps):
        drawn = [part[rng.integers(len(part), size=size)] for part in (good, bad)]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(layer(torch.cat(drawn))[:, 0], target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
