"""What every encoder offers: `extraction/forward.py` calls it, and each module of this folder provides it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from torch import Tensor


class ImageEncoder(Protocol):
    """What turns prepared images into one block of vectors for each of its spaces, in the order of `dimensions`.

    An encoder with a `geometry` takes pictures of any size, brought to it; one without takes a source's own images. An
    encoder with a method `prepare` normalises uint8 images itself. If its vectors put several views of an image side by
    side, it has `widths`: the number of values of each view, by space (`efficientnet_lite.EfficientNetLite0Stages`).
    """

    name: str
    sha256: str
    dimensions: Mapping[str, int]

    def __call__(self, images: Tensor) -> Sequence[Tensor]:
        """Map prepared images to vectors, one tensor per space."""
        ...
