"""Read earlier labels from a file or folder, whatever wrote it, for the items of a pool."""

import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from elsa_nb.counts import count_of
from elsa_nb.errors import MissingDataError
from elsa_nb.label.label_files import arrays, columns, folders, stored_sessions, tables, tasks, via, xml_files
from elsa_nb.label.label_files.in_order import label_a_line
from elsa_nb.label.label_files.lines import Reading
from elsa_nb.label.label_files.names import Names
from elsa_nb.label.label_files.words import LABEL_WORDS, labels_of
from elsa_nb.option_names import option_told
from elsa_nb.search.contract import POSITIVE, UNSURE
from elsa_nb.text_files import decoded, json_value

_MOST = 5  # names listed in a summary


@dataclass(frozen=True)
class LabelFile:
    """What a file says about a pool.

    `given` maps each annotator (None: the file names none) to {row: label}, labels being 1, 0 and -1 (unsure).
    `unmatched` are (place, name, why) of names that are not items here, `empty` counts lines without a label.
    """

    path: Path
    kind: str
    given: dict[str | None, dict[int, int]]
    empty: int = 0
    unmatched: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def agreed(self) -> dict[int, int]:
        """Return {row: label} on which all annotators agree; one who is unsure does not count."""
        by_row: dict[int, set[int]] = {}
        for labels in self.given.values():
            for row, label in labels.items():
                by_row.setdefault(row, set()).add(label)
        sure = {row: labels - {UNSURE} or {UNSURE} for row, labels in by_row.items()}
        return {row: labels.pop() for row, labels in sorted(sure.items()) if len(labels) == 1}

    @property
    def disputed(self) -> list[int]:
        """The rows that one annotator calls positive and another negative."""
        return sorted({row for labels in self.given.values() for row in labels} - set(self.agreed()))

    def rows(self, label: int = POSITIVE) -> list[int]:
        """Return the rows that all annotators give this label (1 positive, 0 negative, -1 unsure), ascending."""
        return [row for row, given in self.agreed().items() if given == label]

    def __str__(self) -> str:
        """Say in sentences what was read, what was left out, and why."""
        agreed = self.agreed()
        counts = ", ".join(f"{sum(g == n for g in agreed.values())} {word}" for n, word in LABEL_WORDS.items())
        said = [f"{self.path}: {self.kind}. {count_of(len(agreed), 'item is', 'items are')} labelled: {counts}."]
        if len(self.given) > 1:
            each = ", ".join(f"{who or 'nobody named'} {len(labels)}" for who, labels in self.given.items())
            said.append(f"Annotators: {each}; they disagree on {count_of(len(self.disputed), 'item', 'items')}.")
        if self.empty:
            said.append(f"{count_of(self.empty, 'line has', 'lines have')} no label.")
        if self.unmatched:
            listed = "; ".join(f"{place}: {name!r}, {why}" for place, name, why in self.unmatched[:_MOST])
            more = f"; and {len(self.unmatched) - _MOST} more" if len(self.unmatched) > _MOST else ""
            said.append(
                f"{count_of(len(self.unmatched), 'name is not an item', 'names are not items')} of the pool "
                f"({listed}{more})."
            )
        said += [f"{note[0].upper()}{note[1:]}." for note in self.notes]
        return " ".join(said)


def read_labels(
    path: Path | str,
    ids: Sequence[str],
    *,
    positive: str | Sequence[str] | None = None,
    negative: str | Sequence[str] | None = None,
    unsure: str | Sequence[str] | None = None,
    item: str | None = None,
    label: str | None = None,
    annotator: str | None = None,
    every: str | None = None,
    encoding: str | None = None,
) -> LabelFile:
    """Return what the file or folder `path` says about the items `ids`.

    Read are CSV in any separator and encoding, lists of names, JSON Lines, Parquet, Feather, spreadsheets, all that
    `export` writes, session files, COCO, Label Studio, FiftyOne, VIA, CVAT, YOLO, Pascal VOC, Labelme, CreateML, and
    one folder per class.

    `positive` names the class to look for where labels are classes (others are then negative, or, with `negative`,
    only those; `unsure` likewise). It may be one of several in a cell, or the name of a column. `item` and `label` name
    columns that have other names than usual; item="row" takes the pool's order. `annotator` keeps one person's labels.
    `every` ("positive") is the label of each item of a plain list of names. `encoding` is detected unless given.

    Raises MissingDataError where `path` is not there, and ValueError, naming the place in the file, for what cannot
    be read, words that are not answers, two lines that contradict each other, an option that has no effect on a file of
    this kind, and a file without one usable label.
    """
    if every is not None and every not in LABEL_WORDS.values():
        raise ValueError(f"every = {every!r}; allowed: {', '.join(LABEL_WORDS.values())}")
    options = {"item": item, "label": label, "annotator": annotator, "encoding": encoding}
    words = {"positive": positive, "negative": negative, "unsure": unsure}
    return _read(Path(path), Names(ids), every, listed=every is not None, **options, **words)


