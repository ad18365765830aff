"""Which columns of a table are the item, the label and the annotator, and the lines that they make."""

import re
from collections.abc import Sequence
from dataclasses import replace

from elsa_nb.column_names import ADDRESSES, FOLDERS, ITEM, LABEL, find_place, plain
from elsa_nb.counts import count_of
from elsa_nb.label.label_files.cells import choices_in, name_in, person_in, text_in
from elsa_nb.label.label_files.lines import Line, Reading, RowPlace
from elsa_nb.label.label_files.names import Names
from elsa_nb.label.label_files.row_order import check_beside, check_order
from elsa_nb.label.label_files.tables import Table, as_table
from elsa_nb.label.label_files.words import word_of
from elsa_nb.option_names import option_told
from elsa_nb.text_files import LINE_END

_HEEDED = frozenset(("item", "label"))  # the options that a table with columns listens to
ANNOTATOR = (
    *("annotator", "annotators", "annotated_by", "annotator_id", "rater", "reviewer", "labeler", "labeller"),
    *("user", "username"),
)
ROW = ("row", "row_number", "row_index", "row_id")  # a column that may count the items in the pool's order
_TITLES = 10  # rows that may stand above the header: a title, a date, remarks
_VERDICTS = {"accept", "reject", "ignore", ""}
_BOX = {"xmin", "ymin", "xmax", "ymax"}  # a row is then one object of a picture, and a picture has several
# ASReview writes -1 where there is no label.
_MINUS_IS_EMPTY = {name for name in LABEL if "includ" in name} | {"asreview_label"}


def find(table: Table, wanted: str | None, allowed: Sequence[str]) -> int | None:
    """Return which column is `wanted`, or (None) the first of those `allowed`; None where there is none."""
    if wanted is not None:
        names = [*table.columns, *map(plain, table.columns)]
        hit = next((names.index(name) for name in (wanted, plain(wanted)) if name in names), None)
        return None if hit is None else hit % len(table.columns)
    return find_place(table.columns, allowed)


def names_items(table: Table) -> bool:
    """Whether a table of several columns has one with the name of a column of items."""
    return len(table.columns) > 1 and find(table, None, (*ITEM, *ROW)) is not None


def is_known(table: Table, item: str | None, label: str | None) -> bool:
    """Whether a table has both a column of items and one of labels."""
    found = find(table, item, (*ITEM, *ROW)), find(table, label, LABEL)
    return None not in found and found[0] != found[1]


def under_titles(table: Table, item: str | None, label: str | None) -> Table:
    """Return the table whose header is the first of its first rows that has both columns; the table where none has."""
    if is_known(table, item, label):
        return table
    for i, (_, cells) in enumerate(table.rows[:_TITLES]):
        rows = [(place, list(row)) for place, row in table.rows[i:]]
        lower = as_table(rows, table.kind, separator=table.separator, sheet=table.sheet)
        if sum(cell not in ("", None) for cell in cells) > 1 and is_known(lower, item, label):
            return lower
    return table


def read(table: Table, names: Names, *, item: str | None = None, label: str | None = None) -> Reading:
    """Return the lines of a table; raises ValueError where its columns are not known, naming them."""
    which, what = find(table, item, ITEM), find(table, label, LABEL)
    if item is None and which is not None and plain(table.columns[which]) == "id":
        which = _address_of_items(table, which, names)
    in_order = which is None and item == "row"
    _check_there(table, "item", item, in_order or which is not None)
    _check_there(table, "label", label, what is not None)
    counted = False
    if which is None and item is None and (which := _row_names(table, names)) is None:
        which = _row_numbers(table, names)
        counted = which is not None
    elif which is not None and item == "row":
        check_beside(table, which, find(table, None, ITEM), names)
        if _names_none_or_rows(table, which, names):
            _row_numbers(table, names)  # says why these are no items
    if in_order:
        table, what = _one_row_each(table, what, len(names.ids))
        check_order(table, what, names)
    elif which is None:
        return _without_header(table, names)
    for index in {which, what} - {None}:
        _check_alone(table, index)
    folder, notes = None, []
    if which is not None:
        _check_one_line_each(table, which, names)
        folder, notes = _folder(table, which, what, names)
    lines = _lines(table, names, which, what, folder)
    fitting = None if item is not None or all(names.knows(line.name) for line in lines) else _fitting(table, names)
    if counted:
        notes.append(f"its column {table.columns[which or 0]!r} was taken for the numbers of the items, from 0")
    notes += [*_beyond(table), *([fitting] if fitting else [])]
    source = _source(table, which, folder)
    reading = _labelled(table, lines, source, what, label)
    return replace(reading, notes=notes + reading.notes, fitting=fitting, heeded=_HEEDED)


