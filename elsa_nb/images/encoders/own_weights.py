"""Weights that a user trained elsewhere: found in whatever wrapping a training left them, or refused in one sentence.

Trainings of self-supervised encoders (Lightning, solo-learn, lightly, DINO, MoCo v3, plain PyTorch) save the same few
networks under keys with different prefixes. Nothing is guessed: wrappers are opened, prefixes are taken off, heads are
left out, and what remains must fit a network key by key and shape by shape. `by_name` calls `load_own_weights`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from elsa_nb.errors import CorruptFileError
from elsa_nb.images.encoders.checkpoints import SAVE_WEIGHTS, read_checkpoint
from elsa_nb.images.encoders.libraries import LibraryModel
from elsa_nb.images.encoders.own_networks import NETWORKS, network_for
from elsa_nb.images.encoders.preprocessing import CropGeometry
from elsa_nb.store import reading, sha256_file

# Parts of keys that wrappers of PyTorch put in front: of data-parallel training, and of torch.compile.
_WRAPPERS = re.compile(r"(?:^|(?<=\.))(?:(?:module|_orig_mod)\.)+")
# What a file may hold besides the network: classifiers, projectors, MAE's decoder, what a method adds.
_HEADS = re.compile(
    r"(fc|head|heads|classifier|projector|projection_head|predictor|prediction_head|prototypes|mlp|decoder\w*)\b"
)
# A second copy of the network that lags behind the one to be used, or is not the one that its method evaluates.
_SECOND = re.compile(r"momentum|encoder_k|target|student|(?<![a-z])ema(?![a-z])|offline")
# lightly keeps a ResNet as a plain sequence without its last layer: the places of its parts in it.
_SEQUENCE = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}


class OwnWeights(NamedTuple):
    """A network's entries in a file: where they are, under the names that torchvision or timm give them."""

    place: str
    tensors: dict[str, Tensor]


def load_own_weights(path: Path | str) -> LibraryModel:
    """Load the encoder in the user's own checkpoint, ready to use; pictures are prepared as ImageNet's are.

    Raises MissingDataError without the file, and CorruptFileError, in one sentence with its cure, for a file that asks
    for code, is damaged, holds no known network, or holds values that are not finite numbers.
    """
    path = Path(path)
    sha256 = sha256_file(path) if path.is_file() else ""
    loaded = read_checkpoint(path, cure="Save or copy it again.")
    with reading(path, "weights of a network", "Save or copy it again."):
        return _encoder(loaded, path, sha256)


def _encoder(loaded: Any, path: Path, sha256: str) -> LibraryModel:
    """Return the first network that fits the tensors in a file."""
    candidates = sorted(find_networks(loaded), key=lambda found: (bool(_SECOND.search(found.place)), len(found.place)))
    reasons = []
    for found in candidates:
        fit = network_for(found.tensors)
        if isinstance(fit, str):
            reasons.append(f"{found.place or 'the file'}: {fit}")
            continue
        network, title, dimension = fit
        tensors = _as_float32(found.tensors, network, path)
        network.load_state_dict(tensors, strict=True)
        place = f" under {found.place!r}" if found.place else ""
        print(f"{path.name}: {title}{place}, {dimension} values per image; anything else in the file is not used.")
        encoder = LibraryModel(network, f"own:{path.stem}-{sha256[:8]}", dimension, _geometry(network))
        return encoder.eval().requires_grad_(False)
    what = f"; nearest: {reasons[0]}" if reasons else f": it holds {_held(loaded)}"
    raise CorruptFileError(
        f"{path} holds none of the networks that can be read ({NETWORKS}){what}. If it is one of them, "
        f"{SAVE_WEIGHTS}, with the keys of torchvision or timm."
    )


def find_networks(loaded: Any) -> Iterator[OwnWeights]:
    """Yield every part of a file that begins like a known network, heads left out."""
    for wrapper, state in _states(loaded):
        keys = {_WRAPPERS.sub("", key): value for key, value in state.items()}
        for start in sorted(set(_starts(keys))):
            below = {key.removeprefix(start): value for key, value in keys.items() if key.startswith(start)}
            if "conv1.weight" not in below and "0.weight" in below:
                below = _from_sequence(below)
            kept = {key: value for key, value in below.items() if not _HEADS.match(key)}
            yield OwnWeights(": ".join(filter(None, (wrapper, start.rstrip(".")))), kept)


def _states(loaded: Any, name: str = "", depth: int = 4) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Yield the flat collections of tensors in a file, with the name of the entry that holds each."""
    if not isinstance(loaded, Mapping):
        return
    tensors = {str(key): value for key, value in loaded.items() if isinstance(value, Tensor)}
    if tensors:
        yield name, tensors
    for key, value in loaded.items():
        if isinstance(value, Mapping) and depth and "optim" not in str(key):
            yield from _states(value, str(key), depth - 1)


def _starts(keys: Mapping[str, Tensor]) -> Iterator[str]:
    for first, axes in (("conv1.weight", 4), ("patch_embed.proj.weight", 4), ("0.weight", 4)):
        for key, value in keys.items():
            if (key == first or key.endswith(f".{first}")) and value.ndim == axes and value.shape[1] == 3:
                yield key.removesuffix(first)


def _from_sequence(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    parts = ((key.partition("."), value) for key, value in tensors.items())
    return {f"{_SEQUENCE.get(place, place)}.{rest}": value for (place, _, rest), value in parts}


def _as_float32(tensors: Mapping[str, Tensor], network: nn.Module, path: Path) -> dict[str, Tensor]:
    """Return the entries in the network's types; counters of batches that an old file lacks are 0."""
    result = {}
    for key, expected in network.state_dict().items():
        value = tensors.get(key, torch.zeros((), dtype=expected.dtype))
        if expected.is_floating_point() and not value.is_floating_point():
            raise CorruptFileError(
                f"{path} holds {key} as {value.dtype}: quantised weights mean nothing without their scales. Save "
                "them as float32 where they were made."
            )
        if key.endswith("running_var") and (value.float() < 0).any():
            raise CorruptFileError(
                f"{path} holds variances below zero, in {key}: it is damaged. Save or copy it again."
            )
        if not torch.isfinite(value.float()).all():
            raise CorruptFileError(
                f"{path} holds values that are not finite numbers, in {key} for instance: that training diverged. "
                "Take an earlier checkpoint of it."
            )
        result[key] = value.to(expected.dtype)
    return result


def _geometry(network: nn.Module) -> CropGeometry:
    size = getattr(getattr(network, "patch_embed", None), "img_size", None)
    if size is None:
        return CropGeometry()
    return CropGeometry(size[0] * 256 // 224, size[0], "bicubic")  # as DINO's evaluation


def _held(loaded: Any) -> str:
    if not isinstance(loaded, Mapping):
        return f"a {type(loaded).__name__}"
    return ", ".join(map(repr, list(loaded)[:5])) or "nothing"
