"""Logistic regression, solved to convergence: by Newton's method, and in large dimensions by conjugate gradients."""

from collections.abc import Callable

import numpy as np
from numba import njit

# Compiled, and only named when scipy is loaded: a type checker does not find these names.
from scipy.linalg.blas import dsyrk, ssyrk
from scipy.linalg.lapack import dposv, dpotrf, dtrtrs, spotrf, spotrs

# With more samples and dimensions than this, the Hessian of each Newton step, m d^2 operations, keeps a person waiting;
# conjugate gradients do not need it. Up to here (vectors of 256 dimensions) Newton's steps are quick, and answers stay
# what they were to the last bit.
_LARGE = 600
_DIRECTIONS = 128  # of most variance, in which conjugate gradients start from the exact curvature
_COARSE_STEPS = 20  # of Newton's method, with a curvature of single precision; where they are not enough, it is exact
_MOST_PRODUCTS = 600  # of the Hessian with a vector, several times what samples commonly take


def confidence(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities 1 / (1 + exp(-logits)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))


def logistic_regression(
    x: np.ndarray,
    y: np.ndarray,
    l2: float,
    *,
    costs: np.ndarray | None = None,
    start: np.ndarray | None = None,
    start_bias: float = 0.0,
    tolerance: float = 1e-12,
    most_steps: int = 100,
    coarse: bool = False,
) -> tuple[np.ndarray, float]:
    """Return w (d,) and b that minimise sum_i c_i log(1 + exp(-y_i f(x_i))) + l2 |w|^2 / 2, with f(x) = w . x + b.

    `x` (m, d) float64, `y` (m,) bool; c_i are the `costs` (m,) of the samples, by default m / (2 m_class), which gives
    both classes the same weight; the bias b is not penalised. `start` (d,) and, in large dimensions, `start_bias` are
    the starting point: they save steps and change nothing else. Newton's method with step halving; converged when the
    gradient's largest entry is below `tolerance` times m. With `coarse` the curvature, which takes most of the time,
    is of single precision, and `start_bias` counts in all dimensions: other steps, to the same point within it.
    """
    m, d = x.shape
    cost = np.where(y, m / (2 * np.count_nonzero(y)), m / (2 * np.count_nonzero(~y))) if costs is None else costs
    if min(m, d) > _LARGE:
        before = None if start is None else np.append(start, start_bias)
        weights, bias, converged = _by_conjugate_gradients(x, y, cost, l2, before, tolerance)
        if converged:
            return weights, bias
        start = weights
    before = None if start is None else np.append(start, start_bias if coarse else 0.0)
    return _by_newton(x, y, cost, l2, before, tolerance, most_steps=most_steps, coarse=coarse)


def _by_newton(
    x: np.ndarray,
    y: np.ndarray,
    cost: np.ndarray,
    l2: float,
    start: np.ndarray | None,
    tolerance: float,
    *,
    most_steps: int,
    coarse: bool,
) -> tuple[np.ndarray, float]:
    """Return weights and bias; forms the Hessian of each step, of (d + 1)^2 or (m + 1)^2 values.

    `start` (d + 1,) is weights and bias. The other arguments are those of `logistic_regression`.
    """
    m, d = x.shape
    sign = np.where(y, 1.0, -1.0)
    # With fewer samples than dimensions the solution lies in their span: m coordinates with the same inner products.
    inside = m < d
    coordinates = _coordinates(x) if inside else x
    design = np.column_stack([coordinates, np.ones(m)])
    penalty = np.full(design.shape[1], l2)
    penalty[-1] = 0.0

    def loss(theta: np.ndarray) -> float:
        return float(cost @ np.logaddexp(0, -sign * (design @ theta)) + 0.5 * penalty @ theta**2)

    theta = np.zeros(design.shape[1])
    value = loss(theta)
    if start is not None:
        before = np.append(dtrtrs(coordinates, x @ start[:-1], lower=1)[0], start[-1]) if inside else start
        if (lower := loss(before)) < value:
            theta, value = before, lower
    single = design.astype(np.float32) if coarse else design
    for number in range(most_steps):
        p = confidence(design @ theta)
        gradient = design.T @ (cost * (p - y)) + penalty * theta
        if np.abs(gradient).max() < tolerance * m:
            break
        step = _newton_step(single if number < _COARSE_STEPS else design, cost * p * (1 - p), penalty, gradient)
        size, slope = 1.0, gradient @ step
        blur = 1e-13 * value  # near the minimum only the gradient can still tell better from worse
        while (lower := loss(theta - size * step)) > value - 1e-4 * size * slope + blur and size > 1e-6:
            size /= 2
        theta, value = theta - size * step, lower
    # Back from the coordinates, since the gradient vanishes: l2 w = sum_i c_i (y_i - p_i) x_i.
    weights = x.T @ (cost * (y - confidence(design @ theta))) / l2 if inside else theta[:-1]
    return weights, float(theta[-1])


def _coordinates(x: np.ndarray) -> np.ndarray:
    """Return a lower triangle (m, m) whose rows have the inner products of the rows of `x` (m, d)."""
    products = dsyrk(1.0, x.T, trans=1, lower=1)
    trace = np.trace(products) or 1.0  # equal rows leave a singular matrix: lift it by less than rounding moves it
    products[np.diag_indices_from(products)] += 1e-14 * trace
    return dpotrf(products, lower=1, clean=1)[0]


