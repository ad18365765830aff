"""A folder of links to the finds, or of copies. The next export replaces it as a whole, if an export made it."""

import os
import re
import shutil
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from elsa_nb import store
from elsa_nb.errors import MissingDataError
from elsa_nb.label.gone_items import why_unreadable
from elsa_nb.locks import lock_beside
from elsa_nb.option_names import option_told
from elsa_nb.pictures.opening import RefusedError, path_inside, real_path
from elsa_nb.progress import bar
from elsa_nb.written_files import (
    copy_named,
    digest_of_names,
    is_replaceable,
    link_named,
    note_export,
    otherwise,
    was_exported,
)

_NUMBERED = re.compile(r"\d{5,}-")  # what the names of links and copies begin with
_BLOCK = 1 << 20  # bytes copied at once


class FindsLeftOut(NamedTuple):
    """The finds, of `finds`, that are not in the folder: those that are `gone`, and why others cannot be read now."""

    finds: int
    gone: list[str]
    unreadable: dict[str, str]

    def __str__(self) -> str:
        """Say it in sentences, the last without a full stop; "" where none was left out."""
        said = []
        if self.gone:
            are = "is gone and was" if len(self.gone) == 1 else "are gone and were"
            said.append(f"{len(self.gone):,} of the {self.finds:,} finds {are} left out, such as {self.gone[0]}")
        if self.unreadable:
            first, why = next(iter(self.unreadable.items()))
            one = len(self.unreadable) == 1
            whose = "find's file cannot be read now and was" if one else "finds' files cannot be read now and were"
            said.append(f"{len(self.unreadable):,} {whose} left out, such as {first} ({why})")
        return ". ".join(said)


def write_links(
    path: Path, finds: Sequence[str], images: Path | None, *, copies: bool = False, replace: bool = False
) -> FindsLeftOut:
    """Make the folder `path` with a link to each of the `finds`, or a copy of it: names of files in a folder `images`.

    Finds whose files are gone, empty or not to be read are left out, and returned. An earlier folder of
    this kind is replaced if it is as it was made; with `replace` also one that was changed since, as long as it holds
    nothing but links, or nothing but files, that are called as an export calls them. No other folder is ever replaced.
    Raises ValueError for other folders, for a `path` that is, holds or lies in `images`, and without `images`;
    MissingDataError where `images` holds none of the finds. OSError, naming `path`, where the disk is full: then all is
    as it was.
    """
    what = "copies" if copies else "links"
    if images is None:
        raise ValueError(f"a folder of {what} needs the folder of the items: {option_told('images')}")
    root, place = images.resolve(), Path(os.path.realpath(path))
    if root.is_relative_to(place) or place.is_relative_to(root):
        raise ValueError(f"the folder of {what} {path} is, holds or lies in {images}; give a name outside that folder")
    with lock_beside(path, f"The folder of {what}").acquire(wait=True):
        fresh, before = (path.with_name(f".{path.name}.{which}") for which in ("new", "before"))
        _tidy_up(path, fresh, before)
        files, left_out = _files_of(finds, root, images, follow=copies)
        if copies:
            inside = [copy_named(name, store.sha256_file(file)) for name, file in bar(files, "reading the finds")]
        else:
            inside = [link_named(name, str(file)) for name, file in files]
        _refuse_folder(path, digest := digest_of_names(inside), what, replace)
        with store.naming(path):
            _replace(path, files, fresh, before, _copy if copies else _link, lambda: note_export(path, digest))
    return left_out


def _tidy_up(path: Path, fresh: Path, before: Path) -> None:
    """Put back the earlier folder that a killed call has moved away, and remove what else it has left.

    Both lie beside `path`, under names that begin with a dot. To be called by one process at a time.
    """
    for left in (fresh, before):
        if os.path.lexists(left) and not _is_called_as_ours(left):
            raise ValueError(f"{left} is there already and is not what an export left; rename it, or give another name")
    if before.exists() and not os.path.lexists(path):
        before.rename(path)
    for left in (fresh, before):
        if left.exists():
            shutil.rmtree(left)


def _files_of(
    finds: Sequence[str], root: Path, images: Path, *, follow: bool
) -> tuple[list[tuple[str, Path]], FindsLeftOut]:
    """Return what the finds that are there are called in the folder, with their files; and the others.

    An item that is a link itself stands for its name in `images`, unless links are to be followed: where it leads,
    its name may be a checksum, as in git-annex and DVC.
    """
    files: list[tuple[str, Path]] = []
    left_out = FindsLeftOut(len(finds), [], {})
    for item in finds:
        try:
            file = real_path(root, item)
        except RefusedError:
            raise RefusedError(f"{item!r} leads out of {images}; nothing was written") from None
        if not file.is_file():
            left_out.gone.append(item)
        elif why := why_unreadable(file):
            left_out.unreadable[item] = why
        else:
            named = file if follow else root / path_inside(root, item)
            files.append((_name(len(files) + 1, Path(item).name), named))
    if finds and not files:
        lies = "can be read" if left_out.unreadable else "is"
        raise MissingDataError(f"none of the {len(finds):,} finds {lies} in {images}; name the folder of the items.")
    return files, left_out


def _replace(
    path: Path,
    files: Sequence[tuple[str, Path]],
    fresh: Path,
    before: Path,
    put: Callable[[Path, Path], None],
    note: Callable[[], None],
) -> None:
    """Make the folder as `fresh`, and put it in the place of an earlier one, which stays until then as `before`."""
    fresh.mkdir()
    try:
        for name, file in bar(files, "finds"):
            put(file, fresh / name)
        note()
        if path.exists():
            fresh.chmod(stat.S_IMODE(path.stat().st_mode))
            path.rename(before)
        fresh.rename(path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        if before.exists() and not path.exists():
            before.rename(path)
        raise
    if before.exists():
        shutil.rmtree(before)


def _link(file: Path, place: Path) -> None:
    place.symlink_to(file)


def _copy(file: Path, place: Path) -> None:
    """Copy the bytes alone: a memory stick knows no permissions."""
    with file.open("rb") as source, place.open("xb") as copy:
        shutil.copyfileobj(source, copy, _BLOCK)


def _refuse_folder(path: Path, digest: str, what: str, replace: bool) -> None:
    """Raise ValueError where `path` is there and is not to be replaced by a folder with this digest."""
    ours = _is_called_as_ours(path)  # first: to know whether it was changed, all of its files are read
    if not os.path.lexists(path) or (ours and is_replaceable(path, digest)):
        return
    if not (ours and was_exported(path)):
        raise ValueError(
            f"{path} is there already and is not a folder of {what} as an export leaves it: it comes from elsewhere or "
            "from an earlier version, or something else was put into it. It was left as it is. Give another name, or "
            "delete it yourself."
        )
    if not replace:
        raise ValueError(f"{path} was changed since an export made it; it was left as it is. {otherwise()}")


def _is_called_as_ours(folder: Path) -> bool:
    """Whether it is a folder, not a link to one, of nothing but links, or of nothing but files, called as ours are."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    inside = list(folder.iterdir())
    of_one_kind = all(p.is_symlink() for p in inside) or all(p.is_file() and not p.is_symlink() for p in inside)
    return of_one_kind and all(_NUMBERED.match(p.name) for p in inside)


def _name(number: int, name: str) -> str:
    """Return a number and a name, which loses its beginning where both together are longer than a file's may be."""
    number_and_dash = f"{number:05d}-"
    kept = os.fsencode(name)[-(255 - len(number_and_dash)) :]
    return number_and_dash + kept.decode(errors="ignore")
