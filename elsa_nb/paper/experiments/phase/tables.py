"""The phase diagram as tables: what each arm finds and spends in every cell, and how near that is to the printed rows.

Notebook 16 starts at `cells`. A cell is a size of classes, a purity of their neighbourhoods and a way to read the
paper; "literal" is the text to the letter where it says two things (`sweep.LITERAL`).
"""

import numpy as np
import pandas as pd

from elsa_nb import store
from elsa_nb.paper.experiments.phase.sweep import AT_2048, SWEEPS
from elsa_nb.paper.measures.medians import IMAGENET_CLASS, IMAGENET_IMAGES, METRICS, interval_text, medians
from elsa_nb.paper.measures.printed import printed_value
from elsa_nb.paper.runs import runner

MEASURED_SPACES = "results/generated-spaces.csv"
CLAIMED_ARMS = ("ELSA", "No Active", "NN")
CELL = ["pool", "members", "purity", "reading"]
NEAR_DISCOVERY, NEAR_LABELS = 0.1, 2.0  # what counts as the printed row: so far off in discovery, such a factor
FULL_SIZE, FULL_WIDTH = "1,281,167 rows", "1,281,167 rows, 2,048 dimensions"  # pools; without dimensions, 512


def phase_runs() -> pd.DataFrame:
    """Return the committed searches of the phase diagram, one row per search, whatever the profile.

    Beside the columns of every sweep: pool, in words; members, of the class; purity, as wanted of the pool (the
    `encoder` says it); `reading` with "literal" among its values.
    """
    stored = [name for name in SWEEPS if store.locate(f"results/{name}-full.json").exists()]
    runs = pd.concat([runner.stored_results(name, "full") for name in stored], ignore_index=True)
    parts = runs["encoder"].str.split("-")
    rows = runs["pool_size"].map("{:,} rows".format)
    return runs.assign(
        pool=rows.where(runs["sweep"] != AT_2048.name, FULL_WIDTH),
        members=runs["class_size"].replace(1282, 1281),
        purity=parts.str[1].astype(float),
        reading=runs["reading"].where(runs["change"] == "", "literal"),
    )


def searches(runs: pd.DataFrame) -> pd.DataFrame:
    """Return how many searches there are in each pool, one column per reading, and how many seconds one took."""
    counts = runs.groupby(["pool", "reading"], sort=False).size().unstack(fill_value=0)
    return counts.assign(**{"classes, most": runs.groupby("pool")["target"].nunique()}).rename_axis(None, axis=1)


def spaces() -> pd.DataFrame:
    """Return what generated pools and those of encoders are like around their classes: `spaces.measure_space`."""
    return pd.read_csv(store.locate(MEASURED_SPACES))


def claimed() -> pd.DataFrame:
    """Return the printed row of each arm from 5 seeds (Table 3): arm, discovery_rate, labels, share of the pool."""
    rows = []
    for arm in CLAIMED_ARMS:
        where = {"encoder": "vicreg", "arm": arm, "seeds": "5"}
        discovery = printed_value(3, "discovery_rate", **where)
        labels = discovery * IMAGENET_CLASS / printed_value(3, "labelling_efficiency", **where)
        rows.append((arm, discovery, labels, labels / IMAGENET_IMAGES))
    return pd.DataFrame(rows, columns=["arm", "discovery_rate", "labels", "share"])


def cells(runs: pd.DataFrame) -> pd.DataFrame:
    """Return medians with 95 % intervals over classes of every cell and arm from 5 seeds.

    One row (pool, members, purity, reading, arm, metric) with median, low, high, searches and classes.
    """
    runs = runs[(runs["seeds"] == 5)]
    frame = medians(runs, [*CELL, "arm"], METRICS)
    classes = runs.groupby([*CELL, "arm"])["target"].nunique().rename("classes").reset_index()
    frame = frame.merge(classes, on=[*CELL, "arm"], how="left")
    order = ["members", "pool", "purity", "reading", "arm", "metric"]
    return frame.sort_values(order, kind="stable", ignore_index=True)


def misfits(frame: pd.DataFrame) -> pd.DataFrame:
    """Return how far each arm of each cell is from its printed row: one row (cell, arm).

    `frame` is that of `cells`. Columns: discovery_rate and labels, the medians; their printed values; off_discovery,
    the difference; off_labels, the factor, of labels as a share of the pool except for NN, whose rounds do not depend
    on its size; near, whether both are as near as `NEAR_DISCOVERY` and `NEAR_LABELS` say; and near_discovery.
    """
    wide = frame[frame["arm"].isin(CLAIMED_ARMS)].pivot_table(index=[*CELL, "arm"], columns="metric", values="median")
    wide = wide.reset_index().rename_axis(None, axis=1).merge(claimed(), on="arm", suffixes=("", "_printed"))
    rows = wide["pool"].str.extract(r"^([\d,]+)", expand=False).str.replace(",", "").astype(int)
    expected = wide["labels_printed"].where(wide["arm"] == "NN", wide["share"] * rows)
    wide["off_discovery"] = wide["discovery_rate"] - wide["discovery_rate_printed"]
    wide["off_labels"] = wide["labels"] / expected
    wide["near_discovery"] = wide["off_discovery"].abs() <= NEAR_DISCOVERY
    within = np.abs(np.log(wide["off_labels"])) <= np.log(NEAR_LABELS)
    wide["near"] = wide["near_discovery"] & within
    columns = [*CELL, "arm", "discovery_rate", "discovery_rate_printed", "off_discovery", "near_discovery"]
    return wide[[*columns, "labels", "labels_printed", "off_labels", "near"]]


def together(off: pd.DataFrame) -> pd.DataFrame:
    """Return for each cell how many of the three printed rows it comes near, the nearest cells first.

    `off` is that of `misfits`. Columns: near (discovery and labels), near_discovery, arms (those near, in words), and
    distance, the root of the mean squared misfit of the three arms: 1 is an arm as far off as may still be near.
    """
    scaled = (off["off_discovery"] / NEAR_DISCOVERY) ** 2 + (np.log(off["off_labels"]) / np.log(NEAR_LABELS)) ** 2
    groups = off.assign(scaled=scaled, name=off["arm"].where(off["near"], "")).groupby(CELL)
    table = groups.agg(
        near=("near", "sum"),
        near_discovery=("near_discovery", "sum"),
        arms=("name", lambda names: ", ".join(filter(None, names))),
        distance=("scaled", lambda squares: np.sqrt(squares.mean())),
    )
    return table.reset_index().sort_values(["near", "distance"], ascending=[False, True], ignore_index=True)


def lay_out(frame: pd.DataFrame) -> pd.DataFrame:
    """Lay medians out for reading: the columns before `metric` a line, discovery and labels with their intervals."""
    keys = list(frame.columns[: frame.columns.get_loc("metric")])
    texts = [
        interval_text(row.median, row.low, row.high, ".2f" if row.metric == "discovery_rate" else ",.0f")
        for row in frame.itertuples()
    ]
    shown = frame.assign(text=texts)[frame["metric"].isin(["discovery_rate", "labels"])]
    names = {"discovery_rate": "Discovery rate", "labels": "Labels spent"}
    table = shown.pivot_table(index=keys, columns="metric", values="text", aggfunc="first", sort=False)
    return table.rename(columns=names).rename_axis(None, axis=1)
