"""How the claim about Food-101 is tested, with its threshold in words; the catalogue collects the rule."""

from elsa_nb.paper.measures.intervals import median_with_interval, paired_difference, searches_of_arm
from elsa_nb.paper.measures.rules import Frames, Numbers, RuleTest, rule


@rule(
    "food-101",
    "at 5 seeds discovery at least 90 % of the printed, efficiency at least 10 times that of random labelling; from "
    "fewest to most seeds, paired, discovery rises beyond the interval",
)
def _food_101(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    runs = searches_of_arm(frames["food-101"], seeds=None)
    five = searches_of_arm(runs)
    found = median_with_interval(five["discovery_rate"], five["target"])
    gain = median_with_interval(five["labelling_efficiency"] * five["pool_size"] / five["class_size"], five["target"])
    fewest, most = runs["seeds"].min(), runs["seeds"].max()
    more = paired_difference(searches_of_arm(runs, seeds=most), searches_of_arm(runs, seeds=fewest), "discovery_rate")
    printed = numbers["printed discovery on Food-101"]
    return [
        RuleTest(f"discovery {found} against {printed:.3f} printed", found.median >= 0.9 * printed),
        RuleTest(f"efficiency {gain} times that of random labelling", gain.median >= 10),
        RuleTest(f"discovery from {fewest} to {most} seeds {more}", more.low > 0),
    ]
