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
from functools import lru_cache
from typing import Protocol

import numpy as np
from numba import njit
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dposv, dpotrf, dtrtrs
from threadpoolctl import ThreadpoolController

from elsa_nb.search.contract import check_counts
from elsa_nb.search.features import Features

KINDS = ("logistic", "linear-sgd", "mlp")


@dataclass(frozen=True)
class HeadConfig:
    """How the head is built and trained. `steps`, `learning_rate`, `weight_decay`, `hidden` serve the two AdamW kinds.

    `l2` is the weight of |w|^2 / 2 beside the sum of the class-balanced log losses, on features of unit variance.
    `least_positives`: below this many labelled positives the head is not trained.
    """

    kind: str = "logistic"
    l2: float = 1.0
    steps: int = 100
    learning_rate: float = 5e-4
    weight_decay: float = 0.05
    hidden: int = 64
    least_positives: int = 1

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"head kind {self.kind!r} is not known; allowed: {', '.join(KINDS)}")
        check_counts(self, steps=1, hidden=1, least_positives=1)
        for name in ("l2", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"head {name} = {getattr(self, name)!r}; allowed: more than 0")
        if self.weight_decay < 0:
            raise ValueError(f"head weight_decay = {self.weight_decay!r}; allowed: 0 or more")


class Head(Protocol):
    """A trained head."""

    def logits(self, features: Features) -> np.ndarray:
        """Return the log-odds (n,) float64 that each row is positive."""


@dataclass(frozen=True)
class LinearHead:
    """log-odds = weights . x + bias."""

    weights: np.ndarray
    bias: float

    def logits(self, features: Features) -> np.ndarray:
        """Return the log-odds (n,) float64 that each row is positive."""
        return features.project(self.weights[None], np.array([self.bias]))[0]


@dataclass(frozen=True)
class MLPHead:
    """log-odds = output . relu(weights' x + biases) + bias."""

    weights: np.ndarray = field(repr=False)
    biases: np.ndarray = field(repr=False)
    output: np.ndarray = field(repr=False)
    bias: float = 0.0

    def logits(self, features: Features) -> np.ndarray:
        """Return the log-odds (n,) float64 that each row is positive."""
        return self.output @ np.maximum(features.project(self.weights.T, self.biases), 0) + self.bias


def confidence(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities 1 / (1 + exp(-logits)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))


def logits_together(asked: Sequence[tuple[Head, Features]]) -> list[np.ndarray]:
    """Return the logits of several heads over their features, each as it would be alone.

    The vectors are read once for all linear heads that share their features.
    """
    result: list[np.ndarray | None] = [None] * len(asked)
    groups: dict[int, list[int]] = {}
    for i, (head, features) in enumerate(asked):
        if isinstance(head, LinearHead):
            groups.setdefault(id(features), []).append(i)
        else:
            result[i] = head.logits(features)
    for members in groups.values():
        weights = np.stack([asked[i][0].weights for i in members])
        biases = np.array([asked[i][0].bias for i in members])
        for i, logits in zip(members, asked[members[0]][1].project(weights, biases), strict=True):
            result[i] = logits
    return result


