"""What an open session remembers of its items: their names, and whether it can be about those that are here now."""

import shlex
from collections.abc import Sequence

from elsa_nb.label.places import Places
from elsa_nb.label.remembered import About
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import damaged
from elsa_nb.option_names import option_named


def remembered_about(session: Session, stored: str) -> About:
    """Return what an open session remembers of its items; CorruptFileError, naming it, where that is damaged."""
    try:
        return About.from_json(stored)
    except ValueError as error:
        raise damaged(session.path, error) from None


def names_in(session: Session, annotator: str | None = None) -> list[str] | None:
    """Return the names of the items that an annotator last opened a session with, in their order; None: not known.

    The annotator is by default the session's; for one who never opened it, another's names are returned.
    """
    if (about := about_items(session, annotator)) is None or (names := about.all_names) is None:
        return None
    # Of earlier versions, which took the end of a line in a name for the end of the name.
    return names if len(names) == about.n else None


def about_items(session: Session, annotator: str | None = None) -> About | None:
    """Return what is remembered of the items that `names_in` names."""
    abouts = session.metas("about:")
    about = abouts.get(f"about:{annotator or session.annotator}") or next(iter(abouts.values()), None)
    return None if about is None else remembered_about(session, about)


def remembered_names(session: Session) -> str | None:
    """Return `names_digest` of the items that a session was last opened with by its annotator; None where none was."""
    stored = session.meta(f"about:{session.annotator}")
    return None if stored is None else remembered_about(session, stored).ids


def note_names(session: Session, ids: Sequence[str]) -> None:
    """Let a session that remembers no items yet remember these names, without what is behind them."""
    session.remark_once(f"about:{session.annotator}", About.of(None, [str(item) for item in ids]).to_json())


def check_names(session: Session, ids: Sequence[str]) -> None:
    """Raise ValueError where most names that a session remembers are not among `ids`, or are only row numbers."""
    known = names_in(session)
    if (about := about_items(session)) and about.numbered_before([str(item) for item in ids]):
        raise called_by_numbers(session, str(ids[0]))
    if known is None or 2 * len(Places([str(item) for item in ids]).of(known)) >= len(known):
        return
    there = f"begins with {str(ids[0])!r}" if len(ids) else "has no items"
    raise ValueError(
        f"{session.path} holds answers about other items: it knows {len(known):,}, such as {known[0]!r}, and most of "
        f"them are not in the pool, which {there}. Leave {option_named('pool')} out, or give another session."
    )


def called_by_numbers(session: Session, first: str) -> ValueError:
    """Return the error of a session that knows its items by row numbers, while the first is called `first` now."""
    command = f"elsa-nb labels import NEW.sqlite {shlex.quote(str(session.path))} --pool POOL --item row"
    return ValueError(
        f"{session.path} knows its items by row numbers, and they have ids now, such as {first!r} for row 0: this "
        "version takes ids from the index of a data frame, or from a column such as image_id. "
        f"`{command}` takes the answers over by row, into another session file: go on with that one."
    )
