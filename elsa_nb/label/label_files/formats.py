"""Which format a file or folder of labels is of, known by its bytes, and what its lines then are."""

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from elsa_nb.column_names import ITEM
from elsa_nb.errors import MissingDataError
from elsa_nb.label.label_files import (
    arrays,
    columns,
    folders,
    name_lists,
    stored_sessions,
    tables,
    tasks,
    via,
    xml_files,
)
from elsa_nb.label.label_files.in_order import label_a_line
from elsa_nb.label.label_files.lines import Reading
from elsa_nb.label.label_files.names import Names
from elsa_nb.text_files import decoded, json_value


def best_reading(
    path: Path,
    names: Names,
    item: str | None,
    label: str | None,
    encoding: str | None,
    *,
    shown_as: Path | None = None,
) -> Reading:
    """Return the lines of a file or folder, read in the way in which most of its names are items; raise ValueError.

    Errors call the file `shown_as` where that is given.
    """
    reading = _best(_readings(path, names, item, label, encoding, shown_as or path), names)
    reading.check_heeded(item=item, label=label, encoding=encoding)
    return reading


def _best(readings: Iterator[Reading], names: Names) -> Reading:
    """Return the reading in which most names are items; the first of equals."""
    first, *rest = readings
    if not rest:
        return first
    return max((first, *rest), key=lambda reading: sum(names.knows(line.name) for line in reading.lines))


def _readings(
    path: Path, names: Names, item: str | None, label: str | None, encoding: str | None, shown_as: Path
) -> Iterator[Reading]:
    """Yield the file in each way it may be meant: more than one only where its encoding has to be guessed."""
    if path.is_dir():
        yield folders.read(path, names)
        return
    if not path.exists():
        raise MissingDataError(f"{shown_as} is not here; give a file of labels, or a folder.")
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        data = _unpacked(data)
    if data.startswith(b"SQLite format 3"):
        yield stored_sessions.read(path, shown_as, names, item)
        return
    for is_it, read in _BY_BYTES:
        if is_it(data):
            yield read(data, names, item=item, label=label)
            return
    yield from _texts(data, names, item, label, encoding)


