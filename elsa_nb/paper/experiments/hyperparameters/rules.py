"""Rules that test the claims about hyperparameters, with each threshold in words.

The catalogue collects them; `measures.rules.Rule` says what each takes and returns.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from elsa_nb.paper.measures.by_setting import TUNED, medians_by_value, varied
from elsa_nb.paper.measures.intervals import in_most_classes, paired, rank_correlation
from elsa_nb.paper.measures.medians import RATES
from elsa_nb.paper.measures.printed import printed_cells
from elsa_nb.paper.measures.rules import Frames, Numbers, Rule, RuleTest, rule

Medians = dict[str, pd.DataFrame]  # by hyperparameter: value, labelling_efficiency, discovery_rate
MISPRINTED = 8  # its rows are Table 9's


def _medians(frames: Frames) -> Medians:
    return {name: medians_by_value(frames["hyperparameters"], name) for name in TUNED.values()}


def _printed_medians() -> Medians:
    """Return Tables 6, 7 and 9 as `_medians` does our searches; what Table 8 prints are not values of alpha_2."""
    found = {}
    for table, name in TUNED.items():
        if table != MISPRINTED:
            cells = printed_cells(table).astype({"setting": float})
            wide = cells.pivot(index="setting", columns="metric", values="value")
            found[name] = wide.rename_axis("value").reset_index()
    return found


def _rule_on_medians(claims: str, says: str) -> Callable[[Callable[[Medians], list[RuleTest]]], Rule]:
    """Make the decorated function of medians the rule of `claims`, for those of our searches and for the printed."""

    def of(judge: Callable[[Medians], list[RuleTest]]) -> Rule:
        by = rule(claims, says, printed=lambda: judge(_printed_medians()))
        return by(lambda frames, numbers: judge(_medians(frames)))

    return of


@_rule_on_medians(
    "negative-correlation",
    "over the values of a, alpha_1 and alpha_2: rank correlation of the medians at most -0.7 (that over l, to which "
    "the method is said not to be sensitive, is shown and not judged)",
)
def _correlations(medians: Medians) -> list[RuleTest]:
    ranks = {
        name: (rank_correlation(frame["labelling_efficiency"], frame["discovery_rate"]), len(frame))
        for name, frame in medians.items()
    }
    shown = {name: f"{name} ({count} values): {rank:.2f}" for name, (rank, count) in ranks.items()}
    tests = [RuleTest(shown[name], rank <= -0.7) for name, (rank, _) in ranks.items() if name != "l"]
    return [*tests[:-1], tests[-1]._replace(says=f"{tests[-1].says}, beside it {shown['l']}")]


def _from_end_to_end(runs: pd.DataFrame, name: str, ways: dict[str, str]) -> list[RuleTest]:
    """Return the paired tests of what changes from the least to the greatest value of a hyperparameter, in `ways`."""
    searches = varied(runs, name)
    ends = searches["value"].min(), searches["value"].max()
    least, greatest = (searches[searches["value"] == end] for end in ends)
    return [
        in_most_classes(
            f"{RATES[metric]} from {name} = {ends[0]:g} to {ends[1]:g}", *paired(greatest, least, metric), way, 0
        )
        for metric, way in ways.items()
    ]


def _printed_ends(name: str, ways: dict[str, str]) -> list[RuleTest]:
    rows = _printed_medians()[name].set_index("value")
    tests = []
    for metric, way in ways.items():
        first, last = rows[metric].iloc[[0, -1]]
        says = f"{RATES[metric]} from {name} = {rows.index[0]:g} to {rows.index[-1]:g}: {first:g} to {last:g}"
        tests.append(RuleTest(says, last > first if way == "above" else last < first))
    return tests


LARGER_RADIUS = {"discovery_rate": "above", "labelling_efficiency": "below"}
HIGHER_THRESHOLD = {"labelling_efficiency": "above", "discovery_rate": "below"}


@rule(
    "radius",
    "from a = 10 to 200, paired: discovery rises, efficiency falls",
    printed=lambda: _printed_ends("a", LARGER_RADIUS),
)
def _radius(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    return _from_end_to_end(frames["hyperparameters"], "a", LARGER_RADIUS)


@rule(
    "threshold",
    "from alpha_1 = 0.2 to 2, paired: efficiency rises, discovery falls",
    printed=lambda: _printed_ends("alpha_1", HIGHER_THRESHOLD),
)
def _threshold(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    return _from_end_to_end(frames["hyperparameters"], "alpha_1", HIGHER_THRESHOLD)


@_rule_on_medians("radius-50", "no other a is as good in both medians and better in one; no larger one finds 5 % more")
def _good_trade_off(medians: Medians) -> list[RuleTest]:
    rates = medians["a"].set_index("value")
    both, at_50 = rates.to_numpy(), rates.loc[50].to_numpy()
    better = (both >= at_50).all(1) & (both > at_50).any(1)
    named = ", ".join(f"{a:g}" for a in rates.index[better]) or "none"
    found = rates["discovery_rate"]
    share = found[50] / found.max()
    return [
        RuleTest(f"better in both: {named}", not better.any()),
        RuleTest(f"discovery {share:.1%} of the highest, that of a = {found.idxmax():g}", share >= 0.95),
    ]


@_rule_on_medians("radius-matters", "of a, alpha_1, alpha_2 and l, a moves the median most or second most")
def _moved(medians: Medians) -> list[RuleTest]:
    tests = []
    for metric, called in RATES.items():
        ranges = pd.Series({name: float(np.ptp(frame[metric])) for name, frame in medians.items()})
        moved = ", ".join(f"{name} {value:.3f}" for name, value in ranges.sort_values(ascending=False).items())
        tests.append(RuleTest(f"{called} moved by {moved}", ranges.rank(ascending=False, method="min")["a"] <= 2))
    return tests


@_rule_on_medians(
    "not-sensitive-to-l",
    "at l = 25 and 100 both medians are within 15 % of those at 50 (the paper's own change by 10 %)",
)
def _change_with_l(medians: Medians) -> list[RuleTest]:
    rates = medians["l"].set_index("value")
    ratio = rates / rates.loc[50] - 1
    return [
        RuleTest(f"{called} at l = {l:g}: {value:+.1%}", abs(value) <= 0.15)
        for metric, called in RATES.items()
        for l, value in ratio[metric].drop(50).items()  # noqa: E741 - the paper's letter
    ]
