"""What all searches in one pool share, made once and kept: neighbour lists on disk, features in memory."""

import hashlib
import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.errors import CorruptFileError
from elsa_nb.locks import Lock
from elsa_nb.pool import Pool
from elsa_nb.search.checks import check_pool
from elsa_nb.search.contract import RegisteredStrategy
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.large_rows import LargeRows
from elsa_nb.search.heads.prepared_rows import DIMENSIONS, POWER, PreparedRows
from elsa_nb.search.neighbours.bounds import Sketch
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.neighbours.over_shards import lists_over_shards
from elsa_nb.side_by_side import by_direction
from elsa_nb.store import (
    DATA,
    as_path,
    check_switch,
    read_card,
    reading,
    sha256_file,
    unfinished,
    write_card,
    write_with,
)

LIST_LENGTH = 128  # list length; a search lengthens the few lists that prove too short
# Lists take n^2 d multiplications: minutes for a hundred thousand images, a day for ImageNet's on a processor. Beyond
# this many a search goes by bounds instead, unless a GPU makes the lists.
MOST_PRODUCTS = 2e14
MOST_LOOKED_AT = 2**17  # rows: with more, a person would wait for a round that looks at all of them


class Prepared:
    """A pool and what its searches share, each made when first asked for, but `neighbours` where they are given."""

    def __init__(self, pool: Pool, neighbours: Neighbours | Sketch | None = None):
        self.pool = pool
        if neighbours is not None:
            self.neighbours = neighbours

    @cached_property
    def neighbours(self) -> Neighbours | Sketch:
        """The neighbours among the vectors as they are; of those made here a list is made when a search asks for it."""
        return Neighbours(self.pool.vectors)

    @cached_property
    def features(self) -> Features:
        """The vectors as a head sees them."""
        return _features(self.pool)

    @cached_property
    def features_by_direction(self) -> Features:
        """The features of the vectors brought to length 1 (a copy, 4 n d bytes)."""
        return _features(by_direction(self.pool))

    @cached_property
    def prepared_rows(self) -> PreparedRows | LargeRows:
        """The rows of the pool as strategies without neighbour lists search them."""
        return prepared_rows(self.pool)

    def needed_by(self, kind: type[RegisteredStrategy]) -> dict[str, Any]:
        """Return, by name, what a search by this strategy is given (`registry.begin`)."""
        return {name: getattr(self, name) for name in kind.needs}


def prepare(
    folder: Path, *, verify: bool = True, build: bool = True, progress: bool | None = None, dask: str | None = None
) -> Prepared:
    """Open the pool in `folder` and its neighbour lists; compute the lists (n x 128) where they are not there yet.

    The lists are kept in `data/cache`, under the checksum of the pool they belong to. They are compared with their own
    checksums, and with `verify` so is the pool: `CorruptFileError` where one is damaged. A pool too large for lists is
    given a `Sketch` instead, and so is one without lists where `build` is False: the answers are the same, and for a
    few searches that is quicker. The lists are computed, and heads are scored, where the environment variable
    `ELSA_DEVICE` says (`device`). `dask` is the address of a cluster whose workers compute the lists, however large the
    pool is, from the same path (`over_shards`).
    """
    folder = as_path("folder", folder, "a pool, a folder")
    check_switch("build", build)
    pool = Pool.open(folder, verify=verify)
    if build:
        make_lists(pool, folder, progress=progress, dask=dask)
    cached = _cached(pool)
    if not (cached / "card.json").exists():
        return Prepared(pool, Sketch(pool.vectors, progress=progress))
    return Prepared(pool, Neighbours(pool.vectors, lists=_read(cached, pool)))


def make_lists(pool: Pool, folder: Path, *, progress: bool | None = None, dask: str | None = None) -> None:
    """Compute the lists that `prepare` opens of the pool in `folder`, unless they are there or it is too large."""
    cached, (n, d) = _cached(pool), pool.vectors.shape
    too_large = device() == "cpu" and n * n * d > MOST_PRODUCTS and not dask
    if too_large or (cached / "card.json").exists():
        return
    # All who want them at once wait for the one that makes them.
    with Lock(cached / ".lock", f"The neighbour lists of {folder}").acquire(wait=True):
        if not (cached / "card.json").exists():
            if dask:
                lists = lists_over_shards(folder / "vectors.npy", LIST_LENGTH, dask, progress=progress)
            else:
                backend = "blas" if device() == "cpu" else "torch"
                lists = Neighbours(pool.vectors, k=LIST_LENGTH, backend=backend).build(progress=progress).lists
            _store(cached, lists, pool)


