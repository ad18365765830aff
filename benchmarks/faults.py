"""`make faults`: damaged files for every reader, a failing disk under every writer. Counts; exits 1 on a find.

Damage is `benchmarks.damage`. Here is the disk: every way in which the package writes is run again and again, and each
time another call fails, from the first to the last: opening, writing, flushing, fsync, renaming or removing. It fails
as a full disk does (ENOSPC), as a broken one (EIO), after half of the bytes (torn), or the process ends there (killed:
all later calls fail as well, so nothing is cleaned up). Afterwards what is read must be what was there before or what
was to be written, whole, and the same command must then succeed with the disk in order. Temporary files may stay after
a kill only.
"""

import argparse
import builtins
import errno
import io
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from benchmarks import damage
from benchmarks.damage import NAMES, VECTORS, equal
from benchmarks.fuzzed_readers import FUZZED
from elsa_nb import prepared, store
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.extraction.kept import KeptVectors, Stamp
from elsa_nb.paper.runs import runner
from elsa_nb.pool import Pool, PoolWriter, pool_lock

KINDS = ("ENOSPC", "EIO", "torn", "killed")
SUMMARY = Path(__file__).with_name("results") / "faults.csv"


class KilledError(BaseException):
    """The process ends here: nothing catches it, and nothing can be written after it."""


