"""Photographs as files: any folder tree, and what ImageNet-1k and Food-101 share with one.

`extraction/embed.py` calls `open_folder`; `imagenet.py` and `food101.py` make `ImageFiles` of their layouts.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from elsa_nb.errors import MissingDataError
from elsa_nb.images.sources.decoding import BrokenImageError
from elsa_nb.images.sources.left_out import (
    BYPRODUCT,
    ENDING,
    FOLDER,
    HIDDEN,
    IN_HIDDEN,
    LINK,
    OF_STORAGE,
    LeftOut,
    said_with_list,
    sentences,
    with_kinds,
)
from elsa_nb.images.sources.rows import class_rows
from elsa_nb.option_names import embedding_told, option_told
from elsa_nb.pictures.decoding import RANGES, Decoding, Sample, UnreadableError, data_of, endings, look, sampled
from elsa_nb.pictures.greys import Range, crowded, flattened
from elsa_nb.pictures.kinds import ARCHIVE, kind_by_name
from elsa_nb.pictures.no_data import said_of_no_data
from elsa_nb.pictures.opening import RefusedError, escaped, id_of_path, open_plain
from elsa_nb.progress import bar
from elsa_nb.store import as_path, sha256_bytes

# Folders of Synology's and QNAP's storages, and of Windows: small copies of the same pictures, and deleted files.
_OF_STORAGES = {"@eaDir", "#recycle", "@Recycle", "$RECYCLE.BIN", "System Volume Information"}
# What remarks call the kinds of grey pictures, each with a range of its own.
_DEEP = {
    "integers": "Grey pictures of more than 8 bits",
    "longs": "Grey pictures of 32 bits",
    "floats": "Pictures of floats",
}


_NAMED = 3  # files in a remark


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """A data set of image files, in one fixed order.

    `paths` (n,) are relative to `root`, with forward slashes; `ids` (n,) name the images permanently, wherever the
    files are. `targets` (n,) are indices into `classes`, or -1 where no class is known. `note` says what is unusual
    about this copy, such as images that are not there.

    `decoding` says how the user's own pictures are read; None, for published data sets, means `sources.decoding`.
    `left_out` are the files of the folder that are not among the images, `remarks` sentences to be printed once, and
    `flat` is the one among them that says why an earlier pool had better be made anew, and how; "" where it need not.
    `lasting` are those that a person who labels had better not forget: pictures that show little.
    """

    name: str
    root: Path
    paths: np.ndarray  # str (n,)
    ids: np.ndarray  # str (n,)
    targets: np.ndarray  # int64 (n,)
    classes: tuple[str, ...]
    splits: np.ndarray  # str (n,)
    note: str = ""
    decoding: Decoding | None = None
    left_out: tuple[LeftOut, ...] = ()
    remarks: tuple[str, ...] = ()
    flat: str = ""
    lasting: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        name: str,
        root: Path,
        paths: Sequence[str],
        targets: Sequence[int],
        classes: Sequence[str],
        *,
        ids: Sequence[str] | None = None,
        splits: Sequence[str] | None = None,
        note: str = "",
    ) -> "ImageFiles":
        """Make a data set of the files `paths` below `root`; ids default to the paths."""
        if not len(paths):
            raise MissingDataError(f"There are no images in {root}.")
        paths, targets = np.asarray(paths, dtype=str), np.asarray(targets, np.int64)
        splits = np.full(len(paths), "all") if splits is None else np.asarray(splits, dtype=str)
        return cls(
            name,
            root,
            paths,
            paths if ids is None else np.asarray(ids, dtype=str),
            targets,
            tuple(classes),
            splits,
            note,
        )

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.paths)

    def read(self, row: int) -> bytes:
        """Return the bytes of one file; MissingDataError if it has gone."""
        path = self.root / self.paths[row]
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise MissingDataError(f"{path} is not here any more: open the data set again.") from None

    def open(self, row: int) -> Image.Image:
        """Return one picture as RGB, by `decoding`; MissingDataError if it has gone, BrokenImageError if broken."""
        path = self.root / self.paths[row]
        try:
            with open_plain(path) as stream:
                return self.decoding.picture(stream)
        except FileNotFoundError:
            raise MissingDataError(
                f"{escaped(str(path))} is not here any more: run the same command again, which looks anew."
            ) from None
        except (UnreadableError, RefusedError) as error:
            raise BrokenImageError(str(self.ids[row]), str(error), "") from None
        except PermissionError as error:
            reason = f"you may not read it ({error.strerror}); give yourself the right to, or copy it again"
            raise BrokenImageError(str(self.ids[row]), reason, "") from None
        except OSError as error:
            reason = f"the file cannot be read ({error.strerror or error}); try again, or copy it again"
            raise BrokenImageError(str(self.ids[row]), reason, "") from None

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of every file's id and size in row order, and of how the files are read.

        Not of their contents: those of ImageNet would take minutes to read. A file that was replaced by another one of
        exactly the same size goes unnoticed.
        """
        lines = (f"{i} {os.stat(self.root / path).st_size}\n" for i, path in zip(self.ids, self.paths, strict=True))  # noqa: PTH116 - a third of the time of Path.stat, a million times
        read = json.dumps(self.decoding.told(), sort_keys=True) if self.decoding is not None else ""
        return sha256_bytes("".join([*lines, read]).encode())

    @cached_property
    def labels(self) -> pd.DataFrame:
        """What each image shows, a row per image: `name`, its class (categorical, missing if unknown), and `split`."""
        name = pd.Categorical.from_codes(self.targets, categories=list(self.classes))
        return pd.DataFrame({"name": name, "split": pd.Categorical(self.splits)})

    def class_rows(self, name: str) -> np.ndarray:
        """Return the rows of one class, int64 (k,) ascending."""
        return class_rows(self.targets, self.classes, name)


