"""Whether a table whose rows, or their numbers, are to name items says itself that it means other items."""

from collections.abc import Sequence

from elsa_nb.column_names import ITEM, as_whole_numbers, numbers_rows, order_counted, plain
from elsa_nb.label.label_files.cells import text_in
from elsa_nb.label.label_files.names import Names
from elsa_nb.label.label_files.tables import Table
from elsa_nb.option_names import option_told


def check_order(table: Table, what: int | None, names: Names) -> None:
    """Raise ValueError where a column other than `what`, the labels, says that the rows are in another order."""
    for index, name in enumerate(table.columns):
        if index == what:
            continue
        texts = [text_in(cells[index]).strip() for _, cells in table.rows]
        meant = _rows_meant(texts, names, plain(name))
        first = next((place for place, row in meant.items() if row != place), None)
        if first is None:
            continue
        called = f"column {name!r}" if name else "column without a name"
        by_name = name and names.find(texts[first]) == meant[first]
        raise ValueError(
            f"its rows are not in the pool's order: its {called} has {texts[first]!r} ({table.rows[first][0]}) where "
            f"item {first + 1:,} of the pool would stand. To go by that column: "
            f"{option_told('item', name) if by_name else 'sort its rows by it'}. If the rows are in the pool's order "
            "all the same, leave that column out of the file"
        )


def check_beside(table: Table, rows: int, items: int | None, names: Names) -> None:
    """Raise ValueError where the column `rows`, called row, names other items than that of `items` beside it.

    It then counts rows, perhaps those of another collection, and where ids are numbers it names wrong items.
    """
    for place, cells in table.rows if items not in (None, rows) else ():
        counted, named = (text_in(cells[index]).strip() for index in (rows, items))
        meant = [names.find(text) for text in (counted, named)]
        if meant[0] != meant[1] and all(isinstance(row, int) for row in meant):
            column, called = table.columns[rows], table.columns[items]
            raise ValueError(
                f"its columns {column!r} and {called!r} name two items ({place}: {counted!r} and {named!r}). To go by "
                f"the names: {option_told('item', called)}; to go by {column!r}, take out the column {called!r}"
            )


def _rows_meant(texts: Sequence[str], names: Names, column: str) -> dict[int, int]:
    """Return {place in the table: row of the pool} as the cells of a column say; {} where they say nothing about it.

    They do if each is another item of the pool. In a column that is called as those of items are it is enough that most
    are items: the others are names that the pool has not. Numbers may measure something else: they have to stand in a
    column that is called as one of items or of numbers of rows. There, 0 to n - 1 or 1 to n tell of an order, too.
    """
    of_items, numbers = column in ITEM, as_whole_numbers(texts)
    if numbers and not (of_items or numbers_rows(column)):
        return {}
    found = {place: row for place, text in enumerate(texts) if isinstance(row := names.find(text), int)}
    if len(set(found.values())) == len(texts) or (of_items and not numbers and 2 * len(found) > len(texts)):
        return found
    if not numbers:
        return {}
    return dict(enumerate(order_counted(numbers)))
