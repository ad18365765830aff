"""How good an encoder is, by labels it never saw: neighbour purity, a linear probe, and a look for collapse.

`command.py` calls `quality` for an encoder's card; the tables of encoders call `purity` and `collapse` for pools.
"""

from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

PROBE_VERSION = 1  # raise it when any figure changes: stored figures are then measured again
QUERIES, NEIGHBOURS = 10_000, 10
_BLOCK = 65_536  # vectors widened to single precision at once


def quality(
    vectors: dict[str, np.ndarray], labels: np.ndarray, seed: int = 0, probe_epochs: int = 10
) -> dict[str, dict[str, Any]]:
    """Return purity, probe accuracy and collapse figures of each space; `labels` (n,) are integers."""
    return {
        space: {
            "dimension": x.shape[1],
            "purity_10nn": round(purity(x, labels, seed=seed), 4),
            "linear_probe": round(linear_probe(x, labels, seed=seed, epochs=probe_epochs), 4),
            **collapse(x),
        }
        for space, x in vectors.items()
    }


def purity(
    vectors: np.ndarray, labels: np.ndarray, *, k: int = NEIGHBOURS, queries: int = QUERIES, seed: int = 0
) -> float:
    """Return the mean share of a row's `k` nearest neighbours (Euclidean, itself left out) that have its label.

    At most `queries` rows ask, a fixed random choice; all rows answer. `vectors` may be mapped from a file larger than
    memory: they are read in blocks.
    """
    if not 0 < k < len(vectors):
        raise ValueError(f"k is {k}; with {len(vectors)} vectors it is 1 to {len(vectors) - 1}.")
    labels = torch.from_numpy(np.array(labels))
    asking = np.random.default_rng(seed).permutation(len(vectors))[:queries]
    asked, rows = torch.from_numpy(np.asarray(vectors[asking], np.float32)), torch.from_numpy(asking)
    best, near = torch.full((len(rows), k), -torch.inf), torch.zeros(len(rows), k, dtype=torch.long)
    for start in range(0, len(vectors), _BLOCK):
        block = torch.from_numpy(np.array(vectors[start : start + _BLOCK], np.float32))
        half = block.square().sum(dim=1) / 2
        for part in torch.arange(len(rows)).split(500):
            closeness = asked[part] @ block.T - half  # orders as the negative squared distance does
            own = torch.nonzero((rows[part] >= start) & (rows[part] < start + len(block)))[:, 0]
            closeness[own, rows[part][own] - start] = -torch.inf
            values, places = closeness.topk(min(k, len(block)), dim=1)
            values, places = torch.cat([best[part], values], 1), torch.cat([near[part], places + start], 1)
            best[part], kept = values.topk(k, dim=1)
            near[part] = places.gather(1, kept)
    return (labels[near] == labels[rows, None]).double().mean().item()


def linear_probe(vectors: np.ndarray, labels: np.ndarray, *, seed: int = 0, epochs: int = 10) -> float:
    """Return the accuracy on a fifth of the rows of a softmax regression trained on the others.

    The split is fixed by `seed`; vectors are standardised with the training part's mean and deviation; AdamW with a
    cosine, batches of 1,024.
    """
    order = np.random.default_rng(seed).permutation(len(vectors))
    test, train = np.split(order, [len(order) // 5])
    x, y = torch.from_numpy(np.array(vectors, np.float32)), torch.from_numpy(np.array(labels, np.int64))
    mean, deviation = x[train].mean(dim=0), x[train].std(dim=0) + 1e-6
    x = (x - mean) / deviation
    layer = torch.nn.Linear(x.shape[1], int(y.max()) + 1)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    generator = torch.Generator().manual_seed(seed)
    steps = epochs * max(1, -(-len(train) // 1024))
    optimiser = torch.optim.AdamW(layer.parameters(), lr=5e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(epochs):
        for rows in torch.from_numpy(train)[torch.randperm(len(train), generator=generator)].split(1024):
            optimiser.zero_grad()
            F.cross_entropy(layer(x[rows]), y[rows]).backward()
            optimiser.step()
            schedule.step()
    with torch.inference_mode():
        return (layer(x[test]).argmax(dim=1) == y[test]).float().mean().item()


def collapse(vectors: np.ndarray) -> dict[str, float]:
    """Return the deviation over the dimensions (mean, smallest) and the effective rank of the vectors.

    The effective rank is the exponential of the entropy of the covariance's normalised eigenvalues (Roy and Vetterli,
    2007): d when all directions are used alike, 1 when a line is left.
    """
    x = np.asarray(vectors, np.float64)
    deviation = x.std(axis=0)
    share = np.clip(np.linalg.eigvalsh(np.cov(x.T)), 1e-300, None)
    share = share / share.sum()
    rank = float(np.exp(-(share * np.log(share)).sum()))
    return {
        "std_mean": round(float(deviation.mean()), 4),
        "std_smallest": round(float(deviation.min()), 4),
        "effective_rank": round(rank, 1),
    }
