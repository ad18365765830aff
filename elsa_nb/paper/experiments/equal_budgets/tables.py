"""Labels per find of every searcher at equal budgets, from the committed searches.

Notebook 18 starts at `compared_searches`. Simulated by `python -m benchmarks.equal_budgets`;
`elsa_nb.overheads` says what an overhead, a ratio and a search gap are.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from elsa_nb.overheads import ALL_LABELS, BASE, curve_points, overheads, summary
from elsa_nb.paper.measures.medians import KNOWN_DISHES, interval_text
from elsa_nb.paper.measures.simulated import POOL_TITLES, STAGES_TITLES, held_out
from elsa_nb.paper.runs.rivals import PREPARED, RAW
from elsa_nb.search.metrics import median_interval

# Glyphs have classes of 40 among 100,000 as they are: theirs are made so rare, the others' one in a thousand.
_RARE = {pool: "0.04%" if pool.startswith("glyphs") else "0.1%" for pool in POOL_TITLES}
RARE_TITLES = {f"{pool}, {share}": f"{POOL_TITLES[pool]}, {share}" for pool, share in _RARE.items()}
TWICE_TITLES = {f"{pool}, 20% twice": title for pool, title in POOL_TITLES.items()}  # a fifth of the rows, copied
ARMS = {"Greedy probe, unit rows, l2 = 100": PREPARED, "Greedy probe": RAW}
AT_RANDOM = "Random"
LINE_ONLY, TWO_ENCODERS = "Harvest: line only", "Harvest: two encoders"
PARTS = "Harvest: "  # what the arms of the ablation begin with
CURVES = (BASE, PREPARED, RAW, "SEALS", "ELSA", "NN.Large", AT_RANDOM)
SUPERVISED_MEANS = (  # what the titles of pools of photographs mean by the word
    "Supervised: the encoder learned the 1,000 classes of ImageNet from labels; Tiny-ImageNet's 200 are among them, of "
    f"Food-101's 101 dishes {len(KNOWN_DISHES)}."
)
SAYS_LITTLE = 0.5  # of pairs of searches, neither of which came to a share: their ratio is no more than a floor
_LEAST_CLASSES = 5  # behind an interval over classes
_FORM, _ALIKE = 0.2, 0.3  # a class has two forms where the smaller has this share, and their means are less alike


def compared_searches(seeds: int = 1, *, rare: bool = False, largest: bool = False) -> pd.DataFrame:
    """Return the searches on held-out classes that began with so many examples, one row each, pools and arms by title.

    With `rare`, those for classes of which members were left out until the class is the share of the pool that its
    title says; without, those for whole classes. A pool may have been searched with two budgets: with `largest`, the
    searches with the larger one are returned, otherwise those with the smaller one. The columns are those of the file.
    Every class of a pool was searched equally often by the arms of `overheads`.
    """
    titles = RARE_TITLES if rare else POOL_TITLES
    frame = held_out("equal_budgets.csv", titles)
    frame = frame[frame["seeds"] == seeds].replace({"arm": ARMS})
    budget = frame.groupby("pool")["budget"].transform("max" if largest else "min")
    frame, order = frame[frame["budget"] == budget], list(titles.values())
    return frame.sort_values("pool", key=lambda names: names.map(order.index), kind="stable", ignore_index=True)


def spent(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the summary of each arm in each pool: `overheads.summary`, without the parts of Harvest."""
    return summary(frame[~frame["arm"].str.startswith(PARTS)])


def in_words(said: pd.DataFrame, shares: Sequence[int] = (50, 80, 90)) -> pd.DataFrame:
    """Return the overheads of `spent` as text: median [low, high], and how many searches did not get that far."""
    table = said[["pool", "arm", "classes", "searches"]].copy()
    for share in shares:
        table[f"to {share} %"] = [
            interval_text(*(row[f"{end}_{share}"] for end in ("overhead", "low", "high")), ".1f")
            + (f", {row[f'unreached_{share}']:.0f} not" if row[f"unreached_{share}"] else "")
            for _, row in said.iterrows()
        ]
    return table


