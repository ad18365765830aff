"""How the claims about hyperparameters are tested, with each threshold in words.

The catalogue collects them; `measures.rules.Rule` says what each takes and returns.
"""

import numpy as np
import pandas as pd

from elsa_nb.paper.measures.by_setting import TUNED, medians_by_value, varied
from elsa_nb.paper.measures.intervals import paired_difference, rank_correlation
from elsa_nb.paper.measures.medians import RATES
from elsa_nb.paper.measures.rules import Frames, Numbers, RuleTest, rule


@rule("negative-correlation", "over the values of a, alpha_1 and alpha_2: rank correlation of the medians at most -0.7")
def _negative_correlation(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    tests = []
    for name in ("a", "alpha_1", "alpha_2"):
        medians = medians_by_value(frames["hyperparameters"], name)
        rank = rank_correlation(medians["labelling_efficiency"], medians["discovery_rate"])
        tests.append(RuleTest(f"{name} ({len(medians)} values): {rank:.2f}", rank <= -0.7))
    return tests


def _from_end_to_end(runs: pd.DataFrame, name: str) -> dict[str, tuple]:
    """Return for each measure the paired difference from the least to the greatest value of a hyperparameter."""
    searches = varied(runs, name)
    ends = searches["value"].min(), searches["value"].max()
    least, greatest = (searches[searches["value"] == end] for end in ends)
    return {
        metric: (paired_difference(greatest, least, metric), f"from {name} = {ends[0]:g} to {ends[1]:g}")
        for metric in RATES
    }


@rule("radius", "from a = 10 to 200, paired by class: discovery rises, efficiency falls, both beyond the interval")
def _radius(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    change = _from_end_to_end(frames["hyperparameters"], "a")
    (discovery, where), (efficiency, _) = change["discovery_rate"], change["labelling_efficiency"]
    return [
        RuleTest(f"discovery {where}: {discovery}", discovery.low > 0),
        RuleTest(f"efficiency {where}: {efficiency}", efficiency.high < 0),
    ]


@rule(
    "threshold", "from alpha_1 = 0.2 to 2, paired by class: efficiency rises, discovery falls, both beyond the interval"
)
def _threshold(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    change = _from_end_to_end(frames["hyperparameters"], "alpha_1")
    (discovery, where), (efficiency, _) = change["discovery_rate"], change["labelling_efficiency"]
    return [
        RuleTest(f"efficiency {where}: {efficiency}", efficiency.low > 0),
        RuleTest(f"discovery {where}: {discovery}", discovery.high < 0),
    ]


@rule(
    "radius-50",
    "no other a is as good in both medians and better in one; their harmonic mean is within 10 % of the best",
)
def _radius_50(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    medians = medians_by_value(frames["hyperparameters"], "a").set_index("value")
    both = medians.to_numpy()
    at_50 = medians.loc[50].to_numpy()
    better = (both >= at_50).all(1) & (both > at_50).any(1)
    harmonic = 2 / (1 / medians).sum(axis=1)
    named = ", ".join(f"{a:g}" for a in medians.index[better]) or "none"
    share = harmonic[50] / harmonic.max()
    return [
        RuleTest(f"better in both: {named}", not better.any()),
        RuleTest(f"harmonic mean {share:.0%} of the best, that of a = {harmonic.idxmax():g}", share >= 0.9),
    ]


@rule("radius-matters", "of a, alpha_1, alpha_2 and l, a moves the median most or second most")
def _radius_matters(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    medians = {name: medians_by_value(frames["hyperparameters"], name) for name in TUNED.values()}
    tests = []
    for metric, called in RATES.items():
        ranges = pd.Series({name: float(np.ptp(frame[metric])) for name, frame in medians.items()})
        moved = ", ".join(f"{name} {value:.3f}" for name, value in ranges.sort_values(ascending=False).items())
        tests.append(RuleTest(f"{called} moved by {moved}", ranges.rank(ascending=False, method="min")["a"] <= 2))
    return tests


@rule(
    "not-sensitive-to-l",
    "at l = 25 and 100 both medians are within 15 % of those at 50 (the paper's own change by 10 %)",
)
def _not_sensitive(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    medians = medians_by_value(frames["hyperparameters"], "l").set_index("value")
    ratio = medians / medians.loc[50] - 1
    return [
        RuleTest(f"{called} at l = {l:g}: {value:+.1%}", abs(value) <= 0.15)
        for metric, called in RATES.items()
        for l, value in ratio[metric].drop(50).items()  # noqa: E741 - the paper's letter
    ]