def _unpacked(data: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            unpacked = stream.read(tables.UNPACKED_MOST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"it is a broken .gz file ({error}); copy or pack it again") from None
    if len(unpacked) > tables.UNPACKED_MOST:
        most = tables.UNPACKED_MOST >> 20
        raise ValueError(f"it is a .gz file of more than {most:,} MB when unpacked; import its labels in several files")
    return unpacked


# --- by their bytes: `read(data, names, item=..., label=...)`


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(marks)


def _matches(pattern: bytes) -> Callable[[bytes], bool]:
    return lambda data: re.match(pattern, data, re.IGNORECASE) is not None


def _arrow(as_table: Callable[[bytes], tables.Table], data: bytes, names: Names, **named: str | None) -> Reading:
    return columns.read(as_table(data), names, **named)


def _spreadsheet(data: bytes, names: Names, *, item: str | None, label: str | None) -> Reading:
    """Read the first sheet that has items and labels; say which others have, too, and which cells nobody computed."""
    sheets = [columns.under_titles(sheet, item, label) for sheet in tables.workbook(data)]
    if not sheets:
        raise ValueError("its sheets are empty")
    known = [sheet for sheet in sheets if columns.is_known(sheet, item, label)]
    reading = columns.read((known or sheets)[0], names, item=item, label=label)
    if known[1:]:
        others = ", ".join(f"sheet {sheet.sheet!r}" for sheet in known[1:])
        reading.notes.append(f"other sheets with labels, left out: {others}; save each as a file to import it")
    if count := tables.without_value(data):
        note = "1 cell holds a formula" if count == 1 else f"{count} cells hold formulas"
        note += f" without a value, and count{'s' if count == 1 else ''} as empty: save the file once in Excel or "
        reading.notes.append(note + "LibreOffice, which compute them")
    return reading


def _web_page(data: bytes, names: Names, **named: str | None) -> Reading:
    raise ValueError("it is a web page, which some programs call .xls: open it in a spreadsheet, save it as CSV")


def _xml(data: bytes, names: Names, **named: str | None) -> Reading:
    return xml_files.read(data)


# The first that a file is of counts: arrays are an archive, as spreadsheets are, and a web page looks like XML.
_BY_BYTES: tuple[tuple[Callable[[bytes], bool], Callable[..., Reading]], ...] = (
    (_begins(b"PAR1"), partial(_arrow, tables.parquet)),
    (_begins(b"ARROW1"), partial(_arrow, tables.feather)),
    (arrays.are_arrays, arrays.read),
    (_begins(b"PK\x03\x04", b"\xd0\xcf\x11\xe0"), _spreadsheet),
    (_matches(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body|table|meta)\b"), _web_page),
    (_matches(rb"(\xef\xbb\xbf)?\s*<|\xff\xfe<\0|\xfe\xff\0<"), _xml),
)


# --- texts


def _texts(data: bytes, names: Names, item: str | None, label: str | None, encoding: str | None) -> Iterator[Reading]:
    """Yield a text in each encoding that it may be in and that makes sense of it."""
    flaws, readable = [], False
    for name, text in decoded(data, encoding):
        try:
            reading = _text(text.lstrip("\ufeff"), names, item, label)
        except ValueError as error:  # another encoding may make sense of it; else the error of the likeliest counts
            flaws.append(error)
            continue
        readable = True
        reading.heeded |= {"encoding"}
        if name not in ("utf-8", "utf-8-sig"):
            reading.kind += f", in {name}"
        yield reading
    if not readable:
        neither = "it is neither text nor a known table file (CSV, JSON, Parquet, Feather, Excel, NumPy)"
        raise flaws[0] if flaws else ValueError(neither)


def _text(text: str, names: Names, item: str | None, label: str | None) -> Reading:
    start = text.lstrip()
    if not start:
        raise ValueError("it is empty")
    if start.startswith("{\\rtf"):
        raise ValueError("it is a text document (RTF); save its table as CSV")
    if re.match(r"TY {1,2}- ", start):
        raise ValueError("it is a RIS file; export it as CSV (ASReview: Export, CSV) with a column of labels")
    if start[0] in "{[" and not name_lists.begins_with_item(start, names):
        value, by_line = json_value(text)
        read = tasks.read(value, by_line, is_item=names.knows, item=item, label=label)
        return columns.read(read, names, item=item, label=label) if isinstance(read, tables.Table) else read
    if item == "row" and (lines := label_a_line(text, len(names.ids), label)) is not None:
        return columns.read(lines, names, item=item, label=label)
    return _table_or_list(text, names, item, label)


def _table_or_list(text: str, names: Names, item: str | None, label: str | None) -> Reading:
    """Read a text as the table whose columns are known, else as a list of names, else as the likeliest table."""
    ways, broken = [], None
    try:
        for table in tables.ways_to_read(text):
            if via.is_table(table):
                return via.read_regions(table, label)
            table = columns.under_titles(table, item, label)
            ways.append(table)  # before it is read: what has the columns of a table is no list because of a flaw in it
            if columns.is_known(table, item, label):
                return columns.read(table, names, item=item, label=label)
    except ValueError as error:
        broken = error
    may_be_list = item is None and label is None
    # A line of a table ends like an item where its last filled cell does: what has a header is not a list.
    headed = not name_lists.begins_with_item(text.lstrip(), names) and any(map(columns.names_items, ways))
    if may_be_list and not headed and (listed := name_lists.a_list(text, names)) is not None:
        return listed
    if broken is not None:
        raise broken
    if (reading := _likely_table(ways, names, item, label)) is not None:
        return reading
    if may_be_list and all(len(table.columns) == 1 for table in ways):
        return name_lists.names_a_line(text)
    return columns.read(max(ways, key=lambda table: len(table.columns)), names, item=item, label=label)


def _likely_table(ways: list[tables.Table], names: Names, item: str | None, label: str | None) -> Reading | None:
    """Read the first table that has a column of items, or may have one; None where none has.

    Raises the error of the first of them that cannot be read.
    """
    for table in ways:
        with_item = columns.find(table, item, ITEM) is not None or len(table.columns) == 2
        if with_item or "" in table.columns:
            return columns.read(table, names, item=item, label=label)
    return None
