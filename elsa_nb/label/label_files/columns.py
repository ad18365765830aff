"""Which columns of a table are the item, the label and the annotator; and tables and lists without a header."""

import ast
import json
import re
from contextlib import suppress
from datetime import datetime, time
from typing import Any

from elsa_nb.counts import count_of
from elsa_nb.formulas import meant
from elsa_nb.label.label_files.lines import Line, Reading, plain
from elsa_nb.label.label_files.names import Names
from elsa_nb.label.label_files.tables import Table, as_table
from elsa_nb.label.label_files.words import word_of
from elsa_nb.option_names import option_told
from elsa_nb.text_files import lines_of
from elsa_nb.text_tables import FOLDERS, in_folder

_HEEDED = frozenset(("item", "label"))  # the options that a table with columns listens to
# The first of these that a table has is taken. A plain number of a row or task comes last.
ITEM = """
    item image filename file_name file filepath file_path path image_path img_path image_name img_name
    image_file img image_uri uri image_url url media text_id record_id name key sample image_id item_id
    sample_id id imageid
    items images filenames file_names files filepaths file_paths paths image_paths ids names keys
    datei dateiname bild bildname fichier nom_fichier archivo fichero imagen bestand immagine
"""
LABEL = """
    label labels asreview_label included label_included final_included included_label included_final
    included_flag include choice choices class classes class_name category categories answer decision relevant target
    ground_truth tag tags klasse etikett bewertung étiquette etiqueta etichetta clase classe categorie
    species taxon
"""
ANNOTATOR = """
    annotator annotators annotated_by annotator_id rater reviewer labeler labeller user username
"""
FITTING = "of its columns "  # how the remark begins that names those which hold an item in every line
_TITLES = 10  # rows that may stand above the header: a title, a date, remarks
_WRITTEN = re.compile(r"""\s*\[\s*(['"]).*\1\s*,?\s*\]\s*""", re.DOTALL)
_VERDICTS = {"accept", "reject", "ignore", ""}
_BOX = {"xmin", "ymin", "xmax", "ymax"}  # a row is then one object of a picture, and a picture has several
# ASReview writes -1 where there is no label.
_MINUS_IS_EMPTY = {name for name in LABEL.split() if "includ" in name} | {"asreview_label"}


def find(table: Table, wanted: str | None, allowed: str) -> int | None:
    """Return which column is `wanted`, or (None) the first of those `allowed`; None where there is none."""
    if wanted is not None:
        names = [*table.columns, *map(plain, table.columns)]
        hit = next((names.index(name) for name in (wanted, plain(wanted)) if name in names), None)
        return None if hit is None else hit % len(table.columns)
    names = list(map(plain, table.columns))
    return next((names.index(name) for name in allowed.split() if name in names), None)


def names_items(table: Table) -> bool:
    """Whether a table of several columns has one with the name of a column of items."""
    return len(table.columns) > 1 and find(table, None, ITEM) is not None


def is_known(table: Table, item: str | None, label: str | None) -> bool:
    """Whether a table has both a column of items and one of labels."""
    found = find(table, item, ITEM), find(table, label, LABEL)
    return None not in found and found[0] != found[1]


def under_titles(table: Table, item: str | None, label: str | None) -> Table:
    """Return the table whose header is the first of its first rows that has both columns; the table where none has."""
    if is_known(table, item, label):
        return table
    for i, (_, cells) in enumerate(table.rows[:_TITLES]):
        lower = as_table([(place, list(row)) for place, row in table.rows[i:]], table.kind)
        if sum(cell not in ("", None) for cell in cells) > 1 and is_known(lower, item, label):
            return lower
    return table


