"""Vectors that are kept while a pool of a folder is being made, and found again when the folder has changed since.

A pool is written when all its images are known. Until then each batch goes to `kept.part` (rows) and `kept.txt` (a line
that names the images and vouches for the rows), so that nothing embedded is lost to Ctrl-C, kill -9 or a broken image.
Beside the finished pool `files.json` records the images, so that in a folder that has grown only the new ones are
embedded. `folder_pools.py` uses one `KeptVectors` for each pool.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from elsa_nb.errors import CorruptFileError
from elsa_nb.locks import Lock
from elsa_nb.option_names import option_told
from elsa_nb.pool import Pool, PoolWriter
from elsa_nb.store import naming, read_card, reading, write_atomically, write_card
from elsa_nb.vectors import blocks

CARD = "files.json"


class Stamp(NamedTuple):
    """What tells one state of a file from another: its size in bytes and its time of writing, in nanoseconds."""

    size: int
    written: int


def read_files(card: Path) -> dict[str, Any]:
    """Return what `files.json` says of a folder's pool: `making`, `root`, `ids`, `stamps`, `left_out`, `about`.

    Raises MissingDataError and CorruptFileError.
    """
    what = "a list of the images of a pool"
    cure = f"Delete the folder {card.parent}; `elsa-nb embed` makes it again."
    told = read_card(card, what, cure)
    with reading(card, what, cure):
        if len(told["ids"]) != len(told["stamps"]) or not {"making", "root"} <= told.keys():
            raise ValueError("its entries do not fit together")
        told["stamps"] = [Stamp(*stamp) for stamp in told["stamps"]]
        told["left_out"] = {item: Stamp(*stamp) for item, stamp in told.get("left_out", {}).items()}
        told["about"] = {"recipe": "", **told["about"]}
    return told


class KeptVectors:
    """The vectors of one encoder and space in the pool folder `folder`, image by image.

    `making` is the hash of how a vector is made from an image (weights, size, precision ...): vectors kept under
    another hash are not used. `stamps` hold the present state of every image's file, by id; a file that has changed
    counts as unknown. `lock` is the folder's `pool_lock`, held by the caller for as long as this is used.
    """

    def __init__(self, folder: Path, making: str, d: int, dtype: str, stamps: Mapping[str, Stamp], lock: Lock):
        self._lock = lock
        self.folder, self.d, self.dtype = Path(folder), d, np.dtype(dtype).newbyteorder("<")
        self._title = json.dumps({"making": making, "d": d, "dtype": dtype}, sort_keys=True).encode() + b"\n"
        self._part, self._lines, self._card = (self.folder / n for n in ("kept.part", "kept.txt", CARD))
        self._next = self.folder / f"next-{CARD}"
        self._places: dict[str, tuple[int, int]] = {}  # which of the two stores, and the row there
        self._stamps = stamps
        self.folder.mkdir(parents=True, exist_ok=True)
        self._finished = self._open_finished(making)
        self._rows = self._recover()

    def knows(self, item: str) -> bool:
        """Say whether the vector of an image is here."""
        return item in self._places

    def append(self, items: Sequence[str], vectors: np.ndarray) -> None:
        """Keep the vectors (m, d) of m images; after it returns, a kill loses nothing of it.

        Raises ValueError for values that are not finite as stored, naming the image.
        """
        new = [i for i, item in enumerate(items) if not self.knows(item)]
        with np.errstate(over="ignore"):
            rows = np.ascontiguousarray(vectors[new], dtype=self.dtype)
        if not (finite := np.isfinite(rows).all(axis=1)).all():
            row = int(np.argmin(finite))
            raise ValueError(f"The vector of {items[new[row]]} {_what_is_wrong(rows[row])}")
        named = [[items[i], *self._stamps[items[i]]] for i in new]
        with naming(self.folder), self._part.open("r+b") as stream:
            stream.seek(self._rows * self._width)
            stream.write(rows.data)
            stream.truncate()
        with naming(self.folder), self._lines.open("ab") as stream:  # after the rows that it vouches for
            stream.write(json.dumps([f"{zlib.crc32(rows.data):08x}", named]).encode() + b"\n")
        self._places |= {items[i]: (1, self._rows + k) for k, i in enumerate(new)}
        self._rows += len(new)

    def finished(self, ids: np.ndarray, recipe: str) -> Pool | None:
        """Return the finished pool if it is that of the images `ids` as they are now, made by `recipe`."""
        if self._finished is None or any(self._places.get(item, (1, 0))[0] for item in ids.tolist()):
            return None
        pool = Pool.open(self.folder)
        return pool if pool.recipe == recipe and pool.ids.tolist() == ids.tolist() else None

    def finish(self, ids: np.ndarray, about: Mapping[str, Any], making: str, root: str) -> Pool:
        """Write the pool of the images `ids` (n,), all of them known, and return it; then let go of what was kept."""
        if any(self._places[item][0] == 0 for item in ids.tolist()):
            Pool.open(self.folder)  # only what its checksums vouch for gets new ones
        self._check_part()
        parts = self._finished, self._mapped()
        card = {"making": making, "root": root, "ids": ids.tolist(), "about": dict(about)}
        card["stamps"] = [self._stamps[item] for item in ids.tolist()]
        inside = set(card["ids"])
        card["left_out"] = {item: stamp for item, stamp in self._stamps.items() if item not in inside}
        written = {"dtype": self.dtype.name, "lock": self._lock, **about}
        with PoolWriter(self.folder, ids, self.d, resume=False, **written) as writer:
            for _, block in blocks(ids):
                places = [self._places[item] for item in block.tolist()]
                writer.write(np.stack([parts[which][row] for which, row in places]))
            write_card(self._next, card)  # the old card stays until the new pool is whole
            pool = writer.finish()
        self._next.replace(self._card)
        self._lines.unlink(missing_ok=True)
        self._part.unlink(missing_ok=True)
        return pool

    @property
    def _width(self) -> int:
        return self.d * self.dtype.itemsize

    def _open_finished(self, making: str) -> np.ndarray | None:
        """Find what the finished pool knows of the images as they are now."""
        pool, card = self._whole_pool(), None
        for path in (self._card, self._next):
            told = read_files(path) if pool is not None and path.exists() else None
            if told and (told["about"]["recipe"], told["making"], told["ids"]) == (
                pool.recipe,
                making,
                pool.ids.tolist(),
            ):
                card = told
        if card is None:
            return None
        for row, (item, stamp) in enumerate(zip(card["ids"], card["stamps"], strict=True)):
            if self._stamps.get(item) == stamp:
                self._places[item] = (0, row)
        return pool.vectors

    def _whole_pool(self) -> Pool | None:
        """Open the finished pool; where `finish` was killed at its last steps, let it end first."""
        if not (self.folder / "pool.json").exists() and self._next.exists() and (self.folder / "journal.txt").exists():
            card = read_files(self._next)
            ids = np.array(card["ids"])
            written = {"dtype": self.dtype.name, "lock": self._lock, **card["about"]}
            with PoolWriter(self.folder, ids, self.d, **written) as writer:
                if writer.rows_done == len(ids):
                    return writer.finish()
        return Pool.open(self.folder, verify=False) if (self.folder / "pool.json").exists() else None

    def _recover(self) -> int:
        """Take over what an interrupted run has kept whole; return its number of rows."""
        if not self._lines.exists() or not self._part.exists():
            self._part.write_bytes(b"")
            write_atomically(self._lines, self._title)
        kept, rows = [self._title], 0
        for line, named in self._vouched():
            for k, (item, size, written) in enumerate(named):
                if self._stamps.get(item) == Stamp(size, written):
                    self._places[item] = (1, rows + k)
            rows += len(named)
            kept.append(line)
        write_atomically(self._lines, b"".join(kept))
        return rows

    def _vouched(self) -> Iterator[tuple[bytes, list]]:
        """Yield the lines whose checksums hold for the rows on the disk, and what each names."""
        with self._lines.open("rb") as lines, self._part.open("rb") as stream:
            if lines.readline() != self._title:
                return
            for line in lines:
                if not line.endswith(b"\n"):
                    return
                try:
                    checksum, named = json.loads(line)
                    block = stream.read(len(named) * self._width)
                except (ValueError, TypeError):  # a damaged line vouches for nothing
                    return
                if f"{zlib.crc32(block):08x}" != checksum:
                    return
                yield line, named

    def _check_part(self) -> None:
        """Raise CorruptFileError unless the rows on the disk are those that were kept."""
        if (held := sum(len(named) for _, named in self._vouched())) != self._rows:
            raise CorruptFileError(
                f"{self._part} holds other bytes than were written to it, from row {held} on: another program changed "
                "it, or the disk is failing. Run the same command again; the rows before are kept."
            )

    def _mapped(self) -> np.ndarray | None:
        if not self._rows:
            return None
        return np.memmap(self._part, dtype=self.dtype, mode="r", shape=(self._rows, self.d))


def _what_is_wrong(vector: np.ndarray) -> str:
    """Say what is not finite in a vector (d,) as it is stored, and what helps: NaN is one in every dtype."""
    if np.isnan(vector).any():
        return (
            "holds NaN, which is not a number in any dtype: the network computes it so, by its weights or by a "
            "division by zero, say for a picture of one colour. Mend the network, or take another encoder; if it was "
            f"computed in half precision, try {option_told('precision', 'float32')}."
        )
    if vector.dtype == np.float16:
        told = f"store float32 ({option_told('dtype', 'float32')})"
        return f"is not finite as float16: {told}, which holds numbers above 65,504, or take another encoder."
    return f"is infinite as {vector.dtype.name}: mend the network, or take another encoder."
