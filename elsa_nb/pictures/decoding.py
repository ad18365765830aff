"""From a picture file to 8 bits of red, green and blue, the right way up: for the encoder and for the card alike.

Every kind of file that Pillow opens is read, HEIC where `pillow_heif` is installed. The first page counts, an EXIF
orientation is obeyed, and what is transparent is put on white. Grey pictures of more than 8 bits are scaled by one
range for all of their kind (`greys.py`): up to 16 bits, 32 bits, floats; and so is colour of 16 bits that uses few of
them. What a file declares to be no data, or what gives itself away as such (`no_data.py`), has no part in that. A
`Decoding` says how a folder was read; it is part of the recipe of its pools.
"""

import importlib
import importlib.util
import io
import logging
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageCms

from elsa_nb.pictures.depths import Depth, depth_of, look_before_reading, mend_planes
from elsa_nb.pictures.greys import (
    SAMPLE_PICTURES,
    Range,
    range_of,
    range_of_colours,
    range_of_masks,
    sample,
    some_values,
    to_8_bits,
)
from elsa_nb.pictures.no_data import holds_no_data, sentinels, shown_black
from elsa_nb.pictures.reasons import why_not_decoded, why_not_opened, why_not_read

VERSION = 4  # raise it with any change of what `Decoding.picture` returns: pools of folders are then made anew
VERSION_OF_FLOATS = 5  # the same, for folders that hold pictures of floats; larger than VERSION

# Kinds that may need a range, and how it is found. Of deep colour, Pillow reads the upper 8 bits; grey of 8 bits may be
# masks of 0 and 1.
RANGES = {
    "integers": range_of,  # of 9 to 16 bits, or 8 bits with a sign
    "floats": range_of,
    "colours": range_of_colours,
    "masks": range_of_masks,
    "longs": range_of,  # whole numbers of 32 bits
}
GREYS = ("integers", "longs", "floats")  # those with values that may mean "no data"
# EPS runs programs in an interpreter; Pillow knows the others by name only.
_NOT_READ = {"EPS", "WMF", "MPEG", "IPTC", "BUFR", "GRIB", "HDF5"}
_COMMON = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP")  # asked first
_VIEWS = {"MPO", "PSD"}  # further pictures of the same view, or layers of one: not pages
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LONGEST_REASON = 120
_SMALLER = "save it smaller, or in parts"
# 8,000 x 8,000; scans of text, the most compact real pictures, hold some 500 pixels per byte, but fewer pixels.
_MANY_PIXELS, _MOST_PIXELS_A_BYTE = 1 << 26, 200

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # the error at twice as many is our limit
logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it notes of a broken file is said with its name


class UnreadableError(ValueError):
    """Say in a few words, for a card or a list, why a file shows no picture."""


class Sample(NamedTuple):
    """Some finite values (m,) float64 of a deep picture, without what its file declares to be `no_data`.

    `ink`: its large values are dark.
    """

    values: np.ndarray
    no_data: float | None = None
    ink: bool = False


class Header(NamedTuple):
    """What a file says about its picture: a kind of `RANGES`, or "" for other 8 bits; if it has more pages."""

    kind: str
    paged: bool


@cache
def formats() -> tuple[str, ...]:
    """Return the formats that are read, by Pillow's names."""
    # An optional plug-in of Pillow: nothing here needs it.
    if importlib.util.find_spec("pillow_heif") is not None:
        importlib.import_module("pillow_heif").register_heif_opener()
    with_ending = set(Image.registered_extensions().values()) & set(Image.OPEN)  # those without are guesses
    return (*_COMMON, *sorted(with_ending - _NOT_READ - set(_COMMON)))


@cache
def endings() -> tuple[str, ...]:
    """Return the endings of the files that are read, in lower case, with the dot."""
    read = {*formats(), "MPO"}  # what Pillow calls a JPEG with several pictures
    known = {ending for ending, kind in Image.registered_extensions().items() if kind in read}
    return tuple(sorted({*known, ".btf"}))  # a large TIFF, which Pillow reads under any name