def read(table: Table, names: Names, *, item: str | None = None, label: str | None = None) -> Reading:
    """Return the lines of a table; raises ValueError where its columns are not known, naming them."""
    which, what = find(table, item, ITEM), find(table, label, LABEL)
    in_order = which is None and item == "row"
    for name, place in (("item", which if not in_order else 0), ("label", what)):
        wanted = {"item": item, "label": label}[name]
        if wanted is not None and place is None:
            raise ValueError(
                f"it has no column {wanted!r} (asked for by {option_told(name, wanted)}); {_columns(table)}"
            )
    if which is None and item is None:
        which = _row_names(table, names)
    if which is None and not in_order:
        if (headless := _without_header(table, names)) is not None:
            return headless
        if first := [cell for cell in table.columns if not cell.isdecimal() and names.knows(cell)]:
            raise ValueError(
                f"its first line holds the item {first[0]!r} and no names of columns: write them above it, such as "
                "item and label"
            )
        raise ValueError(
            f"it has no column that is known to hold the items ({', '.join(ITEM.split()[:5])}, path, id ...); "
            f"{_columns(table)}. Say which does: {option_told('item')}"
            + "".join(f"; {note}" for note in _fitting(table, names))
        )
    if in_order and what is None and len(table.columns) == 1:
        table, what = _label_a_row(table, len(names.ids)), 0
    if in_order and len(table.rows) != len(names.ids):
        raise ValueError(_not_as_many(table, len(names.ids)))
    for index in {which, what} - {None}:
        _check_alone(table, index)
    if not in_order:
        _check_one_line_each(table, which, names)
    who = find(table, None, ANNOTATOR)
    folder, notes = (None, []) if in_order else _folder(table, which, what, names)
    notes += _beyond(table)
    lines = []
    for number, (place, cells) in enumerate(table.rows):
        name = names.ids[number] if in_order else _path(cells, which, folder)
        value = None if what is None else _choices(cells[what])
        if what is not None and plain(table.columns[what]) in _MINUS_IS_EMPTY and word_of(value) == "-1":
            value = None
        lines.append(Line(place, name, value, _person(cells[who]) if who is not None else None))
    if item is None and not all(names.knows(line.name) for line in lines):
        notes += _fitting(table, names)
    source = "the order of the rows" if in_order else repr(table.columns[which])
    source = source if folder is None else f"{table.columns[folder]!r} and {source}, joined"
    kind = f"{table.kind}, items from {source}"
    if set(map(plain, table.columns)) >= _BOX and what is not None:
        words: dict[str, set[str]] = {}
        for line in lines:
            words.setdefault(line.name, set()).update([] if line.label is None else [str(line.label)])
        first = {line.name: line for line in reversed(lines)}
        lines = [Line(first[name].where, name, frozenset(of) or None) for name, of in words.items()]
        return Reading(
            lines, f"{kind}, classes of boxes from {table.columns[what]!r}", classes=True, notes=notes, heeded=_HEEDED
        )
    if what is None:
        kind = f"{kind}, without a column of labels ({_columns(table)})"
        return Reading(lines, kind, bare=True, header=tuple(table.columns), notes=notes, heeded=_HEEDED)
    if label is None and (verdicts := _verdicts(table)) not in (None, what):
        called = repr(table.columns[verdicts])
        raise ValueError(
            f"its column {called} rejects some of what is in {table.columns[what]!r}: leave out the lines about other "
            f"classes, and name it: {option_told('label', table.columns[verdicts])}"
        )
    others = {name: None for name in table.columns if plain(name) in LABEL.split()}
    more = [repr(name) for name in others if plain(name) != plain(table.columns[what])]
    notes += [f"other columns that may hold labels, left out: {', '.join(more)}"] if more and label is None else []
    return Reading(lines, f"{kind}, labels from {table.columns[what]!r}", notes=notes, heeded=_HEEDED)


def _beyond(table: Table) -> list[str]:
    """Say how many rows have cells beyond the last column that has a name: nothing reads them."""
    width = len(table.columns)
    longer = [(place, *beyond) for place, cells in table.rows if (beyond := [c for c in cells[width:] if word_of(c)])]
    if not longer:
        return []
    return [
        f"{count_of(len(longer), 'row has', 'rows have')} cells beyond the last column with a name ({longer[0][0]}: "
        f"{longer[0][1]!r}), left out; a cell that contains the separator needs quotation marks around it"
    ]


