"""What the panel says about the work so far: labels spent, finds and their components, pace; what estimates need.

`controller.py` calls `ProgressFigures`, a few times a second.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from elsa_nb.label.advice import Advisor
from elsa_nb.label.asked_before import standings_of
from elsa_nb.label.audit_pages import AuditPages
from elsa_nb.label.cards import PASSED, POSITIVE, UNSURE
from elsa_nb.label.first_examples import Begin
from elsa_nb.label.offered import is_concluding, is_confident, scores_of
from elsa_nb.label.rounds import first_answers
from elsa_nb.label.second_look import Offer
from elsa_nb.label.stored import SEEN_AGAIN, Asked
from elsa_nb.search.contract import Strategy
from elsa_nb.search.stopping.remaining import Evidence, scale_of

POINTS = 200  # of the discovery curve
LAST_PAGES = 40


class WorkSoFar(NamedTuple):
    """How the work stands: what `figures_of` takes, the `state` of the search, second looks, and all `items`.

    `imported` are rows whose answers came from files or audits; `untold` is why no estimate is shown yet.
    """

    labels: list[int]
    asked: list[Asked]
    starts: list[int]
    state: Strategy
    seeds: np.ndarray
    seconds: list[float]
    seen: dict[str, Any] | None
    offer: Offer | None
    imported: set[int]
    items: int
    untold: str


class ProgressFigures:
    """The figures about the work so far; the scores behind them are computed once per state of the search."""

    def __init__(self, advisor: Advisor):
        self._advisor = advisor
        self._paced: tuple[int, float | None] = (0, None)  # seconds per answer when so many pages had been dealt
        self._scored: tuple[Strategy | None, np.ndarray | None] = (None, None)

    def __call__(self, now: WorkSoFar, examples: list[int], wishes: list[str]) -> dict[str, Any]:
        """Return the figures as plain data; `examples` are rows to be shown, `wishes` what is to come next."""
        labels, asked, starts, state, seeds, seconds, seen, offer, imported, items, untold = now
        scored = self._scored  # as a pair, read once: another thread may put its own there
        if scored[0] is not state:
            scored = self._scored = (state, scores_of(state))
        audit = state if isinstance(state, AuditPages) else None
        not_new = () if audit is None else audit.not_new
        figures = figures_of(labels, asked, starts, len(seeds), seconds, not_new=not_new)
        if len(asked) != self._paced[0]:  # prices would wander while a page is being marked
            self._paced = len(asked), float(np.mean(seconds)) if len(asked) > 1 and len(seconds) else None
        looking = state.least if isinstance(state, Begin) and state.looking else None
        left = None
        if looking is None and is_confident(state):
            over = all_answered(labels, asked, seeds, items)
            evidence = partial(evidence_of, labels, asked, scored[1], seeds, over=over)
            spent = sum(not each.blind for each in asked), figures["labels"], figures["seconds"]
            left = self._advisor(evidence, *spent, seen["pages"] if seen else 0, over=over, untold=untold)
        on_view = {row for each in asked for row in each.rows} | set(seeds.tolist())
        more = {
            "left": left,
            "besides": len(imported - on_view),
            "looking": looking,
            "examples": examples,
            "statement": None if audit is None else audit.statement,
            "prices": "" if audit is None else audit.prices(self._paced[1]),
            "last_page": "" if audit is None else audit.last_page,
            "may_conclude": looking is None and is_concluding(state),
            "wishes": wishes,
            "unasked": items - len(on_view | imported),
            "offer": offer and {"button": offer.button, "why": offer.why},
            "seen": seen,
        }
        return figures | more | {"round": len(asked)}


def figures_of(
    labels: Sequence[int],
    asked: Sequence[Asked],
    starts: Sequence[int],
    seeds: int,
    seconds: Sequence[float],
    *,
    not_new: Sequence[int] | np.ndarray = (),
) -> dict[str, Any]:
    """Return the figures under the grid as plain numbers, ready for the screen.

    `labels` are those of all cards in the order of asking (below -1 where there is no answer), `starts` the first
    positions of the pages, `seconds` the time of each of the last answers. The curve counts finds by labels
    spent. The rows in `not_new` were found before, or are not known to be new yet: they cost labels and are no finds.
    """
    given = np.array(labels, np.int64)
    rows = np.array([row for a in asked for row in a.rows], np.int64)
    answered = np.flatnonzero(given >= UNSURE)
    order = first_answers(rows, given)
    spent = np.zeros(len(given), bool)
    spent[order] = True
    found = spent & (given == POSITIVE) & ~np.isin(rows, not_new)
    components = np.array([name for a in asked for name in a.components])
    curve = np.concatenate([[0], np.cumsum(found[order])])
    points = np.unique(np.linspace(0, len(order), min(POINTS, len(order) + 1)).astype(int))
    pages = np.searchsorted(starts, order, "right") - 1
    n_pages = max(len(starts), 1)
    by_page = np.stack([np.bincount(pages, minlength=n_pages), np.bincount(pages, found[order], minlength=n_pages)])
    by_component = {  # items seen again were counted when they were asked
        name: [int(np.count_nonzero(components[order] == name)), int(np.count_nonzero(components[found] == name))]
        for name in dict.fromkeys(components.tolist())
        if name != SEEN_AGAIN
    }
    total, finds = len(order), int(found.sum())
    return {
        "labels": total,
        "positives": finds,
        "passed": len(set(rows[given == PASSED].tolist()) - set(rows[answered].tolist())),
        "unsure": int((spent & (given == UNSURE)).sum()),
        "seeds": seeds,
        "efficiency": finds / total if total else None,
        "curve": [[int(p), int(curve[p])] for p in points],
        "components": by_component,
        "pages": by_page[:, by_page[0] > 0][:, -LAST_PAGES:].T.astype(int).tolist(),
        "seconds": float(np.median(seconds)) if len(seconds) else None,
    }


def all_answered(labels: Sequence[int], asked: Sequence[Asked], seeds: Sequence[int] | np.ndarray, items: int) -> bool:
    """Whether each of the items is a seed or has an answer on its card."""
    rows = (row for each in asked for row in each.rows)
    known = {row for row, label in zip(rows, labels, strict=True) if label >= UNSURE}
    return len(known | set(np.asarray(seeds).tolist())) == items


def evidence_of(
    labels: Sequence[int],
    asked: Sequence[Asked],
    scores: np.ndarray | None,
    seeds: Sequence[int] | np.ndarray,
    *,
    over: bool = False,
) -> Evidence:
    """Return what an estimate of the missing ones needs, from the cards so far; `scores` (n,) are those of now.

    `over`: every item has an answer. Then no item needs a score, and a search that met no negative may have none.
    """
    given = np.array(labels, np.int64)
    answered = given >= UNSURE
    then = np.concatenate([np.empty(0), *(standings_of(a) for a in asked)])
    rows = np.array([row for a in asked for row in a.rows], np.int64)
    first = np.zeros(len(given), bool)
    first[first_answers(rows, given)] = True
    others = first & ~np.isin(rows, seeds)  # a seed that is asked again is known already, and so is an item seen again
    known = {"labels": given[others], "given": then[others], "seeds": len(seeds)}
    if scores is None:
        return Evidence(np.empty(0) if over else None, (0.0, 1.0), **known)
    free = np.ones(len(scores), bool)
    free[rows[answered]] = free[seeds] = False
    return Evidence(scores[free], scale_of(scores), **known)
