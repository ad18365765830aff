"""Train in several processes as in one: gathered batches, reductions and batch normalisation that carry gradients.

Every process computes the loss of the whole batch from its own part and what it gathers. Gradients flow back through
each gathering to the process a row came from, so that after `average_gradients` all hold the gradient that one process
with the whole batch has. In one process everything here does nothing.
"""

import os

import torch
import torch.distributed as dist
from torch import Tensor, nn


def processes() -> tuple[int, int]:
    """Return the number of this process and how many there are."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def join() -> tuple[int, int]:
    """Join the processes that `torchrun` started, if it did; return the number of this one and how many there are."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return processes()


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx, part: Tensor) -> Tensor:
        rank, count = processes()
        ctx.rows = slice(rank * len(part), (rank + 1) * len(part))
        parts = [torch.empty_like(part) for _ in range(count)]
        dist.all_gather(parts, part.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        gradient = gradient.contiguous()
        dist.all_reduce(gradient)
        return gradient[ctx.rows]


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx, part: Tensor) -> Tensor:
        part = part.clone()
        dist.all_reduce(part)
        return part

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        gradient = gradient.clone()
        dist.all_reduce(gradient)
        return gradient


def gather_rows(part: Tensor) -> Tensor:
    """Return the rows (m, ...) of all processes, in their order; every process brings equally many."""
    return part if processes()[1] == 1 else _Gather.apply(part)


def total(part: Tensor) -> Tensor:
    """Return the sum of `part` over all processes."""
    return part if processes()[1] == 1 else _Sum.apply(part)


def own(whole: Tensor) -> Tensor:
    """Return this process's part of rows that all processes hold."""
    rank, count = processes()
    return whole.chunk(count)[rank]


def average_gradients(module: nn.Module) -> None:
    """Replace every gradient by its mean over the processes, in one message."""
    count = processes()[1]
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    if count == 1 or not gradients:
        return
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    for gradient, mean in zip(gradients, (flat / count).split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


class SynchronisedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation with the statistics of all processes' rows; runs on processors too, unlike torch's own."""

    def _check_input_dim(self, x: Tensor) -> None:
        if x.ndim not in (2, 4):
            raise ValueError(f"Batch normalisation takes (m, d) or (m, d, h, w); got {tuple(x.shape)}.")

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (m, d) or (m, d, h, w); in eval mode with the running statistics, as usual."""
        if not self.training or processes()[1] == 1:
            return super().forward(x)
        axes = [i for i in range(x.ndim) if i != 1]
        shape = [1, -1] + [1] * (x.ndim - 2)
        count = x.numel() // x.shape[1] * processes()[1]
        exact = x.float()
        mean = total(exact.sum(dim=axes)) / count
        centred = exact - mean.view(shape)
        variance = total(centred.square().sum(dim=axes)) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        y = centred * torch.rsqrt(variance + self.eps).view(shape)
        if self.affine:
            y = y * self.weight.view(shape) + self.bias.view(shape)
        return y.to(x.dtype)


def synchronise(module: nn.Module) -> nn.Module:
    """Let every batch normalisation in `module` use the rows of all processes; names and values stay."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.__class__ = SynchronisedBatchNorm
    return module
