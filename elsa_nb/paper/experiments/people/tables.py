"""What wrong answers cost, and what asking again saves, from the committed simulations.

Notebook 15 starts at `searches_with_errors`. Simulated by `python -m benchmarks.people_who_err`, whose summary is
`cost_of_errors`.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from elsa_nb.overheads import MISSED
from elsa_nb.paper.measures.medians import interval_text
from elsa_nb.paper.measures.simulated import SIMULATED
from elsa_nb.search.metrics import median_interval

# Of a search, including those asked again.
MOST_LABELS = {"glyphs": 800, "photographs": 800, "Tiny-ImageNet": 2000}
# Labels to 80 % of a class with 10 % of the answers flipped, at most, by those of an oracle that never errs.
GOALS = {"glyphs": 1.5, "Tiny-ImageNet": 2.0}
_LEAST_CLASSES = 5  # behind an interval over classes
SHORT = {
    "glyphs-vicreg-projection, a quarter": "glyphs",
    "cifar-10, 1 %": "photographs",
    "tiny-imagenet-efficientnet-lite0-embedding, 20,000": "Tiny-ImageNet",
}
_KEYS = ["pool", "repeat", "target", "arm"]
_GROUP = ["pool", "errors", "arm", "again"]
_MEASURES = ("times_kept", "times_shown", "kept", "kept_points", "discovery", "false", "wrong", "asked_again")
# What each kind of real error is compared with: as many wrong answers elsewhere.
REAL_OR_RANDOM = (
    ("glyphs", "alike 0.1", "flips 0.1"),
    ("photographs", "person", "person, shuffled"),
    ("photographs", "person", "person, anywhere"),
    ("photographs", "majority", "majority, shuffled"),
)


def searches_with_errors() -> pd.DataFrame:
    """Return one row per search: the file's columns, the pools in short, and its labels against a clean oracle's."""
    return beside_clean(pd.read_csv(SIMULATED / "people_who_err.csv")).replace({"pool": SHORT})


def beside_clean(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the searches with `times_kept` and `times_shown`: labels to 80 %, over those of a partner without errors.

    The partner has the same pool, class, seeds and arm, no errors, and asks nothing again. A search that does not get
    that far counts `MISSED` times what it spent, its budget at least; where its partner does not, both are nan.
    `reached` says whether it got that far itself; `kept_points` is how much more of the class it keeps at its end, in
    points.
    """
    labels = pd.DataFrame({end: counted(frame, end) for end in ("kept", "shown")})
    frame = frame.assign(reached=frame["kept_80"] > 0, **labels.add_prefix("counted_"))
    clean = frame[(frame["errors"] == "none") & ~frame["again"]].set_index(_KEYS)
    theirs = clean.loc[:, ["counted_kept", "counted_shown", "kept_80", "shown_80", "kept"]].reindex(
        pd.MultiIndex.from_frame(frame[_KEYS])
    )
    for end in ("kept", "shown"):
        reached = theirs[f"{end}_80"].to_numpy() > 0
        times = frame[f"counted_{end}"].to_numpy() / theirs[f"counted_{end}"].to_numpy()
        frame[f"times_{end}"] = np.where(reached, times, np.nan)
    return frame.assign(kept_points=100 * (frame["kept"] - theirs["kept"].to_numpy()))


def counted(frame: pd.DataFrame, end: str) -> pd.Series:
    """Return the labels to 80 % of a class "kept" or "shown"; more than were spent where a search misses them."""
    budget = frame["pool"].replace(SHORT).map(MOST_LABELS)
    return frame[f"{end}_80"].where(frame[f"{end}_80"] > 0, MISSED * np.maximum(frame["labels"], budget)).astype(float)


