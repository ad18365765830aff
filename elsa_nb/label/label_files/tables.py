"""Tables out of files: CSV in the ways of many programs and countries, lists, Parquet, Feather, Excel, rows of JSON.

A table is its header and its rows, each with the place where it stands. Nothing here knows what a label is.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from elsa_nb.arrow_files import read_arrow
from elsa_nb.column_names import unwrapped
from elsa_nb.label.label_files.drawn import drawn
from elsa_nb.label.label_files.lines import RowPlace
from elsa_nb.store import parsing
from elsa_nb.text_files import LINE_END
from elsa_nb.text_layout import is_spaced

_FIRST_LINES = 10  # that are looked at for a separator: above the header there may be a title
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}
_READERS = ("openpyxl", "odfpy", "xlrd", "python-calamine")  # of spreadsheet files, for pandas
# What openpyxl raises for missing parts, and for well-formed parts that are not of a spreadsheet.
_REFUSALS = (AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError, OSError)
UNPACKED_MOST = 1 << 30  # bytes that a packed file may become
# A cell of an Excel sheet: its attributes, and what it holds.
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*)(?<!/)>(.*?)</(?:\w+:)?c>", re.DOTALL)
_FORMULA, _VALUE, _COMPUTED = (
    re.compile(form) for form in (rb"<(?:\w+:)?f\b", rb"<(?:\w+:)?v\b[^/>]*>[^<]", rb't="str"')
)


@dataclass
class Table:
    """A table: the names of its columns, and its rows as (place, values).

    `separator`: the sign at which a text was cut into cells. `sheet`: of a spreadsheet file.
    """

    columns: list[str]
    rows: list[tuple[RowPlace, list[Any]]]
    kind: str
    separator: str | None = None
    sheet: str | None = None


def separated(text: str, separator: str, quote: str = '"') -> Iterator[tuple[RowPlace, list[str]]]:
    """Yield the rows of a text as (place, cells); empty lines are left out. Raises ValueError for a broken quote."""
    # Columns that are aligned have several spaces between them.
    spaced = separator == " " or is_spaced(text, separator)
    how = {"delimiter": separator, "quotechar": quote, "skipinitialspace": spaced}
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, **how)
    number = 1
    try:
        for cells in reader:
            if any("\n" in cell or "\r" in cell for cell in cells) and _is_open(lines, reader.line_num, number, how):
                raise ValueError(f"line {number}: a quotation mark is opened there and never closed")
            if any(cell.strip() for cell in cells):
                yield RowPlace("line", number), [unwrapped(cell) for cell in cells]
            number = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"line {number}: {error}; is a quotation mark opened there and never closed?") from None


def _is_open(lines: list[str], last: int, first: int, how: dict[str, Any]) -> bool:
    """Whether the row on the lines `first` to `last` ends only because the text does."""
    if last < len(lines):
        return False
    try:
        list(csv.reader(lines[first - 1 :], strict=True, **how))
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def cell_a_line(text: str) -> list[str]:
    """Return a text whose lines are one cell each, empty ones too; [] where tabs, quotes or bars part a line."""
    lines = [line.strip() for line in LINE_END.split(text)]
    if not lines[-1]:
        del lines[-1]  # what follows the end of the last line is not a line
    first = next(filter(None, lines), "")
    quote = "'" if re.fullmatch("'[^']*'", first) else '"'
    whole = re.compile(f"{quote}((?:[^{quote}]|{quote * 2})*){quote}")
    quoted = [whole.fullmatch(line) for line in lines]
    opened = any(line.startswith(quote) and not cell for line, cell in zip(lines, quoted, strict=True))
    if opened or any("\t" in line for line in lines) or drawn(text) is not None:
        return []
    cells = [cell[1].replace(quote * 2, quote) if cell else line for line, cell in zip(lines, quoted, strict=True)]
    return [unwrapped(cell) for cell in cells]


def ways_to_read(text: str) -> Iterator[Table]:
    """Yield the text as a table in each way that its first line allows, the likeliest first.

    Ways differ in separator and quotes. Excel may name its separator in a line of its own ("sep=;"). A table that is
    drawn with bars and rules can be read in one way only.
    """
    if (rows := drawn(text)) is not None:
        yield as_table(rows, "table drawn with bars")
        return
    declared = re.match(r"\s*\"?sep=(.)\"?[ \t;,]*\r?\n", text)
    skipped = 0
    if declared:
        text, skipped = text[declared.end() :], 1
    first = text.lstrip("\r\n \t").splitlines()[:_FIRST_LINES]
    head, some = first[0] if first else "", "\n".join(first)
    separators = (declared[1],) if declared else sorted(_SEPARATORS, key=lambda s: -head.count(s) if s != " " else 1)
    quotes = ("'", '"') if re.match(r"\s*'", head) else ('"',)
    for quote in quotes:
        for separator in separators:
            if separator not in (head if separator == " " else some) and len(separators) > 1 and separator != ",":
                continue
            rows = list(separated(text, separator, quote))
            if not rows:
                return
            if skipped:
                rows = [(place._replace(number=place.number + skipped), cells) for place, cells in rows]
            rows = _with_decimals(rows) if separator == "," else rows
            kind = f"table separated by {_SEPARATORS.get(separator, repr(separator))}"
            yield as_table(rows, kind, separator=separator)


def _with_decimals(rows: list[tuple[RowPlace, list[str]]]) -> list[tuple[RowPlace, list[str]]]:
    """Join numbers that were cut at their decimal comma: in each row one cell more than in the header, "1" and "0".

    Row names that R counts make a cell more, too.
    """
    (_, header), *rest = rows
    if not rest or {len(cells) for _, cells in rest} != {len(header) + 1}:
        return rows
    if [cells[0] for _, cells in rest] == [str(i) for i in range(1, len(rest) + 1)]:
        return rows
    cut = [
        at
        for at in range(len(header))
        if all(re.fullmatch(r"[+-]?\d+", cells[at]) and re.fullmatch("0+", cells[at + 1]) for _, cells in rest)
    ]
    if len(cut) != 1:
        return rows
    (at,) = cut
    joined = [(place, [*cells[:at], f"{cells[at]},{cells[at + 1]}", *cells[at + 2 :]]) for place, cells in rest]
    return [rows[0], *joined]


def as_table(
    rows: list[tuple[RowPlace, list[Any]]], kind: str, *, separator: str | None = None, sheet: str | None = None
) -> Table:
    """Make a table of rows whose first is the header; R leaves out the name of the column of row names."""
    (_, header), *rest = rows
    header = ["" if cell is None else str(cell).strip() for cell in header]
    widths = {len(cells) for _, cells in rest}
    if rest and widths == {len(header) + 1} and any(cells[-1] not in ("", None) for _, cells in rest):
        header = ["", *header]
    rows = [(place, [*cells, *[None] * (len(header) - len(cells))]) for place, cells in rest]
    return Table(header, rows, kind, separator, sheet)


def from_records(records: list[dict], kind: str, place: str) -> Table:
    """Make a table of dictionaries; `place` is what one is called ("line", "entry")."""
    columns = list(dict.fromkeys(str(key) for record in records for key in record))
    rows = [(RowPlace(place, i), [record.get(name) for name in columns]) for i, record in enumerate(records, 1)]
    return Table(columns, rows, kind)


def parquet(data: bytes) -> Table:
    """Read a Parquet file."""
    return _arrow(data, True, "Parquet file")


def feather(data: bytes) -> Table:
    """Read a Feather (Arrow) file."""
    return _arrow(data, False, "Feather file")


def _arrow(data: bytes, is_parquet: bool, kind: str) -> Table:
    with parsing():
        table = read_arrow(data, is_parquet)
        columns = [table.column(i).to_pylist() for i in range(table.num_columns)]
    rows = [(RowPlace("row", i), list(values)) for i, values in enumerate(zip(*columns, strict=True), 1)]
    return Table([str(name) for name in table.column_names], rows, kind)


def workbook(data: bytes) -> Iterator[Table]:
    """Yield the sheets of an Excel (.xlsx) or LibreOffice (.ods) file, where the library that reads it is here."""
    import pandas as pd

    broken = "it looks like a spreadsheet file and cannot be read ({}); save it as CSV"
    if data.startswith(b"PK"):
        try:
            _check_parts(data)
        except (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, RuntimeError) as error:
            raise ValueError(broken.format(error)) from None  # of RuntimeError: locked, or packed in a way of its own
    try:
        sheets = pd.read_excel(io.BytesIO(data), sheet_name=None, header=None, dtype=object)
        _spread_merged(sheets, data)
    except ImportError as error:
        wanted = next((name for name in _READERS if name in str(error)), _READERS[0])
        raise ValueError(
            f"to read a spreadsheet file the package {wanted} is needed, of a version that pandas takes "
            f"(pip install --upgrade {wanted}); or save it as CSV"
        ) from None
    except _REFUSALS as error:
        raise ValueError(broken.format(str(error) or type(error).__name__)) from None
    for name, frame in sheets.items():
        values = frame.to_numpy(object, copy=True)
        values[pd.isna(values)] = None
        rows = [(RowPlace("row", i, str(name)), cells) for i, cells in enumerate(values.tolist(), 1)]
        rows = [(place, cells) for place, cells in rows if any(cell is not None for cell in cells)]
        if rows:
            yield as_table(rows, f"sheet {name!r} of a spreadsheet file", sheet=str(name))


def without_value(data: bytes) -> int:
    """Return how many cells of an Excel file hold a formula and no value: the program that wrote it computed none."""
    if not data.startswith(b"PK"):
        return 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/")]
    cells = (cell for sheet in sheets if _FORMULA.search(sheet) for cell in _CELL.findall(sheet))
    # A formula that comes to no text has an empty value, and says that it is text.
    return sum(
        bool(_FORMULA.search(held)) and not _VALUE.search(held) and not _COMPUTED.search(about) for about, held in cells
    )


def _spread_merged(sheets: dict[str, Any], data: bytes) -> None:
    """Give each cell of an Excel file that is merged with one above it that one's value, as the eye does.

    Cells that are merged within one row are a title.
    """
    if not data.startswith(b"PK"):
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        if not any(b"<mergeCell " in archive.read(name) for name in parts):
            return
    import openpyxl

    for sheet in openpyxl.load_workbook(io.BytesIO(data), data_only=True).worksheets:
        frame = sheets[sheet.title]
        for cells in sheet.merged_cells.ranges:
            if cells.max_row > cells.min_row and cells.min_col <= frame.shape[1] and cells.min_row <= len(frame):
                column = cells.min_col - 1
                frame.iloc[cells.min_row : cells.max_row, column] = frame.iat[cells.min_row - 1, column]


def _check_parts(data: bytes) -> None:
    """Raise an error unless each part of an archive that is to be a spreadsheet file is whole and, if XML, well-formed.

    ValueError for an archive of other things, and for one that would fill the memory.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        if not {"[Content_Types].xml", "mimetype"} & {part.filename for part in parts}:
            raise ValueError("it is an archive (.zip): unpack it, and name the file or folder of labels in it")
        if (size := sum(part.file_size for part in parts)) > UNPACKED_MOST:
            raise ValueError(f"it is a spreadsheet file of {size >> 20:,} MB when unpacked; save its sheet as CSV")
        for part in parts:
            content = archive.read(part)
            if part.filename.endswith((".xml", ".rels")):
                expat.ParserCreate(namespace_separator=" ").Parse(content, True)