def open_folder(
    root: Path | str, name: str | None = None, *, decoding: Decoding | None = None, progress: bool | None = None
) -> ImageFiles:
    """Open all images below the folder `root`, sorted; the first folder below it names the class of those in it.

    Images directly in `root` have no class. Hidden files and folders are left out, and so is what storages and systems
    keep for themselves; links are followed. Every kind of file that Pillow opens is read; the headers of all files are
    read, to find pictures of deep grey or several pages. `decoding` is how an earlier pool of the folder was read; what
    it does not say about grey values is found here. A name that is not UTF-8 is written with escapes in the id.
    """
    root = check_folder(root)
    left_out: list[LeftOut] = []
    paths = list(walk(root, endings(), left_out))
    ids = [id_of_path(path) for path in paths]
    left_out = with_kinds(root, left_out)
    if not paths:
        what = " ".join(["Files that Pillow opens are read, such as .jpg, .png and .tif.", *sentences(left_out)])
        raise MissingDataError(
            f"There are no images in {root}: {what} Texts and sounds take vectors of your own: `elsa-nb pool make "
            f"VECTORS --ids NAMES` makes a pool, and {option_told('pool')} names it; arrays go by `Pool.from_arrays` "
            "and `label.Arrays`."
        )
    said = said_with_list(left_out)
    if odd := [each for path, each in zip(paths, ids, strict=True) if path != each]:
        said.append(
            f"File names that are not UTF-8, or look like it, written with escapes: {len(odd):,}, such as {odd[0]}."
        )
    folders = sorted({each.partition("/")[0] for each in ids if "/" in each})
    index = {folder: i for i, folder in enumerate(folders)}
    targets = [index[each.partition("/")[0]] if "/" in each else -1 for each in ids]
    files = ImageFiles.of(name or escaped(root.resolve().name), root, paths, targets, folders, ids=ids)
    files = replace(_surveyed(files, decoding, progress), left_out=tuple(left_out))
    return replace(files, remarks=tuple(filter(None, (*files.remarks, files.flat, *said))))


def check_folder(root: Path | str) -> Path:
    """Return the path of a folder; MissingDataError for what is not a folder, saying what it is instead."""
    root = as_path("root", root, "a folder of images")
    if not root.is_dir():
        state = "is a file, not a folder" if root.is_file() else "is not a folder"
        cure = "unpack it, and name the folder" if kind_by_name(root.name) is ARCHIVE else "name one that holds images"
        raise MissingDataError(f"{root} {state}: {cure}.")
    return root


