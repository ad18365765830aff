"""The vectors as a head sees them: centred, scaled, and multiplied with the weights of many heads in one pass."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from elsa_nb.search import kernels

_LARGE = 1e37  # weights up to here, and their sums with scaled vectors, are within float32


# weights @ vectors.T, (h, n) float32, for vectors (n, d) and weights (h, d): one pass over the vectors.
Products = Callable[[np.ndarray, np.ndarray], np.ndarray]


class HeadInput(Protocol):
    """The rows of a pool as heads see them: `Features`, `PreparedRows` or `LargeRows`."""

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Return what a head is trained on, (m, d) float64, of `rows` (m,)."""
        ...

    def project(self, weights: np.ndarray, biases: np.ndarray) -> np.ndarray:
        """Return weights . row + bias of every row, (h, n), for weights (h, d) and biases (h,).

        As float64; of `LargeRows`, which take them from codes, as float32.
        """
        ...


class Features:
    """The vectors a head sees: centred, and scaled by one number to unit mean variance, so that `l2` means the same
    in every space. Nothing is copied: `take` scales the rows asked for, `project` folds the scaling into the weights.

    The last result of a single head is remembered (8 bytes per row): a round's question and the scores shown beside it
    are of one head, and copies of a search share these features.

    `vectors` is (n, d) float32 or float16, in memory or mapped from a file. With `device`, a torch device such as
    "cuda", they are held and scored there.
    """

    def __init__(self, vectors: np.ndarray, *, device: str | None = None):
        self.vectors = kernels.contiguous(vectors)
        self.mean, variances = kernels.moments(self.vectors)
        variance = variances.mean()
        self.scale = 1 / np.sqrt(variance) if variance > 0 else 1.0
        self._products = kernels.project if device is None else TorchProducts(device)
        self._last: tuple[bytes, np.ndarray] | None = None  # weights and bias of one head, and what they gave

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Return the scaled features (m, d) float64 of `rows` (m,)."""
        return (kernels.gather(self.vectors, rows) - self.mean) * self.scale

    def project(self, weights: np.ndarray, biases: np.ndarray) -> np.ndarray:
        """Return weights . features + bias of every row, (h, n) float64, for weights (h, d) and biases (h,).

        One pass over the vectors serves all weights; each result is the same as if its weights came alone.
        """
        head = weights.tobytes() + biases.tobytes() if len(weights) == 1 else b""
        last = self._last  # read once: rounds are computed on a thread of their own
        if head and last is not None and last[0] == head:
            return last[1].copy()
        scaled = weights * self.scale
        # Matrix by vector, so that a constant does not depend on the number of weights either.
        constants = biases - np.array([self.mean @ row for row in scaled])
        # Of vectors all but zero the scale may leave float32: a power of two changes no digit of what it is taken from.
        factors = np.exp2(np.ceil(np.log2(np.maximum(np.abs(scaled).max(1, initial=0.0) / _LARGE, 1.0))))[:, None]
        result = self._products(self.vectors, scaled / factors) * factors + constants[:, None]
        if head:
            self._last = head, result.copy()
        return result


class TorchProducts:
    """`kernels.project` on a torch device such as "cuda", which keeps the vectors it has seen, of any number type."""

    def __init__(self, device: str):
        self.device = device
        self._stored = None

    def __call__(self, vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return weights @ vectors.T, (h, n) float32, for vectors (n, d) and weights (h, d)."""
        import torch

        if self._stored is None:
            self._stored = torch.from_numpy(np.array(vectors)).to(self.device)
        folded = torch.from_numpy(weights.astype(np.float32)).to(self.device)
        out = torch.empty(len(weights), len(vectors), dtype=torch.float32, device=self.device)
        for start in range(0, len(vectors), 2**17):  # numbers of fewer bits are widened a part at a time
            block = self._stored[start : start + 2**17].float()
            for row, weight in zip(out, folded, strict=True):
                row[start : start + 2**17] = torch.mv(block, weight)
        return out.cpu().numpy()
