"""What a session is about, and how it goes on when it is opened with something else.

Two folders may hold the same names (img_000.jpg) and different pictures: the answers about the one must never stand for
the other. And a collection grows and shrinks while somebody works on it: then the answers go with their items. So a
session keeps the names of its items and, of a few, a digest of what is behind them. Same names with other contents are
another collection, whatever the folder is called; other names, with the same contents for the items that both have, are
the same collection, grown or shrunk, here or on another machine. `Panel` calls `settle`, then `Controller` `remember`.
"""

import json
import shlex
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.counts import count_of
from elsa_nb.label.answers import Answer, Given
from elsa_nb.label.cards import OPEN
from elsa_nb.label.gone_items import lost_answers_said
from elsa_nb.label.places import Places
from elsa_nb.label.present_answer import ANSWERS
from elsa_nb.label.remembered import About, content_digest
from elsa_nb.label.remembered_items import called_by_numbers, remembered_about
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import APPLICATION, damaged, look_into
from elsa_nb.option_names import option_told

RENAMED = "renamed"  # of the events that give an answer the name that its item has now
_MOST = 3  # files named in a sentence
_CLOCK = 2.0  # seconds by which the time of a file may be wrong: some disks count so


@dataclass(frozen=True)
class Settled:
    """How a session goes on.

    `carried`: rows that were answered about an earlier state of the collection. `fresh`: that state differs from the
    one in the file, so the search begins anew. `about` is what the session is to remember (None: what it does already),
    `notice` a message to the person. `renamed`: {old name: new name} of answered items, where letter case or form of
    accents has changed. `replaced` says which answered files were overwritten since, "" if none was.
    """

    carried: np.ndarray
    fresh: bool = False
    notice: str = ""
    about: About | None = None
    renamed: dict[str, str] = field(default_factory=dict)
    replaced: str = ""


def settle(session: Session, items: Any, ids: Sequence[str]) -> Settled:
    """Return how `session` goes on with `items` called `ids`; ValueError where its answers are about other items.

    Nothing is written here.
    """
    ids = [str(item) for item in ids]
    place = Places(ids)
    before = [remembered_about(session, stored) for stored in session.metas("about:").values()]
    for about in before:
        _check_contents(session, items, place, about)
    own = session.meta(f"about:{session.annotator}")
    return replace(_course(session, items, ids, place), replaced=_replaced(session, items, place, own))


def _course(session: Session, items: Any, ids: list[str], place: Places) -> Settled:
    now = About.of(items, ids)
    if (stored := session.meta(f"about:{session.annotator}")) is None:
        # The annotator is new, or the session is from before items were remembered: `replay` compares rows and names.
        return Settled(np.empty(0, np.int64), about=now)
    own = remembered_about(session, stored)
    if own.ids == now.ids and not own.contents and now.contents:  # `note_names`: names alone were known
        return Settled(np.empty(0, np.int64), about=now)
    if own.ids == now.ids:
        items_before, _ = _carried(session)
        if lost := [item for item in items_before if item not in place.rows]:
            raise damaged(session.path, f"it carries an answer to {lost[0]!r}, which is not one of its items")
        return Settled(np.array([place.rows[item] for item in items_before], np.int64))
    found, lost = answered_items(session, place)
    renamed = {item: ids[row] for item, row in found.items() if item != ids[row]}
    return Settled(rows_in(found), True, _notice_of_change(own, place, lost_answers_said(items, lost)), now, renamed)


def _replaced(session: Session, items: Any, place: Places, stored: str | None) -> str:
    """Say which files were written after the annotator's answers about them: these may be about other pictures.

    If most files are newer, the folder was copied, which gives files a new time; unless a remembered one has changed.
    """
    if stored is None or not hasattr(items, "written"):
        return ""
    remembered = remembered_about(session, stored).contents
    answered = dict(session.current("item", "at"))
    rows, newer = place.of(answered), []
    same = {item for item in remembered if item in rows and content_digest(items, rows[item]) == remembered[item]}
    for item, row in rows.items():
        written = items.written(row)
        if written is not None and written > answered[item] + _CLOCK and item not in same:
            newer.append(item)
    if not newer or (2 * len(newer) > len(rows) and not any(item in remembered for item in newer)):
        return ""
    listed = ", ".join(newer[:_MOST]) + (", ..." if len(newer) > _MOST else "")
    if len(newer) == 1:
        return f"1 file was overwritten after you answered it, and its answer was kept: {listed}. Look at it again."
    many = f"{len(newer):,} files were overwritten after you answered them, and their answers were kept"
    return f"{many}: {listed}. Look at them again."


