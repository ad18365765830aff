"""What the panel needs from a search beyond `query` and `update`: scores, vectors, names, corrections."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from elsa_nb.pool import Pool
from elsa_nb.search.contract import Component, QueryError, Sharing, Strategy
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.large_rows import LargeRows
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.neighbours.bounds import Sketch
from elsa_nb.search.neighbours.lists import Neighbours

# Of a strategy that does not name its components: the numbers of the contract are taken to mean what they say there.
_NAMES = {Component.NN: "NN", Component.RANDS: "RandS", Component.FINAL: "final", Component.PROBE: "probe"}
# Components of the panel's own strategies (first_examples.py, fixed_rows.py); 18 is that of an audit. What was answered
# before the present search began is EARLIER, however it came to be asked.
SAMPLE, GIVEN, EARLIER = 16, 17, 19
PANEL_COMPONENTS = {SAMPLE: "sample", GIVEN: "given", EARLIER: "earlier"}

# What copies of a strategy share if it does not say so itself: large parts, whose answers no search changes.
_SHARED = (Pool, Neighbours, Features, Sketch, PreparedRows, LargeRows)


@runtime_checkable
class Amendable(Protocol):
    """A search that can be told that an earlier answer was wrong."""

    def amend(self, rows: Sequence[int], labels: Sequence[int]) -> None:
        """Replace the labels of rows answered in earlier rounds."""


def shared_parts_of(search: Strategy) -> list:
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
            elif callable(getattr(part, "query", None)) and hasattr(part, "__dict__"):
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
    if not hasattr(search, "scores"):
        return None
    try:
        scores = search.scores()
    except QueryError:
        return None
    # Raw log-odds, or distances, have no log-odds themselves: their scale is NaN, which no session file can hold.
    return scores if ((scores >= 0) & (scores <= 1)).all() else None


def positives_of(search: Strategy) -> np.ndarray:
    """Return the rows known to be positive, seeds included."""
    return np.asarray(getattr(search, "positives", ()), np.int64)


def uncorrected(search: Strategy) -> str:
    """Say that later corrections of answers do not count for `search`, or for the one inside it; "": they do."""
    while isinstance(search, Amendable):
        search = getattr(search, "search", None)
        if not callable(getattr(search, "query", None)):
            return ""
    return (
        f"{type(search).__name__} has no amend(), so this search keeps to the first answers: a later one is kept and "
        "exported, but does not change what is asked."
    )


def component_name(search: Strategy, component: int) -> str:
    """Name a component of `search` as the session file keeps it."""
    return getattr(search, "components", _NAMES).get(component, f"component {component}")
