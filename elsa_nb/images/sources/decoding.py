"""From the bytes of an image file to pixels, as Pillow reads them: the reference every other path is held against.

What `Image.open(file).convert("RGB")` gives is what the encoders were trained and evaluated on: grey, palette and
CMYK files become RGB, progressive files and files with a wrong suffix are read, and an EXIF orientation is *not*
obeyed. A file that ends too early is an error, never a picture with grey rows (unless Pillow was told to allow it).
"""

import io
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError

from elsa_nb.errors import CorruptFileError

# Common in photographs from the web and harmless here; a line an image would bury the progress of an extraction.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")  # broken EXIF entries
warnings.filterwarnings("ignore", message="Palette images with Transparency", module=r"PIL\.")

# What Pillow raises for a file that is no image, ends too early, is damaged inside, or would fill the memory.
_BROKEN = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def open_rgb(data: bytes | memoryview | np.ndarray, name: str) -> Image.Image:
    """Return the RGB picture in `data`, the bytes of one image file; `name` is what an error calls it.

    Raises CorruptFileError for bytes that are no image or not all of one.
    """
    try:
        return Image.open(io.BytesIO(data)).convert("RGB")
    except _BROKEN as error:
        reason = str(error).partition(" <")[0]  # without the address of the BytesIO
        raise CorruptFileError(
            f"The image {name} is broken ({reason}). Get a whole copy, or skip broken images."
        ) from None


def decode(data: bytes | memoryview | np.ndarray, name: str = "image") -> np.ndarray:
    """Return the pixels of one image file, uint8 (height, width, 3)."""
    return np.asarray(open_rgb(data, name))
