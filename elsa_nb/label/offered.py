"""What a search may offer beyond `query`, `update` and `log`, and what holds where it does not: asked only here.

A registered strategy offers all of `RegisteredStrategy`, and somebody's own any part of it, by the same names:

- `scores()`: else the panel does not estimate what is missing;
- `positives`: else no card shows the find nearest to it;
- `components`: else its parts have the names of the contract;
- `amend()`: else the search keeps to the first answers, and the page says so;
- `may_conclude` and `conclude()`, which few have: else there is no final search to go over to;
- `shared_parts()`: else copies share what is large among its attributes;
- `search`, where it wraps another: that one is asked as well.

What only the panel's own strategies have, `Begin` and `AuditPages`, is asked of these classes.
"""

from collections.abc import Mapping
from typing import Any, TypeGuard

import numpy as np

from elsa_nb.pool import Pool
from elsa_nb.search.contract import Amendable, Component, Concluding, Confident, QueryError, Sharing, Strategy
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.large_rows import LargeRows
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.neighbours.bounds import Sketch
from elsa_nb.search.neighbours.lists import Neighbours

# Of a strategy that does not name its components: the numbers of the contract are taken to mean what they say there.
_NAMES: Mapping[int, str] = {
    Component.NN: "NN",
    Component.RANDS: "RandS",
    Component.FINAL: "final",
    Component.PROBE: "probe",
}
# Components of the panel's own strategies (first_examples.py, fixed_rows.py); 18 is that of an audit. What was answered
# before the present search began is EARLIER, however it came to be asked.
SAMPLE, GIVEN, EARLIER = 16, 17, 19
PANEL_COMPONENTS = {SAMPLE: "sample", GIVEN: "given", EARLIER: "earlier"}

# What copies of a strategy share if it does not say so itself: large parts, whose answers no search changes.
_SHARED = (Pool, Neighbours, Features, Sketch, PreparedRows, LargeRows)


def is_search(part: object) -> TypeGuard[Strategy]:
    """Whether an attribute of a search is another one, inside it."""
    return callable(getattr(part, "query", None))


def is_confident(search: object) -> TypeGuard[Confident]:
    """Whether a search has scores; there may be none yet."""
    return callable(getattr(search, "scores", None))


def is_amendable(search: object) -> TypeGuard[Amendable]:
    """Whether a search takes corrections of earlier answers."""
    return callable(getattr(search, "amend", None))


def is_concluding(search: object) -> TypeGuard[Concluding]:
    """Whether a search has a final one that is still to come."""
    return bool(getattr(search, "may_conclude", False)) and callable(getattr(search, "conclude", None))


def components_of(search: object) -> Mapping[int, str]:
    """Return the names of the parts of a search."""
    named = getattr(search, "components", None)
    return _NAMES if named is None else named


def shared_parts_of(search: Strategy) -> list[Any]:
    """Return what copies of `search` may share, as it says, or else as its attributes show."""
    parts, queue = [], [search]
    while queue:
        one = queue.pop()
        if isinstance(one, Sharing):
            parts += one.shared_parts()
            continue
        for part in vars(one).values():  # a user's own strategy, or one inside another
            if isinstance(part, _SHARED) or (isinstance(part, np.ndarray) and part.nbytes > 1 << 22):
                parts.append(part)
            elif is_search(part) and hasattr(part, "__dict__"):
                queue.append(part)
    return parts


def vectors_of(search: Strategy) -> np.ndarray | None:
    """Return the vectors (n, d) that the search works on, None where it shows none; prepared rows do not count."""
    found = [part.vectors for part in shared_parts_of(search) if isinstance(part, Pool | Neighbours | Features)]
    return found[0] if found else None


def pool_ids(search: Strategy) -> np.ndarray | None:
    """Return the ids (n,) of the pool that the search works on, None where it shows none."""
    return next((part.ids for part in shared_parts_of(search) if isinstance(part, Pool)), None)


def scores_of(search: Strategy) -> np.ndarray | None:
    """Return the search's confidence (n,) in each row, None where it has none (yet), or scores outside 0 to 1."""
    if not is_confident(search):
        return None
    try:
        scores = search.scores()
    except QueryError:
        return None
    # Raw log-odds, or distances, have no log-odds themselves: their scale is NaN, which no session file can hold.
    return scores if ((scores >= 0) & (scores <= 1)).all() else None


def positives_of(search: object) -> np.ndarray:
    """Return the rows known to be positive, seeds included; none where the search does not say."""
    return np.asarray(getattr(search, "positives", ()), np.int64)


def uncorrected(search: Strategy) -> str:
    """Say that later corrections of answers do not count for `search`, or for the one inside it; "": they do."""
    one: object = search
    while is_amendable(one):
        one = getattr(one, "search", None)
        if not is_search(one):
            return ""
    return (
        f"{type(one).__name__} has no amend(), so this search keeps to the first answers: a later one is kept and "
        "exported, but does not change what is asked."
    )


def component_name(search: Strategy, component: int) -> str:
    """Name a component of `search` as the session file keeps it."""
    return components_of(search).get(component, f"component {component}")
