"""The audits of a session: their files, their items, and how they and the search exchange answers.

An audit draws at random from all items that were no finds when it began, also from those that the search has answered
negative: whoever overlooks some positives overlooked some in the search, too. Audits begun by earlier versions, which
left these out, keep their items. An audit goes on for as long as the collection is the same; where items were added or
removed since, another audit begins, in a file of its own. Answers given on one side reach the other whenever that is
opened, the later of two about one item: the search begins from what an audit found, and what the search finds is found
in an audit. Only what an audit is told of its control items stays in it: that measures the person, and her
answer in the search stands.
"""

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.counts import count_of
from elsa_nb.errors import MissingDataError
from elsa_nb.label.answers import Answer, Given
from elsa_nb.label.audit_pages import AuditPages
from elsa_nb.label.cards import OPEN
from elsa_nb.label.remembered import names_digest
from elsa_nb.label.remembered_items import names_in, remembered_names
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import AUDITED, CLASS, IMPORTED, damaged
from elsa_nb.label.session_queries import control_answers
from elsa_nb.search.contract import NEGATIVE, POSITIVE, UNSURE


def audit_files(session: Path) -> list[Path]:
    """Return the files of a session's audits beside it, the earliest first; none where nothing was audited."""
    files: list[Path] = []
    while (path := _numbered(session, len(files) + 1)).exists():
        files.append(path)
    return files


def _numbered(session: Path, number: int) -> Path:
    return session.with_name(f"{session.stem}-audit{'' if number == 1 else f'-{number}'}{session.suffix}")


_NAMED = 5  # items in a sentence


@dataclass(frozen=True)
class AuditResult:
    """What came of an audit: its file `path`, which `items` were looked at and how many of these are `finds`.

    `missed` are items that count as finds in the search and were not marked when the audit showed them as control
    items. `first` and `last` are when items were answered, in seconds since 1970 (None: nothing was); `statement` is
    what may be said now of the class, "" where the file does not show it.
    """

    path: Path
    items: frozenset[str]
    finds: int
    first: float | None
    last: float | None
    statement: str
    missed: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say it in sentences."""
        said = f"Audit {self.path.name}: {count_of(len(self.items), 'item')} drawn at random and looked at"
        if self.first is not None and self.last is not None:
            days = dict.fromkeys(time.strftime("%Y-%m-%d", time.gmtime(at)) for at in (self.first, self.last))
            said += f" ({' to '.join(days)})"
        said += f", {count_of(self.finds, 'find')} among them."
        said = f"{said} {self.statement or 'Its page shows what may be said of the class.'}"
        if self.missed:
            more = f" and {len(self.missed) - _NAMED:,} more" if len(self.missed) > _NAMED else ""
            said += f" Not marked when shown again, and finds still: {', '.join(self.missed[:_NAMED])}{more}."
        return said


@dataclass(frozen=True)
class StoredAudit:
    """An audit that begins or goes on: the file it is in, its pages, and what the person should know of it."""

    path: Path
    pages: AuditPages
    remark: str = ""


Known = Mapping[str, tuple[int, float]]  # the label of each item, and when it was given
_NOTHING = UNSURE, -math.inf  # what is known of an item without an answer
_NO_FIND = "{} holds no find yet: label first, then audit what was found"


def check_to_audit(path: Path, annotator: str) -> None:
    """Raise MissingDataError where there is no session at `path`, ValueError where its annotator has found nothing."""
    if not path.exists():
        raise MissingDataError(f"{path} is not here: label first, then audit what was found.")
    with Session(path, annotator=annotator) as session:
        known = _known_with_audits(session)
    if POSITIVE not in (label for label, _ in known.values()):
        raise ValueError(_NO_FIND.format(path))


def audited(path: Path, annotator: str, ids: Sequence[str]) -> StoredAudit:
    """Return the audit of what an annotator has found in the session at `path`, whose items are called `ids`.

    It is of all items but the finds: negative and doubtful answers may hide positives. Raises MissingDataError where
    there is no session yet, ValueError where nothing is found in it; no file is made then.
    """
    check_to_audit(path, annotator)
    ids = [str(item) for item in ids]
    with Session(path, annotator=annotator) as session:
        take_audits(session, ids)
        known, sought = _known_with_audits(session), session.meta(CLASS)
    labels = _labels_of(known, ids)
    finds = np.flatnonzero(labels == POSITIVE).tolist()  # of which some become control items
    if not finds:  # among these items
        raise ValueError(_NO_FIND.format(path))
    if len(finds) == len(ids):
        raise ValueError(f"all {count_of(len(ids), 'item')} are finds in {path}: there is nothing to audit")
    now = {"answered": finds, "items": names_digest(ids), "finds": finds}
    file, remark = _file_of(path, annotator, now["items"])
    with Session(file, annotator=annotator) as audit:
        begun = json.loads(audit.remark_once(f"audit:{annotator}", json.dumps(now, allow_nan=False)))
        _check(file, begun)
        corrected = _corrected(audit, ids, known)
        if sought and not audit.read_only:
            audit.remark_once(CLASS, sought)
        if not audit.read_only and _to_fill_in(audit, begun, ids, labels):
            audit.record_all(lambda: [(annotator, _to_fill_in(audit, begun, ids, labels))], IMPORTED)
    if (pages := _pages(begun, labels, corrected=corrected)) is None:
        raise ValueError(f"the audit {file} began with finds, and none of them is one any more; move that file away")
    return StoredAudit(file, pages, remark)


def _closed_rows(audit: Session) -> set[int]:
    """Return the rows on an audit's pages that are closed."""
    return {row for each in audit.rounds() if each.told is not None for row in each.asked.rows}


