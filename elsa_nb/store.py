"""Files: where they live, how they are written whole or not at all, and their checksums."""

import hashlib
import json
import os
import secrets
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import platformdirs

from elsa_nb.errors import CorruptFileError, MissingDataError

# Where things are read and written. In a checkout everything lies beside the package: data, figures, build. A package
# that was installed from a wheel carries what it reads in `bundled`, and writes nothing there: what a user keeps goes
# to the current folder, and what can be made or fetched again to the user's cache. ELSA_ROOT names one folder for both.
_PACKAGE = Path(__file__).resolve().parent
INSTALLED = (_PACKAGE / "bundled").is_dir()
_BUNDLED = _PACKAGE / "bundled"  # glyphs, weights, claims, notebooks
NOTEBOOKS = (_BUNDLED if INSTALLED else _PACKAGE.parent) / "notebooks"

_ASKED = os.environ.get("ELSA_ROOT")
ROOT = Path(_ASKED) if _ASKED else Path.cwd() if INSTALLED else _PACKAGE.parent
OUTPUT = ROOT / "data"  # results, and weights trained here
DATA = platformdirs.user_cache_path("elsa_nb", appauthor=False) if INSTALLED and not _ASKED else OUTPUT  # pools, caches
# The figures of profile `full` are committed; whoever runs notebooks without publishing names another place.
FIGURES = Path(os.environ.get("ELSA_FIGURES") or ROOT / "figures")
# How to get a bundled file back that is lost or damaged.
RESTORED = "`pip install --force-reinstall elsa_nb`" if INSTALLED else "`git checkout`"

_LONGEST_REASON = 160
# Honest data (numbers, pictures) shrink a few times when packed; what is made to fill a memory, a thousand times.
_LARGE, _TIGHTEST = 1 << 28, 100
_PART = ".part"  # how the name of an unfinished file ends
DATABASE = b"SQLite format 3\0"  # what every SQLite file begins with
# What a card says of itself: two words, so that damage to one of them does not pass for a card without a checksum.
_SEALS = {"seal", "sealed by"}


def as_path(name: str, given: Any, what: str) -> Path:
    """Return a path that was given for `name`; raise ValueError, saying `what` it names, for anything else.

    An empty path would mean the current folder, and is refused. `~` is the home folder, as in a shell.
    """
    if isinstance(given, str | os.PathLike) and isinstance(text := os.fspath(given), str) and text:
        path = Path(given)
        return path.expanduser() if path.parts[:1] == ("~",) else path  # ~x.jpg is a name, too
    told = repr(given) if isinstance(given, str | int | float | None) else f"of type {type(given).__name__}"
    raise ValueError(f"{name} is {told}; give the path or the name of {what}")


def check_switch(name: str, given: Any) -> None:
    """Raise ValueError for what is not True or False: "no" would count as True."""
    if not isinstance(given, bool | np.bool_):
        raise ValueError(f"{name} = {given!r:.60}; allowed: True or False")


def locate(name: str) -> Path:
    """Return the file or folder `name` of the data, such as `weights/vicreg.safetensors`: the user's own, else bundled.

    Where there is neither, the path is where the user's own would be.
    """
    paths = [folder / name for folder in _read_from()]
    return next((path for path in paths if path.exists()), paths[0])


def located(pattern: str) -> list[Path]:
    """Return the files of the data that match a pattern such as `weights/*.safetensors`; one per name, as `locate`."""
    names = {path.relative_to(folder) for folder in _read_from() for path in folder.glob(pattern)}
    return [locate(str(name)) for name in sorted(names)]


def _read_from() -> tuple[Path, ...]:
    return (OUTPUT, DATA, _BUNDLED) if INSTALLED else (DATA,)