def _folder(table: Table, which: int, what: int | None, names: Names) -> tuple[int | None, list[str]]:
    """Return the column that says in which folders the files of the column `which` are, and remarks on it.

    None where the files are paths already, and where both together name no item.
    """
    plains = list(map(plain, table.columns))
    places = [plains.index(name) for name in FOLDERS if name in plains]
    place = next((p for p in places if p not in (which, what)), None)
    rows = [cells for _, cells in table.rows]
    if place is None or any(re.search(r"[\\/]", _text(cells[which])) for cells in rows):
        return None, []
    if any(names.knows(_path(cells, which, place)) for cells in rows if word_of(cells[place])):
        return place, []
    return None, [f"its column {table.columns[place]!r} leads to no item here and was left out"] if any(
        word_of(cells[place]) for cells in rows
    ) else []


def _path(cells: list[Any], which: int, folder: int | None) -> str:
    """Return how a row names its item: by one column, or by two where a folder stands in another."""
    name = _text(cells[which])
    return name if folder is None or not word_of(cells[folder]) else in_folder(_text(cells[folder]), name)


def _verdicts(table: Table) -> int | None:
    """Return the column that says, of a class that was proposed, whether it is right, as Prodigy's `answer` does."""
    for index in range(len(table.columns)):
        words = set()
        for cell in (cells[index] for _, cells in table.rows if isinstance(cells[index], str)):
            words.add(word_of(cell))
            if not words <= _VERDICTS:
                break  # as with most columns: their first cell is another word
        if "reject" in words and words <= _VERDICTS:
            return index
    return None


def _not_as_many(table: Table, n: int) -> str:
    """Say that the rows of a table are not as many as the items, and what may have become of one."""
    said = (
        "without a column of items its rows are taken for the pool's items in their order, but there are "
        f"{len(table.rows):,} rows in it"
    )
    if not table.rows or not (line := re.match(r"line(?! 1$)|row(?= \d+ of sheet)", table.rows[0][0])):
        return f"{said} and {n:,} items"
    head = (" " if table.kind.endswith("spaces") else ", ").join(table.columns)
    return (
        f"{said} (the first {line[0]}, {head!r}, was taken for the names of columns, empty {line[0]}s do not count) "
        f"and {n:,} items. Where the first {line[0]} is one of them, write names above it: label, or one per column"
    )


def _label_a_row(table: Table, n: int) -> Table:
    """Return a sheet of one column with its header as the first of `n` rows, where the header recurs as a label.

    The name of a column under which one row is missing does not recur.
    """
    (header,) = table.columns
    first = re.fullmatch(r"row 2( of sheet .*)", table.rows[0][0]) if len(table.rows) == n - 1 and table.rows else None
    if first is not None and word_of(header) in {word_of(cells[0]) for _, cells in table.rows}:
        return Table(["label"], [(f"row 1{first[1]}", [header]), *table.rows], table.kind)
    return table


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
    if len(lines) > 1 and plain(lines[0][1]) in ITEM.split() and not names.knows(lines[0][1]):
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


def _row_names(table: Table, names: Names) -> int | None:
    """Return the column without a name that holds items: what pandas and R make of an index of names.

    An index of numbers does not count: it numbers the rows of another table.
    """
    unnamed = (index for index, name in enumerate(table.columns) if name in ("", "__index_level_0__"))
    return next((i for i in unnamed if len(table.columns) > 1 and _holds_items(table, i, names)), None)


def column_of_items(table: Table, names: Names) -> str | None:
    """Return the column that holds items, whatever it is called; None where none does."""
    return next((name for i, name in enumerate(table.columns) if _holds_items(table, i, names)), None)


