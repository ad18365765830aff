"""Train an encoder on images without labels: `python -m elsa_nb.images.training --method vicreg`.

A run is fixed by its configuration and its images: the rows and the random changes of a step depend on the seed and
the step's number alone, so a run that was killed goes on from its last checkpoint as if nothing had happened.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch

from elsa_nb import store
from elsa_nb.errors import CorruptFileError
from elsa_nb.images import augmentations, encoders, losses, optimisers
from elsa_nb.images.augmentations import GlyphAugmentation
from elsa_nb.images.encoders import METHODS, Architecture, Encoder, load_encoder, prepare, save_encoder
from elsa_nb.images.extract import Source, encode
from elsa_nb.images.losses import barlow_twins_loss, vicreg_loss
from elsa_nb.images.optimisers import OPTIMISERS, make_optimiser, set_learning_rate, warm_up_cosine
from elsa_nb.images.quality import quality
from elsa_nb.store import code_hash, sha256_bytes, write_with

LOSSES = {"vicreg": vicreg_loss, "barlow-twins": barlow_twins_loss}
PRECISIONS = ("bfloat16", "float32")


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides a training run, apart from the images.

    `warm_up` is the part of all steps over which the learning rate rises. `precision` is that of convolutions and
    linear layers; losses are always float32. The last rows of an epoch that do not fill a batch are left out.
    """

    architecture: Architecture = field(default_factory=Architecture)
    augmentation: GlyphAugmentation = field(default_factory=GlyphAugmentation)
    epochs: int = 6
    batch: int = 256
    optimiser: str = "adamw"
    lr: float = 5e-3
    weight_decay: float = 1e-2
    warm_up: float = 0.05
    seed: int = 0
    precision: str = "bfloat16"
    checkpoint_every: int = 200
    log_every: int = 50

    def __post_init__(self):
        """Refuse settings that cannot be run."""
        if self.optimiser not in OPTIMISERS or self.precision not in PRECISIONS:
            raise ValueError(
                f"optimiser {self.optimiser!r}, precision {self.precision!r}: expected {OPTIMISERS} and {PRECISIONS}."
            )
        small = {key: getattr(self, key) for key in ("epochs", "batch", "checkpoint_every", "log_every")}
        if min(small.values()) < 1 or self.batch < 2 or not 0 <= self.warm_up < 1 or not self.lr > 0:
            raise ValueError(
                f"{small}, lr {self.lr}, warm_up {self.warm_up}: expected counts of at least 1 (batch 2), lr above 0 "
                "and warm_up in [0, 1)."
            )


def train(
    images: np.ndarray,
    config: TrainingConfig,
    work: Path,
    *,
    log: Callable[[str], Any] = print,
    after_checkpoint: Callable[[Encoder, int], Any] | None = None,
) -> tuple[Encoder, dict[str, Any]]:
    """Train on `images` uint8 (n, 32, 32), keeping a checkpoint in the folder `work`.

    Every `log_every` steps one JSON line goes to `log`. Returns the encoder in eval mode and a record: steps, seconds
    (of all parts of an interrupted run) and the loss curve. Raises ValueError for too few images and for a checkpoint
    of another run, CorruptFileError for a damaged one, FloatingPointError when the loss is no longer finite.
    """
    if len(images) < config.batch:
        raise ValueError(f"{len(images)} images do not fill one batch of {config.batch}.")
    torch.manual_seed(config.seed)
    encoder = Encoder(config.architecture).train()
    optimiser = make_optimiser(encoder, config.optimiser, config.architecture.method, config.lr, config.weight_decay)
    epoch_steps = len(images) // config.batch
    steps = config.epochs * epoch_steps
    run = Checkpoint(Path(work) / "checkpoint.pt", identity(config, images), encoder, optimiser)
    state = run.load() or {"step": 0, "seconds": 0.0, "curve": []}
    curve, began = state["curve"], time.perf_counter() - state["seconds"]
    for step in range(state["step"], steps):
        rows = batch_rows(len(images), config, step)
        set_learning_rate(optimiser, warm_up_cosine(step, steps, int(config.warm_up * steps)))
        parts = training_step(encoder, optimiser, prepare(images[rows]), config, step)
        if (step + 1) % config.log_every == 0 or step + 1 == steps:
            line = {"step": step + 1, "steps": steps, "seconds": round(time.perf_counter() - began, 1)}
            line |= {key: round(value.item(), 5) for key, value in parts.items()}
            if not np.isfinite(line["loss"]):
                raise FloatingPointError(f"The loss is {line['loss']} at step {step + 1}; lower lr ({config.lr}).")
            curve.append(line)
            log(json.dumps(line))
        if (step + 1) % config.checkpoint_every == 0 or step + 1 == steps:
            run.save({"step": step + 1, "seconds": time.perf_counter() - began, "curve": curve})
            if after_checkpoint:
                after_checkpoint(encoder, step + 1)
                encoder.train()
    seconds = round(time.perf_counter() - began, 1)
    return encoder.eval(), {"steps": steps, "seconds": seconds, "loss_curve": curve}


