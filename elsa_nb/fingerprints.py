"""Who made this: the code, the commit and the package versions that results, pools, weights and answers carry.

All of it is information for a reader, never a reason to throw a result away: integer versions of behaviour
(`elsa_nb.search.version`, `elsa_nb.images.extraction.version`), which a person raises, decide what is still valid.
"""

import ast
import hashlib
import io
import pkgutil
import subprocess
import tokenize
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SEARCHING = ("numpy", "numba", "scipy")  # the packages that the numbers of a search come from, given the pool

_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def made_by(*names: str, packages: Sequence[str] = SEARCHING) -> dict[str, Any]:
    """Return the code hash of the modules or packages `names`, the commit, and the versions of `packages` beneath."""
    return {"code": code_hash(*names), "commit": commit(), "versions": {each: version(each) for each in packages}}


def processor() -> str:
    """Return the kind of processor as compilers name it: another kind rounds the last bits differently."""
    from llvmlite.binding import get_host_cpu_name  # numba's own dependency

    return get_host_cpu_name()


@lru_cache(maxsize=32)
def code_hash(*names: str) -> str:
    """Return a SHA-256 over what modules do: their source without docstrings, comments and blank lines.

    `names` are modules or packages ("elsa_nb.search"); a package stands for all modules inside it.
    """
    digest = hashlib.sha256()
    for name, path in sorted(_files(*names)):
        digest.update(f"{name}\n{bare_source(path.read_text(encoding='utf-8'))}\n".encode())
    return digest.hexdigest()


def modules(*names: str) -> list[str]:
    """Return the modules that `names` stand for, sorted."""
    return sorted(name for name, _ in _files(*names))


@lru_cache(maxsize=1)
def commit() -> str | None:
    """Return the commit whose code this is; None outside a repository or where `elsa_nb` has changes of its own."""
    folder = Path(__file__).resolve().parent
    git = ["git", "-C", str(folder)]
    try:
        changes = subprocess.run([*git, "status", "--porcelain", "--", "."], capture_output=True, text=True, check=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return None if changes.stdout.strip() else head.stdout.strip()


def bare_source(source: str) -> str:
    """Return the text of a module without docstrings, comments and blank lines."""
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


def _files(*names: str) -> Iterator[tuple[str, Path]]:
    for name in names:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ValueError(f"{name!r} is not a module of this installation; give one such as 'elsa_nb.search'")
        yield name, Path(spec.origin)
        for module in pkgutil.iter_modules(spec.submodule_search_locations or ()):
            yield from _files(f"{name}.{module.name}")
