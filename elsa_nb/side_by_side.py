"""Several encoders of the same items in one pool: what one does not see, another may.

`join_pools` writes such a pool, `elsa-nb pool join` and `elsa-nb label --encoder ONE --encoder TWO` call it. Its rows
are the encoders' rows one after another, each brought to length 1 / sqrt(k) where there are k encoders: an inner
product is then the mean of their cosines, and no encoder counts for more because its values are larger. Harvest
prepares the columns of each by themselves (`search.heads.prepared_rows`), all other strategies take the row as one.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.counts import count_of
from elsa_nb.pool import Pool, PoolWriter, card_of
from elsa_nb.pool_files import check_free, columns_of
from elsa_nb.store import as_path, sha256_bytes

_PARTS = "side_by_side"  # the entry of a pool's provenance that says what is known of each encoder
_BLOCK = 8192


def join_pools(pools: Sequence[Pool], folder: Path | str, *, name: str | None = None) -> Pool:
    """Write the pool of several encoders' vectors of the same items to `folder`, and return it as opened from there.

    Items come in the order of the first pool; in the others their order may differ. Vectors (n, sum of all d) are
    float32 where those of any pool are, else float16; `name` is by default the names of all. The same call again finds
    its pool there, and pools that have changed take the place of what was made of them. Raises ValueError for fewer
    than two pools, for items that are not in all of them, naming one, and for a folder that holds anything else.
    """
    pools = list(pools)
    if strange := [pool for pool in pools if not isinstance(pool, Pool)]:
        raise ValueError(f"a pool of type {type(strange[0]).__name__}; give pools: Pool.open(folder) opens one")
    if len(pools) < 2:
        raise ValueError(f"{count_of(len(pools), 'pool')} to join; give two or more, of the same items")
    first, place = pools[0], as_path("folder", folder, "the folder to write")
    orders = [_order(pool, first) for pool in pools]
    recipe = sha256_bytes(f"side by side: {' '.join(pool.recipe for pool in pools)}".encode())
    check_free(place)
    if (place / "pool.json").exists():
        card = card_of(place)
        if _PARTS not in card["provenance"]:
            raise ValueError(f"{place} holds a pool of one encoder; name another folder for the pool of several.")
        if card["recipe"] == recipe:
            return Pool.open(place)
    widths = tuple(columns.stop - columns.start for pool in pools for columns in pool.columns)
    provenance = {_PARTS: [about for pool in pools for about in parts_of(pool)]}
    decodings = [pool.provenance.get("decoding") for pool in pools]
    if decodings[0] and all(each == decodings[0] for each in decodings):  # how their pictures are read and shown
        provenance["decoding"] = decodings[0]
    space = " and ".join(dict.fromkeys(pool.space for pool in pools))
    told: dict[str, Any] = {"name": name or " and ".join(pool.name for pool in pools), "space": space, "recipe": recipe}
    told |= {"dtype": np.result_type(*(pool.vectors.dtype for pool in pools)).name, "provenance": provenance}
    with PoolWriter(place, first.ids, sum(widths), widths=widths, **told) as writer:
        for start in range(writer.rows_done, len(first), _BLOCK):
            rows = slice(start, start + _BLOCK)
            parts = [
                np.asarray(pool.vectors[rows if order is None else order[rows]], np.float32)
                for pool, order in zip(pools, orders, strict=True)
            ]
            writer.write(of_one_length(np.concatenate(parts, axis=1), columns_of(widths)))
        return writer.finish()


def parts_of(pool: Pool) -> list[dict[str, Any]]:
    """Return what is known of each encoder of a pool, in order: name, space, recipe, provenance, number of values d.

    One encoder may have several of the pool's columns: what it sees of an image in several ways.
    """
    if _PARTS in pool.provenance:
        return pool.provenance[_PARTS]
    about = {"name": pool.name, "space": pool.space, "recipe": pool.recipe, "provenance": pool.provenance}
    return [{**about, "d": pool.d}]


def of_one_length(block: np.ndarray, columns: Sequence[slice]) -> np.ndarray:
    """Return vectors (m, d) float32 whose k parts, the `columns` of each encoder, are of length 1 / sqrt(k) each.

    A part of zeros stays one.
    """
    block = np.asarray(block, np.float32)
    result = np.empty_like(block)
    for each in columns:
        lengths = np.linalg.norm(block[:, each], axis=1, keepdims=True)
        result[:, each] = block[:, each] / np.where(lengths > 0, lengths, 1)
    return result if len(columns) == 1 else result * np.float32(len(columns) ** -0.5)


def _order(pool: Pool, first: Pool) -> np.ndarray | None:
    """Return where the items of `first` are in `pool`, (n,), None for the same places; ValueError if not all are."""
    if np.array_equal(pool.ids, first.ids):
        return None
    if lacking := np.setdiff1d(first.ids, pool.ids).tolist() or np.setdiff1d(pool.ids, first.ids).tolist():
        has, lacks = (first, pool) if lacking[0] in first.ids else (pool, first)
        raise ValueError(
            f"{lacks.name} lacks {count_of(len(lacking), 'item')} of {has.name}, such as {lacking[0]!r}; give pools of "
            "the same items (of a folder that has changed: embed it again with each encoder)"
        )
    places = np.argsort(pool.ids)
    return places[np.searchsorted(pool.ids[places], first.ids)]
