"""Bring the answers out of a damaged session file, whatever SQLite says of it.

The log of answers is only ever added to, and each line of it lies in one piece on one page of the file, or of the log
beside it (`-wal`). So the bytes of both are searched for what has the form of such a line: the record format of
https://sqlite.org/fileformat2.html#record_format with the columns of `events`. That needs no page, header or tree
to be whole. The rounds are not brought out: a search that lacks them begins anew and fills in what the file knows.
"""

import json
import re
import shlex
import sqlite3
import struct
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elsa_nb.counts import count_of
from elsa_nb.label import export
from elsa_nb.label.identity import RENAMED
from elsa_nb.label.log_rules import COLUMNS_HOLD, STORED_LABELS, mended
from elsa_nb.label.present_answer import PLANTED, PLANTED_UNDO
from elsa_nb.label.remembered import About
from elsa_nb.label.session import EVENT, Session
from elsa_nb.label.session_file import AUDITED, CLASS, IMPORTED, session_there

_COLUMNS = ("id", *EVENT)
_KINDS = {"answer", "undo", PLANTED, PLANTED_UNDO, IMPORTED, AUDITED, RENAMED}
# The remarks of a session that are brought out with its answers, by the beginnings of their keys.
_REMARKS = (
    CLASS,
    "about:",  # the items; without it, answers about other items could be taken for answers about these
    "carried:",  # without it, row numbers from before the collection changed would be read as those of now
    "asked:",  # why items were asked, and with what scores
    "kind:",  # without it, scores of another kind of search could be used
    "strategy:",  # without it, another strategy could go on
    "vectors:",
    "said:",
    "audit:",  # how an audit began; without it, it would begin anew, with the answers given since
)
# Where a line may begin: its length, its number, the length of its header, and the first column, which is empty there.
_BEGINNING = re.compile(rb"(?=([\x80-\xff]{0,2}[\x00-\x7f])([\x80-\xff]{0,8}[\x00-\x7f])([\x10-\x2f])\x00)", re.DOTALL)
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # bytes by the kind of a column
_VARINT = re.compile(rb"[\x80-\xff]{0,8}[\x00-\x7f]", re.DOTALL)


@dataclass(frozen=True)
class Rescued:
    """What came out: the file it is in, how many lines of the log and how many items, whose, and how many lack."""

    path: Path
    lines: int
    items: int
    annotators: list[str]
    lost: int

    def __str__(self) -> str:
        """Say it in a sentence or two."""
        missing = count_of(self.lost, "number is", "numbers are")
        lack = f" {missing} missing between the first line and the last." if self.lost else ""
        return (
            f"{count_of(self.lines, 'line')} of the log by {', '.join(self.annotators)} could be read: answers to "
            f"{count_of(self.items, 'item')}, now in {self.path}.{lack}"
        )


def rescue(path: Path | str, to: Path | str | None = None) -> Rescued:
    """Write every answer that can be read in a damaged session into a new file: a session, or a CSV by its ending.

    `to` is by default the session's name with "-rescued" after it. The damaged file is only read. Raises
    MissingDataError where it is not there, ValueError where `to` exists or no answer can be read.
    """
    path = session_there(path)
    to = Path(to) if to is not None else path.with_name(f"{path.stem}-rescued{path.suffix}")
    if to.exists():
        command = shlex.join(["elsa-nb", "session", "rescue", str(path)])
        raise ValueError(f"{to} exists already; say where the answers are to go: `{command} FILE`")
    # The log first: what a running panel moves out of it meanwhile is in the file afterwards.
    parts = [part for part in (Path(f"{path}-wal"), path) if part.is_file()]
    lines = _mended(line for part in parts for line in _lines_in(part.read_bytes()))
    if not lines:
        raise ValueError(f"no answer can be read in {path}: it is not a session file, or all of it is overwritten")
    if to.suffix.lower() == ".csv":
        with (
            tempfile.TemporaryDirectory(prefix="elsa-rescue-") as folder,
            _written(Path(folder) / "s.sqlite", lines, _remarks(path)) as session,
        ):
            export.export(session, to)
            items = len(session.answers())
    else:
        with _written(to, lines, _remarks(path)) as session:
            items = len(session.answers())
    people = sorted({line["annotator"] for line in lines.values()})
    return Rescued(to, len(lines), items, people, max(lines) - min(lines) + 1 - len(lines))


