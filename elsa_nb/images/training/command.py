"""`elsa-nb train`: one training from the command line to a weights file with its card.

The card says what the encoder was made from and how good it is. Start with `train_command`.
"""

import argparse
import json
import os
import platform
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from elsa_nb import fingerprints, store
from elsa_nb.arguments import Parser
from elsa_nb.images.encoders.small_resnet import Encoder, load_trained, save_encoder
from elsa_nb.images.extraction.crops import Crops
from elsa_nb.images.extraction.extract import encode
from elsa_nb.images.options import declare_train
from elsa_nb.images.sources.by_name import DATASETS, open_dataset
from elsa_nb.images.sources.packs import Pack
from elsa_nb.images.sources.protocol import Pictures, Source
from elsa_nb.images.training import distributed, weight_cards
from elsa_nb.images.training.config import TrainingConfig
from elsa_nb.images.training.quality import linear_probe, purity, quality
from elsa_nb.images.training.recipes import glyph_recipe, official_recipe, photo_recipe
from elsa_nb.images.training.train import run_training
from elsa_nb.locks import Lock

# What decides a training, together with the configuration and the images.
MODULES = ("elsa_nb.images.encoders.small_resnet", "elsa_nb.images.training")
IN_MEMORY = 4 << 30  # pools of fewer bytes are decoded once, not anew in every epoch
MEASURED = 200_000  # images, at most, for the figures of a finished encoder
PROBED = 12_500  # images for the figures during a training
CURVE = 8  # how many such figures a run gives