def rivals(said: pd.DataFrame, share: int) -> pd.DataFrame:
    """Return the labels of each arm to a share, Harvest's set to 1: one row per arm and pool, with interval.

    Columns: pool, arm, share, ratio, low, high (over classes), fewer and more (classes in which the arm needs fewer or
    more labels), neither (the share of searches in which neither got that far: these say nearly 1, and nothing).
    """
    rows = said[~said["arm"].isin((BASE, ALL_LABELS)) & (said["classes"] >= _LEAST_CLASSES)]
    names = {f"ratio_{share}": "ratio", f"ratio_low_{share}": "low", f"ratio_high_{share}": "high"}
    names |= {f"fewer_{share}": "fewer", f"more_{share}": "more", f"ratio_neither_{share}": "neither"}
    return rows[["pool", "arm", *names]].rename(columns=names).assign(share=share).reset_index(drop=True)


def ratios_in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """Return ratios of `rivals` or `worth_of_examples` as text, "1.2 [1.0, 1.4]": arms down, pools across.

    In brackets where most pairs of searches say little: neither of the two got that far.
    """
    texts = [interval_text(*row, ".2f") for row in rows[["ratio", "low", "high"]].itertuples(index=False)]
    texts = [f"({text})" if of > SAYS_LITTLE else text for text, of in zip(texts, rows["neither"], strict=True)]
    table = rows.assign(text=texts).pivot(index="arm", columns="pool", values="text")
    return table.loc[rows["arm"].unique(), rows["pool"].unique()].fillna("")


def class_by_class(said: pd.DataFrame, share: int = 80) -> pd.DataFrame:
    """Return what medians hide, one row per pool and arm of `CURVES`: worst class, wins and losses, time of a round.

    Columns: `worst` (labels per find of the class with the most), `fewer` and `more` (classes in which the arm needs
    fewer or more labels than Harvest), `at_95` (labels per find at 95 %), `round_ms`. Where half or more of the
    searches did not get that far, labels per find are nan.
    """
    rows = said[said["arm"].isin(CURVES) & (said["arm"] != AT_RANDOM)]
    names = {f"worst_{share}": "worst", f"fewer_{share}": "fewer", f"more_{share}": "more", "overhead_95": "at_95"}
    table = rows[["pool", "arm", "classes", *names, "round_ms"]].rename(columns=names)
    table.loc[table["arm"] == BASE, ["fewer", "more"]] = np.nan
    table["at_95"] = table["at_95"].mask(2 * rows["unreached_95"] >= rows["searches"])
    return table.astype({"fewer": "Int64", "more": "Int64"}).reset_index(drop=True)


def classes_in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Return `class_by_class` with a dash where searches mostly did not get that far, and numbers of one digit."""
    table = table.round(1)
    return table.assign(**{name: table[name].astype(object).fillna("-") for name in ("worst", "at_95")})


def best_rivals(said: pd.DataFrame, share: int = 90) -> pd.DataFrame:
    """Return for each pool the rival with the fewest labels to a share, and Harvest's labels divided by its labels."""
    best = rivals(said, share).sort_values("ratio").drop_duplicates("pool")
    table = best[["pool", "arm", "neither"]].rename(columns={"arm": "rival"}).assign(ratio=1 / best["ratio"])
    return table.assign(low=1 / best["high"], high=1 / best["low"]).sort_index(ignore_index=True)


