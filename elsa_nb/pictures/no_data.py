"""Values that mean "nothing was measured here": those that a TIFF declares, and those that give themselves away.

Elevation models, thermal and satellite pictures fill what they do not know with one number, such as -9,999 or 65,535.
Taken for a measurement it would stretch the range of greys until all the rest is nearly one white or one black.
A TIFF can name that number (GDAL's tag). Where it does not, the number is known by where it lies: many pixels hold
exactly this value, at an end of all values, and far from every other. At the dark end any such number counts, since
it is shown in black either way. At the bright end only numbers that are used for this do: spots of one brightness, and
sensors that are saturated, look the same otherwise. The largest numbers of 16 and 32 bits are also what a white
background and a saturated sensor hold: where they are more than half of all, or fill a picture, they are white. Nothing
is looked for in pictures of ink, in which 0 is white.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from elsa_nb.pictures.greys import PERCENTILES

_TAG = 42113  # GDAL_NODATA, a text
_NOTICEABLE, _NOTICEABLE_BRIGHT = 0.002, 0.02  # of all pixels; less does not move a range, or may be saturated spots
_DISTANCE = 3  # to the others, in widths of what 99.6 % of these span: they would share a quarter of the greys
_FEWEST, _LEAST = 8, 0.01  # different values, and share, of the others: a mask, or a map of classes, is no measurement
_MOST_GROUND = 0.5  # more zeros, or whites, are the background of pictures with little in them
_MOST = 3  # such values at either end
_BRIGHT = frozenset([9999, 99999, 999999, 2**15 - 1, 2**16 - 1, 2**31 - 1, 2**32 - 1])
_HUGE = 1e15  # larger ones, such as 1e20 and the largest of floats, are hardly ever measured
_BEYOND = 1e100  # samples are cut there
_DIGITS, _DIGITS_OF_HUGE = 1e-6, 1e-4  # relative: files declare such numbers in few digits, huge ones in four


def declared_no_data(image: Image.Image) -> float | None:
    """Return the number that an opened TIFF declares to be no data; None where it declares none, or not a number."""
    try:
        value = float(str(getattr(image, "tag_v2", {}).get(_TAG, "")).strip(" \0"))
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def sentinels(samples: Iterable[np.ndarray]) -> tuple[float, ...]:
    """Return the values, ascending, that some pictures use for "no data", judged by finite values (m,) of each.

    Empty where no value stands out so.
    """
    values = np.sort(np.concatenate([np.empty(0), *samples]))
    each, firsts, counts = np.unique(values, return_index=True, return_counts=True)
    shares = counts / max(1, len(values))
    dark = _leading(_may_be_dark(value, share) for value, share in zip(each, shares, strict=True))
    bright = _leading(_may_be_bright(value, share) for value, share in zip(each[::-1], shares[::-1], strict=True))
    tried = [(low, high) for low in range(dark + 1) for high in range(bright + 1) if low + high]
    for low, high in sorted(tried, key=sum, reverse=True):
        last = len(each) - high
        if last - low < _FEWEST:
            continue
        others = values[firsts[low] : firsts[last] if high else len(values)]
        bottom, top = np.percentile(others, PERCENTILES)
        far = _DISTANCE * (top - bottom)
        if (
            len(others) >= _LEAST * len(values)
            and top > bottom
            and (not low or bottom - each[low - 1] >= far)
            and (not high or each[last] - top >= far)
        ):
            return tuple(float(value) for value in (*each[:low], *each[last:]))
    return ()


def holds_no_data(pixels: np.ndarray, values: Iterable[float]) -> np.ndarray:
    """Return where `pixels`, of any shape, hold one of `values`, bool of that shape.

    Floats are compared to six digits, huge ones to four, since files write such numbers in few.
    """
    held = np.zeros(pixels.shape, bool)
    for value in values:
        if abs(value) >= _BEYOND:
            held |= pixels >= value if value > 0 else pixels <= value
        elif pixels.dtype.kind == "f":
            most = float(np.finfo(pixels.dtype).max)
            near = abs(value) * (_DIGITS_OF_HUGE if abs(value) >= _HUGE else _DIGITS)
            held |= (pixels >= max(value - near, -most)) & (pixels <= min(value + near, most))
        else:
            held |= pixels == value
    return held


def shown_black(pixels: np.ndarray, found: Sequence[float], declared: float | None = None) -> np.ndarray:
    """Return where a picture, of any shape, has no data, bool of that shape: values `found` in a folder, or `declared`.

    A picture that holds the value of white alone, undeclared, is overexposed and not empty.
    """
    held = holds_no_data(pixels, found)
    if held.all():
        held = holds_no_data(pixels, [value for value in found if value not in _BRIGHT])
    return held if declared is None else held | holds_no_data(pixels, [declared])


def said_of_no_data(values: Sequence[float]) -> str:
    """Return words that say of one value or more that they are taken for no data."""
    named = " and ".join(f"{value:,.7g}" for value in values)
    return f"{named} {'is' if len(values) == 1 else 'are'} taken for no data and shown in black"


def _leading(allowed: Iterable[bool]) -> int:
    """Count how many from the first on are allowed, 3 at most."""
    return next((i for i, may in enumerate(allowed) if not may or i == _MOST), 0)


def _may_be_dark(value: float, share: float) -> bool:
    return share >= _NOTICEABLE and (value != 0 or share <= _MOST_GROUND)


def _may_be_bright(value: float, share: float) -> bool:
    return share >= _NOTICEABLE_BRIGHT and (value >= _HUGE or (value in _BRIGHT and share <= _MOST_GROUND))
