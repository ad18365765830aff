"""What the panel says about the work so far: labels spent, finds and their components, pace, how many remain.

`controller.py` calls both functions, a few times a second.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from elsa_nb.label.remaining import Evidence, RemainingEstimate
from elsa_nb.label.rounds import Asked

POINTS = 200  # of the discovery curve
LAST_PAGES = 40


def figures_of(
    labels: Sequence[int],
    asked: Sequence[Asked],
    starts: Sequence[int],
    seeds: int,
    seconds: Sequence[float],
    remaining: RemainingEstimate | None = None,
) -> dict[str, Any]:
    """Return the figures under the grid as plain numbers, ready for the screen.

    `labels` are those of all cards in the order of asking (-2 where there is none yet), `starts` the first positions
    of the pages, `seconds` the time of each answer given on this panel. The curve counts finds by labels spent.
    """
    given = np.array(labels, np.int64)
    rows = np.array([row for a in asked for row in a.rows], np.int64)
    first = np.zeros(len(given), bool)
    first[np.unique(rows, return_index=True)[1]] = True  # an item asked again was filled in: it cost nothing
    spent, found = first & (given > -2), first & (given == 1)
    components = np.array([name for a in asked for name in a.components])
    order = np.flatnonzero(spent)
    curve = np.concatenate([[0], np.cumsum(found[order])])
    points = np.unique(np.linspace(0, len(order), min(POINTS, len(order) + 1)).astype(int))
    pages = np.searchsorted(starts, order, "right") - 1
    n_pages = max(len(starts), 1)
    by_page = np.stack([np.bincount(pages, minlength=n_pages), np.bincount(pages, found[order], minlength=n_pages)])
    by_component = {
        name: [int(np.count_nonzero(components[order] == name)), int(np.count_nonzero(components[found] == name))]
        for name in dict.fromkeys(components.tolist())
    }
    total, finds = len(order), int(found.sum())
    return {
        "labels": total,
        "positives": finds,
        "unsure": int((spent & (given == -1)).sum()),
        "seeds": seeds,
        "efficiency": finds / total if total else None,
        "curve": [[int(p), int(curve[p])] for p in points],
        "components": by_component,
        "pages": by_page[:, by_page[0] > 0][:, -LAST_PAGES:].T.astype(int).tolist(),
        "seconds": float(np.median(seconds)) if len(seconds) else None,
        "left": None if remaining is None else remaining._asdict(),
    }


def evidence_of(labels: Sequence[int], asked: Sequence[Asked], scores: np.ndarray | None, n: int) -> Evidence:
    """Return what an estimator of the number left needs, from the cards so far."""
    given = np.array(labels, np.int64)
    rows = np.array([row for a in asked for row in a.rows], np.int64)
    then = np.array([np.nan if s is None else s for a in asked for s in a.scores])
    names = np.array([name for a in asked for name in a.components])
    rounds = np.array([a.number for a in asked for _ in a.rows], np.int64)
    answered = given > -2
    mask = np.zeros(n, bool)
    mask[rows[answered]] = True
    return Evidence(scores, mask, given[answered], then[answered], names[answered], rounds[answered])
