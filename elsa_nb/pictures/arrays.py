"""Arrays as pictures: grey or colour, channels first or last, whole numbers or floats."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from elsa_nb.pictures.greys import Range, range_of, some_values, to_8_bits
from elsa_nb.pictures.no_data import holds_no_data, sentinels, shown_black

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


def range_of_arrays(arrays: Iterable[np.ndarray]) -> tuple[Range, tuple[float, ...]]:
    """Return what becomes black and white in all of these arrays and those that they are a sample of, and no data.

    0 to 1, or 0 to 255 for whole numbers, if all values are within; else the rounded percentiles of all. The second
    are values that stand out as "no data" (`no_data.sentinels`); they have no part in the range.
    """
    pooled = np.concatenate([np.empty(0), *(some_values(array) for array in arrays)])
    if usual := _usual_range(pooled):
        return usual, ()
    absent = sentinels([pooled])
    pooled = pooled[~holds_no_data(pooled, absent)]
    return _usual_range(pooled) or range_of([pooled]) or (0.0, 1.0), absent


def _usual_range(values: np.ndarray) -> Range | None:
    """Return 0 to 1, or 0 to 255 for whole numbers, if all values are within; None if they are not."""
    if values.size and values.min() >= 0:
        if values.max() <= 1:
            return 0.0, 1.0
        if values.max() <= 255 and (values == np.floor(values)).all():
            return 0.0, 255.0
    return None


def picture_of(array: Any, limits: Range, no_data: Sequence[float] = ()) -> Image.Image:
    """Return one array as a picture, grey or RGB: `limits` are black and white unless it is uint8 or boolean.

    Where all channels of a pixel are one of the values `no_data`, it is black.
    Masks of 0 and 1 in uint8 count as boolean where `limits` say that all are masks. Raises ValueError where no value
    is a number, and as `laid_out`.
    """
    array = laid_out(array)
    if not np.isfinite(array).any():
        raise ValueError("nothing to show: no pixel is a number")
    if array.dtype == bool:
        array = array.astype(np.uint8) * 255
    elif array.dtype != np.uint8 or (limits == (0.0, 1.0) and array.max() <= 1):
        absent = shown_black(array, no_data)
        array = to_8_bits(array, limits)
        array[absent if array.ndim == 2 else absent[:, :, :3].all(axis=2)] = 0
    image = Image.fromarray(np.ascontiguousarray(array))
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
