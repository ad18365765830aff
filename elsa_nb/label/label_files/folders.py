"""Labels that are where files lie: a folder a class, a folder of links (our own export), and files of an image each.

A file for each image is what YOLO writes as text, Pascal VOC as XML and Labelme as JSON.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from elsa_nb.label.label_files import tasks, xml_files
from elsa_nb.label.label_files.lines import NO_OBJECT, Line, Reading
from elsa_nb.label.label_files.names import Names

_SPLITS = {"train", "val", "valid", "validation", "test"}
_NAMES = ("classes.txt", "obj.names", "classes.names")
_LISTED = "data.yaml", "dataset.yaml", "data.yml"


def read(folder: Path, names: Names) -> Reading:
    """Return a line a file; raises ValueError for an empty folder."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not _hidden(p.relative_to(folder)))
    if not files:
        raise ValueError("it is a folder without files; a folder of labels has a folder a class, or YOLO's text files")
    texts = [p for p in files if p.suffix == ".txt" and p.name not in _NAMES]
    if texts and all(map(_is_yolo, texts[:20])):
        return _yolo(folder, texts, files)
    for suffix, begin, reader in ((".xml", "<annotation>", xml_files.read), (".json", '"shapes"', tasks.read_labelme)):
        each = [p for p in files if p.suffix.lower() == suffix]
        if each and all(begin in p.read_text(encoding="utf-8-sig", errors="replace") for p in each[:20]):
            return _one_an_image(folder, each, reader)
    inside = [p for p in files if p.parent != folder]
    if not inside:
        return _flat(files)
    lines = []
    for path in inside:
        parts = path.relative_to(folder).parts
        of_class = parts[1:] if parts[0] in _SPLITS and len(parts) > 2 else parts
        name = _target(path)
        if not isinstance(names.find(name), int):  # copies sorted into folders: where the originals are is not known
            name = "/".join(of_class[1:])
        lines.append(Line(str(path.relative_to(folder)), name, of_class[0]))
    notes = [f"files beside the folders of classes, left out: {len(files) - len(inside)}"]
    return Reading(lines, "folder a class", classes=True, notes=notes if len(files) > len(inside) else [])


def _one_an_image(folder: Path, files: Sequence[Path], reader: Callable[[bytes], Reading]) -> Reading:
    lines: list[Line] = []
    for path in files:
        place = str(path.relative_to(folder))
        try:
            read = reader(path.read_bytes())
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
        lines += [replace(line, where=place) for line in read.lines]
    return Reading(lines, f"{read.kind}, a file an image", classes=True)


def _flat(files: list[Path]) -> Reading:
    if all(p.is_symlink() for p in files):
        return Reading([Line(p.name, _target(p), "positive") for p in files], "folder of links to positives")
    return Reading([Line(p.name, p.name, None) for p in files], "folder of files", bare=True)


def _target(path: Path) -> str:
    return str(path.resolve() if path.is_symlink() else path.absolute())


def _is_yolo(path: Path) -> bool:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        cells = line.split()
        try:
            [float(cell) for cell in cells]
        except ValueError:
            return False
        if cells and (len(cells) < 5 or not cells[0].isdigit()):
            return False
    return True


def _yolo(folder: Path, texts: list[Path], files: list[Path]) -> Reading:
    named = next((p for p in files if p.name in (*_NAMES, *_LISTED)), None)
    told = named.read_text(encoding="utf-8-sig") if named else ""
    names = told.splitlines() if named is None or named.name in _NAMES else _names_in_yaml(told)
    lines = []
    for path in texts:
        numbers = {int(line.split()[0]) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()}
        found = frozenset(names[i] if i < len(names) else str(i) for i in numbers)
        parts = path.relative_to(folder).with_suffix("").parts
        name = "/".join(parts[1:] if parts[0] == "labels" and len(parts) > 1 else parts)
        lines.append(Line(str(path.relative_to(folder)), name, found or frozenset((NO_OBJECT,))))
    told = f", names from {named.name}" if named else ", classes by number"
    return Reading(lines, f"YOLO text files{told}", classes=True)


def _names_in_yaml(text: str) -> list[str]:
    """Return the classes of YOLO's data.yaml: `names: [a, b]`, a list of lines, or numbered lines from 0."""
    found = re.search(r"^names:[ \t]*(\[.*?\]|(?:\s*\n[ \t]*(?:-|\d+:)[^\n]*)+)", text, re.MULTILINE | re.DOTALL)
    body = found[1] if found else ""
    words = body[1:-1].split(",") if body.startswith("[") else re.findall(r"(?:-|\d+:)[ \t]*([^\n#]+)", body)
    return [word.strip().strip("'\"") for word in words]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
