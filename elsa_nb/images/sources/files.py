"""Photographs as files: any folder tree, and what ImageNet-1k and Food-101 have in common with one.

`extraction/embed.py` calls `open_folder`; `imagenet.py` and `food101.py` make `ImageFiles` of their layouts.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from elsa_nb.errors import MissingDataError
from elsa_nb.images.sources.rows import class_rows
from elsa_nb.store import sha256_bytes

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """A data set of image files, in one fixed order.

    `paths` (n,) are relative to `root`, with forward slashes; `ids` (n,) name the images for good, wherever the files
    lie. `targets` (n,) are indices into `classes`, or -1 where no class is known. `note` says what is unusual about
    this copy, such as images that are not there.
    """

    name: str
    root: Path
    paths: np.ndarray  # str (n,)
    ids: np.ndarray  # str (n,)
    targets: np.ndarray  # int64 (n,)
    classes: tuple[str, ...]
    splits: np.ndarray  # str (n,)
    note: str = ""

    @classmethod
    def of(
        cls,
        name: str,
        root: Path,
        paths: Sequence[str],
        targets: Sequence[int],
        classes: Sequence[str],
        *,
        ids: Sequence[str] | None = None,
        splits: Sequence[str] | None = None,
        note: str = "",
    ) -> "ImageFiles":
        """Make a data set of the files `paths` below `root`; ids default to the paths."""
        if not len(paths):
            raise MissingDataError(
                f"There are no images in {root}: files ending in {', '.join(IMAGE_SUFFIXES)} are looked for."
            )
        paths, targets = np.asarray(paths, dtype=str), np.asarray(targets, np.int64)
        splits = np.full(len(paths), "all") if splits is None else np.asarray(splits, dtype=str)
        return cls(
            name,
            root,
            paths,
            paths if ids is None else np.asarray(ids, dtype=str),
            targets,
            tuple(classes),
            splits,
            note,
        )

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.paths)

    def read(self, row: int) -> bytes:
        """Return the bytes of one file; MissingDataError if it has gone."""
        path = self.root / self.paths[row]
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise MissingDataError(f"{path} is not here any more: open the data set again.") from None

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of every file's id and size in row order.

        Not of their contents: those of ImageNet would take minutes to read. A file that was replaced by another one of
        exactly the same size goes unnoticed.
        """
        lines = (f"{i} {os.stat(self.root / path).st_size}\n" for i, path in zip(self.ids, self.paths, strict=True))  # noqa: PTH116 - a third of the time of Path.stat, a million times
        return sha256_bytes("".join(lines).encode())

    @cached_property
    def labels(self) -> pd.DataFrame:
        """What each image shows, one row an image: `name`, its class (categorical, missing if unknown), and `split`."""
        name = pd.Categorical.from_codes(self.targets, categories=list(self.classes))
        return pd.DataFrame({"name": name, "split": pd.Categorical(self.splits)})

    def class_rows(self, name: str) -> np.ndarray:
        """Return the rows of one class, int64 (k,) ascending."""
        return class_rows(self.targets, self.classes, name)


def open_folder(root: Path | str, name: str | None = None) -> ImageFiles:
    """Open all images below the folder `root`, sorted; the first folder below it names the class of those in it.

    Images directly in `root` have no class. Hidden files and folders are left out; links are followed.
    """
    root = Path(root)
    if not root.is_dir():
        raise MissingDataError(f"{root} is no folder: name one that holds images.")
    paths = list(walk(root))
    folders = sorted({path.partition("/")[0] for path in paths if "/" in path})
    index = {folder: i for i, folder in enumerate(folders)}
    targets = [index[path.partition("/")[0]] if "/" in path else -1 for path in paths]
    return ImageFiles.of(name or root.resolve().name, root, paths, targets, folders)


def walk(root: Path, suffixes: tuple[str, ...] = IMAGE_SUFFIXES) -> Iterator[str]:
    """Yield the images below `root`, relative to it, each folder's files before its folders, both sorted."""

    def visit(folder: Path, prefix: str, above: frozenset[str]) -> Iterator[str]:
        here = os.path.realpath(folder)
        if here in above:  # a link back to where we come from
            return
        with os.scandir(folder) as entries:
            entries = sorted((e for e in entries if not e.name.startswith((".", "__MACOSX"))), key=lambda e: e.name)
        yield from (f"{prefix}{e.name}" for e in entries if e.name.lower().endswith(suffixes) and e.is_file())
        for entry in entries:
            if entry.is_dir():
                yield from visit(Path(entry.path), f"{prefix}{entry.name}/", above | {here})

    yield from visit(root, "", frozenset())
