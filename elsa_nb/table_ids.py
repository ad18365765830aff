"""Which part of a table names its rows: a column that is called so, the index of a data frame, or the only words.

A whole number may be an id of the user's own. Only those that count the rows from 0 are row numbers.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from elsa_nb.column_names import (
    FOLDERS,
    ITEM,
    as_whole_numbers,
    find_name,
    in_folder,
    item_in,
    numbers_rows,
    order_counted,
    others_told,
    plain,
)
from elsa_nb.text_layout import is_number
from elsa_nb.vectors import as_names

_LOOKED_AT = 20  # rows
# image_id, sample id, imageID, uid: what a column of ids may be called, where it has another value in every row.
_OF_SEVERAL = {"sample", "media", "uri", "url", "image_uri", "image_url"}  # what several rows may be about
_CALLED_ID = re.compile(r"(?i:(.*[\s_.-])?(ids?|uid|uuid|guid|pid))|.*[a-z](Id|ID)")


def row_names(given: Any, ids: Any = None) -> Any:
    """Return the ids of vectors: `ids` where they are given, else the `frame_names`.

    Raises ValueError for a data frame with a column of whole numbers (also as floats, as merges leave them) that is
    called like ids, and has another number in every row: among vectors it would be taken for a value of each. Warns of
    an index that is not taken (`index_left_out`).
    """
    for place, column in enumerate(getattr(given, "columns", ()) if hasattr(given, "iloc") else ()):
        called = find_name([column]) is not None or _CALLED_ID.fullmatch(str(column).strip())
        numbers = given.iloc[:, place].tolist() if called else []
        if len(numbers) > 1 and all(_is_whole(each) or _is_whole_float(each) for each in numbers) and _differ(numbers):
            whole = "" if all(map(_is_whole, numbers)) else f"astype({{{column!r}: int}})."
            raise ValueError(
                f"The column {column!r} of the data frame has a name of ids and another whole number in every row: "
                f"{whole}set_index({column!r}) makes these the ids, drop(columns={column!r}) leaves them out of the "
                "vectors."
            )
    if ids is None and (said := index_left_out(given)):
        warnings.warn(said, stacklevel=3)  # the line that makes the pool
    return frame_names(given) if ids is None else ids


def frame_names(given: Any) -> np.ndarray | None:
    """Return the names (n,) of the rows of a pandas frame or column, from its index; None where it only counts them.

    An index of words gives their names; so does one of whole numbers, as text, unless they are 0, 1, 2 and so on.
    Frames put one below the other have an index without a name in which numbers repeat: that one gives no names.
    """
    if not (hasattr(given, "iloc") and hasattr(given, "index")):
        return None
    names = np.asarray(given.index)
    if all(isinstance(name, str) for name in names):
        return names
    whole = names.dtype.kind in "iu" or all(_is_whole(name) for name in names)
    if not whole or (names == np.arange(len(names))).all():
        return None
    repeat = given.index.name is None and len(np.unique(names)) < len(names)
    return None if repeat else names.astype(str)


def index_left_out(given: Any) -> str:
    """Return a sentence on the index of a pandas frame or column that `frame_names` takes for no names, and its cure.

    "" where it does take it, and for whole numbers that count the rows, or repeat.
    """
    if frame_names(given) is not None or not (hasattr(given, "iloc") and hasattr(given, "index")):
        return ""
    names = np.asarray(given.index)
    if all(_is_whole(name) for name in names.tolist()):
        return ""
    floats = all(map(_is_whole_float, names.tolist()))
    if floats and (names == np.arange(len(names))).all():
        return ""
    kind = type(given.index).__name__ if names.dtype == object else f"{type(given.index).__name__} of {names.dtype}"
    return (
        f"The rows are numbered: the index of the data frame ({kind}, such as {names.tolist()[0]!s:.60}) is neither "
        f"text nor whole numbers. To take it for ids, make it so: frame.index.{'astype(int)' if floats else 'map(str)'}"
        "; reset_index(drop=True) leaves it out."
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool | np.bool_)


def _is_whole_float(value: Any) -> bool:
    """Whether a value, or the text of one, is a whole number that is written as a fraction, such as 1.0."""
    if isinstance(value, str):
        return re.fullmatch(r"\d+\.0+", value) is not None
    return isinstance(value, float | np.floating) and float(value).is_integer()


def _differ(values: Sequence[Any]) -> bool:
    return len(set(values)) == len(values)


def _tell_apart(values: Sequence[Any]) -> bool:
    """Whether values are words, or whole numbers, and none of them is missing or repeats."""
    words = all(isinstance(value, str) and value for value in values) and not all(map(_is_whole_float, values))
    return (words or all(map(_is_whole, values))) and _differ(values)


def known_column(columns: Sequence[Any], values_of: Callable) -> Any | None:
    """Return the one of `columns` that has the first known name of items; None where none has one.

    Several rows may be about one sample, image or page, and some about none. So a column that does not tell the rows
    apart gives way to one that does, if that has a known name or is called like ids; and one such as image_id or sample
    does not count at all. `values_of` gives the values of a column, a list.
    """
    known = [name for name in columns if plain(name) in ITEM]
    counted = [name for name in columns if plain(name) not in ("id", "ids") and _CALLED_ID.fullmatch(str(name).strip())]
    apart = [name for name in columns if name in (*known, *counted) and _tell_apart(values_of(name))]
    if any(name in apart for name in known):
        return find_name([name for name in known if name in apart])
    if apart:  # one called like ids, such as gbifID
        return None
    shared = [name for name in known if plain(name) in _OF_SEVERAL and not _differ(values_of(name))]
    return find_name([name for name in known if name not in (*counted, *shared)])


def column_called_id(columns: Sequence[Any], values_of: Callable) -> Any | None:
    """Return the one of `columns` that is called like ids and tells the rows apart; None where none does, or several.

    `values_of` gives the values of a column, a list.
    """
    called = [name for name in columns if _CALLED_ID.fullmatch(str(name).strip())]
    found = [name for name in called if _tell_apart(values_of(name))]
    return found[0] if len(found) == 1 else None


def may_hold_ids(columns: Sequence[Any], values_of: Callable) -> dict[str, str]:
    """Return {name: why it was not taken} of `columns` called like ids, or that tell rows apart and do not count them.

    `values_of` gives the values of a column, a list.
    """
    found = {}
    for name in columns:
        called, values = bool(_CALLED_ID.fullmatch(str(name).strip())), values_of(name)
        if called or _names_rows(values):
            found[str(name)] = _why_not_ids(values) if called else "its name does not say that it is one"
    return found


def _names_rows(values: Sequence[Any]) -> bool:
    """Whether values tell rows apart, and do not just count them from 0 or 1."""
    counts = (list(range(len(values))), list(range(1, len(values) + 1)))
    return _tell_apart(values) and list(values) not in counts


def _called_like_items(name: Any) -> bool:
    return plain(name) in ITEM or _CALLED_ID.fullmatch(str(name).strip()) is not None


def _why_not_ids(values: Sequence[Any]) -> str:
    """Say why a column that is called like ids was not taken."""
    if any(np.ndim(value) for value in values):
        return "it holds lists"
    if any(value is None or value == "" or value != value for value in values):
        return "a value is missing"
    if not _differ(values):
        return "its values repeat"
    if all(map(_is_whole_float, values)):
        return "its numbers are written as fractions, such as 1.0"
    return "other columns are called like ids, too" if _tell_apart(values) else "it holds neither names nor numbers"


def arrow_index(table: Any) -> list[str] | None:
    """Return what the index of the data frame that a table of pyarrow was written from calls its rows, or None."""
    if (frame := _arrow_frame(table)) is None:
        return None
    names = frame_names(frame)
    return names.tolist() if names is not None and len(set(names)) == table.num_rows else None


def arrow_index_left_out(table: Any) -> str:
    """Return `index_left_out` of the data frame that a table of pyarrow was written from."""
    return index_left_out(_arrow_frame(table))


def _arrow_frame(table: Any) -> Any | None:
    """Return the data frame that a table of pyarrow was written from, without columns; None where it was not."""
    try:
        kept = (table.schema.pandas_metadata or {}).get("index_columns", [])
    except ValueError:  # other programs write what they like there
        return None
    if not isinstance(kept, list):
        return None
    return table.select([name for name in kept if name in table.column_names]).to_pandas()


def ids_in_frame(frame: Any, padded: Sequence[Any] = ()) -> tuple[list[str], list[str]]:
    """Return the ids in a table, and notes on them.

    They are its column of names, its index, or else the only column of words, or of `padded` numbers, that do not
    repeat, which a note says. Raises ValueError where none is, or where several are: the first may hold classes; and
    where another column, or the index, numbers the rows in another order than they stand in.
    """
    columns = list(frame.columns)
    column = known_column(columns, lambda name: frame[name].tolist())
    column = column_called_id(columns, lambda name: frame[name].tolist()) if column is None else column
    first, without_names = columns[0] if columns else "", not any(isinstance(name, str) for name in columns)
    may_count = without_names and first not in padded and len(frame) > 2  # two numbers may be labels, 1 and 0
    _check_order(frame, column, [first] if may_count else [])
    if column is not None:
        return ids_in_column(frame.__getitem__, columns, column)
    if (names := frame_names(frame)) is not None and len(set(names)) == len(names):
        return names.tolist(), []
    texts = [name for name in columns if name in padded or not is_number_like(frame[name])]
    words = {name: frame[name].astype(str).tolist() for name in texts}
    apart = {name: values for name, values in words.items() if _differ(values)} or words
    if not apart:
        raise ValueError(f"it has no column of ids ({', '.join(map(str, columns[:8]))}); call it item")
    first = next(iter(apart))
    if str(first).startswith("Unnamed:") and first == columns[0]:  # the names of the rows, as R and pandas write them
        why = "which has no name, as those of row names"
    elif all(values == apart[first] for values in apart.values()):
        why = "the only one that may hold them, though its name does not say so"
    else:
        listed = ", ".join(map(repr, list(apart)[:8]))
        raise ValueError(
            f"each of its columns {listed} may hold the ids; in its first line, call the one that does item"
        )
    return ids_in_column(frame.__getitem__, columns, first, f", {why}")


def _check_order(frame: Any, ids: Any | None, nameless: Sequence[Any]) -> None:
    """Raise ValueError where the index, or a column beside `ids`, says that the rows once stood in another order.

    A column says so that is called as those are that number rows, or is one of the `nameless`.
    """
    others = [name for name in frame.columns if name != ids]
    counts = {name: frame[name] for name in others if numbers_rows(name) or name in nameless}
    if frame.index.name is None:
        counts = {"": frame.index.to_series()} | counts
    for name, values in counts.items():
        places = order_counted(as_whole_numbers(values.tolist()))
        if (wrong := next((row for row, place in enumerate(places) if row != place), None)) is not None:
            has_name = isinstance(name, str) and name and not name.startswith("Unnamed:")
            called = f"column {name!r}" if has_name else "column without a name"
            raise ValueError(
                f"its rows are in another order than its {called} counts: {values.iloc[wrong]} is in row "
                f"{wrong + 1:,}; sort them by it, or leave it out where they are in the vectors' order"
            )


def ids_in_column(
    values_of: Callable, columns: Sequence[Any], column: Any, why: str = ""
) -> tuple[list[str], list[str]]:
    """Return the ids in a column, and notes on them; `values_of` gives the values of one of `columns`.

    The notes say which column it is, `why` it was taken, and which others might be, with the way to take these. File
    names that repeat get their folders in front, where another column holds these. Raises ValueError where another
    column has the same name, but for case, and other values.
    """
    names = as_names(map(item_in, values_of(column)))
    for other in columns:
        if other != column and plain(other) == plain(column) and list(values_of(other)) != list(values_of(column)):
            raise ValueError(f"it has two columns {column!r} and {other!r}, which differ; rename the one without ids")
    others = (
        [name for name in columns if name != column and _called_like_items(name)] if plain(column) != "item" else []
    )
    held = {name: list(values_of(name)) for name in others}
    others = [name for name, values in held.items() if _names_rows(values) and values != list(values_of(column))]
    notes = [f"ids from the column {column!r}{why}{others_told(others)}"]
    beside = find_name([name for name in columns if name != column], FOLDERS)
    if beside is None or len(set(names)) == len(names) or any("/" in name or "\\" in name for name in names):
        return names, notes
    folders = ["" if folder is None or folder != folder else str(folder) for folder in values_of(beside)]
    joined = [in_folder(folder, name) for folder, name in zip(folders, names, strict=True)]
    return joined, [f"ids from {beside!r} and {column!r}, joined, since the names repeat"]


def if_ids(name: Any, values: Iterable[Any]) -> tuple[Any, list[str]]:
    """Return the only column of words if none of its words repeats, else None and a remark."""
    values = list(values)
    if len(set(values)) == len(values):
        return name, []
    return None, [f"the words in {name!r} repeat, so they are not ids"]


def is_number_like(column: Any) -> bool:
    """Whether a column of a data frame holds numbers, or mostly numbers."""
    if column.dtype.kind in "fiub":
        return True
    told = [value for value in column[:_LOOKED_AT] if np.ndim(value) == 0 and value is not None]  # no lists
    told = [value for value in told if isinstance(value, str) or value == value]
    told = [value for value in told if value != ""]
    return bool(told) and 2 * sum(is_number(str(value)) for value in told) > len(told)
