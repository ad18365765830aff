"""What else may be asked of a session: how fast its annotator answers, and what was said of control items."""

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