def _check_there(table: Table, option: str, wanted: str | None, there: bool) -> None:
    """Raise ValueError for a column that was asked for by an option and is not there."""
    if wanted is not None and not there:
        raise ValueError(f"it has no column {wanted!r} (asked for by {option_told(option, wanted)}); {_columns(table)}")


def _lines(table: Table, names: Names, which: int | None, what: int | None, folder: int | None) -> list[Line]:
    """Return a line for each row: its item from the column `which` (None: the pool's order), its label from `what`."""
    who = find(table, None, ANNOTATOR)
    minus_is_empty = what is not None and plain(table.columns[what]) in _MINUS_IS_EMPTY
    lines = []
    for number, (place, cells) in enumerate(table.rows):
        name = names.ids[number] if which is None else name_in(cells, which, folder)
        value = None if what is None else choices_in(cells[what])
        if minus_is_empty and word_of(value) == "-1":
            value = None
        lines.append(Line(str(place), name, value, None if who is None else person_in(cells[who])))
    return lines


def _source(table: Table, which: int | None, folder: int | None) -> str:
    """Say where the items of a table are from."""
    source = "the order of the rows" if which is None else repr(table.columns[which])
    source = source if folder is None else f"{table.columns[folder]!r} and {source}, joined"
    return f"{table.kind}, items from {source}"


def _labelled(table: Table, lines: list[Line], kind: str, what: int | None, label: str | None) -> Reading:
    """Return the lines with what their labels are: none, the classes of boxes, or those of the column `what`."""
    if what is None:
        return Reading(
            lines, f"{kind}, without a column of labels ({_columns(table)})", bare=True, header=tuple(table.columns)
        )
    column = table.columns[what]
    if set(map(plain, table.columns)) >= _BOX:
        return Reading(_by_picture(lines), f"{kind}, classes of boxes from {column!r}", classes=True)
    others = _other_labels(table, what) if label is None else []
    return Reading(lines, f"{kind}, labels from {column!r}", label_column=column, notes=others)


def _by_picture(boxes: list[Line]) -> list[Line]:
    """Return one line per picture, with the classes of all its boxes."""
    words: dict[str, set[str]] = {}
    for line in boxes:
        words.setdefault(line.name, set()).update([] if line.label is None else [str(line.label)])
    first = {line.name: line for line in reversed(boxes)}
    return [Line(first[name].where, name, frozenset(of) or None) for name, of in words.items()]


def _other_labels(table: Table, what: int) -> list[str]:
    """Return a remark on columns that may hold labels as well as `what` does, [] for none; ValueError for verdicts."""
    if (verdicts := _verdicts(table)) not in (None, what):
        called = table.columns[verdicts]
        raise ValueError(
            f"its column {called!r} rejects some of what is in {table.columns[what]!r}: leave out the lines about "
            f"other classes, and name it: {option_told('label', called)}"
        )
    others = dict.fromkeys(name for name in table.columns if plain(name) in LABEL)
    more = [repr(name) for name in others if plain(name) != plain(table.columns[what])]
    return [f"other columns that may hold labels, left out: {', '.join(more)}"] if more else []


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
    if place is None or any(re.search(r"[\\/]", text_in(cells[which])) for cells in rows):
        return None, []
    if any(names.knows(name_in(cells, which, place)) for cells in rows if word_of(cells[place])):
        return place, []
    return None, [f"its column {table.columns[place]!r} leads to no item here and was left out"] if any(
        word_of(cells[place]) for cells in rows
    ) else []


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