def training_step(
    encoder: Encoder, optimiser: torch.optim.Optimizer, images: torch.Tensor, config: TrainingConfig, step: int
) -> dict[str, torch.Tensor]:
    """Take one step on `images` (m, 1, 32, 32) and return the loss and its parts."""
    generator = torch.Generator().manual_seed(_seed(config.seed, 1, step))
    projections = []
    for _ in range(2):
        view = config.augmentation(images, generator).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bfloat16"):
            projections.append(encoder(view)[1])
    parts = LOSSES[config.architecture.method](*projections)
    optimiser.zero_grad(set_to_none=True)
    parts["loss"].backward()
    optimiser.step()
    return {key: value.detach() for key, value in parts.items()}


def batch_rows(n: int, config: TrainingConfig, step: int) -> np.ndarray:
    """Return the rows of a step: each epoch shuffles all n rows anew and leaves out the last, incomplete batch."""
    epoch, place = divmod(step, n // config.batch)
    order = np.random.default_rng([config.seed, 2, epoch]).permutation(n)
    return np.sort(order[place * config.batch : (place + 1) * config.batch])


def identity(config: TrainingConfig, images: np.ndarray) -> str:
    """Return the hash of what decides a run: its configuration and its images."""
    what = json.dumps(asdict(config), sort_keys=True).encode()
    return sha256_bytes(what + sha256_bytes(np.ascontiguousarray(images).data).encode())


class Checkpoint:
    """One file that holds a run's state, replaced whole at each save."""

    def __init__(self, path: Path, run: str, encoder: Encoder, optimiser: torch.optim.Optimizer):
        """Tie the file to the run with this identity, and to the objects whose state it keeps."""
        self.path, self.run, self.encoder, self.optimiser = path, run, encoder, optimiser

    def save(self, state: dict[str, Any]) -> None:
        """Write the state of encoder and optimiser and `state` (plain data)."""
        whole = {"run": self.run, "encoder": self.encoder.state_dict(), "optimiser": self.optimiser.state_dict()}
        write_with(self.path, lambda stream: torch.save({**whole, "state": state}, stream))

    def load(self) -> dict[str, Any] | None:
        """Restore encoder and optimiser and return the plain state; None if there is no file."""
        if not self.path.exists():
            return None
        try:
            whole = torch.load(self.path, weights_only=True)
        except (RuntimeError, OSError, EOFError, UnpicklingError) as error:
            raise CorruptFileError(f"{self.path} cannot be read ({error}). Delete it to train anew.") from error
        if whole["run"] != self.run:
            raise ValueError(
                f"{self.path} belongs to a run with other images or settings. Finish that run with its settings, or "
                "delete the file to start this one."
            )
        self.encoder.load_state_dict(whole["encoder"])
        self.optimiser.load_state_dict(whole["optimiser"])
        return whole["state"]


def _seed(*key: int) -> int:
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1)


RECIPES = {
    "vicreg": TrainingConfig(Architecture("vicreg")),
    "barlow-twins": TrainingConfig(Architecture("barlow-twins")),
}


def train_bundled(
    source: Source, labels: np.ndarray, config: TrainingConfig, out: Path, *, command: str, work: Path | None = None
) -> dict[str, Any]:
    """Train on `source`, write the weights `out` (.safetensors) and their card beside them, and return the card.

    `labels` (n,) int serve the card's figures alone, and are looked at when the training is over. The figures are
    those of the weights as stored, read back from the file. The checkpoint goes when the card is written.
    """
    from elsa_nb.images import training  # by its own name, also where it runs as __main__

    out = Path(out)
    if out.suffix != ".safetensors":
        raise ValueError(f"out is {out}; the weights go to a file that ends in .safetensors.")
    work = work or store.DATA / "cache" / "training" / out.stem
    encoder, record = train(source.images(), config, work, log=lambda line: print(line, flush=True))
    encoder.name = out.stem
    curve = record.pop("loss_curve")
    card = {
        "command": command,
        "method": config.architecture.method,
        "config": asdict(config),
        **record,
        "loss_curve": curve[:: max(1, len(curve) // 50)] + curve[-1:],
        "images": source.sha256,
        "code": code_hash(augmentations, encoders, losses, optimisers, training),
        "versions": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()},
        "threads": torch.get_num_threads(),
    }
    save_encoder(encoder, card, out.parent)
    card["quality"] = quality(encode(source, load_encoder(out.stem, out.parent)), labels)
    save_encoder(encoder, card, out.parent)
    (work / "checkpoint.pt").unlink()
    return card


def main(arguments: list[str] | None = None) -> None:
    """Train one of the bundled encoders on the bundled glyphs."""
    from elsa_nb.images.sources import Glyphs

    parser = argparse.ArgumentParser(prog="python -m elsa_nb.images.training", description=main.__doc__)
    parser.add_argument("--method", required=True, choices=METHODS)
    parser.add_argument("--out", type=Path, help="default: data/weights/<method>.safetensors")
    parser.add_argument("--epochs", type=int, help="default: the recipe's")
    options = parser.parse_args(arguments)
    config = RECIPES[options.method]
    if options.epochs:
        config = replace(config, epochs=options.epochs)
    glyphs = Glyphs.open()
    out = options.out or store.DATA / "weights" / f"{options.method}.safetensors"
    command = " ".join(["python -m elsa_nb.images.training", *(arguments or sys.argv[1:])])
    labels = glyphs.labels["name"].cat.codes.to_numpy()
    card = train_bundled(glyphs, labels, config, out, command=command)
    print(json.dumps(card["quality"], indent=1))


if __name__ == "__main__":
    main()
