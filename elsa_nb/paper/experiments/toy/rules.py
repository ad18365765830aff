"""Rules that test the claims that the paper shows on its toy latent space, with each threshold in words.

The toy is not staged: the same search runs in many drawn spaces (`stored`), and the rules look at them all.
"""

import pandas as pd

from elsa_nb.paper.experiments.toy import rands
from elsa_nb.paper.experiments.toy.stored import toy_results
from elsa_nb.paper.measures.rules import Frames, Numbers, RuleTest, rule

_READINGS = {"paper reading": "paper", "released-code reading": "released-code"}
_NEAREST_ALONE = "paper reading, NN alone"
_FORMS = (rands.ALGORITHM_2, rands.APPENDIX_B, rands.APPENDIX_B_CUT)  # all three are the text's
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
        "toy-rands": rounds.reset_index().assign(reading="paper"),
    }


@rule(
    "toy-space",
    "all four clusters are found in at least nine of ten spaces; the median discovery rate is at least 0.95",
    printed=NO_NUMBERS,
)
def _toy_space(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    runs = frames["toy"]
    every, middle = (runs["clusters"] == 4).mean(), runs["discovery"].median()
    return [
        RuleTest(f"all four clusters in {every:.0%} of {len(runs)} spaces", every >= 0.9),
        RuleTest(f"median discovery {middle:.3f}", middle >= 0.95),
    ]


@rule(
    "disconnected-clusters",
    "NN alone finds all four clusters in at most one of ten spaces",
    printed=NO_NUMBERS,
)
def _disconnected_clusters(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    runs = frames["toy-nn"]
    every = (runs["clusters"] == 4).mean()
    return [RuleTest(f"all four clusters in {every:.0%} of {len(runs)} spaces", every <= 0.1)]


@rule(
    "iterative-nn",
    "NN alone finds the seed's cluster and the one that is connected with it, two or more, in at least nine of ten "
    "spaces",
    printed=NO_NUMBERS,
)
def _iterative_nn(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    runs = frames["toy-nn"]
    both = (runs["clusters"] >= 2).mean()
    return [RuleTest(f"two clusters or more in {both:.0%} of {len(runs)} spaces", both >= 0.9)]


@rule(
    "rands-beats-random",
    "in each form of the text: more positives among its points than among as many drawn at random from the pool",
    printed=NO_NUMBERS,
)
def _rands_beats_random(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    found = frames["toy-rands"].set_index("variant")["positives"]
    drawn = found[rands.RANDOM_ANYWHERE]
    return [RuleTest(f"{form}: {found[form]:.1f}, drawn at random {drawn:.1f}", found[form] > drawn) for form in _FORMS]


@rule(
    "rands-spreads",
    "in each form of the text: its points lie no nearer to one another than points drawn at random among the likely "
    "ones; NN asks no more of them in the same round than of points drawn at random",
    printed=NO_NUMBERS,
)
def _rands_spreads(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    means = frames["toy-rands"].set_index("variant")
    drawn, anywhere = means.loc[rands.RANDOM_LIKELY, "spacing"], means.loc[rands.RANDOM_ANYWHERE, "also asked by NN"]
    tests = []
    for form in _FORMS:
        apart, shared = means.loc[form, ["spacing", "also asked by NN"]]
        tests.append(RuleTest(f"{form}: spacing {apart:.2f}, drawn at random {drawn:.2f}", apart >= drawn))
        tests.append(
            RuleTest(f"{form}: NN asks {shared:.1f} of its points, of random ones {anywhere:.1f}", shared <= anywhere)
        )
    return tests
