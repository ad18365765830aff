"""What is refused at once, with one sentence each: random generators, configurations, their values, row numbers.

Every strategy and configuration of `elsa_nb.search` calls these at construction.
"""

import warnings
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from numbers import Integral
from pathlib import PurePath
from typing import Any

import numpy as np

from elsa_nb.plain_arrays import plain_array


def check_rng(rng: np.random.Generator | int | None) -> np.random.Generator:
    """Return the random generator of a search: the given one, one seeded by a whole number, or for None a new one.

    Raises ValueError for anything else.
    """
    if rng is None or isinstance(rng, np.random.Generator) or _is_whole(rng, 0):
        return np.random.default_rng(rng)
    raise ValueError(
        f"rng = {rng!r}; allowed: a numpy.random.Generator, a whole number (0 or more) as its seed, or None"
    )


def check_pool(pool: Any) -> int:
    """Return the number of rows of a pool; raise ValueError for what is not a pool, such as an array."""
    if not (hasattr(pool, "vectors") and hasattr(pool, "ids")):
        raise ValueError(
            f"pool is of type {type(pool).__name__}; give a Pool: Pool.from_arrays(vectors, ids) makes one of arrays, "
            "Pool.from_file(path) one of a file, and Pool.open(folder) opens one"
        )
    return len(pool.vectors)


# For each part that a strategy can be handed: how it is made from a pool's vectors, and a member that it must have.
_MADE_BY = {
    "neighbours": ("Neighbours(vectors)", "nearest_to_any"),
    "features": ("Features(vectors)", "project"),
    "prepared_rows": ("PreparedRows.of_pool(pool)", "twins"),
}


_COMPARED = 64  # rows, spread over the pool: a search begins at once, also in a mapped file


def check_made(name: str, made: Any, pool: Any) -> None:
    """Raise `ValueError` unless what was made beforehand is None, or can have been made of this `pool`.

    Prepared rows know the checksum of their pool, unless they were made of arrays. Of neighbours some vectors are
    compared. Features may be of another space of the same items: only their rows are counted. With `pool` None nothing
    is compared.
    """
    if made is None:
        return
    how, does = _MADE_BY[name]
    if not hasattr(made, does):
        raise ValueError(f"{name} of type {type(made).__name__}; give None, or {how}")
    if pool is None:
        return
    rows = len(made.vectors if hasattr(made, "vectors") else made)
    if rows != (n := len(pool.vectors)):
        raise ValueError(f"{name} of {rows} rows for a pool of {n}; make them from the same pool")
    if not _of_same_pool(made, pool):
        raise ValueError(
            f"{name} made of another pool than this one, of other vectors or with other ids, though of as many rows; "
            f"make them from the same pool: {how}"
        )


def _of_same_pool(made: Any, pool: Any) -> bool:
    """Whether something can have been made of a pool, as far as it can be told without looking at all vectors."""
    if hasattr(made, "pool_sha256"):
        return made.pool_sha256 in ("", getattr(pool, "sha256", "") or made.pool_sha256)
    if not hasattr(made, "nearest_to_any") or made.vectors is pool.vectors:
        return True
    rows = np.unique(np.linspace(0, len(pool.vectors) - 1, _COMPARED).astype(np.int64))
    return np.array_equal(np.asarray(pool.vectors[rows], np.float64), np.asarray(made.vectors[rows], np.float64))


def check_config(config: Any, kind: type) -> None:
    """Raise `ValueError` unless `config` is a configuration of the strategy's own `kind`."""
    if not isinstance(config, kind):
        raise ValueError(
            f"config = {config!r:.60}; allowed: a {kind.__name__} (dataclasses.replace changes fields of one)"
        )


