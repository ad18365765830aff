"""Merging lists of rows and their distances: one order everywhere, by (distance, row)."""

import numpy as np

Found = tuple[np.ndarray, np.ndarray]  # rows and their distances
# The reach of fewer rows than wanted: beyond any distance, but below infinity, where a list of all rows ends.
NOTHING = np.finfo(np.float64).max


def by_distance_then_row(distances: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return, row by row, the order that sorts by distance and breaks ties by row number."""
    order = np.argsort(distances, axis=1)
    ordered = np.take_along_axis(distances, order, 1)
    tied = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)  # few have ties, and a stable sort takes four times as long
    by_row = np.argsort(rows[tied], axis=1, kind="stable")
    by_distance = np.argsort(np.take_along_axis(distances[tied], by_row, 1), axis=1, kind="stable")
    order[tied] = np.take_along_axis(by_row, by_distance, 1)
    return order


def nearest_first(rows: np.ndarray, distances: np.ndarray) -> Found:
    """Return each row once with its smallest distance, ordered by (distance, row)."""
    order = np.lexsort((rows, distances))
    _, first = np.unique(rows[order], return_index=True)
    chosen = order[np.sort(first)]
    return rows[chosen].astype(np.int64), distances[chosen]


def farthest_of(reach: np.ndarray, count: int) -> float:
    """Return how far `count` rows reach; nothing is too far as long as they are fewer."""
    return reach[-1] if len(reach) == count else NOTHING


def nearest_allowed(merged: list[Found], count: int, allowed: np.ndarray) -> Found:
    """Merge (rows, distances) pairs: the `count` nearest of the allowed rows."""
    rows = np.concatenate([r for r, _ in merged])
    kept = allowed[rows]
    rows, distances = rows[kept], np.concatenate([d for _, d in merged])[kept]
    enough = 4 * count  # a row is near to several queries, seldom to more than four
    while enough < len(rows):  # sorting everything would take longer than all the rest of a round
        near = distances <= np.partition(distances, enough)[enough]
        found, reach = nearest_first(rows[near], distances[near])
        if len(found) >= count:
            return found[:count], reach[:count]
        enough *= 4
    found, reach = nearest_first(rows, distances)
    return found[:count], reach[:count]
