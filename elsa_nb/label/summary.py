"""What was done in a session, in sentences for a methods section: who answered what, when, why, with which vectors.

Everything is read from the session file and those of its audits; nothing is written.
"""

import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elsa_nb.counts import count_of
from elsa_nb.label.audits import AuditResult, audit_results
from elsa_nb.label.export import check_answered_by
from elsa_nb.label.identity import RENAMED
from elsa_nb.label.remembered_items import about_items
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import AUDITED, CLASS, IMPORTED
from elsa_nb.label.still_here import answers_counted, person_of_now, with_rows
from elsa_nb.label.stored import SECOND_OPINION, SEEN_AGAIN, Event
from elsa_nb.search.contract import NEGATIVE, POSITIVE, UNSURE

# Why an item was shown, in the words of the page (`figures.js`), and why it has an answer without having been shown.
REASONS = {
    "sample": "a first look",
    "given": "given",
    "NN": "like your finds",
    "neighbourhood": "near your finds",
    "RandS": "near a guess",
    "final": "a guess",
    "probe": "a guess",
    "line": "a guess",
    "audit": "drawn at random",
    "earlier": "answered earlier",
}
FROM_FILE, UNKNOWN = "an example, or imported", "not recorded"
_DIGITS = 16  # of a checksum, in a sentence


@dataclass(frozen=True)
class PersonsWork:
    """What one `annotator` did in a session.

    `counts` is a sentence on the `answers`, of which `finds`, `negatives` and `unsure` are the labels now. `origins`
    has for each reason why items were shown how many have an answer, and how many of these are finds; "imported" are
    those that were never shown. `first` and `last` are when answers were given, in seconds since 1970, and `seconds` is
    the median time per answer; None where nothing was answered on the page. `seen_again` answers were seen a second
    time and `changed` of them changed; `opinions` were given on items that somebody else had answered. `strategy` is
    that of the search, and `vectors` says which vectors it worked on: its pool, and for each encoder in it the name and
    the SHA-256 of the weights; both are None where the session does not say. `audits` are those beside the session.
    `remark` is what the page said of the folder when it was last opened, such as that files are left out.
    """

    annotator: str
    counts: str
    answers: int
    finds: int
    negatives: int
    unsure: int
    origins: dict[str, tuple[int, int]]
    first: float | None
    last: float | None
    seconds: float | None
    strategy: str | None
    seen_again: int
    changed: int
    opinions: int
    vectors: dict[str, Any] | None
    audits: list[AuditResult]
    remark: str = ""

    def __str__(self) -> str:
        """Say it in sentences and a table."""
        imported, _ = self.origins.get(FROM_FILE, (0, 0))
        are = "is an example" if imported == 1 else "are examples"
        of_files = f"; {imported:,} of the answers {are} or imported" if imported else ""
        said = [f"{self.annotator}: {self.counts}, {count_of(self.negatives, 'negative')}{of_files}."]
        if self.first is not None and self.last is not None:
            said.append(f"Answered on the page from {_clock(self.first)} to {_clock(self.last)}{self._pace()}.")
        said += _table(self.origins)
        if self.strategy is not None:  # an audit has none, nor has who only imported
            said.append(f"Search: {self.strategy}.")
        if self.seen_again:
            said.append(f"Seen again: {count_of(self.seen_again, 'answer')}, {self.changed:,} changed.")
        if self.opinions:
            said.append(f"Second opinions: {self.opinions:,}.")
        if self.vectors is not None:
            said.append(_vectors(self.vectors))
        if self.remark:
            said.append(f"Said on the page: {self.remark}")
        return "\n".join([*said, *map(str, self.audits)])

    def _pace(self) -> str:
        return "" if self.seconds is None else f", {self.seconds:.1f} seconds per answer (median)"


@dataclass(frozen=True)
class SessionSummary:
    """What was done in the session at `path`: about how many `items` (None: not known) of what folder `where` ("": not
    known), looking for the class `sought` ("": not named), by the people in `work`.
    """

    path: Path
    items: int | None
    where: str
    sought: str
    work: list[PersonsWork]

    def __str__(self) -> str:
        """Say it in a paragraph for the session and one for each person."""
        said = f"{self.path}: {'items not known' if self.items is None else count_of(self.items, 'item')}"
        said += f" in {self.where}" if self.where else ""
        said += f"; the class looked for was {self.sought!r}" if self.sought else ""
        return "\n\n".join([f"{said}.", *map(str, self.work)])


