"""Tables 6 to 9 (a, alpha_1, alpha_2, l) and the paper's silent choices, from the searches of one sweep.

Notebook 07 starts at `hyperparameter_table`. A search's `change` names the one field in which it departs from its
reading: "a=25", "head=mlp", "" for none.
"""

from itertools import combinations_with_replacement

import numpy as np
import pandas as pd

from elsa_nb.paper.experiments.hyperparameters.sweep import TOGETHER
from elsa_nb.paper.measures import by_setting
from elsa_nb.paper.measures.by_setting import SILENT_CHOICES, TUNED
from elsa_nb.paper.measures.medians import METRIC_TITLES, cell_text, medians
from elsa_nb.paper.measures.printed import printed_cells
from elsa_nb.search.config import ELSA

# What the sweep "choices-in-pairs" changes two at a time, in few words.
PAIR_TITLES = {
    "nothing_barred=True": "nothing barred",
    "nn_per=query": "a for each query",
    "b_added=True": "b on top of 50",
    "rands=appendix b": "RandS of Appendix B",
    "head_space=embedding": "head in the embedding",
    "negatives=all": "all negatives",
    "confidence=logit": "log-odds",
}
# What the sweep "choices-by-arm" changes, in words.
ARM_CHOICES = {
    "": "as it is",
    "nothing_barred=True": "Algorithm 1 to the letter: nothing barred",
    "nn_queries=all positives": "NN: near all positives",
    "nn_per=query": "NN: a for each query",
    "b_added=True": "b: 50 and what it grows by",
    "negatives=all": "Head: keeps all negatives",
    "b_added=True, negatives=all": "both of these",
    "final_budget=100": "Final search: the best 100",
    "final_budget=500": "Final search: the best 500",
}


