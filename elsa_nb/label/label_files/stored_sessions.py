"""Labels out of another session file of the panel."""

import sqlite3
from pathlib import Path

from elsa_nb.label.label_files.lines import Line, Reading
from elsa_nb.label.session_file import NOT_PLANTED, check_values, read_whole

SESSION_KIND = "session file"


def read(path: Path, shown_as: Path) -> Reading:
    """Return the current answers of all annotators; errors call the file `shown_as`.

    Raises ValueError for another program's database, and CorruptFileError for entries that hold no answers.
    """
    base = sqlite3.connect(":memory:")
    try:
        read_whole(path, base)
        check_values(shown_as, base)
        query = f"SELECT id, item, label, annotator FROM answers WHERE {NOT_PLANTED} ORDER BY id"
        found = base.execute(query).fetchall()
    except sqlite3.DatabaseError as error:
        raise ValueError(f"it is a database, but not a session file ({' '.join(str(error).split())})") from None
    finally:
        base.close()
    return Reading([Line(f"answer {i}", item, label, who) for i, item, label, who in found], SESSION_KIND)
