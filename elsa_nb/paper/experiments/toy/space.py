"""The paper's toy: a latent space of two dimensions (section 4.4, appendix A) on which the real search runs.

The paper draws the space and gives no numbers. What its words fix: the class lies in clusters C1 to C4; positive
samples connect C2 and C3; negative samples separate the others; a few positives belong to no cluster; the search starts
from one seed in C2. Everything else is a field of `ToyGeometry` or an entry of `TOY_SCALE`.

Space number k and the search on it are drawn from the generators [k, 0] and [k, 1]; the notebook shows number 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from elsa_nb.pool import Pool
from elsa_nb.search import algorithms
from elsa_nb.search.config import SearchConfig
from elsa_nb.search.contract import Component
from elsa_nb.search.elsa import Search
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.oracle import Truth, simulate
from elsa_nb.search.readings import READINGS
from elsa_nb.threads import one_thread

CLASS_SIDE = 45.0  # degrees: the direction, seen from the middle of the other classes, in which the class lies
FAN = {"C1": (90.0, 3.3), "C2": (60.0, 2.45), "C3": (30.0, 2.45), "C4": (0.0, 3.3)}  # angle in degrees, distance
THREE = {name: FAN[name] for name in ("C1", "C2", "C3")}  # section 4.4 and Fig. 1 have no C4
WIDER = {"C1": (105.0, 3.3), "C2": (65.0, 2.45), "C3": (25.0, 2.45), "C4": (-15.0, 3.3)}  # 40 degrees apart, not 30
OPPOSITE = FAN | {"C4": (225.0, 3.3)}  # the same, but C4 lies behind the other classes
CLASS_PARTS = ("C1", "C2", "C3", "C4", "bridge", "stray")  # the parts of the class; the other points are "other"
NEVER_ASKED = -1  # in the column `asked`


@dataclass(frozen=True, eq=False)
class ToyGeometry:
    """The shape of a toy space; lengths in units of its axes, angles in degrees.

    The class lies to one side of the other classes, in a fan of clusters: a linear head in two dimensions can learn
    nothing but a side. `WIDER` and `OPPOSITE` show what happens as that holds less, and not at all.
    """

    clusters: Mapping[str, tuple[float, float]]  # name -> (angle, distance) from the middle of the other classes
    size: int = 25  # positives in each cluster
    spread: float = 0.17  # standard deviation of a cluster
    bridge: int = 8  # positives that connect C2 and C3
    strays: int = 8  # positives of no cluster, anywhere on the side of the class but not near a cluster
    others: int = 1200  # points of the other classes: one round cloud ...
    cloud: float = 1.1  # ... with this standard deviation ...
    background: int = 200  # ... and so many more, uniform over the square
    half_width: float = 4.2  # of the square
    gap: float = 0.6  # least distance of a stray from every cluster's centre


FOUR_CLUSTERS = ToyGeometry(FAN)
TOY_SCALE = {"rounds": 5, "a": 25, "l": 25, "b": 25, "b_slope": 0.25}  # the paper's 10, 50, 50, 50, cut to 1,500 points


@dataclass(frozen=True, eq=False)
class ToySpace:
    """A drawn space: `points` (n, 2) float32, the `part` (n,) str each belongs to, and the row of the seed."""

    points: np.ndarray
    part: np.ndarray
    seed: int

    @property
    def positive(self) -> np.ndarray:
        """The mask (n,) of the points of the class."""
        return self.part != "other"


def draw_space(number: int, geometry: ToyGeometry = FOUR_CLUSTERS) -> ToySpace:
    """Draw the space `number` of a geometry; its rows are in random order."""
    rng = np.random.default_rng([number, 0])
    centres = {name: _at(*polar) for name, polar in geometry.clusters.items()}
    drawn = [(name, rng.normal(centre, geometry.spread, (geometry.size, 2))) for name, centre in centres.items()]
    along = rng.uniform(0.1, 0.9, (geometry.bridge, 1))
    bridge = centres["C2"] * (1 - along) + centres["C3"] * along
    drawn.append(("bridge", bridge + rng.normal(0, geometry.spread / 3, bridge.shape)))
    drawn.append(("stray", _strays(geometry, np.array(list(centres.values())), rng)))
    drawn.append(("other", rng.normal(0, geometry.cloud, (geometry.others, 2))))
    width = geometry.half_width
    drawn.append(("other", rng.uniform(-width, width, (geometry.background, 2))))
    points = np.concatenate([points for _, points in drawn]).astype(np.float32)
    part = np.repeat([name for name, _ in drawn], [len(points) for _, points in drawn])
    order = rng.permutation(len(points))
    points, part = points[order], part[order]
    return ToySpace(points, part, int(rng.choice(np.flatnonzero(part == "C2"))))


def toy_config(reading: str = "paper", arm: str = "ELSA", **changes: object) -> SearchConfig:
    """Return an arm of a reading at the toy's `TOY_SCALE`; `changes` replace further fields.

    The toy has one space only, so a head that is meant for the embedding sees the points, too.
    """
    known = [(r, a) for r in READINGS for a in READINGS[r]]
    if (reading, arm) not in known:
        raise ValueError(f"no arm {arm!r} in a reading {reading!r}; allowed: {known}")
    return replace(READINGS[reading][arm], **{**TOY_SCALE, "head_space": "search", **changes})


def search_in(space: ToySpace, number: int, how: SearchConfig, neighbours: Neighbours | None = None) -> Search:
    """Return the search from the one seed of space `number`; searches of one space may share their `neighbours`."""
    pool, rng = Pool.from_arrays(space.points), np.random.default_rng([number, 1])
    return Search(pool, [space.seed], config=how, rng=rng, neighbours=neighbours)


def watch_search(space: ToySpace, number: int, how: SearchConfig) -> pd.DataFrame:
    """Run one search and return what happened to every point, one row per point.

    Columns: x, y, part; `asked`, the round from 1 that first asked the point (the final search is the round after the
    last, the seed is 0, `NEVER_ASKED` is -1); `component` ("seed", "NN", "RANDS", "FINAL", or ""); and for every round
    k a column `likely_k`: the head puts the point above the sampler's threshold when that round begins.
    """
    search, oracle = search_in(space, number, how), Truth(space.positive)
    asked, component = np.full(len(space.points), NEVER_ASKED), np.full(len(space.points), "", object)
    asked[space.seed], component[space.seed] = 0, "seed"
    likely: dict[str, np.ndarray] = {}
    while True:
        before = _likely(search, asked == NEVER_ASKED, in_rounds=len(likely) < how.rounds + how.zero_pass)
        if (batch := search.query()) is None:
            x, y = space.points.T
            return pd.DataFrame({"x": x, "y": y, "part": space.part, "asked": asked, "component": component} | likely)
        likely[f"likely_{batch.round + 1}"] = before
        new = asked[batch.rows] == NEVER_ASKED  # the released code asks again
        asked[batch.rows[new]] = batch.round + 1
        component[batch.rows[new]] = [Component(c).name for c in batch.components[new]]
        search.update(oracle.label(batch.rows))


def states_by_round(history: pd.DataFrame) -> pd.DataFrame:
    """Return the state of a watched search after every round: labels spent, and how much of each part is known.

    Index `after`: "the seed", "round 1", ..., "final search". Columns: `labels` so far, seed included; asked and found
    in the round by each component; `likely`, the unlabelled points above the sampler's threshold for the next round
    (none before the head is trained); and the positives `found` so far, also by part.
    """
    last, positive, asked = history["asked"].max(), history["part"] != "other", history["asked"]
    lines = {}
    for state in range(last + 1):
        known, now = (asked >= 0) & (asked <= state), asked == state
        line = {"labels": known.sum()}
        for name in ("NN", "RANDS", "FINAL"):
            asked_by_it = now & (history["component"] == name)
            line |= {f"{name} asked": asked_by_it.sum(), f"{name} found": (asked_by_it & positive).sum()}
        line["likely"] = history[f"likely_{state + 1}"].sum() if state < last else 0
        line["found"] = (known & positive).sum()
        line |= {part: (known & (history["part"] == part)).sum() for part in CLASS_PARTS}
        lines["the seed" if state == 0 else "final search" if state == last else f"round {state}"] = line
    return pd.DataFrame.from_dict(lines, orient="index").astype(int).rename_axis("after")


def neighbour_reach(space: ToySpace, a: int, share: float = 0.9) -> pd.DataFrame:
    """Return how far one nearest-neighbour search from the seed must reach, and what that costs: columns what, radius,
    labels. First for its `a` nearest points, then to hold `share` of the points of every cluster.
    """
    distance = np.sqrt(((space.points - space.points[space.seed]) ** 2).sum(1, dtype=np.float64))
    lines = [("nearest", np.sort(distance)[a], a)]
    for name in (part for part in CLASS_PARTS if part[0] == "C" and part in space.part):
        inside = np.sort(distance[space.part == name])
        radius = inside[int(np.ceil(share * len(inside))) - 1]
        lines.append((name, radius, np.count_nonzero(distance <= radius) - 1))
    return pd.DataFrame(lines, columns=["what", "radius", "labels"])


_LEARNT = toy_config("released-code", head=HeadConfig(least_positives=4))
TOY_CASES = {
    "paper reading": (FOUR_CLUSTERS, toy_config()),
    "paper reading, NN alone": (FOUR_CLUSTERS, toy_config(arm="NN")),
    "paper reading, RandS of Appendix B": (FOUR_CLUSTERS, toy_config(rands="appendix b")),
    "paper reading, all negatives kept": (FOUR_CLUSTERS, toy_config(negatives="all")),
    "paper reading, a wider fan": (ToyGeometry(WIDER), toy_config()),
    "paper reading, C4 on the other side": (ToyGeometry(OPPOSITE), toy_config()),
    "released-code reading": (FOUR_CLUSTERS, toy_config("released-code")),
    "released-code reading, head solved": (FOUR_CLUSTERS, _LEARNT),
}


def repeat_searches(
    spaces: int = 200, cases: Mapping[str, tuple[ToyGeometry, SearchConfig]] = TOY_CASES
) -> pd.DataFrame:
    """Run every case in the spaces 0, 1, ...: one row per search (case, number, labels, final, discovery, clusters).

    `labels` count the seed and every label paid for, `final` are those of the final search, `clusters` is the number
    of clusters of which more than half was found.
    """
    lines = []
    with one_thread():  # on so few points threads wait for one another longer than they work
        for number in range(spaces):
            drawn = {geometry: draw_space(number, geometry) for geometry, _ in cases.values()}
            near = {geometry: Neighbours(space.points) for geometry, space in drawn.items()}
            for case, (geometry, how) in cases.items():
                search = search_in(drawn[geometry], number, how, near[geometry])
                lines.append({"case": case, "number": number, **_outcome(drawn[geometry], search)})
    order = {case: i for i, case in enumerate(cases)}
    return pd.DataFrame(lines).sort_values("case", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def typical_outcomes(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one line per case: the shown search's discovery (space 0), then median and middle 90 % of all spaces, the
    share of searches that found all clusters, and the median labels.
    """
    lines = {}
    for case, rows in runs.groupby("case", sort=False):
        low, middle, high = rows["discovery"].quantile([0.05, 0.5, 0.95])
        lines[case] = {
            "discovery, space 0": rows.loc[rows["number"] == 0, "discovery"].item(),
            "median": middle,
            "5 %": low,
            "95 %": high,
            "all four clusters": (rows["clusters"] == 4).mean(),
            "labels": rows["labels"].median(),
            "of them final search": rows["final"].median(),
        }
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis("case")


