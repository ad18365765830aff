"""A pool some of whose rows stand in it twice: as collections are that were put together from several."""

import numpy as np

from elsa_nb.pool import Pool
from elsa_nb.store import sha256_bytes


def copied_rows(n: int, share: float, repeat: int) -> np.ndarray:
    """Return which of `n` rows are copied, int64 ascending: this share of them, drawn anew in each repeat."""
    return np.sort(np.random.default_rng([n, repeat]).choice(n, size=round(share * n), replace=False))


def with_copies(pool: Pool, rows: np.ndarray) -> Pool:
    """Return the pool in memory with a copy of each of `rows` (m,) behind all others; a copy is called `ID, again`."""
    vectors = np.concatenate([pool.vectors, pool.vectors[rows]])
    ids = np.concatenate([pool.ids, [f"{name}, again" for name in pool.ids[rows]]])
    vectors.flags.writeable = ids.flags.writeable = False
    told = f"with copies of {sha256_bytes(rows.astype('<i8').tobytes())}"
    recipe, sha256 = (sha256_bytes(f"{whole} {told}".encode()) for whole in (pool.recipe, pool.sha256))
    provenance = {**pool.provenance, "copied_rows": len(rows)}
    return Pool(vectors, ids, pool.name, pool.space, provenance, recipe, sha256, pool.widths)
