"""Table 10 and what explains it: what an oracle that errs costs, by the true labels, and which component asks more.

Notebook 08 starts at `noise_table`.
"""

import pandas as pd

from elsa_nb.paper.measures import by_setting
from elsa_nb.paper.measures.by_setting import SILENT_CHOICES
from elsa_nb.paper.measures.medians import medians
from elsa_nb.paper.measures.printed import printed_cells

COMPONENT_NAMES = ("NN", "RANDS", "FINAL")
_TITLES = {"": "The reading as it is", **SILENT_CHOICES}


def noise_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return Table 10 in long form (`by_setting.settings_beside_paper`): the share of flipped answers in percent.

    `runs` are the searches of the sweep "noise". The paper prints no row for a perfect oracle, ours has one.
    """
    searches = _as_read(runs)
    return by_setting.settings_beside_paper(searches.assign(value=(100 * searches["flip"]).round(6)), 10)


def noise_effects(runs: pd.DataFrame) -> pd.DataFrame:
    """Return what flipped answers change against a perfect oracle, paired by search (`by_setting.paired_effects`).

    The share of flipped answers is in the columns flip and `flipped, %` (text).
    """
    frame = by_setting.paired_effects(_as_read(runs), "flip", 0.0)
    return frame.assign(**{"flipped, %": frame["flip"].map(_percent)})


def labels_by_component(runs: pd.DataFrame) -> pd.DataFrame:
    """Return what each component asked and truly found at every share of flipped answers.

    Long form: reading, flip, component, what ("labels" or "found"), median, low, high (95 %, over classes).
    """
    counts = {f"{name.lower()}_{what}": (name, what) for what in ("labels", "found") for name in COMPONENT_NAMES}
    long = medians(_as_read(runs), ["reading", "flip"], counts)
    long[["component", "what"]] = [counts[metric] for metric in long["metric"]]
    return long[["reading", "flip", "component", "what", "median", "low", "high"]]


def extra_labels(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the labels spent more than with a perfect oracle (negative: fewer), in all and by who asked them.

    Means over searches, not medians, because only they add up. The last column is the share of searches, in percent,
    whose final search asked nothing: no score passed its threshold. One row per (reading, percent of answers flipped).
    """
    groups = _as_read(runs).groupby(["reading", "flip"], sort=False)
    means = groups[[f"{name.lower()}_labels" for name in COMPONENT_NAMES]].mean()
    extra = means - means.xs(0.0, level="flip").reindex(means.index, level="reading")
    extra.insert(0, "all", extra.sum(axis=1))
    extra["silent"] = by_setting.silent_final_share(groups["final_labels"])
    percent = [(reading, _percent(flip)) for reading, flip in extra.index]
    extra.index = pd.MultiIndex.from_tuples(percent, names=["reading", "flipped, %"])
    extra.columns = ["more labels in all", "nearest neighbours", "RandS", "final search", "final search silent, %"]
    return extra.round(0).astype(int)


def choices_under_noise(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the reading `paper` under flipped answers with one silent choice made otherwise, and as it is.

    Long form: title (of the choice), flip, metric, median, low, high (95 %, over classes), and printed, the paper's
    value (nan where it prints none). The reading as it is comes first.
    """
    printed = {(float(row.setting), row.metric): row.value for row in printed_cells(10).itertuples()}
    paper = runs[runs["reading"] == "paper"].sort_values(["change", "flip"], kind="stable")
    long = medians(paper, ["change", "flip"])
    cells = zip((100 * long["flip"]).round(6), long["metric"], strict=True)
    long["printed"] = [printed.get(cell, float("nan")) for cell in cells]
    long["title"] = [_TITLES.get(change, change) for change in long["change"]]
    return long[["title", "flip", "metric", "median", "low", "high", "printed"]]


def _percent(flip: float) -> str:
    return f"{100 * flip:g}"


def _as_read(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the searches of the readings as they are: the sweep holds changes of one, too (`choices_under_noise`)."""
    return runs[runs["change"] == ""].sort_values(["reading", "flip"], kind="stable")
