"""RandS against plain random search on the toy space: Fig. 6, in each of the forms the paper's text allows.

Appendix B says that RandS, by asking neighbours of sampled points and keeping the pairs of smallest distance, selects
points far from one another and so does not repeat NN's work ("orthogonalizes" the two). Both halves can be counted.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from elsa_nb.paper.experiments.toy import space as toy
from elsa_nb.paper.measures.medians import interval_text
from elsa_nb.search import algorithms
from elsa_nb.search.config import SearchConfig
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.oracle import Truth
from elsa_nb.threads import one_thread

NN_PROPOSALS = "NN in the same round"
RANDOM_ANYWHERE = "Plain random search"
RANDOM_LIKELY = "Random among the likely"
ALGORITHM_2 = "RandS, Algorithm 2"
APPENDIX_B = "RandS, Appendix B"
APPENDIX_B_CUT = "RandS, Appendix B, l = 4b"  # with l = b, as in the paper's settings, "the first b" leaves nothing out
SECTION_4 = "RandS, section 4"  # of all likely points, and "a random subset" of their neighbours
VARIANTS = (NN_PROPOSALS, RANDOM_ANYWHERE, RANDOM_LIKELY, ALGORITHM_2, APPENDIX_B, APPENDIX_B_CUT, SECTION_4)
FORMS = VARIANTS[3:]  # of RandS: all are the text's


def proposals(number: int, how: SearchConfig | None = None) -> pd.DataFrame:
    """Return what each variant would ask in the second round of the search in space `number`, one row per point asked.

    All variants see the same moment: the first round is answered, the head is trained. The forms of Algorithm 2 and
    Appendix B start from the same sampled points; that of section 4, which no search uses, from all likely ones.
    Columns: variant, row, x, y, part, `positive`, `also_nn` (NN asks it, too), `reaches` (a cluster of which nothing
    was known), and `from_x`, `from_y`, the nearest sampled point, where there is one.
    """
    how = how or toy.toy_config()
    space = toy.draw_space(number)
    search = toy.search_in(space, number, how)
    batch = search.query()
    search.update(Truth(space.positive).label(batch.rows))
    unasked = np.ones(len(space.points), bool)
    unasked[np.append(batch.rows, space.seed)] = False
    queries = search.positives[search.positives != space.seed]  # line 10: the positives of the last round
    known = set(space.part[search.positives])
    likely = algorithms.sampler(search.scores(), how.alpha_1, unasked)
    neighbours = Neighbours(space.points)
    nearest = algorithms.nearest_neighbours(neighbours, queries, how.a, unasked)
    frames = []
    for variant, (rows, sampled) in _propose(neighbours, number, how, likely, unasked, nearest).items():
        frame = pd.DataFrame({"variant": variant, "row": rows, "x": space.points[rows, 0], "y": space.points[rows, 1]})
        frame["part"] = space.part[rows]
        frame["positive"] = space.positive[rows]
        frame["also_nn"] = np.isin(rows, nearest)
        frame["reaches"] = [p if p in toy.FAN and p not in known else "" for p in frame["part"]]
        frame["from_x"], frame["from_y"] = _origins(space.points, rows, sampled)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def proposal_counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what the points of each variant amount to, one line per variant.

    Columns: asked, positives, new clusters (of which nothing was known), also asked by NN, and `spacing`, the median
    distance of a point asked to the nearest other one.
    """
    lines = {}
    for variant, rows in frame.groupby("variant", sort=False):
        points = rows[["x", "y"]].to_numpy(np.float64)
        apart = np.sqrt(((points[:, None] - points) ** 2).sum(2))
        np.fill_diagonal(apart, np.inf)
        lines[variant] = {
            "asked": len(rows),
            "positives": rows["positive"].sum(),
            "new clusters": rows.loc[rows["reaches"] != "", "reaches"].nunique(),
            "also asked by NN": rows["also_nn"].sum(),
            "spacing": np.median(apart.min(1)),
        }
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis("variant")


def counts_by_space(spaces: int = 200) -> pd.DataFrame:
    """Return the `proposal_counts` in the spaces 0, 1, ...: one row per space and variant, with the column `number`."""
    with one_thread():
        every = [proposal_counts(proposals(number)).assign(number=number) for number in range(spaces)]
    return pd.concat(every).reset_index()


def mean_counts(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return the means of `counts_by_space` over the spaces, one line per variant."""
    return rounds.drop(columns="number").groupby("variant", sort=False).mean()


def differences(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return how the forms of RandS differ from as many points drawn at random among the likely ones.

    One line per form: the mean difference within a space, of `counts_by_space`, with its 95 % interval over the spaces.
    """
    counts = rounds.set_index(["number", "variant"])[["positives", "new clusters", "also asked by NN", "spacing"]]
    drawn = counts.xs(RANDOM_LIKELY, level="variant")
    lines = {}
    for form in FORMS:
        apart = counts.xs(form, level="variant") - drawn
        mean, reach = apart.mean(), 1.96 * apart.sem()
        lines[form] = {
            name: interval_text(mean[name], *(mean[name] + s * reach[name] for s in (-1, 1)), "+.2f") for name in apart
        }
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis("variant")


def _propose(
    neighbours: Neighbours,
    number: int,
    how: SearchConfig,
    likely: np.ndarray,
    unasked: np.ndarray,
    nearest: np.ndarray,
) -> dict[str, tuple[np.ndarray, Sequence[int] | np.ndarray]]:
    """Return for each variant the rows it asks and the sampled points they come from."""
    rng = np.random.default_rng([number, 2])
    b = how.b
    # Handed all at once, the points RandS draws are exactly these: so both forms start from the same ones.
    many = rng.permutation(likely)[: 4 * b]
    few = many[: how.l]

    def rands(sampled: np.ndarray, variant: str) -> tuple[np.ndarray, np.ndarray]:
        rows = algorithms.random_search(neighbours, sampled, len(sampled), b, unasked, rng, variant=variant)
        return rows, sampled

    def of_all() -> tuple[np.ndarray, np.ndarray]:
        n = len(likely)
        centres = algorithms.random_search(neighbours, likely, n, n, unasked, rng, variant="appendix b")
        return rng.permutation(centres)[:b], likely

    return {
        NN_PROPOSALS: (nearest, []),
        RANDOM_ANYWHERE: (rng.choice(np.flatnonzero(unasked), b, replace=False), []),
        RANDOM_LIKELY: (few[:b], []),
        ALGORITHM_2: rands(few, "algorithm 2"),
        APPENDIX_B: rands(few, "appendix b"),
        APPENDIX_B_CUT: rands(many, "appendix b"),
        SECTION_4: of_all(),
    }


def _origins(points: np.ndarray, rows: np.ndarray, sampled: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the coordinates (2, m) of the sampled point nearest to each row, itself excluded; nan without any."""
    if not len(sampled):
        return np.full((2, len(rows)), np.nan)
    sampled = np.asarray(sampled)
    distances = ((points[rows][:, None].astype(np.float64) - points[sampled]) ** 2).sum(2)
    distances[rows[:, None] == sampled] = np.inf
    return points[sampled[distances.argmin(1)]].T
