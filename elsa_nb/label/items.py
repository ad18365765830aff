"""What the panel shows: pictures, texts or sounds behind one small protocol, and files opened with care.

The panel never sees a path. It asks for the content of a row and gets bytes with their media type, or a placeholder
that says why there is nothing to show; a broken image never stops the work. Pictures are read by `elsa_nb.pictures`, as
for the encoders: what a person sees is what was embedded. `as_items.py` makes items of what a notebook holds.
"""

import hashlib
import io
import mimetypes
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from elsa_nb.errors import MissingDataError
from elsa_nb.pictures.arrays import laid_out, picture_of, range_of_arrays
from elsa_nb.pictures.decoding import (
    RANGES,
    Decoding,
    UnreadableError,
    decoding_of,
    endings,
    find_decoding,
    look,
    look_before_reading,
)
from elsa_nb.pictures.greys import Range, sample
from elsa_nb.pictures.no_data import said_of_no_data
from elsa_nb.pictures.opening import RefusedError, open_inside, open_plain, real_path

LARGEST_SOUND = 64 << 20  # bytes: a sound goes to the browser whole
LONGEST_TEXT = 1 << 20  # letters, in the larger view
CARD_LETTERS = 1000  # of a text on a card
LARGER_VIEW = 600  # pixels: content of this size or more is shown alone
SOUNDS = {".wav", ".mp3", ".ogg", ".flac", ".m4a", ".opus"}
TEXTS = {".txt", ".md"}
_SMALL = 128  # pixels: smaller pictures are shown enlarged, and lossy compression would be seen
_BEGINNING = 1 << 16  # bytes of a file that tell it from others of the same size
_HEADERS = 256  # files looked at for deep grey ones, where no pool says how its folder was read


class Content(NamedTuple):
    """One item on screen. `kind` is "image", "audio", "text" or "missing" (then `text` says why).

    `data` are the bytes of an image or a sound, `mime` their media type.
    """

    kind: str
    mime: str = ""
    data: bytes = b""
    text: str = ""


@runtime_checkable
class Items(Protocol):
    """What a panel gets: an id for each row of the pool, and what to show for a row."""

    ids: Sequence[str]

    def content(self, row: int, side: int) -> Content:
        """Return row's content, an image at most `side` pixels wide and high."""


class _FileItems:
    """Items that are files, read by the ending of their id; the range of deep grey pictures is found once if not given.

    A subclass says where the file of a row is, and how it is opened.
    """

    def __init__(self, ids: list[str], decoding: Decoding | None = None):
        self.ids, self._decoding = ids, decoding
        self._lock = threading.Lock()

    def _open(self, row: int, picture: bool = True) -> BinaryIO:
        raise NotImplementedError

    def _place(self, row: int) -> Path:
        raise NotImplementedError

    def content(self, row: int, side: int) -> Content:
        """Return an image scaled down to `side`, a sound as it is, a text (on a card its beginning)."""
        name = self.ids[row]
        suffix = Path(name).suffix.lower()
        try:
            with self._open(row, suffix not in SOUNDS | TEXTS) as stream:
                if suffix in SOUNDS:
                    return _sound(name, stream.read(LARGEST_SOUND + 1))
                if suffix in TEXTS:
                    return text_content(stream.read(4 * LONGEST_TEXT).decode("utf-8", "replace"), side)
                return _shown(self._known().picture(stream, side), side)
        except FileNotFoundError:
            return Content("missing", text="the file is not there any more")
        except UnreadableError as error:
            return Content("missing", text=f"no readable image ({error})")
        except RefusedError as error:
            return Content("missing", text=str(error))
        except OSError as error:
            return Content("missing", text=f"the file cannot be read ({error.strerror or error})")

    def digest(self, row: int) -> str | None:
        """Return what tells a file from others of its name, from its size and beginning; None where it is gone."""
        try:
            with self._open(row) as stream:
                beginning = stream.read(_BEGINNING)
                return _short_hash(beginning, stream.seek(0, io.SEEK_END))
        except (OSError, RefusedError):
            return None

    def written(self, row: int) -> float | None:
        """Return when a file was written, in seconds since 1970; None where it is gone."""
        try:
            return self._place(row).stat().st_mtime
        except (OSError, RefusedError, ValueError):
            return None

    def _known(self) -> Decoding:
        with self._lock:
            if self._decoding is None:
                self._decoding = self._found()
            return self._decoding

    def _found(self) -> Decoding:
        pictures = [row for row, name in enumerate(self.ids) if name.lower().endswith(endings())]
        deep: dict[str, list] = {kind: [] for kind in RANGES}
        for i in sample(len(pictures), _HEADERS) if pictures else ():
            try:
                with self._open(pictures[i]) as stream:
                    kind = look(stream).kind
            except (OSError, UnreadableError, RefusedError):
                continue
            if kind:
                deep[kind].append(lambda row=pictures[i]: self._open(row))
        return _told(find_decoding(deep))


