"""Every reader fuzzed by atheris, guided by the lines of the package that an input reaches: `make fuzz`.

`benchmarks.damage` breaks whole files at random. Here libFuzzer changes them and keeps what reached a new line, so that
it works its way behind the first checks. It starts from whole files; the first byte of an input picks which file of a
reader gets the rest, and its highest bit whether checksums are made to fit again, as only our own writers or somebody
who means harm would. To the readers of `damage` come sessions, their rescue, earlier labels and the messages of a
browser. What counts as a find, and is kept with the input that shows it: an error that is no sentence with the path,
a hang, other values where an unmended checksum could tell, and the end of the process.

Time is the processor's, so that a campaign at the lowest priority beside other work is as long as one alone. What each
reader had stands in the folder `--out`: started again, the campaign goes on where it stopped.

Atheris is no dependency, since it has no wheels for some machines: `pip install atheris`.
"""

import argparse
import importlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
SUMMARY = ROOT / "benchmarks" / "results" / "fuzz.csv"
_LONGEST = 1 << 16  # bytes of an input


def instrumented() -> tuple[Any, Any]:
    """Return atheris and `benchmarks.fuzzed_readers`, whose package tells it the lines that are reached.

    What numba compiles is left as it is: it would not compile with what is put between the lines. Raises ImportError.
    """
    atheris = importlib.import_module("atheris")
    files = [path for path in (ROOT / "elsa_nb").rglob("*.py") if "njit" in path.read_text(encoding="utf-8")]
    compiled = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]
    with atheris.instrument_imports(include=["elsa_nb"], exclude=compiled):
        return atheris, importlib.import_module("benchmarks.fuzzed_readers")


def _fuzz(name: str, seconds: float, place: Path, atheris: Any, readers: Any) -> dict[str, Any]:
    """Fuzz one reader in a process of its own for what is left of its processor seconds; return what came of it."""
    here = place / re.sub(r"\W+", "-", name)
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
            options = [f"-max_len={_LONGEST}", "-timeout=0", "-rss_limit_mb=4096", f"-artifact_prefix={here}/"]
            atheris.Setup(["fuzz", *options, str(here / "corpus")], lambda data: _until(seconds, target, data))
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


def _until(seconds: float, target: Callable[[bytes], None], data: bytes) -> None:
    """Try one input; end the process once it has had its seconds of the processor."""
    target(data)
    if time.process_time() > seconds:
        os._exit(0)


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
    options = parser.parse_args(arguments)
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
            stored = pd.DataFrame(json.loads(path.read_text()) for path in options.out.glob("*/row.json"))
            readers.store.write_atomically(SUMMARY, stored.sort_values("reader").to_csv(index=False).encode())
    return int(any(row["finds"] or not row["ended by itself"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