def _mended(found: Iterable[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return lines by their number: each in its latest form, without those columns that hold what no line can."""
    forms: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}
    with closing(sqlite3.connect(":memory:")) as base:
        base.row_factory = sqlite3.Row
        for line in found:
            holds = dict(base.execute(COLUMNS_HOLD, line).fetchone())
            other = forms.get(line["id"])
            if other is None or not other[1]["at"] or (holds["at"] and other[0]["at"] <= line["at"]):
                forms[line["id"]] = line, holds
    lines: dict[int, dict[str, Any]] = {}
    before = 0.0
    for number, (line, holds) in sorted(forms.items()):
        if (kept := mended(line, holds, before)) is not None:
            lines[number], before = kept, kept["at"]
    return lines


def _written(path: Path, lines: dict[int, dict[str, Any]], remarks: dict[str, str]) -> Session:
    session = None
    try:
        session = Session(path)
        kept = {key: _reached(key, value, max(lines)) for key, value in remarks.items()}
        session.restore_log([lines[number] for number in sorted(lines)], kept)
    except BaseException:  # a full disk: nothing half made is left to stop the same command later
        with suppress(Exception):
            if session is not None:
                session.close()
        for ending in ("", "-wal", "-shm"):
            Path(f"{path}{ending}").unlink(missing_ok=True)
        raise
    return session


def _remarks(path: Path) -> dict[str, str]:
    """Return what the session remembers besides, where SQLite can still read it: those of `_REMARKS`."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as base:
            found = base.execute("SELECT key, value FROM meta WHERE json_valid(value) OR key = ?", (CLASS,)).fetchall()
    except (sqlite3.Error, UnicodeDecodeError):  # SQLite's message may quote damaged bytes
        return {}
    texts = {k: v for k, v in found if isinstance(k, str) and isinstance(v, str)}
    return {k: v for k, v in texts.items() if k.startswith(_REMARKS) and _is_remark(k, v)}


def _is_remark(key: str, value: str) -> bool:
    """Whether a session with this remark opens: what it says of its items must be a record of them."""
    try:
        return not key.startswith("about:") or bool(About.from_json(value))
    except ValueError:
        return False


def _reached(key: str, value: str, last: int) -> str:
    """Return a remark as it holds where the log ends with line `last`.

    A course of the search that was begun anew goes by the lines after a certain one. If that is lost, its number is
    given again, and the answers that get such numbers would count as being from before the course.
    """
    carried = json.loads(value) if key.startswith("carried:") else None
    if isinstance(carried, dict) and isinstance(carried.get("after"), int):
        return json.dumps(carried | {"after": min(carried["after"], last)})
    return value


def _lines_in(data: bytes) -> Iterator[dict[str, Any]]:
    """Yield what has the form of a line of the log, from the first byte to the last."""
    end = 0
    for match in _BEGINNING.finditer(data):
        if match.start() < end:
            continue  # inside the line before
        size, number, header = (_varint(match[i]) for i in (1, 2, 3))
        start = match.start() + len(match[1]) + len(match[2])
        if start + size > len(data):
            continue
        line = _line(data[start : start + size], header)
        if line is not None and 0 < number < 1 << 48:
            end = start + size
            yield line | {"id": number}


def _varint(data: bytes) -> int:
    value = 0
    for byte in data:
        value = value << 7 | byte & 0x7F
    return value


def _line(record: bytes, header: int) -> dict[str, Any] | None:
    """Return the columns of a record, None where it is not a line of the log."""
    kinds, at = [], 1
    while at < header:
        wide = _VARINT.match(record, at)
        if wide is None:
            return None
        kinds.append(_varint(wide[0]))
        at = wide.end()
    if at != header or len(kinds) != len(_COLUMNS):
        return None
    values = []
    try:
        for kind in kinds:
            value, width = _value(record, at, kind)
            values.append(value)
            at += width
    except (ValueError, struct.error):  # a reserved kind, or a record that is cut off
        return None
    line = dict(zip(_COLUMNS, values, strict=True))
    return line if at == len(record) and _makes_sense(line) else None


def _value(record: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in (0, 8, 9):
        return {0: None, 8: 0, 9: 1}[kind], 0
    if kind in _INTEGERS:
        width = _INTEGERS[kind]
        return int.from_bytes(record[at : at + width], "big", signed=True), width
    if kind == 7:
        return struct.unpack(">d", record[at : at + 8])[0], 8
    if kind < 12:
        raise ValueError(f"kind {kind} of a column")
    width = (kind - 12) // 2
    data = record[at : at + width]
    try:
        return (data.decode() if kind % 2 else data), width
    except UnicodeDecodeError:  # a damaged text, which is no text
        return data, width


def _makes_sense(line: dict[str, Any]) -> bool:
    """Whether it looks like a line of the log: columns without which it is an answer still are for `mended` to see."""
    return (
        all(isinstance(line[name], str) for name in ("annotator", "item"))
        and bool(line["annotator"])
        and line["kind"] in _KINDS
        and line["old"] in STORED_LABELS
        and line["label"] in STORED_LABELS
    )
