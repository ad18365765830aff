"""Do more seeds find more? One rule for every pool in which the paper says so (sections 6.1, appendix E).

Seeds count as found, in the paper as here: fifty of a class of 250 are a fifth of it before anything was asked. So the
rise is judged twice, with the seeds counted, as the paper does, and without.
"""

import pandas as pd

from elsa_nb.paper.measures.intervals import in_most_classes, paired, searches_of_arm
from elsa_nb.paper.measures.rules import RuleTest

RISES = (
    "from fewest to most seeds, paired: discovery rises, with the seeds counted and without (the paper's own "
    "efficiency falls from 1 to 50 seeds, so it is not judged)"
)
_COUNTED = {"discovery_rate": "discovery", "discovery_rate_without_seeds": "discovery without the seeds"}


def rise_with_seeds(runs: pd.DataFrame, title: str = "") -> list[RuleTest]:
    """Return the two tests of ELSA's searches `runs` in one space, which begin from several numbers of seeds."""
    runs = searches_of_arm(runs, seeds=None)
    fewest, most = runs["seeds"].min(), runs["seeds"].max()
    tests = []
    for metric, called in _COUNTED.items():
        gain = paired(searches_of_arm(runs, seeds=most), searches_of_arm(runs, seeds=fewest), metric)
        tests.append(in_most_classes(f"{title}{called} from {fewest} to {most} seeds", *gain, "above", 0))
    return tests


def printed_rise(few: float, many: float, class_size: int, title: str = "") -> list[RuleTest]:
    """Return the same for the discovery rates that are printed for 1 and 50 seeds of a class of `class_size`."""
    fresh = [(found * class_size - seeds) / (class_size - seeds) for found, seeds in ((few, 1), (many, 50))]
    return [
        RuleTest(f"{title}{few:g} to {many:g}", many > few),
        RuleTest(f"{title}without the seeds: {fresh[0]:.3f} to {fresh[1]:.3f}", fresh[1] > fresh[0]),
    ]