def check_kinds(config: Any) -> None:
    """Raise `ValueError` for a field that is not a switch, or not a configuration of a part, where its default is one.

    `config` is a dataclass. Anything else would count as True, or be noticed rounds later.
    """
    for field in fields(config):
        default = field.default if field.default_factory is MISSING else field.default_factory()
        value = getattr(config, field.name)
        if isinstance(default, bool) and not isinstance(value, bool | np.bool_):
            raise ValueError(f"{field.name} = {value!r:.60}; allowed: True or False")
        if is_dataclass(default) and not isinstance(value, type(default)):
            raise ValueError(f"{field.name} = {value!r:.60}; allowed: a {type(default).__name__}")


def check_counts(config: object, **least: int) -> None:
    """Raise `ValueError` unless each named field of `config` is a whole number not below its least value."""
    for name, lowest in least.items():
        check_count(name, getattr(config, name), lowest)


def check_count(name: str, value: Any, least: int) -> None:
    """Raise `ValueError` unless `value` is a whole number, `least` or more; True and False are not."""
    if not _is_whole(value, least):
        raise ValueError(f"{name} = {value!r:.60}; allowed: a whole number, {least} or more")


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def check_number(
    name: str,
    value: Any,
    allowed: str,
    *,
    least: float = -np.inf,
    above: float = -np.inf,
    most: float = np.inf,
    below: float = np.inf,
) -> None:
    """Raise `ValueError`, saying what is `allowed`, unless `value` is a finite real number within all bounds given."""
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not real or not (least <= value <= most and above < value < below and abs(value) < np.inf):
        endless = real and not abs(value) < np.inf and most == below == np.inf and "finite" not in allowed
        raise ValueError(f"{name} = {value!r:.60}; allowed: {allowed}{', and finite' if endless else ''}")


def check_share(name: str, share: Any) -> None:
    """Raise `ValueError` unless `share` is a number above 0 and below 1."""
    check_number(name, share, "a share above 0 and below 1, such as 0.9", above=0, below=1)


def as_truths(name: str, given: Any, told: str) -> np.ndarray:
    """Return `given` as bool (m,): one True or False for what `told` names. Raises ValueError for anything else.

    Labels and class numbers are refused: -1 and 2 would count as True.
    """
    truths = plain_array(given, name, f"give one True or False {told}")
    if truths.ndim != 1 or (truths.size and truths.dtype != bool):
        raise ValueError(f"{name} of type {truths.dtype} and shape {truths.shape}; give one True or False {told}")
    return truths.astype(bool, copy=False)


def check_rows(rows: Sequence[int] | np.ndarray, n: int | None, what: str) -> np.ndarray:
    """Return `rows` as int64 (m,), or say why they are not distinct row numbers of a pool of `n` (None: of any)."""
    given = check_rows_asked(rows, n, what)
    values, counts = np.unique(given, return_counts=True)
    repeated = np.flatnonzero(counts > 1)
    if len(repeated):
        row, times = values[repeated[0]], counts[repeated[0]]
        raise ValueError(f"{what}: row {row} is given {times} times; give each row once")
    return given


def check_rows_asked(rows: Sequence[int] | np.ndarray, n: int | None, what: str) -> np.ndarray:
    """Return `rows` as int64 (m,), or say why they are not row numbers of a pool of `n`; a row may come twice."""
    given = _flat(rows, what, "row numbers")
    if given.dtype == bool:
        raise ValueError(f"{what} are a mask; give row numbers: np.flatnonzero(mask)")
    given = given if given.size else given.astype(np.int64)
    if given.dtype.kind not in "iu":
        raise ValueError(f"{what} of type {given.dtype}; give whole row numbers (not names or fractions)")
    most = np.iinfo(np.int64).max if n is None else n - 1
    outside = given[(given < 0) | (given > most)]  # as given: the largest of uint64 are negative as int64
    if len(outside):
        allowed = "0 or more" if n is None else f"0 to {most}"
        raise ValueError(f"{what}: row {outside[0]} is not in the pool; allowed: {allowed}")
    return given.astype(np.int64)


