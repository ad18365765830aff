"""One training from the command line to a weights file with its card: `elsa-nb train --method vicreg --data glyphs`."""

import argparse
import json
import platform
import shlex
import subprocess
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from elsa_nb import store
from elsa_nb.images import (
    augmentations,
    distributed,
    encoders,
    losses,
    methods,
    optimisers,
    photo_augmentations,
    training,
)
from elsa_nb.images.encoders import Encoder, load_encoder, save_encoder
from elsa_nb.images.extract import Source, encode
from elsa_nb.images.quality import linear_probe, purity, quality
from elsa_nb.images.recipes import glyph_recipe, official_recipe, photo_recipe
from elsa_nb.images.training import TrainingConfig, train

# What decides, together with the configuration and the images, how a training goes.
MODULES = (augmentations, distributed, encoders, losses, methods, optimisers, photo_augmentations, training)
IN_MEMORY = 4 << 30  # pools of fewer bytes are decoded once, not anew in every epoch
PROBED = 12_500  # images that the figures along the way are about
CURVE = 8  # how many such figures a run gives


def train_encoder(
    source: Source,
    labels: np.ndarray,
    config: TrainingConfig,
    out: Path,
    *,
    command: str,
    data: str = "glyphs",
    work: Path | None = None,
    probe_epochs: int = 10,
) -> dict[str, Any] | None:
    """Train on `source`, write the weights `out` (.safetensors) and their card beside them, and return the card.

    `labels` (n,) int serve the card's figures alone. The final figures are those of the weights as stored, read back
    from the file; eight along the way are about a random choice of 12,500 images and tell how the training went. The
    checkpoint goes when the card is written; `log.jsonl` with every step stays in `work` (default: a folder in
    `data/cache/training`). With several processes all but the first return None.
    """
    out = Path(out)
    if out.suffix != ".safetensors":
        raise ValueError(f"out is {out}; the weights go to a file that ends in .safetensors.")
    work = Path(work or store.DATA / "cache" / "training" / out.stem)
    labels = np.asarray(labels)
    whole = source.images(np.arange(1)).nbytes * len(source) <= IN_MEMORY
    images = source.images() if whole else source
    curve = QualityCurve(source, labels, work / "quality.json", config, len(source), probe_epochs)
    made_by = {"code": store.code_hash(*MODULES), "modules": [m.__name__ for m in MODULES], "commit": commit()}
    encoder, record = train(images, config, work, log=lambda line: print(line, flush=True), after_checkpoint=curve)
    if distributed.processes()[0]:
        return None
    encoder = encoder.cpu()
    encoder.name = out.stem
    steps = record.pop("loss_curve")
    card = {
        "command": command,
        "data": data,
        "method": config.architecture.method,
        "config": asdict(config),
        **record,
        "loss_curve": thinned(steps),
        "quality_curve": curve.points(),
        "images": source.sha256,
        **made_by,
        "versions": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()},
        "threads": torch.get_num_threads(),
    }
    save_encoder(encoder, card, out.parent)
    card["quality"] = quality(encode(source, load_encoder(out.stem, out.parent)), labels, probe_epochs=probe_epochs)
    save_encoder(encoder, card, out.parent)
    (work / "checkpoint.pt").unlink()
    return card


class QualityCurve:
    """Measure an encoder while it trains, on a fixed random choice of the images, and keep the figures in a file."""

    def __init__(
        self, source: Source, labels: np.ndarray, path: Path, config: TrainingConfig, n: int, probe_epochs: int
    ):
        """Choose the images and the steps: the checkpoints that are nearest to eighths of the run, and the last."""
        self.source, self.labels, self.path, self.probe_epochs = source, labels, path, probe_epochs
        self.epoch_steps = n // config.batch
        steps, every = config.epochs * self.epoch_steps, config.checkpoint_every
        self.steps = {max(1, round(steps * i / CURVE / every)) * every for i in range(1, CURVE)} | {steps}
        self.rows = np.sort(np.random.default_rng(0).permutation(n)[:PROBED])

    def __call__(self, encoder: Encoder, step: int) -> None:
        """Measure after `step`, if it is one of the chosen ones; leaves the encoder in eval mode."""
        if step not in self.steps:
            return
        vectors = encode(_Part(self.source, self.rows), encoder)["embedding"]
        labels = self.labels[self.rows]
        point = {
            "epoch": round(step / self.epoch_steps, 2),
            "purity_10nn": round(purity(vectors, labels), 4),
            "linear_probe": round(linear_probe(vectors, labels, epochs=3 * self.probe_epochs), 4),
        }
        known = store.read_json(self.path) if self.path.exists() else {}
        store.write_json(self.path, {**known, str(step): point})
        print(json.dumps({"step": step, **point}), flush=True)

    def points(self) -> list[dict[str, float]]:
        """Return the figures in the order of the steps."""
        known = store.read_json(self.path) if self.path.exists() else {}
        return [{"step": int(step), **known[step]} for step in sorted(known, key=int) if int(step) in self.steps]


@dataclass(frozen=True, eq=False)
class _Part:
    source: Source
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def images(self, rows: np.ndarray) -> np.ndarray:
        return self.source.images(self.rows[rows])


def thinned(curve: list[dict[str, Any]], points: int = 60) -> list[dict[str, Any]]:
    """Return about `points` lines of a loss curve, the last among them."""
    stride = max(1, -(-len(curve) // points))
    return curve[::-1][::stride][::-1]


def commit() -> str | None:
    """Return the commit whose code this is; None outside a repository or where `elsa_nb` has changes of its own."""
    folder = Path(__file__).resolve().parent.parent
    git = ["git", "-C", str(folder)]
    try:
        changes = subprocess.run([*git, "status", "--porcelain", "--", "."], capture_output=True, text=True, check=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return None if changes.stdout.strip() else head.stdout.strip()


def run(options: argparse.Namespace) -> None:
    """Train as the options say."""
    labels, probe_epochs = None, 10
    if options.data == "glyphs":
        from elsa_nb.images.sources import Glyphs

        source: Any = Glyphs.open()
        labels = source.labels["name"].cat.codes.to_numpy()
        config = glyph_recipe(options.method)
        if options.official:
            raise ValueError("--official is for photographs; --data is glyphs. Name a pack.")
    else:
        from elsa_nb.images.packs import Pack

        source, probe_epochs = Pack.open(options.data), 30
        labels = source.targets
        config = photo_recipe(options.method, variant=options.variant)
    if options.official:
        config = official_recipe(options.method, epochs=options.epochs, batch=options.batch, variant=options.variant)
    chosen = {key: getattr(options, key) for key in ("epochs", "batch") if getattr(options, key)}
    config = replace(config, **chosen)
    stem = options.method if options.data == "glyphs" else f"{options.data}-{options.method}"
    out = options.out or store.DATA / "weights" / f"{stem}.safetensors"
    card = train_encoder(
        source, labels, config, out, command=_command(options), data=options.data, probe_epochs=probe_epochs
    )
    if card is not None:
        print(json.dumps(card["quality"], indent=1))


def _command(options: argparse.Namespace) -> str:
    """Return the command that makes the same encoder, without where its file goes."""
    words = ["elsa-nb", "train", "--method", options.method, "--data", options.data]
    words += [
        word for key in ("epochs", "batch") if (value := getattr(options, key)) for word in (f"--{key}", str(value))
    ]
    words += ["--variant", options.variant] if options.variant != "asymmetric" else []
    return shlex.join(words + (["--official"] if options.official else []))
