"""The classification head: a small model that says how likely each row is positive (the Sampler's `Head`).

The paper names a "linear head" and an "MLP layer" and leaves the training open (paper notes 7, 10, 10a). Each choice
is a `HeadConfig`:

- `logistic` (default): class-balanced, L2-regularised logistic regression, solved to convergence. Convex, so its answer
  depends on nothing but the labels.
- `linear-sgd`: one linear layer trained by a fixed number of AdamW steps on small balanced batches, its weights kept
  from round to round: what the authors' released code does.
- `mlp`: one hidden layer, trained likewise from a fresh start.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numba import njit

from elsa_nb.errors import check_known
from elsa_nb.search.checks import check_counts, check_number
from elsa_nb.search.heads.features import HeadInput
from elsa_nb.search.heads.logistic import confidence as confidence  # imported from here by whoever has a head's logits
from elsa_nb.search.heads.logistic import logistic_regression
from elsa_nb.threads import one_blas_thread

HEAD_KINDS = ("logistic", "linear-sgd", "mlp")


@dataclass(frozen=True)
class HeadConfig:
    """How the head is built and trained.

    Attributes:
        kind: "logistic", "linear-sgd" or "mlp": see the module.
        l2: The weight of |w|^2 / 2 beside the sum of the class-balanced log losses, on features of unit variance.
        steps: Steps of AdamW. This and the next three are for the two kinds that AdamW trains.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.
        hidden: Units of the hidden layer of "mlp".
        least_positives: Below this many labelled positives the head is not trained.
    """

    kind: str = "logistic"
    l2: float = 1.0
    steps: int = 100
    learning_rate: float = 5e-4
    weight_decay: float = 0.05
    hidden: int = 64
    least_positives: int = 1

    def __post_init__(self):
        check_known("head kind", self.kind, HEAD_KINDS)
        check_counts(self, steps=1, hidden=1, least_positives=1)
        for name in ("l2", "learning_rate"):
            check_number(f"head {name}", getattr(self, name), "more than 0", above=0)
        check_number("head weight_decay", self.weight_decay, "0 or more", least=0)


class Head(Protocol):
    """A trained head."""

    def logits(self, features: HeadInput) -> np.ndarray:
        """Return the log-odds (n,) float64 that each row is positive."""
        ...


@dataclass(frozen=True)
class LinearHead:
    """log-odds = weights . x + bias."""

    weights: np.ndarray
    bias: float

    def logits(self, features: HeadInput) -> np.ndarray:
        """Return the log-odds (n,) float64 that each row is positive."""
        return features.project(self.weights[None], np.array([self.bias]))[0]


@dataclass(frozen=True)
class MLPHead:
    """log-odds = output . relu(weights' x + biases) + bias."""

    weights: np.ndarray = field(repr=False)
    biases: np.ndarray = field(repr=False)
    output: np.ndarray = field(repr=False)
    bias: float = 0.0

    def logits(self, features: HeadInput) -> np.ndarray:
        """Return the log-odds (n,) float64 that each row is positive."""
        return _output(features.project(self.weights.T, self.biases), self.output, self.bias)


def logits_together(asked: Sequence[tuple[Head, HeadInput]]) -> list[np.ndarray]:
    """Return the logits of several heads over their features, each as if computed alone.

    The vectors are read once for all linear heads that share their features.
    """
    result: dict[int, np.ndarray] = {}
    groups: dict[int, list[tuple[int, LinearHead]]] = {}
    for i, (head, features) in enumerate(asked):
        if isinstance(head, LinearHead):
            groups.setdefault(id(features), []).append((i, head))
        else:
            result[i] = head.logits(features)
    for members in groups.values():
        weights = np.stack([head.weights for _, head in members])
        biases = np.array([head.bias for _, head in members])
        shared = asked[members[0][0]][1]
        for (i, _), logits in zip(members, shared.project(weights, biases), strict=True):
            result[i] = logits
    return [result[i] for i in range(len(asked))]


def train(
    features: HeadInput,
    positives: np.ndarray,
    negatives: np.ndarray,
    config: HeadConfig,
    rng: np.random.Generator,
    previous: Head | None = None,
) -> Head | None:
    """Train a head on labelled rows; return `previous` where there is nothing to learn from.

    `positives` and `negatives` are row numbers. Without negatives, or with fewer than `config.least_positives`
    positives, no boundary can be learnt.
    """
    if len(positives) < config.least_positives or not len(negatives):
        return previous
    if config.kind == "logistic":
        x = features.take(np.concatenate([positives, negatives]))
        before = (previous.weights, previous.bias) if isinstance(previous, LinearHead) else (None, 0.0)
        # Matrices of a few hundred rows: one thread is quicker than several that wait for each other.
        with one_blas_thread():
            y = np.arange(len(x)) < len(positives)
            return LinearHead(*logistic_regression(x, y, config.l2, start=before[0], start_bias=before[1]))
    start = previous if config.kind == "linear-sgd" else None
    return _train_by_adamw(features.take(positives), features.take(negatives), config, rng, start)


def _train_by_adamw(
    positives: np.ndarray, negatives: np.ndarray, config: HeadConfig, rng: np.random.Generator, start: Head | None
) -> Head:
    """Train by `config.steps` AdamW steps (fresh moments) on batches with as many positives as negatives.

    Batches hold 4, 8 or 16 of each class, by the number of positives (below 8, below 16, more), as in the released
    code; the loss is the mean binary cross-entropy of the logits.
    """
    x, (d, m) = np.concatenate([positives, negatives]), (positives.shape[1], len(positives))
    bound = 1 / np.sqrt(d)
    if config.kind == "linear-sgd":
        if isinstance(start, LinearHead):
            both = np.append(start.weights, start.bias)
        else:
            both = np.append(rng.uniform(-bound, bound, d), rng.uniform(-bound, bound))
        batches = _balanced_batches(m, len(negatives), config.steps, rng)
        _adamw_linear(both, x, batches, config.learning_rate, config.weight_decay)
        return LinearHead(both[:-1], float(both[-1]))
    weights = rng.uniform(-bound, bound, (d, config.hidden))
    biases = rng.uniform(-bound, bound, config.hidden)
    bound = 1 / np.sqrt(config.hidden)
    last = rng.uniform(-bound, bound, config.hidden + 1)  # the output weights and their bias
    batches = _balanced_batches(m, len(negatives), config.steps, rng)
    with one_blas_thread():  # small matrices again
        _adamw_mlp(weights, biases, last, x, batches, config.learning_rate, config.weight_decay)
    return MLPHead(weights, biases, last[:-1], float(last[-1]))


def _balanced_batches(positives: int, negatives: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Draw rows of positives followed by negatives, (steps, 2 size) int64: a positive half, then a negative half."""
    size = 4 if positives < 8 else 8 if positives < 16 else 16
    batches = np.empty((steps, 2 * size), np.int64)
    for batch in batches:
        batch[:size] = rng.integers(positives, size=size)
        batch[size:] = rng.integers(negatives, size=size) + positives
    return batches


@njit(cache=True, error_model="numpy")
def _adamw(values, gradient, mean, square, first, second, learning_rate, weight_decay):
    """Take one AdamW step in place; `first` and `second` undo the moments' start at zero."""
    for k in range(len(values)):
        mean[k] = 0.9 * mean[k] + 0.1 * gradient[k]
        square[k] = 0.999 * square[k] + 0.001 * gradient[k] ** 2
        ahead = mean[k] / first / (np.sqrt(square[k] / second) + 1e-8)
        values[k] = values[k] * (1 - learning_rate * weight_decay) - learning_rate * ahead


@njit(cache=True)
def _adamw_linear(both, x, batches, learning_rate, weight_decay):
    """Take the AdamW steps of a linear head in place: `both` (d + 1,) are its weights and, last, its bias.

    The first half of each batch (rows of `x`) is positive. Small steps on small arrays, so compiled.
    """
    d = x.shape[1]
    mean, square, gradient = np.zeros(d + 1), np.zeros(d + 1), np.empty(d + 1)
    for step in range(1, len(batches) + 1):
        batch = batches[step - 1]
        gradient[:] = 0.0
        for i in range(len(batch)):
            row = x[batch[i]]
            logit = both[d]
            for j in range(d):
                logit += both[j] * row[j]
            error = (0.5 * (1 + np.tanh(0.5 * logit)) - (1.0 if i < len(batch) // 2 else 0.0)) / len(batch)
            for j in range(d):
                gradient[j] += error * row[j]
            gradient[d] += error
        _adamw(both, gradient, mean, square, 1 - 0.9**step, 1 - 0.999**step, learning_rate, weight_decay)


@njit(cache=True)
def _adamw_mlp(weights, biases, last, x, batches, learning_rate, weight_decay):
    """Take the AdamW steps of an MLP head in place, with batches as in `_adamw_linear`.

    `weights` (d, h) and `biases` (h,) make the hidden units, `last` (h + 1,) are the weights of their sum and its bias.
    """
    h, size = len(biases), batches.shape[1]
    target = (np.arange(size) < size // 2).astype(np.float64)
    output, flat = last[:h], weights.ravel()  # parts and shapes of the same memory
    mean, square = np.zeros(flat.size), np.zeros(flat.size)
    means, squares = np.zeros((2, h + 1)), np.zeros((2, h + 1))  # of the biases and of `last`
    gradient = np.empty(h + 1)
    for step in range(1, len(batches) + 1):
        rows = x[batches[step - 1]]
        hidden = np.maximum(np.dot(rows, weights) + biases, 0)
        error = (0.5 * (1 + np.tanh(0.5 * (np.dot(hidden, output) + last[h]))) - target) / size
        back = np.outer(error, output) * (hidden > 0)
        gradient[:h], gradient[h] = np.dot(error, hidden), error.sum()
        first, second = 1 - 0.9**step, 1 - 0.999**step
        _adamw(flat, np.dot(rows.T, back).ravel(), mean, square, first, second, learning_rate, weight_decay)
        _adamw(biases, back.sum(0), means[0], squares[0], first, second, learning_rate, weight_decay)
        _adamw(last, gradient, means[1], squares[1], first, second, learning_rate, weight_decay)


@njit(cache=True, nogil=True)
def _output(hidden, output, bias):
    """Return output . relu(hidden) + bias, (n,) float64, for `hidden` (h, n): the same sum for equal columns."""
    h, n = hidden.shape
    logits = np.full(n, bias)
    for start in range(0, n, 1024):  # this many sums stay in the cache
        for k in range(h):
            for i in range(start, min(start + 1024, n)):
                logits[i] += output[k] * max(hidden[k, i], 0.0)
    return logits
