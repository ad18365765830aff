"""Free typefaces: fetch pinned Debian packages without installing them, list their faces, read their licences.

`build.py` and `confusables.py` call `fetch` and `faces`.
"""

import csv
import io
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.store import write_atomically

_FONT_SUFFIXES = (".ttf", ".otf")
_FETCH_AT_ONCE = 40

# What Debian's copyright files call the licences of these packages, and the short name that each has here.
_SHORT_NAMES = (
    (r"^OFL-?1\.0$|^Open Font License 1\.0$", "OFL-1.0"),
    (r"^(sil[-_ ]|s\.?i\.?l\.? ?)?(ofl|open[ _]font[ _]license|sil)[-_ ]?(license)?[-_ ]?(1\.1)?(-rfn)?$", "OFL-1.1"),
    (r"^GPL-2\+ ?FE$|^GPL-2(\.0)?\+ ?(with|\+)[ _]font[ _]exception$", "GPL-2+ with font exception"),
    (r"^GPL-2 ?(with|\+) ?font ?exception$", "GPL-2 with font exception"),
    (r"^GPL-3\+ ?(with|\+)?[-_ ]*(special )?font[-_ ]?exception$", "GPL-3+ with font exception"),
    (r"^GPL-3\+_with-font-exception$", "GPL-3+ with font exception"),
    (r"^OFL 1\.1 and GPL-2 \+ Font Exception$", "OFL-1.1 and GPL-2 with font exception"),
    (r"^GPL-2\+ with Font exception and OFL-1\.1$", "GPL-2+ with font exception and OFL-1.1"),
    (r"^AGPL-3 with Font exception$", "AGPL-3 with font exception"),
    (r"^BSD3\|SIL$", "BSD-3-clause or OFL-1.1"),
    (r"^Apache-2$", "Apache-2.0"),
    (r"^CC-BY-SA-3$", "CC-BY-SA-3.0"),
    (r"^(MIT|Expat)$", "Expat"),
)
# Copyright files of before the machine-readable format: the first phrase found decides.
_PHRASES = (
    (r"GNU GPL 3 or OFL 1\.1", "OFL-1.1 or GPL-3+"),
    (r"SIL Open Font License,?\s+Version 1\.0", "OFL-1.0"),
    (r"SIL Open Font License,?\s+Version 1\.1|OFL 1\.1", "OFL-1.1"),
    (r"^License:\s+Public Domain", "public-domain"),
    (r"License to copy, modify, and distribute for both commercial", "permissive, notice kept"),
    (r"GNU General\s+Public\s+License", "GPL-2"),
)


@dataclass(frozen=True)
class Package:
    """One Debian package of fonts, pinned: `name=version`."""

    name: str
    version: str


@dataclass(frozen=True, order=True)
class Face:
    """One font file: its package, its file name without suffix, and where it is on this machine."""

    package: str
    name: str
    path: Path