def _corrected(audit: Session, ids: Sequence[str], known: Known) -> dict[int, tuple[int, int]]:
    """Return {row: (label on a closed page, label now)} of what the search, `known`, came to say otherwise later."""
    given = {item: (label, at) for item, label, at in audit.current("item", "label", "at")}
    found = {}
    for row in _closed_rows(audit):
        there, now = given.get(ids[row]), known.get(ids[row], _NOTHING)
        if there is not None and there[0] != now[0] and there[1] < now[1]:
            found[row] = there[0], now[0]
    return found


def _to_fill_in(audit: Session, begun: dict[str, Any], ids: Sequence[str], labels: np.ndarray) -> list[Answer]:
    """Return the answers of the search that the audit is to take, from the present `labels` (n,) of all items.

    These are answers about items that no closed page of the audit has asked about. Only finds are taken: the other
    answers of the search are what is audited. An audit of an earlier version takes all answers but unsure ones.
    """
    known, given = audit.known(), {item for item, *_ in _given(audit)}
    done = {*begun["answered"], *_closed_rows(audit)}
    audits_answers = begun["answered"] == begun.get("finds")
    new = []
    for row, label in enumerate(labels.tolist()):
        asked = label == UNSURE or (audits_answers and label != POSITIVE)
        old, now = known.get(ids[row], OPEN), OPEN if asked else label
        if old != now and row not in done and ids[row] not in given:
            new.append(Answer(ids[row], old, now))
    return new


def _pages(begun: dict[str, Any], labels: np.ndarray, **beside: Any) -> AuditPages | None:
    """Return the fresh pages of an audit, given the present `labels` (n,); None where no find is left.

    The person may have corrected answers since it began; those of its own pages are in `beside` (`AuditPages`). An
    audit of an earlier version has no control items.
    """
    before, since = labels[begun["answered"]], np.setdiff1d(np.flatnonzero(labels != UNSURE), begun["answered"])
    if not (found := int((before == POSITIVE).sum())):
        return None
    finds = np.array(begun.get("finds", ()), np.int64)
    beside |= {"found_since": since[labels[since] == POSITIVE], "doubtful": int((before == UNSURE).sum())}
    beside |= {"finds": finds, "retracted": finds[labels[finds] != POSITIVE]}
    return AuditPages(len(labels), begun["answered"], found, **beside)


def _labels_of(known: Known, ids: Sequence[str]) -> np.ndarray:
    """Return the labels of items, (n,) int64; unsure of those without an answer."""
    return np.array([known.get(item, _NOTHING)[0] for item in ids], np.int64)


def _known_with_audits(session: Session) -> Known:
    """Return what a session and its audits know, also where the session cannot take them in."""
    known = {item: (label, at) for item, label, at in session.current("item", "label", "at")}
    for path in audit_files(session.path):
        known |= {a.item: (a.label, math.inf) for a in answers_lacking(session, path, None)}  # later than the session's
    return known


def _file_of(path: Path, annotator: str, items: str) -> tuple[Path, str]:
    """Return the file of an annotator's audit of `items` (a digest of their names), and a remark on it ("": none)."""
    if not (files := audit_files(path)):
        return _numbered(path, 1), ""
    with Session(files[-1], annotator=annotator) as last:
        if (stored := last.meta(f"audit:{annotator}")) is None:
            return files[-1], ""
        begun = json.loads(stored)
        _check(last.path, begun)
        before = begun.get("items") or remembered_names(last)  # audits of earlier versions do not say it themselves
    if before in (None, items):
        return files[-1], ""
    return _numbered(path, len(files) + 1), (
        f"Items were added or removed since the audit in {files[-1].name} began, so this is a new one, of the items "
        "that are here now. What was found in the earlier one counts as found; other items may come once more."
    )


