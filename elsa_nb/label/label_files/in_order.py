"""A text with one label per line, in the order of the vectors: no sign in a line parts it."""

import re

from elsa_nb.column_names import LABEL, plain
from elsa_nb.label.label_files.lines import RowPlace
from elsa_nb.label.label_files.tables import Table, cell_a_line
from elsa_nb.label.label_files.words import word_of

_KIND = "list of labels, one per line"


def label_a_line(text: str, n: int, label: str | None) -> Table | None:
    """Return the whole lines of a text as labels of `n` items in their order; None where it has not as many.

    An empty line is an item without a label. The lines may stand under a name: one word, or what `label` says. Without
    a name, the first line must recur as a label: else it may be a name, with one label too few under it.
    Raises ValueError where there is one line too many, and no name.
    """
    cells = cell_a_line(text)
    if not cells:
        return None
    first = next(filter(None, cells), "")
    recurs = [*map(word_of, cells)].count(word_of(first)) > 1
    if label is None and recurs and len(rows := _without_end(cells, n)) == n:
        return Table(["label"], [(RowPlace("line", i), [cell]) for i, cell in enumerate(rows, 1)], _KIND)
    head, rows = cells[0], _without_end(cells[1:], n)
    named = plain(head) in LABEL if label is None else plain(head) == plain(label)
    one_word = label is None and re.fullmatch(r"[^\s,;|]+", head) and head != "row"
    starts = [re.split(r"[\s,;|]", cell, maxsplit=1)[0] for cell in rows]
    # R names rows, but not their column: each line begins with another word, and goes on.
    row_names = len(set(starts)) == n and all(start != cell for start, cell in zip(starts, rows, strict=True))
    if len(rows) != n or row_names or not (named or one_word):
        return None
    if recurs and not named and head != "0":  # which pandas calls a column without a name
        raise ValueError(
            f"it has {len(cells):,} lines, and the pool has {n:,} items. Its first line, {head!r}, is a label that "
            "recurs: take out the line that is too many; or, if it names the column, write label there"
        )
    kind = f"{_KIND} under the name {head!r}"
    return Table([head], [(RowPlace("line", i), [cell]) for i, cell in enumerate(rows, 2)], kind)


def _without_end(cells: list[str], n: int) -> list[str]:
    """Return cells without empty ones at the end that go beyond `n`."""
    filled = next((i for i in range(len(cells), 0, -1) if cells[i - 1]), 0)
    return cells[: max(n, filled)]
