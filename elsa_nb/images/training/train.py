"""Train an encoder on images without labels: `command.py` calls `run_training`.

A run is fixed by its configuration and its images: the rows and the random changes of a step depend on the seed and
the step's number alone, so a run that was killed goes on from its last checkpoint as if nothing had happened.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from elsa_nb.errors import CorruptFileError
from elsa_nb.images.encoders.small_resnet import Encoder, scaled_to_one
from elsa_nb.images.sources.protocol import Pictures, Source
from elsa_nb.images.training import distributed
from elsa_nb.images.training.batches import seed_of, training_batches
from elsa_nb.images.training.config import TrainingConfig
from elsa_nb.images.training.methods import Method, make_method
from elsa_nb.images.training.optimisers import make_optimiser, set_learning_rate, steps_schedule, warm_up_cosine
from elsa_nb.store import sha256_bytes, write_with


def run_training(
    images: np.ndarray | Source | Pictures,
    config: TrainingConfig,
    work: Path,
    *,
    log: Callable[[str], Any] = print,
    after_checkpoint: Callable[[Encoder, int], Any] | None = None,
) -> tuple[Encoder, dict[str, Any]]:
    """Train on `images`, uint8 (n, h, w) or (n, 3, h, w), or a source of these or of pictures of any size.

    A checkpoint is kept in the folder `work`. Every step adds one JSON line to `work/log.jsonl` (loss, its parts,
    spread), and every `log_every` steps one goes to `log`. Where `torchrun` started several processes they share the
    batch. Returns the encoder in eval mode and a
    record: steps, seconds (of all parts of an interrupted run) and the loss curve. Raises ValueError for too few
    images and for a checkpoint of another run, CorruptFileError for a damaged one, FloatingPointError when the loss is
    no longer finite.
    """
    if len(images) < config.batch:
        raise ValueError(f"{len(images)} images do not fill one batch of {config.batch}.")
    rank, processes = distributed.join()
    if config.batch % processes:
        raise ValueError(f"A batch of {config.batch} is not a multiple of {processes} processes.")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(config.seed)
    encoder = Encoder(config.architecture)
    steps = config.epochs * (len(images) // config.batch)
    method = make_method(encoder, config.settings, steps).to(device)
    optimiser = make_optimiser(
        method, config.optimiser, config.architecture.method, config.lr, config.weight_decay, method.fixed_rate
    )
    run = Checkpoint(Path(work) / "checkpoint.pt", identity(config, images), method, optimiser)
    state = run.load() or {"step": 0, "seconds": 0.0, "curve": []}
    lines = StepLog(Path(work) / "log.jsonl", state["step"], rank == 0)
    curve, began = state["curve"], time.perf_counter() - state["seconds"]
    for step, batch in enumerate(training_batches(images, config, range(state["step"], steps)), state["step"]):
        set_learning_rate(optimiser, rate_factor(config, step, steps))
        parts = training_step(method, optimiser, batch, config, step)
        lines.add(step + 1, parts)
        done, logged = step + 1 == steps, (step + 1) % config.log_every == 0
        if logged or done or (step + 1) % config.checkpoint_every == 0:
            latest = lines.flush(config.lr)
        if logged or done:
            times = {"steps": steps, "seconds": round(time.perf_counter() - began, 1)}
            curve.append({**latest, **times})
            if rank == 0:
                log(json.dumps(curve[-1]))
        if (step + 1) % config.checkpoint_every == 0 or done:
            if rank == 0:
                run.save({"step": step + 1, "seconds": time.perf_counter() - began, "curve": curve})
            if after_checkpoint and rank == 0:
                after_checkpoint(encoder, step + 1)
            method.train()
    seconds = round(time.perf_counter() - began, 1)
    return encoder.eval(), {"steps": steps, "seconds": seconds, "loss_curve": curve}


def training_step(
    method: Method, optimiser: torch.optim.Optimizer, images: Tensor | list[Tensor], config: TrainingConfig, step: int
) -> dict[str, Tensor]:
    """Take one step on this process's `images` and return the loss and its parts.

    `images` are uint8 (m, h, w) or (m, 3, h, w), or, of pictures of any size, what each view cut out of them.
    """
    rank, _ = distributed.processes()
    device = next(method.parameters()).device
    own = torch.Generator().manual_seed(seed_of(config.seed, 1, step, *([rank] if rank else [])))
    shared = torch.Generator().manual_seed(seed_of(config.seed, 3, step))
    if isinstance(images, list):
        views = [
            view.change(scaled_to_one(part.to(device)), own) for view, part in zip(config.views, images, strict=True)
        ]
    else:
        whole = scaled_to_one(images.to(device))
        views = [view(whole, own) for view in config.views]
    views = [view.contiguous(memory_format=torch.channels_last) for view in views]
    with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bfloat16"):
        parts = method(views, shared)
    optimiser.zero_grad(set_to_none=True)
    parts["loss"].backward()
    method.after_backward(step)
    distributed.average_gradients(method)
    optimiser.step()
    return {key: value.detach() for key, value in parts.items()}


def rate_factor(config: TrainingConfig, step: int, steps: int) -> float:
    """Return the factor on the learning rate at `step` of `steps`."""
    if config.schedule == "steps":
        return steps_schedule(step, steps)
    return warm_up_cosine(step, steps, int(config.warm_up * steps), config.final)


def identity(config: TrainingConfig, images: np.ndarray | Source | Pictures) -> str:
    """Return the hash of what decides a run: its configuration and its images."""
    what = json.dumps(asdict(config), sort_keys=True).encode()
    if isinstance(images, np.ndarray):
        return sha256_bytes(what + sha256_bytes(np.ascontiguousarray(images).data).encode())
    return sha256_bytes(what + images.sha256.encode())


class StepLog:
    """The file with one JSON line a step; lines of steps after the checkpoint that a run goes on from are cut off."""

    def __init__(self, path: Path, step: int, writes: bool):
        """Keep the first `step` lines of `path`; where not `writes`, remember nothing on disk."""
        self.path, self.writes, self.pending = path, writes, []
        if writes:
            kept = path.read_bytes().splitlines(keepends=True)[:step] if path.exists() else []
            write_with(path, lambda stream: stream.writelines(kept))

    def add(self, step: int, parts: dict[str, Tensor]) -> None:
        """Remember a step; its numbers are fetched from the device when the log is flushed."""
        self.pending.append((step, parts))

    def flush(self, lr: float) -> dict[str, Any]:
        """Write what is pending and return the last line; FloatingPointError for a loss that is not finite."""
        lines = [
            {"step": step, **{key: round(value.item(), 5) for key, value in parts.items()}}
            for step, parts in self.pending
        ]
        self.pending = []
        for line in lines:
            if not np.isfinite(line["loss"]):
                raise FloatingPointError(f"The loss is {line['loss']} at step {line['step']}; lower lr ({lr}).")
        if self.writes:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.writelines(json.dumps(line) + "\n" for line in lines)
        return lines[-1]


class Checkpoint:
    """One file that holds a run's state, replaced whole at each save."""

    def __init__(self, path: Path, run: str, method: nn.Module, optimiser: torch.optim.Optimizer):
        """Tie the file to the run with this identity, and to the objects whose state it keeps."""
        self.path, self.run, self.method, self.optimiser = path, run, method, optimiser

    def save(self, state: dict[str, Any]) -> None:
        """Write the state of method and optimiser and `state` (plain data)."""
        whole = {"run": self.run, "method": self.method.state_dict(), "optimiser": self.optimiser.state_dict()}
        write_with(self.path, lambda stream: torch.save({**whole, "state": state}, stream))

    def load(self) -> dict[str, Any] | None:
        """Restore method and optimiser and return the plain state; None if there is no file."""
        if not self.path.exists():
            return None
        try:
            whole = torch.load(self.path, weights_only=True, map_location="cpu")
        except (RuntimeError, OSError, EOFError, UnpicklingError) as error:
            raise CorruptFileError(f"{self.path} cannot be read ({error}). Delete it to train anew.") from error
        if whole["run"] != self.run:
            raise ValueError(
                f"{self.path} belongs to a run with other images or settings. Finish that run with its settings, or "
                "delete the file to start this one."
            )
        self.method.load_state_dict(whole["method"])
        self.optimiser.load_state_dict(whole["optimiser"])
        return whole["state"]
