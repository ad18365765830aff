"""Labels out of another session file of the panel."""

import sqlite3
from pathlib import Path

from elsa_nb.counts import count_of
from elsa_nb.label.label_files.lines import Line, Reading
from elsa_nb.label.label_files.names import Names
from elsa_nb.label.present_answer import ANSWERS
from elsa_nb.label.remembered import About, unpacked_names
from elsa_nb.label.session_file import check_values, read_whole
from elsa_nb.option_names import option_told

SESSION_KIND = "session file"
_WAYS = ("row", "item")


def read(path: Path, shown_as: Path, names: Names, item: str | None) -> Reading:
    """Return the current answers of all annotators; errors call the file `shown_as`.

    With `item` "row", the answers are about the rows that their items had in the session; with "item", or None, about
    items of these names. Raises ValueError for another program's database, and for a session whose items had row
    numbers for names, where `item` is None and as many have other names now; CorruptFileError for entries that hold no
    answers.
    """
    base = sqlite3.connect(":memory:")
    try:
        read_whole(path, base)
        check_values(shown_as, base)
        query = f"SELECT id, item, label, annotator FROM ({ANSWERS}) ORDER BY id"  # its own view may be an earlier one
        found = base.execute(query).fetchall()
        stored = base.execute("SELECT value FROM meta WHERE key GLOB 'about:*'").fetchall()
    except sqlite3.DatabaseError as error:
        raise ValueError(f"it is a database, but not a session file ({' '.join(str(error).split())})") from None
    finally:
        base.close()
    abouts = [About.from_json(about) for (about,) in stored]
    contents = {name: digest for about in abouts for name, digest in about.contents.items()}
    if item is None and any(about.numbered_before(names.ids) for about in abouts):
        raise ValueError(
            f"its items had row numbers for names, and {names.ids[0]!r} is the name of row 0 here: "
            f"{option_told('item', 'row')} takes the answers by row, which is right where the rows are in the same "
            f"order; {option_told('item', 'item')} by name"
        )
    notes = []
    if item == "row":
        now = _names_by_row(abouts, names)
        gone = sum(name not in now for _, name, _, _ in found)
        notes = [f"{count_of(gone, 'answer')} about items that had no row any more were left out"] if gone else []
        found = [(i, now[name], label, who) for i, name, label, who in found if name in now]
        contents = {now[name]: digest for name, digest in contents.items() if name in now}
    elif item not in (None, "item"):
        raise ValueError(f"item = {item!r}; of a session file allowed: {', '.join(_WAYS)}")
    lines = [Line(f"answer {i}", name, label, who) for i, name, label, who in found]
    return Reading(lines, SESSION_KIND, notes=notes, heeded=frozenset({"item"}), contents=contents)


def _names_by_row(abouts: list[About], names: Names) -> dict[str, str]:
    """Return {name in the session: name here} of items in the same row; ValueError where rows cannot be compared."""
    remembered = {about.names for about in abouts if about.names is not None and about.n == len(names.ids)}
    if len(remembered) != 1 or len(before := unpacked_names(remembered.pop())) != len(names.ids):
        sizes = sorted({about.n for about in abouts})
        what = f"{', '.join(f'{n:,}' for n in sizes)} items, and {len(names.ids):,} are here" if sizes else "no items"
        raise ValueError(f"it does not say which row each item had: it remembers {what}")
    here = {name: row for row, name in enumerate(names.ids)}
    moved = next((name for row, name in enumerate(before) if here.get(name, row) != row), None)
    if moved is not None and before != [*map(str, range(len(before)))]:  # those were row numbers, and no names
        raise ValueError(
            f"its items are here in other rows: {moved!r} was in row {before.index(moved):,} and is in row "
            f"{here[moved]:,}; {option_told('item', 'item')} takes the answers by name"
        )
    return dict(zip(before, names.ids, strict=True))
