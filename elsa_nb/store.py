"""Files: where they live, how they are written whole, and how data and code are fingerprinted."""

import ast
import hashlib
import inspect
import io
import json
import os
import tempfile
import tokenize
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from elsa_nb.errors import CorruptFileError, MissingDataError

# Where data, figures and build folders live: the repository, unless ELSA_ROOT names another folder. The figures of
# profile `full` are committed; who executes notebooks without meaning to publish names another place: ELSA_FIGURES.
ROOT = Path(os.environ.get("ELSA_ROOT") or Path(__file__).resolve().parent.parent)
DATA = ROOT / "data"
FIGURES = Path(os.environ.get("ELSA_FIGURES") or ROOT / "figures")

_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


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


def code_hash(*modules: ModuleType) -> str:
    """Return a SHA-256 over what the modules do: their source without docstrings, comments and blank lines.

    Editing a comment or a docstring keeps the hash; any other change alters it, so that stored results of an
    older algorithm are never served as results of the present one. It works on the text, not on the syntax tree,
    because the tree's form differs between Python versions.
    """
    digest = hashlib.sha256()
    for module in sorted(modules, key=lambda m: m.__name__):
        digest.update(f"{module.__name__}\n{_bare_source(inspect.getsource(module))}\n".encode())
    return digest.hexdigest()


def _bare_source(source: str) -> str:
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node):
            docstring = node.body[0]
            lines[docstring.lineno - 1 : docstring.end_lineno] = [""] * (docstring.end_lineno - docstring.lineno + 1)
    return "\n".join(line.rstrip() for line in lines if line.strip())
