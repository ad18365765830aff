"""The two self-supervised losses, in float32: VICReg and Barlow Twins.

Both take the raw projections of two views, Z and Z', each (n, d), and return a dict of scalar tensors: "loss", which
is to be minimised, and its parts before weighting.
"""

import functools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

INVARIANCE, VARIANCE, COVARIANCE = 25.0, 25.0, 1.0
OFF_DIAGONAL = 0.0051


def in_float32(loss: Callable[..., dict[str, Tensor]]) -> Callable[..., dict[str, Tensor]]:
    """Switch autocast off within a loss: its d x d matrix products overflow float16 and blur in bfloat16."""

    @functools.wraps(loss)
    def exact(z: Tensor, z_prime: Tensor, **weights: float) -> dict[str, Tensor]:
        if z.ndim != 2 or z.shape != z_prime.shape or len(z) < 2:
            raise ValueError(
                f"Two views have shapes {tuple(z.shape)} and {tuple(z_prime.shape)}; expected one shape (n, d), n at "
                "least 2."
            )
        with torch.autocast(z.device.type, enabled=False):
            return loss(z.float(), z_prime.float(), **weights)

    return exact


@in_float32
def vicreg_loss(
    z: Tensor,
    z_prime: Tensor,
    *,
    invariance: float = INVARIANCE,
    variance: float = VARIANCE,
    covariance: float = COVARIANCE,
    gamma: float = 1.0,
    eps: float = 1e-4,
) -> dict[str, Tensor]:
    """Return L = 25 s + 25 v + c of VICReg (Bardes, Ponce and LeCun, 2022), as in its official code.

    s = mean over all n d entries of (Z - Z')^2; v = 1/2 mean_j max(0, gamma - sqrt(Var(Z_j) + eps)), summed over both
    views (the 1/2 is in the code, not in the paper's equation); c = 1/d sum of the squared off-diagonal entries of the
    covariance, summed over both views. Variance and covariance divide by n - 1 with n the rows given; the official
    code divides the covariance by the configured batch size less 1, which differs for a short last batch only.
    """
    parts = {"invariance": F.mse_loss(z, z_prime), "variance": z.new_zeros(()), "covariance": z.new_zeros(())}
    n, d = z.shape
    for view in (z - z.mean(dim=0), z_prime - z_prime.mean(dim=0)):
        deviation = torch.sqrt(view.square().sum(dim=0) / (n - 1) + eps)
        parts["variance"] = parts["variance"] + F.relu(gamma - deviation).mean() / 2
        parts["covariance"] = parts["covariance"] + off_diagonal(view.T @ view / (n - 1)).square().sum() / d
    weighted = invariance * parts["invariance"] + variance * parts["variance"] + covariance * parts["covariance"]
    return {"loss": weighted, **parts}


@in_float32
def barlow_twins_loss(
    z: Tensor, z_prime: Tensor, *, off_diagonal_weight: float = OFF_DIAGONAL, eps: float = 1e-5
) -> dict[str, Tensor]:
    """Return sum_i (1 - C_ii)^2 + 0.0051 sum_{i != j} C_ij^2 of Barlow Twins (Zbontar et al., 2021).

    C (d, d) is the cross-correlation over the batch of the two views, each standardised with its own mean and biased
    variance (plus eps 1e-5), which is a batch normalisation without parameters. Sums, not means, as in the official
    code.
    """
    z, z_prime = ((view - view.mean(dim=0)) * torch.rsqrt(view.var(dim=0, correction=0) + eps) for view in (z, z_prime))
    correlation = z.T @ z_prime / len(z)
    on_diagonal = (torch.diagonal(correlation) - 1).square().sum()
    redundancy = off_diagonal(correlation).square().sum()
    loss = on_diagonal + off_diagonal_weight * redundancy
    return {"loss": loss, "invariance": on_diagonal, "redundancy": redundancy}


def off_diagonal(square: Tensor) -> Tensor:
    """Return the entries of a square matrix (d, d) off its diagonal, (d, d - 1)."""
    d = len(square)
    if square.shape != (d, d) or d < 2:
        raise ValueError(f"Shape {tuple(square.shape)} has no off-diagonal; expected (d, d) with d at least 2.")
    return square.flatten()[:-1].view(d - 1, d + 1)[:, 1:].reshape(d, d - 1)
