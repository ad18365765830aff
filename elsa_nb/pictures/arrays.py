"""Arrays as pictures: grey or colour, channels first or last, whole numbers or floats."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

from elsa_nb.pictures.greys import Range, range_of, some_values, to_8_bits

CHANNELS = (1, 3, 4)
_ALLOWED = "numbers or booleans of shape (h, w), or (h, w, c) or (c, h, w) with c = 1, 3 (RGB) or 4 (RGBA)"


def laid_out(array: Any) -> np.ndarray:
    """Return one picture as (h, w), (h, w, 3) or (h, w, 4); ValueError for another shape or other values than numbers.

    Where a shape can be read both ways, the channels are last.
    """
    array = np.asarray(array)
    if array.dtype.kind not in "buif" or array.ndim not in (2, 3) or not array.size:
        raise ValueError(f"a picture is {array.dtype} of shape {array.shape}; allowed: {_ALLOWED}")
    if array.ndim == 3 and array.shape[2] not in CHANNELS:
        if array.shape[0] not in CHANNELS:
            raise ValueError(f"a picture is {array.dtype} of shape {array.shape}; allowed: {_ALLOWED}")
        array = array.transpose(1, 2, 0)
    return array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array


def range_of_arrays(arrays: Iterable[np.ndarray]) -> Range:
    """Return the values that become black and white in all of these arrays, and in those that they are a sample of.

    0 to 1, or 0 to 255 for whole numbers, if all values are within; else the rounded percentiles of all.
    """
    values = [some_values(array) for array in arrays]
    pooled = np.concatenate([np.empty(0), *values])
    if pooled.size and pooled.min() >= 0:
        if pooled.max() <= 1:
            return 0.0, 1.0
        if pooled.max() <= 255 and (pooled == np.floor(pooled)).all():
            return 0.0, 255.0
    return range_of(values) or (0.0, 1.0)


def picture_of(array: Any, limits: Range) -> Image.Image:
    """Return one array as a picture, grey or RGB: `limits` are black and white unless it is uint8 or boolean.

    Masks of 0 and 1 in uint8 count as boolean where `limits` say that all are masks. Raises ValueError where no value
    is a number, and as `laid_out`.
    """
    array = laid_out(array)
    if not np.isfinite(array).any():
        raise ValueError("nothing to show: no pixel is a number")
    if array.dtype == bool:
        array = array.astype(np.uint8) * 255
    elif array.dtype != np.uint8 or (limits == (0.0, 1.0) and array.max() <= 1):
        array = to_8_bits(array, limits)
    image = Image.fromarray(np.ascontiguousarray(array))
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
