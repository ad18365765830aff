"""The files of a folder that are in no pool, and why: counted for the screen, listed for a file.

`files.open_folder` fills the list before anything is read; an extraction that meets broken images has the reason of
each from its `BrokenImageError`, and writes the list beside its pool (`extraction.folder_pools`).
"""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from elsa_nb.counts import count_of
from elsa_nb.formulas import meant, safe
from elsa_nb.pictures.decoding import UnreadableError, endings, look
from elsa_nb.pictures.kinds import FILE_KINDS, FIRST_BYTES, TIFF, FileKind, kind_by_content, kind_by_name
from elsa_nb.pictures.opening import RefusedError, open_plain, real_path
from elsa_nb.store import write_atomically

ENDING = "not the ending of a picture that is read here"
LINK = "not a plain file, or a link to nothing"
FOLDER = "a folder that cannot be opened"
HIDDEN = "hidden, since its name begins with a dot"
IN_HIDDEN = "in a folder that is hidden, since its name begins with a dot"
OF_STORAGE = "what a system or a storage keeps for itself"  # thumbnails of the same pictures, and deleted ones
BYPRODUCT = "what a Mac or an archive program added"  # `._photo.jpg` beside each file, and the folder `__MACOSX`
LIST = "left-out.csv"  # beside the vectors: the files that are not among them, and why
# What a sentence calls one of each, and several.
_CALLED = {
    LINK: ("file that is not a plain one, or a link to nothing", "files that are not plain ones, or links to nothing"),
    FOLDER: ("folder that cannot be opened", "folders that cannot be opened"),
    HIDDEN: ("picture hidden by a dot before its name", "pictures hidden by dots before their names"),
    IN_HIDDEN: (
        "picture in a folder hidden by a dot before its name",
        "pictures in folders hidden by dots before their names",
    ),
    OF_STORAGE: (
        "folder that a system or a storage keeps for itself",
        "folders that a system or a storage keeps for itself",
    ),
    BYPRODUCT: (
        "file or folder that a Mac or an archive program added",
        "files or folders that a Mac or an archive program added",
    ),
}
_SHOWN = 6  # endings named in a sentence
_LISTED = f"`{LIST}`, beside the vectors, names each file that is left out, and why."


class LeftOut(NamedTuple):
    """One file: its path below the folder, as ids are written, and why it is left out."""

    path: str
    reason: str

    @property
    def ending(self) -> str:
        """The ending of the file in lower case, with the dot; "" for none."""
        return PurePosixPath(self.path).suffix.lower()


def _misnamed(kind: FileKind) -> str:
    """Return the reason of a picture that would be read if its name said what it is."""
    return f"{kind.named} by its content, and not by its name; end the name in {kind.endings[0]}"


_OF_KIND = {kind.told: (kind.one, kind.many) for kind in FILE_KINDS}
_MISNAMED = {
    _misnamed(kind): (f"{kind.one} whose name does not say so", f"{kind.many} whose names do not say so")
    for kind in FILE_KINDS
    if kind.picture
}
# What a person may miss goes first.
_ORDER = (
    *_MISNAMED,
    *(kind.told for kind in FILE_KINDS if kind.picture),
    *(HIDDEN, IN_HIDDEN, FOLDER, LINK),
    *(kind.told for kind in FILE_KINDS if not kind.picture),
    *(ENDING, OF_STORAGE, BYPRODUCT),
)


def with_kinds(root: Path, left_out: Sequence[LeftOut]) -> list[LeftOut]:
    """Return the same files, those left out for their ending with what they are where `root` holds pictures in them.

    The first bytes of these files are read.
    """
    return [each._replace(reason=_reason(root, each.path)) if each.reason == ENDING else each for each in left_out]


def _reason(root: Path, path: str) -> str:
    """Return why a file without a picture's ending is left out, by what it is."""
    named = kind_by_name(path)
    try:
        with open_plain(real_path(root, path)) as stream:
            found = kind_by_content(stream.read(FIRST_BYTES))
            # Many raw pictures and slides are TIFFs of a kind; what is an archive by its content may be an office's.
            if found is None or not found.picture or (found is TIFF and named is not None):
                return ENDING if named is None else named.told
            if found.endings[0] not in endings():
                return found.told
            look(stream)
    except (OSError, RefusedError):
        return ENDING if named is None else named.told
    except UnreadableError:
        return ENDING
    return _misnamed(found)


def by_reason(left_out: Sequence[LeftOut]) -> dict[str, int]:
    """Count the files of each reason, the most frequent first."""
    return dict(Counter(each.reason for each in left_out).most_common())


def by_ending(left_out: Sequence[LeftOut]) -> dict[str, int]:
    """Count the files of each ending that were left out for it, the most frequent first."""
    return dict(Counter(each.ending for each in left_out if each.reason == ENDING).most_common())


def sentences(left_out: Sequence[LeftOut]) -> list[str]:
    """Say what was left out, with counts, in one sentence per reason, pictures first; no sentence if nothing was."""
    said, counts = [], by_reason(left_out)
    for reason in sorted(counts, key=_ORDER.index):
        count = counts[reason]
        if reason == ENDING:
            by_count = by_ending(left_out)
            named = [f"{n:,} {ending or 'without an ending'}" for ending, n in list(by_count.items())[:_SHOWN]]
            others = len(by_count) - _SHOWN
            more = f" and {count_of(others, 'other ending')}" if others > 0 else ""
            said.append(f"Left out for their ending: {', '.join(named)}{more}.")
            continue
        first = next(each.path for each in left_out if each.reason == reason)
        such = ": " if count == 1 else ", such as "
        one_and_many = {**_CALLED, **_OF_KIND, **_MISNAMED}[reason]
        cure = "" if reason in _CALLED else f"; {reason.partition('; ')[2]}"
        said.append(f"Left out: {count_of(count, *one_and_many)}{such}{first}{cure}.")
    return said


def said_with_list(left_out: Sequence[LeftOut]) -> list[str]:
    """Return the `sentences`, and one that names the list that the pool gets; none if nothing was left out."""
    return [*sentences(left_out), _LISTED] if left_out else []


def write_list(path: Path | str, left_out: Sequence[LeftOut]) -> Path:
    """Write a CSV file with a line for each file (`path`, `reason`), whole or not at all; return its path."""
    stream = io.StringIO()
    lines = csv.writer(stream, lineterminator="\n")
    lines.writerow(LeftOut._fields)
    lines.writerows(map(safe, each) for each in left_out)
    path = Path(path)
    write_atomically(path, stream.getvalue().encode())
    return path


def count_listed(path: Path | str) -> int:
    """Return how many files a list of `write_list` has; 0 where there is none."""
    return len(names_listed(path))


def names_listed(path: Path | str) -> list[str]:
    """Return the paths of the files that a list of `write_list` has; none where there is no list."""
    path = Path(path)
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as lines:  # names may hold line breaks
        return [meant(each[0]) if each else "" for each in csv.reader(lines)][1:]
