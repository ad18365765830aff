"""What else may be asked of a session: who differs or was last at work, how fast people answer, control items."""

from typing import Any

from elsa_nb.label.present_answer import NOT_PLANTED, PLANTED
from elsa_nb.label.session import Session

_PACE = 500  # answers


def pace_of(session: Session) -> list[float]:
    """Return the seconds that the annotator's last answers took, at most 500, in the order of answering."""
    query = f"SELECT seconds FROM events WHERE annotator = ? AND kind IN ('answer', '{PLANTED}')"
    query += " AND seconds IS NOT NULL"
    found = session.read(f"{query} ORDER BY id DESC LIMIT {_PACE}", (session.annotator,))
    return [float(each["seconds"]) for each in reversed(found)]


def control_answers(session: Session) -> dict[str, int]:
    """Return {item: label} of what the annotator answered about the control items of an audit."""
    last = f"SELECT max(id) FROM events WHERE annotator = ? AND NOT ({NOT_PLANTED}) GROUP BY item"
    query = f"SELECT item, label FROM events WHERE id IN ({last}) AND label > -2"
    return {each["item"]: each["label"] for each in session.read(query, (session.annotator,))}


def disagreements(session: Session) -> list[dict[str, Any]]:
    """Return items on which annotators differ: {"item": ..., "labels": {annotator: label}}, unsure ignored."""
    given: dict[str, dict[str, int]] = {}
    for answer in session.read("SELECT item, annotator, label FROM answers WHERE label >= 0 ORDER BY item, annotator"):
        given.setdefault(answer["item"], {})[answer["annotator"]] = answer["label"]
    return [{"item": item, "labels": labels} for item, labels in given.items() if len(set(labels.values())) > 1]


def answered_in(session: Session, component: str) -> set[tuple[str, str]]:
    """Return (annotator, item) of what was answered on pages of a component, and not taken back there."""
    last = "SELECT max(id) FROM events WHERE component = ? GROUP BY annotator, item"
    found = session.read(f"SELECT annotator, item FROM events WHERE id IN ({last}) AND label > -2", (component,))
    return {(row["annotator"], row["item"]) for row in found}


def last_at_work(session: Session) -> str | None:
    """Return the annotator who was the last to answer on screen or to begin a round; None where nobody did."""
    work = "SELECT annotator, at FROM rounds UNION ALL SELECT annotator, at FROM events WHERE action > 0"
    found = session.read(f"SELECT annotator FROM ({work}) ORDER BY at DESC LIMIT 1")
    return found[0]["annotator"] if found else None