def read_examples(path: Path | str, ids: Sequence[str]) -> LabelFile:
    """Return what a file of examples says: each name of a plain list is a positive; else as `read_labels` does."""
    return _read(Path(path), Names(ids), "positive", listed=False)


def _read(
    path: Path,
    names: Names,
    every: str | None,
    *,
    listed: bool,
    item: str | None = None,
    label: str | None = None,
    annotator: str | None = None,
    encoding: str | None = None,
    **words: str | Sequence[str] | None,
) -> LabelFile:
    """Read as `read_labels` does; with `listed`, refuse a file that is not a plain list of names."""
    taken = ""
    try:
        reading = best_reading(path, names, item, label, encoding)
        if listed and not reading.bare:
            reading.check_heeded(every=every)
        if reading.bare and label is None and (column := _only(**words)) is not None and reading.has_column(column):
            # One column per class: that of the class that is looked for holds the answers.
            taken = f"the answers were looked for in its column {column!r}: "
            reading, words = best_reading(path, names, item, column, encoding), {}
        return _joined(path, reading, names, every, annotator, **words)
    except ValueError as error:
        raise ValueError(f"{path}: {taken}{str(error).rstrip('.')}. Nothing was taken from it.") from None


def _only(
    positive: str | Sequence[str] | None = None,
    negative: str | Sequence[str] | None = None,
    unsure: str | Sequence[str] | None = None,
) -> str | None:
    """Return the class that is looked for if one is given, and none of the others; else None."""
    given = [positive] if isinstance(positive, str | int) else list(positive or ())
    return str(given[0]) if len(given) == 1 and not negative and not unsure else None


def best_reading(path: Path, names: Names, item: str | None, label: str | None, encoding: str | None) -> Reading:
    """Return the lines of a file or folder, read in the way in which most of its names are items; raise ValueError."""
    reading = _best(_readings(path, names, item, label, encoding), names)
    reading.check_heeded(item=item, label=label, encoding=encoding)
    return reading


def _readings(path: Path, names: Names, item: str | None, label: str | None, encoding: str | None) -> Iterator[Reading]:
    """Yield the file in each way it may be meant: more than one only where its encoding has to be guessed."""
    if path.is_dir():
        yield folders.read(path, names)
        return
    if not path.exists():
        raise MissingDataError(f"{path} is not here; give a file of labels, or a folder.")
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        data = _unpacked(data)
    named = {"item": item, "label": label}
    if data.startswith(b"SQLite format 3"):
        yield stored_sessions.read(path)
    elif data.startswith(b"PAR1"):
        yield columns.read(tables.parquet(data), names, **named)
    elif data.startswith(b"ARROW1"):
        yield columns.read(tables.feather(data), names, **named)
    elif arrays.are_arrays(data):
        yield arrays.read(data, names, **named)
    elif data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        sheets = [columns.under_titles(sheet, item, label) for sheet in tables.workbook(data)]
        if not sheets:
            raise ValueError("its sheets are empty")
        reading = _of_sheets(sheets, names, **named)
        if count := tables.without_value(data):
            note = "1 cell holds a formula" if count == 1 else f"{count} cells hold formulas"
            note += f" without a value, and count{'s' if count == 1 else ''} as empty: save the file once in Excel or "
            reading.notes.append(note + "LibreOffice, which compute them")
        yield reading
    elif re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body|table|meta)\b", data, re.IGNORECASE):
        raise ValueError("it is a web page, which some programs call .xls: open it in a spreadsheet, save it as CSV")
    elif re.match(rb"(\xef\xbb\xbf)?\s*<|\xff\xfe<\0|\xfe\xff\0<", data):
        yield xml_files.read(data)
    else:
        flaw = ValueError("it is neither text nor a known table file (CSV, JSON, Parquet, Feather, Excel, NumPy)")
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
            raise (flaws or [flaw])[0]