def _check(path: Path, begun: Any) -> None:
    if not isinstance(begun, dict) or not isinstance(begun.get("answered"), list):
        raise damaged(path, "what it says of the audited search is not a record of one")
    finds, answered = begun.get("finds", []), set(map(str, begun["answered"]))
    if not isinstance(finds, list) or not all(type(row) is int and str(row) in answered for row in finds):
        raise damaged(path, "the finds that it shows again are not among the answers of the audited search")


def take_audits(session: Session, ids: Sequence[str]) -> str:
    """Take the answers of a session's audits into it, of items called `ids`; return what was taken, "" for nothing.

    Where both have answered an item the later answer counts. A session that can only be read stays as it is.
    """
    said = []
    for path in audit_files(session.path):
        if session.read_only or not answers_lacking(session, path, set(ids)):
            continue
        new: list[Answer] = []

        def taken(path: Path = path, new: list[Answer] = new) -> Given:
            new += answers_lacking(session, path, set(ids))
            return [(session.annotator, new)]

        session.record_all(taken, AUDITED)
        if new:
            finds = sum(answer.label == POSITIVE for answer in new)
            said.append(f"Taken from the audit {path.name}: {count_of(len(new), 'answer')}, {count_of(finds, 'find')}.")
    return " ".join(said)


def answers_lacking(session: Session, path: Path, items: set[str] | None) -> list[Answer]:
    """Return the answers to `items` that the audit at `path` has and its session lacks, as the session takes them.

    None: to any items.
    """
    with Session(path, annotator=session.annotator, to_read=True) as audit:
        given = [each for each in _given(audit) if each[1] != UNSURE]
    has = {item: (label, at) for item, label, at in session.current("item", "label", "at")} if given else {}
    new = []
    for item, label, at in given:
        old, before = has.get(item, (OPEN, -math.inf))
        if (items is None or item in items) and before < at and old != label:
            new.append(Answer(item, old, label))
    return new


def _given(audit: Session) -> list[tuple[str, int, float]]:
    """Return (item, label, when) of what the annotator answered in an audit about items drawn at random."""
    columns = ("item", "label", "at", "kind")
    return [(item, label, at) for item, label, at, kind in audit.current(*columns) if kind != IMPORTED]


def audit_results(session: Session) -> list[AuditResult]:
    """Return what came of each audit of the session's annotator, the earliest first; nothing is written.

    A statement is about the items that were here when its audit was last open.
    """
    results, known = [], _known_with_audits(session)
    for path in audit_files(session.path):
        with Session(path, annotator=session.annotator, to_read=True) as audit:
            given, controls = _given(audit), control_answers(audit)
            stored = audit.meta(f"audit:{session.annotator}")
            if given or stored is not None:
                times = [at for _, _, at in given]
                missed = [item for item, label in controls.items() if label == NEGATIVE]
                missed = [item for item in missed if known.get(item, _NOTHING)[0] == POSITIVE]
                items, finds = frozenset(item for item, *_ in given), sum(label == POSITIVE for _, label, _ in given)
                statement = "" if stored is None else _statement(audit, json.loads(stored), known)
                span = min(times, default=None), max(times, default=None)
                results.append(AuditResult(path, items, finds, *span, statement, tuple(missed)))
    return results


def _statement(audit: Session, begun: Any, known: Known) -> str:
    """Return what the page of an audit says, given what is `known` in its search; "" where that cannot be said.

    The pages are drawn again: their order is fixed.
    """
    _check(audit.path, begun)
    names = names_in(audit)
    if names is None or begun.get("items") not in (None, names_digest(names)):
        return ""
    if (pages := _pages(begun, _labels_of(known, names), corrected=_corrected(audit, names, known))) is None:
        return ""
    own = audit.known()
    for each in audit.rounds():
        if each.told is None or each.asked.overview:  # pages seen again are not questions of the audit
            continue
        asked = pages.query()
        if asked is None or asked.rows.tolist() != each.asked.rows:
            return ""
        labels = dict(zip(each.asked.rows, each.told.labels, strict=True))
        controls = begun.get("finds", ())  # of these, what was said on their page
        now = [label if row in controls else own.get(names[row], label) for row, label in labels.items()]
        pages.update(np.array(now, np.int8))
    return pages.statement