def prepared_rows(
    pool: Pool, *, one_length: bool = False, verify: bool = True, progress: bool | None = None
) -> PreparedRows | LargeRows:
    """Return the rows of a pool as Harvest searches them; with `one_length` every vector is first brought to length 1.

    Rows of a pool of more than `MOST_LOOKED_AT` are made once and kept in `data/cache`, under the checksum of the pool.
    That takes minutes, and 3 bytes per value (at most 256 values per row and encoder). Later they are only opened, and
    with `verify` compared with their checksums: `CorruptFileError` where a file is damaged. Rows are scored where the
    environment variable `ELSA_DEVICE` says (`device`).
    """
    check_pool(pool)
    check_switch("one_length", one_length)
    check_switch("verify", verify)
    if pool.n <= MOST_LOOKED_AT:
        rows = PreparedRows.of_pool(by_direction(pool) if one_length else pool)
    else:
        rows = rows_on_disk(pool, one_length=one_length, verify=verify, progress=progress)
    return rows if device() == "cpu" else rows.on(device())


def rows_on_disk(
    pool: Pool, *, one_length: bool = False, verify: bool = True, progress: bool | None = None
) -> LargeRows:
    """Return the rows of a pool, however few, as `prepared_rows` returns those of a large one, from `data/cache`."""
    check_pool(pool)
    check_switch("verify", verify)
    recipe = repr((pool.sha256, pool.widths, DIMENSIONS, POWER, one_length)).encode()
    folder = DATA / "cache" / "rows" / hashlib.sha256(recipe).hexdigest()[:16]
    if not (folder / "card.json").exists():
        # All who want them at once wait for the one that makes them.
        with Lock(folder / ".lock", f"The prepared rows of {pool.name}").acquire(wait=True):
            if not (folder / "card.json").exists():
                return LargeRows.make(pool, folder, one_length=one_length, progress=progress)
    return replace(LargeRows.open(folder, verify), pool_sha256=pool.sha256)  # by which the folder is called


def device() -> str:
    """Return where heads are scored and neighbour lists are made: the torch device of `ELSA_DEVICE`, by default "cpu".

    Scores from another device may differ in their last bits, so results name theirs.
    """
    return os.environ.get("ELSA_DEVICE", "cpu")


def _features(pool: Pool) -> Features:
    return Features(pool.vectors, device=None if device() == "cpu" else device())


def _cached(pool: Pool) -> Path:
    return DATA / "cache" / "neighbours" / f"{pool.sha256[:16]}-{LIST_LENGTH}"


def _read(cached: Path, pool: Pool) -> tuple[np.ndarray, np.ndarray]:
    """Return stored lists, mapped: rows (n, k) int32, distances (n, k) float64. CorruptFileError for damaged ones."""
    cure = f"Delete the folder {cached}; the next run makes it again."
    card, arrays = cached / "card.json", []
    with reading(card, "a card of neighbour lists", cure):
        sha256 = dict(read_card(card, "a card of neighbour lists", cure)["sha256"])
        expected = [(name, str(sha256[name])) for name in ("rows.npy", "distances.npy")]
    for name, checksum in expected:
        with reading(cached / name, "neighbour lists", cure):
            if (got := sha256_file(cached / name)) != checksum:
                raise CorruptFileError(
                    f"{cached / name} is damaged: its SHA-256 is {got[:12]}..., expected {checksum[:12]}... {cure}"
                )
            arrays.append(np.load(cached / name, mmap_mode="r", allow_pickle=False))
    rows, distances = arrays
    if rows.ndim != 2 or rows.shape != distances.shape or len(rows) != pool.n:
        raise CorruptFileError(f"{cached} holds lists {rows.shape} for a pool of {pool.n} rows. {cure}")
    return rows, distances


def _store(cached: Path, lists: tuple[np.ndarray, np.ndarray], pool: Pool) -> None:
    names = ("rows.npy", "distances.npy")
    for left in unfinished(cached):
        left.unlink()
    for name, array in zip(names, lists, strict=True):
        write_with(cached / name, lambda stream, array=array: np.save(stream, array))
    card = {
        "pool": pool.name,
        "space": pool.space,
        "k": LIST_LENGTH,
        "sha256": {n: sha256_file(cached / n) for n in names},
    }
    write_card(cached / "card.json", card)  # last: a folder without it is not finished
