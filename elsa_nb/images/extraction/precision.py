"""What half precision does to neighbours: the share of the 50 nearest that stay the 50 nearest.

`elsa-nb embed --check-precision` calls `check_precision`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from elsa_nb.images.encoders.protocol import ImageEncoder
from elsa_nb.images.extraction.crops import Crops
from elsa_nb.images.extraction.forward import forward
from elsa_nb.pool import Pool

CHECKED_IMAGES = 2048
CHECKED_NEAREST = 50
_BATCH = 32  # images at once


def neighbour_overlap(
    one: np.ndarray, other: np.ndarray, k: int = CHECKED_NEAREST, queries: int | None = None
) -> float:
    """Return the mean share of each item's k nearest others that are the same in two sets of vectors (n, d) of it.

    Distances are computed exactly, in float64; for `queries` items spread over the n (default: all).
    """
    if one.shape[0] != other.shape[0] or len(one) <= k:
        raise ValueError(f"vectors are {one.shape} and {other.shape}; give two sets of the same items, more than {k}.")
    rows = np.unique(np.linspace(0, len(one) - 1, queries or len(one)).astype(np.int64))
    shared = 0
    for block in np.array_split(rows, -(-len(rows) // 256)):
        near = [_nearest(vectors, block, k) for vectors in (one, other)]
        shared += sum(len(np.intersect1d(a, b)) for a, b in zip(*near, strict=True))
    return shared / (k * len(rows))


def check_precision(
    source: Any,
    encoder: ImageEncoder,
    pools: dict[str, Pool],
    *,
    resizer: str = "torch",
) -> dict[str, float]:
    """Compute up to 2,048 images of a pool anew in float32 and return each space's `neighbour_overlap` with it.

    The images are spread evenly over the pool; neighbours are looked for among them alone.
    """
    geometry = getattr(encoder, "geometry", None)
    ids = next(iter(pools.values())).ids
    rows = np.unique(np.linspace(0, len(ids) - 1, min(CHECKED_IMAGES, len(ids))).astype(np.int64))
    view = source if geometry is None else Crops(source, geometry, resizer)
    if len(view) != len(ids):  # broken images were left out
        row_of = {name: row for row, name in enumerate(view.ids)}
        inside = np.array([row_of[name] for name in ids[rows]])
    else:
        inside = rows
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parts: dict[str, list[np.ndarray]] = {space: [] for space in pools}
    steps = forward(_Rows(view, inside), {"": encoder}, range(0, len(inside), _BATCH), device=device)
    for _, _, vectors in steps:
        for space, kept in parts.items():
            kept.append(vectors[""][space])
    return {
        space: neighbour_overlap(np.concatenate(kept), np.asarray(pools[space].vectors[rows]))
        for space, kept in parts.items()
    }


class _Rows:
    """Some rows of a source."""

    def __init__(self, source: Any, rows: np.ndarray):
        self.source, self.rows, self.ids = source, rows, source.ids[rows]
        self.sha256 = ""

    def __len__(self) -> int:
        return len(self.rows)

    def images(self, rows: Sequence[int]) -> np.ndarray:
        return self.source.images(self.rows[rows])


def _nearest(vectors: np.ndarray, rows: np.ndarray, k: int) -> np.ndarray:
    points = torch.from_numpy(np.asarray(vectors, dtype=np.float64))
    distances = torch.cdist(points[torch.from_numpy(rows)], points)
    distances[torch.arange(len(rows)), torch.from_numpy(rows)] = torch.inf
    return distances.topk(k, largest=False).indices.numpy()
