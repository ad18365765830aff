"""What numbers a picture holds that Pillow has opened: how deep they are, and whether Pillow reads them rightly.

`decoding.py` asks before the pixels are read, since Pillow forgets a part of it then.
"""

import re
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from elsa_nb.pictures.no_data import declared_no_data

_SHORT_FORMATS = ("PNG", "PPM")  # whose pictures Pillow may read as 32 bits, though the files hold at most 16
_OF_16_BITS = re.compile(r";16[BLN]")  # as Pillow calls the bytes of a file
_COLOURS, _KEPT = ("RGB", "RGBA", "RGBX"), "_elsa_of_16_bits"  # the latter is an attribute of pictures of Pillow
_BITS_PER_SAMPLE, _PHOTOMETRIC, _PLANES, _SAMPLE_FORMAT = 258, 262, 284, 339  # of a TIFF


class Depth(NamedTuple):
    """What the values of a picture are: a kind of `decoding.RANGES`, or "" for 8 bits that are shown as they are.

    `form` is the kind of number that a TIFF means where Pillow reads another; `ink`: large values are dark; `no_data`:
    the number that the file declares to be no data.
    """

    kind: str = ""
    form: str | None = None
    ink: bool = False
    no_data: float | None = None

    def values(self, image: Image.Image) -> np.ndarray:
        """Return the pixels of a picture of this depth as the numbers that they are, (h, w) or (h, w, c)."""
        pixels = np.asarray(image)
        return pixels if self.form is None else pixels.view(self.form)


def depth_of(image: Image.Image) -> Depth:
    """Return what the values of an opened picture are; its pixels are not read."""
    tags = getattr(image, "tag_v2", {})
    signs, bits = (tags.get(tag, default) for tag, default in ((_SAMPLE_FORMAT, 1), (_BITS_PER_SAMPLE, ())))
    signed, ink, no_data = signs in (2, (2,)), tags.get(_PHOTOMETRIC) == 0, declared_no_data(image)
    if image.mode == "F":
        return Depth("floats", None, ink, no_data)
    if image.mode == "I" or image.mode.startswith("I;16"):
        long = image.mode == "I" and bits in ((), (32,)) and image.format not in _SHORT_FORMATS
        form = "u4" if bits == (32,) and not signed else None
        return Depth("longs" if long else "integers", form, ink, no_data)
    if image.mode == "L" and signed and bits == (8,):
        return Depth("integers", "i1", no_data=no_data)  # Pillow has turned ink into light here
    # A picture that was made in memory has no file.
    deep = image.mode in _COLOURS and getattr(image, _KEPT, hasattr(image, "tile") and _of_16_bits(image))
    mask = image.mode == "L" and "transparency" not in image.info  # which is one of its values
    return Depth("colours" if deep else "masks" if mask else "")


def look_before_reading(image: Image.Image) -> None:
    """Note on a picture that Pillow has opened what Pillow forgets once the pixels are read; call it before that.

    That is whether colours are of 16 bits. For a picture that was read elsewhere its file tells, if it has one.
    """
    mend_planes(image)
    if image.mode in _COLOURS and hasattr(image, "tile") and not hasattr(image, _KEPT):
        setattr(image, _KEPT, _of_16_bits(image))


def _of_16_bits(image: Image.Image) -> bool:
    """Whether the colours of a picture, read or not, are of 16 bits in its file."""
    tiles, name = image.tile, getattr(image, "filename", "")
    if not tiles and (bits := getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE)):  # what a TIFF does not forget
        return set(bits) == {16}
    if not tiles and name:
        with suppress(OSError, ValueError, SyntaxError), Image.open(name, formats=[image.format]) as again:
            tiles = again.tile if again.size == image.size else tiles
    return any(map(_is_deep, tiles))


def _is_deep(tile: Any) -> bool:
    """Whether a part of a file, as Pillow reports it, has more than 8 bits; a PPM states its largest value."""
    codec, *_, form = tile
    return bool(_OF_16_BITS.search(str(form))) or (codec.startswith("ppm") and form[-1] > 255)


def mend_planes(image: Image.Image) -> None:
    """Let Pillow read colours of 16 bits in separate planes; it takes their bytes for twice as many values."""
    tags = getattr(image, "tag_v2", {})
    if tags.get(_PLANES) == 2 and set(tags.get(_BITS_PER_SAMPLE, ())) == {16}:
        order = ";16L" if tags.prefix == b"II" else ";16B"
        image.tile = [
            tile._replace(args=(tile.args[0] + order, *tile.args[1:])) if tile.args[0] in tuple("RGBA") else tile
            for tile in image.tile
        ]
