"""Do a pool and a folder go together: which items are not files there, and which files there are not items.

A pool outlives the state of the folder that it was made of: pictures come, go and move. `own_folder.prepare` calls
`compare_ids` for a pool that somebody names, before anything is shown, and says on screen and page what it finds.
"""

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from elsa_nb.counts import count_of
from elsa_nb.errors import MissingDataError
from elsa_nb.label.items import SOUNDS, TEXTS
from elsa_nb.label.places import Places
from elsa_nb.option_names import option_named
from elsa_nb.pictures.decoding import endings
from elsa_nb.pictures.opening import RefusedError, real_path

LOOKED_UP = 2000  # items that are looked up one by one: a million would take minutes on a disk of the network


@dataclass(frozen=True)
class Differences:
    """How a pool of `items` ids and a folder with `files` files of their kinds differ.

    `gone` are the ids that are not files there, `unknown` the files that are not ids; `pictures`: these files are all
    pictures.
    """

    items: int
    gone: Sequence[str]
    files: int
    unknown: Sequence[str]
    pictures: bool

    def sentences(self, folder: Path, pool: Path, *, makes: bool) -> list[str]:
        """Return each difference as a sentence, then the cure; `makes`: without a pool, such files get vectors."""
        said = []
        if self.unknown:
            has = self.files - len(self.unknown)
            said.append(
                f"Of the {count_of(self.files, 'picture' if self.pictures else 'file')} in {folder}, {has:,} "
                f"{'has' if has == 1 else 'have'} vectors in the pool {pool}; {len(self.unknown):,} cannot be found, "
                f"such as {self.unknown[0]}."
            )
        if self.gone:
            said.append(
                f"Of the {count_of(self.items, 'item')} of the pool {pool}, {len(self.gone):,} "
                f"{'is not a file' if len(self.gone) == 1 else 'are not files'} in {folder}, such as {self.gone[0]}: "
                "the card of such an item shows nothing, and counts as asked."
            )
        if said and makes and self.pictures:
            said.append(
                f"Leave {option_named('pool')} out to search all pictures that are there: missing vectors are made "
                "first."
            )
        elif said:
            said.append(
                "To search all files that are there, make the pool anew: `elsa-nb pool make VECTORS --ids NAMES`."
            )
        return said


def compare_ids(
    folder: Path, pool: Path, ids: Sequence[str], files: Callable[[], Iterable[str]], left_out: Collection[str] = ()
) -> Differences:
    """Compare the `ids` of `pool` with a folder, whose visible files `files()` lists by paths below it.

    Files count where they are of a kind (pictures, sounds, texts) that ids are of; those of `left_out` do not: they
    were seen when the vectors were made. Nothing is listed where no id looks like a file. Raises MissingDataError
    where none of the ids is a file in the folder.
    """
    ids = [str(item) for item in ids]
    kinds = [kind for kind in (endings(), (*SOUNDS,), (*TEXTS,)) if any(_ends(item, kind) for item in ids)]
    counting = tuple(ending for kind in kinds for ending in kind)
    if not kinds and not _looked_up(folder, ids):
        raise _is_not_about(folder, pool, ids, named=False)
    listed: list[str] = []
    with suppress(PermissionError):  # a folder may allow its files to be opened but not listed
        listed += files()
    there, known = set(listed), set(ids)
    gone = [item for item in ids if item not in there]
    if gone and (otherwise := _looked_up(folder, gone)):
        gone = [item for item in gone if item not in otherwise]
        place = Places([PurePath(item).as_posix() for item in otherwise])
        known |= {name for name in there - known if place.row(name) is not None}
    if len(gone) == len(ids):
        raise _is_not_about(folder, pool, ids, named=bool(kinds) and not PurePath(ids[0]).is_absolute())
    apart = known | set(left_out)
    counted = [name for name in listed if _ends(name, counting)]
    unknown = [name for name in counted if name not in apart]
    with_vectors = sum(name in known for name in counted)
    return Differences(len(ids), gone, with_vectors + len(unknown), unknown, kinds == [endings()])


def _ends(name: str, kind: tuple[str, ...]) -> bool:
    return name.lower().endswith(kind)


def _looked_up(folder: Path, ids: Sequence[str]) -> set[str]:
    """Return those of `ids` that are files all the same: hidden ones, or written otherwise than the disk lists them.

    Of many a sample is looked up first; where none of it is there, the others are taken for gone, too.
    """
    folder = folder.resolve()
    rows = np.unique(np.linspace(0, len(ids) - 1, min(len(ids), LOOKED_UP)).astype(int)).tolist()
    found = {ids[row] for row in rows if _is_there(folder, ids[row])}
    return {item for item in ids if _is_there(folder, item)} if found and len(rows) < len(ids) else found


def _is_there(folder: Path, name: str) -> bool:
    try:
        return os.path.isfile(real_path(folder, name))  # noqa: PTH113 - Path's raises for a name that is too long
    except (RefusedError, ValueError):
        return False


def _is_not_about(folder: Path, pool: Path, ids: Sequence[str], *, named: bool) -> MissingDataError:
    names = "Make it anew with the names of the files: `elsa-nb pool make VECTORS --ids NAMES`"
    return MissingDataError(
        f"The pool {pool} is not about {folder}: its items are called {ids[0]} and so on, and none of its "
        f"{count_of(len(ids), 'item')} is a file there. {'Give the folder they were read from' if named else names}."
    )
