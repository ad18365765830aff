"""Table 5: what ELSA finds in the embedding of each encoder, beside what the encoder is worth by other measures.

Notebook 05 takes `measured_encoders` of `measured` and lays `table5` out here. Worth is measured in one way for every
row, the floors included. The printed numbers join here and nowhere earlier.
"""

from itertools import permutations, product
from typing import Any

import numpy as np
import pandas as pd
import scipy

from elsa_nb.paper.experiments.encoders.measured import FLOOR_WEIGHTS
from elsa_nb.paper.measures.medians import ENCODER_TITLES, METRIC_TITLES, METRICS, cell_text, implied_labels, medians
from elsa_nb.paper.measures.printed import printed_cells
from elsa_nb.search.readings import READINGS

LEAST_POINTS, RESAMPLES = 4, 2000
_PRINTED_ROWS, _WITHOUT_LITERATURE = "the paper's rows", "the paper's rows without SimSiam, SwAV"
_EMPTY = "-"


def table5(runs: pd.DataFrame, worth: pd.DataFrame) -> pd.DataFrame:
    """Return Table 5 in long form: each encoder printed or run, both readings, medians, intervals, printed values.

    `runs` has one row per search. One row per (encoder, reading, metric) with median, low, high (95 %, over classes),
    searches, printed and value (as printed); beside it linear_top1, purity and loaded of the encoder, printed_top1, and
    `note`, what the paper's row is. An encoder that was not run has one row per metric, without a reading; a floor,
    which the paper does not have, has no printed value. Labels that the paper spent are implied: discovery rate x
    1300 / labelling efficiency. Raises ValueError for runs of another arm, and for an encoder without a title or a row
    of `worth`.
    """
    if strange := sorted({*runs["arm"], *worth["encoder"]} - {"ELSA", *ENCODER_TITLES}):
        raise ValueError(
            f"{strange[0]!r} has no place in Table 5; allowed: runs of ELSA, encoders {', '.join(ENCODER_TITLES)}"
        )
    if unknown := sorted(set(runs["encoder"]) - set(worth["encoder"])):
        raise ValueError(f"encoder {unknown[0]!r} was run, and `worth` does not have it; give that of the same profile")
    ours, printed = medians(runs).drop(columns=["arm", "seeds"]), _printed()
    lines = product(dict.fromkeys([*printed["encoder"], *worth["encoder"]]), METRICS)
    long = pd.DataFrame(lines, columns=["encoder", "metric"])
    long = long.merge(printed, how="left").merge(ours, on=["encoder", "metric"], how="left", validate="one_to_many")
    printed_top1 = printed_cells(5).query("metric == 'linear_top1'").set_index("encoder")
    long["printed_top1"] = long["encoder"].map(printed_top1["value"])
    notes = printed_top1["note"].str.removeprefix("percent").str.removeprefix("; ")
    long["note"] = long["encoder"].map(notes).fillna("not in the paper")
    long = long.merge(worth, on="encoder", how="left")
    long["loaded"] = long["loaded"].fillna("not in this profile")
    long["printed"] = long["printed"].fillna("")
    for column, order in (("encoder", ENCODER_TITLES), ("metric", METRICS), ("reading", READINGS)):
        long[column] = pd.Categorical(long[column], list(order), ordered=True)
    long = long.sort_values(["encoder", "metric", "reading"], kind="stable", ignore_index=True)
    return long.astype({"encoder": str, "metric": str, "reading": object, "searches": "Int64"})


def lay_out_table5(long: pd.DataFrame) -> pd.DataFrame:
    """Lay Table 5 out for reading: one row per encoder; what was loaded, worth, then each measure here and printed."""
    top1, purity, about = "Linear top-1, %", "Purity", "What the row is"
    cells: dict[tuple[str, str], dict[str, Any]] = {
        column: {}
        for column in (
            *((about, "here"), (top1, "here"), (top1, "the paper"), (purity, "here")),
            *(
                (title, column)
                for title in METRIC_TITLES.values()
                for column in (*(f"here, {reading}" for reading in READINGS), "the paper")
            ),
            (about, "the paper"),
        )
    }
    for row in long.itertuples():
        line = ENCODER_TITLES[row.encoder]
        cells[about, "here"][line], cells[about, "the paper"][line] = row.loaded, row.note
        cells[top1, "here"][line], cells[purity, "here"][line] = _number(row.linear_top1, 1), _number(row.purity, 2)
        cells[top1, "the paper"][line] = _number(row.printed_top1, 1) + ("*" if _from_literature(row.note) else "")
        cells[METRIC_TITLES[row.metric], "the paper"][line] = row.printed or _EMPTY
        if pd.notna(row.reading):
            cells[METRIC_TITLES[row.metric], f"here, {row.reading}"][line] = cell_text(row)
    return pd.DataFrame(cells).fillna(_EMPTY).loc[[ENCODER_TITLES[e] for e in dict.fromkeys(long["encoder"])]]


