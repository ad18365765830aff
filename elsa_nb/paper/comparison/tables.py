"""Every number that the paper printed beside ours: both readings, the difference, and whether it could be chance.

The yardstick is the *run-to-run spread*: the 95 % interval of our median over classes and repeats (bootstrap over
classes). A printed number lies within it if the number, give or take half its last digit, lies in the interval.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from elsa_nb.errors import MissingDataError
from elsa_nb.paper.experiments.catalogue import EXHIBITS, SWEEPS, run_sweep
from elsa_nb.paper.experiments.encoders import measured
from elsa_nb.paper.measures.by_setting import TUNED, varied
from elsa_nb.paper.measures.medians import (
    ENCODER_TITLES,
    RATE_TITLES,
    RATES,
    interval_text,
    median_over_seeds,
    medians,
)
from elsa_nb.paper.measures.printed import printed_cells, table_numbers
from elsa_nb.paper.measures.wording import readable, without_holes
from elsa_nb.paper.runs import runner
from elsa_nb.paper.runs.generated import GENERATED_SETS
from elsa_nb.search.readings import READINGS

# Which sweep each table is laid beside.
_SHOWN = {exhibit.paper_item: exhibit.sweep for exhibit in EXHIBITS.values()}
SWEEP_OF = {number: _SHOWN[f"Table {number}"] for number in table_numbers()}
# Searched in photographs only: other profiles show those of `photos`.
PHOTOGRAPHS = tuple(name for name, profiles in SWEEPS.items() if "full" not in profiles)
# Searched in generated pools, which hold nothing that is printed: notebook 16 shows the stored ones.
GENERATED = {
    name for name, profiles in SWEEPS.items() if any(plan.dataset in GENERATED_SETS for plan in profiles.values())
}
_TITLES = {rate: title.lower() for rate, title in RATE_TITLES.items()} | {"linear_top1": "linear top-1, %"}
_KEYS = ["encoder", "arm", "seeds", "parameter", "setting", "metric"]
_COMPONENTS = {
    "nearest neighbours": "",
    "RandS": "use_rands",
    "active learning": "use_head",
    "final search": "use_final",
}
_PRINTED = [name for table, name in TUNED.items() if table != 8]  # Table 8's rows are not thresholds


@dataclass(frozen=True)
class Results:
    """What was found: the rows of each sweep, and for a sweep without results the reason.

    `profile` is the profile asked for; `top1` holds the linear probe of each encoder's embedding, in percent.
    """

    profile: str
    frames: Mapping[str, pd.DataFrame]
    missing: Mapping[str, str]
    top1: Mapping[str, float]


def all_results(profile_name: str) -> Results:
    """Return all results of a profile, reused where they are valid and computed where not.

    The sweeps of photographs are those of the profile itself or, where it has none, the stored ones of `photos`.
    """
    frames, missing = {}, {}
    for name, profiles in SWEEPS.items():
        if name in GENERATED:
            continue
        if profile_name in profiles:
            frames[name] = run_sweep(name, profile_name)
        elif name in PHOTOGRAPHS:
            try:
                frames[name] = runner.stored_results(name, "photos")
            except MissingDataError:
                missing[name] = f"no results of the sweep {name} in photographs: they need profile photos and ELSA_DATA"
    return Results(profile_name, frames, missing, top1_by_encoder(profile_name))


def results_overview(found: Results) -> pd.DataFrame:
    """Return what the page rests on: one row per sweep, with its profile, data set, searches, classes and repeats."""
    rows = {}
    for name in dict.fromkeys([*SWEEP_OF.values(), *found.frames, *found.missing]):
        if name in found.frames:
            runs = found.frames[name]
            of = found.profile if found.profile in SWEEPS[name] else "photos"
            data = ", ".join(runs["dataset"].unique())
            rows[name] = of, data, f"{len(runs):,}", runs["target"].nunique(), runs["repeat"].nunique()
        else:
            rows[name] = ("none", found.missing.get(name, f"not part of profile {found.profile}"), "", "", "")
    columns = ["profile", "data set", "searches", "classes", "repeats"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("sweep")


def top1_by_encoder(profile_name: str) -> dict[str, float]:
    """Return the accuracy in percent of a linear probe on each trained encoder's embedding, as notebook 05 does."""
    worth = measured.measured_encoders(profile_name).set_index("encoder")["linear_top1"]
    return worth.drop(list(measured.FLOOR_WEIGHTS), errors="ignore").to_dict()


