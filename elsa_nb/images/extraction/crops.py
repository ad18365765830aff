"""Pictures of any size as the fixed squares that an encoder takes, decoded by worker processes ahead of it.

`extract.py` puts `Crops` around a source of pictures; `forward.py` and the training read their batches.
"""

import json
import multiprocessing
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from elsa_nb import store
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.encoders.preprocessing import IMAGENET_GEOMETRY, RESIZERS, CropGeometry
from elsa_nb.images.sources.decoding import open_picture
from elsa_nb.images.sources.protocol import Pictures
from elsa_nb.images.sources.rows import checked_rows
from elsa_nb.progress import bar
from elsa_nb.store import read_card, reading, sha256_bytes, write_card

AHEAD = 2  # items that a worker process has ready


@dataclass(frozen=True, eq=False)
class Crops:
    """The pictures `rows` of a source (all by default), each brought to `geometry`'s square.

    `resizer` is "torch" (fast) or "pillow" (the reference); they differ by at most 1 in 255. `broken` names the
    pictures that were left out because they cannot be read.
    """

    pictures: Pictures
    geometry: CropGeometry = IMAGENET_GEOMETRY
    resizer: str = "torch"
    rows: np.ndarray | None = None
    broken: tuple[str, ...] = ()
    workers: int | None = None

    def __post_init__(self):
        """Refuse an unknown resizer."""
        check_resizer(self.resizer)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.pictures) if self.rows is None else len(self.rows)

    @cached_property
    def ids(self) -> np.ndarray:
        """Name each image, str (n,), as the source does."""
        return self.pictures.ids if self.rows is None else self.pictures.ids[self.rows]

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the source's own, of how its pictures are brought to size, and of what is left out."""
        parts = {"pictures": self.pictures.sha256, "resizer": self.resizer, "broken": self.broken}
        if self.rows is not None:
            parts["rows"] = sha256_bytes(np.asarray(self.rows, "<i8").tobytes())
        return sha256_bytes(json.dumps(parts | asdict(self.geometry), sort_keys=True).encode())

    def images(self, rows: Any = None) -> np.ndarray:
        """Return the images of `rows` (all by default), uint8 (m, 3, crop, crop); CorruptFileError for a broken one."""
        rows = checked_rows(rows, len(self))
        side = self.geometry.crop
        images = np.empty((len(rows), 3, side, side), np.uint8)
        for i, row in enumerate(rows if self.rows is None else self.rows[rows]):
            picture = open_picture(self.pictures, row)
            images[i] = self.geometry.apply(picture, self.resizer)
        return images

    def without_broken(self, progress: bool | None = None) -> "Crops":
        """Return these images without the broken ones: all are decoded once to find them, and the list is kept."""
        file = store.DATA / "cache" / "broken" / f"{self.pictures.sha256[:32]}.json"
        if not file.exists():
            write_card(file, {"broken": find_broken(self.pictures, self.workers, progress)})
        what, cure = "a list of broken images", "Delete it; the next run makes it again."
        told = read_card(file, what, cure)
        with reading(file, what, cure):
            broken = set(told["broken"])
        rows = np.arange(len(self.pictures)) if self.rows is None else self.rows
        bad = np.array([self.pictures.ids[row] in broken for row in rows])
        if bad.all():
            raise CorruptFileError("All images are broken: there is nothing to extract.")
        if not bad.any():
            return self
        names = tuple(map(str, self.pictures.ids[rows[bad]]))
        return Crops(self.pictures, self.geometry, self.resizer, rows[~bad], names, self.workers)


def find_broken(pictures: Pictures, workers: int | None = None, progress: bool | None = None) -> list[str]:
    """Return the ids of the pictures that cannot be decoded to their end."""
    steps = [np.arange(first, min(first + 64, len(pictures))) for first in range(0, len(pictures), 64)]
    broken: list[str] = []
    with bar(None, "checking images", progress, total=len(pictures), unit=" images") as shown:
        for rows, found in zip(steps, ahead(_Check(pictures, steps), workers), strict=True):
            broken += found
            shown.update(len(rows))
    return broken


def image_batches(source: Any, starts: range, workers: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first row, images uint8) of `source` for every start, a batch being as long as the range's step.

    Images that must be decoded come from `workers` processes (default: one per core), a few batches ahead; others are
    taken as they are. Raises what the source raises.
    """
    stops = [min(first + starts.step, len(source)) for first in starts]
    rows = [np.arange(first, stop) for first, stop in zip(starts, stops, strict=True)]
    workers = getattr(source, "workers", 0) if workers is None else workers
    if not isinstance(source, Crops):
        workers = 0
    for first, images in zip(starts, ahead(_Batches(source, rows), workers), strict=True):
        if isinstance(images, Exception):
            raise images
        yield first, images.numpy()


class _Batches(Dataset):
    """Whole batches as items; an error comes back as an item, so that its message arrives unchanged."""

    def __init__(self, source: Any, rows: list[np.ndarray]):
        self.source, self.rows = source, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> torch.Tensor | Exception:
        try:
            return torch.from_numpy(self.source.images(self.rows[index]))  # tensors travel in shared memory
        except (CorruptFileError, MissingDataError) as error:
            return error


class _Check(_Batches):
    def __getitem__(self, index: int) -> list[str]:
        broken = []
        for row in self.rows[index]:
            try:
                open_picture(self.source, row)
            except CorruptFileError:
                broken.append(str(self.source.ids[row]))
        return broken


def check_resizer(resizer: str) -> None:
    """Raise ValueError for an unknown way to resize."""
    if resizer not in RESIZERS:
        raise ValueError(f"resizer is {resizer!r}; allowed: {', '.join(RESIZERS)}.")


def check_workers(workers: int | None) -> None:
    """Raise ValueError for what is not a number of processes."""
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 0):
        raise ValueError(f"workers is {workers!r}; give 0 (only this process) or more, or leave it out (one per core).")


def ahead(items: Dataset, workers: int | None) -> Iterator[Any]:
    """Yield all `items` in order, made a few ahead by `workers` processes: None is one per core, 0 is none."""
    workers = min(len(items), (os.cpu_count() or 1) if workers is None else workers)
    if workers <= 0:
        yield from (items[i] for i in range(len(items)))
        return
    how = {"prefetch_factor": AHEAD, "collate_fn": _as_it_is, "worker_init_fn": _end_with_parent}
    yield from DataLoader(items, batch_size=None, num_workers=workers, **how)


def _end_with_parent(_: int) -> None:
    """End this worker when its parent is killed: torch watches a fork server, which lives as long as its workers."""

    def watch():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, name="elsa-parent", daemon=True).start()


def _as_it_is(item: Any) -> Any:
    return item
