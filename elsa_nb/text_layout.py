"""How a table of text is laid out: what separates its cells, what stands around them, and where its first row is."""

import csv
import io
import re
from collections import Counter

from elsa_nb.column_names import find_name, find_place, unwrapped
from elsa_nb.text_files import LINE_END

_SEPARATORS = ("\t", ";", "|", ",")  # a comma, which may be a decimal mark, is tried last
HEAD = 1 << 16  # letters of a text file that say how it is laid out
_LOOKED_AT = 20  # its rows
_TITLES = 10  # rows that may stand above the header: a title, a date


def is_spaced(text: str, separator: str) -> bool:
    """Whether a space follows each separator of a text, and so is not part of a word."""
    behind = text.split(separator)[1:] if len(separator) == 1 and separator != " " else []
    return bool(behind) and all(cell[:1] in (" ", "\r", "\n", "") for cell in behind) and any(map(str.strip, behind))


def has_apostrophes(text: str) -> bool:
    """Whether ' stands around all cells of the first lines that are not numbers, as " does elsewhere."""
    if not re.match(r"\s*'", text):
        return False
    lines = [line.strip() for line in LINE_END.split(text[:HEAD])[:_LOOKED_AT]]
    for between in (",", ";", r"\t", r"\|", " +"):
        cell = r"(?:'(?:[^']|'')*'|[+\-.\deE]*)"
        row = re.compile(f"{cell}(?:{between}{cell})*" if between == " +" else f"{cell}(?: *{between} *{cell})*")
        if all(map(row.fullmatch, lines)):
            return True
    return False


def layout_of(text: str, quote: str) -> tuple[str, int, list[list[str]]]:
    """Return the separator of a table of text, the number of lines before its first row, and the cells of the rows.

    The separator gives nearly all rows the same number of cells, and more than one. Above the table there may be a
    title, remarks that begin with # or %, the numbers of vectors and of their values, and Excel's "sep=;", which names
    the separator.
    """
    told = re.match(r"\ufeff?\s*\"?sep=(.)\"?[ \t;,]*(\r\n|\r|\n)", text)
    text, skipped = (text[told.end() :], len(LINE_END.findall(told[0]))) if told else (text, 0)
    ways = []
    for order, separator in enumerate((told[1],) if told else (*_SEPARATORS, r"\s+")):
        rows = _rows(text, separator, quote)
        widths = Counter(len(cells) for _, cells in rows)
        width = max(widths, key=lambda each: (widths[each], each), default=0)
        if width > 1 or told:
            ways.append((-widths[width] / len(rows), order, separator, rows, width))
    if not ways:
        rows = _rows(text, ",", quote)
        return ",", skipped + rows[0][0], [cells for _, cells in rows]
    if len(ways) > 1 and ways[-1][2] == r"\s+":  # spaces occur in other tables, too
        ways.pop()
    _, _, separator, rows, width = min(ways)
    if len(rows) > 1 and width > 2 and _counts_what_follows(rows[0][1], width):
        rows = rows[1:]
    filled = [sum(bool(cell.strip()) for cell in cells) for _, cells in rows]
    first = next((i for i, count in enumerate(filled) if 2 * count >= width), 0)
    titles = next((i for i, count in enumerate(filled[:_TITLES]) if count > 1), 0)
    if titles > first and find_place(rows[titles][1]) is not None:  # one cell may be half of a row
        first = titles
    return separator, skipped + rows[first][0], [cells for _, cells in rows[first:]]


def heads_table(text: str) -> bool:
    """Whether the first line of a text heads a table, in which all lines have as many cells as it, and else is an id.

    It has tabs, as no name has, or one of its cells is a known name of items. A line that is such a name itself, and
    nothing else, stands above ids.
    """
    head = text if len(text) <= HEAD else text[:HEAD].rpartition("\n")[0] or text[:HEAD]
    lines = [line.rstrip() for line in LINE_END.split(head)]
    if "\t" not in lines[0] and find_name(lines[:1]) is not None:  # before a tab a column lacks its name
        return False
    text = "\n".join(lines)
    quote = "'" if has_apostrophes(text) else '"'
    separator, skipped, (cells, *_) = layout_of(text, quote)
    if skipped or len(cells) < 2 or separator == r"\s+":
        return False
    known = separator == "\t" or find_name(cells) is not None
    return known and all(len(row) == len(cells) for _, row in _rows(text, separator, quote, 50))


def _counts_what_follows(cells: list[str], width: int) -> bool:
    """Whether a first line gives the number of vectors and their length, as word2vec and fastText write it."""
    return len(cells) == 2 and all(map(str.isdigit, cells)) and int(cells[1]) == width - 1


def _rows(text: str, separator: str, quote: str, count: int = _LOOKED_AT) -> list[tuple[int, list[str]]]:
    """Return the first rows of a text, without remarks and empty lines, each with the number of lines before it."""
    head = text[:HEAD]
    lines = LINE_END.split(head if len(head) == len(text) else head.rpartition("\n")[0] or head)
    if separator == r"\s+":
        around = quote if quote == "'" else ""
        rows = [(i, [cell.strip(around) for cell in line.split()]) for i, line in enumerate(lines[: 2 * count])]
    else:
        spaced = is_spaced(head, separator)
        reader, rows, before = csv.reader(lines, delimiter=separator, quotechar=quote, skipinitialspace=spaced), [], 0
        for cells in reader:
            rows.append((before, list(map(unwrapped, cells))))
            before = reader.line_num
    kept = [(line, cells) for line, cells in rows if "".join(cells).strip() and not _is_remark(cells)]
    return kept[:count] or [(0, [""])]


def _is_remark(cells: list[str]) -> bool:
    """Whether a row begins with # or %, but not as the vector of an item with such a name."""
    return cells[0].lstrip()[:1] in ("#", "%") and not (len(cells) > 1 and all(map(is_number, cells[1:])))


def has_stray_quotes(text: str, separator: str, skipped: int, width: int) -> bool:
    """Whether quotation marks are plain letters here, and do not keep separators inside one cell.

    Then every line has the table's number of cells if they are ignored, and in some cell they do not enclose the whole.
    """
    stray = False
    for line in LINE_END.split(text)[skipped:]:
        cells = line.split(None if separator == r"\s+" else separator)
        if not cells or cells == [""]:
            continue
        if len(cells) != width:
            return False
        marked = (cell.strip() for cell in cells if '"' in cell)
        stray = stray or any(len(cell) < 2 or not cell[0] == cell[-1] == '"' for cell in marked)
    return stray


def check_one_line_each(text: str, separator: str, spaced: bool, width: int) -> None:
    """Raise ValueError where a row continues over lines that are rows themselves, which would silently be lost.

    `width` is the number of cells of a row. A text of two columns is let through: many sentences have a comma.
    """
    lines = list(io.StringIO(text, newline=None))
    reader, first = csv.reader(lines, delimiter=separator, skipinitialspace=spaced), 0
    for _ in reader:
        over = lines[first : reader.line_num]
        if len(over) > 1 and width > 2 and all(line.count(separator) + 1 >= width for line in over):
            raise ValueError(
                f"line {first + 1}: a quotation mark opens a cell that continues over the next line, which is a row of "
                "its own; close the cell on its line, or take out a mark that means ditto or inches"
            )
        first = reader.line_num


def is_number(text: str) -> bool:
    """Whether a cell is a number, with a point or a comma."""
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
