"""Texts of one name per line, with or without a label beside it, and how they are told from tables and JSON."""

import re

from elsa_nb.column_names import ITEM, plain
from elsa_nb.label.label_files.lines import Line, Reading
from elsa_nb.label.label_files.names import Names
from elsa_nb.text_files import lines_of


def begins_with_item(text: str, names: Names) -> bool:
    """Whether the first line of a text is an item, or its first cell: names may begin like JSON, "[3] owl.jpg".

    In JSON a quotation mark comes before any address that an item may end.
    """
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    cells = [re.split(ends, first, maxsplit=1)[0].strip() for ends in (r"\n", r"[,;\t|]", r"\s(?=\S*$)")]
    return any('"' not in cell and names.knows(cell) for cell in cells)


def a_list(text: str, names: Names) -> Reading | None:
    """Read a text of one name a line, or of a name and a label with a space between; None where it is neither."""
    lines = [(f"line {i}", line.strip()) for i, line in enumerate(lines_of(text), 1)]
    if len(lines) > 1 and plain(lines[0][1]) in ITEM and not names.knows(lines[0][1]):
        del lines[0]  # the name of its one column
    lines = [(place, line) for place, line in lines if line and not _is_remark(line, names)]
    if (points := _points(lines, names)) is not None:
        return points
    if any(isinstance(names.find(line), int) for _, line in lines):
        return Reading([Line(place, line, None) for place, line in lines], "list of names", bare=True)
    pairs = [(place, *parts) for place, line in lines if len(parts := line.rsplit(None, 1)) == 2]
    if len(pairs) == len(lines) and any(isinstance(names.find(name), int) for _, name, _ in pairs):
        return Reading([Line(place, name, label) for place, name, label in pairs], "list of names with a label each")
    return None


def names_a_line(text: str) -> Reading:
    """Read a text as one name a line, whether any is an item or not."""
    lines = [(f"line {i}", line.strip()) for i, line in enumerate(lines_of(text), 1)]
    return Reading([Line(place, line, None) for place, line in lines if line], "list of names", bare=True)


def _points(lines: list[tuple[str, str]], names: Names) -> Reading | None:
    """Read a list of Markdown: "- a.jpg", or, with boxes to tick, "- [x] a.jpg"; None for others."""
    found = [(place, re.fullmatch(r"(?:[-*+]|\d+[.)])\s+(?:(\[[ xX]?\])\s+)?(.+)", line)) for place, line in lines]
    points = [(place, point[1], point[2].strip("`")) for place, point in found if point is not None]
    if len(points) < len(lines) or not any(names.knows(name) for _, _, name in points):
        return None
    if any(names.knows(line) for _, line in lines):
        return None
    bare = not any(box for _, box, _ in points)
    read = [Line(place, name, box) for place, box, name in points]
    return Reading(read, "list of names" if bare else "list of boxes to tick", bare=bare)


def _is_remark(line: str, names: Names) -> bool:
    return line.startswith("#") and not any(map(names.knows, (line, line.rsplit(None, 1)[0])))