class Files(_FileItems):
    """Items that are files of one folder: pictures of every kind that Pillow opens, texts, sounds.

    `names` are paths inside `folder`, one per row of the pool; or the pool itself, which also says how its pictures
    were read. Links are followed, but out of the folder only to pictures; a name itself never leads out.
    """

    def __init__(self, folder: Path | str, names: Sequence[str] | Any):
        self.folder = Path(folder).resolve()
        if not self.folder.is_dir():
            if self.folder.exists():
                raise ValueError(f"{folder} is a file; give the folder that holds the items")
            raise MissingDataError(f"{folder} is not here; give the folder that holds the items.")
        decoding: Mapping[str, Any] = getattr(names, "provenance", {}).get("decoding", {})
        ids = [str(name) for name in _listed(getattr(names, "ids", names), "names")]
        super().__init__(ids, Decoding.of(decoding) if decoding else None)

    def __repr__(self) -> str:
        return f"<Files: {len(self.ids):,} in {self.folder}>"

    def _open(self, row: int, picture: bool = True) -> BinaryIO:
        return open_inside(self.folder, self.ids[row], through_links=picture)

    def _place(self, row: int) -> Path:
        return real_path(self.folder, self.ids[row])


class Paths(_FileItems):
    """Items that are files anywhere, each named by the user: pictures, texts, sounds. Their ids are the paths."""

    def __init__(self, paths: Sequence[Path | str]):
        super().__init__([str(path) for path in _listed(paths, "paths")])

    def _open(self, row: int, picture: bool = True) -> BinaryIO:
        return open_plain(self.ids[row])

    def _place(self, row: int) -> Path:
        return Path(self.ids[row])


class Arrays:
    """Items that are arrays in memory: `read(rows)` returns pictures, as `Glyphs.images` does, or is an array itself.

    A picture is (h, w), (h, w, c) or (c, h, w) with 1, 3 or 4 channels, of any kind of number; uint8 is shown as it
    is (masks of 0 and 1: black and white), for others a sample of the rows decides once which values are black and
    white, and which mean "no data", which is printed. `invert` turns ink on black into ink on white. Raises ValueError
    where the first one is not a picture.
    """

    def __init__(
        self, read: Callable[[Sequence[int]], Any] | Any, ids: Sequence[str] | None = None, *, invert: bool = False
    ):
        ids = () if ids is None else ids
        if hasattr(read, "images"):
            read, ids = read.images, ids if len(ids) else read.ids
        if not callable(read):
            array = read if hasattr(read, "shape") else np.asarray(read)  # what lies in a file stays there
            if not len(array):
                raise ValueError("images is an empty array; give one picture per row of the pool")
            if len(array.shape) == 3 and array.shape[2] in (3, 4) and array.shape[1] > 4:
                raise ValueError(
                    f"images is an array of shape {array.shape}, which looks like one colour picture; hand over many: "
                    "(n, h, w) or (n, h, w, channels). If these are n grey pictures, make it array[..., None]"
                )
            read = lambda rows: [array[int(row)] for row in rows]  # noqa: E731 - what takes lists elsewhere sorts them
            ids = _one_a_row(ids, len(array))
        self.ids, self._read, self._invert = ids, read, invert
        self._limits: Range = (0.0, 1.0)
        self._no_data: tuple[float, ...] = ()
        if len(ids):
            first = laid_out(self._array(0))
            if first.dtype == np.uint8 and first.max() > 1:
                self._limits = (0.0, 255.0)
            elif first.dtype != bool:
                looked_at = (laid_out(self._array(int(row))) for row in sample(len(ids)))
                self._limits, self._no_data = range_of_arrays(looked_at)
        _tell_no_data(self._no_data, "arrays")

    def __repr__(self) -> str:
        return f"<Arrays: {len(self.ids):,}>" if len(self.ids) else "<Arrays: those of the pool's rows>"

    def content(self, row: int, side: int) -> Content:
        """Return the image as PNG; the screen enlarges one that is smaller than `side` by a whole factor or more."""
        image = picture_of(self._array(row), self._limits, self._no_data)
        if self._invert:
            image = Image.eval(image, lambda value: 255 - value)
        image.thumbnail((side, side))
        return Content("image", "image/png", _encoded(image, "PNG"))

    def digest(self, row: int) -> str:
        """Return what tells an array from others, from its shape and values."""
        array = np.ascontiguousarray(self._array(row))
        return _short_hash(array.tobytes(), array.shape, array.dtype.str)

    def _array(self, row: int) -> np.ndarray:
        return np.asarray(self._read([row])[0])