def _fitting(table: Table, names: Names) -> list[str]:
    """Return a remark on the columns that hold an item in every line, numbers that count excepted; [] for none."""
    fitting = []
    for index, name in enumerate(table.columns):
        texts = [_text(cells[index]).strip() for _, cells in table.rows]
        if name and texts and all(map(names.knows, texts)) and not all(map(str.isdecimal, texts)):
            fitting.append(name)
    if not fitting:
        return []
    known = f"{' and '.join(map(repr, fitting))} {'holds' if len(fitting) == 1 else 'hold'}"
    return [f"{FITTING}{known} an item in every line; to take it: {option_told('item', fitting[0])}"]


def _holds_items(table: Table, index: int, names: Names) -> bool:
    """Whether a column has a text that is an item, numbers that count excepted."""
    texts = (cells[index] for _, cells in table.rows if isinstance(cells[index], str))
    return any(not text.strip().isdecimal() and names.knows(text) for text in texts)


def _check_one_line_each(table: Table, which: int, names: Names) -> None:
    """Raise ValueError where a cell holds a further line of the table: a quotation mark, or a ditto, opened it.

    The item of that line would be lost without a word.
    """
    for place, cells in table.rows if table.kind.startswith("table separated") else ():
        broken = (cell for cell in cells if cell and ("\n" in cell or "\r" in cell))
        lines = (line for cell in broken for line in re.split(r"\r\n|\r|\n", cell)[1:])
        for parts in (re.split(r"[,;\t|]", line) for line in lines):
            if len(parts) > max(which, 1) and names.knows(name := parts[which].strip(' "')):
                raise ValueError(
                    f"{place}: a quotation mark opens a cell there that goes on over the line of {name!r}; close it on "
                    "its own line, or take out a mark that means ditto or inches"
                )


def _check_alone(table: Table, index: int) -> None:
    """Raise ValueError where a table has a column twice, with different cells: nobody can tell which is meant."""
    name = table.columns[index]
    for other, more in enumerate(table.columns):
        if other != index and plain(more) == plain(name) and name:
            for place, cells in table.rows:
                if word_of(cells[index]) != word_of(cells[other]):
                    raise ValueError(
                        f"it has two columns {name!r}, which differ ({place}: {_text(cells[index])!r} and "
                        f"{_text(cells[other])!r}); rename the one that is not meant"
                    )


def _without_header(table: Table, names: Names) -> Reading | None:
    """Read a table of two columns that begins with its first item."""
    if len(table.columns) != 2 or not isinstance(names.find(table.columns[0]), int):
        return None
    rows = [("line 1", list(table.columns)), *table.rows]
    return Reading([Line(place, _text(c[0]), c[1]) for place, c in rows], f"{table.kind}, without a header")


def _columns(table: Table) -> str:
    named = [repr(name) for name in table.columns if name]
    return f"its columns are {', '.join(named[:20])}{' ...' if len(named) > 20 else ''}"


def _choices(value: Any) -> Any:
    """Take apart what Label Studio's CSV and short JSON hold where several choices were made: {"choices": [...]}.

    So it does a list that a program wrote into a cell, as pandas does: ['owl', 'fox'].
    """
    if isinstance(value, str) and value.startswith('{"choices"'):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return value  # not JSON after all: a word, which is not an answer
    elif isinstance(value, str) and _WRITTEN.fullmatch(value):
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            value = ast.literal_eval(value.strip())
    if isinstance(value, dict) and isinstance(value.get("choices"), list):
        value = value["choices"]
    return frozenset(value) if isinstance(value, list) and all(isinstance(word, str) for word in value) else value


def _text(value: Any) -> str:
    """Return a cell as it names an item: 7.0 is 7, midnight of a day is the day, a record of a file is its path."""
    if isinstance(value, dict):
        value = value.get("path")
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():  # a spreadsheet's dates, and Parquet's, have a time
        return value.date().isoformat()
    return "" if value is None else str(value)


def _person(value: Any) -> str | None:
    text = _text(value).strip()
    return meant(text) or None if word_of(value) else None
