"""A folder of links to the finds, which is replaced as a whole: by the next export, and only if an export made it."""

import os
import re
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

from elsa_nb.errors import MissingDataError
from elsa_nb.label.exported import OTHERWISE, digest_of_folder, is_replaceable, note_export, was_exported
from elsa_nb.locks import lock_beside
from elsa_nb.pictures.opening import RefusedError, real_path

_LINK = re.compile(r"\d{5,}-")  # what the names of links begin with


def write_links(path: Path, finds: Sequence[str], images: Path | None, *, replace: bool = False) -> None:
    """Make the folder `path` with a link to each of the `finds`, which are names of files in the folder `images`.

    An earlier folder of links is replaced if it is as it was made; with `replace` also one that was changed since, as
    long as it holds nothing but links that are called as an export calls them. No other folder is ever replaced.
    Raises ValueError for those, for a `path` that is, holds or lies in `images`, and without `images`; MissingDataError
    where `images` is not there or holds none of the finds.
    """
    if images is None:
        raise ValueError("a folder of links needs the folder of the items: images='...' (on the command line --images)")
    if not images.is_dir():
        raise MissingDataError(f"{images} is not a folder here; name the one that holds the items.")
    root, place = images.resolve(), Path(os.path.realpath(path))
    if root.is_relative_to(place) or place.is_relative_to(root):
        raise ValueError(f"the folder of links {path} is, holds or lies in {images}; give a name outside that folder")
    with lock_beside(path, "The folder of links").acquire(wait=True):
        _make_links(path, finds, root, images, replace)


def _make_links(path: Path, finds: Sequence[str], root: Path, images: Path, replace: bool) -> None:
    """Make the links in a folder beside `path`, and put it in the place of an earlier one, which stays until then.

    To be called by one process at a time. A killed one may leave the two folders beside `path`, whose names begin with
    a dot; the next call puts an earlier one back that has not been replaced, and removes what else is left.
    """
    fresh, before = (path.with_name(f".{path.name}.{which}") for which in ("new", "before"))
    for left in (fresh, before):
        if os.path.lexists(left) and not _has_only_links_of_exports(left):
            raise ValueError(f"{left} is there already and is not what an export left; rename it, or give another name")
    if before.exists() and not os.path.lexists(path):
        before.rename(path)
    for left in (fresh, before):
        if left.exists():
            shutil.rmtree(left)
    fresh.mkdir()
    try:
        for number, item in enumerate(finds, 1):
            try:
                target = real_path(root, item)
            except RefusedError:
                raise RefusedError(f"{item!r} leads out of {images}; nothing was written") from None
            (fresh / _link_name(number, Path(item).name)).symlink_to(target)
        made = list(fresh.iterdir())
        if made and not any(link.exists() for link in made):
            raise MissingDataError(f"none of the {len(made):,} finds is in {images}; name the folder of the items.")
        _refuse_folder(path, digest := digest_of_folder(fresh), replace)
        note_export(path, digest)
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


def _refuse_folder(path: Path, digest: str, replace: bool) -> None:
    """Raise ValueError where `path` is there and is not to be replaced by the folder of links with this digest."""
    is_folder = path.is_dir() and not path.is_symlink()
    if not os.path.lexists(path) or (is_folder and is_replaceable(path, digest)):
        return
    if not (was_exported(path) and _has_only_links_of_exports(path)):
        raise ValueError(
            f"{path} is there already and is not a folder of links that an export made; it was left as it is. "
            "Give another name, or delete it yourself."
        )
    if not replace:
        raise ValueError(f"{path} was changed since an export made it; it was left as it is. {OTHERWISE}")


def _has_only_links_of_exports(folder: Path) -> bool:
    """Whether it is a folder, not a link to one, that holds nothing but links with the names that an export gives."""
    there = folder.is_dir() and not folder.is_symlink()
    return there and all(p.is_symlink() and _LINK.match(p.name) for p in folder.iterdir())


def links_to_nothing(links: Path) -> str:
    """Say how many links of an export lead to pictures that are gone; "": none."""
    made = sorted(links.iterdir())
    gone = [str(link.readlink()) for link in made if not link.exists()]
    lead = "is gone: its link leads" if len(gone) == 1 else "are gone: their links lead"
    return f"{len(gone):,} of the {len(made):,} finds {lead} to nothing, such as {gone[0]}" if gone else ""


def _link_name(number: int, name: str) -> str:
    """Return a number and a name, which loses its beginning where both together are longer than a file's may be."""
    number_and_dash = f"{number:05d}-"
    kept = os.fsencode(name)[-(255 - len(number_and_dash)) :]
    return number_and_dash + kept.decode(errors="ignore")
