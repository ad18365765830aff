"""How tight each class lies in a space: what classes are chosen by, so that no result decides which ones are shown.

Notebooks 06 and 11 call `tightness`; a sweep whose classes are chosen "by purity" is given `neighbour_purity`.
"""

import numpy as np
import pandas as pd

from elsa_nb.paper.runs.grid import Sweep
from elsa_nb.paper.runs.place import Place
from elsa_nb.prepared import Prepared
from elsa_nb.search.neighbours.lists import Neighbours

PURITY_NEIGHBOURS = 10
LEAST_CLASS_SIZE = Sweep.least_members


def tightness(profile_name: str, targets: list[str], *, encoder: str = "vicreg") -> pd.DataFrame:
    """Return the neighbour purity of classes in an encoder's projection, tightest first.

    It is the mean share of an image's ten nearest neighbours that belong to its class. Columns: target, members,
    purity, place and `of`: the class's place, 1 for the tightest, among all of 100 or more images. Where the pool is
    too large for neighbour lists only `targets` are measured, and place and `of` are missing.
    """
    place = Place.of(profile_name, encoder, "projection")
    base, names = place.prepared(), place.class_names.astype(str).to_numpy()
    if strange := sorted(set(targets) - set(names)):
        raise ValueError(f"class {strange[0]!r} is not one of profile {profile_name!r}'s; take the targets of its runs")
    listed = _lists_of(base) is not None
    rows = np.arange(len(names)) if listed else np.flatnonzero(np.isin(names, targets))
    near = nearest_rows(base, rows)
    frame = pd.DataFrame({"target": names[rows], "purity": neighbour_purity(near, names, rows)})
    table = frame.groupby("target").agg(members=("purity", "size"), purity=("purity", "mean")).reset_index()
    table = table.sort_values("purity", ascending=False, kind="stable", ignore_index=True)
    if listed:
        table = table[table["members"] >= LEAST_CLASS_SIZE].reset_index(drop=True)
        table = table.assign(place=table.index + 1, of=len(table))
    else:
        table = table.assign(place=pd.NA, of=pd.NA)
    return table[table["target"].isin(targets)].reset_index(drop=True)


def nearest_rows(base: Prepared, rows: np.ndarray) -> np.ndarray:
    """Return the ten nearest neighbours of `rows` (m,) of a pool, nearest first, (m, 10) int."""
    lists = _lists_of(base)
    if lists is None:  # the pool is too large for them
        return Neighbours(base.pool.vectors).exact(rows, PURITY_NEIGHBOURS)[0]
    return lists[0][rows, :PURITY_NEIGHBOURS]


def _lists_of(base: Prepared) -> tuple[np.ndarray, np.ndarray] | None:
    return getattr(base.neighbours, "lists", None)


def neighbour_purity(near: np.ndarray, names: np.ndarray, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Return the share of ten nearest neighbours that have the class name of the row they belong to, (m,) float64.

    `near` (m, 10 or more) are the neighbours of `rows` of the pool, nearest first; `names` (n,) those of all its rows.
    """
    return (names[near[:, :PURITY_NEIGHBOURS]] == names[rows][:, None]).mean(axis=1)


def evenly_spaced_classes(table: pd.DataFrame, count: int = 5) -> pd.DataFrame:
    """Return `count` classes of a table by `tightness`, evenly spaced in its order from the tightest to the sparsest.

    Raises ValueError where the table has fewer.
    """
    if len(table) < count:
        raise ValueError(f"{count} classes asked for; the table has {len(table)}: give more targets")
    ordered = table.sort_values("purity", ascending=False, kind="stable", ignore_index=True)
    return ordered.iloc[np.linspace(0, len(table) - 1, count).round().astype(int)].reset_index(drop=True)
