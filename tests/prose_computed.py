"""What numbers in prose are that no output holds, computed anew: `computed` in `prose.csv` names a function here.

Each is in the unit that its sentence has it in (points, per cent, times). A function that returns several numbers is
named with the one that is meant: "leads_over_elsa max", or "efficiency_by_printed vicreg min" where it takes a word.
"""

from functools import cache

import pandas as pd

from elsa_nb.paper.experiments.catalogue import sweep
from elsa_nb.paper.experiments.components import rounds
from elsa_nb.paper.experiments.equal_budgets.tables import compared_searches
from elsa_nb.paper.experiments.phase import tables as phase
from elsa_nb.paper.measures.intervals import median_with_interval, paired
from elsa_nb.paper.runs import purity, runner
from elsa_nb.paper.runs.place import class_names
from elsa_nb.paper.runs.rivals import RAW
from elsa_nb.prepared import LIST_LENGTH
from elsa_nb.store import DATA, ROOT, read_json

BUDGETED = ["ELSA", "No Active", "NN", "NN.Large"]
BASE_SETTING = {2: "5", 3: "5", 6: "50", 7: "1", 9: "50"}  # its row in the tables that print it
TIGHT, SPARSE, MEDIAN = (
    f"LATIN {name}" for name in ("SMALL LETTER AE WITH ACUTE", "CAPITAL LETTER O WITH MACRON", "SMALL LETTER T")
)


def computed(how: str) -> float:
    """Return the number that an entry of the column `computed` stands for."""
    name, *words = how.split()
    if not words:
        return float(globals()[name]())
    *given, which = words
    numbers = globals()[name](*given)
    return float(getattr(numbers, which)() if which in ("min", "max") else numbers[which])


@cache
def frame(name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "figures" / f"{name}.csv")


@cache
def searches(sweep: str) -> pd.DataFrame:
    return runner.stored_results(sweep, "full")


def interval(one: pd.DataFrame, other: pd.DataFrame) -> dict[str, float]:
    """Return the labels of one by those of the other, search by search."""
    return median_with_interval(*paired(one, other, "labels", ratio=True))._asdict()


def at_equal_budget(encoder: str, reading: str) -> pd.DataFrame:
    """Return discovery by labels and arm; an arm that has ended keeps what it found."""
    rows = frame("equal-budget").query("encoder == @encoder and reading in [@reading, 'rival']")
    return rows.pivot(index="labels", columns="arm", values="median").ffill()


def leads_over_elsa() -> pd.Series:
    curves = pd.concat([at_equal_budget(encoder, "paper").loc[100:500] for encoder in ("vicreg", "barlow-twins")])
    return 100 * curves[["NN", "NN.Large"]].sub(curves["ELSA"], axis=0).stack()


def probe_ahead_from(encoder: str, reading: str, arms: list[str]) -> int:
    """Return the fewest labels from which on the raw greedy probe is ahead of all arms, as far as it goes."""
    curves = at_equal_budget(encoder, reading).loc[:1868]
    behind = curves[RAW] <= curves[arms].max(axis=1)
    return int(curves.index[curves.index > behind[behind].index.max()].min())


def probe_passes_elsa() -> int:
    return probe_ahead_from("barlow-twins", "paper", ["ELSA"])


def probe_passes_all() -> int:
    return max(probe_ahead_from(encoder, "released-code", BUDGETED) for encoder in ("vicreg", "barlow-twins"))


def found_at(encoder: str, arm: str, labels: str) -> dict[str, float]:
    """Return what an arm has found after so many labels; blanks in its name are underscores here."""
    return {"discovery": at_equal_budget(encoder, "paper").loc[int(labels), arm.replace("_", " ")]}


def classes_to_draw_from() -> dict[str, int]:
    """Return how many classes the bundled pool has, and how many are large enough to be searched for."""
    sizes = class_names("glyphs").value_counts()
    return {"all": len(sizes), "eligible": int((sizes >= sweep("components", "full").least_members).sum())}


def final_search(reading: str, arm: str) -> dict[str, float]:
    """Return what the final search asks, in per cent: of all labels, of a search's on average; and searches without."""
    runs = searches("components").query("reading == @reading and arm == @arm.replace('_', ' ')")
    all_labels = runs[["nn_labels", "rands_labels", "final_labels"]].sum(axis=1)
    of_all = runs["final_labels"].sum() / all_labels.sum()
    shares = {"of_all": of_all, "mean": (runs["final_labels"] / all_labels).mean()}
    return {name: 100 * share for name, share in (shares | {"none": (runs["final_labels"] == 0).mean()}).items()}


