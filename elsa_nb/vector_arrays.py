"""What a file of vectors gave, and which of several named arrays of a file are the vectors and their ids."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from elsa_nb.column_names import find_name, others_told
from elsa_nb.option_names import option_told

VECTORS = (
    *("vectors", "embeddings", "embedding", "vector", "features", "feature", "feats", "feat", "emb"),
    *("x", "X", "arr_0"),
)


@dataclass
class VectorFile:
    """What a file holds: `vectors` (n, d), `ids` (None: it names none), and notes on what was left out or taken.

    `left_out` {name: why} are columns or arrays that are neither, and that may be ids.
    """

    vectors: Any
    ids: Sequence[str] | None = None
    notes: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def ids_among(shapes: dict[str, tuple[int, ...]], chosen: str) -> str | None:
    """Return which array names the rows of the one that was `chosen`: one with a usual name and one value per row."""
    return find_name([name for name, shape in shapes.items() if name != chosen and one_each(shape)])


def one_each(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape, (n,) or (n, 1), has one value per row."""
    return bool(shape) and shape[1:] in ((), (1,))


def chosen_array(shapes: dict[str, tuple[int, ...]], key: str | None) -> str:
    """Return which array of a file holds the vectors: `key`, or the only one (n, d); ValueError where none is."""
    if key is not None:
        if key not in shapes:
            raise ValueError(f"it has no array {key!r}; it has {shapes_told(shapes)}")
        return key
    flat = [name for name, shape in shapes.items() if len(shape) == 2]
    named = [name for name in VECTORS if name in flat]
    if len(flat) == 1 or named:
        return named[0] if named else flat[0]
    if not flat:
        raise ValueError(f"it has no array (n, d), one row per item: it has {shapes_told(shapes)}")
    raise ValueError(f"it has several arrays of vectors: {shapes_told(shapes)}. Name one: {option_told('key')}")


def ids_taken(shapes: dict[str, tuple[int, ...]], chosen: str, ids: str | None) -> list[str]:
    """Return a note on which array was taken for ids, where others of one value per row have a known name, too."""
    rows = None if ids is None else shapes[ids][:1]
    found = [name for name, shape in shapes.items() if name not in (chosen, ids) and shape[:1] == rows]
    others = [name for name in found if find_name([name]) is not None and one_each(shapes[name])]
    return [f"ids from {ids!r}{others_told(others)}"] if others and ids != "item" else []


def array_taken(shapes: dict[str, tuple[int, ...]], chosen: str, ids: str | None = None) -> list[str]:
    """Return a note on which array was taken and which were not, where a file holds more than vectors and their ids."""
    left = {name: shape for name, shape in shapes.items() if name not in (chosen, ids)}
    taken = [f"vectors from {chosen!r}, left out: {shapes_told(left)}"] if left else []
    return taken + ids_taken(shapes, chosen, ids)


def may_be_ids(shapes: dict[str, tuple[int, ...]], chosen: str) -> dict[str, str]:
    """Return {name: why they were not taken} of arrays of one value for each row of the one that was `chosen`."""
    why = "its name does not say that it is one"
    return {name: why for name, shape in shapes.items() if name != chosen and shape == shapes[chosen][:1]}


def shapes_told(shapes: dict[str, tuple[int, ...]]) -> str:
    """Return the names and shapes of a file's arrays in words."""
    return ", ".join(f"{name} {tuple(map(int, shape))}" for name, shape in list(shapes.items())[:12]) or "nothing"
