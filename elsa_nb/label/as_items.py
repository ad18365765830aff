"""Make items for the panel of what a notebook holds: arrays, tensors, columns, lists of texts, paths, pictures.

`Panel` calls `as_items`. What cannot be shown is refused here, before anything is on screen, in one sentence that
names the row.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from elsa_nb.label.items import SOUNDS, TEXTS, Arrays, Items, Paths, Pictures, Texts
from elsa_nb.pictures.arrays import laid_out
from elsa_nb.pictures.decoding import endings
from elsa_nb.vectors import array_of_tensor

_ALLOWED = (
    "label.Files(folder, pool), label.Arrays(array), a list or column of texts, of paths, of arrays or of pictures of "
    "Pillow, an object with images(rows) and ids (such as Glyphs), or with content(row, side) and ids"
)
_LOOKED_AT = 100  # rows of a sequence that is read on demand


def as_items(images: Any) -> Items:
    """Return `images` as items, one per row of the pool; ValueError, in one sentence, for what cannot be shown."""
    if isinstance(images, Items):
        return images
    if hasattr(images, "images") and hasattr(images, "ids"):
        return Arrays(images)
    if hasattr(images, "vectors") and hasattr(images, "ids"):
        raise ValueError("images is a pool, which holds vectors only: label.Files(folder, pool) shows its files")
    if hasattr(images, "columns"):
        columns = ", ".join(map(str, list(images.columns)[:8]))
        raise ValueError(f"images is a table; hand over one of its columns: images[...] with {columns}")
    if hasattr(images, "detach"):
        images = _array_of(images)
    kind = getattr(getattr(images, "dtype", None), "kind", "")
    if kind and kind in "buifc" and len(images.shape) > 1:
        return Arrays(images)
    return _of_sequence(_as_sequence(images))


def _as_sequence(images: Any) -> Sequence[Any]:
    """Return a column, an array of strings or objects, or a list as a sequence."""
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(images, method):
            images = getattr(images, method)()
            break
    named = f"images is of type {type(images).__name__}; allowed: {_ALLOWED}"
    if isinstance(images, str | bytes | dict | Path | Image.Image) or not hasattr(images, "__getitem__"):
        once = "; an iterator can be read once only: list(images)" if hasattr(images, "__next__") else ""
        raise ValueError(named + once)
    if not len(images):
        raise ValueError(f"images is an empty {type(images).__name__}; give one item per row of the pool")
    return images


def _of_sequence(values: Sequence[Any]) -> Items:
    looked_at = values if isinstance(values, list | tuple) else [values[i] for i in range(min(len(values), _LOOKED_AT))]
    kinds = [_kind(value) for value in looked_at]
    first = next((kind for kind in kinds if kind), "")
    for row, (kind, value) in enumerate(zip(kinds, looked_at, strict=True)):
        if kind and kind == first:
            continue
        found = "None" if value is None else f"of type {type(value).__name__}"
        if not first:
            raise ValueError(f"row {row} of images is {found}; allowed: {_ALLOWED}")
        empty = ' (or "")' if first == "text" else ""
        raise ValueError(
            f"row {row} of images is {found}, others are of the kind {first}; give a {first}{empty} for every row, or "
            "leave the row out of the pool"
        )
    if first == "text" and _named_like_files(looked_at):
        if absent := next((each for each in looked_at if not Path(each).is_file()), None):
            raise ValueError(
                f"images looks like a list of file names, and {absent!r} is not in {Path.cwd()}: "
                "label.Files(folder, names) says where they are, label.Texts(names) shows them as texts"
            )
        first = "path"
    elif first == "path" and not any(Path(each).is_file() for each in looked_at):
        raise ValueError(
            f"images are paths, and none of them is a file, such as {str(looked_at[0])!r} seen from {Path.cwd()}: "
            "label.Files(folder, names) says where they are"
        )
    if first == "picture" and all(_is_text(value) for value in looked_at):
        raise ValueError("images are bytes that hold text, not pictures: hand over [each.decode() for each in images]")
    if first == "array":
        for row, value in enumerate(looked_at):
            try:
                laid_out(_array_of(value))
            except ValueError as error:
                raise ValueError(f"row {row} of images: {error}") from None
        return Arrays(lambda rows: [_array_of(values[row]) for row in rows], [str(row) for row in range(len(values))])
    return {"text": Texts, "path": Paths, "picture": Pictures}[first](values)


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, Path):
        return "path"
    if isinstance(value, Image.Image | bytes):
        return "picture"
    return "array" if hasattr(value, "shape") and len(value.shape) > 1 else ""


def _is_text(value: Any) -> bool:
    """Whether bytes are text: a picture's file has control characters, or is not UTF-8."""
    try:
        return isinstance(value, bytes) and not re.search(r"[\0-\x08\x0e-\x1f]", value.decode())
    except UnicodeDecodeError:
        return False


def _named_like_files(texts: Sequence[str]) -> bool:
    known = (*endings(), *SOUNDS, *TEXTS)
    return all("\n" not in text and len(text) < 1000 and text.lower().endswith(known) for text in texts)


def _array_of(value: Any) -> np.ndarray:
    """Return an array or a tensor, on whatever device and with a gradient or not, as an array of NumPy."""
    return array_of_tensor(value)[0] if hasattr(value, "detach") else np.asarray(value)
