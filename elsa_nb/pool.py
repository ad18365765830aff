"""The pool: one vector and one id per unlabelled item, memory-mapped, checked, and written so that nothing is lost.

A pool is a folder of three files. `vectors.npy` and `ids.npy` are plain NumPy arrays; `pool.json` says what they are
and holds their SHA-256. It is written last: a folder without it is not finished. Labels never live here.
"""

import json
import os
import zlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from elsa_nb.counts import count_of
from elsa_nb.errors import CorruptFileError
from elsa_nb.locks import Lock
from elsa_nb.pictures.opening import escaped
from elsa_nb.plain_arrays import same_index
from elsa_nb.pool_files import (
    POOL_ANEW,
    card_of,
    check_finished,
    check_free,
    check_widths,
    columns_of,
    npy_header,
    npy_sha256,
    pool_entries,
    pool_lock,
    pool_sha256,
)
from elsa_nb.store import as_path, check_switch, naming, reading, sha256_file, write_card, write_with
from elsa_nb.table_ids import row_names
from elsa_nb.vector_files import read_both
from elsa_nb.vectors import DTYPES, as_vectors, blocks, check_ids, check_vectors, warn_of_oddities

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Pool:
    """Hold the vectors of one encoder and space, in one fixed order.

    `vectors` (n, d) float16 or float32 and `ids` (n,) str are read-only. `name` says what they are of, `space` which
    output of the encoder they are, `provenance` what they were made from, as plain data. `recipe` names what the
    vectors were computed from (images, weights, code, dtype), so that pools from two machines whose floats differ in
    the last bit count as the same pool; where that is unknown, it is `sha256`, of the stored bytes. `widths` are the
    numbers of columns of each encoder, where several stand side by side (`elsa_nb.side_by_side`).

    >>> import numpy as np
    >>> from elsa_nb import Pool
    >>> pool = Pool.from_arrays(np.eye(3, 4), ["a.jpg", "b.jpg", "c.jpg"])
    >>> pool.n, pool.d, pool.vectors.dtype.name
    (3, 4, 'float32')
    """

    vectors: np.ndarray
    ids: np.ndarray
    name: str
    space: str
    provenance: dict[str, Any] = field(default_factory=dict)
    recipe: str = ""
    sha256: str = ""
    widths: tuple[int, ...] = ()

    def __repr__(self) -> str:
        first, last = (repr(str(self.ids[end])[:40]) for end in (0, -1))
        ids = f"id {first}" if self.n == 1 else f"ids {first} to {last}"
        rows = f"{count_of(self.n, 'row')} of {self.d:,} {self.vectors.dtype.name}"
        return f"<Pool {self.name!r}: {rows}, {self.space}, {ids}>"

    @classmethod
    def from_arrays(
        cls,
        vectors: Any,
        ids: Sequence[str] | np.ndarray | None = None,
        *,
        name: str = "arrays",
        space: str = "embedding",
        provenance: dict[str, Any] | None = None,
        recipe: str | None = None,
    ) -> "Pool":
        """Make a pool from vectors (n, d) in memory; `ids` default to the index of a data frame, else "0", "1", ...

        `vectors` is an array, tensor, sparse matrix, data frame or list (`elsa_nb.vectors.as_vectors`). float16 and
        float32 are kept, other real dtypes become float32 where that loses no more than rounding. An array that can
        still be written to is copied, so that no later change of it reaches the pool; one that is read-only, such as
        a memory-mapped file, is not: leave the file alone while the pool is in use.

        Warns of vectors that are all zero or occur twice. Raises ValueError for a wrong shape or dtype, NaN and
        infinite values (naming the first row with one), what float32 cannot hold, and ids that repeat or do not fit.
        """
        ids = np.asarray(ids) if same_index("vectors", vectors, "ids", ids) else ids
        pool = cls._of(vectors, row_names(vectors, ids), name, space, provenance, recipe)
        warn_of_oddities(pool.vectors, stacklevel=2)
        return pool

    @classmethod
    def _of(cls, vectors, ids, name, space, provenance, recipe=None) -> "Pool":
        vectors, told = as_vectors(vectors), pool_entries(provenance, name, space, recipe)
        ids = check_ids(np.arange(len(vectors)).astype(str) if ids is None else ids, len(vectors)).copy()
        ids.flags.writeable = False
        sha256 = pool_sha256({"vectors.npy": npy_sha256(vectors), "ids.npy": npy_sha256(ids)})
        return cls(vectors, ids, name, space, told, recipe or sha256, sha256)

    @classmethod
    def from_file(
        cls,
        path: Path | str,
        ids: Path | str | Sequence[str] | np.ndarray | None = None,
        *,
        key: str | None = None,
        encoding: str | None = None,
        name: str | None = None,
        space: str = "embedding",
    ) -> "Pool":
        """Make a pool from a file of vectors: .npy, .npz, .safetensors, .h5ad, a table, JSON, a flat faiss index.

        `ids` is a list, or a file of them (one per line, .npy, a list in .json, a table); by default those in the file,
        else row numbers. `key` names the array, tensor or column where the file has several; `encoding` is that of
        text, found by default; `name` is by default the file's. The provenance says which file it was and what was
        taken. Raises as `read_vectors` and `from_arrays` do.
        """
        path = as_path("path", path, "a file of vectors")
        pool_entries(None, name := name or escaped(path.stem) or ".", space)
        held, told, where = read_both(path, ids, key, encoding)
        try:
            vectors = as_vectors(held.vectors)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        given = np.dtype(getattr(held.vectors, "dtype", vectors.dtype))
        notes = [*held.notes, *([f"{given} is stored as {vectors.dtype}"] if given.name != vectors.dtype.name else [])]
        if told is None:
            cure = "to label pictures, give the names of the files as ids"
            notes += [f"the file names no ids, so they are row numbers; {cure}"]
        origin = {"file": escaped(path.name), "sha256": sha256_file(path), "taken": [escaped(note) for note in notes]}
        if told is not None and len(told) != len(vectors):
            raise ValueError(
                f"{where} names {count_of(len(told), 'id')}, and {path} holds "
                f"{count_of(len(vectors), 'vector')}; give one per row."
            )
        try:
            pool = cls._of(vectors, told, name, space, {"made_from": origin})
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
        warn_of_oddities(pool.vectors, stacklevel=2)
        return pool

    @classmethod
    def open(cls, folder: Path | str, verify: bool = True) -> "Pool":
        """Open a finished pool, memory-mapped; `verify` compares both files with their checksums.

        Raises MissingDataError where there is no finished pool and CorruptFileError where one is damaged.
        """
        folder = as_path("folder", folder, "a pool, a folder")
        check_switch("verify", verify)
        check_finished(folder)
        cure, card = POOL_ANEW.format(folder), card_of(folder)
        for file in card["files"]:
            if not (folder / file).exists():
                raise CorruptFileError(f"{folder / file} is missing, though pool.json is there. {cure}")
        with reading(folder / "vectors.npy", "the vectors of a pool", cure):
            vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
        with reading(folder / "ids.npy", "the ids of a pool", cure):
            ids = np.load(folder / "ids.npy", mmap_mode="r", allow_pickle=False).view(np.ndarray)
        promised = (card["n"], card["d"], card["dtype"], card["n"])
        found = (*vectors.shape, vectors.dtype.name, *ids.shape)
        if found != promised or ids.dtype.kind != "U":
            raise CorruptFileError(f"The pool {folder} holds {found}, but pool.json says {promised}. {cure}")
        for file, sha256 in card["files"].items() if verify else ():
            if sha256_file(folder / file) != sha256:
                raise CorruptFileError(f"{folder / file} does not match its checksum in pool.json. {cure}")
        name, space, provenance, recipe = (card[entry] for entry in ("name", "space", "provenance", "recipe"))
        return cls(vectors, ids, name, space, provenance, recipe, pool_sha256(card["files"]), card["widths"])

    def save(self, folder: Path | str) -> "Pool":
        """Write the pool to `folder`, replacing an earlier pool there, and return it as opened from there.

        Raises ValueError, and writes nothing, for a folder that holds other files and no pool.
        """
        check_free(folder := as_path("folder", folder, "the folder to write"))
        fields = {"name": self.name, "space": self.space, "provenance": self.provenance, "widths": self.widths}
        fields["recipe"] = None if self.recipe == self.sha256 else self.recipe
        with PoolWriter(folder, self.ids, self.d, dtype=self.vectors.dtype.name, resume=False, **fields) as writer:
            for _, block in blocks(self.vectors):
                writer.write(block)
            return writer.finish()

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def n(self) -> int:
        """The number of items."""
        return self.vectors.shape[0]

    @property
    def d(self) -> int:
        """The dimension of the vectors."""
        return self.vectors.shape[1]

    @property
    def columns(self) -> tuple[slice, ...]:
        """The columns of each encoder: all columns for one encoder, one slice each for several side by side."""
        return columns_of(check_widths(self.widths, self.d) or (self.d,))