def labels_a_member(found: Results, share: float) -> float:
    """Return how many labels per member of a class a `share` of the pool amounts to: the median over the classes."""
    classes = found.frames["components"].drop_duplicates("target")
    return float((share * classes["pool_size"] / classes["class_size"]).median())


def compared_cells(found: Results) -> pd.DataFrame:
    """Return a row for every printed cell and reading: what was printed, ours, the difference, and the reason if none.

    Columns: table, encoder, arm, seeds, parameter, setting, metric, printed, value, note, reading, median, low, high,
    searches, difference (ours - printed), within ("yes", "no", "" without an interval), why ("" where ours is there).
    """
    return pd.concat([_table(number, found) for number in table_numbers()], ignore_index=True)


def agreement_by_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per table of the paper and reading: its cells, how many have a counterpart, where those lie."""
    rows = []
    for (number, reading), group in table[table["metric"] != "component"].groupby(["table", "reading"], sort=False):
        outside = group["within"] == "no"
        rows.append(
            {
                "table": number,
                "reading": reading,
                "printed cells": len(group),
                "with one of ours": int(group["median"].notna().sum()),
                "within the spread": int((group["within"] == "yes").sum()),
                "ours higher": int((outside & (group["difference"] > 0)).sum()),
                "ours lower": int((outside & (group["difference"] < 0)).sum()),
                "median |difference|": round(float(group["difference"].abs().median()), 3),
            }
        )
    return pd.DataFrame(rows).set_index(["table", "reading"])


def lay_out_table(table: pd.DataFrame, number: int) -> pd.DataFrame:
    """Lay out one table of the paper for reading: one row per printed cell; ours in both readings, the difference."""
    here = table[table["table"] == number]
    keys = [key for key in _KEYS if here[key].nunique() > 1 or (key == "parameter" and here[key].any())]
    columns = {("", "printed in the paper"): here.drop_duplicates(keys).set_index(keys)["printed"]}
    for reading in READINGS:
        ours = here[here["reading"] == reading].set_index(keys, drop=False)
        columns[reading, "ours"] = pd.Series([_ours(row) for row in ours.itertuples()], ours.index)
        columns[reading, "difference"] = [_signed(row) for row in ours.itertuples()]
        columns[reading, "within"] = ours["within"]
    wide = pd.DataFrame(columns).reset_index(names=keys)
    for key, titles in (("metric", _TITLES), ("encoder", ENCODER_TITLES)):
        if key in keys:
            wide[key] = wide[key].replace(titles)
    return wide.set_index(keys)


@dataclass(frozen=True)
class TableHTML:
    """A table as a notebook shows it: HTML without line breaks or a copy as text, half the size of pandas' own."""

    data: str

    def __repr__(self) -> str:
        return "a table"

    def _repr_html_(self) -> str:
        return self.data


def as_html(frame: pd.DataFrame) -> TableHTML:
    """Return a table to end a cell with, in words, its text uncut."""
    return TableHTML(re.sub(r"\n\s*", "", without_holes(readable(frame).to_html(border=0))))


def _ours(row: Any) -> str:
    if row.why:
        return row.why
    if row.metric == "component":
        return "yes" if row.median else "no"
    if row.metric == "linear_top1":
        return f"{row.median:.1f}"
    if np.isnan(row.low):
        return f"{row.median:.3f}"
    return interval_text(row.median, row.low, row.high, ".3f")


def _signed(row: Any) -> str:
    if np.isnan(row.difference) or row.metric == "component":
        return ""
    # A probe in per cent is measured on the pool at hand, whose last bits are the processor's.
    return f"{row.difference:+.1f}" if row.metric == "linear_top1" else f"{row.difference:+.3f}"


def _table(number: int, found: Results) -> pd.DataFrame:
    printed = printed_cells(number)
    if number == 1:
        printed = printed.assign(parameter=printed["component"], metric="component").drop(columns="component")
    printed = printed.reindex(columns=["table", *_KEYS, "printed", "value", "note"], fill_value="")
    printed["table"] = number
    printed["at"] = [_number(setting) for setting in printed["setting"]]
    both = printed.merge(pd.DataFrame({"reading": list(READINGS)}), how="cross")
    keys = [key for key in _KEYS if key != "setting"]
    sweep = SWEEP_OF[number]
    ours = _medians(number, found) if sweep in found.frames else pd.DataFrame(columns=[*keys, "at", "reading"])
    joined = both.merge(ours, on=[*keys, "at", "reading"], how="left", validate="many_to_one").drop(columns="at")
    joined = joined.reindex(columns=[*both.columns.drop("at"), "median", "low", "high", "searches"])
    joined = joined.astype(dict.fromkeys(("median", "low", "high", "searches"), float))
    joined["difference"] = joined["median"] - joined["value"]
    joined["within"] = [_within(row) for row in joined.itertuples()]
    joined["why"] = [_why(row, found) if np.isnan(row.median) else "" for row in joined.itertuples()]
    return joined


