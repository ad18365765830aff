"""Data sets of Hugging Face's library `datasets`, if it is installed: their images as files, never decoded by it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from elsa_nb.errors import MissingDataError
from elsa_nb.images.sources.rows import class_rows
from elsa_nb.store import sha256_bytes


@dataclass(frozen=True, eq=False)
class HuggingFace:
    """One split of a data set, its images as the bytes they are stored as.

    The fingerprint is the library's own for this version of the data and everything done to them. Make one with
    `open_hugging_face`.
    """

    table: Any  # datasets.Dataset, its image column not decoding
    name: str
    image: str
    targets: np.ndarray  # int64 (n,), index into classes, -1 for none
    classes: tuple[str, ...]
    fingerprint: str

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.targets)

    @property
    def sha256(self) -> str:
        """SHA-256 of the library's fingerprint and the column's name."""
        return sha256_bytes(f"{self.fingerprint} {self.image}".encode())

    @cached_property
    def ids(self) -> np.ndarray:
        """Name each image, str (n,): `<name>-000123` is row 123."""
        return np.array([f"{self.name}-{row:06d}" for row in range(len(self))])

    @cached_property
    def labels(self) -> pd.DataFrame:
        """What each image shows, one row per image: `name`, its class (categorical, missing if unknown)."""
        return pd.DataFrame({"name": pd.Categorical.from_codes(self.targets, categories=list(self.classes))})

    def read(self, row: int) -> bytes:
        """Return the bytes of one image file."""
        cell = self.table[int(row)][self.image]
        if cell["bytes"] is not None:
            return cell["bytes"]
        with open(cell["path"], "rb") as stream:  # noqa: PTH123 - the library's path, a plain string
            return stream.read()

    def class_rows(self, name: str) -> np.ndarray:
        """Return the rows of one class, int64 (k,) ascending."""
        return class_rows(self.targets, self.classes, name)


def open_hugging_face(
    data: Any, *, split: str = "train", name: str = "", image: str = "image", label: str | None = "label"
) -> HuggingFace:
    """Open a `datasets.Dataset`, or the split of the data set of that name on the hub (which the library downloads).

    `image` and `label` are the columns; `label` None means there is none. Raises MissingDataError without the library
    and ValueError for columns that are not there.
    """
    try:
        import datasets
    except ImportError as error:
        raise MissingDataError("Data sets of Hugging Face need `pip install datasets`.") from error
    name = name or (data.rpartition("/")[2] if isinstance(data, str) else "hugging-face")
    table = datasets.load_dataset(data, split=split) if isinstance(data, str) else data
    for column in filter(None, (image, label)):
        if column not in table.column_names:
            raise ValueError(f"column {column!r} is not in {name!r}; it has {', '.join(table.column_names)}.")
    fingerprint = table._fingerprint
    targets, classes = np.full(len(table), -1), ()
    if label is not None:
        values, names = list(table[label]), getattr(table.features[label], "names", None)
        classes = tuple(names or sorted(set(map(str, values))))
        index = {each: i for i, each in enumerate(classes)}
        targets = np.array([value if names else index[str(value)] for value in values])
    table = table.cast_column(image, datasets.Image(decode=False))
    return HuggingFace(table, name, image, targets.astype(np.int64), classes, fingerprint)
