"""From the names in a file to the rows of a pool: one picture can go by many paths.

A name fits an id if one of the two is the ending of the other, part by part: `/media/ann/cats/1.jpg`, `cats\\1.jpg`
and `1.jpg` all fit `cats/1.jpg`, and `dogs/1.jpg` does not. Only a unique fit counts. Spellings are tried from the
strictest to the loosest; the first that fits decides. All this holds for ids that look like files (`id_kinds`). Other
ids are found by what is the same text, or the same whole number; a path without an ending also by a longer path, and
all by an absolute one, as exports for other programs write it.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import dropwhile
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from elsa_nb.column_names import as_whole_numbers
from elsa_nb.formulas import meant
from elsa_nb.label.label_files.id_kinds import LOCAL_FILES, look_of
from elsa_nb.pictures.opening import escaped, id_of_path

Parts = tuple[str, ...]
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]+://", re.I)
_ABSOLUTE = re.compile(r"\s*(?:[A-Za-z]:)?[\\/]")
# An absolute path of two folders or more, as exports for other programs write it; no beginning of a formula.
_FAR = re.compile(r"(?:file://)?(?:[A-Za-z]:)?(?:/+[^/=#()\[\]]{2,}){2}")
_NO_FILE = re.compile(r".*[=#()\[\]].*|[\d.,+-]+")  # formulas, in which a slash is no folder, and numbers


class Names:
    """The ids of a pool, to be found by other names."""

    def __init__(self, ids: Sequence[str]):
        self.ids = [str(item) for item in ids]
        self._rows = {item: row for row, item in enumerate(self.ids)}
        self._ends: dict[tuple[Callable, ...], _Ends] = {}

    def knows(self, name: str) -> bool:
        """Tell whether `name` means an item."""
        return isinstance(self.find(name), int)

    def find(self, name: str) -> int | str:
        """Return the row that `name` means, or in words why there is none."""
        name = escaped(name)  # of a file whose name is not UTF-8
        # Our own CSV files put a mark before some; and the name of a file may look like another's id (`id_of_path`).
        for spelling in (name, meant(name), id_of_path(name)):
            if spelling in self._rows:
                return self._rows[spelling]
        for of_name, of_id in _SPELLINGS:
            parts = of_name(name)
            found = self._fitting(name, parts, of_id) if parts else []
            if len(found) == 1:
                return found[0]
            if found:
                two = " and ".join(repr(self.ids[row]) for row in found[:2])
                more = " and so on" if len(found) > 2 else ""
                return f"fits {len(found)} items: {two}{more}; write the one that is meant by the name it has here"
        return self._why_none(name)

    def _why_none(self, name: str) -> str:
        """Say why a name means no item, and which is the nearest."""
        folded = _text(name).casefold()
        for row in self._near(end, _plain) if (end := _plain(name)[-1:]) else ():
            item = self.ids[row]
            if look_of(item) != "text" and _plain(item)[-1:] == end:
                return f"that name is here only in another folder: {item!r}"
            if _text(item).casefold() == folded:
                return f"that name is here only in another letter case: {item!r}"
        return "no such item"

    def above(self, name: str, row: int) -> str | None:
        """Return the folders that a relative name of the item `row` has in front of its id, "" for none.

        None for a name that is not a relative path, or that is written in another way than the id.
        """
        if _ABSOLUTE.match(name) or _SCHEME.match(name.strip()):
            return None
        if name == self.ids[row] and name[:1].isalnum():  # as most are, and then nothing has to be taken apart
            return ""
        parts, own = _plain(name), _plain(self.ids[row])
        if not _ends_alike(parts, own):
            return None
        return "/".join(parts[: max(0, len(parts) - len(own))])

    def differs(self, name: str, row: int) -> str:
        """Return in what a name differs from the item `row` that it means: "letter case", "file ending", ...; else "".

        What leads to the folder of the items does not count, nor does the encoding of a web address.
        """
        if name == self.ids[row]:
            return ""
        name, item = escaped(name).strip().replace("\\", "/"), self.ids[row].replace("\\", "/")
        path, asked = _address(name)
        own, ways = _exact(item), [_exact(name), _exact(unquote(name)), *([] if asked else [_exact(path)])]
        for what, form in (("", tuple), ("form of accents", _composed), ("letter case", _folded)):
            if any(_ends_alike(form(way), form(own)) for way in ways):
                return what
        if _number(name) == _number(item) != ():
            return "way to write a number"
        if asked and _ends_alike(_folded(_exact(path)), _folded(own)):
            return "query of the web address"
        if any(_ends_alike(_folded(way), _folded(_without_ending(own))) for way in (*ways, _exact(path))):
            return "file ending"
        return "form that Label Studio gives to uploaded files" if _uploaded(name) else ""

    def counted_from_one(self, given: Iterable[str]) -> int | None:
        """Return the last of the numbers given, where they count from 1 what the ids count from 0; else None.

        Ids are row numbers, or files that are called by numbers (cats/007.jpg). The last number given is then none of
        them, and the one after their last; and more of the numbers are theirs when 1 is subtracted, for some ids may be
        missing, as pictures that cannot be read are. Other names that are given do not count: a line for the total
        makes no difference.
        """
        numbers = {int(number[0]): name for name in given if (number := _number(name))}
        last = max(numbers, default=0)
        if 0 in numbers or not numbers or self.knows(numbers[last]):
            return None
        stems = (_without_ending(_plain(item))[-1] for item in self.ids)
        called = {int(number[0]) for stem in stems if (number := _number(stem))}
        if 0 not in called or last != max(called) + 1 or not any(map(self.knows, numbers.values())):
            return None
        less_one = sum(number - 1 in called for number in numbers)
        return last if less_one > sum(number in called for number in numbers) else None

    @staticmethod
    def may_be_one(one: str, other: str) -> bool:
        """Whether two names can mean the same file: one is the ending of the other."""
        if one == other:
            return True
        short, long = sorted((_uploaded(name) or _caseless(name) for name in (one, other)), key=len)
        return long[len(long) - len(short) :] == short or _number(one) == _number(other) != ()

    def _near(self, parts: Parts, of_id: Callable[[str], Parts]) -> list[int]:
        """Return the rows, ascending, of all ids that may fit `parts` as `of_id` reads them, and of some others."""
        family = next(family for family in _FAMILIES if of_id in family)
        if family not in self._ends:
            self._ends[family] = _Ends(
                (parts, row)
                for row, item in enumerate(self.ids)
                for parts in {of(item) for of in (family[:1] if _is_ordinary(item) else family)}
            )
        return self._ends[family].near(parts)

    def _fitting(self, name: str, parts: Parts, of_id: Callable[[str], Parts]) -> list[int]:
        near = [(of_id(self.ids[row]), row) for row in self._near(parts, of_id) if self._may_fit(name, row, of_id)]
        shorter = [(len(own), row) for own, row in near if own == parts[-len(own) :]]
        if shorter:  # the path leads to the folder and into it: the longest id is the file itself
            longest = max(length for length, _ in shorter)
            return [row for length, row in shorter if length == longest]
        return [row for own, row in near if own[-len(parts) :] == parts and look_of(self.ids[row]) == "file"]

    def _may_fit(self, name: str, row: int, of_id: Callable[[str], Parts]) -> bool:
        """Whether the id of a row is of a kind that may be read as `of_id` does, or is the same text anyway."""
        kind = look_of(self.ids[row])
        if _SCHEME.match(name.strip()) and _SCHEME.match(self.ids[row].strip()):  # nothing leads to another host
            here, there = _place(name), _place(self.ids[row])
            if here not in (there, _without_ending(there)):
                return False
        if kind == "file" or of_id is _number:
            return True
        if of_id in (_exact, _plain) and _leads_to(name, self.ids[row]):
            return True
        return _text(name) == _text(self.ids[row]) or (kind == "path" and of_id in (_exact, _plain))


def _leads_to(name: str, item: str) -> bool:
    """Whether a name is folders and then the item: any item after an absolute path, else none that may be a formula."""
    name, item = name.strip().replace("\\", "/"), item.replace("\\", "/")
    folders = name.removesuffix(f"/{item}")
    if folders == name or re.search(r"[=#?]", folders):
        return False
    return _FAR.match(folders) is not None or _NO_FILE.fullmatch(item) is None


class _Ends:
    """Paths, sorted by their parts from the last to the first, without letter case: those that end alike are together.

    `paths` are the parts of each path and the row it stands for.
    """

    def __init__(self, paths: Iterable[tuple[Parts, int]]):
        keyed = sorted((_from_the_end(parts), row) for parts, row in paths if parts)
        self._keys = [key for key, _ in keyed]
        self._rows = np.array([row for _, row in keyed], np.int64)

    def near(self, parts: Parts) -> list[int]:
        """Return the rows, ascending, of the paths that `parts` ends in, and of those that end in `parts`."""
        keys = [_from_the_end(parts[-length:]) for length in range(1, len(parts) + 1)]
        within = [slice(bisect_left(self._keys, key), bisect_right(self._keys, key)) for key in keys[:-1]]
        beyond = keys[-1].removesuffix("/") + "0"  # the sign after the slash: greater than all that begin with the key
        within.append(slice(bisect_left(self._keys, keys[-1]), bisect_left(self._keys, beyond)))
        return np.unique(np.concatenate([self._rows[part] for part in within])).tolist()


def _from_the_end(parts: Parts) -> str:
    return "/".join(reversed(parts)).casefold() + "/"


def _is_ordinary(item: str) -> bool:
    """Whether all spellings that keep the ending of an id take it apart alike, but for letter case."""
    odd = any(sign in item for sign in ("\\", "%", "?", "://", ".."))
    return item.isascii() and item == item.strip() and not odd


def _text(name: str) -> str:
    """Return what two ways to write one text have in common: no spaces around it, one form of accents."""
    return unicodedata.normalize("NFC", name.strip())


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
    return _plain(unquote(_address(name)[0]))


def _address(name: str) -> tuple[str, bool]:
    """Return the path in a web address, and whether a query was left out.

    A query that comes after the name of a file says how to send it: 1.jpg?size=large. Any other is part of the name.
    """
    name = name.strip()
    if "?" not in name and "://" not in name:
        return name, False
    try:
        address = urlsplit(name)
    except ValueError:  # of brackets that would hold the number of a host
        return name, False
    path = unquote(address.path)
    if path.rstrip("/").endswith("local-files"):
        return parse_qs(address.query).get("d", [name])[0], False
    asked = bool(address.query or address.fragment)
    return (path, asked) if not asked or look_of(path) == "file" else (name, False)


def _of_item(item: str) -> Parts:
    """Split an id as `_unquoted` does a name, but leave out neither host nor query: they may tell two ids apart."""
    path, _ = _address(item)
    return _plain(unquote(path if LOCAL_FILES.search(item) else item))


def _place(address: str) -> Parts:
    """Split a web address into its host and the parts of its path, without letter case."""
    return (_SCHEME.sub("", address.strip()).partition("/")[0].casefold(), *_caseless(address))


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


def _caseless_item(item: str) -> Parts:
    return tuple(part.casefold() for part in _of_item(item))


def _number(name: str) -> Parts:
    """Read a whole number: spreadsheets turn 007 into 7, and pandas into 7.0."""
    return tuple(map(str, as_whole_numbers([name.replace(",", ".")])))


def _safe(name: str) -> Parts:
    return tuple(map(_web_safe, _plain(name)))


def _exact_stem(name: str) -> Parts:
    return _without_ending(_exact(name))


def _stem(name: str) -> Parts:
    return _without_ending(_of_item(name))


def _without_ending(parts: Parts) -> Parts:
    *folders, last = parts or ("",)
    return (*folders, last.rpartition(".")[0] or last)


_SPELLINGS: tuple[tuple[Callable[[str], Parts], Callable[[str], Parts]], ...] = (
    (_exact, _exact),
    (_plain, _plain),
    (_unquoted, _plain),
    (_uploaded, _safe),
    (_caseless, _caseless_item),
    (_number, _number),
    (_exact, _exact_stem),
    # Without endings: FiftyOne and YOLO leave them out. A name that has another ending is another file.
    (_unquoted, _stem),
)
# Those of a family take most ids apart alike, but for letter case: what ends alike is looked up once for all of them.
_FAMILIES: tuple[tuple[Callable[[str], Parts], ...], ...] = (
    (_exact, _plain, _caseless_item),
    (_exact_stem, _stem),
    (_safe,),
    (_number,),
)
