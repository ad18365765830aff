"""How the claims that the paper shows on its toy latent space are tested, with each threshold in words.

The toy is not staged: the same search runs in many drawn spaces (`space`, `rands`), and the rules look at them all.
"""

import pandas as pd

from elsa_nb.paper.experiments.toy import rands, space
from elsa_nb.paper.measures.rules import Frames, Numbers, RuleTest, rule

JUDGED_SPACES = 200
_CASES = {"paper reading": "paper", "released-code reading": "released-code"}
_FORMS = (rands.ALGORITHM_2, rands.APPENDIX_B, rands.APPENDIX_B_CUT)  # all three are the text's


def toy_frames(spaces: int = JUDGED_SPACES) -> dict[str, pd.DataFrame]:
    """Return what the rules look at, from the spaces 0, 1, ...: searches ("toy"), and single rounds ("toy-rands")."""
    runs = space.repeat_searches(spaces, {case: space.TOY_CASES[case] for case in _CASES})
    rounds = rands.mean_proposal_counts(spaces).reset_index()
    return {"toy": runs.assign(reading=runs["case"].map(_CASES)), "toy-rands": rounds.assign(reading="paper")}


@rule(
    "toy-space",
    "all four clusters are found in at least nine of ten spaces; the median discovery rate is at least 0.95",
)
def _toy_space(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    runs = frames["toy"]
    every, middle = (runs["clusters"] == 4).mean(), runs["discovery"].median()
    return [
        RuleTest(f"all four clusters in {every:.0%} of {len(runs)} spaces", every >= 0.9),
        RuleTest(f"median discovery {middle:.3f}", middle >= 0.95),
    ]


@rule(
    "rands-spreads",
    "in each form of the text: its points lie no nearer to one another than points drawn at random among the likely "
    "ones; NN asks no more of them in the same round than of points drawn at random",
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
