"""Rules that test the claims about a noisy oracle, with each threshold in words; the catalogue collects them."""

from itertools import pairwise

import pandas as pd

from elsa_nb.paper.measures.intervals import in_most_classes, paired
from elsa_nb.paper.measures.printed import printed_cells, printed_value
from elsa_nb.paper.measures.rules import Frames, Numbers, RuleTest, rule


def _by_flip(runs: pd.DataFrame) -> dict[float, pd.DataFrame]:
    """Return the searches by the share of answers flipped, ascending, in the reading as it is."""
    return dict(list(runs[runs["change"] == ""].groupby("flip")))


def _printed(metric: str) -> dict[float, float]:
    """Return a printed measure by the share flipped; without flips that of Table 6 at the same setting."""
    cells = printed_cells(10).query("metric == @metric")
    return {0.0: printed_value(6, metric, setting="50")} | {
        float(row.setting) / 100: row.value for row in cells.itertuples()
    }


def _printed_discovery() -> list[RuleTest]:
    rates = _printed("discovery_rate")
    return [
        RuleTest(f"{flip:.1%} flipped: {rate:.3f} against {rates[0.0]:.3f}", rate >= 0.9 * rates[0.0])
        for flip, rate in rates.items()
        if flip
    ]


@rule(
    "noise-discovery",
    "at every share of flipped answers, paired: discovery is at least 90 % of that without",
    printed=_printed_discovery,
)
def _noise_discovery(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    runs = _by_flip(frames["noise"])
    return [
        in_most_classes(
            f"{flip:.1%} flipped, discovery / that without",
            *paired(noisy, runs[0.0], "discovery_rate", ratio=True),
            "at least",
            0.9,
        )
        for flip, noisy in runs.items()
        if flip
    ]


def _printed_efficiency() -> list[RuleTest]:
    rates = list(_printed("labelling_efficiency").items())
    steps = [RuleTest(f"{f:.1%} to {t:.1%}: {one:g} to {two:g}", two < one) for (f, one), (t, two) in pairwise(rates)]
    ratio = rates[-1][1] / rates[0][1]
    return [*steps, RuleTest(f"at {rates[-1][0]:.0%} {ratio:.2f} of that without", ratio <= 0.5)]


@rule(
    "noise-efficiency",
    "paired: efficiency falls with every step, and at 15 % to half or less of that without flips",
    printed=_printed_efficiency,
)
def _noise_efficiency(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    runs = _by_flip(frames["noise"])
    metric, most = "labelling_efficiency", max(runs)
    steps = [
        in_most_classes(f"{one:.1%} to {two:.1%} flipped", *paired(runs[two], runs[one], metric), "below", 0)
        for one, two in pairwise(runs)
    ]
    ratio = paired(runs[most], runs[0.0], metric, ratio=True)
    return [*steps, in_most_classes(f"at {most:.0%}, efficiency / that without", *ratio, "at most", 0.5)]
