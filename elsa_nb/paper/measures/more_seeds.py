"""Do more seeds find more? One rule for every pool in which the paper says so (section 6.1, appendix E).

It is judged without the seeds. They count as found, in the paper as here, so discovery rises by their number alone:
fifty of a class of 250 are a fifth of it before anything was asked. What rises without them rises with them, too.
"""

import pandas as pd

from elsa_nb.paper.measures.intervals import in_most_classes, paired, searches_of_arm
from elsa_nb.paper.measures.rules import RuleTest

RISES = (
    "from fewest to most seeds, paired: the share found of the rest of the class rises. (Seeds count as found, so "
    "discovery with them rises by their number alone. The paper's own efficiency falls from 1 to 50 seeds, so it is "
    "not judged)"
)


def rise_with_seeds(runs: pd.DataFrame, title: str = "discovery") -> RuleTest:
    """Return the test of ELSA's searches `runs` in one space, which begin from several numbers of seeds."""
    runs = searches_of_arm(runs, seeds=None)
    few, many = runs["seeds"].min(), runs["seeds"].max()
    gain = paired(*(searches_of_arm(runs, seeds=n) for n in (many, few)), "discovery_rate_without_seeds")
    return in_most_classes(f"{title} without the seeds, from {few} to {many}", *gain, "above", 0)


def printed_rise(few: float, many: float, class_size: int, title: str = "discovery") -> RuleTest:
    """Return the same for the discovery rates that are printed for 1 and 50 seeds of a class of `class_size`."""
    one, other = ((found * class_size - seeds) / (class_size - seeds) for found, seeds in ((few, 1), (many, 50)))
    return RuleTest(f"{title} {few:g} to {many:g}, without the seeds {one:.3f} to {other:.3f}", other > one)
