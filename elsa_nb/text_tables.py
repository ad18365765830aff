"""Tables of text as pandas frames: what separates, where the first row is, and whether that row is a header.

CSV comes in the separators, decimal marks and encodings of many programs and countries, with a header, without
one, or with column numbers as one. No row may silently be taken for a header, and no id may lose its zeros.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.column_names import find_name, find_place, unwrapped
from elsa_nb.text_files import LINE_END, decoded, how_read
from elsa_nb.text_layout import (
    HEAD,
    check_one_line_each,
    has_apostrophes,
    has_stray_quotes,
    is_number,
    is_spaced,
    layout_of,
)

_WRITTEN_LIST = re.compile(r"\s*(array\(|tensor\()?[\[(].*[\])]\s*", re.DOTALL)
# What numpy and torch print around numbers.
_PRINTED = re.compile(
    r"np\.float\d+|array|tensor|\b(dtype|device|requires_grad|grad_fn|size|layout)=[^,)\]]+|[\[\](),]"
)
_WHOLE = re.compile(r"(\d+)(?:\.0+)?")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}[,.]\d{3}")
_COMMA = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")


@dataclass(frozen=True)
class TextTable:
    """A table of text as a pandas frame.

    `notes` say how it was read, `bare` that it has no header. `padded` are the columns of whole numbers written with
    leading zeros, which the frame holds as they are written. `repeated` {column: what the header calls it} are numbered
    ones whose name the header gives to several. `commas` {column: one of its cells} are columns with a decimal comma,
    and `doubtful` those of numbers whose mark may part decimals or thousands.
    """

    frame: Any
    notes: list[str]
    bare: bool
    padded: list[Any]
    repeated: dict[Any, str]
    commas: dict[Any, str]
    doubtful: dict[Any, str]


def read_text_table(path: Path, encoding: str | None = None) -> TextTable:
    """Read a table of text, and note how where that is not obvious; without a header its columns are numbered.

    `encoding` is found by default. Raises ValueError where there is no text, and for a line that is too long.
    """
    used, text = next(decoded(path.read_bytes(), encoding), ("", ""))
    if not text.strip():
        raise ValueError("it is empty, or not text")
    quote = "'" if has_apostrophes(text) else '"'
    separator, skipped, rows = layout_of(text, quote)
    header, notes = rows[0], how_read(used, encoding)
    # A word is a word: "NA", "null" and "nan" are ids in some vocabularies, and not numbers among vectors.
    how: dict[str, Any] = {"sep": separator, "skiprows": skipped, "keep_default_na": False, "quotechar": quote}
    how["skipinitialspace"] = is_spaced(text[:HEAD], separator)
    if quote == '"' and quote in text and has_stray_quotes(text, separator, skipped, len(header)):
        how["quoting"] = csv.QUOTE_NONE
        notes.append("quotation marks are taken for letters: in some cell they do not stand around the whole")
    elif quote == '"' and quote in text and separator != r"\s+":
        check_one_line_each(text, separator, how["skipinitialspace"], len(header))
    bare, doubt = _has_no_header([cell.strip() for cell in header], rows[1:])
    if bare:
        how["header"] = None
    elif (named := find_name(header)) is not None:
        how["converters"] = {named: str, f'="{named}"': str}  # 007 stays 007
    frame = _parsed(text, how)
    marked, doubtful = {}, {}  # by places from the end: a column may come to stand in front
    if separator != "," and (marked := _decimal_commas(frame)):
        notes.append(f"commas are taken for decimal marks, as in {next(iter(marked.values()))!r}")
        doubtful, how["decimal"] = _of_two_meanings({at: frame.iloc[:, at] for at in marked}, ","), ","
        frame = _parsed(text, how)
    if not bare and _lacks_a_name(header, rows[1:]):
        frame, header = frame.rename_axis("Unnamed: 0").reset_index(), ["Unnamed: 0", *header]
    if separator == ";" and not how.get("decimal"):  # programs put it between columns where commas part decimals
        doubtful = _of_two_meanings(_doubtful_points(frame, text, how), ".")
    padded, repeated = [], {}
    if whole := [name for name in frame.columns if frame[name].dtype.kind in "iu"]:
        padded = _restore_zeros(frame, whole, text, how)
    if '="' in text or '"=""' in text:
        padded += _unwrap(frame)
    if not bare:
        frame.columns, repeated = _apart(frame.columns, header)
        if doubt:  # its column names are numbers
            whole = {name: found[1] for name in frame.columns if (found := _WHOLE.fullmatch(str(name)))}
            frame.columns = [name if name in repeated else whole.get(name, name) for name in frame.columns]
    if skipped:
        first = " ".join(LINE_END.split(text, maxsplit=1)[0].split())
        _check_counts(first, frame)
        notes.append(
            f"lines before the {'first row' if bare else 'header'}, left out: {skipped} (the first: {first!r:.60})"
        )
    commas, doubtful = ({frame.columns[at]: cell for at, cell in found.items()} for found in (marked, doubtful))
    return TextTable(frame, notes + doubt, bare, padded, repeated, commas, doubtful)


def _check_counts(first: str, frame: Any) -> None:
    """Raise ValueError where a first line of two numbers, as word2vec writes it, counts other rows than follow it."""
    if told := re.fullmatch(r"(\d+) (\d+)", first):
        vectors, values, (rows, columns) = int(told[1]), int(told[2]), frame.shape
        if vectors != rows or values not in (columns, columns - 1):
            raise ValueError(
                f"its first line ({first}) tells of {vectors:,} vectors of {values:,} values, and {rows:,} lines of "
                f"{columns:,} cells follow: is it cut off? If that line tells something else, take it out"
            )


def _parsed(text: str, how: dict[str, Any]) -> Any:
    import pandas as pd

    try:
        return pd.read_csv(io.StringIO(text), **how)
    except pd.errors.ParserError as error:
        if told := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error)):
            raise ValueError(
                f"line {told[2]} has {told[3]} cells, and the lines before it {told[1]}; give all rows the same number"
            ) from None
        raise


def _lacks_a_name(header: list[str], others: list[list[str]]) -> bool:
    """Whether rows have one cell more than the header: R leaves out the name of the first column."""
    return bool(others) and Counter(map(len, others)).most_common(1)[0][0] == len(header) + 1


def _restore_zeros(frame: Any, whole: list[Any], text: str, how: dict[str, Any]) -> list[Any]:
    """Restore columns of numbers with leading zeros to how they are written; return their names."""
    between = how["sep"] if how["sep"] == r"\s+" else re.escape(how["sep"])
    if not re.search(rf'(?:^|{between})[ "]*0\d+[ "]*\r?(?:{between}|$)', text, re.MULTILINE):
        return []  # reading a large table twice takes as long again
    places = [place for place, name in enumerate(frame.columns) if name in whole]
    written = _as_written(frame, places, text, how)
    padded = [place for place in places if written[place].str.fullmatch(r"\s*0\d+\s*").any()]
    for place in padded:
        frame[frame.columns[place]] = written[place].str.strip()
    return [frame.columns[place] for place in padded]


def _as_written(frame: Any, places: list[int], text: str, how: dict[str, Any]) -> Any:
    """Return the columns of a frame at some places as texts, as they are written; the columns are called by place."""
    # By place and without a header, since the names of columns may be fewer than the columns.
    again = {"header": None, "names": range(len(frame.columns)), "usecols": places, "dtype": str, "converters": None}
    return _parsed(text, how | again).iloc[-len(frame) :].reset_index(drop=True)


def _unwrap(frame: Any) -> list[Any]:
    """Unwrap the cells and names of columns that a program marked as text; return those of numbers with zeros ahead."""
    frame.columns = [unwrapped(name) if isinstance(name, str) else name for name in frame.columns]
    padded = []
    for place, name in enumerate(frame.columns):
        cells = frame.iloc[:, place].tolist()
        if any(isinstance(cell, str) and unwrapped(cell) != cell for cell in cells):
            cells = [unwrapped(str(cell)) for cell in cells]
            frame.isetitem(place, cells)
            padded += [name] if all(map(str.isdigit, cells)) and any(cell[0] == "0" for cell in cells) else []
    return padded


def _apart(names: Sequence[Any], header: list[str]) -> tuple[list[Any], dict[Any, str]]:
    """Return the names of columns, numbered from 0 where one repeats, as pandas would all but the first.

    Of those that end with a number anyway, also return {such a name: the one in the header}. Spaces around a name are
    dropped.
    """
    header = [cell.strip() for cell in header]
    names = [(isinstance(name, str) and name.strip()) or name for name in names]
    count, seen = Counter(header), Counter()
    if len(names) != len(header):
        return names, {}
    made = []
    for name, cell in zip(names, header, strict=True):
        made.append(f"{cell}.{seen[cell]}" if count[cell] > 1 and cell else name)
        seen[cell] += 1
    if twice := [name for name, times in Counter(made).items() if times > 1]:
        raise ValueError(f"it has several columns {twice[0]!r}; give each a name of its own")
    twice = zip(made, header, strict=True)
    return made, {name: cell for name, cell in twice if count[cell] > 1 and cell[-1:].isdecimal()}


# --- decimals and thousands


def _decimal_commas(frame: Any) -> dict[int, str]:
    """Return {place of a column, counted from the end: its first cell with a decimal comma}."""
    found = {}
    for at in range(-len(frame.columns), 0):
        column = frame.iloc[:, at]
        cells = () if column.dtype.kind in "fiub" else (str(value) for value in column)
        if (first := next(filter(_COMMA.fullmatch, cells), None)) is not None:
            found[at] = first
    return found


def _doubtful_points(frame: Any, text: str, how: dict[str, Any]) -> dict[int, list[str]]:
    """Return {place of a column, counted from the end: its cells as written}, where points may part thousands.

    None are returned where a number is below 1 or has more decimals than three: then a point is a decimal mark.
    """
    places = [place for place, kind in enumerate(frame.dtypes) if kind.kind == "f"]
    for rows in (slice(1000), slice(None)):  # the first nearly always tell
        values = np.abs(frame.iloc[rows, places].to_numpy(np.float64))
        values = values[np.isfinite(values) & (values > 0)]
        if (values < 1).any() or not np.allclose(values * 1000, np.rint(values * 1000), rtol=1e-12, atol=0):
            return {}
    written = _as_written(frame, places, text, how) if places else {}
    return {place - len(frame.columns): written[place].tolist() for place in places}


def _of_two_meanings(columns: dict[int, Iterable[Any]], mark: str) -> dict[int, str]:
    """Return {column: its first cell with the mark}; {} where any cell shows that the mark is that of decimals.

    A cell does not show it where its mark stands before three digits. One with several marks is left to the reader of
    numbers, who refuses it.
    """
    found: dict[int, str] = {}
    for at, cells in columns.items():
        for cell in (str(each).strip() for each in cells if mark in str(each)):
            if _GROUPED.fullmatch(cell):
                found.setdefault(at, cell)
            elif is_number(cell):
                return {}
    return found


# --- lists in cells


def words_in_list(cell: str) -> list[str]:
    """Return what a written list holds, without what stands around its values."""
    return _PRINTED.sub(" ", cell).split()


def count_in_list(cell: str) -> int:
    """Return how many numbers a cell holds that is a written list of them, such as "[0.1, 0.2]"; 0 for any other.

    The dots with which numpy cuts a long one short count as one.
    """
    words = words_in_list(cell) if _WRITTEN_LIST.fullmatch(cell) else []
    return len(words) if all(word == "..." or is_number(word) for word in words) else 0


# --- header or not


def _has_no_header(cells: list[str], others: list[list[str]]) -> tuple[bool, list[str]]:
    """Return whether a first row is a row like the `others` below it, and a note where that is in doubt.

    It is a header where words stand above numbers. So it is where its numbers count columns from 0, as pandas names
    columns without a name, or, in all cells, from 1 above numbers that are not whole. Beside a name such as "id" whole
    numbers are names, even 1.0. Any other number above numbers is a value. Raises ValueError for two rows of names.
    """
    _check_one_header(cells, others)
    cells = ["", *cells] if _lacks_a_name(cells, others) else cells
    places = [p for p in range(len(cells)) if _mostly_numbers([row[p].strip() for row in others if p < len(row)])]
    places = places if others else list(range(len(cells)))
    numbers = [cells[p] for p in places if is_number(cells[p])]
    words = [cells[p] for p in places if cells[p] and not is_number(cells[p])]
    row = ["it has no header: its first line is taken for a row like the others"]
    if any(map(count_in_list, cells)) or (find_place(cells) is None and _names_files(cells, others)):
        return True, row
    if not numbers or (len(words) > len(numbers) and others):
        return False, []
    known = find_name(cells) is not None
    named = known or (cells[0] == "" and all(cells[1:]))
    whole = all(map(_WHOLE.fullmatch if known else str.isdigit, numbers))
    told = [int(float(number)) for number in numbers] if whole else []
    counted = whole and told == list(range(len(told)))
    if len(told) == len(cells) > 2 and _has_fractions(others, places):
        counted = counted or told == list(range(1, len(told) + 1))
    alike = any(_alike(cells[0], other[0].strip()) for other in others)
    if (others or named) and not alike and (counted or (whole and named)):
        return False, [
            f"its first line ({', '.join(cells)[:40]}) is taken for a header: if not, put one of words above it"
        ]
    return True, row


def _check_one_header(cells: list[str], others: list[list[str]]) -> None:
    """Raise ValueError where the row below the header names the columns, too, as pandas writes two levels of names.

    Its numbers ascend, and are no values: above fractions where the header repeats a name, and above any numbers where
    it names no row, as the rows below it do.
    """
    below = [cell.strip() for cell in others[0]] if others and len(others[0]) == len(cells) else []
    rest = others[1:]
    if not below or not rest:  # nothing shows what values are like
        return
    repeated = {cell for cell, times in Counter(cells).items() if cell and times > 1}
    groups = [[place for place, cell in enumerate(cells) if cell == name] for name in repeated]
    first_names = cells[0] == "" or find_name(cells[:1]) is not None
    nameless = first_names and below[0] == "" and all(row[0].strip() for row in rest)
    if nameless and not repeated:
        groups = [list(range(1, len(cells)))]
    for places in groups:
        told = [below[place] for place in places]
        if _ascend(told) and (nameless or _has_fractions(rest, places)):  # else it may be a row of whole values
            raise ValueError(
                f"it has two rows of names: below {cells[places[0]]!r} the next row numbers {len(told)} columns "
                f"({', '.join(told[:3])}{' ...' * (len(told) > 3)}); write one row of names, as "
                "frame.columns = [f'{one}{two}' for one, two in frame.columns] makes them in pandas"
            )


def _ascend(cells: list[str]) -> bool:
    """Whether cells are whole numbers that ascend: from 0 or 1 in steps of 1, or three of them or more in any steps."""
    if not all(cell.isascii() and cell.isdigit() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    if len(numbers) < 3:
        return numbers in ([0, 1], [1, 2])
    return all(one < other for one, other in pairwise(numbers))


def _names_files(cells: list[str], others: list[list[str]]) -> bool:
    """Whether a cell of a first row is the name of a file of the same kind as all cells below it."""
    for place, cell in enumerate(cells):
        ending = None if is_number(cell) else re.search(r"\.\w{1,5}$", cell)
        below = [row[place].strip() for row in others if place < len(row)]
        if ending and below and all(each.endswith(ending[0]) for each in below):
            return True
    return False


def _has_fractions(rows: list[list[str]], places: list[int]) -> bool:
    cells = (row[place] for row in rows for place in places if place < len(row))
    return any(is_number(cell) and not float(cell.replace(",", ".")).is_integer() for cell in cells)


def _mostly_numbers(cells: list[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and 2 * sum(map(is_number, filled)) > len(filled)


def _alike(one: str, other: str) -> bool:
    """Whether two words are made alike: with the same file ending, or the same except for their numbers."""
    if is_number(one) or not one:
        return False
    ending = re.search(r"\.\w{1,5}$", one)
    numbered = re.search(r"\d", one) and re.sub(r"\d+", "0", one) == re.sub(r"\d+", "0", other)
    return bool(numbered) or bool(ending and other.endswith(ending[0]))


def counts_rows(column: Any) -> bool:
    """Whether a column counts the rows from 0 or 1, or, with three rows or more, from anywhere; also as 0.0, 1.0 ..."""
    if column.dtype.kind not in "iuf" or len(column) < 2 or not np.isfinite(column.iloc[0]):
        return False
    first = int(column.iloc[0])
    return (first in (0, 1) or len(column) > 2) and bool((column == np.arange(first, first + len(column))).all())