def _of_sheets(sheets: list[tables.Table], names: Names, item: str | None, label: str | None) -> Reading:
    """Read the first sheet that has items and labels, and say which others have, too."""
    known = [sheet for sheet in sheets if columns.is_known(sheet, item, label)]
    reading = columns.read((known or sheets)[0], names, item=item, label=label)
    if known[1:]:
        others = ", ".join(sheet.kind.removesuffix(" of a spreadsheet file") for sheet in known[1:])
        reading.notes.append(f"other sheets with labels, left out: {others}; save each as a file to import it")
    return reading


def _unpacked(data: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            unpacked = stream.read(tables.UNPACKED_MOST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"it is a broken .gz file ({error})") from None
    if len(unpacked) > tables.UNPACKED_MOST:
        most = tables.UNPACKED_MOST >> 20
        raise ValueError(f"it is a .gz file of more than {most:,} MB when unpacked; import its labels in several files")
    return unpacked


def _text(text: str, names: Names, item: str | None, label: str | None) -> Reading:
    start = text.lstrip()
    if not start:
        raise ValueError("it is empty")
    if start.startswith("{\\rtf"):
        raise ValueError("it is a text document (RTF); save its table as CSV")
    if re.match(r"TY {1,2}- ", start):
        raise ValueError("it is a RIS file; export it as CSV (ASReview: Export, CSV) with a column of labels")
    if start[0] in "{[" and not columns.begins_with_item(start, names):
        value, by_line = json_value(text)
        read = tasks.read(value, by_line, is_item=names.knows, item=item, label=label)
        return columns.read(read, names, item=item, label=label) if isinstance(read, tables.Table) else read
    if item == "row" and (lines := label_a_line(text, len(names.ids), label)) is not None:
        return columns.read(lines, names, item=item, label=label)
    ways, broken = [], None
    try:
        for table in tables.ways_to_read(text):
            if via.is_table(table):
                return via.read_regions(table, label)
            table = columns.under_titles(table, item, label)
            if columns.is_known(table, item, label):
                return columns.read(table, names, item=item, label=label)
            ways.append(table)
    except ValueError as error:
        broken = error
    # A line of a table ends like an item where its last filled cell does: what has a header is not a list.
    headed = not columns.begins_with_item(start, names) and any(map(columns.names_items, ways))
    if item is None and label is None and not headed and (listed := columns.a_list(text, names)) is not None:
        return listed
    for table in ways:
        with_item = columns.find(table, item, columns.ITEM) is not None or len(table.columns) == 2
        if (with_item or "" in table.columns) and broken is None:
            try:
                return columns.read(table, names, item=item, label=label)
            except ValueError as error:
                broken = error
    if broken is not None:
        raise broken
    if item is None and label is None and all(len(table.columns) == 1 for table in ways):
        return columns.names_a_line(text)
    return columns.read(max(ways, key=lambda table: len(table.columns)), names, item=item, label=label)


def _best(readings: Iterator[Reading], names: Names) -> Reading:
    """Return the reading in which most names are items; the first of equals."""
    first, *rest = readings
    if not rest:
        return first
    return max((first, *rest), key=lambda r: sum(isinstance(names.find(line.name), int) for line in r.lines))


def _joined(
    path: Path, reading: Reading, names: Names, every: str | None, annotator: str | None, **words: Any
) -> LabelFile:
    rows = rows_meant(reading, names)
    if reading.bare:
        if every is None and any(isinstance(row, int) for row in rows):
            raise ValueError(
                f"it was read as a {reading.kind}. Name the column of labels ({option_told('label')}) or, where each "
                f"class has a column, the class ({option_told('positive')}); or, if all it names are examples, say so: "
                f"{option_told('every', 'positive')}"
            )
        label = {v: k for k, v in LABEL_WORDS.items()}.get(every or "")  # without one, nothing is an item
        labels: list[int | None] = [label] * len(reading.lines)
    else:
        labels = labels_of(reading, **words)
    people = list(dict.fromkeys(line.annotator for line in reading.lines if line.label is not None))
    if annotator is not None and annotator not in people:
        named = ", ".join(repr(who) for who in people if who is not None)
        known = f"its annotators are {named}" if named else "it names no annotator: leave the name out"
        raise ValueError(f"it has no labels by {annotator!r}; {known}")
    given: dict[str | None, dict[int, int]] = {}
    first: dict[tuple[str | None, int], tuple[str, str, int]] = {}
    files: dict[int, tuple[str, str]] = {}
    unmatched, empty, matched = [], 0, 0
    for line, label, row in zip(reading.lines, labels, rows, strict=True):
        if annotator not in (None, line.annotator):
            continue
        if not isinstance(row, int):
            unmatched.append((line.where, line.name, row))
            continue
        matched += 1
        where, name = files.setdefault(row, (line.where, line.name))
        if not names.may_be_one(name, line.name):
            raise ValueError(
                f"{where} ({name!r}) and {line.where} ({line.name!r}) are two files, and both would be "
                f"{names.ids[row]!r}; leave out the one that is not meant"
            )
        if label is None:
            empty += 1
            continue
        before = first.setdefault((line.annotator, row), (line.where, line.name, label))
        if before[2] != label:
            raise ValueError(
                f"{before[0]} calls {before[1]!r} {LABEL_WORDS[before[2]]} and {line.where} calls "
                f"{'it' if line.name == before[1] else repr(line.name)} {LABEL_WORDS[label]}"
                + (f" (both by {line.annotator})" if line.annotator else "")
                + "; keep one of them"
            )
        given.setdefault(line.annotator, {})[row] = label
    if not matched:
        raise ValueError(_nothing_matches(reading, names, unmatched))
    if not given:
        lines = count_of(empty, "line", "lines")
        raise ValueError(f"it was read as {reading.kind}, and none of its {lines} about items here has a label")
    notes = [*reading.notes, *_written_otherwise(reading, rows, names)]
    return LabelFile(path, reading.kind, given, empty, unmatched, notes)


def _written_otherwise(reading: Reading, rows: Sequence[int | str], names: Names) -> list[str]:
    """Say how many names, and which first, are spelt differently from the items that they were taken for."""
    found: dict[str, list[str]] = {}
    for line, row in zip(reading.lines, rows, strict=True):
        if isinstance(row, int) and (what := names.differs(line.name, row)):
            found.setdefault(what, []).append(f"{line.where}: {line.name!r} for {names.ids[row]!r}")
    return [
        f"{count_of(len(places), 'name differs', 'names differ')} from the items in nothing but the {what}, and "
        f"{'was' if len(places) == 1 else 'were'} taken for them ({places[0]}{'; ...' if places[1:] else ''})"
        for what, places in found.items()
    ]


def rows_meant(reading: Reading, names: Names) -> list[int | str]:
    """Return the row that each line means, or why it means none.

    Where most names begin at the folder of the pool, one that begins above it ("dogs/1.jpg" for 1.jpg) is a file of
    another folder. Else, names that begin in several folders are all taken, with a remark.
    """
    found = {name: names.find(name) for name in {line.name for line in reading.lines}}
    rows = [found[line.name] for line in reading.lines]
    above = [
        names.above(line.name, row) if isinstance(row, int) else None
        for line, row in zip(reading.lines, rows, strict=True)
    ]
    begins = Counter(where for where in above if where is not None)
    if begins[""] <= begins.total() - begins[""]:
        if len(begins) > 1:
            listed = ", ".join(f"{where or 'the folder of the items'} {n}" for where, n in begins.most_common(_MOST))
            listed += ", ..." if len(begins) > _MOST else ""
            reading.notes.append(
                f"its names begin in {len(begins)} folders ({listed}), and all were taken for items; if those of one "
                "folder are other files, leave those lines out"
            )
        return rows
    elsewhere = "that name is here only in another folder: {!r}"
    return [
        elsewhere.format(names.ids[row]) if where and isinstance(row, int) else row
        for row, where in zip(rows, above, strict=True)
    ]


def _nothing_matches(reading: Reading, names: Names, unmatched: list[tuple[str, str, str]]) -> str:
    if not reading.lines:
        return f"it was read as {reading.kind} and has no lines"
    theirs = ", ".join(repr(name) for _, name, _ in unmatched[:3])
    ours = ", ".join(map(repr, names.ids[:3]))
    why = unmatched[0][2] if unmatched else ""
    fitting = [f". But {note}" for note in reading.notes if note.startswith(columns.FITTING)]
    cure = f". Give the pool that it is about, or name the column of items: {option_told('item')}"
    return (
        f"it was read as {reading.kind}, and none of its {count_of(len(reading.lines), 'name')} is an item of the pool:"
        f" it has {theirs}, the pool has {ours} (the first: {why}){fitting[0] if fitting else cure}"
    )
