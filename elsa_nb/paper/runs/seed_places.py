"""Where the seeds of stored searches lie in their class: what section 3.3 says that a search depends on.

A search's seeds follow from its class, their number and its repeat, so they need not be stored.
"""

import numpy as np
import pandas as pd

from elsa_nb.paper.runs.grid import Setting
from elsa_nb.paper.runs.place import Place
from elsa_nb.paper.runs.purity import nearest_rows, neighbour_purity
from elsa_nb.paper.runs.simulation import draw_seeds

DRAWN_BY = ["target", "seeds", "repeat"]  # within a sweep


def seed_places(profile_name: str, runs: pd.DataFrame, *, encoder: str = "vicreg") -> pd.DataFrame:
    """Return where the seeds of one sweep's searches `runs` lie in an encoder's projection, one row for each draw.

    Columns: target, seeds, repeat; `outward`, the share of the class that lies nearer to its mean vector than a seed
    does, and `alone`, the share of the seeds with no member of the class among their ten nearest neighbours, both over
    the seeds of the draw; `apart`, the mean distance of two seeds by the median distance of a member from the mean
    vector (missing with one seed). ValueError for searches of several sweeps or in thinned pools.
    """
    if runs["sweep"].nunique() != 1 or runs["share"].any():
        raise ValueError("searches of several sweeps, or in thinned pools; give those of one sweep in whole pools")
    place = Place.of(profile_name, encoder, "projection")
    base, names = place.prepared(), place.class_names.astype(str).to_numpy()
    lines = []
    for target, draws in runs.drop_duplicates(DRAWN_BY).groupby("target", sort=False):
        positive = names == target
        members = np.asarray(base.pool.vectors[np.flatnonzero(positive)], np.float64)
        middle = members.mean(axis=0)
        reach = np.linalg.norm(members - middle, axis=1)
        for draw in draws.itertuples():
            drawn = Setting(draw.sweep, "", encoder, "projection", "", str(target), draw.seeds, draw.repeat)
            rng = np.random.default_rng(drawn.seed_sequence.spawn(3)[0])  # as in `simulation`
            seeds = draw_seeds(positive, drawn.seeds, rng, drawn.target)
            vectors = np.asarray(base.pool.vectors[seeds], np.float64)
            out = np.linalg.norm(vectors - middle, axis=1)
            lines.append(
                {
                    **{name: getattr(draw, name) for name in DRAWN_BY},
                    "outward": (reach[:, None] < out).mean(),
                    "alone": (neighbour_purity(nearest_rows(base, seeds), names, seeds) == 0).mean(),
                    "apart": _mean_distance(vectors) / np.median(reach),
                }
            )
    return pd.DataFrame(lines)


def _mean_distance(vectors: np.ndarray) -> float:
    """Return the mean distance of two rows; nan with a single one."""
    if len(vectors) == 1:
        return np.nan
    one, other = np.triu_indices(len(vectors), 1)
    return float(np.linalg.norm(vectors[one] - vectors[other], axis=1).mean())
