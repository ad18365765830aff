"""Rules that test the claims about Food-101, with their thresholds in words; the catalogue collects them."""

from elsa_nb.paper.measures.intervals import in_most_classes, searches_of_arm
from elsa_nb.paper.measures.more_seeds import RISES, printed_rise, rise_with_seeds
from elsa_nb.paper.measures.printed import printed_value
from elsa_nb.paper.measures.rules import Frames, Numbers, RuleTest, rule

# How much of a class is found says more about such a picture and its weak encoder than about a search.
REDUCED = "64px"
PRINTED_CLASS = 1000  # photographs of a class in the whole of Food-101
NO_HEIGHTS = "a height, and on photographs reduced to 64 x 64 pixels no height can be tested: see notebook 09"


def _printed_heights() -> list[RuleTest]:
    gain = printed_value(11, "labelling_efficiency", seeds="5") * 101
    return [RuleTest(f"efficiency {gain:.1f} times that of random labelling", gain >= 10)]


@rule(
    "food-101",
    "at 5 seeds discovery at least 90 % of the printed, efficiency at least 10 times that of random labelling",
    printed=_printed_heights,
)
def _food_101(frames: Frames, numbers: Numbers) -> list[RuleTest] | str:
    five = searches_of_arm(frames["food-101"])
    if five["dataset"].str.endswith(REDUCED).any():
        return NO_HEIGHTS
    gain = five["labelling_efficiency"] * five["pool_size"] / five["class_size"]
    printed = printed_value(11, "discovery_rate", seeds="5")
    return [
        in_most_classes("discovery", five["discovery_rate"], five["target"], "at least", 0.9 * printed),
        in_most_classes("efficiency, times random labelling:", gain, five["target"], "at least", 10),
    ]


def _printed_seeds() -> list[RuleTest]:
    few, many = (printed_value(11, "discovery_rate", seeds=seeds) for seeds in ("1", "50"))
    return [printed_rise(few, many, PRINTED_CLASS)]


@rule("food-101-seeds", RISES, printed=_printed_seeds)
def _food_101_seeds(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    return [rise_with_seeds(frames["food-101"])]
