"""From the bytes of an image file to pixels, as Pillow reads them: the reference every other path is held against.

Published data sets are read this way; the user's own pictures are read by `elsa_nb.pictures`, for the panel as well.
`open_picture` decides which way a source's picture is read.

What `Image.open(file).convert("RGB")` gives is what the encoders were trained and evaluated on: grey, palette and
CMYK files become RGB, progressive files and files with a wrong suffix are read, and an EXIF orientation is *not*
obeyed. A file that ends too early is an error, never a picture with grey rows (unless Pillow was told to allow it).
"""

import io
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError

from elsa_nb.errors import CorruptFileError
from elsa_nb.images.sources.protocol import Pictures
from elsa_nb.pictures.decoding import refuse_bomb

# Common in photographs from the web and harmless here; one line per image would bury the progress of an extraction.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")  # broken EXIF entries
warnings.filterwarnings("ignore", message="Palette images with Transparency", module=r"PIL\.")

# What Pillow raises for a file that is not an image, ends too early, is damaged inside, or would fill the memory.
_BROKEN = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


class BrokenImageError(CorruptFileError):
    """An image that cannot be read: `item` is its id, `reason` why not, in a few words.

    Those of the user's own pictures name the cure, and have a third argument, an empty text in the place of the usual
    cure.
    """

    @property
    def item(self) -> str:
        """The id of the image."""
        return self.args[0]

    @property
    def reason(self) -> str:
        """Why it cannot be read."""
        return self.args[1]

    def __str__(self) -> str:
        """Return one sentence with its cure."""
        cure = self.args[2] if len(self.args) > 2 else "Get a whole copy, or skip broken images."
        return f"The image {self.item} is broken ({self.reason}). {cure}".rstrip()


def open_picture(pictures: Pictures, row: int) -> Image.Image:
    """Return the RGB picture of a row, read as its source wants: a source with `open` reads its own pictures.

    Raises BrokenImageError for what is not a whole image, MissingDataError for a file that has gone.
    """
    if getattr(pictures, "decoding", None) is not None:
        return pictures.open(row)
    return open_rgb(pictures.read(row), str(pictures.ids[row]))


def open_rgb(data: bytes | memoryview | np.ndarray, name: str) -> Image.Image:
    """Return the RGB picture in `data`, the bytes of one image file; `name` is what an error calls it.

    Raises BrokenImageError for bytes that are not a whole image.
    """
    try:
        stream = io.BytesIO(data)
        image = Image.open(stream)
        refuse_bomb(image, stream)
        return image.convert("RGB")
    except _BROKEN as error:
        reason = str(error).partition(" <")[0]  # without the address of the BytesIO
        raise BrokenImageError(name, reason) from None


def decode(data: bytes | memoryview | np.ndarray, name: str = "image") -> np.ndarray:
    """Return the pixels of one image file, uint8 (height, width, 3)."""
    return np.asarray(open_rgb(data, name))