def cost_of_errors(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what each kind of error costs, a row for each pool, errors, arm and whether doubts are asked `again`.

    `frame` is `beside_clean`. Each measure is a median with the ends of its 95 % interval over classes (`_low`,
    `_high`): times_kept, times_shown, kept_points; kept, the share of the class believed positive at the end, and
    discovery, that was asked; false, the share of what is believed positive that is not; wrong, the share of the first
    answers; asked_again, answers. Beside them classes, searches, how many of those `reached` 80 % kept, and `against`,
    the pairs behind `times_kept`.
    """
    rows = []
    for keys, group in frame.groupby(_GROUP, sort=False):
        row = dict(zip(_GROUP, keys, strict=True))
        row |= {"classes": group["target"].nunique(), "searches": len(group), "reached": int(group["reached"].sum())}
        row["against"] = int(group["times_kept"].notna().sum())
        rows.append(row | _with_ends(group[list(_MEASURES)], group["target"]))
    return pd.DataFrame(rows)


def goal_reached(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the labels to 80 % of a class kept with 10 % of the answers flipped, over those with a clean oracle.

    One row per pool of `GOALS` and arm, with and without asking again: `times` with its interval, of the `against`
    searches that reach it with a clean oracle; `reached` of all `searches` do so here. `met`: the median is at most the
    pool's goal, and half of the searches or more get that far.
    """
    costs = cost_of_errors(frame[frame["pool"].isin(GOALS) & (frame["errors"] == "flips 0.1")])
    costs = costs.rename(columns={f"times_kept{end}": f"times{end}" for end in ("", "_low", "_high")})
    columns = ["arm", "again", "times", "times_low", "times_high", "against", "reached", "searches", "false", "kept"]
    enough = 2 * costs["reached"] >= costs["against"]  # else the median is of searches that did not get that far
    return costs[["pool", *columns]].assign(met=enough & (costs["times"] <= costs["pool"].map(GOALS)))


def real_or_random(frame: pd.DataFrame, pairs: Sequence[tuple[str, str, str]] = REAL_OR_RANDOM) -> pd.DataFrame:
    """Return what real errors cost against as many random ones, search by search: one row per pair, arm and `again`.

    `labels_times`: labels to 80 % of the class kept, real over random, of the pairs of which one gets that far;
    `kept_points`, `false_points`, `wrong_points`: what the real ones add to the share kept, to the share of false ones
    among what is believed, and to the share of wrong first answers. Medians with 95 % intervals over classes.
    `labels_verdict`, `kept_verdict`, `false_verdict`: "more" or "fewer" labels, "more" or "less" of the others, or
    "cannot be told" where the interval contains no difference, or fewer than five classes reach 80 %.
    """
    rows = []
    for real, random, both in _pairs(frame, pairs):
        for (arm, again), group in both.groupby(["arm", "again"], sort=False):
            row = {"pool": group["pool"].iloc[0], "real": real, "random": random, "arm": arm, "again": again}
            row["searches"] = len(group)
            either = group["reached_real"] | group["reached_random"]
            times = (group["counted_kept_real"] / group["counted_kept_random"]).where(either)
            if group.loc[either, "target"].nunique() < _LEAST_CLASSES:
                times[:] = np.nan
            apart = {
                f"{name}_points": 100 * (group[f"{name}_real"] - group[f"{name}_random"])
                for name in ("kept", "false", "wrong")
            }
            row |= _with_ends(pd.DataFrame({"labels_times": times, **apart}), group["target"])
            row["labels_verdict"] = _verdict(row, "labels_times", 1, "fewer")
            row["kept_verdict"] = _verdict(row, "kept_points", 0, "less")
            row["false_verdict"] = _verdict(row, "false_points", 0, "less")
            rows.append(row)
    return pd.DataFrame(rows)


def with_intervals(frame: pd.DataFrame, shown: dict[str, tuple[str, str]], keys: Sequence[str]) -> pd.DataFrame:
    """Lay a frame of medians out for reading: `keys` as they are, then each of `shown` with its interval in brackets.

    `shown` is {column: (title, format)}.
    """
    table = frame[list(keys)].copy()
    for column, (title, form) in shown.items():
        ends = zip(*(frame[f"{column}{end}"] for end in ("", "_low", "_high")), strict=True)
        table[title] = ["-" if np.isnan(said[0]) else interval_text(*said, form) for said in ends]
    return table


def _pairs(frame: pd.DataFrame, pairs: Sequence[tuple[str, str, str]]) -> Iterator[tuple[str, str, pd.DataFrame]]:
    keys = [*_KEYS, "again"]
    for pool, real, random in pairs:
        of = frame[frame["pool"] == pool]
        sides = [of[of["errors"] == errors] for errors in (real, random)]
        yield real, random, sides[0].merge(sides[1], on=keys, suffixes=("_real", "_random"), validate="one_to_one")


def _verdict(row: dict[str, float], name: str, even: float, below: str) -> str:
    if row[f"{name}_low"] > even:
        return "more"
    return below if row[f"{name}_high"] < even else "cannot be told"


def _with_ends(values: pd.DataFrame, targets: pd.Series) -> dict[str, float]:
    """Return the median of each column and the ends of its interval; what is nan does not count."""
    row: dict[str, float] = {}
    for complete, names in values.columns.to_series().groupby(values.notna().all().to_numpy()):
        for part in [list(names)] if complete else [[name] for name in names]:  # whole columns share their resamples
            known = values[part].notna().all(axis=1)
            ends = median_interval(values.loc[known, part], targets[known]) if known.any() else 3 * [[np.nan]]
            for name, *said in zip(part, *ends, strict=True):
                row |= dict(zip((name, f"{name}_low", f"{name}_high"), map(float, said), strict=True))
    return {f"{name}{end}": row[f"{name}{end}"] for name in values for end in ("", "_low", "_high")}
