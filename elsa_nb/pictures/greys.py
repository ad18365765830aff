"""Pictures of more than 8 bits: one range of values, black to white, for all of a kind in a folder.

A camera of 12 bits fills a sixteenth of a 16-bit file, a float picture has whatever unit it was computed in. Cut at
255, as Pillow does, they are white; stretched one by one, a dark and a bright picture become the same. So the
values of a sample of the folder's pictures of one kind are pooled, and their 0.2 and 99.8 percentiles, rounded, are
black and white for all of them. Kinds, such as 16 bits and 32, have scales of their own. For colour, only
white is found, a whole number of bits, since moving black would change its balance.
"""

import math
from collections.abc import Iterable

import numpy as np

Range = tuple[float, float]

PERCENTILES = (0.2, 99.8)
SAMPLE_PICTURES = 64
_SAMPLE_PIXELS = 4096  # of each picture, so that a large one counts no more than a small one
_FLAT = 1 / 25  # of the range, ten of 255 levels: what spans less is one grey to the eye, and black if it is dark
_FEW_GREYS, _MOST_PIXELS = 16, 0.9  # what differs by one grey of 256 is hardly seen, by a person or by an encoder
_LARGEST, _NO_SPAN = 1e100, 1e-100  # beyond, differences are no longer numbers
_BLOCK = 1 << 22  # values turned into 8 bits at a time


def sample(n: int, at_most: int = SAMPLE_PICTURES) -> np.ndarray:
    """Return at most `at_most` of the rows 0 to n - 1, evenly spread, int64 ascending."""
    return np.unique(np.linspace(0, n - 1, min(n, at_most)).round().astype(np.int64))


def some_values(pixels: np.ndarray) -> np.ndarray:
    """Return at most 4,096 finite values from all over an array of any shape, float64 (m,)."""
    flat = pixels.reshape(-1)
    values = flat[sample(flat.size, _SAMPLE_PIXELS)].astype(np.float64)
    return values[np.isfinite(values)].clip(-_LARGEST, _LARGEST)


def range_of(samples: Iterable[np.ndarray]) -> Range | None:
    """Return the rounded percentiles of the pooled values, or None where there is no value at all."""
    values = np.concatenate([np.empty(0), *samples])
    if not values.size:
        return None
    low, high = np.percentile(values, PERCENTILES)
    if not high - low > _NO_SPAN:  # one flat colour, or nearly: small differences are made visible
        low, high = values.min(), values.max()
    if not high - low > _NO_SPAN:
        return float(low), float(low) + max(1.0, abs(float(low)) / 2)
    # Few digits: they are shown on screen, and a folder that grows a little keeps its range, and so its vectors.
    step = 10.0 ** math.floor(math.log10(high - low)) / 20
    rounded = [float(f"{step * turn(value / step):.12g}") for turn, value in ((np.floor, low), (np.ceil, high))]
    return tuple(rounded) if rounded[1] - rounded[0] >= high - low else (float(low), float(high))


def range_of_colours(samples: Iterable[np.ndarray]) -> Range | None:
    """Return 0 and the largest value of the bits that colours use; None if they use all 8, or without colour.

    Values are the upper 8 of 16 bits.
    """
    values = np.concatenate([np.empty(0), *samples])
    bits = int(np.percentile(values, PERCENTILES[1])).bit_length() if values.size else 0
    return (0.0, float(2**bits - 1)) if 0 < bits < 8 else None


def range_of_masks(samples: Iterable[np.ndarray]) -> Range | None:
    """Return 0 and 1 if grey pictures of 8 bits hold ones and no larger values; None if not: all-black is no mask."""
    values = np.concatenate([np.empty(0), *samples])
    return (0.0, 1.0) if values.size and values.max() == 1 else None


def flattened(samples: Iterable[np.ndarray], limits: Range) -> list[int]:
    """Return which samples `limits` turn into a single grey, though their values differ: those of another scale."""
    found = []
    for i, values in enumerate(samples):
        low, high = np.percentile(values, PERCENTILES) if values.size else (0.0, 0.0)
        shown_low, shown_high = np.clip([low, high], *limits)
        if high > low and (shown_high - shown_low) / (limits[1] - limits[0]) < _FLAT:
            found.append(i)
    return found


def crowded(samples: Iterable[np.ndarray], limits: Range) -> int:
    """Count the samples that hold many values, nine tenths of which `limits` press into fewer than 16 of 256 greys."""
    count = 0
    for values in samples:
        if len(np.unique(values)) < _FEW_GREYS:  # a mask or a flat picture loses nothing
            continue
        shown = (np.sort(values.clip(*limits)) - limits[0]) * (255 / (limits[1] - limits[0]))
        most = math.ceil(_MOST_PIXELS * len(shown))
        count += (shown[most - 1 :] - shown[: len(shown) - most + 1]).min() < _FEW_GREYS
    return int(count)


def to_8_bits(pixels: np.ndarray, limits: Range) -> np.ndarray:
    """Return `pixels`, numbers of any kind and shape, as uint8: `limits` become 0 and 255, what is beyond is cut off.

    NaN becomes black.
    """
    low, high = limits
    out = np.empty(pixels.shape, np.uint8)
    rows = max(1, _BLOCK // max(1, pixels[:1].size))
    for first in range(0, len(pixels), rows):
        part = np.nan_to_num(pixels[first : first + rows].astype(np.float64), nan=low).clip(low, high)
        out[first : first + rows] = ((part - low) * (255 / (high - low))).round()
    return out
