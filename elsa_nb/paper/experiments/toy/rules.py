"""Rules that test the claims that the paper shows on its toy latent space, with each threshold in words.

The toy is not staged: the same search runs in many drawn spaces (`stored`), and the rules look at them all.
"""

import pandas as pd

from elsa_nb.paper.experiments.toy import rands
from elsa_nb.paper.experiments.toy.stored import toy_results
from elsa_nb.paper.measures.intervals import in_most_classes, share_of
from elsa_nb.paper.measures.rules import Frames, Numbers, RuleTest, rule

_READINGS = {"paper reading": "paper", "released-code reading": "released-code"}
_NEAREST_ALONE = "paper reading, NN alone"
NO_NUMBERS = "the paper draws it, without numbers"


def toy_frames() -> dict[str, pd.DataFrame]:
    """Return what the rules look at: searches of ELSA ("toy") and of NN alone ("toy-nn"), single rounds ("toy-rands").

    Each has the column `reading`.
    """
    runs, rounds = toy_results()
    runs = runs.assign(reading=runs["case"].map(_READINGS | {_NEAREST_ALONE: "paper"}))
    alone = runs["case"] == _NEAREST_ALONE
    return {
        "toy": runs[runs["case"].isin(list(_READINGS))],
        "toy-nn": runs[alone],
        "toy-rands": rounds.assign(reading="paper"),
    }


@rule(
    "toy-space",
    "all four clusters are found in at least nine of ten spaces; the discovery rate is at least 0.95 in most",
    printed=NO_NUMBERS,
)
def _toy_space(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    runs = frames["toy"]
    return [
        share_of("spaces with all four clusters:", runs["clusters"] == 4, "at least", 0.9),
        in_most_classes("discovery", runs["discovery"], runs["number"], "at least", 0.95, kind="spaces"),
    ]


@rule(
    "disconnected-clusters",
    "NN alone finds all four clusters in at most one of ten spaces",
    printed=NO_NUMBERS,
)
def _disconnected_clusters(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    return [share_of("spaces with all four clusters:", frames["toy-nn"]["clusters"] == 4, "at most", 0.1)]


@rule(
    "iterative-nn",
    "NN alone finds the seed's cluster and the one that is connected with it, two or more, in at least nine of ten "
    "spaces",
    printed=NO_NUMBERS,
)
def _iterative_nn(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    return [share_of("spaces with two clusters or more:", frames["toy-nn"]["clusters"] >= 2, "at least", 0.9)]


@rule(
    "rands-beats-random",
    "in each form of the text, paired: more positives among its points than among as many drawn at random from the "
    "pool",
    printed=NO_NUMBERS,
)
def _rands_beats_random(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    return [_differs(frames, form, rands.RANDOM_ANYWHERE, "positives", "above") for form in rands.FORMS]


@rule(
    "rands-spreads",
    "in each form of the text, paired with as many points drawn at random among the likely ones: its points lie "
    "farther from one another, and NN asks fewer of them in the same round",
    printed=NO_NUMBERS,
)
def _rands_spreads(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    return [
        _differs(frames, form, rands.RANDOM_LIKELY, count, way)
        for form in rands.FORMS
        for count, way in (("spacing", "above"), ("also asked by NN", "below"))
    ]


def _differs(frames: Frames, form: str, other: str, count: str, way: str) -> RuleTest:
    """Test whether a count of `form` differs from that of `other` in most spaces; where both are equal it says nothing.

    Were an equal count taken for the claim, or against it, the many equal ones would decide about small whole numbers.
    """
    wide = frames["toy-rands"].pivot(index="number", columns="variant", values=count)
    apart = (wide[form] - wide[other]).loc[lambda each: each != 0]
    if apart.empty:
        return RuleTest(f"{form}, {count}: as in {other} in all spaces", passes=False)
    says = f"{form}, {count}, less that of {other}:"
    return in_most_classes(says, apart, apart.index, way, 0, kind="spaces that differ")
