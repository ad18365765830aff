"""Table 10 and what stands behind it: an oracle that errs, judged by the truth, and where the extra labels go."""

import pandas as pd

from elsa_nb.paper import setting_tables
from elsa_nb.search.metrics import median_interval

COMPONENTS = ("NN", "RANDS", "FINAL")


def table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return Table 10 in long form (`setting_tables.beside_paper`): the share of flipped answers in percent.

    `runs` are the searches of the sweep "noise". The paper prints no row for a perfect oracle, ours has one.
    """
    return setting_tables.beside_paper(runs.assign(value=(100 * runs["flip"]).round(6)), 10)


def effects(runs: pd.DataFrame) -> pd.DataFrame:
    """Return what flipped answers change against a perfect oracle, paired by search (`setting_tables.effects`)."""
    return setting_tables.effects(runs, "flip", 0.0)


def labels_by_component(runs: pd.DataFrame) -> pd.DataFrame:
    """Return what each component asked and truly found at every share of flipped answers.

    Long form: reading, flip, component, what ("labels" or "found"), median, low, high (95 %, over classes), mean.
    """
    rows = []
    for (reading, flip), group in runs.groupby(["reading", "flip"], sort=False):
        for what in ("labels", "found"):
            values = group[[f"{name.lower()}_{what}" for name in COMPONENTS]]
            cells = zip(COMPONENTS, *median_interval(values, group["target"]), values.mean(), strict=True)
            rows += [(reading, flip, name, what, *cell) for name, *cell in cells]
    return pd.DataFrame(rows, columns=["reading", "flip", "component", "what", "median", "low", "high", "mean"])


def extra_labels(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the mean labels more than with a perfect oracle, in all and by the component that asked them.

    `frame` is that of `labels_by_component`; means, not medians, because only they add up. One row per (reading,
    percent of answers flipped).
    """
    labels = frame[frame["what"] == "labels"]
    means = labels.pivot(index=["reading", "flip"], columns="component", values="mean")[list(COMPONENTS)]
    extra = means - means.xs(0.0, level="flip").reindex(means.index, level="reading")
    extra = extra[means.index.get_level_values("flip") > 0]
    extra.insert(0, "all", extra.sum(axis=1))
    percent = [(reading, f"{100 * flip:g}") for reading, flip in extra.index]
    extra.index = pd.MultiIndex.from_tuples(percent, names=["reading", "flipped, %"])
    names = {"NN": "nearest neighbours", "RANDS": "RandS", "FINAL": "final search", "all": "more labels, in all"}
    return extra.rename(columns=names).rename_axis(columns=None).round(0).astype(int)