@dataclass(frozen=True)
class Decoding:
    """How the picture files of one folder are read.

    `integers` (of up to 16 bits), `longs` (of 32) and `floats` are the grey values that become black and white in
    pictures of more than 8 bits of that kind; where they are None, each picture is scaled by values of its own. Only
    where `longs` is None do `integers` hold for them, too: earlier versions found one range for both. `colours` is the
    same for colour of 16 bits, of the upper 8; where it is None, they are left as they are. `masks` is 0 and 1 if all
    grey pictures of 8 bits that were looked at hold no other values: each picture of 0 and 1 is then black and white.

    `no_data` names kinds in which no data is shown in black: the values listed for the kind, but in ink, and besides
    them what a file declares. Kinds that are not in it are read as earlier versions read them. `declared` are such
    values of the files that were looked at, for a remark.
    """

    integers: Range | None = None
    floats: Range | None = None
    colours: Range | None = None
    masks: Range | None = None
    longs: Range | None = None
    no_data: Mapping[str, tuple[float, ...]] = field(default_factory=dict, hash=False)
    declared: tuple[float, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Decoding":
        """Return the decoding that `told` described."""
        no_data = {kind: tuple(values) for kind, values in told.get("no_data", {}).items()}
        return cls(*(tuple(told[kind]) if told.get(kind) else None for kind in RANGES), no_data=no_data)

    def told(self) -> dict[str, Any]:
        """Return what was done as plain data, for a recipe."""
        version = VERSION_OF_FLOATS if self.floats else VERSION
        how = {"version": version, "orientation": "EXIF", "page": "first", "transparency": "white"}
        how |= {kind: list(limits) for kind in RANGES if (limits := getattr(self, kind))}
        return how | ({"no_data": {kind: list(each) for kind, each in self.no_data.items()}} if self.no_data else {})

    def limits(self, kind: str) -> Range | None:
        """Return the values that are black and white in pictures of a kind of `RANGES`; None where none are known."""
        return getattr(self, self._source(kind))

    def absent(self, kind: str, declared: Iterable[float | None] = ()) -> tuple[float, ...]:
        """Return the values that mean no data in pictures of a kind; `declared` are those that their files declare."""
        if (values := self.no_data.get(self._source(kind))) is None:
            return ()
        return tuple(sorted({*values, *(each for each in declared if each is not None)}))

    def knows_no_data(self, kind: str) -> bool:
        """Whether pictures of a kind may have no data: some was found, or declared, when the range was."""
        return self._source(kind) in self.no_data

    def _source(self, kind: str) -> str:
        return "integers" if kind == "longs" and self.longs is None else kind

    def completed(self, samples: Mapping[str, Iterable[Sample]]) -> "Decoding":
        """Return the decoding with the ranges, and the values for no data, that it lacks: found from samples by kind.

        What it has stays as it is.
        """
        found, no_data, declared = {}, dict(self.no_data), set(self.declared)
        for kind, looked_at in samples.items():
            if self.limits(kind) is not None:
                continue
            looked_at = list(looked_at)
            absent = sentinels(each.values for each in looked_at if not each.ink) if kind in GREYS else ()
            found[kind] = RANGES[kind](data_of(looked_at, absent))
            if absent or any(each.no_data is not None for each in looked_at):
                no_data[kind] = absent
            declared |= {each.no_data for each in looked_at if each.no_data is not None}
        return replace(self, **found, no_data=no_data, declared=tuple(sorted(declared)))

    def picture(self, stream: BinaryIO, side: int | None = None) -> Image.Image:
        """Return the picture of an open file as RGB, scaled down to `side` pixels at most where that is given.

        Raises UnreadableError for what is not a whole picture, or too large to unpack.
        """

        def read() -> Image.Image:
            with _opened(stream) as image:
                refuse_bomb(image, stream)
                depth = depth_of(image)
                if side is not None:
                    image.draft("RGB", (2 * side, 2 * side))
                image.load()  # turns a TIFF without being asked
                return self._rgb(image, depth, side)

        return _guarded(read, stream)

    def shown(self, image: Image.Image, side: int | None = None) -> Image.Image:
        """Return a picture that Pillow has opened, left as it is, in the same way."""

        def read() -> Image.Image:
            look_before_reading(image)
            return self._rgb(image.copy(), depth_of(image), side)

        return _guarded(read)

    def _rgb(self, image: Image.Image, depth: Depth, side: int | None) -> Image.Image:
        turn, kind = _TURNS.get(_orientation(image)), depth.kind
        if kind == "colours" and self.colours is not None:
            levels = to_8_bits(np.arange(256), self.colours).tolist()
            image = image.point(levels * 3 + list(range(256)) * (len(image.getbands()) - 3))
        if kind == "masks" and self.masks is not None and image.getextrema()[1] <= 1:
            image = image.point([0] + [255] * 255)
        grey = kind in GREYS
        shown = Image.fromarray(self._scaled(depth.values(image), depth)) if grey else _on_white(image)
        if side is not None:
            shown.thumbnail((side, side))
        shown = shown.convert("RGB")
        return shown if turn is None else shown.transpose(turn)

    def _scaled(self, pixels: np.ndarray, depth: Depth) -> np.ndarray:
        if depth.kind == "floats" and not np.isfinite(pixels).any():
            raise UnreadableError("nothing to show: no pixel is a number; write values into it, or remove the file")
        how = self
        if self.limits(depth.kind) is None:
            how = Decoding().completed({depth.kind: [sample_of(pixels, depth)]})
        if (limits := how.limits(depth.kind)) is None:
            raise UnreadableError("nothing to show: no pixel that was looked at is a number, or all are no data")
        shown = 255 - to_8_bits(pixels, limits) if depth.ink else to_8_bits(pixels, limits)
        if how.knows_no_data(depth.kind):
            shown[shown_black(pixels, () if depth.ink else how.absent(depth.kind), depth.no_data)] = 0
        return shown


def look(stream: BinaryIO) -> Header:
    """Return what the header of a picture file says; UnreadableError where it has none or names too many pixels."""

    def read() -> Header:
        with _opened(stream) as image:
            refuse_bomb(image, stream)
            return Header(depth_of(image).kind, image.format not in _VIEWS and getattr(image, "is_animated", False))

    return _guarded(read, stream)


def refuse_bomb(image: Image.Image, stream: BinaryIO) -> None:
    """Raise UnreadableError for a picture whose header promises far more pixels than its file can really hold."""
    here = stream.tell()
    pixels, held = image.width * image.height, stream.seek(0, os.SEEK_END)
    stream.seek(here)
    if pixels > _MANY_PIXELS and pixels > _MOST_PIXELS_A_BYTE * held:
        raise UnreadableError(
            f"{image.width} x {image.height} pixels in {held:,} bytes would fill the memory; {_SMALLER}"
        )


def find_decoding(deep: Mapping[str, list[Callable[[], BinaryIO]]]) -> Decoding:
    """Choose the ranges from functions that open the deep pictures of a folder, by kind; 64 of each are read.

    Files that cannot be read are ignored here; embedding or showing them reports it.
    """
    return Decoding().completed({kind: sampled(files).values() for kind, files in deep.items()})


def decoding_of(pictures: Iterable[Image.Image | bytes]) -> Decoding:
    """Choose the ranges from pictures that Pillow has opened, left as they are, or the bytes of their files.

    Broken ones are ignored.
    """
    found: dict[str, list[Sample]] = {kind: [] for kind in RANGES}

    def add(picture: Image.Image | bytes) -> None:
        if isinstance(picture, bytes):
            stream = io.BytesIO(picture)
            picture = _opened(stream)
            refuse_bomb(picture, stream)
        look_before_reading(picture)
        if (depth := depth_of(picture)).kind:
            found[depth.kind].append(sample_of(_pixels(picture.copy(), depth), depth))

    for picture in pictures:
        with suppress(UnreadableError):
            _guarded(partial(add, picture))
    return Decoding().completed(found)


def sample_of(pixels: np.ndarray, depth: Depth) -> Sample:
    """Return some values of a picture of any shape, without those that its `depth` says are no data."""
    values, no_data = some_values(pixels), depth.no_data
    values = values if no_data is None else values[~holds_no_data(values, [no_data])]
    return Sample(values, no_data, depth.ink)


def data_of(samples: Iterable[Sample], absent: Sequence[float]) -> list[np.ndarray]:
    """Return the values of samples without those in `absent`, which mean no data where large values are bright."""
    return [each.values if each.ink else each.values[~holds_no_data(each.values, absent)] for each in samples]


def sampled(files: list[Callable[[], BinaryIO]]) -> dict[int, Sample]:
    """Return some values of at most 64 of the deep pictures that `files` open, by place, without those broken."""
    found = {}
    for i in sample(len(files), SAMPLE_PICTURES).tolist() if files else ():
        with suppress(OSError, UnreadableError), files[i]() as stream:
            found[i] = _guarded(partial(_sample_in, stream), stream)
    return found


def _sample_in(stream: BinaryIO) -> Sample:
    image = _opened(stream)
    depth = depth_of(image)
    return sample_of(_pixels(image, depth), depth)


def _opened(stream: BinaryIO) -> Image.Image:
    """Return a picture whose header is read; UnidentifiedImageError, UnreadableError for what is not read."""
    image = Image.open(stream, formats=formats())
    if lacking := why_not_decoded(image):
        raise UnreadableError(lacking)
    mend_planes(image)
    return image


def _guarded(read: Callable[[], Any], stream: BinaryIO | None = None) -> Any:
    """Return what `read` returns; UnreadableError, saying why, for any failure of it. `stream` is the file, if any."""
    try:
        return read()
    except UnreadableError:
        raise
    except Image.DecompressionBombError:
        raise UnreadableError(f"too large: more than {2 * Image.MAX_IMAGE_PIXELS:,} pixels; {_SMALLER}") from None
    except MemoryError:
        raise UnreadableError(f"too large for the memory of this machine; {_SMALLER}") from None
    except Exception as error:  # decoders meet broken files with errors of every kind
        if stream is None:
            raise UnreadableError(str(error)[:_LONGEST_REASON] or type(error).__name__) from None
        unknown = isinstance(error, Image.UnidentifiedImageError)
        why = why_not_opened(stream, endings()) if unknown else why_not_read(stream, error)
        raise UnreadableError(why) from None


def _pixels(image: Image.Image, depth: Depth | None = None) -> np.ndarray:
    """Return the values of a picture without its transparency."""
    depth = depth or depth_of(image)
    return depth.values(image.convert("RGB") if image.mode in ("RGBA", "RGBX") else image)


def _orientation(image: Image.Image) -> Any:
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # a broken entry beside a whole picture, in one of many ways: it is shown unturned
        return None


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "LAB":
        lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, lab, rgb, outputMode="RGB")
    if image.mode == "La":  # has one conversion only
        image = image.convert("LA")
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
