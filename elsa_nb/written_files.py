"""Which files this package wrote and may replace: those that still hold, to the last byte, what an export wrote.

A hidden list in the folder of the files has their names and the SHA-256 of what was written. It belongs to the folder
and not to a session: so it holds the files of every session, and an export writes nothing into its session. The new
SHA-256 is listed before the file is written, beside that of the file it replaces: wherever an export is killed, the
file that it leaves is in the list. A file that is not in the list stays as it is: one of another program, an export in
which somebody corrected a label, one that was moved here, or one of a version that kept no list.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from elsa_nb import store
from elsa_nb.locks import lock_beside
from elsa_nb.option_names import option_told
from elsa_nb.pictures.opening import escaped

LIST_OF_EXPORTS = ".elsa-nb-exports.json"

Inside = tuple[str, str | dict[str, str] | None]


def write_export(path: Path, data: bytes, *, replace: bool = False, cure: str | None = None) -> None:
    """Write the file `path`, whole or not at all, in place of nothing or of an earlier export.

    Raises ValueError, with the `cure` (default: `otherwise`), for any other file unless `replace`, for a folder and
    for a database.
    """
    store.check_replaceable(path)
    digest = store.sha256_bytes(data)
    if not replace:
        check_exported(path, digest, cure=cure)
    note_export(path, digest)
    store.write_atomically(path, data)


def check_exported(path: Path, digest: str | None = None, *, cure: str | None = None) -> None:
    """Raise ValueError, with the `cure`, where replacing the file `path` by what has this `digest` loses something."""
    if not is_replaceable(path, digest):
        raise ValueError(
            f"{path} is there already and does not hold what an export wrote there: it comes from elsewhere, from an "
            f"earlier version, or was changed since. It was left as it is. {cure or otherwise()}"
        )


def otherwise() -> str:
    """Return what to do where something is in the way that an export is not to replace by itself."""
    return f"Give another name, or replace it: {option_told('replace', True)}."


def is_replaceable(path: Path, digest: str | None = None) -> bool:
    """Whether nothing is lost where `path` is replaced by what has this `digest`.

    It is not there, is empty, holds what an export wrote, or holds what is to be written.
    """
    there = digest_of(path)
    return there in (None, digest, _EMPTY, _NO_LINKS, *_listed(path).get(_name(path), ()))


def was_exported(path: Path) -> bool:
    """Whether an export was written to `path`; it may have been changed since."""
    return _name(path) in _listed(path)


def note_export(path: Path, digest: str) -> None:
    """List what is about to be written to `path`, and what an export wrote there before if it is still there."""
    place, name = _list_beside(path), _name(path)
    there = digest_of(path)
    with lock_beside(place, "The list of exports").acquire(wait=True, quiet=True):  # of exports at once
        listed = _listed(path)
        before = [there] if there in listed.get(name, ()) else []
        store.write_json(place, listed | {name: list(dict.fromkeys([*before, digest]))})


def digest_of(path: Path) -> str | None:
    """Return the SHA-256 of a file, or that of what is in a folder; None where nothing is."""
    if path.is_dir():
        return digest_of_names(map(_named, path.iterdir()))
    return store.sha256_file(path) if path.exists() else None


def digest_of_names(inside: Iterable[Inside]) -> str:
    """Return the SHA-256 of what is in a folder, of `link_named` and `copy_named` for each link and file."""
    return store.sha256_bytes(json.dumps(["a folder of links", *sorted(inside)]).encode())


def link_named(name: str, to: str) -> Inside:
    """Return what stands for a link in the digest of its folder: its name, and where it leads."""
    return name, to


def copy_named(name: str, sha256: str) -> Inside:
    """Return what stands for a file in the digest of its folder: its name, and the SHA-256 of what it holds."""
    return name, {"sha256": sha256}


def _named(path: Path) -> Inside:
    if path.is_symlink():
        return link_named(path.name, str(path.readlink()))
    return copy_named(path.name, store.sha256_file(path)) if path.is_file() else (path.name, None)


_EMPTY, _NO_LINKS = store.sha256_bytes(b""), digest_of_names(())


def _name(path: Path) -> str:
    return escaped(Path(os.path.realpath(path)).name)


def _list_beside(path: Path) -> Path:
    return Path(os.path.realpath(path)).with_name(LIST_OF_EXPORTS)


def _listed(path: Path) -> dict[str, list[str]]:
    """Return the digests of each name in the list beside `path`."""
    place = _list_beside(path)
    if not place.exists():
        return {}
    with store.reading(place, "a list of exports", "Delete it; what it lists is then replaced only if you say so."):
        listed = json.loads(place.read_text(encoding="utf-8"))
        if not isinstance(listed, dict) or not all(isinstance(each, list) for each in listed.values()):
            raise ValueError("it does not hold names with their checksums")
        return listed
