"""Labels given by where files lie: one folder per class, a folder of links (our own export), one file per image.

A file for each image is what YOLO writes as text, Pascal VOC as XML and Labelme as JSON.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from elsa_nb.label.label_files import tasks, xml_files
from elsa_nb.label.label_files.lines import NO_OBJECT, Line, Reading
from elsa_nb.label.label_files.names import Names
from elsa_nb.pictures.opening import escaped, id_of_path
from elsa_nb.text_files import decoded

_SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing"}
_NAMES = ("classes.txt", "obj.names", "classes.names")
_LABELS = "labels"  # the folder of YOLO's text files, beside "images"
_HOPS = 40  # from link to link, as many as Linux follows
_LISTED = "data.yaml", "dataset.yaml", "data.yml"


def read(folder: Path, names: Names) -> Reading:
    """Return one line per file; raises ValueError for an empty folder."""
    files = sorted(_files(folder, frozenset()))
    if not files:
        raise ValueError("it is a folder without files; labels are in one folder per class, or in YOLO's text files")
    texts = [p for p in files if p.suffix.lower() == ".txt" and p.name not in _NAMES]
    in_labels = [p for p in texts if _LABELS in p.relative_to(folder).parts[:-1]]  # others are notes for people
    if (texts := in_labels or texts) and all(_boxed_classes(path) is not None for path in texts[:20]):
        return _yolo(folder, texts, files, names)
    for suffix, begin, reader in ((".xml", "<annotation>", xml_files.read), (".json", '"shapes"', tasks.read_labelme)):
        each = [p for p in files if p.suffix.lower() == suffix]
        if each and all(begin in p.read_text(encoding="utf-8-sig", errors="replace") for p in each[:20]):
            return _one_per_image(folder, each, reader)
    inside = [p for p in files if p.parent != folder]
    if not inside:
        return _flat(files, names)
    lines, each = [], [path.relative_to(folder).parts for path in inside]
    # The classes are below "train" and the like, which may lie in a folder of their own.
    deep = next((i for i in (1, 0) if all(len(p) > i + 2 and p[i].casefold() in _SPLITS for p in each)), None)
    for path, parts in zip(inside, each, strict=True):
        of_class = parts[1:] if parts[0].casefold() in _SPLITS and len(parts) > 2 else parts
        of_class = of_class if deep is None else parts[deep + 1 :]
        there = [*map(id_of_path, (*_led_to(path), os.path.realpath(path), str(path.absolute())))]
        # Copies sorted into folders: where the originals are is not known.
        name = next((name for name in there if names.knows(name)), id_of_path("/".join(of_class[1:])))
        lines.append(Line(escaped(str(path.relative_to(folder))), name, of_class[0]))
    notes = [f"files beside the folders of classes, left out: {len(files) - len(inside)}"]
    return Reading(lines, "one folder per class", classes=True, notes=notes if len(files) > len(inside) else [])


def _one_per_image(folder: Path, files: Sequence[Path], reader: Callable[[bytes], Reading]) -> Reading:
    lines: list[Line] = []
    for path in files:
        place = str(path.relative_to(folder))
        try:
            read = reader(path.read_bytes())
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
        lines += [replace(line, where=place) for line in read.lines]
    return Reading(lines, f"{read.kind}, one file per image", classes=True)


def _flat(files: list[Path], names: Names) -> Reading:
    if all(p.is_symlink() for p in files):
        lines = []
        for path in files:
            there = [*map(id_of_path, (*_led_to(path), os.path.realpath(path)))]
            name = next((name for name in there if names.knows(name)), there[-1])
            lines.append(Line(escaped(path.name), name, "positive"))
        return Reading(lines, "folder of links to positives")
    return Reading([Line(escaped(p.name), id_of_path(p.name), None) for p in files], "folder of files", bare=True)


def _led_to(path: Path) -> list[str]:
    """Return where a link leads, and where that leads if it is a link, and so on: any of them may be the item."""
    places: list[str] = []
    while path.is_symlink() and len(places) < _HOPS:
        path = Path(os.path.normpath(path.parent.absolute() / path.readlink()))
        places.append(str(path))
    return places


def _files(folder: Path, above: frozenset[str]) -> Iterator[Path]:
    """Yield what is not hidden, also in folders that are links; a link to what is gone still has a name."""
    here = os.path.realpath(folder)
    if here in above:  # a link back to where we come from
        return
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _files(path, above | {here})
        elif path.is_file() or path.is_symlink():
            yield path


def _boxed_classes(path: Path) -> set[int] | None:
    """Return the numbers of the classes that a text file of YOLO has boxes of; None where it is not such a file.

    Each of its lines is a box or an outline: the number of a class, and four numbers or more that say where it is.
    """
    found = set()
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        cells = line.split()
        try:
            [float(cell) for cell in cells]
        except ValueError:
            return None
        if cells and (len(cells) < 5 or not cells[0].isdigit()):
            return None
        found |= {int(cell) for cell in cells[:1]}
    return found


def _read_names(path: Path) -> str:
    """Return the text of a file of the names of classes; "" where it is not text."""
    try:
        return next((text for _, text in decoded(path.read_bytes())), "")
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None


def _yolo(folder: Path, texts: list[Path], files: list[Path], names: Names) -> Reading:
    named = next((p for p in files if p.name in (*_NAMES, *_LISTED)), None)
    text = _read_names(named) if named else ""
    words = dict(enumerate(text.splitlines())) if named is None or named.name in _NAMES else _names_in_yaml(text)
    lines = []
    for path in texts:
        place = escaped(str(path.relative_to(folder)))
        if (numbers := _boxed_classes(path)) is None:
            raise ValueError(
                f"{place} is not a YOLO text file, as those before it are: each line is the number of a class and four "
                "numbers or more; correct it, or take it out of the folder"
            )
        if words and (strange := sorted(numbers - set(words))):
            listed = ", ".join(f"{i} {word}" for i, word in list(words.items())[:8])
            raise ValueError(f"{place} has the class {strange[0]}, and {named.name if named else ''} names {listed}")
        found = frozenset(words.get(i, str(i)) for i in numbers)
        parts = path.relative_to(folder).with_suffix("").parts
        # The image of train/labels/7.txt is train/images/7.jpg, and of labels/7.txt also 7.jpg.
        ways = ["/".join(parts)]
        if _LABELS in parts[:-1]:
            at = len(parts) - 1 - parts[::-1].index(_LABELS, 1)
            ways = ["/".join((*parts[:at], *between, *parts[at + 1 :])) for between in ((), ("images",))]
        name = next((way for way in ways if names.knows(way)), ways[0])
        lines.append(Line(place, name, found or frozenset((NO_OBJECT,))))
    source = f", names from {named.name}" if named else ", classes by number"
    return Reading(lines, f"YOLO text files{source}", classes=True)


def _names_in_yaml(text: str) -> dict[int, str]:
    """Return the classes of YOLO's data.yaml: `names: [a, b]`, `{0: a, 1: b}`, a list of lines, or numbered lines."""
    found = re.search(
        r"^names:[ \t]*(\[.*?\]|\{.*?\}|(?:\s*\n[ \t]*(?:-|\d+:)[^\n]*)+)", text, re.MULTILINE | re.DOTALL
    )
    body = found[1] if found else ""
    if body.startswith(("[", "{")):
        entries = re.findall(r"\s*(?:(\d+)\s*:)?\s*('[^']*'|\"[^\"]*\"|[^,\s][^,]*)", body[1:-1])
    else:
        entries = re.findall(r"(?:-|(\d+):)[ \t]*('[^']*'|\"[^\"]*\"|[^\n#]+)", body)
    return {int(number or i): word.strip().strip("'\"") for i, (number, word) in enumerate(entries)}