def against_goals(said: pd.DataFrame, changed: pd.DataFrame) -> pd.DataFrame:
    """Return Harvest against its goals: one row per goal and pool, with interval and whether the goal is met.

    `said` is of `spent`, `changed` of `parts`: what Harvest spends with two encoders stands there.
    `neither`: the share of pairs of searches in which neither Harvest nor what it is compared with got that far.
    """
    rows = []
    for pool, of in said.groupby("pool", sort=False):
        arms = of.set_index("arm")
        harvest = arms.loc[BASE]
        if pool == "glyphs, projection":
            for share, goal in ((80, 1.7), (90, 2.2)):
                cells = harvest[[f"overhead_{share}", f"low_{share}", f"high_{share}"]]
                rows.append((pool, f"labels per find at {share} %", goal, *cells, np.nan))
            both = changed[(changed["pool"] == pool) & (changed["changed"] == TWO_ENCODERS.removeprefix(PARTS))]
            cells = both[["to 80 %", "low_80", "high_80"]].iloc[0]
            rows.append((pool, "labels to 80 % with two encoders, those with one are 1", 0.85, *cells, np.nan))
        goal = 0.6 if pool.startswith("Tiny") else 0.8
        cells = 1 / arms.loc[RAW, ["ratio_80", "ratio_high_80", "ratio_low_80"]]
        neither = arms.loc[RAW, "ratio_neither_80"]
        rows.append((pool, "labels to 80 %, those of the probe on raw vectors are 1", goal, *cells, neither))
        for share, goal in ((80, 1.0), (90, 1.1)):
            cells = harvest[[f"gap_{share}", f"gap_low_{share}", f"gap_high_{share}", f"gap_neither_{share}"]]
            rows.append((pool, f"search gap at {share} %", goal, *cells))
        cells = harvest[["of_elsa", "of_elsa_low", "of_elsa_high"]]
        rows.append((pool, "labels at ELSA's finds, ELSA's are 1", 0.35, *cells, np.nan))
        best = best_rivals(of, 90).iloc[0]
        what = "labels to 90 %, the best rival's are 1"
        rows.append((pool, what, 0.9, *best[["ratio", "low", "high", "neither"]]))
    table = pd.DataFrame(rows, columns=["pool", "what", "goal", "measured", "low", "high", "neither"])
    return table.assign(met=table["measured"] <= table["goal"])


