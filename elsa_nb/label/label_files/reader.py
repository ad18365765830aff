"""Read earlier labels from a file or folder, whatever wrote it, for the items of a pool."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from elsa_nb.counts import count_of
from elsa_nb.label.label_files.formats import best_reading
from elsa_nb.label.label_files.lines import Reading
from elsa_nb.label.label_files.names import Names
from elsa_nb.label.label_files.words import LABEL_WORDS, labels_of
from elsa_nb.option_names import option_told
from elsa_nb.search.contract import POSITIVE, UNSURE

_MOST = 5  # names listed in a summary


@dataclass(frozen=True)
class LabelFile:
    """What a file says about a pool.

    `given` maps each annotator (None: the file names none) to {row: label}, labels being 1, 0 and -1 (unsure).
    `unmatched` are (place, name, why) of names that are not items here, `empty` counts lines without a label.
    `contents` {row: digest} tells what was behind some items, where the file keeps it, as a session file does.
    """

    path: Path
    kind: str
    given: dict[str | None, dict[int, int]]
    empty: int = 0
    unmatched: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    contents: dict[int, str] = field(default_factory=dict)

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
    shown_as: str | None = None,
) -> LabelFile:
    """Return what the file or folder `path` says about the items `ids`.

    Read are CSV in any separator and encoding, lists of names, JSON Lines, Parquet, Feather, spreadsheets, all that
    `export` writes, session files, COCO, Label Studio, FiftyOne, VIA, CVAT, YOLO, Pascal VOC, Labelme, CreateML, and
    one folder per class.

    `positive` names the class to look for where labels are classes (others are then negative, words of doubt such as -1
    or ? unsure; or, with `negative` and `unsure`, what these name). It may be one of several in a cell, or the name of
    a column. `item` and `label` name columns that have other names than usual; item="row" takes the pool's order, for a
    session file the rows that its items had. `annotator` keeps one person's labels.
    `every` ("positive") is the label of each item of a plain list of names. `encoding` is detected unless given.
    `shown_as` is what a person calls the file, where it lies elsewhere: its path in the result and in errors.

    Raises MissingDataError where `path` is not there, and ValueError, naming the place in the file, for what cannot
    be read, words that are not answers, two lines that contradict each other, an option that has no effect on a file of
    this kind, and a file without one usable label.
    """
    if every is not None and every not in LABEL_WORDS.values():
        raise ValueError(f"every = {every!r}; allowed: {', '.join(LABEL_WORDS.values())}")
    options = {"item": item, "label": label, "annotator": annotator, "encoding": encoding}
    words = {"positive": positive, "negative": negative, "unsure": unsure}
    names, shown = Names(ids), None if shown_as is None else Path(shown_as)
    return _read(Path(path), names, every, listed=every is not None, shown_as=shown, **options, **words)


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
    shown_as: Path | None = None,
    **words: str | Sequence[str] | None,
) -> LabelFile:
    """Read as `read_labels` does; with `listed`, refuse a file that is not a plain list of names."""
    shown, taken = shown_as or path, ""
    try:
        reading = best_reading(path, names, item, label, encoding, shown_as=shown)
        if listed and not reading.bare:
            reading.check_heeded(every=every)
        if reading.bare and label is None and (column := _only(**words)) is not None and reading.has_column(column):
            # One column per class: that of the class that is looked for holds the answers.
            taken = f"the answers were looked for in its column {column!r}: "
            reading, words = best_reading(path, names, item, column, encoding, shown_as=shown), {}
        return _joined(shown, reading, names, every, annotator, **words)
    except ValueError as error:
        raise ValueError(f"{shown}: {taken}{str(error).rstrip('.')}. Nothing was taken from it.") from None


def _only(
    positive: str | Sequence[str] | None = None,
    negative: str | Sequence[str] | None = None,
    unsure: str | Sequence[str] | None = None,
) -> str | None:
    """Return the class that is looked for if one is given, and none of the others; else None."""
    given = [positive] if isinstance(positive, str | int) else list(positive or ())
    return str(given[0]) if len(given) == 1 and not negative and not unsure else None


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
    contents = {row: digest for name, digest in reading.contents.items() if isinstance(row := names.find(name), int)}
    return LabelFile(path, reading.kind, given, empty, unmatched, reading.notes, contents)


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
    """Return the row that each line means, or why it means none; say in notes which names are spelt in another way.

    Raises ValueError where the file counts from 1 what the pool counts from 0.
    """
    if (last := names.counted_from_one(line.name for line in reading.lines)) is not None:
        in_order = f"; or, where its lines are in the pool's order: {option_told('item', 'row')}"
        raise ValueError(
            f"its items are numbers from 1 to {last}, and those of the pool are numbered from 0 to {last - 1} (the "
            f"first: {names.ids[0]!r}): where it counts from 1, each label would go to the item after the right one. "
            f"Subtract 1 from each of its numbers"
            f"{in_order if 'item' in reading.heeded else ''}; where it counts from 0, leave out what it says of {last}"
        )
    rows = _in_one_folder(reading, names)
    reading.notes += _written_otherwise(reading, rows, names)
    return rows


def _in_one_folder(reading: Reading, names: Names) -> list[int | str]:
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
    cure = f"Give the pool that it is about, or name the column of items: {option_told('item')}"
    if reading.fitting is not None:
        cure = f"But {reading.fitting}"
    return (
        f"it was read as {reading.kind}, and none of its {count_of(len(reading.lines), 'name')} is an item of the pool:"
        f" it has {theirs}, the pool has {ours} (the first: {why}). {cure}"
    )
