"""The bytes of a text file as text, in the encodings of many programs, countries and decades; and its JSON."""

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from elsa_nb.option_names import option_told

# Tried where a text is not UTF-8: Windows, DOS, old Macs, then Windows and others elsewhere. The item names decide.
LEGACY = ("cp1252", "cp850", "mac_roman", "cp1250", "cp1251", "cp1253", "cp1254", "cp932", "gb18030", "latin-1")
_BETWEEN = re.compile(r"[ \t\r\n]*")  # what JSON allows around a value; other line ends of Unicode are not
LINE_END = re.compile(r"\r\n|\r|\n")
# How packed files begin; the mark of bzip2 alone would be letters.
_PACKED = {
    "it is packed (gzip); unpack it first": rb"\x1f\x8b",
    "it is packed (bzip2); unpack it first": rb"BZh[1-9]1AY&SY",
    "it is packed (xz); unpack it first": rb"\xfd7zXZ\0",
    "it is packed (zstd); unpack it first": rb"\x28\xb5\x2f\xfd",
    "it is an archive (zip), or a spreadsheet; unpack it, or save its table as CSV": rb"PK\x03\x04",
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(data: bytes, encoding: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield (encoding, text) for each way to read `data`, the likeliest first; nothing where it is not text.

    Raises ValueError for bytes that are packed, or not in the given `encoding`. Where the text shows its encoding
    itself, by a mark at its beginning or by two bytes per letter, raises ValueError with the line of a damaged letter.
    """
    if said := next((said for said, mark in _PACKED.items() if re.match(mark, data)), None):
        raise ValueError(said)
    if encoding is not None:
        try:
            yield encoding, data.decode(encoding)
        except (LookupError, UnicodeDecodeError) as error:
            raise ValueError(
                f"it is not in the encoding {encoding!r} ({error}); leave it out to have it found"
            ) from None
        return
    for mark, name in _MARKS:
        if data.startswith(mark):
            yield name, _undamaged(data, name)
            return
    if b"\0" in data:
        # Text of two bytes per letter, without a mark: every other byte of plain letters is zero.
        head = data[:4096]
        for name, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
            if zeros.count(0) > 0.8 * len(zeros) and "\0" not in data.decode(name, "replace"):  # else it is not text
                yield name, _undamaged(data, name)
        return
    for name in ("utf-8", *LEGACY):
        try:
            yield name, data.decode(name)
        except UnicodeDecodeError:
            continue
        if name == "utf-8":
            return


def _undamaged(data: bytes, name: str) -> str:
    """Return `data` in the encoding that it shows itself; raise ValueError with the line of a damaged letter."""
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(name, "replace")  # of UTF-8 the object lacks the mark
        raise ValueError(
            f"line {len(LINE_END.split(before))} has a damaged letter, which is not in {name.removesuffix('-sig')}; "
            f"save the text anew, or give its encoding: {option_told('encoding')}"
        ) from None


def lines_of(text: str) -> list[str]:
    """Return the lines of a text; if all but empty ones are in quotation marks, as R writes them, without the marks."""
    lines = LINE_END.split(text)
    filled = [line.strip() for line in lines if line.strip()]
    if filled and all(re.fullmatch(r'"(?:[^"]|"")*"', line) for line in filled):
        return [line.strip()[1:-1].replace('""', '"') for line in lines]
    return lines


def how_read(used: str, given: str | None) -> list[str]:
    """Return a remark on the encoding of a text, where nobody gave it and the text does not show it."""
    if given is not None or used == "utf-8" or used in dict(_MARKS).values():
        return []
    return [f"read as {used}; if names look wrong, give their encoding: {option_told('encoding')}"]


def checked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON (an `object_pairs_hook`); raise ValueError for a key with two values.

    Python's reader would keep the last of them.
    """
    value = dict(pairs)
    if len(value) < len(pairs):
        for key, given in pairs:
            if given != value[key]:
                told = f"{str(given)[:40]!r} and {str(value[key])[:40]!r}"
                raise ValueError(f"its JSON gives {key!r} twice in one object, as {told}; keep one of them")
    return value


def json_value(text: str, made: Callable[[list[tuple[str, Any]]], Any] = checked_object) -> tuple[Any, bool]:
    """Return the value of a JSON text, and whether it holds several, as JSON Lines does: then the value is their list.

    `made` makes an object of its keys and values. Raises ValueError, with the line and what cures it, where the text is
    not JSON.
    """
    read, values, end = json.JSONDecoder(object_pairs_hook=made).raw_decode, [], 0
    while (start := _BETWEEN.match(text, end).end()) < len(text) or not values:
        try:
            value, end = read(text, start)
        except json.JSONDecodeError as error:
            raise ValueError(f"its JSON is broken ({error}); {_cure(error, several=bool(values))}") from None
        except (RecursionError, ValueError) as error:
            told = "its JSON is nested too deeply" if isinstance(error, RecursionError) else error
            line = text.count("\n", 0, start) + 1
            raise ValueError(f"line {line}: {told}" if values else str(told)) from None
        values.append(value)
    return (values, True) if len(values) > 1 else (values[0], False)


def _cure(error: json.JSONDecodeError, *, several: bool) -> str:
    """Return what cures broken JSON, of which `several` values were read: it stops too early, or has a flaw."""
    # A text that is not closed goes on to the end: a break in it would be another flaw.
    if error.msg.startswith("Unterminated string") or not error.doc[error.pos :].strip():
        return "it ends in the middle of a value, as a file that was cut off does: copy it again, or write it again"
    return f"mend what stands there{', or take that line out' if several else ''}"