def points_against_top1(long: pd.DataFrame) -> pd.DataFrame:
    """Return what is drawn against linear top-1: panel, encoder, metric, linear_top1, purity, median, low, high, floor.

    A panel is a reading, or "printed" for the paper's own numbers, which have no intervals. `literature` marks rows
    whose printed top-1 belongs to weights that nobody has.
    """
    long = long[long["metric"] != "labels"]
    ours = long.dropna(subset=["reading"]).assign(panel=lambda frame: frame["reading"], literature=False)
    printed = long[long["value"].notna()].drop_duplicates(["encoder", "metric"])
    printed = printed.assign(
        panel="printed",
        linear_top1=printed["printed_top1"],
        purity=np.nan,
        median=printed["value"],
        low=np.nan,
        high=np.nan,
        literature=printed["note"].map(_from_literature),
    )
    both = pd.concat([ours, printed], ignore_index=True)
    both["floor"] = both["encoder"].isin(FLOOR_WEIGHTS)
    columns = ["panel", "encoder", "metric", "linear_top1", "purity", "median", "low", "high", "floor", "literature"]
    return both[columns]


def correlations_with_top1(points: pd.DataFrame) -> pd.DataFrame:
    """Return Spearman's rank correlation of each measure with linear top-1, and here with purity, too.

    One row per (metric, against, panel, encoders): n, rho, its 95 % interval (bootstrap over encoders) and by_chance:
    the share of all orders of the encoders that are correlated as strongly, either way. Missing for fewer than four.
    """
    rows = []
    for against, (metric, of_metric) in product(("linear_top1", "purity"), points.groupby("metric", sort=False)):
        for panel, group in of_metric.dropna(subset=[against]).groupby("panel", sort=False):
            if panel == "printed":
                sets = {_PRINTED_ROWS: group, _WITHOUT_LITERATURE: group[~group["literature"]]}
            else:
                sets = {"trained": group[~group["floor"]], "trained, and the floors": group}
            for which, frame in sets.items():
                rho = rank_correlation_by_chance(frame[against].to_numpy(), frame["median"].to_numpy())
                rows.append((metric, against, panel, which, len(frame), *rho))
    columns = ["metric", "against", "panel", "encoders", "n", "rho", "low", "high", "by_chance"]
    return pd.DataFrame(rows, columns=columns)


def rank_correlation_by_chance(x: np.ndarray, y: np.ndarray, *, seed: int = 0) -> tuple[float, float, float, float]:
    """Return Spearman's rho of `x` and `y` (n,), the ends of its 95 % bootstrap interval, and its share by chance.

    Draws in which one side does not vary are left out. Up to nine points every order is tried, beyond that a random
    20,000. All four are nan for fewer than four points or where a side does not vary.
    """
    if len(x) < LEAST_POINTS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return (np.nan,) * 4
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(x), size=(RESAMPLES, len(x)))
    drawn = _rho(scipy.stats.rankdata(x[draws], axis=1), scipy.stats.rankdata(y[draws], axis=1))
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    if len(x) <= 9:
        orders = np.array(list(permutations(range(len(x)))))
    else:
        orders = np.array([rng.permutation(len(x)) for _ in range(20_000)])
    rho = float(_rho(scipy.stats.rankdata(x)[None], scipy.stats.rankdata(y)[None])[0])
    by_chance = _rho(scipy.stats.rankdata(x)[None], scipy.stats.rankdata(y)[orders])
    return rho, float(low), float(high), float((np.abs(by_chance) >= abs(rho) - 1e-12).mean())


def _rho(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation along the last axis; nan where a side does not vary."""
    x, y = x - x.mean(axis=-1, keepdims=True), y - y.mean(axis=-1, keepdims=True)
    scale = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    return np.divide(
        (x * y).sum(axis=-1), scale, out=np.full(np.broadcast(scale, scale).shape, np.nan), where=scale > 0
    )


def _printed() -> pd.DataFrame:
    """Return the printed efficiency and discovery, and the labels they imply: encoder, metric, printed, value."""
    printed = printed_cells(5).query("metric != 'linear_top1'")[["encoder", "metric", "printed", "value"]]
    return pd.concat([printed, implied_labels(printed, ["encoder"]).drop(columns="note")], ignore_index=True)


def _from_literature(note: str) -> bool:
    return "literature" in note


def _number(value: float, digits: int) -> str:
    return _EMPTY if pd.isna(value) else f"{value:.{digits}f}"
