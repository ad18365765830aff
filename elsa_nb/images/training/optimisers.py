"""The optimisers of the eight methods (LARS, SGD, or AdamW for short runs) and their learning rates over a run."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import nn

OPTIMISERS = ("adamw", "lars", "sgd")
SCHEDULES = ("cosine", "steps")
BIAS_FACTOR = {"barlow-twins": 0.0048 / 0.2}  # 1 for every other method


class LARS(torch.optim.Optimizer):
    """Momentum SGD whose steps are scaled layer by layer to the size of the weights (You, Gitman and Ginsburg, 2017).

    For each weight w with gradient g: u = g + weight_decay w; q = trust |w| / |u| (1 where either norm is 0);
    m = momentum m + q u; w = w - lr m. Vectors (biases, batch normalisation) take neither decay nor scaling, unless
    `scale_vectors` (SwAV). There is no dampening, no Nesterov momentum and no epsilon.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float,
        momentum: float = 0.9,
        weight_decay: float = 1e-6,
        trust: float = 1e-3,
        scale_vectors: bool = False,
    ):
        """Take parameters or parameter groups; each group may have its own lr."""
        if lr < 0 or weight_decay < 0 or not 0 <= momentum < 1 or trust <= 0:
            raise ValueError(
                f"LARS got lr {lr}, momentum {momentum}, weight_decay {weight_decay}, trust {trust}; expected lr and "
                "weight_decay at least 0, momentum in [0, 1) and trust above 0."
            )
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "trust": trust}
        super().__init__(params, {**defaults, "scale_vectors": scale_vectors})

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
                if weight.ndim != 1 or group["scale_vectors"]:
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


def make_optimiser(
    model: nn.Module, kind: str, method: str, lr: float, weight_decay: float, fixed_rate: tuple[str, ...] = ()
) -> torch.optim.Optimizer:
    """Make the optimiser `kind` for what is trained in `model`; `lr` is the top of the schedule.

    One group holds weights and one vectors. With LARS the vectors of Barlow Twins take 0.024 times the rate of the
    weights (0.0048 to 0.2 in its official code), and SwAV's are decayed and scaled as its weights are. SGD (momentum
    0.9) decays everything, as the official codes of MoCo and SimSiam do; otherwise vectors are not decayed. The
    children of `model` that `fixed_rate` names form groups of their own, whose rate stays at `lr`.
    """
    if kind not in OPTIMISERS:
        raise ValueError(f"optimiser is {kind!r}; it is one of {OPTIMISERS}.")
    fixed = {id(p) for name in fixed_rate for p in model.get_submodule(name).parameters()}
    groups = []
    for held in (False, True):
        trained = [p for p in model.parameters() if p.requires_grad and (id(p) in fixed) == held]
        weights, vectors = ([p for p in trained if (p.ndim == 1) == vector] for vector in (False, True))
        slow = BIAS_FACTOR.get(method, 1.0) if kind == "lars" else 1.0
        decay = 0.0 if kind == "adamw" else weight_decay
        groups.append({"params": weights, "lr": lr, "fixed": held})
        groups.append({"params": vectors, "lr": lr * slow, "weight_decay": decay, "fixed": held})
    groups = [group for group in groups if group["params"]]
    if kind == "adamw":
        optimiser = torch.optim.AdamW(groups, lr=lr, weight_decay=weight_decay, betas=(0.9, 0.98))
    elif kind == "sgd":
        optimiser = torch.optim.SGD(groups, lr=lr, weight_decay=weight_decay, momentum=0.9)
    else:
        optimiser = LARS(groups, lr=lr, weight_decay=weight_decay, scale_vectors=method.startswith("swav"))
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


def steps_schedule(step: int, steps: int) -> float:
    """Return MoCo v1's factor on the learning rate: 1, a tenth after 60 % of the steps, a hundredth after 80 %."""
    if not 0 <= step <= steps:
        raise ValueError(f"step {step} does not fit {steps} steps.")
    return 0.1 ** ((step >= 0.6 * steps) + (step >= 0.8 * steps))


def set_learning_rate(optimiser: torch.optim.Optimizer, factor: float) -> None:
    """Set every group's rate to `factor` times its own top rate, except groups whose rate is fixed."""
    for group in optimiser.param_groups:
        if not group.get("fixed"):
            group["lr"] = group["top_lr"] * factor
