"""Why a file shows no picture, found out from the file itself, and what to do about it, in a few words.

Decoders fail with words of their own, such as "decoder error -2", or "3 bytes not processed" for a file of which half
is missing. Here the file is looked at again: what it is, whether it is all there, and, of a TIFF, what is not read.
"""

import codecs
import io
import re
import struct
import subprocess
import sys
from collections.abc import Collection
from contextlib import suppress
from functools import cache
from typing import Any, BinaryIO

from PIL import Image, TiffImagePlugin

from elsa_nb.pictures.kinds import FIRST_BYTES, TIFF, FileKind, kind_by_content

_COPY = "copy it again"
_LONGEST_WORDS = 60  # of a decoder
_TAIL = 4096  # bytes, in which a whole file has the mark of its end, and not only zeros
# What the last bytes of a whole file have in them.
_ENDS = {".jpg": b"\xff\xd9", ".png": b"IEND", ".gif": b";"}
# What decoders say of files that are whole, but of a form for which they were not written.
_LACKING = re.compile("unsupported|unimplemented|not (supported|available|implemented)", re.IGNORECASE)
_RAN_OUT = re.compile("truncated|not enough|incomplete", re.IGNORECASE)
_UNKNOWN = "not a kind of file that is read here; save it as PNG, TIFF or JPEG"
# The first bytes of what often comes in the place of a picture.
_NO_PICTURES = {
    rb"version https://git-lfs": "a pointer of Git LFS; `git lfs pull` gets the picture",
    rb"(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)*(?i:<(!doctype html|html))": (
        "a web page, not the picture that was asked for; download it again"
    ),
    rb"(\xef\xbb\xbf)?\s*<\?xml": "a text in XML, not a picture; download the picture again, or remove the file",
    rb"RIFF.{4}WAVE|ID3[\x02-\x04]|OggS|fLaC": "a sound; remove it, or search sounds by vectors of your own",
}
_WIDTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 258, 259, 262  # tags of a TIFF
_STRIPS, _CHANNELS, _STRIP_BYTES, _TILES, _TILE_BYTES, _FORM = 273, 277, 279, 324, 325, 339
_COMPRESSIONS = {
    34712: "JPEG 2000",
    33003: "JPEG 2000",
    33004: "JPEG 2000",
    33005: "JPEG 2000",
    34887: "LERC",
    34892: "a lossy kind of JPEG",
    34933: "PNG",
    34934: "JPEG XR",
    22610: "JPEG XR",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
    34713: "the compression of Nikon's raw pictures",
    50013: "Pixtiff",
    34661: "JBIG",
    34676: "SGI LogLuv",
    34677: "SGI LogLuv",
    34925: "LZMA",
    50000: "Zstandard",
    65000: "EER",
    65001: "EER",
}
_FORMS = {1: "whole numbers", 2: "whole numbers with a sign", 3: "floats", 5: "complex numbers", 6: "complex numbers"}
_MOST_CHANNELS = 4
_MOST_MISSING = 100  # times what is there
# Those that a libtiff may have been built without; Pillow writes them, too, where it was not.
_OPTIONAL = ("webp", "zstd", "lzma")


def why_not_opened(stream: BinaryIO, read: Collection[str]) -> str:
    """Return why Pillow knows no picture in a file; `read` are the endings of the kinds that it reads."""
    stream.seek(0)
    head = stream.read(FIRST_BYTES)
    if not head:
        return f"an empty file; {_COPY}"
    kind = kind_by_content(head)
    if kind is TIFF:
        return _why_not_tiff(stream)
    if kind is not None:
        if kind.endings[0] not in read:
            return kind.told
        return _cut(stream, head, kind) or f"{kind.named} that is damaged; {_COPY}"
    for pattern, what in _NO_PICTURES.items():
        if re.match(pattern, head, re.DOTALL):
            return what
    if not any(head):
        return f"begins with zeros only, as a file does that was not copied to its end; {_COPY}"
    return "a text, not a picture; get the picture, or remove the file" if _is_text(head) else _UNKNOWN


def why_not_read(stream: BinaryIO, error: Exception) -> str:
    """Return why the picture of a file that Pillow has opened cannot be read; `error` is what Pillow raised."""
    if isinstance(error, OSError) and error.strerror:  # of the disk
        return f"the file cannot be read ({error.strerror}); try again, or {_COPY}"
    words = str(error).partition(" <")[0][:_LONGEST_WORDS] or type(error).__name__
    if isinstance(error, NotImplementedError) or _LACKING.search(words):
        return f"in a form that is not read ({words}); save it as PNG, TIFF or JPEG"
    stream.seek(0)
    head = stream.read(FIRST_BYTES)
    kind = kind_by_content(head)
    tags = _tags(stream) if kind is TIFF else None
    if cut := _cut(stream, head, kind, tags):
        return cut
    if (compression := (tags or {}).get(_COMPRESSION)) in _COMPRESSIONS:
        return _of_compression(compression)
    if _RAN_OUT.search(words):  # how many bytes were left over, which the words say, is not how many are missing
        inside = f"damaged inside: its data end before the picture is full; {_COPY}"
        return inside if _end_of(kind) else f"cut off: the file ends before its picture does; {_COPY}"
    return f"{'damaged inside' if _end_of(kind) else 'damaged or cut off'} ({words}); {_COPY}"


