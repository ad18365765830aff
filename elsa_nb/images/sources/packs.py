"""Packs: many small labelled photographs in one file, found through the environment variable ELSA_DATA.

A pack is a NumPy archive without pickles. `jpeg` holds all JPEG files end to end (uint8), `offset` (n + 1, int64) where
each begins, `label` (n) an index into `classes`, or -1, and `split` (n) an index into `splits`.
"""

import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from elsa_nb.errors import CorruptFileError
from elsa_nb.images.sources.decoding import decode
from elsa_nb.images.sources.locations import GET_PACKS, pack_path
from elsa_nb.images.sources.rows import checked_rows, class_rows
from elsa_nb.store import check_unpacked, reading, sha256_bytes, write_with

_PARTS = ("jpeg", "offset", "label", "split", "classes", "splits")


@dataclass(frozen=True, eq=False)
class Pack:
    """The images of one pack, kept as JPEG in memory and decoded on request.

    >>> pack = Pack.open("food-101-64px-testsplit")  # doctest: +SKIP
    >>> pack.images([0, 7]).shape  # doctest: +SKIP
    (2, 3, 64, 64)
    """

    name: str
    jpeg: np.ndarray  # uint8, all files end to end
    offset: np.ndarray  # int64 (n + 1,)
    targets: np.ndarray  # int64 (n,), index into classes, -1 for none
    splits: np.ndarray  # str (n,), the split of each image
    classes: tuple[str, ...]

    @classmethod
    def open(cls, name: str, folder: Path | str | None = None) -> "Pack":
        """Open `<name>.npz` in `folder` (default: the folder that ELSA_DATA names).

        Raises MissingDataError where the variable or the file is missing and CorruptFileError for a damaged pack.
        """
        path = pack_path(name, folder)
        with reading(path, "a pack of images", f"{GET_PACKS}."):
            with zipfile.ZipFile(path) as archive:
                check_unpacked(archive, path.stat().st_size)
            with np.load(path, allow_pickle=False) as arrays:
                if absent := [part for part in _PARTS if part not in arrays.files]:
                    raise ValueError(f"it lacks {', '.join(absent)}")
                parts = {part: arrays[part] for part in _PARTS}
            try:
                return cls.from_parts(name, **parts)
            except CorruptFileError as error:
                raise CorruptFileError(f"{path}: {error}") from error

    @classmethod
    def from_parts(cls, name: str, jpeg: Any, offset: Any, label: Any, split: Any, classes: Any, splits: Any) -> "Pack":
        """Make a pack from its arrays; CorruptFileError if they do not fit together."""
        jpeg, offset, targets = np.asarray(jpeg), np.asarray(offset, np.int64), np.asarray(label, np.int64)
        split, names, classes = np.asarray(split), np.asarray(splits), tuple(map(str, np.asarray(classes)))
        n = len(targets)
        whole = offset.shape == (n + 1,) and split.shape == (n,) and n > 0 and jpeg.dtype == np.uint8
        if not whole or offset[0] != 0 or offset[-1] != jpeg.size or (np.diff(offset) <= 0).any():
            raise CorruptFileError(
                f"The pack {name} is damaged: its offsets do not divide its bytes into {n} files. {GET_PACKS}."
            )
        if targets.min() < -1 or targets.max() >= len(classes) or split.max(initial=0) >= len(names):
            raise CorruptFileError(f"The pack {name} is damaged: a label or split has no name. {GET_PACKS}.")
        for array in (jpeg, offset, targets):
            array.flags.writeable = False
        return cls(name, jpeg, offset, targets, names[split], classes)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.targets)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of all image files and where they begin, in row order: of the images, not of their labels."""
        return sha256_bytes(f"{sha256_bytes(self.jpeg.data)} {sha256_bytes(self.offset.astype('<i8').data)}".encode())

    @cached_property
    def ids(self) -> np.ndarray:
        """Name each image, str (n,): `<name>-000123` is row 123."""
        return np.array([f"{self.name}-{row:06d}" for row in range(len(self))])

    @cached_property
    def labels(self) -> pd.DataFrame:
        """What each image shows, a row per image: `name`, its class (categorical, missing if unknown), and `split`."""
        name = pd.Categorical.from_codes(self.targets, categories=list(self.classes))
        return pd.DataFrame({"name": name, "split": pd.Categorical(self.splits)})

    @cached_property
    def side(self) -> int:
        """The height and width of every image in pixels: that of the first one."""
        return decode(self.read(0), self.ids[0]).shape[0]

    def read(self, row: int) -> memoryview:
        """Return the bytes of one JPEG file."""
        return memoryview(self.jpeg[self.offset[row] : self.offset[row + 1]])

    def images(self, rows: Any = None) -> np.ndarray:
        """Return the images of `rows` (all by default), decoded: uint8 (m, 3, side, side), red, green, blue.

        Raises ValueError for a row that is not there and CorruptFileError for a broken image or one of another size.
        """
        rows = checked_rows(rows, len(self))
        images = np.empty((len(rows), 3, self.side, self.side), np.uint8)

        for i, row in enumerate(rows):
            pixels = decode(self.read(row), self.ids[row])
            if pixels.shape != (self.side, self.side, 3):
                raise CorruptFileError(
                    f"The image {self.ids[row]} is {pixels.shape[1]}x{pixels.shape[0]} pixels; every image of "
                    f"the pack is {self.side}x{self.side}. {GET_PACKS}."
                )
            images[i] = pixels.transpose(2, 0, 1)
        return images

    def class_rows(self, name: str) -> np.ndarray:
        """Return the rows of one class, int64 (k,) ascending."""
        return class_rows(self.targets, self.classes, name)

    def save(self, folder: Path | str) -> Path:
        """Write `<name>.npz` to `folder`, whole or not at all; return its path."""
        path = Path(folder) / f"{self.name}.npz"
        splits, split = np.unique(self.splits, return_inverse=True)
        parts = {"jpeg": self.jpeg, "offset": self.offset, "label": self.targets.astype(np.int16)}
        parts |= {"split": split.astype(np.uint8), "classes": np.array(self.classes), "splits": splits}
        write_with(path, lambda stream: np.savez_compressed(stream, **parts))
        return path
