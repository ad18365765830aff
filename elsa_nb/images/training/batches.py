"""The images of each training step: taken from memory, or decoded and cropped by worker processes ahead of it."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.extraction.crops import ahead
from elsa_nb.images.sources.decoding import open_picture
from elsa_nb.images.training import distributed


def training_batches(images: Any, config: Any, steps: range) -> Iterator[Tensor | list[Tensor]]:
    """Yield this process's part of the batch of each step.

    `images` is an array, or a source with `images(rows)`: then a batch is uint8 (m, h, w) or (m, 3, h, w). Or it gives
    the bytes of pictures of any size, with `read(row)`: then a batch has one tensor uint8 (m, 3, side, side) per view,
    cut out of the whole picture; worker processes, one per core and process, do that ahead. What a step gets depends on
    the seed, the step and the process alone. Raises what the source raises.
    """
    if isinstance(images, np.ndarray) or hasattr(images, "images"):
        fetch = images.__getitem__ if isinstance(images, np.ndarray) else images.images
        for step in steps:
            yield torch.from_numpy(fetch(own_rows(len(images), config, step)))
        return
    workers = max(1, (os.cpu_count() or 1) // distributed.processes()[1])
    items = _Cuts(images, config, steps, distributed.processes()[0], distributed.processes()[1])
    for views in ahead(items, workers):
        if isinstance(views, Exception):
            raise views
        yield views


class _Cuts(Dataset):
    """What the views cut out of the pictures of a step; an error comes back as an item, its message unchanged."""

    def __init__(self, pictures: Any, config: Any, steps: range, rank: int, processes: int):
        self.pictures, self.config, self.steps, self.rank, self.processes = pictures, config, steps, rank, processes

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: int) -> list[Tensor] | Exception:
        step = self.steps[index]
        rows = np.split(batch_rows(len(self.pictures), self.config, step), self.processes)[self.rank]
        generator = torch.Generator().manual_seed(seed_of(self.config.seed, 4, step, self.rank))
        parts: list[list[Tensor]] = [[] for _ in self.config.views]
        for row in rows:
            try:
                picture = open_picture(self.pictures, row)
            except (CorruptFileError, MissingDataError) as error:
                return error
            for part, view in zip(parts, self.config.views, strict=True):
                part.append(view.cut(picture, generator))
        return [torch.stack(part) for part in parts]


def own_rows(n: int, config: Any, step: int) -> np.ndarray:
    """Return this process's part of the rows of a step."""
    rank, processes = distributed.processes()
    return np.split(batch_rows(n, config, step), processes)[rank]


def batch_rows(n: int, config: Any, step: int) -> np.ndarray:
    """Return the rows of a step: each epoch shuffles all n rows anew and leaves out the last, incomplete batch."""
    epoch, step_in_epoch = divmod(step, n // config.batch)
    order = np.random.default_rng([config.seed, 2, epoch]).permutation(n)
    return np.sort(order[step_in_epoch * config.batch : (step_in_epoch + 1) * config.batch])


def seed_of(*key: int) -> int:
    """Return a seed for torch's generators that depends on this key alone."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1)
