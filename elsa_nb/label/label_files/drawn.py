"""Tables drawn with bars and rules: by Markdown, org-mode, pandas' to_markdown, the terminals of databases.

A table begins with a line of cells and a rule under it (`|---|:-:|`, `+----+---+`, `-----+---`); more rules may stand
anywhere. What stands around a table, on a page of notes, is not part of it.
"""

import re
from collections.abc import Iterator

from elsa_nb.label.label_files.lines import RowPlace

_BARS, _RULES, _CORNERS = "│┃║", "─━═╌┄", "┌┬┐├┼┤└┴┘╞╪╡╟╫╢╠╬╣╔╦╗╚╩╝┏┳┓┡╇┩"
_BOXES = str.maketrans(_BARS + _RULES + _CORNERS, "|" * len(_BARS) + "-" * len(_RULES) + "+" * len(_CORNERS))
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)>]*?)>?(?:\s+\"[^\"]*\")?\)")  # of Markdown: what it leads to is meant
_MARKED = re.compile(r"(`+|\*\*|\*)(?=\S)(.+?)(?<=\S)\1")  # code, or bold


def drawn(text: str) -> list[tuple[RowPlace, list[str]]] | None:
    """Return the rows of the table that is drawn in a text, the header first, as (place, cells); None where none is.

    Raises ValueError for two tables with different headers, and for a row with more cells than the header.
    """
    lines = re.split(r"\r\n|\n|\r", text)
    if re.search(r"[─━═]{2}", text):
        lines = [line.translate(_BOXES) for line in lines]
    tables = list(_tables(lines))
    if not tables:
        return None
    (first, header), *_ = tables[0]
    for (place, other), *_ in tables[1:]:
        if other != header:
            raise ValueError(
                f"it holds several tables drawn with bars, on {first} ({', '.join(header)}) and on {place} "
                f"({', '.join(other)}); save the one that is meant as a file of its own"
            )
    rows = [tables[0][0], *(row for table in tables for row in table[1:])]
    for place, cells in rows:
        if len(cells) > len(header):
            raise ValueError(
                f"{place} has {len(cells)} cells and the header of its table {len(header)}; a bar within a cell is "
                r"written \|"
            )
    return [(place, cells) for place, cells in rows if any(cells)]


def _tables(lines: list[str]) -> Iterator[list[tuple[RowPlace, list[str]]]]:
    """Yield each table as its rows, the header first."""
    number = 0
    while number < len(lines) - 1:
        header = lines[number]
        if "|" not in header or _is_rule(header) or not _is_rule(lines[number + 1]):
            number += 1
            continue
        rows = []
        while number < len(lines) and ("|" in lines[number] or _is_rule(lines[number])):
            if not _is_rule(lines[number]):
                rows.append((RowPlace("line", number + 1), _cells(lines[number])))
            number += 1
        yield rows


def _is_rule(line: str) -> bool:
    line = line.strip()
    closed = line.startswith(("|", "+"))
    cells = [cell.strip() for cell in re.split(r"[|+]", line.strip("|+"))]
    of = r":?-+:?|=+" if closed else r":?--+:?|==+"
    return ("|" in line or "+" in line) and all(re.fullmatch(of, cell) for cell in cells)


def _cells(line: str) -> list[str]:
    line = line.strip()
    line = line.removeprefix("|")
    line = line[:-1] if re.search(r"(?<!\\)\|$", line) else line
    return [_plain(cell) for cell in re.split(r"(?<!\\)\|", line)]


def _plain(cell: str) -> str:
    """Return a cell without its marks of Markdown: code and bold, links, and backslashes before its signs."""
    cell = cell.strip().replace("\\|", "|")
    if (link := _LINK.fullmatch(cell)) is not None:
        return link[1].strip()
    if (marked := _MARKED.fullmatch(cell)) is not None:
        return marked[2]
    return re.sub(r"\\([_*])", r"\1", cell)