def _outcome(space: ToySpace, search: Search) -> dict[str, float]:
    """Run a search to its end and return what it came to."""
    log = simulate(search, Truth(space.positive))
    found = np.isin(np.arange(len(space.part)), search.positives)
    shares = [found[space.part == name].mean() for name in ("C1", "C2", "C3", "C4")]
    return {
        "labels": 1 + np.count_nonzero(log.rows != space.seed),
        "final": np.count_nonzero(log.components == Component.FINAL),
        "discovery": found.sum() / space.positive.sum(),
        "clusters": sum(share > 0.5 for share in shares),
    }


def _likely(search: Search, unasked: np.ndarray, *, in_rounds: bool) -> np.ndarray:
    """Return the mask of the points that the sampler would hand to the next query."""
    mask = np.zeros(len(unasked), bool)
    if search.head_to_score() is not None:
        alpha = search.config.alpha_1 if in_rounds else search.config.alpha_2
        mask[algorithms.sampler(search.scores(), alpha, unasked)] = True
    return mask


def _at(angle: float, distance: float) -> np.ndarray:
    return distance * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])


def _strays(geometry: ToyGeometry, centres: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the strays: uniform over the square, kept where far enough out on the class's side and clear of clusters."""
    side, nearest_cluster = _at(CLASS_SIDE, 1.0), min(distance for _, distance in geometry.clusters.values())
    kept: list[np.ndarray] = []
    while len(kept) < geometry.strays:
        point = rng.uniform(-geometry.half_width, geometry.half_width, 2)
        clear = np.sqrt(((centres - point) ** 2).sum(1)).min() >= geometry.gap
        if clear and point @ side > 0.75 * nearest_cluster:
            kept.append(point)
    return np.array(kept)