class Texts:
    """Items that are texts in memory."""

    def __init__(self, texts: Sequence[str], ids: Sequence[str] | None = None):
        texts = list(_listed(texts, "texts"))
        if (row := next((row for row, text in enumerate(texts) if text is None or text != text), None)) is not None:
            raise ValueError(f'row {row} of texts is {texts[row]}; give "" for it, or leave the row out of the pool')
        self.ids = _one_a_row(ids, len(texts))
        self._texts = texts

    def __repr__(self) -> str:
        return f"<Texts: {len(self.ids):,}>"

    def content(self, row: int, side: int) -> Content:
        """Return the text; on a card its beginning."""
        return text_content(str(self._texts[row]), side)

    def digest(self, row: int) -> str:
        """Return what tells a text from others."""
        text = str(self._texts[row])
        try:
            return _short_hash(text.encode(errors="surrogateescape"))
        except UnicodeEncodeError:  # half a letter, where a text was cut
            return _short_hash(text.encode(errors="surrogatepass"))


class Pictures:
    """Items that are pictures of Pillow, or the bytes of picture files."""

    def __init__(self, pictures: Sequence[Image.Image | bytes], ids: Sequence[str] | None = None):
        self.ids = _one_a_row(ids, len(pictures))
        self._pictures = pictures

    def __repr__(self) -> str:
        return f"<Pictures: {len(self.ids):,}>"

    @cached_property
    def _decoding(self) -> Decoding:
        """How deep grey pictures are read, each of them by the same range: as those of a folder are."""
        return _told(decoding_of(self._pictures[int(row)] for row in sample(len(self._pictures))))

    def content(self, row: int, side: int) -> Content:
        """Return the picture scaled down to `side`."""
        picture = self._pictures[row]
        try:
            if isinstance(picture, bytes):
                return _shown(self._decoding.picture(io.BytesIO(picture), side), side)
            return _shown(self._decoding.shown(picture, side), side)
        except UnreadableError as error:
            return Content("missing", text=f"no readable image ({error})")

    def digest(self, row: int) -> str | None:
        """Return what tells a picture from others; None where it is broken."""
        picture = self._pictures[row]
        try:
            if isinstance(picture, bytes):
                return _short_hash(picture)
            look_before_reading(picture)  # its bytes are read here, and so the card's, too
            return _short_hash(picture.tobytes())
        except (OSError, SyntaxError, ValueError):  # a file that was opened, but not read to its end until now
            return None


def _told(decoding: Decoding) -> Decoding:
    """Return how pictures are read, which was just found; say what is taken for no data."""
    _tell_no_data(
        sorted({*decoding.declared, *(each for values in decoding.no_data.values() for each in values)}), "pictures"
    )
    return decoding


def _tell_no_data(values: Sequence[float], what: str) -> None:
    if values:
        print(f"Of the values in these {what}, {said_of_no_data(values)}.")


def _listed(values: Any, what: str) -> Any:
    """Return one value per row; raise ValueError for a single text, each letter of which would be a row."""
    if isinstance(values, str | bytes | Path) or not hasattr(values, "__iter__"):
        raise ValueError(f"{what} is of type {type(values).__name__}; give a list of them, one per row of the pool")
    return values


def _one_a_row(ids: Sequence[str] | None, n: int) -> Sequence[str]:
    """Return the ids of `n` items, "0", "1", ... where none are given; ValueError for another number of them."""
    if ids is None or not len(ids):
        return [str(row) for row in range(n)]
    if len(ids) != n:
        raise ValueError(f"{len(ids)} ids for {n} items; give one per item, in the same order, or leave them out")
    return ids


def _short_hash(data: bytes, *more: object) -> str:
    return hashlib.sha256(repr(more).encode() + data).hexdigest()[:16]


def content_of(items: Items, row: int, side: int) -> Content:
    """Return what `items` show for a row, or a placeholder with the reason: a card always arrives."""
    try:
        return items.content(row, side)
    except Exception as error:  # items may be anybody's code, and on a reader's thread an error would reach nobody
        return Content("missing", text=f"cannot be shown ({type(error).__name__}: {str(error)[:200]})")


def text_content(text: str, side: int) -> Content:
    """Return a text, whole for the larger view; for a card cut after a word, with "..." at its end.

    Halves of letters, which cannot be sent to a page, become question marks.
    """
    longest = LONGEST_TEXT if side >= LARGER_VIEW else CARD_LETTERS
    if len(text) > longest:
        text = text[:longest].rsplit(maxsplit=1)[0] + " ..."
    return Content("text", text=text.encode(errors="replace").decode())


def _sound(name: str, data: bytes) -> Content:
    if len(data) > LARGEST_SOUND:
        raise RefusedError(f"too large: at most {LARGEST_SOUND / 1e6:,.0f} MB of sound are played")
    return Content("audio", mimetypes.guess_type(name)[0] or "audio/wav", data)


def _shown(image: Image.Image, side: int) -> Content:
    kind = "PNG" if max(image.size) < min(side, _SMALL) else "JPEG"
    return Content("image", f"image/{kind.lower()}", _encoded(image, kind))


def _encoded(image: Image.Image, kind: str) -> bytes:
    stream = io.BytesIO()
    # Runs of equal bytes are all that is looked for in a PNG: half the time, and a photograph is no larger.
    how = {"quality": 88} if kind == "JPEG" else {"compress_level": 1, "compress_type": zlib.Z_RLE}
    image.save(stream, kind, **how)
    return stream.getvalue()