def train(
    features: Features,
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
        start = previous.weights if isinstance(previous, LinearHead) else None
        # Matrices of a few hundred rows: threads that wait for one another take longer than one thread alone.
        with _libraries().limit(limits=1, user_api="blas"):
            return logistic_regression(x, np.arange(len(x)) < len(positives), config.l2, start=start)
    start = previous if config.kind == "linear-sgd" else None
    return _train_by_adamw(features.take(positives), features.take(negatives), config, rng, start)


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def logistic_regression(
    x: np.ndarray,
    y: np.ndarray,
    l2: float,
    *,
    start: np.ndarray | None = None,
    tolerance: float = 1e-12,
    most_steps: int = 100,
) -> LinearHead:
    """Minimise sum_i c_i log(1 + exp(-y_i f(x_i))) + l2 |w|^2 / 2 by Newton's method with step halving.

    `x` (m, d) float64, `y` (m,) bool; f(x) = w . x + b; c_i = m / (2 m_class) gives both classes the same weight; the
    bias b is not penalised. `start` (d,) are weights to begin from: they save steps and change nothing. Converged when
    the gradient's largest entry is below `tolerance` times m.
    """
    m, d = x.shape
    # With fewer samples than dimensions the solution lies in their span: m coordinates with the same inner products.
    inside = m < d
    coordinates = _coordinates(x) if inside else x
    design = np.column_stack([coordinates, np.ones(m)])
    sign = np.where(y, 1.0, -1.0)
    cost = np.where(y, m / (2 * np.count_nonzero(y)), m / (2 * np.count_nonzero(~y)))
    penalty = np.full(design.shape[1], l2)
    penalty[-1] = 0.0

    def loss(theta: np.ndarray) -> float:
        return cost @ np.logaddexp(0, -sign * (design @ theta)) + 0.5 * penalty @ theta**2

    theta = np.zeros(design.shape[1])
    value = loss(theta)
    if start is not None:
        before = np.append(dtrtrs(coordinates, x @ start, lower=1)[0] if inside else start, 0.0)
        if (lower := loss(before)) < value:
            theta, value = before, lower
    for _ in range(most_steps):
        p = confidence(design @ theta)
        gradient = design.T @ (cost * (p - y)) + penalty * theta
        if np.abs(gradient).max() < tolerance * m:
            break
        step = _newton_step(design, cost * p * (1 - p), penalty, gradient)
        size, slope = 1.0, gradient @ step
        blur = 1e-13 * value  # near the minimum the loss cannot tell better from worse; the gradient still can
        while (lower := loss(theta - size * step)) > value - 1e-4 * size * slope + blur and size > 1e-6:
            size /= 2
        theta, value = theta - size * step, lower
    # Back from the coordinates by the vanishing gradient: l2 w = sum_i c_i (y_i - p_i) x_i.
    weights = x.T @ (cost * (y - confidence(design @ theta))) / l2 if inside else theta[:-1]
    return LinearHead(weights, float(theta[-1]))


def _coordinates(x: np.ndarray) -> np.ndarray:
    """Return a lower triangle (m, m) whose rows have the inner products of the rows of `x` (m, d)."""
    products = dsyrk(1.0, x.T, trans=1, lower=1)
    trace = np.trace(products) or 1.0  # equal rows leave a singular matrix: lift it by less than rounding moves it
    products[np.diag_indices_from(products)] += 1e-14 * trace
    return dpotrf(products, lower=1, clean=1)[0]


def _newton_step(design: np.ndarray, curvature: np.ndarray, penalty: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Solve (design' diag(curvature) design + diag(penalty)) step = gradient, symmetric: half the arithmetic."""
    hessian = dsyrk(1.0, design.T * np.sqrt(curvature))  # upper triangle
    hessian[np.diag_indices_from(hessian)] += penalty + 1e-12
    _, step, failed = dposv(hessian, gradient)
    if failed:  # not positive definite to rounding, when l2 is tiny: elimination with pivoting still solves it
        step = np.linalg.solve(np.triu(hessian) + np.triu(hessian, 1).T, gradient)
    return step


def _train_by_adamw(
    positives: np.ndarray, negatives: np.ndarray, config: HeadConfig, rng: np.random.Generator, start: Head | None
) -> Head:
    """Train by `config.steps` AdamW steps (fresh moments) on batches with as many positives as negatives.

    Batches hold 4, 8 or 16 of each class, by the number of positives (below 8, below 16, more), as in the released
    code; the loss is the mean binary cross-entropy of the logits.
    """
    d = positives.shape[1]
    if config.kind == "linear-sgd" and start is None:
        bound = 1 / np.sqrt(d)
        start = LinearHead(rng.uniform(-bound, bound, d), float(rng.uniform(-bound, bound)))
    elif config.kind == "mlp":
        first, second = 1 / np.sqrt(d), 1 / np.sqrt(config.hidden)
        parameters = [
            rng.uniform(-first, first, (d, config.hidden)),
            rng.uniform(-first, first, config.hidden),
            rng.uniform(-second, second, config.hidden),
            np.array(rng.uniform(-second, second)),
        ]
    size = 4 if len(positives) < 8 else 8 if len(positives) < 16 else 16
    x = np.concatenate([positives, negatives])
    batches = np.empty((config.steps, 2 * size), np.int64)  # drawn step by step: a positive half, a negative half
    for batch in batches:
        batch[:size] = rng.integers(len(positives), size=size)
        batch[size:] = rng.integers(len(negatives), size=size) + len(positives)
    if config.kind == "linear-sgd":
        both = np.append(start.weights, start.bias)
        _adamw_linear(both, x, batches, config.learning_rate, config.weight_decay)
        return LinearHead(both[:-1], float(both[-1]))
    target = np.repeat([1.0, 0.0], size)
    mean = [np.zeros_like(p) for p in parameters]
    square = [np.zeros_like(p) for p in parameters]
    for step, batch in enumerate(batches, 1):
        for i, g in enumerate(_mlp_gradients(parameters, x[batch], target)):
            mean[i] = 0.9 * mean[i] + 0.1 * g
            square[i] = 0.999 * square[i] + 0.001 * g**2
            ahead = mean[i] / (1 - 0.9**step) / (np.sqrt(square[i] / (1 - 0.999**step)) + 1e-8)
            parameters[i] = parameters[i] * (1 - config.learning_rate * config.weight_decay) - (
                config.learning_rate * ahead
            )
    return MLPHead(parameters[0], parameters[1], parameters[2], float(parameters[3]))


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
        for j in range(d + 1):
            mean[j] = 0.9 * mean[j] + 0.1 * gradient[j]
            square[j] = 0.999 * square[j] + 0.001 * gradient[j] ** 2
            ahead = mean[j] / (1 - 0.9**step) / (np.sqrt(square[j] / (1 - 0.999**step)) + 1e-8)
            both[j] = both[j] * (1 - learning_rate * weight_decay) - learning_rate * ahead


def _mlp_gradients(parameters: list[np.ndarray], x: np.ndarray, target: np.ndarray) -> list[np.ndarray]:
    """Return the gradients of the mean cross-entropy for the four parameters of an MLP head."""
    weights, biases, output, bias = parameters
    hidden = np.maximum(x @ weights + biases, 0)
    error = (confidence(hidden @ output + bias) - target) / len(x)
    back = np.outer(error, output) * (hidden > 0)
    return [x.T @ back, back.sum(0), hidden.T @ error, error.sum()]
