"""Several encoders of the same items in one pool: what one does not see, another may.

`join_pools` writes such a pool, `elsa-nb pool join` and `elsa-nb label --encoder ONE --encoder TWO` call it. A row is
the rows of k encoders one after another, each brought to length 1 / sqrt(k) (an encoder that sees an item in two ways
counts for two): an inner product is then the mean of their cosines, and no encoder counts for more because its values
are larger. Harvest prepares the columns of each encoder separately (`search.heads.prepared_rows`); all other strategies
take the row as one vector.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb.counts import count_of
from elsa_nb.errors import CorruptFileError
from elsa_nb.pool import Pool, PoolWriter
from elsa_nb.pool_files import card_of, check_free, columns_of
from elsa_nb.store import as_path, card_entries, sha256_bytes
from elsa_nb.vectors import blocks

_PARTS = "side_by_side"  # the entry of a pool's provenance that says what is known of each encoder
_SMALL, _LARGE = 1e-15, 1e18  # lengths between them are exact in float32: their squares are far from its ends


def join_pools(pools: Sequence[Pool], folder: Path | str, *, name: str | None = None) -> Pool:
    """Write the pool of several encoders' vectors of the same items to `folder`, and return it as opened from there.

    Items come in the order of the first pool; in the others their order may differ. Vectors (n, sum of all d) are
    float32 where those of any pool are, else float16; `name` is by default the names of all. The same call again finds
    its pool there, makes a damaged one again, and replaces one that was made of pools that have changed since. Raises
    ValueError for fewer than two pools, for vectors that are given twice, for an item that is not in all of the pools,
    which it names, and for a folder that holds anything else, such as a pool made of pools of other names.
    """
    pools = [pools] if isinstance(pools, Pool) else list(pools)
    if strange := [pool for pool in pools if not isinstance(pool, Pool)]:
        raise ValueError(f"a pool of type {type(strange[0]).__name__}; give pools: Pool.open(folder) opens one")
    if len(pools) < 2:
        raise ValueError(f"{count_of(len(pools), 'pool')} to join; give two or more pools of the same items")
    first, place = pools[0], as_path("folder", folder, "the folder to write")
    parts = [about for pool in pools for about in parts_of(pool)]
    names = [pool.name for pool in pools]
    _check_once(parts)
    called = [pool.name if names.count(pool.name) < 2 else f"pool {i} ({pool.name})" for i, pool in enumerate(pools, 1)]
    orders = [_order(pool, first, name, called[0]) for pool, name in zip(pools, called, strict=True)]
    name = " and ".join(names) if name is None else name
    card_entries(None, name=name)
    recipe = sha256_bytes(f"side by side: {' '.join(pool.recipe for pool in pools)}".encode())
    check_free(place)
    if (place / "pool.json").exists():
        card = card_of(place)
        if _PARTS not in card["provenance"]:
            raise ValueError(f"{place} holds a pool of one encoder; name another folder for the pool of several.")
        held, asked = ([part["name"] for part in each] for each in (card["provenance"][_PARTS], parts))
        if held != asked:
            raise ValueError(f"{place} holds the pool of {' and '.join(held)}; name another folder, or delete it.")
        if (card["recipe"], card["name"]) == (recipe, name):
            with suppress(CorruptFileError):  # a damaged one is made again
                return Pool.open(place)
    widths = tuple(columns.stop - columns.start for pool in pools for columns in pool.columns)
    provenance: dict[str, Any] = {_PARTS: parts}
    decodings = [pool.provenance.get("decoding") for pool in pools]
    if decodings[0] and all(each == decodings[0] for each in decodings):  # how their pictures are read and shown
        provenance["decoding"] = decodings[0]
    space = " and ".join(dict.fromkeys(pool.space for pool in pools))
    told: dict[str, Any] = {"name": name, "space": space, "recipe": recipe}
    told |= {"dtype": np.result_type(*(pool.vectors.dtype for pool in pools)).name, "provenance": provenance}
    with PoolWriter(place, first.ids, sum(widths), widths=widths, **told) as writer:
        for start, ids in blocks(first.ids, writer.rows_done):
            rows = slice(start, start + len(ids))
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

    A part that is all zero stays so.
    """
    block = np.asarray(block, np.float32)
    result = np.empty_like(block)
    for each in columns:
        lengths = _lengths(block[:, each])
        result[:, each] = block[:, each] / np.where(lengths > 0, lengths, 1)
    return result if len(columns) == 1 else result * np.float32(len(columns) ** -0.5)


def by_direction(pool: Pool) -> Pool:
    """Return the pool with every vector brought to length 1 (float32); a vector of zeros stays zero."""
    vectors = np.empty(pool.vectors.shape, np.float32)
    for start, block in blocks(pool.vectors):
        vectors[start : start + len(block)] = of_one_length(block, pool.columns)
    vectors.flags.writeable = False
    return replace(pool, vectors=vectors)


def _lengths(block: np.ndarray) -> np.ndarray:
    """Return the lengths (m, 1) of rows (m, d) float32, even where their squares are beyond float32."""
    with np.errstate(over="ignore", under="ignore"):
        lengths = np.linalg.norm(block, axis=1, keepdims=True)
    if (beyond := (lengths[:, 0] < _SMALL) | (lengths[:, 0] > _LARGE)).any():
        lengths = lengths.astype(np.float64)
        lengths[beyond] = np.linalg.norm(block[beyond].astype(np.float64), axis=1, keepdims=True)
    return lengths


def _check_once(parts: Sequence[dict[str, Any]]) -> None:
    """Raise ValueError where the same vectors are among the parts twice: they would count for two encoders."""
    recipes = [part["recipe"] for part in parts]
    if twice := [part["name"] for i, part in enumerate(parts) if part["recipe"] in recipes[:i] and part["recipe"]]:
        raise ValueError(f"the vectors of {twice[0]} are given twice, and would count for two; give each pool once")


def _order(pool: Pool, first: Pool, name: str, first_name: str) -> np.ndarray | None:
    """Return where the items of `first` are in `pool`, (n,), None for the same places; ValueError if not all are."""
    if np.array_equal(pool.ids, first.ids):
        return None
    if lacking := np.setdiff1d(first.ids, pool.ids).tolist() or np.setdiff1d(pool.ids, first.ids).tolist():
        has, lacks = (first_name, name) if lacking[0] in first.ids else (name, first_name)
        raise ValueError(
            f"{lacks} lacks {count_of(len(lacking), 'item')} of {has}, such as {lacking[0]!r}; give pools of "
            "the same items (if a folder has changed, embed it again with each encoder)"
        )
    places = np.argsort(pool.ids)
    return places[np.searchsorted(pool.ids[places], first.ids)]
