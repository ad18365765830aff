"""Rules that test the claims about the trade-off (Fig. 3), with each threshold in words.

The catalogue collects the rules.
"""

import pandas as pd

from elsa_nb.paper.experiments.trade_off.tables import CLASS_ROLES
from elsa_nb.paper.measures.budgets import found_after
from elsa_nb.paper.measures.intervals import (
    area_under_front,
    encoder_title,
    in_most_classes,
    paired,
    searches_by_encoder,
    searches_of_arm,
)
from elsa_nb.paper.measures.medians import RATES
from elsa_nb.paper.measures.printed import printed_value
from elsa_nb.paper.measures.rules import Frames, Numbers, RuleTest, rule

# The one setting that all arms vary: an arm with more settings would cover a larger area by their number alone.
RADIUS_ALONE = r"a=\d+, (alpha_2=2\.0|rounds=10)"


def _printed_beats_nn() -> list[RuleTest]:
    tests = []
    for encoder, table in {"vicreg": 3, "barlow-twins": 4}.items():
        full, nearest = (printed_value(table, "discovery_rate", arm=arm, seeds="5") for arm in ("ELSA", "NN"))
        tests.append(RuleTest(f"{encoder_title(encoder)}, found at the end: {full:g} and {nearest:g}", full > nearest))
    return tests


@rule(
    "elsa-beats-nn",
    "each class of Fig. 3: the area under ELSA's trade-off is larger, both arms with the same radii and all else as in "
    "the reading; 5 seeds, each encoder, paired: ELSA finds more at its end, and after as many labels as NN spent "
    "(which the paper does not print)",
    printed=_printed_beats_nn,
)
def _beats_nn(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    tests = []
    areas = _areas(frames["trade-off"])
    for role in CLASS_ROLES:
        full, nearest = areas["ELSA"][role], areas["NN"][role]
        tests.append(RuleTest(f"{role} class: area {full:.3f} against {nearest:.3f}", full > nearest))
    for encoder, runs in searches_by_encoder(frames["components"]):
        full, nearest = searches_of_arm(runs), searches_of_arm(runs, "NN")
        gain = paired(full, nearest, "discovery_rate")
        tests.append(in_most_classes(f"{encoder}, more found at the end", *gain, "above", 0))
        limits = nearest[["encoder", "target", "repeat", "labels"]].rename(columns={"labels": "limit"})
        at_limit = [each.merge(limits, on=["encoder", "target", "repeat"]) for each in (full, nearest)]
        at_limit = [each.assign(discovery_rate=found_after(each, each["limit"])) for each in at_limit]
        gain = paired(*at_limit, "discovery_rate")
        tests.append(in_most_classes(f"{encoder}, more found at NN's number of labels", *gain, "above", 0))
    return tests


def _areas(runs: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return the area under the trade-off of the medians over the radii: {arm: {role of the class: area}}."""
    roles = dict(zip(runs["target"].unique(), CLASS_ROLES, strict=True))
    runs = runs[runs["change"].str.fullmatch(RADIUS_ALONE)]
    medians = runs.groupby(["arm", "target", "change"], sort=False)[list(RATES)].median()
    return {
        name: {
            roles[target]: area_under_front(rows["labelling_efficiency"], rows["discovery_rate"])
            for target, rows in medians.loc[name].groupby("target", sort=False)
        }
        for name in ("ELSA", "No Active", "NN")
    }


@rule(
    "three-classes",
    "each algorithm's area under its trade-off is larger for the tightest class than for the sparsest; for the median "
    "class (by neighbour purity) ELSA's is larger than NN's; all with the same radii",
    printed="the paper draws it, without numbers",
)
def _three_classes(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    areas = _areas(frames["trade-off"])
    tight, sparse, typical = CLASS_ROLES
    tests = [
        RuleTest(
            f"{name}: {tight} {by_role[tight]:.3f}, {sparse} {by_role[sparse]:.3f}", by_role[tight] > by_role[sparse]
        )
        for name, by_role in areas.items()
    ]
    full, nearest = areas["ELSA"][typical], areas["NN"][typical]
    return [*tests, RuleTest(f"{typical}: ELSA {full:.3f}, NN {nearest:.3f}", full > nearest)]