def _surveyed(files: ImageFiles, decoding: Decoding | None, progress: bool | None) -> ImageFiles:
    """Look at the header of every file; return the files with how they are read, and remarks about that.

    A file that cannot be opened is ignored here: the extraction meets it again and names it.
    """
    deep, paged = {kind: [] for kind in RANGES}, 0
    for item, path in zip(files.ids, bar(files.paths, "looking at the files", progress, unit=" files"), strict=True):
        opened = partial(open_plain, files.root / path)
        try:
            with opened() as stream:
                header = look(stream)
        except (UnreadableError, RefusedError, OSError):
            continue
        paged += header.paged
        if header.kind:
            deep[header.kind].append((str(item), opened))
    known = decoding or Decoding()
    if deep["longs"] and deep["integers"] and not known.longs:
        known = replace(known, integers=None)  # an earlier version found it for both, or there were none of 32 bits
    looked_at = {kind: sampled([opened for _, opened in each]) for kind, each in deep.items()}
    samples = {kind: list(each.values()) for kind, each in looked_at.items()}
    decoding = known.completed(samples)
    remarks, lasting = [], []
    for kind, word in _DEEP.items():
        if deep[kind] and (limits := decoding.limits(kind)):
            low, high = (f"{value:,.12g}" for value in limits)
            said = f"{word}: {len(deep[kind]):,}; {low} is black and {high} is white in all of them"
            absent = decoding.absent(kind, (each.no_data for each in samples[kind]))
            if absent:
                said += f"; {said_of_no_data(absent)}"
            names = [deep[kind][place][0] for place in looked_at[kind]]
            little = _little_shown(names, data_of(samples[kind], absent), limits)
            said = f"{said}. {little}".rstrip()
            lasting += [said] if little else []
            remarks.append(said)
    if deep["colours"] and decoding.colours:
        white = f"{(decoding.colours[1] + 1) * 256 - 1:,.0f}"  # of the whole 16 bits
        remarks.append(
            f"Colour pictures of 16 bits that use fewer: {len(deep['colours']):,}; {white} is white in all of them."
        )
    if deep["masks"] and decoding.masks:
        remarks.append(
            f"Grey pictures of 8 bits, with values 0 and 1 only: {len(deep['masks']):,}; 1 is white in them."
        )
    if paged:
        remarks.append(f"Files with more than one page: {paged:,}; the first page of each is used.")
    flat = _flat(files.root, decoding, samples)
    return replace(files, decoding=decoding, remarks=tuple(remarks), flat=flat, lasting=tuple(lasting))


def _little_shown(names: Sequence[str], values: Sequence[np.ndarray], limits: Range) -> str:
    """Say which of the pictures that were looked at, or how many, show little by their common range; "": few do."""
    if flat := flattened(values, limits):
        listed = ", ".join(names[i] for i in flat[:_NAMED]) + (", ..." if len(flat) > _NAMED else "")
        return (
            f"Of {len(values)} looked at, {len(flat)} {'is' if len(flat) == 1 else 'are'} one flat grey by that "
            f"({listed}), since their values are of another scale: a folder of their own for them gives them a range "
            "of their own."
        )
    if 2 * (few := crowded(values, limits)) > len(values):
        return (
            f"Of {len(values)} looked at, {few} use few of the 256 greys: nine tenths of their pixels lie within 16 of "
            "them, and the encoder sees little of how these differ. If a few values stretch the range, cut them off in "
            "copies of the files, and embed those."
        )
    return ""


def _flat(root: Path, decoding: Decoding, samples: Mapping[str, list[Sample]]) -> str:
    """Say which values would be taken for no data if a folder were embedded now, and how to do so; "": no others."""
    now = Decoding().completed(samples)
    kinds = [kind for kind in _DEEP if kind in now.no_data and not decoding.knows_no_data(kind)]
    values = sorted({value for kind in kinds for value in now.absent(kind, (each.no_data for each in samples[kind]))})
    if not values:
        return ""
    named = " and ".join(f"{value:,.7g}" for value in values)
    again = embedding_told(str(root), f"{root.resolve().name}-2")
    return (
        f"This folder was embedded before {named} {'was' if len(values) == 1 else 'were'} known to mean no data, and "
        f"keeps the range of then, which may leave few greys to the rest; to embed it anew: {again}."
    )