class PoolWriter:
    """Write a pool in blocks of rows; after a kill at any moment (kill -9), it goes on where it was.

    Rows go to `vectors.part`; after each block a line with its end and checksum goes to `journal.txt`. A new
    writer with the same recipe, ids and shape keeps the blocks whose checksums hold (`rows_done` counts their rows)
    and cuts off the rest; a writer with another recipe starts afresh. `finish` compares the file with the journal and
    puts the files in place, `pool.json` last. An earlier finished pool in the folder stays readable until then.

    A folder has one writer at a time. It holds the `pool_lock` until it is closed, or is handed a held one (`lock`).
    """

    def __init__(
        self,
        folder: Path | str,
        ids: np.ndarray,
        d: int,
        *,
        name: str,
        space: str,
        dtype: str = "float16",
        recipe: str | None = None,
        provenance: dict[str, Any] | None = None,
        widths: tuple[int, ...] = (),
        resume: bool = True,
        lock: Lock | None = None,
    ):
        """Open `folder` for writing len(ids) rows of d values.

        Raises ValueError for a bad dtype, size or id, and BusyError, touching nothing, while another writes there.
        """
        if dtype not in DTYPES:
            raise ValueError(f"dtype is {dtype!r}; a pool holds one of {DTYPES}.")
        if d < 1:
            raise ValueError(f"d is {d}; give 1 or more: a vector has at least one value.")
        if (place := as_path("folder", folder, "the folder to write")).is_file():
            raise ValueError(f"{folder} is a file, and a pool is a folder: name another, or move the file away.")
        self.folder, self.ids, self.shape = place, check_ids(ids, len(ids)), (len(ids), int(d))
        self.dtype = np.dtype(dtype).newbyteorder("<")
        self.name, self.space, self.recipe = name, space, recipe
        self.provenance, self._resume = pool_entries(provenance, name, space, recipe), resume
        self._part, self._journal_path = self.folder / "vectors.part", self.folder / "journal.txt"
        self._beside: tuple[Path, ...] = self.folder / ".ids.npy.part", self.folder / ".pool.json.part"
        self.widths, self._header = check_widths(widths, int(d)), npy_header(self.shape, self.dtype)
        self._own_lock = None if lock is not None else pool_lock(self.folder).acquire()
        try:
            self.rows_done = self._recover() if resume and recipe is not None else 0
            self._vectors, self._journal = self._start()
        except BaseException:
            self._let_go()
            raise

    def write(self, block: np.ndarray) -> None:
        """Append rows (m, d); raises ValueError for a wrong shape and for values that are not finite as stored."""
        with np.errstate(over="ignore"):
            block = np.ascontiguousarray(block, dtype=self.dtype)
        stop = self.rows_done + len(block)
        if block.ndim != 2 or block.shape[1] != self.shape[1] or stop > self.shape[0]:
            raise ValueError(f"A block {block.shape} at row {self.rows_done} does not fit a pool {self.shape}.")
        check_vectors(block, first_row=self.rows_done)
        with naming(self.folder):
            self._vectors.seek(self._offset(self.rows_done))
            self._vectors.write(block.data)
            self._vectors.flush()  # the rows reach the system before the line that vouches for them
            self._journal.write(f"{stop} {zlib.crc32(block.data):08x}\n".encode())
            self._journal.flush()
        self.rows_done = stop

    def write_from(self, first: int, block: np.ndarray) -> None:
        """Append those rows of `block` (m, d), which begins at row `first`, that are not written yet."""
        if first > self.rows_done:
            raise ValueError(f"Row {first} would leave a gap: only {self.rows_done} rows are written.")
        if first + len(block) > self.rows_done:
            self.write(block[self.rows_done - first :])

    def finish(self) -> Pool:
        """Put the finished pool in place and open it.

        Raises ValueError while rows are missing, and CorruptFileError where the file is not what was written.
        """
        if self.rows_done != self.shape[0]:
            raise ValueError(f"Only {self.rows_done} of {self.shape[0]} rows are written: write the rest first.")
        with naming(self.folder):
            os.fsync(self._vectors.fileno())
        self._close_files()
        try:
            return self._put_in_place()
        finally:
            self._let_go()

    def close(self) -> None:
        """Close the files and let others write; what is written stays, unless it is not to be resumed."""
        try:
            self._close_files()
        finally:
            self._let_go()

    def _put_in_place(self) -> Pool:
        # Read back, since these bytes get the checksum that everybody trusts from here on.
        if (held := self._vouched()[0]) != self.shape[0]:
            raise CorruptFileError(
                f"{self._part} holds other bytes than were written to it, from row {held} on: another program changed "
                "it, or the disk is failing. Run the same command again; the rows before are kept."
            )
        # All is written before anything of an earlier pool goes: the disk may be full, or refuse a file.
        ids, about = self._beside
        write_with(ids, lambda stream: np.save(stream, self.ids, allow_pickle=False))
        files = {"vectors.npy": sha256_file(self._part), "ids.npy": sha256_file(ids)}
        card = {"format": FORMAT, "n": self.shape[0], "d": self.shape[1], "dtype": self.dtype.name, "files": files}
        recipe = self.recipe or pool_sha256(files)
        card |= {"name": self.name, "space": self.space, "provenance": self.provenance, "recipe": recipe}
        card |= {"widths": list(self.widths)} if self.widths else {}
        write_card(about, card)
        (self.folder / "pool.json").unlink(missing_ok=True)  # from here on the folder is unfinished until the end
        self._part.replace(self.folder / "vectors.npy")
        ids.replace(self.folder / "ids.npy")
        about.replace(self.folder / "pool.json")
        self._journal_path.unlink()
        return Pool.open(self.folder, verify=False)

    def _close_files(self) -> None:
        with naming(self.folder), closing(self._journal), closing(self._vectors):
            pass

    def _let_go(self) -> None:
        """Let others write; remove first what is not to be resumed, such as ids and a card that a new writer makes."""
        try:
            rest = (self._part, self._journal_path) if not self._resume and self._part.exists() else ()
            for file in (*self._beside, *rest):
                file.unlink(missing_ok=True)
        finally:
            self._resume, self._beside = True, ()  # what is there from now on may be another writer's
            if self._own_lock is not None:
                self._own_lock.release()

    def __enter__(self) -> "PoolWriter":
        """Return the writer itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the files."""
        self.close()

    def _title(self) -> bytes:
        what = {"format": FORMAT, "shape": self.shape, "dtype": self.dtype.name, "recipe": self.recipe}
        what["ids"] = npy_sha256(self.ids)
        return json.dumps(what, sort_keys=True).encode() + b"\n"

    def _offset(self, row: int) -> int:
        return len(self._header) + row * self.shape[1] * self.dtype.itemsize

    def _recover(self) -> int:
        """Count the rows that an interrupted writer of the same pool left whole, and keep their journal lines."""
        finished, vectors = self.folder / "pool.json", self.folder / "vectors.npy"
        if not self._journal_path.exists() or not self._journal_path.read_bytes().startswith(self._title()):
            return 0
        if not self._part.exists() and vectors.exists() and not finished.exists():
            vectors.replace(self._part)  # it was killed inside `finish`
        if not self._part.exists():
            return 0
        done, kept = self._vouched()
        if done:
            write_with(self._journal_path, lambda stream: stream.write(b"".join(kept)))
        return done

    def _vouched(self) -> tuple[int, list[bytes]]:
        """Return the number of rows on the disk that the journal's checksums vouch for, and the lines that do."""
        done, kept = 0, [self._title()]
        with self._journal_path.open("rb") as journal, self._part.open("rb") as stream:
            if journal.readline() != kept[0] or stream.read(len(self._header)) != self._header:
                return 0, kept
            for line in journal:
                stop, _, checksum = line.partition(b" ")
                if not line.endswith(b"\n") or not stop.isdigit() or not done < int(stop) <= self.shape[0]:
                    break
                block = stream.read(self._offset(int(stop)) - self._offset(done))
                if f"{zlib.crc32(block):08x}\n".encode() != checksum:
                    break
                done = int(stop)
                kept.append(line)
        return done, kept

    def _start(self) -> tuple[BinaryIO, BinaryIO]:
        if not self.rows_done:
            self._part.unlink(missing_ok=True)
            write_with(self._journal_path, lambda stream: stream.write(self._title()))
            write_with(self._part, lambda stream: stream.write(self._header))
        vectors = self._part.open("r+b")
        vectors.truncate(self._offset(self.rows_done))
        return vectors, self._journal_path.open("ab")
