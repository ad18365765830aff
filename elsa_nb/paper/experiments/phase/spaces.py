"""What a space is like around the members of its classes, and how far to blur a generated one to a wanted purity.

`python -m elsa_nb.paper.experiments.phase` measures generated pools beside those of encoders with `measure_space`;
`wanted_spreads` found the spreads that `runs.generated` states.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from elsa_nb.paper.runs.generated import Blend, Generated
from elsa_nb.paper.runs.purity import PURITY_NEIGHBOURS, neighbour_purity
from elsa_nb.search import kernels
from elsa_nb.search.neighbours.lists import Neighbours

_LISTED = 20  # neighbours that tell the dimension
_SAME = 1e-12  # of the distance of the last one: nearer ones count as so far
_SAMPLE = 8000  # rows that tell the spectrum


def measure_space(vectors: np.ndarray, labels: np.ndarray, classes: int, least: int = 100, seed: int = 0) -> pd.Series:
    """Return what a space (n, d) is like around some of its classes; `labels` (n,) are whole numbers.

    Means over `classes` classes of `least` or more members, drawn at random: members; purity, the share of a member's
    ten nearest neighbours that are of its class; purity_sd from member to member and class_sd from class to class;
    alone, the share of members with none; joined, the share of the class that chains of such neighbours join to a
    random member (medians); dimension around a member, by the distances of 20 neighbours (Levina and Bickel, 2004).
    Of the whole: directions, the participation ratio of the variances.
    """
    rng, neighbours = np.random.default_rng(seed), Neighbours(vectors)
    sizes = np.bincount(labels)
    chosen = rng.permutation(np.flatnonzero(sizes >= least))[:classes]
    rows = []
    for target in chosen:
        members = np.flatnonzero(labels == target)
        near, squared = neighbours.exact(members, _LISTED)
        purity = neighbour_purity(near, labels, members)
        last = squared[:, -1:]
        logs = 0.5 * np.log(last / np.maximum(squared[:, :-1], _SAME * last))[last[:, 0] > 0]
        dimension = np.median((_LISTED - 2) / np.maximum(logs.sum(1), _SAME))
        alone, joined = (purity == 0).mean(), _joined(near, labels, members)
        rows.append((len(members), purity.mean(), purity.std(), alone, joined, dimension))
    told = pd.DataFrame(rows, columns=["members", "purity", "purity_sd", "alone", "joined", "dimension"])
    sample = np.sort(rng.choice(len(vectors), min(_SAMPLE, len(vectors)), replace=False))
    spectrum = _variances(kernels.as_single(kernels.gather(vectors, sample)))
    medians, means = told[["members", "joined", "dimension"]].median(), told[["purity", "purity_sd", "alone"]].mean()
    whole = {"class_sd": told["purity"].std(), "directions": spectrum.sum() ** 2 / (spectrum**2).sum()}
    return pd.concat([medians, means, pd.Series(whole)])


def _joined(near: np.ndarray, labels: np.ndarray, members: np.ndarray) -> float:
    """Return the expected share of a class in the component of a random member, by neighbours of the class."""
    i, k = np.nonzero(labels[near[:, :PURITY_NEIGHBOURS]] == labels[members[0]])
    j = np.searchsorted(members, near[i, k])
    graph = csr_matrix((np.ones(len(i)), (i, j)), shape=(len(members), len(members)))
    shares = np.bincount(connected_components(graph, directed=False)[1]) / len(members)
    return float((shares**2).sum())


def _variances(sample: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(np.cov(sample.T.astype(np.float64)))


def wanted_spreads(
    dataset: Generated, purity: float, members_each: int = 200, steps: int = 9, seed: int = 0
) -> Mapping[int, float]:
    """Return the spread {members: spread} that gives the classes of each size the `purity` wanted, by bisection.

    All sizes are bisected at once, each by the purity of `members_each` random members in the latent space.
    """
    rng = np.random.default_rng(seed)
    sizes = list(dataset.classes)
    of_size = dataset.members[dataset.labels]
    rows = np.concatenate([rng.choice(np.flatnonzero(of_size == size), members_each, False) for size in sizes])
    low, high = np.full(len(sizes), 0.05), np.full(len(sizes), 8.0)
    for _ in range(steps):
        middle = np.sqrt(low * high)
        blend = Blend(dict(zip(sizes, middle.tolist(), strict=True)), 0)
        near, _ = Neighbours(dataset.latents(blend)).exact(rows, PURITY_NEIGHBOURS)
        reached = neighbour_purity(near, dataset.labels, rows).reshape(len(sizes), -1).mean(1)
        low, high = np.where(reached > purity, middle, low), np.where(reached > purity, high, middle)
    return {size: round(float(value), 3) for size, value in zip(sizes, np.sqrt(low * high), strict=True)}
