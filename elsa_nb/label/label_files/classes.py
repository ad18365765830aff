"""The classes of a label file, all of them: what a comparison of searchers needs, where a session needs one."""

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.label.label_files.names import Names
from elsa_nb.label.label_files.reader import best_reading, rows_meant
from elsa_nb.label.label_files.words import says_nothing, word_of


def read_classes(
    path: Path | str,
    ids: Sequence[str],
    *,
    item: str | None = None,
    label: str | None = None,
    encoding: str | None = None,
) -> tuple[dict[str, np.ndarray], list[str], list[str]]:
    """Return the rows (m,) int64, ascending, of each class that `path` names, names unmatched, and what is to be said.

    What is read, and what `item`, `label` and `encoding` mean, is said by `read_labels`; item="row" takes the pool's
    order. An item may be of several classes, in one line or in several. Raises MissingDataError where `path` is not
    there, and ValueError for what cannot be read and for a file that gives no item of the pool a class.
    """
    path, names = Path(path), Names(ids)
    try:
        reading = best_reading(path, names, item, label, encoding)
    except ValueError as error:
        raise ValueError(f"{path}: {str(error).rstrip('.')}.") from None
    rows, unmatched = defaultdict(set), []
    for line, row in zip(reading.lines, rows_meant(reading, names), strict=True):
        if not isinstance(row, int):
            unmatched.append(line.name)
            continue
        given = line.label if isinstance(line.label, set | frozenset | list | tuple) else [line.label]
        for each in given:
            if not says_nothing(each):
                rows[_name(each)].add(row)
    if not rows:
        raise ValueError(
            f"{path} gives no item of the pool a class: {reading.kind}; {len(reading.lines)} lines, of which "
            f"{len(unmatched)} name what is not in it{_seen(unmatched, ids)}. Name its columns: --item and --label; "
            "--item row takes the order of the vectors; --ids names the vectors"
        )
    notes = list(reading.notes)
    spelt: dict[str, list[str]] = defaultdict(list)
    for name in sorted(rows):
        spelt[word_of(name)].append(name)
    if alike := next((names for names in spelt.values() if len(names) > 1), None):
        notes.append(f"the classes {' and '.join(map(repr, alike))} are two here: if they are one, mend its spelling")
    return {name: np.array(sorted(of), np.int64) for name, of in sorted(rows.items())}, unmatched, notes


def _name(label: Any) -> str:
    """Return the name of a class: in letter case as it is written, of accents in one form; 2.0, of a number, is 2."""
    whole = isinstance(label, float) and label.is_integer()  # a column of numbers with a gap is of fractions
    return unicodedata.normalize("NFC", str(int(label) if whole else label)).strip()


def _seen(unmatched: Sequence[str], ids: Sequence[str]) -> str:
    has = repr(str(ids[0])) if len(ids) else "no items"
    return f" (such as {unmatched[0]!r}, where the pool has {has})" if unmatched else ""