def _medians(number: int, found: Results) -> pd.DataFrame:
    """Return our side of a table, one row per cell and reading: `_KEYS`, `at` for the setting, median, low, high."""
    runs = found.frames[SWEEP_OF[number]]
    runs = runs[runs["reading"].isin(list(READINGS))]
    if number == 1:
        return _has_components(runs)
    runs = runs.assign(seeds=runs["seeds"].astype(str), parameter="", at="")
    if number not in (6, 7, 8, 9):
        runs = runs[runs["change"] == ""]  # the reading as it is
    if number == 5:
        runs = runs.assign(seeds="")
    elif number == 10:
        runs = runs.assign(parameter="flipped_percent", at=[_number(100 * flip) for flip in runs["flip"]])
    elif number in (6, 7, 8, 9):
        searches = {name: varied(runs, name) for name in _PRINTED}
        runs = pd.concat(
            each.assign(parameter=name, at=each["value"].map("{:g}".format)) for name, each in searches.items()
        )
    printed = printed_cells(number)
    runs = runs[runs["encoder"].isin(printed["encoder"]) & runs["arm"].isin(printed["arm"])]
    ours = medians(runs, ["encoder", "arm", "seeds", "parameter", "at", "reading"], RATES)
    if number == 2:
        ours = pd.concat([ours, _median_row(ours)])
    if number == 5:
        ours = pd.concat([ours, _top1_rows(found.top1)])
    return ours


def _has_components(runs: pd.DataFrame) -> pd.DataFrame:
    """Return Table 1 from the configurations of our searches: 1 for a component that the arm has."""
    rows = []
    for (arm, reading), group in runs.groupby(["arm", "reading"], sort=False):
        config = json.loads(group["config"].iloc[0])
        for component, switch in _COMPONENTS.items():
            has = float(config[switch]) if switch else 1.0
            rows.append(("", arm, "", component, "", "component", reading, has, len(group)))
    columns = ["encoder", "arm", "seeds", "parameter", "at", "metric", "reading", "median", "searches"]
    return pd.DataFrame(rows, columns=columns)


def _median_row(ours: pd.DataFrame) -> pd.DataFrame:
    """Return the row "Median" of Table 2, where all the numbers of seeds that the paper printed were run."""
    listed = set(printed_cells(2)["seeds"]) - {"median"}
    rows = median_over_seeds(ours[ours["seeds"].isin(listed)])
    return rows[rows["rows"] == len(listed)].drop(columns="rows").assign(parameter="", at="")


def _top1_rows(top1: Mapping[str, float]) -> pd.DataFrame:
    """Return the linear top-1 of each encoder: the same in both readings, one encoder, so no interval."""
    rows = [
        (encoder, "ELSA", "", "", "", "linear_top1", reading, value, 0)
        for encoder, value in top1.items()
        for reading in READINGS
    ]
    columns = ["encoder", "arm", "seeds", "parameter", "at", "metric", "reading", "median", "searches"]
    return pd.DataFrame(rows, columns=columns)


def _within(row: Any) -> str:
    if row.metric == "component" and not np.isnan(row.median):
        return "yes" if row.median == row.value else "no"
    if np.isnan(row.low):
        return ""
    half_a_digit = 0.5 * 10.0 ** -len(row.printed.partition(".")[2])
    return "yes" if row.low - half_a_digit <= row.value <= row.high + half_a_digit else "no"


def _why(row: Any, found: Results) -> str:
    """Say why a printed cell has no counterpart."""
    if (sweep := SWEEP_OF[row.table]) in found.missing:
        return found.missing[sweep]
    if row.table == 8:
        return "no threshold: a row of Table 9"
    if row.metric == "linear_top1":
        return "no linear probe of this encoder"
    return f"not searched in profile {found.profile}"


def _number(text: Any) -> str:
    """Return the number in `text` in one spelling ("2.0" and "2" are the same setting); "" stays."""
    return f"{float(text):g}" if str(text) else ""