def summarize_session(session: Session, annotator: str | None = None) -> SessionSummary:
    """Return what was done in `session`, by everybody or by one annotator; its `str` is text for a methods section.

    The items are those that the session was last opened with. Nothing is written. Raises ValueError for an annotator
    without answers, and for a session without any.

    >>> print(summarize_session(Session("cats.sqlite")))
    """
    if not (people := session.annotators):
        raise ValueError(f"{session.path} holds no answers; there is nothing to say of it.")
    check_answered_by(session, annotator)
    about = about_items(session, person_of_now(session))
    work = [_work(session, who) for who in (people if annotator is None else [annotator])]
    items, where = (None, "") if about is None else (about.n, about.where)
    return SessionSummary(session.path, items, where, session.meta(CLASS) or "", work)


def _work(session: Session, annotator: str) -> PersonsWork:
    with Session(session.path, annotator=annotator, to_read=True) as theirs:
        events, audits = theirs.events(), audit_results(theirs)
    answers = with_rows(session, session.answers(annotator))
    labels = [answer["label"] for answer in answers]
    drawn = {item for audit in audits for item in audit.items}
    shown = [event.at for event in events if event.action > 0]
    seconds = [answer["seconds"] for answer in answers if answer["seconds"] is not None]
    stored = {key: session.meta(f"{key}:{annotator}") for key in ("strategy", "vectors")}
    looked_at, changed = _seen_again(events)
    return PersonsWork(
        annotator,
        answers_counted(answers),
        len(labels),
        *(labels.count(label) for label in (POSITIVE, NEGATIVE, UNSURE)),
        origins=_origins(events, answers, drawn),
        first=min(shown, default=None),
        last=max(shown, default=None),
        seconds=statistics.median(seconds) if seconds else None,
        strategy=None if stored["strategy"] is None else json.loads(stored["strategy"]),
        seen_again=looked_at,
        changed=changed,
        opinions=len({event.item for event in events if event.component == SECOND_OPINION}),
        vectors=None if stored["vectors"] is None else json.loads(stored["vectors"]),
        audits=audits,
        remark=json.loads(session.meta(f"said:{annotator}") or '""'),
    )


def _origins(
    events: Sequence[Event], answers: Sequence[Mapping[str, Any]], drawn: set[str]
) -> dict[str, tuple[int, int]]:
    """Return for each reason how many of the answers have it, and how many finds; an item has that of its first answer.

    An answer that was taken back and asked again gets another reason; one that was seen again or corrected keeps it.
    What a session took from its audits was `drawn` there.
    """
    reasons: dict[str, tuple[str, int | None]] = {}  # with the position of the card
    for event in events:
        item, component, position = event.item, event.component, event.position
        if event.label >= UNSURE:
            if event.kind == AUDITED or (event.kind == IMPORTED and item in drawn):
                why = REASONS["audit"]
            elif event.kind == IMPORTED:
                why = FROM_FILE
            elif event.kind == RENAMED:
                why = REASONS["earlier"]
            else:
                why = UNKNOWN if component is None else str(REASONS.get(component, component))
            reasons.setdefault(item, (why, position))
        elif position is None or reasons.get(item, ("", position))[1] == position:
            reasons.pop(item, None)  # what was taken back on another card of the item leaves the answer on this one
    counts: dict[str, tuple[int, int]] = {}
    for answer in answers:
        why, _ = reasons.get(answer["item"], (UNKNOWN, None))
        n, finds = counts.get(why, (0, 0))
        counts[why] = n + 1, finds + (answer["label"] == POSITIVE)
    order = [*dict.fromkeys(REASONS.values()), FROM_FILE]
    return {why: counts[why] for why in sorted(counts, key=lambda why: (why not in order, [*order, why].index(why)))}


def _seen_again(events: Sequence[Event]) -> tuple[int, int]:
    """Return how many answers were seen again and answered, and how many of them differently than before."""
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    for event in events:
        item = event.item
        if event.component == SEEN_AGAIN:
            after[item] = event.label
        elif item not in after and event.label >= UNSURE:
            before[item] = event.label
    looked = {item: label for item, label in after.items() if label >= UNSURE}
    return len(looked), sum(before.get(item, label) != label for item, label in looked.items())


def _table(origins: Mapping[str, tuple[int, int]]) -> list[str]:
    rows = [("why shown", "answers", "finds"), *((why, f"{n:,}", f"{found:,}") for why, (n, found) in origins.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [f"  {why:<{widths[0]}}  {n:>{widths[1]}}  {found:>{widths[2]}}" for why, n, found in rows]


def _vectors(vectors: Mapping[str, Any]) -> str:
    parts = []
    for part in vectors["parts"]:
        made = f"by {part['encoder']}" if part["encoder"] else part["name"]
        made += f", {part['space']}, {count_of(part['d'], 'value')}"
        if part["weights"]:
            made += f" (SHA-256 of the weights {part['weights'][:_DIGITS]})"
        if part["file"]:
            made += f", from {part['file']} (SHA-256 {part['sha256'][:_DIGITS]})"
        parts.append(made)
    return f"Vectors: {'; '.join(parts)}; the pool {vectors['pool']} (recipe {vectors['recipe'][:_DIGITS]})."


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
