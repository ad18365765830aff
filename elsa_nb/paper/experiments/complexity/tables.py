"""Exponents of growth, fitted to what `measure` measured, beside those that section 5 of the paper claims.

Notebook 12 starts at `exponents`, notebook 99 at `stored_exponents`. Every turn gives one exponent, the slope of log
seconds over log size; the interval is that of the median of the slopes.
"""

import numpy as np
import pandas as pd

from elsa_nb.profiles import profile
from elsa_nb.search.metrics import median_interval

# What section 5 claims: the exponent of each part in each size. Its d is the time of one distance, here the dimension.
CLAIMED_TIME = {
    ("NN", "n"): 1,
    ("NN", "k"): 1,
    ("NN", "d"): 1,
    ("RandS", "n"): 1,
    ("RandS", "l"): 1,
    ("RandS", "d"): 1,
    ("Sampler", "n"): 1,
    ("Sampler", "d"): 1,
    ("round", "n"): 1,
}
MEASUREMENTS = {"seconds": "complexity-time", "bytes": "complexity-memory"}
CLAIMED_MEMORY = {("RandS", "n"): 1, ("RandS", "l"): 1}


def exponents(points: pd.DataFrame, value: str = "seconds") -> pd.DataFrame:
    """Fit value = c size^b to every series: part, form, against, claimed, exponent, low, high (95 % interval).

    With turns, the exponent is the median of the turns' slopes, and the interval its bootstrap interval over turns;
    memory is measured once, and has none. `claimed` is section 5's exponent, nan where it says nothing.
    """
    claimed = CLAIMED_TIME if value == "seconds" else CLAIMED_MEMORY
    turns = points if "turn" in points else points.assign(turn=0)
    rows = []
    for (part, form, against), group in turns.groupby(["part", "form", "against"], sort=False):
        slopes = [log_log_slope(turn["size"], turn[value]) for _, turn in group.groupby("turn")]
        fitted = median_interval(slopes, range(len(slopes))) if len(slopes) > 1 else (slopes[0], np.nan, np.nan)
        rows.append((part, form, against, claimed.get((part, against), np.nan), *map(float, fitted)))
    return pd.DataFrame(rows, columns=["part", "form", "against", "claimed", "exponent", "low", "high"])


def stored_exponents(profile_name: str) -> pd.DataFrame | None:
    """Return the exponents of the measurements that notebook 12 left in a profile's figures; None before it ran.

    The columns of `exponents`, `of` ("seconds", "bytes") and `matrix`: the memory of RandS at l = 50 as a share of the
    vectors'.
    """
    paths = {of: profile(profile_name).figures / f"{name}.csv" for of, name in MEASUREMENTS.items()}
    if not all(path.exists() for path in paths.values()):
        return None
    points = {of: pd.read_csv(path) for of, path in paths.items()}
    fitted = pd.concat([exponents(frame, of).assign(of=of) for of, frame in points.items()], ignore_index=True)
    return fitted.assign(matrix=matrix_share(points["bytes"]))


def matrix_share(memory: pd.DataFrame) -> float:
    """Return what RandS in its plain form holds (l = 50) as a share of what the vectors take, at the largest n."""
    by_n = memory[(memory["against"] == "n") & (memory["size"] == memory.loc[memory["against"] == "n", "size"].max())]
    held = by_n.set_index(["part", "form"])["bytes"]
    return float(held["RandS", "plain"] / held["vectors", "both"])


def log_log_slope(sizes: pd.Series, values: pd.Series) -> float:
    """Return b of the least-squares fit values = c sizes^b; ValueError with fewer than two sizes."""
    if len(set(sizes)) < 2:
        raise ValueError(f"sizes {sorted(set(sizes))}; an exponent needs two or more")
    return float(np.polyfit(np.log(np.asarray(sizes, float)), np.log(np.asarray(values, float)), 1)[0])


def exponents_beside_claims(fitted: pd.DataFrame) -> pd.DataFrame:
    """Lay exponents out, one row per part and size: the claimed exponent, and those of both forms [95 % interval]."""
    cells: dict[str, dict] = {"claimed": {}, "plain": {}, "package": {}}
    for row in fitted[fitted["form"] != "both"].itertuples():
        line = row.part, row.against
        cells["claimed"][line] = "" if np.isnan(row.claimed) else f"{row.claimed:g}"
        interval = "" if np.isnan(row.low) else f" [{row.low:.2f}, {row.high:.2f}]"
        cells[row.form][line] = f"{round(row.exponent, 2) + 0.0:.2f}{interval}"  # + 0.0: no "-0.00"
    frame = pd.DataFrame(cells).fillna("")
    frame.index = pd.MultiIndex.from_tuples(frame.index, names=["part", "against"])
    order = [(part, size) for part in ("NN", "RandS", "Sampler", "round", "lists") for size in "nkld"]
    return frame.loc[[line for line in order if line in frame.index]]


def speedup(points: pd.DataFrame) -> pd.DataFrame:
    """Return the milliseconds of both forms at the largest n (medians), and their ratio by turn: one row per part."""
    by_n = points[(points["against"] == "n") & (points["part"] != "lists")]
    largest = by_n[by_n["size"] == by_n["size"].max()]
    forms = largest.pivot(index=["part", "turn"], columns="form", values="seconds")
    ratio = (forms["plain"] / forms["package"]).groupby("part").median()
    frame = (1000 * forms.groupby("part").median()).assign(ratio=ratio)
    frame = frame.rename(columns={"plain": "plain, ms", "package": "package, ms", "ratio": "plain / package"})
    return frame[["plain, ms", "package, ms", "plain / package"]].loc[["NN", "RandS", "Sampler", "round"]]