def write_with(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Create or replace the file `path` with what `write(stream)` writes: all of it, or nothing.

    The bytes go to a temporary file in the same folder, reach the disk (fsync), and are renamed over `path`, so
    a reader or a killed process never leaves or sees half a file. A file that is replaced keeps its permissions, a new
    one has those that the umask leaves. Where `path` is a link, its target is written.

    Raises ValueError for a folder, for what is not a file (a device, a pipe), and for a database, which holds answers
    that exist nowhere else: none of them is replaced. What the system refuses is an OSError that names `path`.
    """
    path = Path(path)
    try:
        check_replaceable(path)
        mode = _mode_of(path)
        place = Path(os.path.realpath(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        # Only the beginning of a long name: the temporary name is longer, and must not be too long where `path` is not.
        temporary = place.with_name(f".{place.name[:32]}.{secrets.token_hex(6)}{_PART}")
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from error
    try:
        # The system applies the umask: asking for it would change it for a moment, for all threads.
        asked = 0o666 if mode is None else mode & 0o666
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, asked)) as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(place)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename in (None, str(temporary)):
            raise type(error)(error.errno, error.strerror, str(path)) from error
        raise


def _mode_of(path: Path) -> int | None:
    """Return the permissions of a file, None where it is not there yet; OSError for links that lead in a circle."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None


def unfinished(folder: Path) -> list[Path]:
    """Return the files in `folder` that `write_with` was writing when its process was killed, or still writes.

    Whoever holds the lock of a folder looks for them before writing a file of gigabytes anew.
    """
    return list(folder.glob(f".*{_PART}"))


def check_replaceable(path: Path) -> None:
    """Raise ValueError for a folder, a device or a pipe, and a database, whose answers exist nowhere else."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give the name of a file.")
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is not a file, but a device, a pipe or the like; give another name.")
    if is_database(path):
        raise ValueError(f"{path} is a database, such as a session with its answers; give another name.")


def is_database(path: Path) -> bool:
    """Whether a path is that of a file that begins as SQLite's do."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(DATABASE)) == DATABASE


def write_atomically(path: Path, data: bytes) -> None:
    """Create or replace the file `path` with `data`: all of it, or nothing."""
    write_with(path, lambda stream: stream.write(data))


def write_sealed(path: Path, data: bytes) -> None:
    """Create or replace the file `path` with a line that holds the SHA-256 of `data`, and `data`."""
    write_atomically(path, f"{sha256_bytes(data)}\n".encode() + data)


def read_sealed(path: Path, expected: str, cure: str) -> bytes:
    """Return the bytes that `write_sealed` wrote; raise as `reading` does where they were changed or cut off."""
    with reading(path, expected, cure):
        seal, _, data = Path(path).read_bytes().partition(b"\n")
        if sha256_bytes(data).encode() != seal:
            raise ValueError("its checksum does not hold")
        return data


@contextmanager
def reading(path: Path | str, expected: str, cure: str) -> Iterator[None]:
    """Turn whatever goes wrong while the file `path` is read into one sentence: the path, what was expected, the cure.

    A file is damaged in many ways, and the libraries that read it raise an error of their own for each. Raises
    MissingDataError where there is no file and CorruptFileError where it is not as expected. What the system refuses
    (permission, a failing disk) stays an OSError, which names the file.
    """
    try:
        yield
    except (MissingDataError, CorruptFileError):
        raise
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingDataError(f"{path} is not here; expected {expected}. {cure}") from error
    except Exception as error:  # damaged bytes make parsers raise anything
        if isinstance(error, OSError) and error.errno is not None:
            raise type(error)(error.errno, error.strerror, str(path)) from error
        raise CorruptFileError(f"{path} is not {expected} ({_reason(error)}). {cure}") from error


@contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Let an error of the system that names no file, such as that of a full disk, name `path`."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename:
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from error


@contextmanager
def parsing(path: Path | str | None = None) -> Iterator[None]:
    """Turn what libraries raise over damaged bytes into a ValueError of one line, without the path.

    The bytes are those of the file `path`, or (None) in memory already. Errors of our own readers (a plain ValueError)
    stay, and so do refusals of the system, which name the file.
    """
    try:
        yield
    except (MissingDataError, CorruptFileError):
        raise
    except Exception as error:  # damaged bytes make parsers raise anything
        if path is not None and isinstance(error, OSError) and error.errno is not None:
            raise type(error)(error.errno, error.strerror, str(error.filename or path)) from error
        said = next(iter(str(error).strip().splitlines()), "").rstrip(". ")
        if type(error) is ValueError and said:
            raise ValueError(said) from error
        raise ValueError(f"it is damaged ({type(error).__name__} {said})") from error


def _reason(error: Exception) -> str:
    """Return the first line of what an error says, without its end."""
    said = next(iter(str(error).strip().splitlines()), "")[:_LONGEST_REASON].rstrip(". ")
    return said if said and not isinstance(error, KeyError) else f"{type(error).__name__}{said and f' {said}'}"


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with a stable key order, whole or not at all."""
    write_atomically(path, as_json(value))


def as_json(value: Any) -> bytes:
    """Return what `write_json` writes of `value`."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_json(path: Path) -> Any:
    """Read a JSON file; say which file is missing or broken."""
    path = Path(path)
    if not path.exists():
        raise MissingDataError(f"{path} is not here.")
    with reading(path, "valid JSON", "Delete it and make it again."):
        return json.loads(path.read_text(encoding="utf-8"))


def write_card(path: Path, entries: Mapping[str, Any]) -> None:
    """Write what is known of a file beside it: JSON with a checksum of its own, in place of any it had."""
    write_atomically(path, as_card(entries))


def as_card(entries: Mapping[str, Any]) -> bytes:
    """Return what `write_card` writes of `entries`; whoever replaces a file makes its card before the file is gone."""
    entries = {name: value for name, value in entries.items() if name not in _SEALS}
    return as_json({**entries, "sealed by": "SHA-256 of the other entries", "seal": _seal(entries)})


def card_entries(entries: Any, **texts: Any) -> dict[str, Any]:
    """Return the `entries` that a card is to hold as its provenance; None stands for no entries.

    Raises ValueError for what JSON cannot hold or would change, such as a number as a key, and for further `texts` that
    are empty, not texts, or cannot be written as UTF-8.
    """
    for name, text in texts.items():
        if not isinstance(text, str) or not text:
            raise ValueError(f"{name} = {text!r:.60}; give a text that is not empty")
        try:
            text.encode()
        except UnicodeEncodeError:  # what was typed, or is called so, in another encoding
            raise ValueError(f"{name} = {text!a:.60} cannot be written as UTF-8; give a text that can") from None
    if not isinstance(entries, Mapping | None):
        raise ValueError(f"provenance of type {type(entries).__name__}; give a dict of plain data, or None")
    for key, value in (entries or {}).items():
        try:
            as_json({key: value})
            _check_keys({key: value})
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                f"provenance[{key!r:.60}] cannot be written as JSON ({error}); give texts, finite numbers, True, "
                "False, None, lists of them, and dicts of them by texts (array.tolist() makes a list)"
            ) from None
    return dict(entries or {})


