"""Algorithms 1-3 and the final search of the paper, as functions of row numbers; comments mark the paper's lines.

The networks of Algorithm 1, line 1, and of Algorithm 3, lines 1 and 2, were applied before: a row is g(x) already.
`allowed` is always a boolean mask (n,) of the rows that may be returned; rows come back as int64, without duplicates,
in the order in which the oracle is to see them.
"""

import numpy as np

from elsa_nb.search.neighbours.bounds import Sketch
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.neighbours.ordering import nearest_first

PER = ("total", "query")
RANDS = ("algorithm 2", "appendix b", "sampled points")


def nearest_neighbours(
    neighbours: Neighbours | Sketch,
    queries: np.ndarray,
    a: int,
    allowed: np.ndarray,
    *,
    per: str = "total",
) -> np.ndarray:
    """Return the allowed rows nearest to the queries: Algorithm 1, NN(queries, a).

    `per` = "total": the first `a` rows of one list sorted by the distance to the nearest query (the paper's text). A
    query that is allowed is its own nearest neighbour, at distance 0 (none is in the paper's reading: all are known).
    `per` = "query": the `a` nearest rows of each query, never itself, together.
    """
    # Lines 2 to 4: the distances of all rows to all queries, the least of each row, and the rows sorted by it.
    # Lines 5 and 6: the first `a` of them. `neighbours` returns the same without measuring every row.
    if per == "query":
        return nearest_first(*neighbours.nearest_to_each(queries, a, allowed))[0]
    return neighbours.nearest_to_any(queries, a, allowed, include_queries=True)[0]


def sampler(scores: np.ndarray, alpha: float, allowed: np.ndarray) -> np.ndarray:
    """Return the allowed rows whose score exceeds mean + alpha std of all scores: Algorithm 3.

    `scores` (n,) are the head's confidences over the whole pool (lines 3 and 4); mean and (population) std are taken
    over all of it.
    """
    threshold = scores.mean() + alpha * scores.std()  # line 5
    return np.flatnonzero((scores > threshold) & allowed)  # line 6


def random_search(
    neighbours: Neighbours | Sketch,
    likely: np.ndarray,
    l: int,  # noqa: E741 - the paper's tables are indexed by this letter
    b: int,
    allowed: np.ndarray,
    rng: np.random.Generator,
    *,
    variant: str = "algorithm 2",
) -> np.ndarray:
    """Return at most `b` allowed rows near `l` randomly sampled `likely` rows: Algorithm 2, RandS(likely, b).

    - "algorithm 2": the b rows nearest to the sampled points, where a sampled point is never its own neighbour;
    - "appendix b": the nearest neighbour of each sampled point, the first b distinct rows by distance;
    - "sampled points": as algorithm 2, but a sampled point is its own nearest neighbour (the released code), so that
      with b <= l the sampled points themselves come back.
    """
    if not len(likely):
        return np.empty(0, np.int64)
    sampled = rng.choice(likely, size=min(l, len(likely)), replace=False)  # line 1: L* <- l random points of L
    if variant == "appendix b":
        return nearest_first(*neighbours.nearest_to_each(sampled, 1, allowed))[0][:b]
    # Lines 2 to 4: NN(L*, b)
    return neighbours.nearest_to_any(sampled, b, allowed, include_queries=variant == "sampled points")[0]


def final_search(scores: np.ndarray, alpha: float, allowed: np.ndarray, budget: int | None = None) -> np.ndarray:
    """Return the rows the sampler proposes after the last round, most confident first (Algorithm 4, line 13).

    Equal scores are ordered by row. `budget` keeps that many of the first; None keeps all above the threshold.
    """
    rows = sampler(scores, alpha, allowed)
    return rows[np.lexsort((rows, -scores[rows]))][:budget]
