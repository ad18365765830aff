"""From the names in a file to the rows of a pool: one picture can go by many paths.

A name fits an id if one of the two is the ending of the other, part by part: `/media/ann/cats/1.jpg`, `cats\\1.jpg`
and `1.jpg` all fit `cats/1.jpg`, and `dogs/1.jpg` does not. Only a unique fit counts. Spellings are tried from the
strictest to the loosest; the first that fits decides.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import dropwhile
from urllib.parse import parse_qs, unquote, urlsplit

from elsa_nb.formulas import meant
from elsa_nb.pictures.opening import escaped

Parts = tuple[str, ...]
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]+://", re.I)


class Names:
    """The ids of a pool, to be found by other names."""

    def __init__(self, ids: Sequence[str]):
        self.ids = [str(item) for item in ids]
        self._rows = {item: row for row, item in enumerate(self.ids)}
        self._by_end: dict[Callable, dict[str, list[tuple[Parts, int]]]] = {}

    def knows(self, name: str) -> bool:
        """Tell whether `name` means an item."""
        return isinstance(self.find(name), int)

    def find(self, name: str) -> int | str:
        """Return the row that `name` means, or in words why there is none."""
        name = escaped(name)  # of a file whose name is not UTF-8
        for spelling in (name, meant(name)):  # our own CSV files put a mark before some
            if spelling in self._rows:
                return self._rows[spelling]
        for of_name, of_id in _SPELLINGS:
            parts = of_name(name)
            found = self._fitting(parts, of_id) if parts else []
            if len(found) == 1:
                return found[0]
            if found:
                two = " and ".join(repr(self.ids[row]) for row in found[:2])
                more = " and so on" if len(found) > 2 else ""
                return f"fits {len(found)} items: {two}{more}; write the one that is meant by the name it has here"
        end = _plain(name)[-1:]
        if end and (other := self._index(_plain).get(end[0])):
            return f"that name is here only in another folder: {self.ids[other[0][1]]!r}"
        return "no such item"

    def above(self, name: str, row: int) -> str | None:
        """Return the folders that a relative name of the item `row` has in front of its id, "" for none.

        None for a name that is not a relative path, or that is written in another way than the id.
        """
        parts, own = _plain(name), _plain(self.ids[row])
        if re.match(r"\s*(?:[A-Za-z]:)?[\\/]", name) or _SCHEME.match(name.strip()) or not _ends_alike(parts, own):
            return None
        return "/".join(parts[: max(0, len(parts) - len(own))])

    def differs(self, name: str, row: int) -> str:
        """Return in what a name differs from the item `row` that it means, "letter case" or "form of accents"; else "".

        What leads to the folder of the items does not count, nor does the encoding of a web address.
        """
        name, own = escaped(name).strip().replace("\\", "/"), _exact(self.ids[row].replace("\\", "/"))
        ways = [_exact(way) for way in (name, name.partition("?")[0], unquote(name))]
        for what, form in (("", tuple), ("form of accents", _composed), ("letter case", _folded)):
            for way in ways:
                if any(_ends_alike(form(way), form(item)) for item in (own, _without_ending(own))):
                    return what
        return ""

    @staticmethod
    def may_be_one(one: str, other: str) -> bool:
        """Whether two names can mean the same file: one is the ending of the other."""
        short, long = sorted((_uploaded(name) or _caseless(name) for name in (one, other)), key=len)
        return long[len(long) - len(short) :] == short or _number(one) == _number(other) != ()

    def _index(self, of_id: Callable[[str], Parts]) -> dict[str, list[tuple[Parts, int]]]:
        if of_id not in self._by_end:
            index = defaultdict(list)
            for row, item in enumerate(self.ids):
                if parts := of_id(item):
                    index[parts[-1]].append((parts, row))
            self._by_end[of_id] = index
        return self._by_end[of_id]

    def _fitting(self, parts: Parts, of_id: Callable[[str], Parts]) -> list[int]:
        near = self._index(of_id).get(parts[-1], [])
        shorter = [(len(own), row) for own, row in near if own == parts[-len(own) :]]
        if shorter:  # the path leads to the folder and into it: the longest id is the file itself
            longest = max(length for length, _ in shorter)
            return [row for length, row in shorter if length == longest]
        return [row for own, row in near if own[-len(parts) :] == parts]


def _exact(name: str) -> Parts:
    """Split a path and change nothing in its parts: two files may differ in a space or in the form of an accent."""
    return tuple(part for part in name.split("/") if part not in ("", "."))


def _plain(name: str) -> Parts:
    """Split a path: one form of accents, either slash, no "./" or "../", no address in front."""
    name = _SCHEME.sub("", unicodedata.normalize("NFC", name.strip()).replace("\\", "/"))
    parts = (part for part in name.split("/") if part not in ("", "."))
    return tuple(dropwhile(lambda part: part == "..", parts))


def _unquoted(name: str) -> Parts:
    """Split a web address: %20 is a space, and for Label Studio's local files `?d=` names the file."""
    address = urlsplit(name.strip()) if "?" in name or "://" in name else None
    if address is not None:
        name = unquote(address.path)
        if name.rstrip("/").endswith("local-files"):
            name = parse_qs(address.query).get("d", [name])[0]
    return _plain(unquote(name))


def _uploaded(name: str) -> Parts:
    """Split the path of a file uploaded to Label Studio: data/upload/3/1a2b3c4d-my_cat.jpg; () for any other."""
    parts = _unquoted(name)
    marked = re.match(r"[0-9a-f]{8}-(?=.)", parts[-1]) if parts else None
    if "upload" not in parts[:-1] and not marked:
        return ()
    return (_web_safe(parts[-1][8 + 1 :] if marked else parts[-1]),)


def _web_safe(name: str) -> str:
    return re.sub(r"[^-\w.]", "", name.strip().replace(" ", "_"))


def _ends_alike(one: Parts, other: Parts) -> bool:
    length = min(len(one), len(other))
    return length > 0 and one[-length:] == other[-length:]


def _composed(parts: Parts) -> Parts:
    return tuple(unicodedata.normalize("NFC", part) for part in parts)


def _folded(parts: Parts) -> Parts:
    return tuple(part.casefold() for part in _composed(parts))


def _caseless(name: str) -> Parts:
    return tuple(part.casefold() for part in _unquoted(name))


def _number(name: str) -> Parts:
    """Read a whole number: spreadsheets turn 007 into 7, and pandas into 7.0."""
    number = re.fullmatch(r"\s*(\d+)(?:[.,]0*)?\s*", name)
    return (str(int(number[1])),) if number else ()


def _stem(name: str) -> Parts:
    return _without_ending(_unquoted(name))


def _without_ending(parts: Parts) -> Parts:
    *folders, last = parts or ("",)
    return (*folders, last.rpartition(".")[0] or last)


_SPELLINGS: tuple[tuple[Callable[[str], Parts], Callable[[str], Parts]], ...] = (
    (_exact, _exact),
    (_plain, _plain),
    (_unquoted, _plain),
    (_uploaded, lambda item: tuple(map(_web_safe, _plain(item)))),
    (_caseless, _caseless),
    (_number, _number),
    (_exact, lambda item: _without_ending(_exact(item))),
    # Without endings: FiftyOne and YOLO leave them out. A name that has another ending is another file.
    (_unquoted, _stem),
)
