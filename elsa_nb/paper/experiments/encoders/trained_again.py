"""How much of Table 5 is the luck of a training: VICReg and Barlow Twins trained anew from other seeds.

Notebook 05 takes `trainings` and `trainings_searched`, made by `python -m benchmarks.trained_again`, in every profile.
Training 0 is the bundled encoder. What differs between the trainings of a method is the encoder's variance; the
intervals over classes that tables have elsewhere do not hold it.
"""

import numpy as np
import pandas as pd

from elsa_nb.arrow_files import read_arrow
from elsa_nb.paper.measures.intervals import median_with_interval, paired
from elsa_nb.paper.measures.medians import ENCODER_TITLES, METRIC_TITLES, medians
from elsa_nb.paper.measures.simulated import SIMULATED

SEARCH_COLUMNS = (
    *("encoder", "training", "space", "reading", "arm", "seeds", "target", "repeat", "class_size"),
    *("labels", "found", "log"),  # the first sixteen digits of a log's hash
)
_CELL = ["space", "reading", "arm", "encoder"]


def trainings() -> pd.DataFrame:
    """Return one row per training: encoder, training (its seed), linear_top1 (%), purity, loss, precision."""
    return pd.read_csv(SIMULATED / "trained_again_worth.csv")


def trainings_searched() -> pd.DataFrame:
    """Return one row per search: `SEARCH_COLUMNS`, discovery_rate and labelling_efficiency.

    Every training's vectors were searched in the same way; Table 5's searches, of all encoders trained here, are
    among them as training 0.
    """
    frame = read_arrow(SIMULATED / "trained_again.parquet", parquet=True).to_pandas()
    rates = {"discovery_rate": frame["found"] / frame["class_size"]}
    return frame.assign(**rates, labelling_efficiency=frame["found"] / frame["labels"])


def by_training(runs: pd.DataFrame) -> pd.DataFrame:
    """Return medians with 95 % intervals over classes, one row per (space, reading, arm, encoder, training, metric)."""
    return medians(runs, by=[*_CELL, "training"])


def apart(runs: pd.DataFrame) -> pd.DataFrame:
    """Return how far apart the trainings of a method are, one row per (space, reading, arm, encoder, metric).

    `least` and `most` are the smallest and the largest median of a training, `ratio` is most / least. `paired`, `low`
    and `high` are the median, with a 95 % interval over classes, of the same searches' ratio in those two trainings.
    An interval without 1 is a difference that classes and examples do not explain. Encoders trained once are left out.
    """
    rows, runs = [], runs[runs.groupby("encoder")["training"].transform("nunique") > 1]
    of_cell = dict(list(runs.groupby([*_CELL, "training"])))
    for (*cell, metric), group in by_training(runs).groupby([*_CELL, "metric"], sort=False):
        ordered = group.sort_values("median", kind="stable")
        least, most = ordered.iloc[0], ordered.iloc[-1]
        furthest = (of_cell[*cell, end["training"]] for end in (most, least))
        interval = median_with_interval(*paired(*furthest, metric, ratio=True))
        ratio = most["median"] / least["median"] if least["median"] else np.nan
        rows.append((*cell, metric, least["median"], most["median"], ratio, *interval))
    return pd.DataFrame(rows, columns=[*_CELL, "metric", "least", "most", "ratio", "paired", "low", "high"])


def without_head(runs: pd.DataFrame) -> pd.DataFrame:
    """Return what No Active spends against ELSA in each training, one row per (space, reading, encoder, training).

    `elsa` and `no_active` are their median labels, `ratio` with `low` and `high` the median of No Active's labels over
    ELSA's, search by search, with its 95 % interval over classes. `repeats` counts the searches for each class. Two
    medians alone do not tell which of the two is the cheaper: one that lies between two kinds of searches moves far.
    Trainings without both arms are left out.
    """
    rows = []
    for cell, group in runs.groupby(["space", "reading", "encoder", "training"]):
        elsa, other = (group[group["arm"] == arm] for arm in ("ELSA", "No Active"))
        if len(elsa) and len(other):
            interval = median_with_interval(*paired(other, elsa, "labels", ratio=True))
            rows.append(
                (*cell, group["repeat"].nunique(), elsa["labels"].median(), other["labels"].median(), *interval)
            )
    columns = ["space", "reading", "encoder", "training", "repeats", "elsa", "no_active", "ratio", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def beside_other_encoders(runs: pd.DataFrame) -> pd.DataFrame:
    """Lay the spread of the trainings beside that of the encoders of Table 5: one row per (reading, metric).

    Columns: the largest median divided by the smallest, over the trainings of each method and over the bundled
    encoders, and how many those are. All are of ELSA in the embedding.
    """
    runs = runs[(runs["space"] == "embedding") & (runs["arm"] == "ELSA")]
    again, rows = apart(runs).groupby(["reading", "metric"]), []
    for (reading, metric), group in by_training(runs[runs["training"] == 0]).groupby(["reading", "metric"], sort=False):
        of_methods = again.get_group((reading, metric)).set_index("encoder")["ratio"]
        rows.append(
            {
                "reading": reading,
                "metric": METRIC_TITLES[metric],
                **{f"trainings of {ENCODER_TITLES[e]}": ratio for e, ratio in of_methods.items()},
                "encoders of Table 5": group["median"].max() / group["median"].min(),
                "encoders": group["encoder"].nunique(),
            }
        )
    return pd.DataFrame(rows)