def earlier_sessions(folder: Path, items: Any) -> list[str]:
    """Say of each session file in `folder` that is about `items` how to go on with it; nothing is written to any.

    A folder of pictures that was renamed or moved begins a session by its new name: its answers are in the old one.
    Files that cannot be read are counted and named.
    """
    place, said, passed = Places([str(item) for item in items.ids]), [], []
    for path in sorted(folder.glob("*.sqlite")):
        try:
            answers, abouts = _answers_about(path)
        except (sqlite3.Error, OSError, ValueError) as error:  # damaged, or not a database
            passed.append(f"{path.name} ({' '.join(str(error).split())})")
            continue
        about = next((each for each in abouts if each.contents), None)
        if answers and about is not None and _compared(items, place, about)[0]:
            then = f", then in {about.where}" if about.where else ""
            what = f"{answers:,} answer{'s' * (answers != 1)} about the same items{then}"
            said.append(f"{path.name} holds {what}. To go on with them: {option_told('session', str(path))}")
    if passed:
        many = "1 file here ends" if len(passed) == 1 else f"{len(passed)} files here end"
        listed = "; ".join(passed[:_MOST]) + ("; ..." if len(passed) > _MOST else "")
        said.append(f"{many} in .sqlite and cannot be read; no earlier answers were looked for there: {listed}")
    return said


def _answers_about(path: Path) -> tuple[int, list[About]]:
    """Return how many answers a session file holds, and about what; 0 and nothing for another program's database."""
    with closing(look_into(path)) as base:
        if base.execute("PRAGMA application_id").fetchone() != (APPLICATION,):
            return 0, []
        abouts = base.execute("SELECT value FROM meta WHERE key GLOB 'about:*'").fetchall()
        ((answers,),) = base.execute(f"SELECT count(*) FROM ({ANSWERS})").fetchall()
    return answers, [About.from_json(stored) for (stored,) in abouts]


def answered_items(session: Session, place: Places) -> tuple[dict[str, int], list[str]]:
    """Return the rows of the items that the annotator has answered, in order, and those that are not here any more."""
    items = [item for (item,) in session.current("item")]
    found = place.of(items)
    return found, [item for item in items if item not in found]


def rows_in(found: dict[str, int]) -> np.ndarray:
    """Return the rows that `answered_items` has found, in its order."""
    return np.array(list(found.values()), np.int64)


def remember(session: Session, settled: Settled, ids: Sequence[str]) -> None:
    """Write down what the session is about now, and, for a fresh course, which answers were carried into it.

    The annotator's rounds of the earlier state go; the answers stay, those of renamed items under their new names.
    """
    if settled.renamed:

        def moved() -> Given:
            known = session.known()
            pairs = [(item, known[item], now) for item, now in settled.renamed.items() if item in known]
            gone = [Answer(item, label, OPEN) for item, label, _ in pairs]
            came = [Answer(now, OPEN, label) for _, label, now in pairs if now not in known]
            return [(session.annotator, [*gone, *came])]

        session.record_all(moved, RENAMED)
    if settled.about:
        session.remark(f"about:{session.annotator}", settled.about.to_json())
    if settled.fresh:
        items = [str(ids[row]) for row in settled.carried]
        session.remark(f"carried:{session.annotator}", json.dumps({"items": items, "after": session.mark()[0]}))
        session.replace_rounds([])


def carried_after(session: Session, annotator: str | None = None) -> int:
    """Return the last event of an annotator's that is about an earlier state of the collection, 0 if none is."""
    return _carried(session, annotator)[1]


def _carried(session: Session, annotator: str | None = None) -> tuple[list[str], int]:
    """Return what `remember` wrote of a fresh course: the items whose answers were carried, and the last event before.

    No items and 0 where no course was begun anew; CorruptFileError where it is damaged.
    """
    if (stored := session.meta(f"carried:{annotator or session.annotator}")) is None:
        return [], 0
    carried = json.loads(stored)
    if isinstance(carried, dict):
        items, after = carried.get("items"), carried.get("after")
        if isinstance(items, list) and all(isinstance(item, str) for item in items) and isinstance(after, int):
            return items, after
    raise damaged(session.path, "what it says of the answers that were carried is not a record of them")


