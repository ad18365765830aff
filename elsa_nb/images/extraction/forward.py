"""One pass over the images, every encoder on each batch: images are decoded once, and a GPU computes meanwhile.

What is computed here, and by the encoder itself, is what `elsa_nb.images.extraction.version` numbers.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from elsa_nb.images.encoders import small_resnet as small
from elsa_nb.images.encoders.protocol import ImageEncoder
from elsa_nb.images.extraction.crops import image_batches
from elsa_nb.images.sources.protocol import Source

COMPUTE_PRECISIONS = ("float32", "float16", "bfloat16")


def device_and_precision(precision: str | None) -> tuple[str, str]:
    """Return where to compute and how: float32 on a CPU, float16 autocast on a GPU, unless one is named."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # On a CPU only float32: bfloat16 has 8 bits, and would change which images are neighbours.
    precision = precision or ("float16" if device == "cuda" else "float32")
    if precision not in COMPUTE_PRECISIONS:
        raise ValueError(f"precision is {precision!r}; allowed: {', '.join(COMPUTE_PRECISIONS)}.")
    return device, precision


def forward(
    source: Source,
    encoders: Mapping[str, ImageEncoder],
    starts: range,
    *,
    device: str = "cpu",
    precision: str = "float32",
    dtype: str = "float32",
    compiled: bool = False,
    workers: int | None = None,
    done: Mapping[str, int] | None = None,
) -> Iterator[tuple[int, int, dict[str, dict[str, np.ndarray]]]]:
    """Yield (first row, stop, vectors of each space of each encoder) for one batch of `source` after the other.

    `starts` is a range of the first rows, its step is the batch. Vectors are `dtype`, (m, d). `done` says how many rows
    of an encoder are there already: it is left out of batches that end before. With `compiled`, every batch has the
    same size, and the last one is filled up, since each size is compiled separately.
    """
    networks = {name: _ready(encoder, device, compiled) for name, encoder in encoders.items()}
    pending = None
    for first, images in image_batches(source, starts, workers):
        stop = first + len(images)
        wanted = [name for name in networks if (done or {}).get(name, 0) < stop]
        if compiled and len(images) < starts.step:
            images = np.concatenate([images, np.repeat(images[-1:], starts.step - len(images), axis=0)])
        pixels = torch.from_numpy(np.ascontiguousarray(images)).to(device, non_blocking=True)
        found = {}
        for name in wanted:
            with torch.inference_mode(), torch.autocast(device, getattr(torch, precision), precision != "float32"):
                x = _prepared(encoders[name], pixels).contiguous(memory_format=torch.channels_last)
                parts = spaces_of(encoders[name].dimensions, networks[name](x), len(images), name)
                found[name] = [_on_its_way(part, dtype) for part in parts]
        event = torch.cuda.Event() if device == "cuda" else None
        if event is not None:
            event.record()
        if pending is not None:  # one batch late: a GPU computes the next while this one is written
            yield _arrived(encoders, *pending)
        pending = first, stop, found, event
    if pending is not None:
        yield _arrived(encoders, *pending)


def spaces_of(dimensions: Mapping[str, int], made: Any, images: int, name: str) -> list[Tensor]:
    """Return what the encoder `name` made of `images` images, one tensor (images, d) per space.

    Raises ValueError where that is not what its `dimensions` promise: other vectors would be stored.
    """
    parts = list(made) if isinstance(made, tuple | list) else [made]
    fit = len(parts) == len(dimensions) and all(
        isinstance(part, Tensor) and len(part) == images and part.numel() == images * d
        for part, d in zip(parts, dimensions.values(), strict=False)
    )
    if not fit:
        got = ", ".join(str(tuple(part.shape)) if isinstance(part, Tensor) else type(part).__name__ for part in parts)
        told = ", ".join(f"({images}, {d}) for its {space}" for space, d in dimensions.items())
        raise ValueError(
            f"the encoder {name!r} makes of {images} images {got or 'nothing'}, and by its dimensions it makes {told}: "
            "give a network that makes one tensor per space, one vector per image, and the number of values in it"
        )
    return [part.reshape(images, d) for part, d in zip(parts, dimensions.values(), strict=True)]


def _ready(encoder: Any, device: str, compiled: bool) -> nn.Module:
    network = encoder.eval().to(device, memory_format=torch.channels_last)
    return torch.compile(network) if compiled else network


def _prepared(encoder: Any, pixels: Tensor) -> Tensor:
    return encoder.prepare(pixels) if hasattr(encoder, "prepare") else small.scaled_to_one(pixels)


def _on_its_way(vectors: Tensor, dtype: str) -> Tensor:
    """Return vectors as they are to be stored, on the CPU; from a GPU they arrive later."""
    vectors = vectors.float().to(getattr(torch, dtype))
    if vectors.device.type == "cpu":
        return vectors
    return torch.empty(vectors.shape, dtype=vectors.dtype, pin_memory=True).copy_(vectors, non_blocking=True)


def _arrived(
    encoders: Mapping[str, ImageEncoder], first: int, stop: int, found: dict[str, list[Tensor]], event: Any
) -> tuple[int, int, dict[str, dict[str, np.ndarray]]]:
    if event is not None:
        event.synchronize()
    vectors = {
        name: {
            space: part[: stop - first].numpy() for space, part in zip(encoders[name].dimensions, parts, strict=True)
        }
        for name, parts in found.items()
    }
    return first, stop, vectors
