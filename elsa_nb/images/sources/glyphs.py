"""The bundled pool of glyphs: 100,000 images of characters with their labels, every file checked by its SHA-256.

The notebooks, the panel's examples and the training open it with `Glyphs.open()`; `glyph_pool` draws it.
"""

import difflib
import lzma
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from elsa_nb import store
from elsa_nb.arrow_files import read_arrow
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.sources.grey_images import LEVELS, PACKED, SIDE, unpack
from elsa_nb.images.sources.rows import checked_rows

_COMMAND = "python -m elsa_nb.images.glyph_pool.build"
_KEYS = {"n", "files", "pixels_sha256"}


@dataclass(frozen=True, eq=False)
class Glyphs:
    """The pool of character images: 32x32 grey, one class per character (or group of characters that look the same).

    Images are read when the first is asked for (a second), stay packed in memory, 512 bytes each, and are unpacked on
    request. Labels are in a file of their own.

    >>> glyphs = Glyphs.open()
    >>> glyphs.images([0, 7]).shape
    (2, 32, 32)
    """

    folder: Path
    manifest: dict[str, Any]
    table: pa.Table  # name, character, drawn, face, package; one row per image
    compressed: bytes = field(repr=False)  # of all images, by LZMA
    cure: str  # what to do when a file is damaged

    @classmethod
    def open(cls, folder: Path | str | None = None, full: bool = False) -> "Glyphs":
        """Open the pool in `folder`; by default the bundled one, or with `full` the one of all images.

        Every file is checked against the manifest. Raises `MissingDataError` where a file is not there and
        `CorruptFileError` where its SHA-256 differs.
        """
        folder = Path(folder) if folder is not None else store.locate("glyphs-full" if full else "glyphs")
        command = f"{_COMMAND} --full" if full else _COMMAND
        cure = f"`{command} --out {folder}` builds it again"
        if folder.resolve() == store.locate("glyphs").resolve():
            cure += f"; {store.RESTORED} restores the bundled one"
        path = folder / "manifest.json"
        if not path.exists():
            raise MissingDataError(f"There is no glyph pool in {folder}: {path} is missing. {cure}.")
        manifest = store.read_card(path, "a list of a glyph pool's files", f"{cure}.")
        if absent := _KEYS - set(manifest):
            raise CorruptFileError(f"{path} lacks {', '.join(sorted(absent))}: it is not of a glyph pool. {cure}.")
        images, labels = (_verified(folder / name, manifest, cure) for name in ("images.bin", "labels.parquet"))
        table = read_arrow(labels, parquet=True)
        if len(table) != manifest["n"]:
            raise CorruptFileError(
                f"{folder / 'labels.parquet'} holds {len(table):,} rows, but {path.name} says "
                f"{manifest['n']:,} images. {cure}."
            )
        return cls(folder, manifest, table, images, cure)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.table)

    @cached_property
    def packed(self) -> np.ndarray:
        """All images as they are kept, uint8 (n, 512), read-only; CorruptFileError where there are more or fewer."""
        packed = np.frombuffer(lzma.decompress(self.compressed), np.uint8)
        if packed.size != len(self) * PACKED:
            raise CorruptFileError(
                f"{self.folder / 'images.bin'} holds {packed.size:,} bytes of pixels, but manifest.json says "
                f"{len(self):,} images of {PACKED}: {len(self) * PACKED:,} bytes. {self.cure}."
            )
        return packed.reshape(-1, PACKED)

    @property
    def sha256(self) -> str:
        """SHA-256 of all pixels, packed, in row order."""
        return self.manifest["pixels_sha256"]

    @cached_property
    def ids(self) -> np.ndarray:
        """Name each image, str (n,): `glyph-000123` is row 123."""
        return np.array([f"glyph-{row:06d}" for row in range(len(self))])

    @cached_property
    def labels(self) -> pd.DataFrame:
        """What each image shows, one row per image, every column categorical.

        `name` is the class (the Unicode name of its first character), `character` that character, `drawn` the
        character that the face was asked to draw, `face` the font file, `package` the Debian package.
        """
        return self.table.to_pandas()

    def images(self, rows: Any = None) -> np.ndarray:
        """Return the images of `rows` (all by default), uint8 (m, 32, 32): 0 is paper, 255 is ink."""
        if rows is None:
            return _grey(self.packed)
        rows = checked_rows(rows, len(self))
        if rows.size == 0:
            return np.empty((0, SIDE, SIDE), np.uint8)
        return _grey(self.packed[rows])

    def class_rows(self, name: str) -> np.ndarray:
        """Return the rows of one class, int64 (k,) ascending; `name` is a class name or its character."""
        names = self.labels["name"].cat.categories
        if name not in names:
            by_character = dict(zip(self.labels["character"].cat.categories, range(len(names)), strict=True))
            if name not in by_character:
                near = difflib.get_close_matches(str(name).upper(), names, n=3) or list(names[:3])
                raise ValueError(
                    f"No class is called {name!r}. Near it: {', '.join(near)}. "
                    f"All {len(names)} are in `glyphs.labels['name'].cat.categories`."
                )
            return np.flatnonzero(self.labels["character"].cat.codes == by_character[name])
        return np.flatnonzero(self.labels["name"].cat.codes == names.get_loc(name))


def _grey(packed: np.ndarray) -> np.ndarray:
    images = unpack(packed)
    images *= 255 // (LEVELS - 1)  # in place: the whole pool is 100 MB
    return images


def _verified(path: Path, manifest: dict[str, Any], cure: str) -> bytes:
    if not path.exists():
        raise MissingDataError(f"{path} is not here, though {path.parent / 'manifest.json'} is. {cure}.")
    with store.reading(path, "a file of a glyph pool", f"{cure}."):
        data, expected = path.read_bytes(), manifest["files"][path.name]
    got = store.sha256_bytes(data)
    if got != expected:
        raise CorruptFileError(f"{path} is damaged: its SHA-256 is {got}, expected {expected}. {cure}.")
    return data