def _one_row_each(table: Table, what: int | None, n: int) -> tuple[Table, int | None]:
    """Return a table whose rows are `n` items in the pool's order, and its column of labels; ValueError for others."""
    if what is None and len(table.columns) == 1:
        table, what = _label_a_row(table, n), 0
    if len(table.rows) != n:
        raise ValueError(_not_as_many(table, n))
    return table, what


def _not_as_many(table: Table, n: int) -> str:
    """Say that the rows of a table are not as many as the items, and what may have become of one."""
    said = (
        "without a column of items its rows are taken for the pool's items in their order, but there are "
        f"{len(table.rows):,} rows in it"
    )
    first = table.rows[0][0] if table.rows else None
    # A first line that is taken for names of columns stands in a text, above its second line, and in a sheet.
    if first is None or not (first.sheet is not None or (first.kind == "line" and first.number > 1)):
        return f"{said} and {n:,} items"
    head, line = (" " if table.separator == " " else ", ").join(table.columns), first.kind
    return (
        f"{said} (the first {line}, {head!r}, was taken for the names of columns, empty {line}s do not count) "
        f"and {n:,} items. Where the first {line} is one of them, write names above it: label, or one per column"
    )


def _label_a_row(table: Table, n: int) -> Table:
    """Return a sheet of one column with its header as the first of `n` rows, where the header recurs as a label.

    The name of a column under which one row is missing does not recur.
    """
    (header,) = table.columns
    first = table.rows[0][0] if len(table.rows) == n - 1 and table.rows else None
    if first is None or first.sheet is None or first.number != 2:
        return table
    if word_of(header) not in {word_of(cells[0]) for _, cells in table.rows}:
        return table
    return replace(table, columns=["label"], rows=[(first._replace(number=1), [header]), *table.rows])


def _row_names(table: Table, names: Names) -> int | None:
    """Return the column without a name, or called like rows, that holds items: an index of names in pandas and R.

    An index of numbers does not count: it numbers the rows of another table.
    """
    unnamed = (i for i, name in enumerate(table.columns) if name in ("", "__index_level_0__") or plain(name) in ROW)
    return next((i for i in unnamed if len(table.columns) > 1 and _holds_items(table, i, names)), None)


def _names_none_or_rows(table: Table, which: int, names: Names) -> bool:
    """Whether a column called row names no item, or has numbers of rows some of which happen to name an item."""
    texts = [text_in(cells[which]).strip() for _, cells in table.rows]
    found = {text: row for text in texts if isinstance(row := names.find(text), int)}
    if not found:
        return True
    in_range = all((number := _number(text)) is not None and number < len(names.ids) for text in texts)
    return in_range and len(found) < len(set(texts)) and any(row != _number(text) for text, row in found.items())


def _row_numbers(table: Table, names: Names) -> int | None:
    """Return the column that counts the items from 0 in their order, None where no column is called so.

    Raises ValueError where it holds something else, or where its numbers mean other items by their names.
    """
    if (which := find(table, None, ROW)) is None:
        return None
    column, n = table.columns[which], len(names.ids)
    for place, cells in table.rows:
        text = text_in(cells[which]).strip()
        if not word_of(text) or names.find(text) == _number(text):
            continue
        if fitting := _fitting(table, names):
            raise ValueError(
                f"its column {column!r} does not hold the names of the items ({place}: {text!r}); {fitting}"
            )
        if (number := _number(text)) is None or number >= n:
            raise ValueError(
                f"its column {column!r} would count the {n:,} items from 0 to {n - 1:,}, but says {text!r} ({place}). "
                f"Mend the numbers, or name the column of items: {option_told('item')}"
            )
        raise ValueError(
            f"its column {column!r} numbers rows, and the items have names: {text!r} ({place}) would be "
            f"{names.ids[number]!r}. Add a column of these names, called item; or, if the table has a row for each "
            f"item in their order, take out the column {column!r} and say so: {option_told('item', 'row')}"
        )
    return which


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def column_of_items(table: Table, names: Names) -> str | None:
    """Return the column that holds items, whatever it is called; None where none does."""
    return next((name for i, name in enumerate(table.columns) if _holds_items(table, i, names)), None)


