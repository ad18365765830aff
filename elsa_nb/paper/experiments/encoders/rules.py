"""How the claim about linear top-1 is tested, with its threshold in words; the catalogue collects the rule."""

from elsa_nb.paper.measures.intervals import rank_correlation
from elsa_nb.paper.measures.medians import RATES
from elsa_nb.paper.measures.rules import Frames, Numbers, RuleTest, rule


@rule("linear-top1", "trained encoders (4 or more): rank correlation of linear top-1 with each median at least 0.5")
def _linear_top1(frames: Frames, numbers: Numbers) -> list[RuleTest] | str:
    runs = frames["encoders"]
    top1 = {encoder: numbers[f"top1 {encoder}"] for encoder in runs["encoder"].unique() if f"top1 {encoder}" in numbers}
    if len(top1) < 4:
        return f"{len(top1)} encoders with a linear probe were searched; a correlation takes 4"
    medians = runs.groupby("encoder")[list(RATES)].median().loc[list(top1)]
    tests = []
    for metric, called in RATES.items():
        rank = rank_correlation(list(top1.values()), medians[metric])
        tests.append(RuleTest(f"{called}, {len(top1)} encoders: {rank:.2f}", rank >= 0.5))
    return tests
