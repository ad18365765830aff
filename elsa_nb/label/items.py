"""What the panel shows: pictures, texts or sounds behind one small protocol, and files opened with care.

The panel never sees a path. It asks for the content of a row and gets bytes with their media type, or a placeholder
that says why there is nothing to show; a broken image never stops the work.
"""

import io
import mimetypes
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from PIL import Image, ImageOps

LARGEST_FILE = 64 << 20  # bytes
LARGEST_IMAGE = 100_000_000  # pixels
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
SOUNDS = {".wav", ".mp3", ".ogg", ".flac", ".m4a", ".opus"}
TEXTS = {".txt", ".md"}


class Content(NamedTuple):
    """One item on screen. `kind` is "image", "audio", "text" or "missing" (then `text` says why)."""

    kind: str
    mime: str = ""
    data: bytes = b""
    text: str = ""


@runtime_checkable
class Items(Protocol):
    """What a panel is handed: an id for each row of the pool, and what to show for a row."""

    ids: Sequence[str]

    def content(self, row: int, side: int) -> Content:
        """Return row's content, an image at most `side` pixels wide and high."""


class RefusedError(ValueError):
    """A file that must not be opened: outside the folder, too large, or no plain file."""


class Files:
    """Items that are files of one folder. Nothing outside it is ever opened, by whatever name or link.

    `names` are paths inside `folder`, one a row of the pool (`pool.ids`).
    """

    def __init__(self, folder: Path | str, names: Sequence[str]):
        self.folder = Path(folder).resolve(strict=True)
        if not self.folder.is_dir():
            raise ValueError(f"{folder} is a file; give the folder that holds the items")
        self.ids = [str(name) for name in names]

    def content(self, row: int, side: int) -> Content:
        """Return an image scaled down to `side`, a sound as it is, a text's first 4,000 characters."""
        name = self.ids[row]
        suffix = Path(name).suffix.lower()
        try:
            data = read_inside(self.folder, name)
            if suffix in SOUNDS:
                return Content("audio", mimetypes.guess_type(name)[0] or "audio/wav", data)
            if suffix in TEXTS:
                return Content("text", text=data[:16000].decode("utf-8", "replace")[:4000])
            return scaled_picture(data, side)
        except FileNotFoundError:
            return Content("missing", text="the file is not there any more")
        except RefusedError as error:
            return Content("missing", text=str(error))
        except OSError as error:
            return Content("missing", text=f"the file cannot be read ({error.strerror or error})")


class Arrays:
    """Items that are arrays in memory, uint8 (h, w) or (h, w, 3): `read(rows)` returns them, as `Glyphs.images` does.

    `invert` turns ink on black into ink on white.
    """

    def __init__(self, read: Callable[[Sequence[int]], np.ndarray] | Any, ids: Sequence[str] = (), *, invert=False):
        if hasattr(read, "images"):
            read, ids = read.images, ids if len(ids) else read.ids
        if isinstance(read, np.ndarray):
            array = read
            read, ids = array.__getitem__, ids if len(ids) else np.arange(len(array)).astype(str)
        self.ids, self._read, self._invert = ids, read, invert

    def content(self, row: int, side: int) -> Content:
        """Return the image as PNG; one smaller than `side` by a whole factor or more is shown larger by the screen."""
        array = np.asarray(self._read([row])[0])
        image = Image.fromarray(255 - array if self._invert else array)
        image.thumbnail((side, side))
        return Content("image", "image/png", _encoded(image, "PNG"))


class Texts:
    """Items that are texts in memory."""

    def __init__(self, texts: Sequence[str], ids: Sequence[str] = ()):
        self.ids = ids if len(ids) else [str(row) for row in range(len(texts))]
        self._texts = texts

    def content(self, row: int, side: int) -> Content:
        """Return the text's first 4,000 characters."""
        return Content("text", text=str(self._texts[row])[:4000])


def as_items(images: Any) -> Items:
    """Return `images` as items: they are items, have `.images(rows)` and `.ids`, are an array, or a list of texts."""
    if isinstance(images, Items):
        return images
    if isinstance(images, np.ndarray) or (hasattr(images, "images") and hasattr(images, "ids")):
        return Arrays(images)
    if isinstance(images, Sequence) and not isinstance(images, str) and all(isinstance(t, str) for t in images[:100]):
        return Texts(images)
    raise ValueError(
        f"images of type {type(images).__name__}; allowed: label.Files(folder, names), label.Arrays(array), a list of "
        "texts, an object with images(rows) and ids (such as Glyphs), or with content(row, side) and ids"
    )


def scaled_picture(data: bytes, side: int) -> Content:
    """Return the image file `data` scaled down to `side` pixels, or a placeholder that says what is wrong with it."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            if width * height > LARGEST_IMAGE:
                return Content("missing", text=f"too large: {width} x {height} pixels")
            kept = "PNG" if image.mode in ("1", "P", "LA", "RGBA", "PA") else "JPEG"
            image.draft("RGB", (2 * side, 2 * side))
            image = ImageOps.exif_transpose(image)
            image.thumbnail((side, side))
            image = image.convert("RGBA" if kept == "PNG" else "RGB")
            return Content("image", f"image/{kept.lower()}", _encoded(image, kept))
    except Image.DecompressionBombError:
        return Content("missing", text="too large to open")
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, ArithmeticError, MemoryError) as error:
        # Decoders meet broken files with all of these; the reason goes on the card.
        return Content("missing", text=f"no readable image ({str(error)[:120] or type(error).__name__})")


def _encoded(image: Image.Image, kind: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **({"quality": 85} if kind == "JPEG" else {}))
    return stream.getvalue()


def read_inside(folder: Path, name: str) -> bytes:
    """Return the bytes of the plain file `name` in `folder`; raise `RefusedError` for what leads out of it.

    Links are followed only where they stay inside. The path is then walked again part by part without following any,
    so that nobody can swap a part for a link in between.
    """
    parts = Path(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts or "\0" in name:
        raise RefusedError("refused: the name leads out of the folder")
    real = Path(os.path.realpath(folder / name))
    if not real.is_relative_to(folder):
        raise RefusedError("refused: a link that leads out of the folder")
    handle = _walk(folder, real.relative_to(folder).parts)
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError("refused: no plain file")
        if status.st_size > LARGEST_FILE:
            raise RefusedError(
                f"too large: {status.st_size / 1e6:,.0f} MB, at most {LARGEST_FILE / 1e6:,.0f} MB are read"
            )
        return stream.read(LARGEST_FILE)


def _walk(folder: Path, parts: Sequence[str]) -> int:
    """Open folder/parts for reading, following no link on the way (where the system can say so)."""
    if os.open not in os.supports_dir_fd or not parts:
        return os.open(folder.joinpath(*parts), os.O_RDONLY | getattr(os, "O_BINARY", 0))
    # Not blocking: a named pipe would otherwise hold the panel up for ever.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for i, part in enumerate(parts):
        try:
            further = os.open(part, flags | (os.O_DIRECTORY if i + 1 < len(parts) else 0), dir_fd=handle)
        finally:
            os.close(handle)
        handle = further
    return handle