def _check_keys(value: Any) -> None:
    """Raise TypeError for a key, at any depth, that is not a text: JSON makes it one, or cannot sort it."""
    if isinstance(value, Mapping) and (strange := [key for key in value if not isinstance(key, str)]):
        raise TypeError(f"the key {strange[0]!r:.60} is not a text")
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    for each in inside:
        _check_keys(each)


def read_card(path: Path, expected: str, cure: str, *, always_sealed: bool = False) -> dict[str, Any]:
    """Return the entries that `write_card` wrote; entries of releases without a checksum are taken as they are.

    `always_sealed` says that no release wrote this card without one. Raises as `reading` does.
    """
    with reading(path, expected, cure):
        entries = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(entries, dict):
            raise ValueError(f"it holds a {type(entries).__name__}")
        if always_sealed or entries.keys() & _SEALS:
            seal, by = entries.pop("seal", None), entries.pop("sealed by", None)
            if by is None or seal != _seal(entries):
                raise ValueError("its checksum does not hold")
        return entries


def _seal(entries: Mapping[str, Any]) -> str:
    return sha256_bytes(json.dumps(entries, sort_keys=True, allow_nan=False).encode())


def check_unpacked(archive: zipfile.ZipFile, size: int) -> None:
    """Raise ValueError for a zip archive of `size` bytes whose own list says that it unpacks to far more."""
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > _LARGE and unpacked > _TIGHTEST * size:
        raise ValueError(f"its {size:,} bytes would unpack to {unpacked:,}: that is not an honest archive")


def sha256_bytes(data: bytes | memoryview) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
