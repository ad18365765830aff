"""The paper's tables, from results: medians with intervals, the labels spent, and the printed value beside each.

A long table has one row a cell (encoder, arm, seeds, reading, metric: median, low, high, printed); `wide` lays it out
as the paper does. The printed numbers join here and nowhere earlier.
"""

from typing import Any

import pandas as pd

from elsa_nb.images.encoders.published import OFFICIAL
from elsa_nb.paper.claims import claims
from elsa_nb.search.elsa import READINGS
from elsa_nb.search.metrics import median_interval

TITLES = {"labelling_efficiency": "Labelling efficiency", "discovery_rate": "Discovery rate", "labels": "Labels spent"}
METRICS = tuple(TITLES)
ENCODERS = {name: spec.title for name, spec in OFFICIAL.items()}
FLOORS = {"untrained": "Untrained network", "raw-pixels": "Raw pixels"}
ENCODERS |= FLOORS
IMAGENET_CLASS = 1300  # images a class in the paper's pool, for the labels its two printed measures imply


def summary(runs: pd.DataFrame, metrics: tuple[str, ...] = METRICS) -> pd.DataFrame:
    """Return the median and 95 % interval over classes and repeats of every metric.

    `runs` has one row a search; the result one row per (encoder, arm, seeds, reading, metric), with columns median,
    low, high (bootstrap over classes), searches.
    """
    rows = []
    for key, group in runs.groupby(["encoder", "arm", "seeds", "reading"], sort=False):
        for metric in metrics:
            median, low, high = median_interval(group[metric], group["target"])
            rows.append((*key, metric, median, low, high, len(group)))
    columns = ["encoder", "arm", "seeds", "reading", "metric", "median", "low", "high", "searches"]
    return pd.DataFrame(rows, columns=columns)


def beside_paper(runs: pd.DataFrame, table: int) -> pd.DataFrame:
    """Return Table 2, 3 or 4 in long form: every printed cell with our median of both readings and its interval.

    Only the numbers of seeds that were run appear. The row `median` of Table 2 is the median over its own rows, as
    its name says (the printed one is not: paper notes 16). Labels the paper spent are not printed but implied:
    discovery rate x 1300 / labelling efficiency.
    """
    if table not in (2, 3, 4):
        raise ValueError(f"table {table!r}; allowed: 2, 3, 4")
    printed = claims(table)[["encoder", "arm", "seeds", "metric", "printed", "value", "note"]]
    ours = summary(runs).astype({"seeds": str})
    ours = pd.concat([ours, _median_rows(ours)]) if table == 2 else ours
    printed = pd.concat([printed, implied_labels(printed, ["encoder", "arm", "seeds"])])
    keys = ["encoder", "arm", "seeds", "metric"]
    return printed.merge(ours, on=keys, how="inner", validate="one_to_many")


def wide(long: pd.DataFrame) -> pd.DataFrame:
    """Lay a long table out for reading: a row per (encoder, arm, seeds); per metric both readings and the paper."""
    cells = {}
    for row in long.itertuples():
        line = (ENCODERS[row.encoder], row.arm, row.seeds)
        title = TITLES[row.metric]
        cells.setdefault((title, f"here, {row.reading}"), {})[line] = cell(row)
        cells.setdefault((title, "the paper"), {})[line] = row.printed
    order = [
        (TITLES[metric], column)
        for metric in METRICS
        for column in (*(f"here, {reading}" for reading in READINGS), "the paper")
    ]
    frame = pd.DataFrame({column: cells[column] for column in order if column in cells})
    frame.index = pd.MultiIndex.from_tuples(frame.index, names=["encoder", "arm", "seeds"])
    return frame.loc[list(dict.fromkeys(zip(*_lines(long), strict=True)))]


def both_encoders(*tables: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of Tables 3 and 4 that Fig. 2 draws."""
    rows = pd.concat(tables, ignore_index=True)
    return rows[rows["metric"] != "labels"].reset_index(drop=True)


def arms_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return Table 1: the components of each arm, with the share of its labels that each one asked here.

    One row an arm of the `paper` reading; a component that asked nothing shows "no".
    """
    rows = {}
    for arm, config in READINGS["paper"].items():
        mine = runs[(runs["arm"] == arm) & (runs["reading"] == "paper")]
        asked = mine[["nn_labels", "rands_labels", "final_labels"]].sum()
        shares = asked / asked.sum()
        rows[arm] = {
            "Nearest neighbours": _share(shares["nn_labels"]),
            "RandS": _share(shares["rands_labels"]),
            "Active learning in the rounds": "yes" if config.use_head else "no",
            "Final search": _share(shares["final_labels"]),
        }
    return pd.DataFrame(rows).T.rename_axis("arm")


def implied_labels(printed: pd.DataFrame, keys: list[str], class_size: int = IMAGENET_CLASS) -> pd.DataFrame:
    """Return the labels that each printed pair of measures implies: discovery x class size / efficiency (eq. 4, 5).

    `printed` has one row a cell (`keys`, metric, value); the result one row for each value of the `keys`, with columns
    metric ("labels"), printed, value and note.
    """
    pairs = printed.pivot(index=keys, columns="metric", values="value").reset_index()
    labels = pairs["discovery_rate"] * class_size / pairs["labelling_efficiency"]
    told = {"metric": "labels", "printed": labels.map("≈ {:,.0f}".format), "value": labels}
    return pairs[keys].assign(**told, note="implied, not printed")


def cell(row: Any) -> str:
    """Return the text of one cell of a long table: its median with the interval, if it has one, in brackets."""
    digits = 0 if row.metric == "labels" else 3
    if pd.isna(row.low):
        return f"{row.median:,.{digits}f}"
    return f"{row.median:,.{digits}f} [{row.low:,.{digits}f}, {row.high:,.{digits}f}]"


def _share(share: float) -> str:
    return f"yes, {share:.0%} of the labels" if share > 0 else "no"


def _median_rows(ours: pd.DataFrame) -> pd.DataFrame:
    """Return the medians over the rows of Table 2, one per encoder, reading and metric; no interval is claimed."""
    elsa = ours[ours["arm"] == "ELSA"]
    medians = elsa.groupby(["encoder", "arm", "reading", "metric"], sort=False, as_index=False)["median"].median()
    return medians.assign(seeds="median")


def _lines(long: pd.DataFrame) -> tuple[list[str], list[str], list[str]]:
    return [ENCODERS[e] for e in long["encoder"]], list(long["arm"]), list(long["seeds"])
