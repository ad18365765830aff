"""Fig. 3: discovery against efficiency over hyperparameters, each arm's Pareto front, and the same at equal budget.

Notebook 06 starts at `setting_points`.
"""

from itertools import product

import numpy as np
import pandas as pd

from elsa_nb.paper.measures.budgets import reference_curves
from elsa_nb.paper.runs.simulation import BUDGETS

CLASS_ROLES = ("tightest", "sparsest", "median")  # the order in which the sweep names its classes
DEFAULT_SETTINGS = {"ELSA": "a=50, alpha_2=2.0", "No Active": "a=50, alpha_2=2.0", "NN": "a=50, rounds=10"}
_MEASURES = ("labelling_efficiency", "discovery_rate", "labels")


def classes_by_role(runs: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return the three classes with their roles, in the sweep's order; `table` is that of `tightness`."""
    targets = list(dict.fromkeys(runs["target"]))
    if len(targets) != len(CLASS_ROLES):
        raise ValueError(
            f"{len(targets)} classes in the runs; the sweep has {len(CLASS_ROLES)}: {', '.join(CLASS_ROLES)}"
        )
    return pd.DataFrame({"role": CLASS_ROLES, "target": targets}).merge(table, on="target", how="left")


def setting_points(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row per (target, reading, arm, change): the medians of its repeats and their extremes.

    Columns: the keys; each of efficiency, discovery and labels, with `_low` and `_high`, its extremes; `default`: the
    configuration of the reading itself; `front`: no other configuration of the same arm, class and reading beats it
    (`beaten_by`) in discovery and efficiency.
    """
    keys = ["target", "reading", "arm", "change"]
    grouped = runs.groupby(keys, sort=False)
    frame = grouped[list(_MEASURES)].median().reset_index()
    for measure in _MEASURES:
        frame[f"{measure}_low"] = grouped[measure].min().to_numpy()
        frame[f"{measure}_high"] = grouped[measure].max().to_numpy()
    frame["default"] = frame["change"] == frame["arm"].map(DEFAULT_SETTINGS)
    frame["front"] = False
    for index in frame.groupby(keys[:3], sort=False).indices.values():
        both = frame.loc[index, ["labelling_efficiency", "discovery_rate"]].to_numpy()
        frame.loc[index, "front"] = ~beaten_by(both, both)
    return frame


def beaten_by(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return which rows of `others` (m, k) some row of `some` (l, k) beats: (m,) bool.

    It is nowhere worse, and better in at least one column; larger is better.
    """
    nowhere_worse = (some[None] >= others[:, None]).all(axis=2)
    better = (some[None] > others[:, None]).any(axis=2)
    return (nowhere_worse & better).any(axis=1)


def shares_beaten(points: pd.DataFrame, classes: pd.DataFrame) -> pd.DataFrame:
    """Return who beats whom: of each arm's configurations, the share that some configuration of NN beats.

    One row per (reading, class by its role, arm), and beside it whether the default is among them, and the share of
    NN's configurations that some of the arm's beats. To beat is to be nowhere worse, in efficiency and discovery, and
    better in one.
    """
    roles = dict(zip(classes["target"], classes["role"], strict=True))
    rows = []
    columns = ["labelling_efficiency", "discovery_rate"]
    for reading, target in _lines(points):
        group = points[(points["reading"] == reading) & (points["target"] == target)]
        nearest = group.loc[group["arm"] == "NN", columns].to_numpy()
        for arm in ("ELSA", "No Active"):
            of_arm = group[group["arm"] == arm]
            values = of_arm[columns].to_numpy()
            lost = beaten_by(nearest, values)
            default = bool(lost[of_arm["default"].to_numpy()].any())
            rows.append((reading, roles[target], arm, lost.mean(), default, beaten_by(values, nearest).mean()))
    names = ["reading", "class", "arm", "beaten by NN", "default beaten by NN", "of NN's, beaten by it"]
    return pd.DataFrame(rows, columns=names)


def budget_curves(runs: pd.DataFrame) -> pd.DataFrame:
    """Return discovery after each number of labels, of the same searches: the default's, and the range of the others.

    Long form: target, reading, arm, labels, default (median of the repeats; missing beyond the median number of labels
    it spent), low and high (the extremes of its repeats), best (of all configurations, by the median of its repeats,
    chosen in hindsight at each number; a search that ended keeps what it found), ended (the default's last row). The
    arms "random" and "ideal", of reading "reference", are computed, not run.
    """
    frames = []
    for (target, reading, arm), group in runs.groupby(["target", "reading", "arm"], sort=False):
        seeds = int(group["seeds"].iloc[0])
        spent = group.groupby("change", sort=False)["labels"].median()
        labels = BUDGETS[(seeds <= BUDGETS) & (spent.max() >= BUDGETS)]
        shown = np.isin(BUDGETS, labels)
        medians = np.array([np.median(_curves(one, shown), axis=0) for _, one in group.groupby("change", sort=False)])
        default = _curves(group[group["change"] == DEFAULT_SETTINGS[arm]], shown)
        frame = pd.DataFrame({"target": target, "reading": reading, "arm": arm, "labels": labels})
        running = labels <= spent[DEFAULT_SETTINGS[arm]]
        for name, of in {"default": np.median, "low": np.min, "high": np.max}.items():
            frame[name] = np.where(running, of(default, axis=0), np.nan)
        frame["best"] = medians.max(axis=0)
        frames.append(frame.assign(ended=labels == labels[running].max()))
    return pd.concat([*frames, *_references(runs)], ignore_index=True)


def rates_at_labels(curves: pd.DataFrame, classes: pd.DataFrame, labels: int) -> pd.DataFrame:
    """Lay out discovery at the last stored number of labels not above `labels`: default and best of each arm.

    An arm whose searches had all ended by then shows what it had found; a default that had ended shows its end.
    """
    rows = curves[(curves["labels"] <= labels) & (curves["reading"] != "reference")]
    keys = ["reading", "target", "arm"]
    last = rows.groupby(keys, sort=False).tail(1).set_index(keys)[["best"]]
    last["default"] = rows.dropna(subset="default").groupby(keys, sort=False)["default"].last()
    wide = last[["default", "best"]].unstack("arm")
    wide.columns.names = ["", "arm"]
    arms = list(dict.fromkeys(rows["arm"]))
    wide = wide.loc[_lines(rows), [(what, arm) for what in ("default", "best") for arm in arms]]
    wide = wide.rename(index=dict(zip(classes["target"], classes["role"], strict=True)), level="target")
    return wide.rename_axis(index={"target": "class"})


def _lines(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the pairs of reading and target of a frame, reading by reading."""
    return list(product(dict.fromkeys(frame["reading"]), dict.fromkeys(frame["target"])))


def _curves(runs: pd.DataFrame, shown: np.ndarray) -> np.ndarray:
    if runs.empty:
        raise ValueError(f"the default configuration was not run; the sweep has {', '.join(DEFAULT_SETTINGS.values())}")
    return np.array(runs["discovery_at"].tolist())[:, shown]


def _references(runs: pd.DataFrame) -> list[pd.DataFrame]:
    frames = []
    for target, group in runs.groupby("target", sort=False):
        first = group.iloc[0]
        seeds, size, pool = int(first["seeds"]), int(first["class_size"]), int(first["pool_size"])
        labels = BUDGETS[(seeds <= BUDGETS) & (group["labels"].max() >= BUDGETS)]
        curves = reference_curves(labels, seeds, size, pool)
        frames += [
            pd.DataFrame({"target": target, "reading": "reference", "arm": arm, "labels": labels, "default": values})
            for arm, values in curves.items()
        ]
    return [frame.assign(ended=False) for frame in frames]
