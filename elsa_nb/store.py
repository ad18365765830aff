"""Files: where they live, how they are written whole or not at all, and their checksums."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from elsa_nb.errors import CorruptFileError, MissingDataError

# Where data, figures and build folders live: the repository, unless ELSA_ROOT names another folder. The figures of
# profile `full` are committed; who executes notebooks without meaning to publish names another place: ELSA_FIGURES.
ROOT = Path(os.environ.get("ELSA_ROOT") or Path(__file__).resolve().parent.parent)
DATA = ROOT / "data"
FIGURES = Path(os.environ.get("ELSA_FIGURES") or ROOT / "figures")


def write_with(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Create or replace the file `path` with what `write(stream)` writes: all of it, or nothing.

    The bytes go to a temporary file in the same folder, reach the disk (fsync), and are renamed over `path`, so
    a reader or a killed process never leaves or sees half a file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_atomically(path: Path, data: bytes) -> None:
    """Create or replace the file `path` with `data`: all of it, or nothing."""
    write_with(path, lambda stream: stream.write(data))


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with a stable key order, whole or not at all."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_atomically(path, (text + "\n").encode())


def read_json(path: Path) -> Any:
    """Read a JSON file; say which file is missing or broken."""
    path = Path(path)
    if not path.exists():
        raise MissingDataError(f"{path} is not here.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CorruptFileError(f"{path} is not valid JSON ({error}). Delete it and make it again.") from error


def sha256_bytes(data: bytes | memoryview) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
