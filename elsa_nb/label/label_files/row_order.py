"""Whether a table whose rows are to be taken in the pool's order says itself that they are in another order."""

import re
from collections.abc import Sequence

from elsa_nb.label.label_files.cells import text_in
from elsa_nb.label.label_files.lines import plain
from elsa_nb.label.label_files.names import Names
from elsa_nb.label.label_files.tables import Table
from elsa_nb.option_names import option_told

# What programs call a column that numbers rows: pandas "" or this one in Parquet, people the others.
_NUMBERS_ROWS = {"", "__index_level_0__", "level_0", "index", "row", "rows", "row_number", "idx", "nr", "no", "number"}


def check_order(table: Table, what: int | None, names: Names, of_items: Sequence[str]) -> None:
    """Raise ValueError where a column other than `what`, the labels, holds all items of the pool in another order.

    So do numbers that count the rows, in a column that is called like one of them or like one of items (`of_items`).
    """
    for index, name in enumerate(table.columns):
        if index == what:
            continue
        texts = [text_in(cells[index]).strip() for _, cells in table.rows]
        if len(set(texts)) < len(texts):
            continue
        counts = re.sub(r"^unnamed:_\d+$", "", plain(name)) in _NUMBERS_ROWS | set(of_items)
        named = counts or not all(map(str.isdecimal, texts))
        items = _items(texts, names) if named else None
        order = _numbers(texts) if items is None and counts else items
        if order is None or order == sorted(order):
            continue
        first = next(i for i, (one, other) in enumerate(zip(order, sorted(order), strict=True)) if one != other)
        called = f"column {name!r}" if name else "column without a name"
        by_name = option_told("item", name) if name and items is not None else "sort its rows by it"
        raise ValueError(
            f"its rows are not in the pool's order: its {called} has {texts[first]!r} ({table.rows[first][0]}) where "
            f"item {first + 1:,} of the pool would stand. To go by that column: {by_name}. If the rows are in the "
            "pool's order all the same, leave that column out of the file"
        )


def _numbers(texts: Sequence[str]) -> list[int] | None:
    """Return texts as numbers if they are 0 to n - 1, or 1 to n, in any order; else None."""
    if not all(text.isdecimal() and text.isascii() for text in texts):
        return None
    numbers = [int(text) for text in texts]
    low = min(numbers, default=0)
    return numbers if low in (0, 1) and max(numbers, default=0) == low + len(numbers) - 1 else None


def _items(texts: Sequence[str], names: Names) -> list[int] | None:
    """Return the rows that texts name, if they are all items of the pool, each once; else None."""
    rows = [row for text in texts if isinstance(row := names.find(text), int)]
    return rows if len(set(rows)) == len(texts) else None
