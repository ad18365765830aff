"""Which finds of a search an audit shows again: a few on a page, at random places, to measure what a person overlooks.

Early pages have more of them than later ones: the measure is soon good enough, and each of them costs an answer. Later
pages keep some, since attention changes. How many there are differs from page to page: whoever knew the number would
stop looking after the last.
"""

from dataclasses import dataclass

import numpy as np

LEAST = 8  # finds: of fewer, all seen, not even half of all positives could be said to be seen
WELL_MEASURED = 60  # shown again, all seen: at least 0.91 of all positives are seen then
EARLY, LATE = 20, 60  # cards for each find that is shown again, before and after that


@dataclass(frozen=True)
class ShownAgain:
    """The finds `rows` shown again on each page of an audit, and their `places` on it, from 0 to 1; by page."""

    rows: tuple[np.ndarray, ...] = ()
    places: tuple[np.ndarray, ...] = ()

    def on(self, page: int) -> np.ndarray:
        """Return the finds shown again on a page."""
        return self.rows[page] if page < len(self.rows) else np.empty(0, np.int64)

    def mixed(self, page: int, rows: np.ndarray) -> np.ndarray:
        """Return the `rows` of a page with the finds that are shown again on it in their places."""
        if page >= len(self.rows):
            return rows
        return np.insert(rows, (self.places[page] * (len(rows) + 1)).astype(int), self.rows[page])

    def after(self, page: int, labels: int, size: int) -> np.ndarray:
        """Return the finds shown again on the pages of `size` cards from `page` on that hold the next `labels` rows."""
        shown = [np.empty(0, np.int64)]
        while labels > 0 and page < len(self.rows):
            shown.append(self.rows[page])
            labels -= size - len(self.rows[page])
            page += 1
        return np.concatenate(shown)


def shown_again_of(finds: np.ndarray, rows: int, size: int, rng: np.random.Generator) -> ShownAgain:
    """Return which of `finds` come again on the pages, of `size` cards, of an audit of `rows` rows; none of too few.

    Each comes at most once.
    """
    if len(finds) < LEAST or size < 2:
        return ShownAgain()
    order = rng.permutation(finds)
    pages, places, shown = [], [], 0
    while shown < len(order) and rows > 0:
        each, least = (EARLY, 1) if shown < WELL_MEASURED else (LATE, 0)
        mean = max(1, round(size / each))
        count = min(int(rng.integers(least, 2 * mean + 1 - least)), size - 1)
        pages.append(order[shown : shown + count])
        places.append(rng.random(len(pages[-1])))
        shown, rows = shown + count, rows - (size - len(pages[-1]))
    return ShownAgain(tuple(pages), tuple(places))
