"""The classification head: a small model that says how likely each row is positive (the Sampler's `Head`).

The paper names a "linear head" and an "MLP layer" and leaves the training open (paper notes 7, 10, 10a). Each choice
is a `HeadConfig`:

- `logistic` (default): class-balanced, L2-regularised logistic regression, solved to convergence. Convex, so its answer
  depends on nothing but the labels.
- `linear-sgd`: one linear layer trained by a fixed number of AdamW steps on small balanced batches, its weights kept
  from round to round: what the authors' released code does.
- `mlp`: one hidden layer, trained likewise from a fresh start.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from elsa_nb.search.contract import check_counts

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


class Features:
    """The vectors a head sees: centred, and scaled by one number to unit mean variance, so that `l2` means the same
    in every space. Nothing is copied: `take` scales the rows asked for, `scores` folds the scaling into the weights.
    """

    def __init__(self, vectors: np.ndarray):
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self.mean = self.vectors.mean(0, dtype=np.float64)
        variance = self.vectors.var(0, dtype=np.float64).mean()
        self.scale = 1 / np.sqrt(variance) if variance > 0 else 1.0

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Return the scaled features (m, d) float64 of `rows` (m,)."""
        return (self.vectors[rows] - self.mean) * self.scale

    def project(self, weights: np.ndarray, bias: np.ndarray | float) -> np.ndarray:
        """Return weights . features + bias for every row: (n,) for weights (d,), (n, h) for weights (d, h)."""
        folded = (weights * self.scale).astype(np.float32)
        # Not BLAS for one weight vector: there the rounding of a row depends on its place and on the threads, so
        # equal rows would get unequal scores; einsum is no slower.
        product = np.einsum("ij,j->i", self.vectors, folded) if folded.ndim == 1 else self.vectors @ folded
        return product.astype(np.float64) + (bias - self.mean @ (weights * self.scale))


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
        return features.project(self.weights, self.bias)


@dataclass(frozen=True)
class MLPHead:
    """log-odds = output . relu(weights' x + biases) + bias."""

    weights: np.ndarray = field(repr=False)
    biases: np.ndarray = field(repr=False)
    output: np.ndarray = field(repr=False)
    bias: float = 0.0

    def logits(self, features: Features) -> np.ndarray:
        """Return the log-odds (n,) float64 that each row is positive."""
        return np.maximum(features.project(self.weights, self.biases), 0) @ self.output + self.bias


def confidence(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities 1 / (1 + exp(-logits)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))


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
        return logistic_regression(x, np.arange(len(x)) < len(positives), config.l2)
    start = previous if config.kind == "linear-sgd" else None
    return _train_by_adamw(features.take(positives), features.take(negatives), config, rng, start)


def logistic_regression(
    x: np.ndarray, y: np.ndarray, l2: float, *, tolerance: float = 1e-12, most_steps: int = 100
) -> LinearHead:
    """Minimise sum_i c_i log(1 + exp(-y_i f(x_i))) + l2 |w|^2 / 2 by Newton's method with step halving.

    `x` (m, d) float64, `y` (m,) bool; f(x) = w . x + b; c_i = m / (2 m_class) gives both classes the same weight; the
    bias b is not penalised. Converged when the gradient's largest entry is below `tolerance` times m.
    """
    m, d = x.shape
    # With fewer samples than dimensions the solution lies in their span: rotate into it (x = r.T q.T) and solve there.
    q, r = np.linalg.qr(x.T) if m < d else (None, None)
    design = np.column_stack([x if q is None else r.T, np.ones(m)])
    sign = np.where(y, 1.0, -1.0)
    cost = np.where(y, m / (2 * np.count_nonzero(y)), m / (2 * np.count_nonzero(~y)))
    penalty = np.full(design.shape[1], l2)
    penalty[-1] = 0.0

    def loss(theta: np.ndarray) -> float:
        return cost @ np.logaddexp(0, -sign * (design @ theta)) + 0.5 * penalty @ theta**2

    theta, value = np.zeros(design.shape[1]), np.inf
    value = loss(theta)
    for _ in range(most_steps):
        p = confidence(design @ theta)
        gradient = design.T @ (cost * (p - y)) + penalty * theta
        if np.abs(gradient).max() < tolerance * m:
            break
        curvature = cost * p * (1 - p)
        hessian = (design.T * curvature) @ design
        hessian[np.diag_indices_from(hessian)] += penalty + 1e-12
        step = np.linalg.solve(hessian, gradient)
        size, slope = 1.0, gradient @ step
        blur = 1e-13 * value  # near the minimum the loss cannot tell better from worse; the gradient still can
        while (lower := loss(theta - size * step)) > value - 1e-4 * size * slope + blur and size > 1e-6:
            size /= 2
        theta, value = theta - size * step, lower
    weights = theta[:-1] if q is None else q @ theta[:-1]
    return LinearHead(weights, float(theta[-1]))


