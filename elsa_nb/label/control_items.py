"""Which finds of a search an audit shows again as control items: they measure how many positives a person overlooks.

They come a few on a page, at random places, and nothing tells them from the other items. Early pages have more of them
than later ones: the measure is soon good enough, and each of them costs an answer. Some are kept for all pages, the
last ones too, since attention changes: up to half of the finds, where these are few. Each has its place drawn at
random, so how many there are differs from page to page: whoever knew the number would stop looking after the last.
"""

from dataclasses import dataclass

import numpy as np

LEAST = 8  # finds: with fewer, even if all are seen again, it cannot be said that half of all positives are seen
WELL_MEASURED = 60  # control items on the early pages: if all are seen, at least 0.91 of all positives are
EARLY, LATE = 20, 60  # cards for each control item: on the early pages, and over all pages


@dataclass(frozen=True)
class ControlItems:
    """The control items: their `rows` on each page of an audit, and their `places` on it, from 0 to 1; by page."""

    rows: tuple[np.ndarray, ...] = ()
    places: tuple[np.ndarray, ...] = ()

    def on(self, page: int) -> np.ndarray:
        """Return the control items on a page."""
        return self.rows[page] if page < len(self.rows) else np.empty(0, np.int64)

    def mixed(self, page: int, rows: np.ndarray) -> np.ndarray:
        """Return the `rows` of a page with its control items in their places."""
        if page >= len(self.rows):
            return rows
        return np.insert(rows, (self.places[page] * (len(rows) + 1)).astype(int), self.rows[page])

    def after(self, page: int, labels: int, size: int) -> np.ndarray:
        """Return the control items on the pages of `size` cards from `page` on that hold the next `labels` rows."""
        shown = [np.empty(0, np.int64)]
        while labels > 0 and page < len(self.rows):
            shown.append(self.rows[page])
            labels -= size - len(self.rows[page])
            page += 1
        return np.concatenate(shown)


def control_items_of(finds: np.ndarray, rows: int, size: int, rng: np.random.Generator) -> ControlItems:
    """Return the control items among `finds` for an audit of `rows` rows on pages of `size` cards; none of too few.

    Each comes at most once.
    """
    if len(finds) < LEAST or size < 2:
        return ControlItems()
    late = min(len(finds) // 2, max(1, round(rows / LATE)))
    early = min(len(finds) - late, WELL_MEASURED, max(1, round(rows / EARLY)))
    order, cards = rng.permutation(finds)[: late + early], rows + late + early
    kept = rng.choice(cards, late, replace=False)
    at = np.append(rng.choice(np.setdiff1d(np.arange(min(cards, EARLY * early + late)), kept), early, False), kept)
    counts = np.minimum(np.bincount(at // size, minlength=-(-cards // size)), size - 1)  # a page asks something new
    pages = np.split(order[: counts.sum()], np.cumsum(counts)[:-1])
    return ControlItems(tuple(pages), tuple(rng.random(len(page)) for page in pages))
