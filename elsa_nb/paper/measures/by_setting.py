"""Tables with one row per setting (Tables 6 to 10), and what a setting changes, search by search.

The tables of the experiments `hyperparameters` and `noise` start at `settings_beside_paper`: a long table with one row
per cell (parameter, setting, reading, metric, median, low, high, printed). Its settings are the printed ones and those
run; where the paper prints none, or prints one that was not run, one side stays empty.
"""

import pandas as pd
from pandas.api.typing import SeriesGroupBy

from elsa_nb.paper.measures.medians import METRIC_TITLES, METRICS, cell_text, implied_labels, interval_text, medians
from elsa_nb.paper.measures.printed import printed_cells
from elsa_nb.search.config import ELSA
from elsa_nb.search.readings import READINGS

TUNED = {6: "a", 7: "alpha_1", 8: "alpha_2", 9: "l"}  # the hyperparameter that a table varies
_VARIED = TUNED | {10: "flipped_percent"}
SEARCH_KEYS = ["encoder", "reading", "arm", "target", "seeds", "repeat"]  # what two searches that are compared share
EFFECTS = ("discovery", "found", "labels", "efficiency")
_SHOWN = {  # effect: title, format, scale
    "discovery": ("discovery rate, points", "+.1f", 100),
    "labels": ("labels, times", ".2f", 1),
    "efficiency": ("efficiency, times", ".2f", 1),
}
_EMPTY = "-"


def varied(runs: pd.DataFrame, parameter: str) -> pd.DataFrame:
    """Return the searches that leave the reading in nothing but `parameter`, its value in column `value` (float64).

    The readings as they are, where it has the value of ELSA's configuration, are among them.
    """
    alone = runs[(runs["change"] == "") | runs["change"].str.fullmatch(rf"{parameter}=[\d.]+")]
    values = alone["change"].str.partition("=")[2].replace("", str(getattr(ELSA, parameter))).astype(float)
    return alone.assign(value=values)


def medians_by_value(runs: pd.DataFrame, parameter: str) -> pd.DataFrame:
    """Return the median of both rates at each value of one hyperparameter, all else as in the reading.

    Columns value (ascending), labelling_efficiency, discovery_rate.
    """
    rates = varied(runs, parameter).groupby("value")[["labelling_efficiency", "discovery_rate"]].median()
    return rates.sort_index().reset_index()


def settings_beside_paper(runs: pd.DataFrame, table: int) -> pd.DataFrame:
    """Return Table 6, 7, 8, 9 or 10 in long form: medians with 95 % intervals over classes, and the printed values.

    `runs` has one row per search, with its setting in the column `value` (float64). The result has one row per
    (setting, reading, metric), by rising setting; a printed setting that was not run has rows without a reading.
    Labels that the paper spent are not printed but implied: discovery rate x 1300 / labelling efficiency.
    """
    if table not in _VARIED:
        raise ValueError(f"table {table!r}; allowed: {', '.join(map(str, _VARIED))}")
    long = medians(runs, ["value", "reading"]).merge(
        _printed(table), on=["value", "metric"], how="outer", validate="many_to_one"
    )
    for column, order in (("metric", METRICS), ("reading", READINGS)):
        long[column] = pd.Categorical(long[column], list(order), ordered=True)
    long = long.sort_values(["value", "metric", "reading"], kind="stable", ignore_index=True)
    settings = long["setting"].fillna(long["value"].map("{:g}".format))
    long = long.assign(parameter=_VARIED[table], setting=settings, printed=long["printed"].fillna(""))
    long = long.astype({"metric": str, "reading": object, "searches": "Int64"})
    columns = ["parameter", "setting", "value", "reading", "metric", "median", "low", "high", "searches"]
    return long[[*columns, "printed", "printed_value", "note"]]


def lay_out_by_setting(long: pd.DataFrame) -> pd.DataFrame:
    """Lay a long table out for reading: one row per setting; per metric both readings and the paper."""
    run = set(long.loc[long["reading"].notna(), "setting"])
    cells: dict[tuple[str, str], dict[str, str]] = {
        (METRIC_TITLES[metric], column): {}
        for metric in METRICS
        for column in (*(f"here, {reading}" for reading in READINGS), "the paper")
    }
    for row in long.itertuples():
        line = row.setting if row.setting in run else f"{row.setting} (printed only)"
        cells[METRIC_TITLES[row.metric], "the paper"][line] = row.printed or _EMPTY
        if row.setting in run:
            cells[METRIC_TITLES[row.metric], f"here, {row.reading}"][line] = cell_text(row)
    return pd.DataFrame(cells).fillna(_EMPTY).rename_axis(long["parameter"].iloc[0])


