"""What every source of images offers: images of one size, or pictures of any size still in their files.

`extraction` and `training` read a `Source` as it is and put `Crops` around `Pictures`.
"""

from typing import Protocol

import numpy as np


class Source(Protocol):
    """What images come from: rows in a fixed order, one id per row, and a fingerprint of all of it."""

    ids: np.ndarray
    sha256: str

    def __len__(self) -> int:
        """Return the number of images."""
        ...

    def images(self, rows: np.ndarray | None = None) -> np.ndarray:
        """Return the images of `rows` (all by default), uint8 (m, side, side) or (m, 3, side, side)."""
        ...


class Pictures(Protocol):
    """What pictures come from: files in a fixed order, an id each, and a fingerprint of all of them.

    A source that reads its pictures in a way of its own has a `decoding` that is not None, and `open(row)`.
    """

    ids: np.ndarray
    sha256: str

    def __len__(self) -> int:
        """Return the number of pictures."""
        ...

    def read(self, row: int) -> bytes | memoryview:
        """Return the bytes of one image file."""
        ...
