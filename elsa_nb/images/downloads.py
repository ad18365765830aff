"""Downloads that go on where they stopped, and end with the right bytes or none.

`elsa-nb encoders get` (`encoders/catalogue.py`) and `elsa-nb data get` (`sources/official_packs.py`) call `download`.
"""

import contextlib
import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.locks import lock_beside
from elsa_nb.progress import bar
from elsa_nb.store import as_json, sha256_file, write_atomically

_BLOCK = 1 << 20
_SECONDS = 30  # without a byte, and the connection counts as lost
_ATTEMPTS = 4


def download(
    url: str, path: Path, *, md5: str = "", card: dict[str, Any] | None = None, progress: bool | None = None
) -> Path:
    """Download `url` to `path` and return it; what an earlier attempt left in `<path>.part` is kept and continued.

    `md5` is the beginning of the published checksum. Beside the file a card `<path>.json` keeps its SHA-256, its size
    and where it came from, with what `card` adds. A file that is there already, with its card, is not downloaded again,
    and one that another process is downloading is waited for.

    Raises MissingDataError, saying which file to put where by hand, if the address cannot be reached, and
    CorruptFileError, after deleting the download, for other bytes than the published ones.
    """
    if not _is_here(path):
        with lock_beside(path, "The download").acquire(wait=True):
            if not _is_here(path):  # else another process has made it while this one waited
                _download(url, path, md5, card or {}, progress)
    return path


def _is_here(path: Path) -> bool:
    return path.exists() and _card(path).exists()


def _download(url: str, path: Path, md5: str, card: dict[str, Any], progress: bool | None) -> None:
    """Do what `download` says; to be called by one process at a time, since each appends to the same part."""
    part = path.with_name(path.name + ".part")
    for attempt in range(_ATTEMPTS):
        before = part.stat().st_size if part.exists() else 0
        try:
            _fetch(url, part, path.name, progress)
            break
        except (OSError, http.client.HTTPException) as error:
            gained = part.exists() and part.stat().st_size > before
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if refused or (not gained and attempt) or attempt == _ATTEMPTS - 1:
                raise MissingDataError(
                    f"{url} cannot be downloaded ({error}). The same command tries again and goes on from there; or "
                    f"download it elsewhere and put it at {path}."
                ) from error
    with part.open("rb") as stream:
        got = hashlib.file_digest(stream, "md5").hexdigest()
    if not got.startswith(md5):
        part.unlink()
        raise CorruptFileError(
            f"What {url} gave is not the published file: its MD5 is {got}, published: {md5}. It was deleted; try again."
        )
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    record = {"url": url, "md5": got, "sha256": sha256_file(part), "bytes": part.stat().st_size}
    told = as_json({**card, **record})
    path.unlink(missing_ok=True)  # a file that no card vouched for: a kill here must not leave it beside the new card
    write_atomically(_card(path), told)
    part.replace(path)


def _card(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _fetch(url: str, part: Path, name: str, progress: bool | None) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "elsa_nb", "Range": f"bytes={have}-"})
    try:
        answer = urllib.request.urlopen(request, timeout=_SECONDS)
    except urllib.error.HTTPError as error:
        size = (error.headers.get("Content-Range") or "").rpartition("/")[2]
        if error.code == 416 and size == str(have):
            return  # all of it is here
        if error.code == 416:
            part.unlink(missing_ok=True)  # more than there is: another file
        raise
    with contextlib.closing(answer):
        resumed = answer.status == 206 and (answer.headers.get("Content-Range") or "").startswith(f"bytes {have}-")
        have = have if resumed else 0
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else None
        shown = bar(None, name, progress, total=total, initial=have, unit="B", unit_scale=True)
        with shown, part.open("ab" if resumed else "wb") as stream:
            while block := answer.read(_BLOCK):
                stream.write(block)
                have += len(block)
                shown.update(len(block))
    if total is not None and have != total:
        raise http.client.IncompleteRead(b"", total - have)
