"""What each column of a line of a session's log may hold: one rule for opening a session and for rescuing it.

A column of SQLite takes any value, so a damaged one can hold what no writer of ours ever wrote.
"""

from typing import Any

STORED_LABELS = range(-3, 2)  # that an answer may have
_LAST = 253_402_300_799  # seconds since 1970: the end of the year 9999, after which nothing has a date

_A_LABEL = "typeof({0}) = 'integer' AND {0} BETWEEN " + f"{STORED_LABELS[0]} AND {STORED_LABELS[-1]}"
_A_TEXT = "typeof({0}) = 'text'"
_A_PLACE = "{0} IS NULL OR (typeof({0}) = 'integer' AND {0} >= 0)"
_A_NUMBER = "typeof({0}) IN ('null', 'real', 'integer')"
_RULES = {
    "annotator": _A_TEXT,
    "action": "typeof({0}) = 'integer' AND {0} BETWEEN 0 AND 9007199254740992",
    "kind": _A_TEXT,
    "round": "typeof({0}) IN ('null', 'integer')",
    "position": _A_PLACE,
    "item": _A_TEXT,
    "row": _A_PLACE,
    "old": _A_LABEL,
    "label": _A_LABEL,
    "component": "typeof({0}) IN ('null', 'text')",
    "score": _A_NUMBER,
    "seconds": _A_NUMBER,
    "at": f"typeof({{0}}) IN ('real', 'integer') AND {{0}} BETWEEN 0 AND {_LAST}",
    "code": _A_TEXT,
}
LINE_HOLDS = " AND ".join(f"({rule.format(name)})" for name, rule in _RULES.items())  # a condition on a row of `events`
# Whether each column does what `_RULES` says, of a row of values given by name.
COLUMNS_HOLD = "SELECT " + ", ".join(f"({rule.format(f':{name}')}) AS {name}" for name, rule in _RULES.items())
# What replaces a damaged value in columns that may not be empty; the line is an answer without them, too.
_INSTEAD: dict[str, Any] = {"action": 0, "code": ""}
_OPTIONAL = ("round", "position", "row", "component", "score", "seconds")


def mended(line: dict[str, Any], holds: dict[str, Any], before: float) -> dict[str, Any] | None:
    """Return a line of the log without the columns that do not hold, by `COLUMNS_HOLD`; None where it is no answer.

    A time that is lost becomes `before`, that of the line before it.
    """
    lost = {name for name, well in holds.items() if not well}
    instead = _INSTEAD | dict.fromkeys(_OPTIONAL) | {"at": before}
    return None if lost - set(instead) else line | {name: instead[name] for name in lost}