def read_table(path: Path) -> list[dict[str, str]]:
    """Read a CSV table as a list of rows; say which file is missing."""
    if not path.exists():
        raise MissingDataError(f"{path} is not here. It is part of the repository: restore it with git.")
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def write_table(path: Path, rows: Sequence[dict[str, object]]) -> None:
    """Write rows of equal keys as CSV with a header, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())


def read_packages(path: Path) -> list[Package]:
    """Read the pinned packages of `fonts.csv` (columns package, version), in the order of their names."""
    return sorted((Package(row["package"], row["version"]) for row in read_table(path)), key=lambda p: p.name)


def fetch(packages: Sequence[Package], cache: Path) -> None:
    """Download the packages with `apt-get download` and unpack them below `cache`; what is there already is kept.

    Nothing is installed and no root is needed. Raises `MissingDataError` naming every pinned version that the
    configured Debian mirrors do not serve.
    """
    archives = cache / "debs"
    archives.mkdir(parents=True, exist_ok=True)
    wanted = [p for p in packages if not _archive(archives, p)]
    for start in range(0, len(wanted), _FETCH_AT_ONCE):
        _apt_get_download(wanted[start : start + _FETCH_AT_ONCE], archives)
    missing = [f"{p.name}={p.version}" for p in packages if not _archive(archives, p)]
    if missing:
        raise MissingDataError(
            f"The configured Debian mirrors do not serve {', '.join(missing)}. These versions are those of Debian 12 "
            "(bookworm), main. Run `apt-get update` on such a system, or add the archive of snapshot.debian.org "
            f"to its sources; files named <package>_<version>_all.deb put into {archives} are taken as they are."
        )
    for package in packages:
        folder = _tree(cache, package)
        if not (folder / ".complete").exists():
            folder.mkdir(parents=True, exist_ok=True)
            _unpack(_archive(archives, package), folder)
            (folder / ".complete").touch()


def faces(packages: Iterable[Package], cache: Path) -> list[Face]:
    """List the TrueType and OpenType files of unpacked packages, ordered by package and name.

    A face that a package ships both as .ttf and as .otf is listed once, as .otf.
    """
    found: dict[tuple[str, str], Face] = {}
    for package in packages:
        files = (
            p for p in _tree(cache, package).rglob("*") if p.suffix.lower() in _FONT_SUFFIXES and not p.is_symlink()
        )
        for path in sorted(files, key=lambda p: (p.suffix.lower(), p.as_posix())):
            found.setdefault((package.name, path.stem), Face(package.name, path.stem, path))
    return [found[key] for key in sorted(found)]


def licence(package: Package, cache: Path) -> str:
    """Read the licence of a package's fonts from its Debian copyright file, as a short name such as `OFL-1.1`.

    In a machine-readable file it is the licence of `Files: *`, or, without such a paragraph, of all paragraphs except
    Debian's own; in an older file, the licence that its text names.
    """
    path = _tree(cache, package) / "usr/share/doc" / package.name / "copyright"
    text = path.read_text(encoding="utf-8", errors="replace")
    paragraphs = [p for p in re.split(r"\n\s*\n", text) if re.search(r"^Files:", p, re.M | re.I)]
    if paragraphs:
        whole = [p for p in paragraphs if re.search(r"^Files:\s*\*\s*$", p, re.M | re.I)]
        rest = [p for p in paragraphs if not re.search(r"^Files:\s*debian/", p, re.M | re.I)]
        named = [m[1].strip() for p in whole or rest if (m := re.search(r"^License:(.+)$", p, re.M | re.I))]
        if named:
            return "; ".join(sorted({_short_name(name) for name in named}))
    for phrase, short in _PHRASES:
        if re.search(phrase, text, re.I | re.M):
            return short
    raise ValueError(
        f"{path} names no licence that is known here; add its phrase to elsa_nb/images/glyph_pool/fonts.py."
    )


def _short_name(name: str) -> str:
    for pattern, short in _SHORT_NAMES:
        if re.search(pattern, name, re.I):
            return short
    return name


def _archive(archives: Path, package: Package) -> Path | None:
    # apt writes the colon of an epoch as %3a in file names.
    version = package.version.replace(":", "%3a")
    return next(_deb_files(archives, f"{package.name}_{version}_"), None)


def _deb_files(archives: Path, prefix: str) -> Iterator[Path]:
    return (
        archives / f"{prefix}{arch}.deb" for arch in ("all", "amd64") if (archives / f"{prefix}{arch}.deb").exists()
    )


def _tree(cache: Path, package: Package) -> Path:
    return cache / "tree" / f"{package.name}_{package.version.replace(':', '%3a')}"


def _apt_get_download(packages: Sequence[Package], folder: Path) -> None:
    names = [f"{p.name}={p.version}" for p in packages]
    done = _run(["apt-get", "download", *names], folder)
    if done.returncode and len(names) > 1:  # one unknown version stops all the others: ask for each alone
        for package in packages:
            _apt_get_download([package], folder)


def _unpack(archive: Path, folder: Path) -> None:
    done = _run(["dpkg-deb", "-x", str(archive.resolve()), str(folder.resolve())], archive.parent)
    if done.returncode:
        raise CorruptFileError(
            f"{archive} cannot be unpacked ({done.stderr.strip()}). Delete it; the next build downloads it again."
        )


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise MissingDataError(
            f"`{command[0]}` is not on this machine, and the fonts come from Debian packages. Run this on Debian or "
            "Ubuntu, for instance in a container of debian:bookworm. The pool itself is in the repository; nothing "
            "but building it again needs the fonts."
        ) from error
