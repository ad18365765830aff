"""The files of a pool: their bytes, columns and checksums, and the folders they may be written into."""

import hashlib
import io
import re
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.errors import MissingDataError
from elsa_nb.locks import Lock
from elsa_nb.store import card_entries, read_card, reading, sha256_bytes
from elsa_nb.vectors import blocks

POOL_CURE = "`elsa-nb embed` (or notebook 01) makes one of pictures, `elsa-nb pool make` one of your own vectors"
POOL_ANEW = f"Delete pool.json, vectors.npy and ids.npy in {{}}; then {POOL_CURE}."  # a folder may hold more
# What a writer leaves of a pool when the disk is full or it is killed, and what is there while one is at work.
_BEGUN = re.compile(r"vectors\.part|\.lock(-holder)?|\..*\.part")


def check_free(folder: Path) -> None:
    """Raise ValueError for a folder that holds other files and no pool, finished or begun: nothing is written there."""
    if not folder.is_dir() or (folder / "pool.json").exists():
        return
    journal = folder / "journal.txt"
    told = journal.read_bytes() if journal.is_file() else b""
    if told.startswith(b'{"dtype"'):  # the title of a writer, which was killed
        return
    parts = sorted(part.name for part in folder.iterdir() if not _BEGUN.fullmatch(part.name))
    if others := [name for name in parts if told or name != journal.name]:
        raise ValueError(
            f"{folder} holds other files, such as {others[0]}, and no pool; name another folder, such as "
            f"{folder / 'pool'}"
        )


def check_finished(folder: Path) -> None:
    """Raise MissingDataError where there is no finished pool, with what is there and the cure."""
    if folder.is_file():
        raise MissingDataError(
            f"{folder} is a file, and a pool is a folder: `elsa-nb pool make {folder} --ids NAMES` makes one of a "
            "file of vectors (in Python: Pool.from_file)."
        )
    if not (folder / "pool.json").exists():
        told = {"journal.txt": "is not finished", "vectors.npy": "lacks its pool.json", ".": "holds no vectors"}
        state = next((told[file] for file in told if (folder / file).exists()), "is not here (is the path right?)")
        raise MissingDataError(f"The pool {folder} {state}: {POOL_CURE}.")


def npy_header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """Return how a `.npy` file of an array in C order begins."""
    stream = io.BytesIO()
    what = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(stream, what)
    return stream.getvalue()


def npy_sha256(array: np.ndarray) -> str:
    """Return the SHA-256 of an array as the bytes of its `.npy` file."""
    dtype = array.dtype.newbyteorder("<")
    digest = hashlib.sha256(npy_header(array.shape, dtype))
    for _, block in blocks(array):
        digest.update(np.ascontiguousarray(block, dtype=dtype).view(np.uint8).data)
    return digest.hexdigest()


def pool_sha256(files: dict[str, str]) -> str:
    """Return the SHA-256 of a pool from those of its two files."""
    return sha256_bytes("".join(f"{file} {files[file]}\n" for file in ("vectors.npy", "ids.npy")).encode())


def check_widths(widths: Iterable[int], d: int) -> tuple[int, ...]:
    """Return how many of the `d` columns each encoder has; () stands for a single encoder.

    Raises ValueError unless they are whole numbers, 1 or more, whose sum is d.
    """
    told = tuple(map(int, widths))
    if told and (min(told) < 1 or sum(told) != d):
        raise ValueError(f"widths {told} of vectors of {d} values; give 1 or more per encoder, {d} in all")
    return told


def columns_of(widths: Sequence[int]) -> tuple[slice, ...]:
    """Return the columns of encoders of these widths, one after another."""
    return tuple(slice(*ends) for ends in pairwise(accumulate(widths, initial=0)))


def pool_lock(folder: Path | str) -> Lock:
    """Return the lock of whoever writes the pool in `folder`, not yet taken."""
    return Lock(Path(folder) / ".lock", f"The pool {folder}")


def card_of(folder: Path) -> dict[str, Any]:
    """Return what the `pool.json` of a finished pool says; raise as `Pool.open` does."""
    what, cure = "a card of a pool", POOL_ANEW.format(folder)
    card = read_card(folder / "pool.json", what, cure)
    with reading(folder / "pool.json", what, cure):
        card["files"] = {file: str(card["files"][file]) for file in ("vectors.npy", "ids.npy")}
        card |= {entry: str(card[entry]) for entry in ("name", "space", "dtype", "recipe")}
        card |= {"n": int(card["n"]), "d": int(card["d"]), "provenance": dict(card["provenance"])}
        card["widths"] = check_widths(card.get("widths", ()), card["d"])
    return card


def recipe_at(folder: Path) -> str:
    """Return the recipe of the finished pool in `folder`, without opening its vectors; raise as `Pool.open` does."""
    return card_of(folder)["recipe"]


def pool_entries(provenance: Any, name: Any, space: Any, recipe: Any = None) -> dict[str, Any]:
    """Return the provenance of a pool; raise ValueError for what its card cannot hold, before anything is written."""
    known = {} if recipe is None or (isinstance(recipe, str) and not recipe) else {"recipe": recipe}
    return card_entries(provenance, name=name, space=space, **known)