def _train_by_adamw(
    positives: np.ndarray, negatives: np.ndarray, config: HeadConfig, rng: np.random.Generator, start: Head | None
) -> Head:
    """Train by `config.steps` AdamW steps (fresh moments) on batches with as many positives as negatives.

    Batches hold 4, 8 or 16 of each class, by the number of positives (below 8, below 16, more), as in the released
    code; the loss is the mean binary cross-entropy of the logits.
    """
    d = positives.shape[1]
    if config.kind == "linear-sgd":
        if start is None:
            bound = 1 / np.sqrt(d)
            start = LinearHead(rng.uniform(-bound, bound, d), float(rng.uniform(-bound, bound)))
        parameters = [start.weights.copy(), np.array(start.bias)]
    else:
        first, second = 1 / np.sqrt(d), 1 / np.sqrt(config.hidden)
        parameters = [
            rng.uniform(-first, first, (d, config.hidden)),
            rng.uniform(-first, first, config.hidden),
            rng.uniform(-second, second, config.hidden),
            np.array(rng.uniform(-second, second)),
        ]
    size = 4 if len(positives) < 8 else 8 if len(positives) < 16 else 16
    target = np.repeat([1.0, 0.0], size)
    mean = [np.zeros_like(p) for p in parameters]
    square = [np.zeros_like(p) for p in parameters]
    for step in range(1, config.steps + 1):
        x = np.concatenate(
            [
                positives[rng.integers(len(positives), size=size)],
                negatives[rng.integers(len(negatives), size=size)],
            ]
        )
        for i, g in enumerate(_gradients(parameters, x, target)):
            mean[i] = 0.9 * mean[i] + 0.1 * g
            square[i] = 0.999 * square[i] + 0.001 * g**2
            ahead = mean[i] / (1 - 0.9**step) / (np.sqrt(square[i] / (1 - 0.999**step)) + 1e-8)
            parameters[i] = parameters[i] * (1 - config.learning_rate * config.weight_decay) - (
                config.learning_rate * ahead
            )
    if config.kind == "linear-sgd":
        return LinearHead(parameters[0], float(parameters[1]))
    return MLPHead(parameters[0], parameters[1], parameters[2], float(parameters[3]))


def _gradients(parameters: list[np.ndarray], x: np.ndarray, target: np.ndarray) -> list[np.ndarray]:
    """Return the gradients of the mean cross-entropy for the parameters of a linear (2) or an MLP head (4)."""
    if len(parameters) == 2:
        weights, bias = parameters
        error = (confidence(x @ weights + bias) - target) / len(x)
        return [x.T @ error, error.sum()]
    weights, biases, output, bias = parameters
    hidden = np.maximum(x @ weights + biases, 0)
    error = (confidence(hidden @ output + bias) - target) / len(x)
    back = np.outer(error, output) * (hidden > 0)
    return [x.T @ back, back.sum(0), hidden.T @ error, error.sum()]