def efficiency_by_printed(encoder: str) -> pd.Series:
    rows = frame("table02").query(
        "metric == 'labelling_efficiency' and reading == 'released-code' and seeds != 'median'"
    )
    return (rows["median"] / rows["value"])[rows["encoder"] == encoder]


def labels_by_arm(*tables: str) -> pd.DataFrame:
    """Return median labels in the reading `paper`, by encoder and seeds, an arm a column."""
    rows = pd.concat([frame(name) for name in tables]).query("metric == 'labels' and reading == 'paper'")
    return rows.pivot(index=["encoder", "seeds"], columns="arm", values="median")


def more_without_head() -> pd.Series:
    """Return by how many per cent No Active spends more than ELSA, where it does."""
    labels = labels_by_arm("table03", "table04")
    more = 100 * (labels["No Active"] / labels["ELSA"] - 1)
    return more[more > 0]


def worth(measure: str, encoders: str) -> pd.Series:
    """Return linear top-1 or purity of encoders, joined by "+"."""
    card = read_json(DATA / "results" / "encoder-worth-full.json")["encoders"]
    return pd.Series({encoder: card[encoder][measure] for encoder in encoders.split("+")})


def from_five(encoder: str, arm: str) -> pd.DataFrame:
    return searches("components").query("reading == 'paper' and seeds == 5 and encoder == @encoder and arm == @arm")


def elsa_labels(encoder: str) -> dict[str, float]:
    return from_five(encoder, "ELSA")["labels"].describe().to_dict()


def without_head(encoder: str) -> dict[str, float]:
    """Return No Active's labels by ELSA's, from five seeds, all repeats."""
    return interval(from_five(encoder, "No Active"), from_five(encoder, "ELSA"))


def best_setting_of_elsa(target: str) -> pd.Series:
    """Return what ELSA's setting of the highest discovery has in `released-code`."""
    rows = frame("fig03-trade-off").query("arm == 'ELSA' and reading == 'released-code'")
    rows = rows[rows["target"] == {"sparsest": SPARSE, "median": MEDIAN}[target]]
    return rows.loc[rows["discovery_rate"].idxmax()]


def most_by_nn() -> pd.Series:
    """Return the highest discovery of a setting of NN in `paper`, by class."""
    rows = frame("fig03-trade-off").query("arm == 'NN' and reading == 'paper'")
    return rows.groupby("target")["discovery_rate"].max()


def base_setting() -> float:
    """Return the largest by the smallest efficiency that is printed for one and the same setting."""
    printed = []
    for table, row in BASE_SETTING.items():
        rows = pd.read_csv(DATA / "claims" / f"table{table:02}.csv", dtype=str)
        rows = rows[
            (rows["metric"] == "labelling_efficiency") & (rows["arm"] == "ELSA") & (rows["encoder"] == "vicreg")
        ]
        printed += rows.loc[rows["setting" if "setting" in rows else "seeds"] == row, "printed"].astype(float).tolist()
    assert len(printed) == len(BASE_SETTING)
    return max(printed) / min(printed)


def labels_by_growth_of_b() -> float:
    labels = frame("silent-choices").query("effect == 'labels'").set_index("change")["median"]
    return labels["b_slope=2.0"] / labels["b_slope=0.0"]


def fewer_labels_by_alpha_2() -> float:
    runs = searches("hyperparameters").query("reading == 'paper'")
    high, low = (runs[runs["change"] == f"alpha_2={value}"] for value in ("4.0", "1.0"))
    return 100 * (1 - interval(high, low)["median"])


def all_negatives_without_head() -> dict[str, float]:
    runs = searches("choices-by-arm").query("arm == 'No Active'")
    kept, as_it_is = (runs[runs["change"] == change] for change in ("negatives=all", ""))
    return interval(kept, as_it_is)


def printed_labels() -> pd.Series:
    """Return the labels that Table 3 implies, by arm."""
    return phase.claimed().set_index("arm")["labels"]


def printed_labels_without_head() -> float:
    return printed_labels()["No Active"] / printed_labels()["ELSA"]