def _newton_step(design: np.ndarray, curvature: np.ndarray, penalty: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Solve (design' diag(curvature) design + diag(penalty)) step = gradient, with half the arithmetic, by symmetry."""
    product = dsyrk if design.dtype == np.float64 else ssyrk
    hessian = product(1.0, design.T * np.sqrt(curvature).astype(design.dtype)).astype(np.float64)  # upper triangle
    hessian[np.diag_indices_from(hessian)] += penalty + 1e-12
    _, step, failed = dposv(hessian, gradient)
    if failed:  # not positive definite to rounding, when l2 is tiny: elimination with pivoting still solves it
        step = np.linalg.solve(np.triu(hessian) + np.triu(hessian, 1).T, gradient)
    return step


def _by_conjugate_gradients(
    x: np.ndarray, y: np.ndarray, cost: np.ndarray, l2: float, start: np.ndarray | None, tolerance: float
) -> tuple[np.ndarray, float, bool]:
    """Return weights, bias and whether they have converged; forms no matrix of d x d or m x m.

    Newton's method whose systems are solved by conjugate gradients, in single precision and only as exactly as the
    step needs; loss and gradient, and so the answer, are in double precision. Small penalties and rounding may need
    more products than are allowed; then it has not converged, and the caller has to solve it otherwise.
    """
    m, d = x.shape
    design = np.ones((m, d + 1), np.float32)
    design[:, :d] = x
    sign = np.where(y, 1.0, -1.0)
    penalty = np.append(np.full(d, l2), 0.0)
    start_system = _coarse_systems(design, l2)

    def loss(theta: np.ndarray, logits: np.ndarray) -> float:
        return float(cost @ np.logaddexp(0, -sign * logits) + 0.5 * penalty @ theta**2)

    theta, logits = np.zeros(d + 1), np.zeros(m)
    value = loss(theta, logits)
    if start is not None:
        of_start = x @ start[:-1] + start[-1]
        if (lower := loss(start, of_start)) < value:
            theta, logits, value = start, of_start, lower
    first, left = None, _MOST_PRODUCTS
    while left > 0:
        p = confidence(logits)
        error = cost * (p - y)
        gradient = np.append(x.T @ error, error.sum()) + penalty * theta
        largest = np.abs(gradient).max()
        if largest < tolerance * m:
            return theta[:-1], float(theta[-1]), True
        first = first or largest
        curvature = (cost * p * (1 - p)).astype(np.float32)
        exactness = max(0.01, min(0.1, np.sqrt(largest / first)))
        step, used = _solve(design, curvature, penalty, gradient, start_system(curvature), exactness, left)
        left -= used
        along, slope = x @ step[:-1] + step[-1], 1e-4 * (gradient @ step)
        size, most = 1.0, value + 1e-13 * value  # the loss blurs near the minimum, as above
        while (lower := loss(theta - size * step, logits - size * along)) > most - size * slope and size > 1e-6:
            size /= 2
        theta, logits, value = theta - size * step, logits - size * along, lower
    return theta[:-1], float(theta[-1]), False


def _coarse_systems(design: np.ndarray, l2: float) -> Callable[[np.ndarray], Callable[[np.ndarray], np.ndarray]]:
    """Return a function from the curvature (m,) to an approximate inverse of the Hessian, itself a function.

    In the few directions in which the rows of `design` vary most, found by a random sketch, the Hessian is inverted;
    across them its mean stands for it.
    """
    m, columns = design.shape
    sketch = np.random.default_rng(0).standard_normal((_DIRECTIONS, m), np.float32) @ design
    basis = np.linalg.qr(sketch.T)[0]  # (d + 1, _DIRECTIONS), orthonormal
    inside = design @ basis
    across = (np.einsum("ij,ij->i", design, design) - np.einsum("ij,ij->i", inside, inside)) / (columns - _DIRECTIONS)

    def at(curvature: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        coarse = ssyrk(1.0, inside.T * np.sqrt(curvature))
        coarse[np.diag_indices_from(coarse)] += l2
        factor, failed = spotrf(coarse)
        mean = l2 + max(float(curvature @ across), 0.0)
        if failed:  # not positive definite to rounding, when l2 is tiny
            return lambda vector: vector / mean

        def solve(vector: np.ndarray) -> np.ndarray:
            part = basis.T @ vector.astype(np.float32)
            return vector / mean + basis @ (spotrs(factor, part)[0] - part / mean)

        return solve

    return at


def _solve(design, curvature, penalty, gradient, precondition, exactness, most):
    """Solve (design' diag(curvature) design + diag(penalty)) step = gradient by conjugate gradients.

    Return the step (d + 1,), with a residual of `exactness` times the gradient's length, and the number of products.
    """
    step, residual = np.zeros_like(gradient), gradient.copy()
    goal = exactness * np.linalg.norm(gradient)
    direction = improved = precondition(residual)
    power = residual @ improved
    for used in range(1, most + 1):
        image = _curved(design, curvature, direction.astype(np.float32)) + penalty * direction
        length = power / (direction @ image)
        step += length * direction
        residual -= length * image
        if np.linalg.norm(residual) <= goal:
            return step, used
        improved = precondition(residual)
        before, power = power, residual @ improved
        direction = improved + power / before * direction
    return step, most


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def _curved(design, curvature, direction):
    """Return design' diag(curvature) design direction, (d + 1,) float32, in one pass over the rows of `design`."""
    out = np.zeros_like(direction)
    for i in range(len(design)):
        row = design[i]
        total = np.float32(0)
        for j in range(len(row)):
            total += row[j] * direction[j]
        total *= curvature[i]
        for j in range(len(row)):
            out[j] += total * row[j]
    return out