def why_not_decoded(image: Image.Image) -> str:
    """Return why the decoders of this Pillow cannot read an opened TIFF, or "".

    It is asked before they try, since libtiff then writes to the terminal what it lacks, for each file.
    """
    compression = image.info.get("compression") if image.format == "TIFF" else None
    if compression not in _OPTIONAL or _has_codec(compression):
        return ""
    return _of_compression(image.tag_v2[_COMPRESSION])


@cache
def _has_codec(compression: str) -> bool:
    """Whether Pillow's libtiff reads and writes a compression; asked in a process whose terminal nobody sees."""
    tried = f"Image.new('RGB', (16, 16)).save(io.BytesIO(), 'TIFF', compression={compression!r})"
    asked = subprocess.run(
        [sys.executable, "-c", f"import io; from PIL import Image; {tried}"], capture_output=True, check=False
    )
    return asked.returncode == 0


def _why_not_tiff(stream: BinaryIO) -> str:
    tags = _tags(stream)
    if tags is None or _WIDTH not in tags:
        return f"a TIFF that is cut off: what says how to read it is missing; {_COPY}"
    compression, photometric, channels = tags.get(_COMPRESSION, 1), tags.get(_PHOTOMETRIC), tags.get(_CHANNELS, 1)
    if compression not in TiffImagePlugin.COMPRESSION_INFO:
        return _of_compression(compression)
    if photometric not in {key[1] for key in TiffImagePlugin.OPEN_INFO}:
        return "a TIFF of a camera's sensor, or in colours that are not read; save it as RGB"
    if channels > _MOST_CHANNELS:
        return f"a TIFF of {channels} channels; save the one, three or four of them that are to be seen"
    bits, form = _first(tags.get(_BITS, 1)), _FORMS.get(_first(tags.get(_FORM, 1)), "unknown numbers")
    if channels > 1 and bits in (8, 16) and form == _FORMS[1]:
        return f"a TIFF of {channels} channels of which none is said to be a colour; save it as RGB, or each as grey"
    what = "grey" if channels == 1 else f"{channels} channels"
    cure = "grey of 16 bits, or of 32 as floats" if channels == 1 else "8 or 16 bits"
    return f"a TIFF of {what} in {form} of {bits} bits, which are not read; save it in {cure}"


def _of_compression(number: Any) -> str:
    named = _COMPRESSIONS.get(number, f"a method that is not known (its number is {number})")
    return f"a TIFF compressed with {named}, which is not read; save it with LZW or without compression"


def _tags(stream: BinaryIO) -> Any:
    """Return the tags of the first page of a TIFF, None where they are not in the file."""
    stream.seek(0)
    head = stream.read(8)
    head += stream.read(8) if len(head) == 8 and head[2] + head[3] == ord("+") else b""
    with suppress(Exception):  # damage of every kind: then nothing is known
        tags = TiffImagePlugin.ImageFileDirectory_v2(head)
        stream.seek(tags.next)
        tags.load(stream)
        return tags
    return None


def _cut(stream: BinaryIO, head: bytes, kind: FileKind | None, tags: Any = None) -> str:
    """Say how a file shows that it is not all there, and how much is missing where it says that; "" if it is whole."""
    size = stream.seek(0, io.SEEK_END)
    if (whole := _whole_size(stream, head, tags)) > size:
        return f"cut off: {whole - size:,} of {whole:,} bytes are missing; {_COPY}"
    stream.seek(max(0, size - _TAIL))
    tail = stream.read(_TAIL)
    if size > _TAIL and not any(tail):
        return f"its end holds zeros only, as in a file that was not copied to its end; {_COPY}"
    end = _end_of(kind)
    return "" if end in tail[-2 if len(end) == 1 else 0 :] else f"cut off: the end of the picture is missing; {_COPY}"


def _end_of(kind: FileKind | None) -> bytes:
    """Return what is among the last bytes of every whole file of a kind; nothing where there is no such mark."""
    return _ENDS.get(kind.endings[0], b"") if kind else b""


def _whole_size(stream: BinaryIO, head: bytes, tags: Any) -> int:
    """Return how many bytes a file must have by what it says itself; 0 where it does not say."""
    if head.startswith(b"RIFF"):
        return struct.unpack_from("<I", head, 4)[0] + 8
    if re.match(rb"\0\0\0.(ftyp|jP  )", head, re.DOTALL):
        return _end_of_boxes(stream)
    for places, counts in ((_STRIPS, _STRIP_BYTES), (_TILES, _TILE_BYTES)):
        if tags is not None and places in tags and counts in tags:
            return max(map(sum, zip(_each(tags[places]), _each(tags[counts]), strict=False)), default=0)
    return 0


def _end_of_boxes(stream: BinaryIO) -> int:
    """Return where the last box of an AVIF or JPEG 2000 file ends: each says how long it is, 0 for "to the end".

    A box that would be many times longer than the file is damage; then nothing is known.
    """
    size, end = stream.seek(0, io.SEEK_END), 0
    while True:
        stream.seek(end)
        if len(head := stream.read(16)) < 8:
            return end
        length = int.from_bytes(head[:4]) if head[:4] != b"\0\0\0\1" else int.from_bytes(head[8:])
        if length < 8 or end + length > _MOST_MISSING * size:
            return 0
        end += length


def _is_text(head: bytes) -> bool:
    """Whether first bytes are letters of a text; the last one may be cut."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16
        return True
    with suppress(UnicodeDecodeError):
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
        return all(letter.isprintable() or letter.isspace() for letter in text)
    return False


def _first(value: Any) -> Any:
    return _each(value)[0]


def _each(value: Any) -> tuple:
    return value if isinstance(value, tuple) else (value,)