def train_encoder(
    source: Source | Pictures,
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

    `labels` (n,) int are used for the card's figures only. The final figures are those of the weights as stored, read
    back from the file; eight during the training are from a random choice of 12,500 images, and show how it went. The
    checkpoint goes when the card is written; `log.jsonl` with every step stays in `work` (default: `work_folder(out)`).
    With several processes all but the first return None.

    Raises BusyError while another training goes on in the folder `work`, and what `run_training` raises.
    """
    out = Path(out)
    if out.suffix != ".safetensors":
        raise ValueError(f"out is {out}; the weights go to a file that ends in .safetensors.")
    work = Path(work or work_folder(out))
    rank, _ = distributed.join()  # before anything is written: only the first process writes
    lock = Lock(work / ".lock", f"The training in {work}")
    if not rank:
        lock.acquire()
    try:
        for left in () if rank else store.unfinished(work):  # a checkpoint whose writing was killed
            left.unlink()
        return _train(source, np.asarray(labels), config, out, work, {"command": command, "data": data}, probe_epochs)
    finally:
        lock.release()


def work_folder(out: Path) -> Path:
    """Return the folder in `data/cache/training` where a training whose weights go to `out` keeps its checkpoint.

    It is the same whenever `out` leads to the same file, so that an interrupted training is resumed, and no two files
    share one.
    """
    place = store.sha256_bytes(os.fsencode(out.resolve()))
    return store.DATA / "cache" / "training" / f"{out.stem}-{place[:16]}"


def _train(
    source: Source | Pictures,
    labels: np.ndarray,
    config: TrainingConfig,
    out: Path,
    work: Path,
    told: dict[str, Any],
    probe_epochs: int,
) -> dict[str, Any] | None:
    """Do what `train_encoder` says, alone in the folder `work`; `told` are the card's first entries."""
    images, seen = source, source
    if not hasattr(source, "images"):  # pictures of any size: measured as they will be used
        seen = Crops(source)
    elif source.images(np.arange(1)).nbytes * len(source) <= IN_MEMORY:
        images = source.images()
    curve = QualityCurve(seen, labels, work / "quality.json", config, len(source), probe_epochs)
    made_by = makers(work / "made-by.json")
    encoder, record = run_training(
        images, config, work, log=lambda line: print(line, flush=True), after_checkpoint=curve
    )
    if distributed.processes()[0]:
        return None
    encoder = encoder.cpu()
    encoder.name = out.stem
    steps = record.pop("loss_curve")
    card = {
        **told,
        "method": config.architecture.method,
        "config": asdict(config),
        **record,
        "loss_curve": thinned_curve(steps),
        "quality_curve": curve.points(),
        "images": source.sha256,
        **made_by,
        "versions": {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()},
        "threads": torch.get_num_threads(),
    }
    save_encoder(encoder, card, out.parent)
    rows = np.sort(np.random.default_rng(0).permutation(len(source))[:MEASURED])
    vectors = encode(_part(seen, rows), load_trained(out.stem, out.parent))
    card["quality"] = quality(vectors, labels[rows], probe_epochs=probe_epochs)
    card["quality_images"] = len(rows)
    save_encoder(encoder, card, out.parent)
    for name in ("checkpoint.pt", "made-by.json"):
        (work / name).unlink()
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
        vectors = encode(_part(self.source, self.rows), encoder)["embedding"]
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


def _part(source: Source, rows: np.ndarray) -> Source:
    return Crops(source.pictures, rows=rows) if isinstance(source, Crops) else _Part(source, rows)


@dataclass(frozen=True, eq=False)
class _Part:
    source: Source
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def images(self, rows: np.ndarray) -> np.ndarray:
        return self.source.images(self.rows[rows])


def thinned_curve(curve: list[dict[str, Any]], points: int = 60) -> list[dict[str, Any]]:
    """Return about `points` lines of a loss curve, the last among them."""
    stride = max(1, -(-len(curve) // points))
    return curve[::-1][::stride][::-1]


def makers(path: Path) -> dict[str, Any]:
    """Return the code that makes the weights: hash, modules and commit, and those that a run began under, if others.

    `path` remembers under which code a run began.
    """
    now = {"modules": fingerprints.modules(*MODULES), "commit": fingerprints.commit()}
    now["code"] = fingerprints.code_hash(*MODULES)
    if not path.exists() and not distributed.processes()[0]:
        store.write_json(path, now)
    began = store.read_json(path) if path.exists() else now
    return now if began["code"] == now["code"] else {**now, "began": began}


def train_command(options: argparse.Namespace) -> None:
    """Train as the options say."""
    source: Any = open_source(options.data)
    probe_epochs = 10 if options.data == "glyphs" else 30
    if options.official:
        if options.data == "glyphs":
            raise ValueError("--official is for photographs, and --data is glyphs. Name a data set of photographs.")
        config = official_recipe(options.method, epochs=options.epochs, batch=options.batch, variant=options.variant)
    elif options.data == "glyphs":
        config = glyph_recipe(options.method)
    elif hasattr(source, "images"):
        config = photo_recipe(options.method, variant=options.variant)
    else:
        raise ValueError(f"{options.data} holds pictures of any size: train on it with --official.")
    if options.official and isinstance(source, Pack):
        raise ValueError(f"--official takes views of 224 pixels; the pack {options.data} has {source.side}.")
    chosen = {key: value for key in ("epochs", "batch") if (value := getattr(options, key)) is not None}
    config = replace(config, precision=options.precision, seed=options.seed, **chosen)
    name = weights_name(options.data, options.method) + (f"-seed-{options.seed}" if options.seed else "")
    out = Path(options.out) if options.out else store.OUTPUT / "weights" / f"{name}.safetensors"
    labels = source.labels["name"].cat.codes.to_numpy()
    card = train_encoder(
        source, labels, config, out, command=_command(options), data=options.data, probe_epochs=probe_epochs
    )
    if card is not None:
        if not store.INSTALLED and out.parent.resolve() == (store.OUTPUT / "weights").resolve():
            weight_cards.write_weight_tables()
        print(json.dumps(card["quality"], indent=1))


def open_source(data: str) -> Any:
    """Open a data set of the profiles, or a pack by the name of its file."""
    if data in DATASETS:
        return open_dataset(data)
    return Pack.open(data)


def weights_name(data: str, method: str) -> str:
    """Return the name of the weights that the profiles look for, or a similar one."""
    for each in DATASETS.values():
        if data in (each.name, each.pack):
            for encoder, weights in each.encoders:
                if encoder == method and ":" not in weights:
                    return weights
    return method if data == "glyphs" else f"photos-{method}-{data}"


def _command(options: argparse.Namespace) -> str:
    """Return the command that makes the same encoder, without the place of its file."""
    words = ["elsa-nb", "train", "--method", options.method, "--data", options.data]
    words += [
        word
        for key in ("epochs", "batch")
        if (value := getattr(options, key)) is not None
        for word in (f"--{key}", str(value))
    ]
    words += ["--seed", str(options.seed)] if options.seed else []
    words += ["--precision", options.precision] if options.precision != "bfloat16" else []
    words += ["--variant", options.variant] if options.variant != "asymmetric" else []
    return shlex.join(words + (["--official"] if options.official else []))


def main(arguments: Sequence[str] | None = None) -> None:
    """Train one encoder, as `elsa-nb train` does."""
    parser = Parser(prog="elsa-nb train", description=main.__doc__)
    declare_train(parser)
    train_command(parser.parse_args(arguments))