def names_of(pool_ids: Sequence[str] | None, items: Any, named: Sequence[str] | None = None) -> list[str]:
    """Return the name of each row: the pool's ids, or the items' own where the pool has only numbers.

    `named` are the names (n,) that a data frame has for the rows of a column that was handed over as items.
    Raises ValueError where both have names and they differ, where there are not as many of both, and for a column of
    the pool's items in another order.
    """
    own = [str(item) for item in items.ids]
    if pool_ids is None:
        return own
    pool = [str(item) for item in pool_ids]
    if len(own) != len(pool):
        raise ValueError(
            f"{len(own)} images or texts for a pool of {len(pool)} rows; give one per row, in the pool's order"
        )
    numbers = [str(row) for row in range(len(pool))]
    if pool == numbers:  # which numbers a frame has for its rows says nothing then: it may have been shuffled before
        return own
    if named is not None and set(named) == set(pool):
        own = list(named)
    if own not in (pool, numbers):
        row = next(row for row, pair in enumerate(zip(own, pool, strict=True)) if pair[0] != pair[1])
        raise ValueError(
            f"row {row} is {pool[row]!r} in the pool and {own[row]!r} among the images; give them in the pool's order, "
            "under its ids"
        )
    return pool


def _compared(items: Any, place: Places, about: About) -> tuple[bool, list[str], bool]:
    """Return whether items are those that a session was about, which names now mean others, and if all are gone."""
    found = place.of(about.contents)
    _, others = _alike(items, found, about)
    known = _known(about)
    gone = not found if about.contents else bool(known) and not place.of(known)  # names alone may be known
    return not gone and 2 * len(others) <= len(found), others, gone  # some may have been edited since


def _alike(items: Any, rows: dict[str, int], about: About) -> tuple[int, list[str]]:
    """Return how many names, at `rows` {name: row} now, have the contents that a session knows, and which have not."""
    digests = {item: content_digest(items, row) for item, row in rows.items()}
    others = [item for item, digest in digests.items() if digest not in (None, about.contents[item])]
    return len(digests) - len(others) - list(digests.values()).count(None), others


def _known(about: About) -> list[str]:
    """Return names of items that a session was about: of those whose contents it knows, or of all."""
    return list(about.contents) or about.all_names or []


def _check_contents(session: Session, items: Any, place: Places, about: About) -> None:
    if about.numbered_before(list(place.rows)) and _by_row(items, place, about):
        raise called_by_numbers(session, next(iter(place.rows)))
    old, another = shlex.quote(str(session.path)), f"Give another session file ({option_told('session')})"
    same, others, gone = _compared(items, place, about)
    if same:
        return
    first = _known(about)[0] if gone else others[0]
    said = "not here, nor is any other that was looked for" if gone else "something else there"
    cure = f"{another}, or the items it was made with."
    if gone:  # where the names mean other items now, they would lead the answers astray
        cure += " If these are the same items, and their names only gained or lost a folder in front (1.jpg, now "
        cure += f"cats/1.jpg): `elsa-nb labels import NEW.sqlite {old} --pool POOL` takes the answers over."
    where = f" ({about.where})" if about.where else ""
    raise ValueError(f"{session.path} holds answers about other items{where}: {first!r} is {said}. {cure}")


def _by_row(items: Any, place: Places, about: About) -> bool:
    """Whether the items of a session that knows row numbers are those in the same rows, for all that contents tell.

    Where they tell of no difference, a number may be a row or a name: nobody can know which is meant.
    """
    rows = {item: row for row, item in enumerate(map(str, range(about.n))) if item in about.contents}
    by_row, others = _alike(items, rows, about)
    return by_row >= len(others) and by_row >= _alike(items, place.of(about.contents), about)[0]


def _notice_of_change(about: About, place: Places, lost: str) -> str:
    said = f"The collection has {count_of(len(place.rows), 'item')} now, {about.n:,} when this session was last open"
    if (names := about.all_names) is not None:
        before = set(names)
        still = place.of(before)
        other = sum(name not in place.rows for name in still)
        said += f": {len(place.rows) - len(still):,} new, {len(before) - len(still):,} gone"
        said += f", {other:,} spelt differently (letter case, accents)" if other else ""
    said += ". Your answers went with their items, and the search goes on from them."
    return f"{said} {lost}".rstrip()
