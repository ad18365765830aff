"""The classes of a label file, all of them: what a comparison of searchers needs, where a session needs one."""

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.counts import count_of
from elsa_nb.label.label_files.formats import best_reading
from elsa_nb.label.label_files.lines import Reading
from elsa_nb.label.label_files.names import Names
from elsa_nb.label.label_files.reader import rows_meant
from elsa_nb.label.label_files.stored_sessions import SESSION_KIND
from elsa_nb.label.label_files.words import refusals, says_doubt, says_nothing, taken_apart, word_of


def read_classes(
    path: Path | str,
    ids: Sequence[str],
    *,
    item: str | None = None,
    label: str | None = None,
    encoding: str | None = None,
) -> tuple[dict[str, np.ndarray], list[str], list[str]]:
    """Return the rows (m,) int64, ascending, of each class that `path` names, names without an item, and remarks.

    `read_labels` says what can be read, and what `item`, `label` and `encoding` mean; item="row" takes the pool's
    order. An item may be of several classes, in one cell ("owl;night") or in several lines. Words of doubt (unsure, ?,
    -1 ...) are no class; nor are refusals: of answers, such as a session and its exports hold, only the positive ones
    are, and "not owl" beside owl is none. Raises MissingDataError where `path` is not there, and ValueError for what
    cannot be read and for a file that gives no item a class.
    """
    path, names = Path(path), Names(ids)
    try:
        reading = best_reading(path, names, item, label, encoding)
        meant = rows_meant(reading, names)
    except ValueError as error:
        raise ValueError(f"{path}: {str(error).rstrip('.')}.") from None
    rows, unmatched = defaultdict(set), []
    said: dict[int, dict[str | None, set[str]]] = defaultdict(dict)
    apart = taken_apart(reading)
    words = {word_of(each) for given in apart for each in given}
    refused = refusals(words, reading.declared, answers=reading.kind == SESSION_KIND)
    left_out: dict[str, set[int]] = defaultdict(set)
    for line, row, given in zip(reading.lines, meant, apart, strict=True):
        if not isinstance(row, int):
            unmatched.append(line.name)
            continue
        for each in given:
            if says_nothing(each):
                continue
            if says_doubt(each, reading.classes) or word_of(each) in refused:
                left_out[_name(each)].add(row)
            else:
                rows[_name(each)].add(row)
                said[row].setdefault(line.annotator, set()).add(word_of(each))
    if not rows:
        raise ValueError(_without_classes(path, reading, unmatched, ids))
    notes = [f"labels were read as {reading.kind}", *reading.notes]
    for word, of in sorted(left_out.items()):
        read_as = "doubt" if says_doubt(word, reading.classes) else "a no"
        notes.append(f"{word!r} ({count_of(len(of), 'item')}) is no class: it was read as {read_as}")
    if disputed := sum(len(set(map(frozenset, each.values()))) > 1 for each in said.values()):
        notes.append(
            f"its annotators give {count_of(disputed, 'item', 'items')} different classes, and each of these counts as "
            "all that anyone called it; to compare with one person's labels, leave out the lines of the others"
        )
    spelt: dict[str, list[str]] = defaultdict(list)
    for name in sorted(rows):
        spelt[word_of(name)].append(name)
    if alike := next((names for names in spelt.values() if len(names) > 1), None):
        notes.append(f"the classes {' and '.join(map(repr, alike))} are two here: if they are one, mend its spelling")
    return {name: np.array(sorted(of), np.int64) for name, of in sorted(rows.items())}, unmatched, notes


def _name(label: Any) -> str:
    """Return the name of a class: letter case as written, accents in one form; the number 2.0 is 2."""
    whole = isinstance(label, float) and label.is_integer()  # whole numbers with a gap among them are read as fractions
    return unicodedata.normalize("NFC", str(int(label) if whole else label)).strip()


def _without_classes(path: Path, reading: Reading, unmatched: Sequence[str], ids: Sequence[str]) -> str:
    """Say why a file or folder gives no item a class, and what cures it: a folder has no columns."""
    said = f"{path} gives no item of the pool a class: it was read as {reading.kind}"
    has = f"where the pool has {str(ids[0])!r}" if len(ids) else "where the pool has no items"
    of_table, lines = "label" in reading.heeded, len(reading.lines)  # a session heeds "item" and has no columns
    what = "file" if path.is_dir() else "line"
    if not lines:
        return f"{said}, and has no lines"
    if reading.bare and what == "file":
        return f"{said}. Sort them into folders in it, one per class, or give a table of items and classes"
    if reading.bare and of_table:
        return (
            f"{said}. Name the column of classes: --label NAME. A table with one column per class is not read here: "
            "write a line for each item and class instead, with the columns item and label (pandas: melt, and of that "
            "the lines that say yes)"
        )
    if reading.bare:
        return (
            f"{said}, such as {reading.lines[0].name!r}, {has}. It says nothing about them: give a table with the "
            "columns item and label; or, where each line is a class, in the order of the vectors: --item row"
        )
    if len(unmatched) == lines:
        cure = "the names of the vectors, which --ids gives, must be those that stand there"
        if reading.kind == SESSION_KIND:
            cure = f"--item row takes the answers by row, where the vectors are those of the session; or {cure}"
        elif "item" in reading.heeded:
            cure = f"name the column of items (--item NAME; --item row takes the order of the vectors); or {cure}"
        cure = f"{cure[0].upper()}{cure[1:]}"
        return f"{said}, and none of its {count_of(lines, what)} names an item: such as {unmatched[0]!r}, {has}. {cure}"
    cure = ". Where another column or field holds the classes, name it: --label NAME" if of_table else ""
    return f"{said}, and what it says of {count_of(lines - len(unmatched), 'item')} here is not a class{cure}"
