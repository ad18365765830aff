"""The rows of a folder's crops that are to be embedded, in batches: an image that cannot be read is grey, and noted.

`folder_pools` reads a whole folder like this, a worker of `on_cluster` the images of one batch.
"""

from collections.abc import Iterator

import numpy as np
import torch

from elsa_nb.errors import MissingDataError
from elsa_nb.images.extraction.crops import Crops, ahead
from elsa_nb.images.sources.decoding import BrokenImageError


class Readable:
    """Some `rows` of a source of crops as `forward` takes them, `batch` at once, decoded by `workers` processes.

    `broken` says why an image cannot be read, by row of the source.
    """

    def __init__(self, crops: Crops, rows: np.ndarray, batch: int, workers: int | None):
        self.broken: dict[int, str] = {}
        self.ids, self.sha256, self._n = crops.ids[rows], "", len(rows)
        parts = [rows[first : first + batch] for first in range(0, len(rows), batch)]
        self._read: Iterator[tuple[torch.Tensor, dict[int, str]]] = ahead(_Batches(crops, parts), workers)

    def __len__(self) -> int:
        """Return the number of images."""
        return self._n

    def images(self, _: np.ndarray) -> np.ndarray:
        """Return the next batch; `forward` asks for each once, in order."""
        images, broken = next(self._read)
        self.broken |= broken
        return images.numpy()


class _Batches(torch.utils.data.Dataset):
    def __init__(self, crops: Crops, parts: list[np.ndarray]):
        self.crops, self.parts = crops, parts

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, dict[int, str]]:
        rows, side, broken = self.parts[index], self.crops.geometry.crop, {}
        images = np.full((len(rows), 3, side, side), 127, np.uint8)
        for image, row in zip(images, rows.tolist(), strict=True):
            try:
                image[:] = self.crops.images([row])[0]
            except BrokenImageError as error:
                broken[row] = error.reason
            except MissingDataError as error:  # deleted since the folder was listed
                broken[row] = str(error)
        return torch.from_numpy(images), broken
