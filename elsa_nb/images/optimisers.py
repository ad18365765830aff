"""LARS, as VICReg and Barlow Twins use it, the choice of AdamW, and the warm-up and cosine schedule of both."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import nn

OPTIMISERS = ("adamw", "lars")
BIAS_FACTOR = {"vicreg": 1.0, "barlow-twins": 0.0048 / 0.2}


class LARS(torch.optim.Optimizer):
    """Momentum SGD whose steps are scaled layer by layer to the size of the weights (You, Gitman and Ginsburg, 2017).

    For each weight w with gradient g: u = g + weight_decay w; q = trust |w| / |u| (1 where either norm is 0);
    m = momentum m + q u; w = w - lr m. Vectors (biases, batch normalisation) take neither decay nor scaling. There is
    no dampening, no Nesterov momentum and no epsilon.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float,
        momentum: float = 0.9,
        weight_decay: float = 1e-6,
        trust: float = 1e-3,
    ):
        """Take parameters or parameter groups; each group may have its own lr."""
        if lr < 0 or weight_decay < 0 or not 0 <= momentum < 1 or trust <= 0:
            raise ValueError(
                f"LARS got lr {lr}, momentum {momentum}, weight_decay {weight_decay}, trust {trust}; expected lr and "
                "weight_decay at least 0, momentum in [0, 1) and trust above 0."
            )
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "trust": trust})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take one step with the gradients at hand; `closure`, if given, computes them and the loss to return."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                update = weight.grad
                if weight.ndim != 1:
                    update = update.add(weight, alpha=group["weight_decay"])
                    size, step = torch.linalg.vector_norm(weight), torch.linalg.vector_norm(update)
                    scale = torch.where((size > 0) & (step > 0), group["trust"] * size / step, 1.0)
                    update = update * scale
                state = self.state[weight]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].mul_(group["momentum"]).add_(update)
                weight.sub_(state["momentum"], alpha=group["lr"])
        return loss


def make_optimiser(model: nn.Module, kind: str, method: str, lr: float, weight_decay: float) -> torch.optim.Optimizer:
    """Make the optimiser `kind` with one group for weights and one for vectors, `lr` at the top of the schedule.

    With LARS the vectors of Barlow Twins take 0.024 times the rate of the weights (0.0048 to 0.2 in its official
    code). With AdamW they take the same rate. Neither optimiser decays vectors.
    """
    weights = [p for p in model.parameters() if p.ndim != 1]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    if kind == "adamw":
        groups = [{"params": weights, "lr": lr}, {"params": vectors, "lr": lr, "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, weight_decay=weight_decay, betas=(0.9, 0.98))
    elif kind == "lars":
        groups = [{"params": weights, "lr": lr}, {"params": vectors, "lr": lr * BIAS_FACTOR[method]}]
        optimiser = LARS(groups, lr=lr, weight_decay=weight_decay)
    else:
        raise ValueError(f"optimiser is {kind!r}; it is one of {OPTIMISERS}.")
    for group in optimiser.param_groups:
        group["top_lr"] = group["lr"]
    return optimiser


def warm_up_cosine(step: int, steps: int, warm_up: int, final: float = 1e-3) -> float:
    """Return the factor on the learning rate at `step` of `steps`: 0 to 1 linearly, then a cosine from 1 to `final`."""
    if not 0 <= warm_up < steps or not 0 <= step <= steps:
        raise ValueError(f"step {step} and warm-up {warm_up} do not fit {steps} steps.")
    if step < warm_up:
        return step / warm_up
    q = 0.5 * (1 + math.cos(math.pi * (step - warm_up) / (steps - warm_up)))
    return q + final * (1 - q)


def set_learning_rate(optimiser: torch.optim.Optimizer, factor: float) -> None:
    """Set every group's rate to `factor` times its own top rate."""
    for group in optimiser.param_groups:
        group["lr"] = group["top_lr"] * factor
