"""Take earlier labels into a session: they count as known, and a search can begin from the positives among them.

An answer that a person gave on screen is never changed by a file unless that is asked for. Where a file holds the
labels of several people, each keeps a name of their own in the session.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from elsa_nb.label.answers import Answer, Given
from elsa_nb.label.cards import OPEN
from elsa_nb.label.label_files.reader import LabelFile, read_labels
from elsa_nb.label.label_files.stored_sessions import SESSION_KIND
from elsa_nb.label.remembered_items import about_items
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import IMPORTED

_MOST = 5


@dataclass
class Imported:
    """What an import did: how many labels are new, replaced earlier imported ones, or were there already.

    `kept` are items whose answer in the session differs from the file's and stayed as it was. `file` is what was read,
    `stored` what went into the session, by annotator.
    """

    file: LabelFile
    new: int = 0
    replaced: int = 0
    same: int = 0
    kept: list[str] = field(default_factory=list)
    stored: list[tuple[str, list[Answer]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Say in sentences what was read and what became of it."""
        said = [str(self.file), f"New in the session: {self.new}."]
        if self.replaced:
            said.append(f"In place of earlier labels: {self.replaced}.")
        if self.same:
            said.append(f"{self.same} were known already.")
        if self.kept:
            listed = ", ".join(self.kept[:_MOST]) + (" ..." if len(self.kept) > _MOST else "")
            one = len(self.kept) == 1
            many = "answer given on screen differs and was" if one else "answers given on screen differ and were"
            said.append(
                f"{len(self.kept)} {many} kept ({listed}); `elsa-nb labels import SESSION FILE --replace` (in Python "
                "replace=True) takes those of the file."
            )
        return " ".join([*said, *self.notes])


def import_labels(
    session: Session,
    path: Path | str | LabelFile,
    ids: Sequence[str],
    *,
    annotator: str | None = None,
    replace: bool = False,
    **options: Any,
) -> Imported:
    """Take earlier labels from a file or folder into `session`, all or none; return what was done.

    `ids` are the items of the pool; `path` may be what `read_labels` has read of them already. `options` are those of
    `read_labels`, which says what can be read. Labels by one person, or without a name, become those of the session's
    annotator; where the file names several people, each one's are stored under that name, and `annotator` takes one
    person's as the session's. `replace` lets the file win over answers given on screen. Raises what `read_labels`
    raises, and ValueError where the file is a session about other items of the same names; then nothing is stored.
    """
    file = path if isinstance(path, LabelFile) else read_labels(path, ids, annotator=annotator, **options)
    _check_same_items(session, file, ids)
    done = Imported(file)

    def changes() -> Given:
        nonlocal done
        done = _changes_by_file(session, file, ids, replace=replace)
        return done.stored

    ours = session.keep()
    free = ours or session.acquire(patient=True)
    try:
        session.record_all(changes, IMPORTED)
    finally:
        if free and not ours:
            session.release()
    if len(file.given) > 1 and session.annotator not in {name for name, _ in done.stored}:
        done.notes.append(
            f"They are stored under the names of their annotators; none is {session.annotator!r}, who works on this "
            "session. `elsa-nb labels import SESSION FILE --from NAME` (in Python annotator=...) takes one person's "
            "labels as your own."
        )
    if annotator is None and done.new + done.replaced and (said := _stored_as(file, session.annotator)):
        done.notes.append(said)
    if not free:
        done.notes.append(f"The session is open now ({session.held_by}); that window shows them when opened again.")
    return done


def _check_same_items(session: Session, file: LabelFile, ids: Sequence[str]) -> None:
    """Raise ValueError where most items whose contents both sides remember have other contents in the file."""
    about = about_items(session)
    here = {} if about is None else about.contents
    there = {name: digest for row, digest in file.contents.items() if (name := str(ids[row])) in here}
    others = [name for name, digest in there.items() if digest != here[name]]
    if 2 * len(others) > len(there):
        raise ValueError(
            f"{file.path} is about other items of the same names: {others[0]!r} is something else in {session.path}. "
            "Nothing was taken from it. If the items are the same ones, edited since: `elsa-nb labels export` writes "
            "its answers as a table, and importing that goes by names alone."
        )


def _stored_as(file: LabelFile, annotator: str) -> str:
    """Say under which name labels that one person gave elsewhere were stored: "" for those of nobody or of several.

    In another session, somebody else may have had the name that is used where none is given.
    """
    who, *others = file.given
    if others or who is None or (who == annotator and file.kind != SESSION_KIND):
        return ""
    return (
        f"{'Its answers' if who == annotator else f'The answers of {who}'} were stored as answers of {annotator}; "
        "`--annotator NAME` (in Python Session(annotator=...)) stores them under another name."
    )


def _changes_by_file(session: Session, file: LabelFile, ids: Sequence[str], *, replace: bool) -> Imported:
    """Return what of a file is to be stored, by annotator, given what the session holds now; and how much of each."""
    done = Imported(file)
    # By annotator: one file may hold labels without a name and labels under the session's annotator's own name.
    known: dict[str, dict[str, tuple[int, str]]] = {}  # label and kind of each item
    for who, labels in file.given.items():
        name = session.annotator if who is None or len(file.given) == 1 else who
        there = known.setdefault(name, {a.item: (a.label, a.kind) for a in session.answers(name)})
        answers = []
        for row, label in labels.items():
            item = str(ids[row])
            old, kind = there.get(item, (OPEN, ""))
            if old == OPEN:
                done.new += 1
            elif old == label:
                done.same += 1
                continue
            elif kind != IMPORTED and not replace:
                done.kept.append(item)
                continue
            else:
                done.replaced += 1
            answers.append(Answer(item, old, label))  # rows are those of one pool
            there[item] = label, IMPORTED
        done.stored.append((name, answers))
    return done


def take_back(session: Session, done: Imported) -> None:
    """Take an import back: its items have the labels again that they had before it, or none.

    What a person has answered on screen since then stays.
    """

    def before() -> list[tuple[str, list[Answer]]]:
        back: list[tuple[str, list[Answer]]] = []
        labels: dict[str, dict[str, int]] = {}  # by annotator: what is imported and still stands
        for name, answers in reversed(done.stored):  # the last first: labels of one item may stand in two of them
            if name not in labels:
                labels[name] = {a.item: a.label for a in session.answers(name) if a.kind == IMPORTED}
            ours = [a for a in answers if labels[name].get(a.item) == a.label]
            labels[name] |= {a.item: a.old for a in ours}
            back.append((name, [replace(a, old=a.label, label=a.old) for a in ours]))
        return back

    session.record_all(before, IMPORTED)
