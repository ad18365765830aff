"""The small frames that the first notebooks show: the pool, the encoders, one search."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from elsa_nb.images.sources.glyphs import Glyphs
from elsa_nb.images.training.quality import purity
from elsa_nb.pool import Pool
from elsa_nb.search import metrics
from elsa_nb.search.contract import Component, Log


def glyph_sample(glyphs: Glyphs, *, classes: int, each: int, seed: int = 0) -> pd.DataFrame:
    """Return a random sample to look at: `each` images of `classes` random classes; columns row, character, name."""
    rng = np.random.default_rng(seed)
    names = rng.choice(sorted(glyphs.labels["name"].unique()), classes, replace=False)
    rows = np.concatenate([rng.choice(glyphs.class_rows(name), each, replace=False) for name in names])
    sample = glyphs.labels.iloc[rows][["character", "name"]].astype(str)
    return sample.assign(row=rows).reset_index(drop=True)


def pool_table(pools: Mapping[str, Mapping[str, Pool]]) -> pd.DataFrame:
    """Return one line per pool: encoder, space, rows, dimension, dtype."""
    lines = [
        (encoder, space, *pool.vectors.shape, str(pool.vectors.dtype))
        for encoder, spaces in pools.items()
        for space, pool in spaces.items()
    ]
    return pd.DataFrame(lines, columns=["encoder", "space", "images", "dimension", "stored as"])


def purity_table(source: Any, pools: Mapping[str, Mapping[str, Pool]], *, queries: int = 2000) -> pd.DataFrame:
    """Return the share of the ten nearest neighbours that have the row's label, for every pool.

    Measured for `queries` random rows against the whole pool. Columns: encoder, space, purity.
    """
    labels = source.labels["name"].cat.codes.to_numpy()
    lines = []
    for encoder, spaces in pools.items():
        for space, pool in spaces.items():
            lines.append((encoder, space, purity(pool.vectors, labels, queries=queries)))
    return pd.DataFrame(lines, columns=["encoder", "space", "purity"])


def round_table(log: Log, positive: np.ndarray, seeds: np.ndarray) -> pd.DataFrame:
    """Return what each round asked and found: one row per round: (asked, new) per component, the running totals.

    Rounds are named as in `finds_table`: counted from 1, and the last one is "final" where it is the final search.
    """
    found = metrics.finds(log.rows, positive, seeds, count_seeds=False)
    frame = pd.DataFrame({"round": log.rounds, "component": log.components, "asked": 1, "new": found.astype(int)})
    table = frame.pivot_table(index="round", columns="component", values=["asked", "new"], aggfunc="sum", fill_value=0)
    table = table.swaplevel(axis=1).sort_index(axis=1)
    table.columns = [f"{Component(component).name} {what}" for component, what in table.columns]
    totals = frame.groupby("round")[["asked", "new"]].sum().cumsum()
    table["labels so far"] = totals["asked"]
    table["discovery rate"] = ((totals["new"] + len(seeds)) / positive.sum()).round(3)
    finals = frame.loc[frame["component"] == Component.FINAL, "round"]
    return table.rename(index={number: "final" if number in set(finals) else number + 1 for number in table.index})


def finds_table(log: Log, positive: np.ndarray, seeds: np.ndarray) -> pd.DataFrame:
    """Return the positives in the order found, seeds first: columns round (a title), component, row."""
    found = metrics.finds(log.rows, positive, seeds, count_seeds=False)
    kept = ~np.isin(log.rows, seeds)
    rows, components, rounds = (array[kept][found] for array in (log.rows, log.components, log.rounds))
    last = log.rounds.max()
    is_final = components == Component.FINAL
    titles = np.where(is_final & (rounds == last), "final", [f"round {number + 1}" for number in rounds])
    finds = pd.DataFrame({"round": titles, "component": [Component(c).name for c in components], "row": rows})
    return pd.concat([pd.DataFrame({"round": "seeds", "component": "seed", "row": seeds}), finds], ignore_index=True)