def _fitting(table: Table, names: Names) -> str | None:
    """Return a remark on the columns that hold an item in every line, numbers that count excepted; None for none."""
    fitting = []
    for index, name in enumerate(table.columns):
        texts = [text_in(cells[index]).strip() for _, cells in table.rows]
        if name and texts and all(map(names.knows, texts)) and not all(map(str.isdecimal, texts)):
            fitting.append(name)
    if not fitting:
        return None
    known = f"{' and '.join(map(repr, fitting))} {'holds' if len(fitting) == 1 else 'hold'}"
    return f"of its columns {known} an item in every line; to take it: {option_told('item', fitting[0])}"


def _address_of_items(table: Table, which: int, names: Names) -> int:
    """Return the column of addresses, or the column of ids, `which`, where more of its cells are ids of the pool.

    They have to be these exactly, but for how a number is written. Numbers of another program fit the wrong items: 3
    would fit https://p.org/3.html.
    """
    beside = find(table, None, ADDRESSES)
    if beside is None or _exact(table, which, names) > _exact(table, beside, names):
        return which
    return beside


def _exact(table: Table, index: int, names: Names) -> int:
    """Return how many cells of a column are ids of the pool, or the same whole numbers."""
    texts = (text_in(cells[index]).strip() for _, cells in table.rows)
    found = ((text, row) for text in texts if isinstance(row := names.find(text), int))
    return sum(text == names.ids[row] or names.differs(text, row) == "way to write a number" for text, row in found)


def _holds_items(table: Table, index: int, names: Names) -> bool:
    """Whether a column has a text that is an item, numbers that count excepted."""
    texts = (cells[index] for _, cells in table.rows if isinstance(cells[index], str))
    return any(not text.strip().isdecimal() and names.knows(text) for text in texts)


def _check_one_line_each(table: Table, which: int, names: Names) -> None:
    """Raise ValueError where a cell holds a further line of the table: a quotation mark, or a ditto, opened it.

    The item of that line would be lost without a word.
    """
    for place, cells in table.rows if table.separator is not None else ():
        broken = (cell for cell in cells if cell and ("\n" in cell or "\r" in cell))
        lines = (line for cell in broken for line in LINE_END.split(cell)[1:])
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
                        f"it has two columns {name!r}, which differ ({place}: {text_in(cells[index])!r} and "
                        f"{text_in(cells[other])!r}); rename the one that is not meant"
                    )


def _without_header(table: Table, names: Names) -> Reading:
    """Read a table of two columns that begins with its first item; ValueError for any other without known columns."""
    if len(table.columns) == 2 and names.knows(table.columns[0]):
        rows = [(RowPlace("line", 1), list(table.columns)), *table.rows]
        lines = [Line(str(place), text_in(cells[0]), cells[1]) for place, cells in rows]
        return Reading(lines, f"{table.kind}, without a header")
    if first := [cell for cell in table.columns if not cell.isdecimal() and names.knows(cell)]:
        raise ValueError(
            f"its first line holds the item {first[0]!r} and no names of columns: write them above it, such as "
            "item and label"
        )
    fitting = _fitting(table, names)
    raise ValueError(
        f"it has no column that is known to hold the items ({', '.join(ITEM[:5])}, path, id ...); "
        f"{_columns(table)}. Say which does: {option_told('item')}" + (f"; {fitting}" if fitting else "")
    )


def _columns(table: Table) -> str:
    named = [repr(name) for name in table.columns if name]
    return f"its columns are {', '.join(named[:20])}{' ...' if len(named) > 20 else ''}"
