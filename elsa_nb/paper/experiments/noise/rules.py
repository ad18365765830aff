"""How the claims about a noisy oracle are tested, with each threshold in words; the catalogue collects the rules."""

import pandas as pd

from elsa_nb.paper.measures.rules import Frames, Numbers, RuleTest, rule


def _by_flip(runs: pd.DataFrame, metric: str) -> pd.Series:
    """Return the median of a measure by the share of answers flipped, ascending, in the reading as it is."""
    return runs[runs["change"] == ""].groupby("flip")[metric].median().sort_index()


@rule("noise-discovery", "at every share of flipped answers the median discovery is at least 90 % of that without")
def _noise_discovery(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    rates = _by_flip(frames["noise"], "discovery_rate")
    return [
        RuleTest(f"{flip:.1%} flipped: {rate:.3f} against {rates[0.0]:.3f}", rate >= 0.9 * rates[0.0])
        for flip, rate in rates.drop(0.0).items()
    ]


@rule(
    "noise-efficiency", "the median efficiency falls with every step, and at 15 % to half or less of that without flips"
)
def _noise_efficiency(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    rates = _by_flip(frames["noise"], "labelling_efficiency")
    steps = ", ".join(f"{flip:.1%}: {rate:.4f}" for flip, rate in rates.items())
    ratio = rates.iloc[-1] / rates.iloc[0]
    return [
        RuleTest(f"by share flipped {steps}", bool((rates.diff().iloc[1:] < 0).all())),
        RuleTest(f"at {rates.index[-1]:.0%} {ratio:.2f} of that without", ratio <= 0.5),
    ]
