"""A bracket of the missing positives from the scores: the recent answers tell what a score means.

Scores of different rounds are compared by where they stood among all rows of their round (`standings`) when the row was
asked: today's scores already know the answers. The asked rows are not a sample of the others; so every row without an
answer is taken for refused as well, as evidence about the tail, which holds few positives:

    x_i, y_i   standing when asked, and answer, of the more recent half of the answers
    u_j        standing now of the N rows without an answer
    a, b    <- logistic regression of y on x, and of N refusals on u     (a >= 0)
    S       <- sum over j of 1 / (1 + exp(-(a u_j + b)))
    missing <- c F ((1 + S) / F) ** e - 1                                F positives found

S is too small, since what is missing was taken for refused; near the end it is less so. c and e say how far the truth
is from S: `FITTED`, quantile regressions on simulated searches for the tuning half of the classes (`python -m
benchmarks.whats_missing` fits them, and reports on the other half). Also tried, on the tuning half: S from all answers,
refusals of smaller weight, exponents for four sums of this kind at once; they changed little. If photographs and texts
are fitted on as well, the middle is better at half of a class and worse at its end, and a stop by it comes earlier and
is wrong more often. A second term, of the finds among the more recent half of the answers or of those expected next,
narrows the bracket where its pool is among those fitted on, and misleads on texts where it is not.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from elsa_nb.search.heads.logistic import confidence, logistic_regression
from elsa_nb.search.stopping.remaining import Evidence, Missing, silence, standings

LEAST_ANSWERS, LEAST_FINDS, LEAST_REFUSALS = 30, 5, 5
MOST_HITS = 0.75  # of the recent half of the answers: with more, the end is not in sight
_AHEAD = (100, 300, 1000)  # answers
_BANDS, _PENALTY, _TOLERANCE = 512, 1e-2, 1e-7
FITTED: Mapping[str, tuple[float, float]] = MappingProxyType(  # log c, e
    {"low": (-2.052, 0.557), "middle": (-0.078, 0.714), "high": (0.933, 0.349)}
)


def bracket(evidence: Evidence) -> Missing:
    """Return the bracket; silent while answers, finds or refusals are too few, or most recent answers are finds.

    Takes milliseconds for 100,000 rows, which are counted in bands of standing.
    """
    if evidence.scores is None:
        return silence("The search has no scores yet to guess from.")
    if not len(evidence.scores):
        return silence("Every item has an answer: there is nothing left to guess.")
    _, positive = evidence.answers
    if why := too_thin(positive, len(evidence.labels) - len(positive)):
        return silence(why)
    total, chances = chances_of(evidence)
    low, middle, high = (float(np.clip(each, 0, len(chances))) for each in ends(total, evidence.found))
    recent = positive[len(positive) // 2 :]
    how = (
        f"Guessed from the scores and the last {len(recent):,} answers, {np.count_nonzero(recent):,} of them finds. "
        "It cannot know of a group that looks unlike all finds."
    )
    return Missing(middle, low, high, how, _ahead(chances, middle))


def too_thin(positive: np.ndarray, others: int = 0) -> str:
    """Return why the sure answers (k,) bool that had a score say nothing about the end, "" if they do.

    `others` is the number of further answers, which never count here: a person who sees the number of all answers is
    told so.
    """
    recent = positive[len(positive) // 2 :]
    why = "unsure, or without a score of this search, such as those from a first look or from before the items changed"
    but = f" ({others:,} others do not count: {why})" if others else ""
    if len(positive) < LEAST_ANSWERS:
        return f"How many are missing cannot be told before {LEAST_ANSWERS} answers in the search{but}."
    if np.count_nonzero(positive) < LEAST_FINDS:
        return f"How many are missing cannot be told before {LEAST_FINDS} finds in the search{but}."
    if np.count_nonzero(~positive) < LEAST_REFUSALS or recent.mean() > MOST_HITS:
        return "How many are missing cannot be told while most answers are finds."
    return ""


def chances_of(evidence: Evidence) -> tuple[float, np.ndarray]:
    """Return S of the algorithm above, and its terms: each row's chance to be positive, (N,) float64.

    The rows are those without an answer. Raises ValueError where none of them has a score.
    """
    if evidence.scores is None:
        raise ValueError("no row without an answer has a score: there is nothing to add up")
    given, positive = evidence.answers
    first = len(positive) // 2
    while first and np.count_nonzero(positive[first:]) < LEAST_FINDS:  # a dry spell has no finds to learn from
        first = max(0, first - max(1, len(positive) // 10))
    centres, counts, band = _bands(standings(evidence.scores, evidence.scale))
    x = np.concatenate([given[first:], centres])
    y = np.concatenate([positive[first:], np.zeros(len(centres), bool)])
    costs = np.concatenate([np.ones(len(given) - first), counts])
    slope, bias = logistic_regression(x[:, None], y, _PENALTY, costs=costs, tolerance=_TOLERANCE)
    chances = confidence(max(slope[0], 0.0) * centres + bias)
    return float(chances @ counts), chances[band]


def extrapolated(total: float, found: int, log_factor: float, exponent: float) -> float:
    """Return how many positives are missing: c F ((1 + S) / F) ** e - 1, the last line of the algorithm.

    `total` is S, `found` is F, `log_factor` is log c and `exponent` is e.
    """
    return float(np.exp(log_factor + exponent * np.log((1 + total) / found)) * found - 1)


def ends(total: float, found: int) -> tuple[float, float, float]:
    """Return how many positives are missing by the sum of chances `total` (S) with `found` finds: low, middle, high."""
    return tuple(np.sort([extrapolated(total, found, *FITTED[end]) for end in ("low", "middle", "high")]).tolist())


def _bands(standing: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the centres (k,) of bands that hold rows, how many each holds (k,), and the band of each row (N,)."""
    low, high = standing.min(), standing.max()
    width = max((high - low) / _BANDS, 1e-9)
    band = np.minimum(((standing - low) / width).astype(np.int64), _BANDS - 1)
    counts = np.bincount(band, minlength=_BANDS)
    held = counts > 0
    return low + (np.flatnonzero(held) + 0.5) * width, counts[held].astype(float), (np.cumsum(held) - 1)[band]


def _ahead(chances: np.ndarray, missing: float) -> tuple[tuple[int, float], ...]:
    """Return the finds expected in the next answers, the best rows first, if `missing` are among all rows."""
    most = min(_AHEAD[-1], len(chances))
    best = -np.sort(-np.partition(chances, len(chances) - most)[len(chances) - most :])
    found = np.minimum(np.cumsum(best) * (missing / max(chances.sum(), 1e-9)), missing)
    return tuple((k, float(min(found[k - 1], k))) for k in _AHEAD if k <= most)
