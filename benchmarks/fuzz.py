"""Every reader fuzzed by atheris, guided by the lines of the package that an input reaches: `make fuzz`.

`benchmarks.damage` breaks whole files at random. Here libFuzzer changes them and keeps what reached a new line, so that
it gets past the first checks. It starts from whole files; the first byte of an input picks which file of a reader gets
the rest, and its highest bit whether checksums are made to fit again, as only our own writers or an attacker would do.
The readers are those of `damage`, sessions, their rescue, earlier labels and the messages of a browser. These count as
finds, and are kept with the input that shows them: an error that is not a sentence with the path, a hang, other values
where an unmended checksum could tell, and the end of the process.

Time is the processor's, so that a campaign at the lowest priority beside other work is as long as one alone. The
folder `--out` records the time of each reader: started again, the campaign goes on where it stopped.

Atheris is not a dependency, since it has no wheels for some machines: `pip install atheris`.
"""

import argparse
import hashlib
import importlib
import json
import os
import re
import signal
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
SUMMARY = ROOT / "benchmarks" / "results" / "fuzz.csv"
KEPT = ROOT / "tests" / "benchmarks" / "fuzzed.zip"
_LONGEST = 1 << 16  # bytes of an input
_KEPT_EACH, _KEPT_LONGEST = 12, 4096  # inputs of a reader that the tests run again, and their bytes


def instrumented() -> tuple[Any, Any]:
    """Return atheris and `benchmarks.fuzzed_readers`, whose package tells it the lines that are reached.

    What numba compiles is not instrumented: it would not compile then. Raises ImportError.
    """
    atheris = importlib.import_module("atheris")
    files = [path for path in (ROOT / "elsa_nb").rglob("*.py") if "njit" in path.read_text(encoding="utf-8")]
    compiled = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]
    importlib.import_module("torch")  # once, not in the process of each reader that wants it
    with atheris.instrument_imports(include=["elsa_nb"], exclude=compiled):
        return atheris, importlib.import_module("benchmarks.fuzzed_readers")


def _fuzz(name: str, seconds: float, place: Path, atheris: Any, readers: Any) -> dict[str, Any]:
    """Fuzz one reader in a process of its own for what is left of its processor seconds; return the outcome."""
    here = place / place_of(name)
    (here / "corpus").mkdir(parents=True, exist_ok=True)
    earlier = json.loads(path.read_text()) if (path := here / "row.json").exists() else {}
    if (seconds := seconds - earlier.get("processor seconds", 0)) < 1:
        return earlier
    counts = np.memmap(here / "counts", np.int64, "w+", shape=(len(readers.COUNTED),))
    if not (child := os.fork()):
        with (here / "log.txt").open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        with _temporary() as folder, mock.patch.object(os, "fsync", lambda _: None), readers.damage.places_kept():
            target = readers.Fuzzed(name, folder, here / "finds", counts)
            for number, data in enumerate(target.corpus()):
                (here / "corpus" / f"whole-{number}").write_bytes(data)
            end = (
                time.process_time() + seconds
            )  # what it took to import and to make the files is counted, not taken off
            options = [f"-max_len={_LONGEST}", "-timeout=0", "-rss_limit_mb=4096", f"-artifact_prefix={here}/"]
            atheris.Setup(["fuzz", *options, str(here / "corpus")], lambda data: _until(end, target, data))
            atheris.Fuzz()
        os._exit(1)
    _, status, used = os.wait4(child, 0)
    row = {"reader": name, **dict(zip(readers.COUNTED, counts.tolist(), strict=True))}
    row["processor seconds"] = round(used.ru_utime + used.ru_stime, 1)
    row |= {key: round(row[key] + earlier[key], 1) for key in row if key in earlier and key != "reader"}
    row["kinds of finds"] = len(list((here / "finds").glob("*.txt")))
    row["ended by itself"] = status == 0 and earlier.get("ended by itself", True)
    path.write_text(json.dumps(row))
    return row


def _until(end: float, target: Callable[[bytes], None], data: bytes) -> None:
    """Try one input; end the process once it has had its time of the processor."""
    signal.setitimer(signal.ITIMER_REAL, 0)  # atheris's own, which takes a busy machine for a hang
    target(data)
    if time.process_time() > end:
        os._exit(0)


def keep(corpora: Path, kept: Path = KEPT) -> None:
    """Write some inputs of each reader that reached new lines to `kept`, for the tests: the same for the same corpora.

    Finds and what ended the process come first; the rest is drawn by the checksums, so that all lengths are there.
    """
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as out:
        for folder in sorted(path for path in corpora.iterdir() if (path / "corpus").is_dir()):
            finds = sorted(folder.glob("finds/*.input")) + sorted(folder.glob("crash-*"))
            drawn = sorted(folder.glob("corpus/*"), key=lambda path: hashlib.sha256(path.read_bytes()).digest())
            short = [path for path in finds + drawn if path.stat().st_size <= _KEPT_LONGEST]
            for number, path in enumerate(short[: _KEPT_EACH + len(finds)]):
                out.writestr(zipfile.ZipInfo(f"{folder.name}/{number:02}"), path.read_bytes())


def place_of(name: str) -> str:
    """Return the folder of a reader's inputs."""
    return re.sub(r"\W+", "-", name)


@contextmanager
def _temporary() -> Iterator[Path]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        (Path(place) / "it").mkdir()
        yield Path(place) / "it"


def main(arguments: list[str] | None = None) -> int:
    """Fuzz the readers one after the other; print and store the counts, and return 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60, help="of the processor, in all (default: 60)")
    parser.add_argument("--reader", action="append", help="only this one; may be repeated")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "fuzz", help="inputs, finds, logs")
    parser.add_argument("--store", action="store_true", help=f"write the counts to {SUMMARY.name}, which is committed")
    parser.add_argument("--keep", action="store_true", help=f"fuzz nothing: put some inputs of --out into {KEPT.name}")
    options = parser.parse_args(arguments)
    if options.keep:
        keep(options.out)
        return 0
    try:
        atheris, readers = instrumented()
    except ImportError as error:
        parser.exit(1, f"{error}: pip install atheris\n")
    names = options.reader or list(readers.FUZZED)
    if strange := [name for name in names if name not in readers.FUZZED]:
        parser.exit(1, f"reader {strange[0]!r} is not known; allowed: {', '.join(readers.FUZZED)}\n")
    rows = []
    for name in names:
        rows.append(_fuzz(name, 60 * options.minutes / len(readers.FUZZED), options.out, atheris, readers))
        print(", ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
        if options.store:
            from benchmarks.summary import only_writer  # not before what it imports is instrumented

            with only_writer(SUMMARY):
                stored = pd.DataFrame(json.loads(path.read_text()) for path in options.out.glob("*/row.json"))
                readers.store.write_atomically(SUMMARY, stored.sort_values("reader").to_csv(index=False).encode())
    return int(any(row["finds"] or not row["ended by itself"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
