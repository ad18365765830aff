"""Which files may be opened: plain ones that are not too large, inside the folder or where a link of the folder leads.

One rule for embedding and for the panel. A folder of links is a folder like any other: a user who names it means the
files that its links lead to. Through a link that leads out of the folder only pictures are shown, never texts or
sounds, and no *name* leads out.
"""

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

_ESCAPES = re.compile(rb"\\x(5c|[89a-f][0-9a-f])")
_LIKE_ESCAPES = re.compile(r"\\(?=x(?:5c|[89a-f][0-9a-f]))")
LARGEST_FILE = 1 << 30  # bytes; of a stack only the first page is unpacked


class RefusedError(ValueError):
    """A file that must not be opened: outside the folder, too large, or not a plain file."""


def escaped(name: str) -> str:
    r"""Return a text that any file and screen can hold: bytes that are not UTF-8 are written as in `caf\xe9.jpg`."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a character, which no name of a file holds, but JSON can
        return name.encode("utf-8", "backslashreplace").decode()


def id_of_path(path: str) -> str:
    r"""Return the id of a file by its path below a folder, as the system knows it: no two paths have the same.

    Bytes that are not UTF-8 are written as in `caf\xe9.jpg`. Where the name of a file itself holds what would be read
    as such a byte, its backslash is written as one, too: `caf\x5cxe9.jpg`.
    """
    # Where the backslash separates folders it is in no name.
    return escaped(path if os.sep == "\\" else _LIKE_ESCAPES.sub(r"\\x5c", path))


def path_of_id(item: str) -> str:
    """Return the path below a folder, as the system knows it, of the file that `id_of_path` calls `item`."""
    if "\\x" not in item:
        return item
    return os.fsdecode(
        _ESCAPES.sub(lambda each: bytes.fromhex(each[1].decode()), item.encode("utf-8", "surrogateescape"))
    )


def path_inside(folder: Path, item: str) -> str:
    """Return the path below `folder`, a resolved path, of the file that `item` means.

    Archives from Windows leave names such as `scans\\xab12.jpg`, whose backslash is written as itself where names are
    given by hand or come from an older version: such a file is meant where no file has that id.
    """
    path = path_of_id(item)
    return item if path != item and not os.path.lexists(folder / path) and os.path.lexists(folder / item) else path


def open_plain(path: Path | str) -> BinaryIO:
    """Open a file, links followed; RefusedError for what is not a plain file or larger than 1 GiB."""
    # Not blocking: a named pipe would otherwise hold the work up for ever.
    return _plain(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)))


def real_path(folder: Path, name: str) -> Path:
    """Return where the file with the id `name` in `folder`, a resolved path, really is, after following links.

    Raises RefusedError for a name, not a link, that leads out of the folder.
    """
    if any(_leads_out(each) for each in (name, path_of_id(name))):
        raise RefusedError("refused: the name leads out of the folder")
    return Path(os.path.realpath(folder / path_inside(folder, name)))


def _leads_out(name: str) -> bool:
    parts = Path(name).parts
    return not parts or Path(name).is_absolute() or ".." in parts or "\0" in name


def open_inside(folder: Path, name: str, *, through_links: bool) -> BinaryIO:
    """Open the file with the id `name` in `folder`, a resolved path; RefusedError for a name that leads out of it.

    A link that leads out is followed with `through_links` and refused without. A file inside is then reached
    part by part without following any link, so that nobody can swap a part for a link meanwhile.
    """
    real = real_path(folder, name)
    if real.is_relative_to(folder):
        return _plain(_walk(folder, real.relative_to(folder).parts))
    if not through_links:
        raise RefusedError("refused: a link that leads out of the folder, and not to a picture")
    return open_plain(real)


def _plain(handle: int) -> BinaryIO:
    stream = os.fdopen(handle, "rb") if stat.S_ISREG((status := os.fstat(handle)).st_mode) else None
    if stream is None:
        os.close(handle)
        raise RefusedError("refused: not a plain file; put the file itself here")
    if status.st_size > LARGEST_FILE:
        stream.close()
        most = f"at most {LARGEST_FILE / 1e6:,.0f} MB are read; save it smaller, or in parts"
        raise RefusedError(f"too large: {status.st_size / 1e6:,.0f} MB, {most}")
    return stream


def _walk(folder: Path, parts: Sequence[str]) -> int:
    """Open folder/parts for reading, following no link on the way (where the system can say so)."""
    if os.open not in os.supports_dir_fd or not parts:
        return os.open(folder.joinpath(*parts), os.O_RDONLY | getattr(os, "O_BINARY", 0))
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for i, part in enumerate(parts):
        try:
            further = os.open(part, flags | (os.O_DIRECTORY if i + 1 < len(parts) else 0), dir_fd=handle)
        finally:
            os.close(handle)
        handle = further
    return handle