def walk(root: Path, suffixes: tuple[str, ...], left_out: list[LeftOut] | None = None) -> Iterator[str]:
    """Yield the images below `root`, relative to it, each folder's files before its folders, both sorted.

    What is not yielded is added to `left_out`, with its reason; of hidden files only pictures are added.
    """
    yield from _Walk(suffixes, left_out is not None).visit(root, "", frozenset(), [] if left_out is None else left_out)


class _Walk:
    """How a tree of folders is walked: which endings pictures have, and whether those in hidden folders are `counted`.

    They are counted where somebody wants to know what was left out.
    """

    def __init__(self, suffixes: tuple[str, ...], counted: bool):
        self.suffixes, self.counted = suffixes, counted

    def visit(self, folder: Path, prefix: str, above: frozenset[str], left_out: list[LeftOut]) -> Iterator[str]:
        """Yield the images of a folder, each with `prefix`; `above` are the real paths of the folders around it."""
        here = os.path.realpath(folder)
        if here in above:  # a link back to where we come from
            return
        try:
            entries = _listed(folder)
        except PermissionError:
            if not above:
                raise
            left_out.append(LeftOut(id_of_path(prefix), FOLDER))
            return
        around, folders = above | {here}, []
        for entry in entries:
            if _is_byproduct(entry.name):
                left_out.append(LeftOut(id_of_path(f"{prefix}{entry.name}"), BYPRODUCT))
            elif entry.name.startswith("."):
                left_out += self._in_hidden(entry, prefix, around)
            elif _is(entry, "is_dir") and entry.name not in _OF_STORAGES:
                folders.append(entry)
            elif reason := self._reason(entry):
                left_out.append(LeftOut(id_of_path(f"{prefix}{entry.name}"), reason))
            else:
                yield f"{prefix}{entry.name}"
        for entry in folders:
            yield from self.visit(Path(entry.path), f"{prefix}{entry.name}/", around, left_out)

    def _reason(self, entry: os.DirEntry) -> str:
        """Return why an entry that is not a folder of the user's is left out; "" for an image."""
        if _is(entry, "is_dir"):
            return OF_STORAGE
        if _is(entry, "is_symlink") and not _is(entry, "is_file"):
            return LINK  # whatever its name: it may lead to a folder of pictures on a disk that is not there now
        if not entry.name.lower().endswith(self.suffixes):
            return ENDING
        return "" if _is(entry, "is_file") else LINK

    def _in_hidden(self, entry: os.DirEntry, prefix: str, around: frozenset[str]) -> Iterator[LeftOut]:
        """Yield what a hidden entry is or holds of pictures: a system's own files, in their thousands, are not any."""
        if entry.name.lower().endswith(self.suffixes) and _is(entry, "is_file"):
            yield LeftOut(id_of_path(f"{prefix}{entry.name}"), HIDDEN)
        elif self.counted and _is(entry, "is_dir"):
            others: list[LeftOut] = []
            for path in self.visit(Path(entry.path), f"{prefix}{entry.name}/", around, others):
                yield LeftOut(id_of_path(path), IN_HIDDEN)
            yield from (LeftOut(each.path, IN_HIDDEN) for each in others if each.reason in (HIDDEN, IN_HIDDEN))


def _listed(folder: Path) -> list[os.DirEntry]:
    """Return the entries of a folder, sorted."""
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _is_byproduct(name: str) -> bool:
    """Whether an archive program or a Mac added this to the files that were packed or copied."""
    return name.startswith(("._", "__MACOSX"))


def _is(entry: os.DirEntry, kind: str) -> bool:
    try:
        return getattr(entry, kind)()
    except OSError:  # links in a circle, or a place that may not be looked at
        return False