def times_nn() -> pd.Series:
    """Return ELSA's labels by those of each NN arm on Tiny-ImageNet."""
    labels = labels_by_arm("photos-tables03-04")
    return pd.concat([labels["ELSA"] / labels[arm] for arm in ("NN", "NN.Large")])


@cache
def times_nn_by_class(more_is_found: str) -> pd.Series:
    """Return what ELSA's rounds ask by what NN alone asks, in the panels of Figure 9 where they find more or do not."""
    runs = searches("components")
    classes = purity.evenly_spaced_classes(purity.tightness("full", runs["target"].unique().tolist()))
    totals = rounds.totals_by_series(runs, classes["target"].tolist())
    wide = totals.pivot(index=["reading", "target"], columns="series", values=["found", "asked"])
    ours = {what: wide[what]["NN in ELSA"] + wide[what]["RandS in ELSA"] for what in ("found", "asked")}
    more = ours["found"] > wide["found"]["NN alone"]
    return (ours["asked"] / wide["asked"]["NN alone"])[more if more_is_found == "yes" else ~more]


def list_length() -> int:
    return LIST_LENGTH


def without_head_by_purity() -> pd.Series:
    """Return No Active's labels by ELSA's in pools of ImageNet's size, read to the letter."""
    rows = frame("phase-full-size").query("metric == 'labels' and reading == 'literal'")
    labels = rows.pivot(index="purity", columns="arm", values="median")
    ratios = labels["No Active"] / labels["ELSA"]
    return ratios.set_axis([f"{purity:.2f}" for purity in ratios.index])


def rare_classes() -> pd.Series:
    return frame("equal-rare").groupby("pool")["classes"].max()


def rare_members() -> pd.Series:
    return compared_searches(rare=True)["class_size"]


def phase_pool_size() -> int:
    return phase.phase_runs()["pool_size"].min()


def share_of_pool() -> float:
    """Return what ELSA labels of the pool in the reading `paper`, in per cent: VICReg, from five seeds."""
    runs = from_five("vicreg", "ELSA")
    return 100 * runs["labels"].median() / runs["pool_size"].iloc[0]


def elsas_labels() -> pd.Series:
    """Return ELSA's labels to 80 % in the glyphs' projection, Harvest's are 1: on raw vectors, and on prepared ones."""
    rows = frame("equal-ratios").query("pool == 'glyphs, projection' and share == 80").set_index("arm")["ratio"]
    return pd.Series({"raw": rows["ELSA"], "prepared": rows["ELSA, prepared"]})


def part_worth(changed: str) -> pd.Series:
    """Return the labels of Harvest with a part "changed_like_this", by pool; those of Harvest as it is are 1."""
    rows = frame("equal-parts")
    return rows[rows["changed"] == changed.replace("_", " ")].set_index("pool")["to 80 %"]


def part_percent(changed: str) -> pd.Series:
    """Return by how many per cent a changed part changes the labels, up or down, by the first word of the pool."""
    worth = part_worth(changed)
    return (100 * (worth - 1).abs()).set_axis(
        [pool.split()[-1] if "glyphs" in pool else pool.split(",")[0] for pool in worth.index]
    )


def as_elsa(classes: str) -> pd.Series:
    """Return Harvest's labels by ELSA's at as many finds, of each pool of "whole" or "rare" classes."""
    goals = frame("equal-goals").query("what.str.startswith('labels at ELSA')")
    return goals.loc[goals["pool"].str.endswith("%") == (classes == "rare"), "measured"]


def food_besides_seeds(reading: str) -> pd.Series:
    """Return the median share of a class of Food-101 that ELSA finds besides its seeds, by their number."""
    runs = runner.stored_results("food-101", "photos").query("arm == 'ELSA' and reading == @reading")
    found = runs.groupby("seeds")["discovery_rate_without_seeds"].median()
    return found.set_axis(found.index.astype(str))


def lines_apart() -> pd.Series:
    """Return how far apart NN inside ELSA and NN alone are in some round of Figure 9, `paper`, by class.

    A class is named by its last word. A line that has ended stays at 0.
    """
    rows = frame("fig09-rounds").query("reading == 'paper'")
    wide = rows.pivot(index=["target", "round"], columns="series", values="median").fillna(0)
    apart = (wide["NN in ELSA"] - wide["NN alone"]).abs().groupby("target").max()
    return apart.set_axis(apart.index.str.split().str[-1])