def two_forms(frame: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    """Return labels per find of classes that have two forms, and of the others: one row per pool, kind and arm.

    A class has two forms where the smaller of two clusters has a fifth of its members and their means have a cosine
    below 0.3 in the prepared rows. Columns: classes, and to 50, 80 and 90 %: median, and `not_90`, the searches that
    did not get that far.
    """
    apart = (frame["smaller_form"] >= _FORM) & (frame["forms_alike"] < _ALIKE)
    rows = []
    for (pool, two, arm), of in frame[frame["arm"].isin(arms)].groupby(["pool", apart, "arm"], sort=False):
        cells = {f"to {share:.0%}": overheads(of, share).median() for share in (0.5, 0.8, 0.9)}
        kind = {"pool": pool, "forms": "two" if two else "one", "arm": arm, "classes": of["target"].nunique()}
        rows.append(kind | cells | {"not_90": int((of["labels_90"] == 0).sum()), "searches": len(of)})
    order = list(dict.fromkeys(frame["pool"]))
    table = pd.DataFrame(rows).sort_values("arm", key=lambda names: names.map(list(arms).index), kind="stable")
    return table.sort_values(
        ["pool", "forms"], key=lambda names: names.map(order.index) if names.name == "pool" else names, kind="stable"
    ).reset_index(drop=True)


def beginning(frame: pd.DataFrame) -> pd.DataFrame:
    """Return how many finds the first ten labels bring: mean and median over searches by pool and arm."""
    rows = frame[frame["finds_in_10"].notna() & ~frame["arm"].str.startswith(PARTS)]
    groups = rows.groupby(["pool", "arm"], sort=False)["finds_in_10"]
    return groups.agg(mean="mean", median="median", none=lambda finds: (finds == 0).mean()).reset_index()


def worth_of_examples(one: pd.DataFrame, more: pd.DataFrame, share: int) -> pd.DataFrame:
    """Return the labels to a share of searches that began with more examples than one; those from one are 1.

    Both frames are of `compared_searches`; an example counts as a label. One row per arm and pool, with the columns of
    `rivals`: the geometric mean over the classes that both searched, in the same repeats, with interval over classes.
    """
    rows = []
    for (pool, arm), of in more[~more["arm"].isin((ALL_LABELS, AT_RANDOM))].groupby(["pool", "arm"], sort=False):
        from_one = one[(one["pool"] == pool) & (one["arm"] == arm)].assign(arm=BASE)
        both = pd.concat([from_one, of.assign(arm=arm + ", more", seeds=from_one["seeds"].iloc[0])])
        rows.append(rivals(summary(both), share).assign(arm=arm))
    return pd.concat(rows, ignore_index=True)


def searches_with_stages() -> pd.DataFrame:
    """Return the searches of photographs in vectors with the encoder's stages, as `compared_searches` does the others.

    They began with the same examples of the same classes; some searchers with one example of each only.
    """
    frame = held_out("equal_budgets.csv", STAGES_TITLES)
    return frame[frame["seeds"] == 1].replace({"arm": ARMS}).reset_index(drop=True)


def searches_among_copies() -> pd.DataFrame:
    """Return the searches of pools a fifth of whose rows stand in them twice, with columns of `compared_searches`."""
    return held_out("equal_budgets.csv", TWICE_TITLES)


def worth_of_stages(one: pd.DataFrame, stages: pd.DataFrame, share: int) -> pd.DataFrame:
    """Return the labels of Harvest to a share of a class in vectors with stages; those of arms without them are 1.

    `one` is of `compared_searches`, `stages` of `searches_with_stages`. One row per arm and pool, with the columns of
    `rivals`, over the classes and examples that both searched.
    """
    rows = []
    for pool, of in stages[stages["arm"] == BASE].groupby("pool", sort=False):
        for arm in (BASE, PREPARED, RAW):
            before = one[(one["pool"] == pool) & (one["arm"] == arm)].assign(arm=BASE)
            both = pd.concat([before, of.assign(arm="with stages")])
            rows.append(rivals(summary(both), share).assign(arm=f"{arm}, last layer"))
    return pd.concat(rows, ignore_index=True)


def parts(frame: pd.DataFrame, shares: Sequence[float] = (0.5, 0.8)) -> pd.DataFrame:
    """Return what a change of Harvest costs: labels to shares of a class, Harvest's set to 1, with interval.

    Harvest is compared on the classes and seeds that the changed one searched. Above 1: the part earns its place. The
    interval is over classes.
    """
    rows = []
    for pool, of in frame.groupby("pool", sort=False):
        said = summary(of[of["arm"].str.startswith(BASE)])
        for row in said[said["arm"] != BASE].to_dict("records"):
            cells = {"pool": pool, "changed": row["arm"].removeprefix(PARTS), "classes": row["classes"]}
            for share in shares:
                name = f"{100 * share:.0f}"
                cells[f"to {name} %"] = row[f"ratio_{name}"]
                cells |= {f"low_{name}": row[f"ratio_low_{name}"], f"high_{name}": row[f"ratio_high_{name}"]}
            rows.append(cells)
    return pd.DataFrame(rows)


def parts_in_words(rows: pd.DataFrame, share: int) -> pd.DataFrame:
    """Return `parts` to one share as text, "1.02 [1.00, 1.05]": changes down, pools across."""
    cells = rows[[f"to {share} %", f"low_{share}", f"high_{share}"]].itertuples(index=False)
    table = rows.assign(text=[interval_text(*row, ".2f") for row in cells])
    return table.pivot(index="changed", columns="pool", values="text").fillna("")[rows["pool"].unique()]


def discovery_curves(frame: pd.DataFrame, arms: Sequence[str] = CURVES) -> pd.DataFrame:
    """Return the share of a class found against labels, median over searches: one row per pool, arm, number of labels.

    For random order it is the expectation. Searches end at 95 % of the class, so what lies above is not shown.
    """
    rows = []
    for (pool, arm), of in frame[frame["arm"].isin(arms)].groupby(["pool", "arm"], sort=False):
        budget = int(of["budget"].iloc[0])
        labels = curve_points(budget)
        if arm == AT_RANDOM:
            found = np.outer(of["found_in_1000"] / 1000, labels)
        else:
            found = np.stack([np.array(text.split(), float) for text in of["discovery"]])
        middle, low, high = median_interval(np.minimum(found, 0.95), of["target"].to_numpy())
        rows.append(
            pd.DataFrame({"pool": pool, "arm": arm, "labels": labels, "discovery": middle, "low": low, "high": high})
        )
    return pd.concat(rows, ignore_index=True)


def of_unknown_dishes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the searches of Food-101 for dishes that the photographs' encoder did not learn from labels."""
    return frame[frame["pool"].str.startswith("Food-101") & ~frame["target"].isin(KNOWN_DISHES)]
