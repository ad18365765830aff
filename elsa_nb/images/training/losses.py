"""The self-supervised losses, in float32: VICReg, Barlow Twins, and those of MoCo, SimSiam and SwAV.

The first two take the raw projections of two views, Z and Z', each (n, d), and return a dict of scalar tensors: "loss",
which is to be minimised, and its parts before weighting. That of OBoW is in `bags_of_words`, beside its bags.
"""

import functools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from elsa_nb.images.training.distributed import gather_rows, processes, total

INVARIANCE, VARIANCE, COVARIANCE = 25.0, 25.0, 1.0
OFF_DIAGONAL = 0.0051


def in_float32(loss: Callable[..., dict[str, Tensor]]) -> Callable[..., dict[str, Tensor]]:
    """Switch autocast off within a loss: its d x d matrix products overflow float16 and blur in bfloat16."""

    @functools.wraps(loss)
    def exact(z: Tensor, z_prime: Tensor, *others: Tensor, **weights: float) -> dict[str, Tensor]:
        if z.ndim != 2 or z.shape != z_prime.shape or len(z) < 2:
            raise ValueError(
                f"Two views have shapes {tuple(z.shape)} and {tuple(z_prime.shape)}; expected one shape (n, d), n at "
                "least 2."
            )
        with torch.autocast(z.device.type, enabled=False):
            return loss(z.float(), z_prime.float(), *others, **weights)

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


@in_float32
def info_nce_loss(query: Tensor, key: Tensor, negatives: Tensor, *, temperature: float = 0.07) -> dict[str, Tensor]:
    """Return MoCo's contrastive loss (He et al., 2020), for picking the query's own key among 1 + r keys.

    All are scaled to length 1 first. `key` (n, d) holds each query's own key, `negatives` (r, d) those of other
    images. The loss is the cross-entropy of cos / temperature; "accuracy" is how often the own key is the nearest.
    """
    query, key, negatives = (F.normalize(z, dim=1) for z in (query, key, negatives.float()))
    logits = torch.cat([(query * key).sum(dim=1, keepdim=True), query @ negatives.T], dim=1) / temperature
    own = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
    return {"loss": F.cross_entropy(logits, own), "accuracy": (logits.argmax(dim=1) == 0).float().mean()}


@in_float32
def cosine_loss(prediction: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Return SimSiam's -cos(prediction, target) (Chen and He, 2021), mean over rows; no gradient for the target."""
    return {"loss": -F.cosine_similarity(prediction, target.detach(), dim=1).mean()}


@torch.no_grad()
def assignments(scores: Tensor, *, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    """Return SwAV's soft assignments (n, k) of n rows to k prototypes, by Sinkhorn and Knopp's scaling.

    Rows sum to 1 and each prototype gets about n / k of the mass (exactly, with many iterations). In several processes
    `scores` are this one's rows, and all rows share the prototypes. Caron et al., 2020, equations 3 to 5.
    """
    scores = scores.float() / epsilon
    highest = gather_rows(scores.max().view(1)).max()  # a common factor drops out, and exp does not overflow
    q = torch.exp(scores - highest)
    n, k = len(scores) * processes()[1], scores.shape[1]
    q = q / total(q.sum())
    for _ in range(iterations):
        q = q / total(q.sum(dim=0)).clamp(min=torch.finfo(q.dtype).tiny) / k
        q = q / q.sum(dim=1, keepdim=True).clamp(min=torch.finfo(q.dtype).tiny) / n
    return q * n


def swapped_prediction_loss(codes: list[Tensor], scores: list[Tensor], *, temperature: float = 0.1) -> Tensor:
    """Return SwAV's loss: predict the assignments of a view from each other view.

    `codes` are those of the first views, (n, k) each; `scores` the cosines of all views with the prototypes. The mean
    over pairs of cross-entropies between codes and softmax(scores / temperature), in float32.
    """
    with torch.autocast(scores[0].device.type, enabled=False):
        logs = [F.log_softmax(s.float() / temperature, dim=1) for s in scores]
        terms = [-(q * p).sum(dim=1).mean() for i, q in enumerate(codes) for j, p in enumerate(logs) if i != j]
        return torch.stack(terms).mean()


@torch.no_grad()
def direction_spread(vectors: Tensor) -> Tensor:
    """Measure collapse: the mean deviation of a dimension over the batch of vectors of length 1, times sqrt(d).

    1 where directions are spread evenly, 0 where all rows point the same way (SimSiam's figure 2).
    """
    return F.normalize(vectors.detach().float(), dim=1).std(dim=0).mean() * vectors.shape[1] ** 0.5


def off_diagonal(square: Tensor) -> Tensor:
    """Return the entries of a square matrix (d, d) off its diagonal, (d, d - 1)."""
    d = len(square)
    if square.shape != (d, d) or d < 2:
        raise ValueError(f"Shape {tuple(square.shape)} has no off-diagonal; expected (d, d) with d at least 2.")
    return square.flatten()[:-1].view(d - 1, d + 1)[:, 1:].reshape(d, d - 1)