def hyperparameter_table(runs: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return Table 6, 7, 8 or 9 in long form (`by_setting.settings_beside_paper`), the reading as it is among its rows.

    `runs` are the searches of the sweep "hyperparameters". Table 8 holds real thresholds beside the printed rows, which
    are none (`same_as_table_9`).
    """
    if number not in TUNED:
        raise ValueError(f"table {number!r}; allowed: {', '.join(map(str, TUNED))}")
    return by_setting.settings_beside_paper(by_setting.varied(runs, TUNED[number]), number)


def same_as_table_9() -> pd.DataFrame:
    """Return the printed cells of Tables 8 and 9 side by side: they are the same, so Table 8's are not thresholds."""
    keys = ["setting", "metric"]
    eight, nine = (printed_cells(number).set_index(keys)["printed"].rename(f"Table {number}") for number in (8, 9))
    both = pd.concat([eight, nine], axis=1)
    return both.assign(same=both["Table 8"] == both["Table 9"])


def sensitivity(runs: pd.DataFrame) -> pd.DataFrame:
    """Return how far each tuned parameter moves the medians over the range of its table, here and in print.

    Columns: parameter, settings (lowest to highest), reading ("the paper" for the printed values), discovery_range
    (highest less lowest median), efficiency_ratio and labels_ratio (highest over lowest median). Table 8 prints no
    thresholds, so alpha_2 has no printed line.
    """
    rows = []
    for number, name in TUNED.items():
        long = hyperparameter_table(runs, number)
        ours = long[long["reading"].notna()]
        for reading, cells in ours.groupby("reading", sort=False):
            rows.append((name, _values_text(cells), reading, *_range_of_medians(cells, "median")))
        if number != 8:
            cells = long[long["printed"] != ""].drop_duplicates(["setting", "metric"])
            rows.append((name, _values_text(cells), "the paper", *_range_of_medians(cells, "printed_value")))
    columns = ["parameter", "settings", "reading", "discovery_range", "efficiency_ratio", "labels_ratio"]
    return pd.DataFrame(rows, columns=columns)


def silent_choices(runs: pd.DataFrame) -> pd.DataFrame:
    """Return what each silent choice changes against the base of the reading `paper`, the one that matters most first.

    Below them, for scale, the lowest and highest settings of the parameters the paper tuned. Columns: change, title,
    kind ("silent" or "tuned"), effect ("discovery", "found", "labels", "efficiency"), median, low, high (95 %, over
    classes, paired by search), searches, size. `size`, the rank, is |log2 of found| + |log2 of labels|: 1 is twice
    or half the labels for the same finds, or the finds for the same labels. Choices that were not run are left out.
    """
    paper = runs[runs["reading"] == "paper"]
    frame = by_setting.paired_effects(paper, "change", "").drop(columns="reading")
    frame["title"] = frame["change"].map(SILENT_CHOICES | _extremes(frame["change"]))
    frame = frame[frame["title"].notna()]
    frame["kind"] = np.where(frame["change"].isin(SILENT_CHOICES), "silent", "tuned")
    moved = frame[frame["effect"].isin(["found", "labels"])]
    sizes = np.log2(moved["median"]).abs().groupby(moved["change"]).sum()
    frame["size"] = frame["change"].map(sizes)
    order = ["change", "title", "kind", "effect", "median", "low", "high", "searches", "size"]
    # Stable, so that the effects of a change stay together and in order.
    return frame[order].sort_values(["kind", "size", "change"], ascending=[True, False, True], kind="stable")


def silent_finals(runs: pd.DataFrame) -> pd.DataFrame:
    """Return how often the final search asked nothing, in percent of the searches, one column per reading.

    Rows: the readings as they are, the thresholds alpha_2 that were run, and the silent choices ("-": not run).
    """
    shares = by_setting.silent_final_share(runs.groupby(["change", "reading"])["final_labels"]).round().astype(int)
    table = shares.unstack().astype("Int64").astype(object)
    thresholds = [change for change in table.index if change.startswith(f"{TUNED[8]}=")]
    titles = {"": "the reading unchanged", **{change: change for change in sorted(thresholds)}, **SILENT_CHOICES}
    table = table.loc[[change for change in titles if change in table.index]].rename(index=titles)
    return table.where(table.notna(), "-").rename_axis("final search silent, %").rename_axis(None, axis=1)


def choices_by_arm(runs: pd.DataFrame) -> pd.DataFrame:
    """Return what each arm finds and spends under the choices that arms answer differently.

    `runs` are the searches of the sweep "choices-by-arm". One row (arm, change, metric) with median, low, high (95 %,
    over classes) and searches, the arm as it is first; `title` says the change in words, and `gap` how much more ELSA,
    as it is, finds: the median difference of discovery rates, search by search, on the rows of that metric.
    """
    frame = medians(runs, ["arm", "change"])
    frame.insert(2, "title", frame["change"].map(ARM_CHOICES))
    keys = ["target", "seeds", "repeat"]
    elsa = runs[(runs["arm"] == "ELSA") & (runs["change"] == "")].set_index(keys)["discovery_rate"]
    behind = elsa.loc[pd.MultiIndex.from_frame(runs[keys])].to_numpy() - runs["discovery_rate"]
    gaps = behind.groupby([runs["arm"], runs["change"]]).median().rename("gap").reset_index()
    return frame.merge(gaps.assign(metric="discovery_rate"), on=["arm", "change", "metric"], how="left")


def lay_out_choices_by_arm(frame: pd.DataFrame) -> pd.DataFrame:
    """Lay the rows of `choices_by_arm` out for reading: an arm and choice a line, medians with their intervals."""
    lines = {}
    for line, rows in frame.groupby(["arm", "title"], sort=False):
        cells = {METRIC_TITLES[row.metric]: cell_text(row) for row in rows.itertuples()}
        gap = rows["gap"].dropna().iloc[0]
        lines[line] = cells | {"ELSA as it is finds more by": f"{gap:+.3f}"}
    return pd.DataFrame(lines).T.rename_axis(["arm", "choice"])


def choices_in_pairs(runs: pd.DataFrame) -> pd.DataFrame:
    """Return what two silent choices change together, and how far that is from the product of both alone.

    `runs` are the searches of the sweep "choices-in-pairs". One row (arm, first, second, effect) with median, low, high
    (95 %, over classes, paired by search) and searches; `first` and `second` are the same for a choice alone. Effects:
    "discovery" (difference of rates) and "labels" (ratio) against the arm as it is, "beyond", the labels over the
    product of both alone (pairs only); and against No Active under the same choices "ahead" (difference of rates) and
    "saved" (No Active's labels over the arm's).
    """
    keys = ["target", "seeds", "repeat"]
    wide = runs.pivot(index=keys, columns=["arm", "change"], values=["discovery_rate", "labels"])
    frames = []
    for arm in runs["arm"].unique():
        rate, labels = wide["discovery_rate"][arm], wide["labels"][arm]
        for first, second in combinations_with_replacement(TOGETHER, 2):
            both = first if first == second else f"{first}, {second}"
            effects = pd.DataFrame(
                {
                    "discovery": rate[both] - rate[""],
                    "labels": labels[both] / labels[""],
                    "beyond": labels[both] * labels[""] / (labels[first] * labels[second]),
                    "ahead": rate[both] - wide["discovery_rate", "No Active", both],
                    "saved": wide["labels", "No Active", both] / labels[both],
                }
            )
            frames.append(effects.reset_index().assign(arm=arm, first=first, second=second))
    long = medians(pd.concat(frames), ["arm", "first", "second"], ["discovery", "labels", "beyond", "ahead", "saved"])
    alone = (long["metric"] == "beyond") & (long["first"] == long["second"])
    itself = long["metric"].isin(["ahead", "saved"]) & (long["arm"] == "No Active")
    return long[~alone & ~itself].rename(columns={"metric": "effect"}).reset_index(drop=True)


def much_lost(runs: pd.DataFrame, least: float = 0.2) -> pd.DataFrame:
    """Return the share of searches of each arm that lose `least` of a class or more against the arm as it is.

    `runs` are those of `choices_in_pairs`, whose medians say little where some searches lose nearly all and others
    nothing. A row for each choice or pair of `change`, one column per arm.
    """
    rates = runs.pivot(index=["target", "seeds", "repeat"], columns=["arm", "change"], values="discovery_rate")
    arms = runs["arm"].unique()
    shares = {arm: (rates[arm].sub(rates[arm, ""], axis=0) <= -least).mean() for arm in arms}
    return pd.DataFrame(shares).drop(index="")


def _extremes(changes: pd.Series) -> dict[str, str]:
    """Return titles for the lowest and highest value that was run of each parameter the paper tuned."""
    titles = {}
    for name in TUNED.values():
        tried = sorted(
            (c for c in changes.unique() if c.startswith(f"{name}=")), key=lambda c: float(c.partition("=")[2])
        )
        for change in tried[:1] + tried[-1:]:
            titles[change] = f"{name} = {float(change.partition('=')[2]):g} (not {getattr(ELSA, name):g})"
    return titles


def _values_text(cells: pd.DataFrame) -> str:
    return f"{cells['value'].min():g} to {cells['value'].max():g}"


def _range_of_medians(cells: pd.DataFrame, column: str) -> tuple[float, float, float]:
    by_metric = cells.groupby("metric")[column].agg(["min", "max"])
    discovery = by_metric.loc["discovery_rate"]
    ratios = (by_metric["max"] / by_metric["min"])[["labelling_efficiency", "labels"]]
    return discovery["max"] - discovery["min"], *ratios