def paired_effects(runs: pd.DataFrame, by: str, base: str | float) -> pd.DataFrame:
    """Return what every value of the column `by` changes against `base`, paired search by search.

    Compared are searches of the same class, seeds and repeat in the same reading. One row per (reading, value, effect),
    with the median and its 95 % interval over classes: "discovery" is a difference of rates, "found", "labels" and
    "efficiency" are ratios. Raises ValueError where a search has no partner at `base`, or more than one.
    """
    measures = ["discovery_rate", "found", "labels", "labelling_efficiency"]
    at_base = runs.loc[runs[by] == base, [*SEARCH_KEYS, *measures]]
    if at_base.duplicated(SEARCH_KEYS).any():
        raise ValueError(f"some searches have several partners at {by} = {base!r}; give the runs of one sweep")
    pairs = runs[runs[by] != base].merge(at_base, on=SEARCH_KEYS, how="left", suffixes=("", "_base"))
    if pairs["labels_base"].isna().any():
        raise ValueError(f"some searches have no partner at {by} = {base!r}; give the whole sweep")
    changed = pairs[["reading", by, "target"]].assign(
        discovery=pairs["discovery_rate"] - pairs["discovery_rate_base"],
        found=pairs["found"] / pairs["found_base"],
        labels=pairs["labels"] / pairs["labels_base"],
        efficiency=pairs["labelling_efficiency"] / pairs["labelling_efficiency_base"],
    )
    return medians(changed, ["reading", by], EFFECTS).rename(columns={"metric": "effect"})


def effects_table(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Lay effects out for reading: a row for each value of the columns `by`, a column for each effect [interval]."""
    cells: dict[str, dict[tuple, str]] = {title: {} for title, _, _ in _SHOWN.values()}
    for line, rows in frame.groupby(by, sort=False):
        for row in rows[rows["effect"].isin(_SHOWN)].itertuples():
            title, form, scale = _SHOWN[row.effect]
            ends = (scale * value for value in (row.median, row.low, row.high))
            cells[title][line if len(by) > 1 else line[0]] = interval_text(*ends, form)
    return pd.DataFrame(cells).rename_axis(by if len(by) > 1 else by[0])


def silent_final_share(final_labels: SeriesGroupBy) -> pd.Series:
    """Return the share of searches, in percent, whose final search asked nothing, for each group of `final_labels`.

    It asks what scores above mean + alpha_2 std. A head that calls a large part of the pool positive pushes that above
    1, which no probability exceeds.
    """
    return 100 * final_labels.agg(lambda labels: (labels == 0).mean())


def _printed(table: int) -> pd.DataFrame:
    """Return the printed cells and the labels that each printed pair implies: found / efficiency (equations 4, 5)."""
    printed = printed_cells(table)[["setting", "metric", "printed", "value", "note"]]
    cells = pd.concat([printed, implied_labels(printed, ["setting"])], ignore_index=True)
    cells = cells.rename(columns={"value": "printed_value"})
    return cells.assign(value=cells["setting"].astype(float))


# The choices the paper does not mention, or mentions twice in two ways: in plain words, with the point of our notes
# on the paper that each belongs to.
SILENT_CHOICES = {
    "b_slope=0.0": "b: stays at 50",
    "b_slope=0.5": "b: grows half as fast",
    "b_slope=2.0": "b: grows twice as fast",
    "head=mlp": "Head: MLP, AdamW steps",
    "head=linear-sgd": "Head: linear, AdamW steps",
    "head_space=embedding": "Head: sees the embedding",
    "negatives=all": "Head: keeps all negatives",
    "confidence=logit": "Threshold: on log-odds",
    "nn_queries=all positives": "NN: near all positives",
    "nn_queries=last neighbours": "NN: near its last answers",
    "nn_per=query": "NN: a for each query",
    "rands=appendix b": "RandS: as in Appendix B",
    "rands=sampled points": "RandS: asks its samples",
    "relabel=True": "Negatives: asked again",
    "zero_pass=True": "Rounds: one more, random",
}