class Disk:
    """Count the calls that change a folder, and let call number `fails` (from 0) fail, and later ones like it."""

    def __init__(self, fails: int = -1, kind: str = "EIO"):
        self.fails, self.kind, self.calls, self.dead = fails, kind, 0, False

    def call(self, tear: Callable[[], object] = lambda: None) -> None:
        """Count a call; raise if it is the one that fails."""
        if self.dead:
            raise KilledError
        self.calls += 1
        if self.calls - 1 != self.fails:
            return
        if self.kind == "killed":
            self.dead = True
            tear()
            raise KilledError
        if self.kind == "torn":
            tear()
        code = errno.ENOSPC if self.kind == "ENOSPC" else errno.EIO
        raise OSError(code, os.strerror(code))

    @contextmanager
    def under(self, folder: Path) -> Iterator["Disk"]:
        """Use this disk for everything that is written below `folder`."""
        real = {name: getattr(os, name) for name in ("fsync", "replace", "rename", "unlink")}
        opened = io.open

        def open_file(file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
            inside = not isinstance(file, int) and Path(os.fsdecode(file)).is_relative_to(folder)
            if inside and set(mode) & set("wax+"):
                self.call()
                return _Faulty(opened(file, mode, *rest, **named), self)
            return opened(file, mode, *rest, **named)

        def counted(name: str) -> Callable:
            def function(*arguments: Any, **named: Any) -> Any:
                path = arguments[0]
                if isinstance(path, int) or Path(os.fsdecode(path)).is_relative_to(folder):
                    self.call()
                return real[name](*arguments, **named)

            return function

        with (
            mock.patch.object(io, "open", open_file),
            mock.patch.object(builtins, "open", open_file),
            mock.patch.multiple(os, **{name: counted(name) for name in real}),
        ):
            yield self


class _Faulty:
    """A file that is open for writing on a disk that fails."""

    def __init__(self, file: Any, disk: Disk):
        self._file, self._disk = file, disk

    def write(self, data: Any) -> int:
        half = data[: len(data) // 2] if isinstance(data, str) else bytes(memoryview(data).cast("B")[: len(data) // 2])
        self._disk.call(lambda: (self._file.write(half), self._file.flush()))
        return self._file.write(data)

    def flush(self) -> None:
        self._disk.call()
        self._file.flush()

    def truncate(self, *size: int) -> int:
        self._disk.call()
        return self._file.truncate(*size)

    def close(self) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "_Faulty":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator:
        return iter(self._file)


@dataclass(frozen=True)
class Writer:
    """A way of writing: `before(folder)` makes what is there, `write(folder)` writes, `read(folder)` reads it back."""

    before: Callable[[Path], object]
    write: Callable[[Path], object]
    read: Callable[[Path], Any]


def _json(value: int) -> Callable[[Path], None]:
    return lambda folder: store.write_card(folder / "it.json", {"value": [value] * 50})


def _save_pool(factor: int) -> Callable[[Path], object]:
    return lambda folder: Pool.from_arrays(VECTORS * np.float16(factor), NAMES).save(folder / "pool")


def _extract(folder: Path) -> None:
    about = {"name": "it", "space": "embedding", "recipe": "r"}
    with PoolWriter(folder / "pool", NAMES, VECTORS.shape[1], **about) as writer:
        while writer.rows_done < len(VECTORS):
            writer.write(VECTORS[writer.rows_done : writer.rows_done + 16])
        writer.finish()


def _embed(folder: Path, factor: int = 1) -> None:
    stamps = {name: Stamp(1, factor) for name in NAMES.tolist()}
    about = {"name": "it", "space": "embedding", "recipe": f"r{factor}", "provenance": {}}
    with pool_lock(folder / "pool").acquire() as lock:
        kept = KeptVectors(folder / "pool", "m", VECTORS.shape[1], "float16", stamps, lock)
        for first in range(0, len(NAMES), 16):
            part = slice(first, first + 16)
            kept.append(NAMES[part].tolist(), VECTORS[part] * np.float16(factor))
        if kept.finished(NAMES, f"r{factor}") is None:
            kept.finish(NAMES, about, "m", "/root")


def _read_pool(folder: Path) -> Any:
    pool = Pool.open(folder / "pool")
    return np.array(pool.vectors), pool.ids


def _lists(folder: Path) -> None:
    with mock.patch.object(prepared, "DATA", folder):
        prepared.prepare(folder / "pool", progress=False)


def _read_lists(folder: Path) -> Any:
    places = list(folder.glob("cache/neighbours/*"))
    return prepared._read(places[0] if places else folder / "none", Pool.open(folder / "pool"))


def _results(factor: int) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        files = runner.SweepFiles("it", "quick", folder)
        files.save(damage.FRAME.assign(found=factor), damage.Sweep("it", ("vicreg",)), {"search": 1})

    return write


def _read_results(folder: Path) -> Any:
    return runner.stored_results("it", "quick", folder).to_dict("list")


def _nothing(folder: Path) -> None:
    pass


def _read_piece(folder: Path) -> Any:
    return runner.read_part(folder / "it.rows").to_dict("list")


WRITERS: dict[str, Writer] = {
    "a card": Writer(_json(1), _json(2), lambda folder: store.read_card(folder / "it.json", "a card", "")),
    "a first pool": Writer(_nothing, _save_pool(1), _read_pool),
    "another pool": Writer(_save_pool(1), _save_pool(2), _read_pool),
    "an extraction": Writer(_nothing, _extract, _read_pool),
    "a folder": Writer(_nothing, _embed, _read_pool),
    "a folder that changed": Writer(_embed, lambda folder: _embed(folder, 2), _read_pool),
    "neighbour lists": Writer(_save_pool(1), _lists, _read_lists),
    "results": Writer(_results(1), _results(2), _read_results),
    "a piece of a sweep": Writer(
        _nothing,
        lambda folder: store.write_sealed(folder / "it.rows", damage.simulation.as_parquet(damage.FRAME)),
        _read_piece,
    ),
    "a pack": Writer(_nothing, damage._pack, damage._read_pack),
    "weights": Writer(_nothing, damage._encoder, damage._read_encoder),
}
# Where several files cannot be replaced at once: between old and new they are refused as unfinished, never mixed up.
MAY_BE_REFUSED = {"another pool", "a folder that changed", "weights"}


def count_faults(writers: dict[str, Writer] | None = None, step: int = 1) -> dict[str, Counter]:
    """Let every `step`-th call of each writer fail in each way; return the outcomes by writer."""
    counts = {}
    with tempfile.TemporaryDirectory() as place, damage.places_kept(), redirect_stdout(io.StringIO()):
        for name, writer in (writers or WRITERS).items():
            counts[name] = _count(name, writer, Path(place), step)
    return counts


def _count(name: str, writer: Writer, place: Path, step: int) -> Counter:
    def fresh() -> Path:
        folder = place / "it"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(place / "before", folder)
        return folder

    shutil.rmtree(place / "before", ignore_errors=True)
    (place / "before").mkdir()
    writer.before(place / "before")
    old, counts = _read(writer, place / "before"), Counter()
    folder = fresh()
    with Disk().under(folder) as disk:
        writer.write(folder)
    new = _read(writer, folder)
    for call in range(0, disk.calls, step):
        for kind in KINDS:
            folder = fresh()
            counts["faults"] += 1
            counts[_outcome(writer, folder, Disk(call, kind), old, new, name in MAY_BE_REFUSED)] += 1
    return counts


def _read(writer: Writer, folder: Path) -> Any:
    try:
        return writer.read(folder)
    except MissingDataError:
        return "nothing"


def _outcome(writer: Writer, folder: Path, disk: Disk, old: Any, new: Any, may_be_refused: bool) -> str:
    raised: BaseException | None = None
    with disk.under(folder):
        try:
            writer.write(folder)
        except (KilledError, OSError, ValueError) as error:
            raised = error
        except Exception as error:  # what is looked for
            return f"raw {type(error).__name__}: {error}"
    if disk.kind != "killed" and (
        left := [p for p in folder.rglob("*") if p.name.endswith(".part") and p.name[0] == "."]
    ):
        return f"half-written file left: {left[0].name}"
    try:
        now = _read(writer, folder)
    except CorruptFileError as error:
        if not may_be_refused:
            return f"refused afterwards: {error}"
        now = old
    if may_be_refused and isinstance(now, str):  # "nothing"
        now = old
    if raised is None and not equal(now, new):
        return "lost without a word"
    if not equal(now, old) and not equal(now, new):
        return "other values"
    writer.write(folder)
    return "whole" if equal(_read(writer, folder), new) else "not to be ended"


def main(arguments: list[str] | None = None) -> int:
    """Count both kinds of faults and print what was found; return 1 for anything but whole files and sentences."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=2000, help="damaged files (default: 2,000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--store", action="store_true", help=f"write the counts to {SUMMARY.name}, which is committed")
    options = parser.parse_args(arguments)
    good = ("inputs", "refused", "the same", "other values, no checksum", "faults", "whole")
    found = {"damaged files": damage.count_damage(options.inputs, options.seed, FUZZED), "failing disk": count_faults()}
    for title, counts in found.items():
        print(f"{title}: {sum(sum((c for c in counts.values()), Counter()).values()) // 2:,}")
        for name, each in counts.items():
            print(f"  {name:22}", ", ".join(f"{what} {count}" for what, count in each.items()))
    if options.store:
        rows = [{"kind": title, "of": name, **each} for title, counts in found.items() for name, each in counts.items()]
        frame = pd.DataFrame(rows).convert_dtypes().fillna(0)
        store.write_atomically(SUMMARY, frame.to_csv(index=False).encode())
    bad = [what for counts in found.values() for each in counts.values() for what in each if what not in good]
    print(f"raw errors, hangs, other values, files half-written or lost: {len(bad)} kinds")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