def _flat(given: Any, what: str, wanted: str) -> np.ndarray:
    """Return a list, an array or a data frame's column as an array (m,); objects become texts or numbers.

    Raises ValueError, which says what is `wanted`, for a single or missing value, and for what has no order or shape.
    """
    array = plain_array(given, what, f"give a flat list of {wanted}")
    if array.ndim == 0:
        told = (
            f"{what} = {given!r:.60}" if isinstance(given, str | Integral) else f"{what} of type {type(given).__name__}"
        )
        raise ValueError(f"{told}; give a list of {wanted}")
    if array.ndim != 1:
        raise ValueError(f"{what} of shape {array.shape}; give a flat list of {wanted}")
    if array.dtype == object and all(isinstance(value, str) for value in array):
        return array.astype(str)
    if array.dtype == object and all(isinstance(value, Integral) for value in array):
        return np.array(array.tolist())
    return array


def find_rows(
    given: Sequence[int] | Sequence[str] | np.ndarray, ids: np.ndarray | None, n: int, what: str
) -> np.ndarray:
    """Return row numbers, or names out of the `ids` (n,) of a pool, as `check_rows` returns them.

    A whole number is always a row number, and text always an id, also where the ids are whole numbers. Warns where a
    number that somebody wrote into a list, or that stands in an index or a column of a data frame, names one row by its
    id and another by its number.
    """
    listed = isinstance(given, list | tuple)
    if listed and any(isinstance(each, str | PurePath) for each in given):
        if numbers := [each for each in given if not isinstance(each, str | PurePath)]:
            raise ValueError(f"{what} mix ids and {numbers[0]!r:.60}; give ids only, or row numbers only")
        given = [each.as_posix() if isinstance(each, PurePath) else str(each) for each in given]
    rows = _flat(given, what, "row numbers, or of ids")
    if ids is not None and rows.dtype.kind in "US":
        return check_rows(_rows_of_ids(rows, ids, what), n, what)
    if ids is not None and rows.dtype.kind in "iu":
        outside = rows[(rows < 0) | (rows >= n)]
        if len(outside) and (ids == str(outside[0])).any():
            raise ValueError(
                f"{what}: row {outside[0]} is not in the pool; allowed: 0 to {n - 1}. Whole numbers are row numbers: "
                f"as an id give the text {str(outside[0])!r}"
            )
    rows = check_rows(rows, n, what)
    if ids is not None and (listed or hasattr(given, "to_numpy")):  # what selects from a table gives its index
        _warn_of_other_reading(rows, ids, what)
    return rows


def _warn_of_other_reading(rows: np.ndarray, ids: np.ndarray, what: str) -> None:
    """Warn where a number that is taken for a row number is the id of another row."""
    for row in rows[ids[rows] != rows.astype(str)].tolist():
        if len(other := np.flatnonzero(ids == str(row))):
            warnings.warn(
                f"{what}: {row} is taken for the row number {row}, whose id is {str(ids[row])!r}. The id {str(row)!r} "
                f"is that of row {other[0]}: give ids as text (of an index or column: .astype(str)), or row numbers as "
                "an array (np.array([...]))",
                stacklevel=5,  # the line that makes the search
            )
            return


def _rows_of_ids(names: np.ndarray, ids: np.ndarray, what: str) -> np.ndarray:
    """Return the row numbers (m,) int64 of `names` among the `ids` (n,) of a pool, or say which is missing."""
    names = names.astype(str)
    order = np.argsort(ids, kind="stable")
    at = np.minimum(np.searchsorted(ids, names, sorter=order), len(ids) - 1)
    rows = order[at]
    if strange := names[ids[rows] != names].tolist():
        raise ValueError(
            f"{what}: {strange[0]!r} is not an id of this pool, whose ids are {ids[0]!s}, ... {ids[-1]!s}; give ids as "
            "in pool.ids, or row numbers"
        )
    return rows.astype(np.int64)
