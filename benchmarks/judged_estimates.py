"""How good estimates and rules are on recorded searches: coverage, width, middle, and where each rule would stop.

For held-out classes, `whats_missing.csv` has what each estimator says at the first round with 50, 80, 90 and 95 % of
the class found, and `whats_missing_stops.csv` where each rule stops the search; each has a summary over the searches of
a pool, half and strategy. An interval holds the truth if the truth is between its ends, rounded outwards to whole
positives. *Within 20 %* compares the size of the class, found and middle together, with the truth. A rule is asked
after each round; where a search ends before its rule fires, the end of the search counts.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from benchmarks.recorded_searches import Record, evidence, found_after, records
from elsa_nb.paper.experiments.missing.tables import beside_truth, summary_of_estimates, summary_of_stops
from elsa_nb.search.contract import POSITIVE
from elsa_nb.search.stopping import by_scores
from elsa_nb.search.stopping.audit import Audit
from elsa_nb.search.stopping.estimators import ESTIMATORS, SHOWN
from elsa_nb.search.stopping.remaining import Missing
from elsa_nb.search.stopping.rules import Progress, stop_rule
from elsa_nb.store import write_atomically

SHARES = (0.5, 0.8, 0.9, 0.95)
SUMS = "whats_missing_sums.csv"  # in the folder of results
RULES = ("target 0.9", "empty 50", "knee", "budget 500")
AUDITED, AUDIT_PAGE = "target 0.9, then audit 0.8", 1000
FITTED_ON = "glyphs"  # the pools whose tuning half `by_scores.FITTED` comes from
QUANTILES = {"low": 0.05, "middle": 0.5, "high": 0.94}
FIT_SHARES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.99)
LATE = 0.12  # a round that passes a share by more says nothing about it
SEARCH = ["pool", "half", "strategy", "target", "repeat"]
GROUP = ["pool", "half", "strategy"]


def about(of: Record) -> dict[str, Any]:
    """Return which search the record is of."""
    return {name: of[name].item() for name in (*SEARCH, "class_size")}


def rounds_at(of: Record, shares: tuple[float, ...] = SHARES) -> Iterator[tuple[float, int]]:
    """Yield each share of the class and the first round that begins with it found, if not `LATE`."""
    rates = found_after(of)[of["answered"]] / of["class_size"]
    for share in shares:
        reached = np.flatnonzero(rates >= share)
        if len(reached) and rates[reached[0]] <= share + LATE:
            yield share, int(reached[0])


def estimates(of: Record) -> Iterator[dict[str, Any]]:
    """Yield what each estimator says at each share."""
    for share, t in rounds_at(of):
        known = evidence(of, t)
        for name, estimate in ESTIMATORS.items():
            said = estimate(known)
            ends = {end: None if said.silent else round(getattr(said, end), 1) for end in ("low", "middle", "high")}
            counts = {"share": share, "labels": len(known.labels), "found": known.found}
            yield about(of) | {"estimator": name} | counts | ends


def stops(of: Record) -> Iterator[dict[str, Any]]:
    """Yield where each rule stops, with the labels of a stop that knows when 90 % are found (0: never)."""
    found, total = found_after(of), int(of["class_size"])
    known = [evidence(of, t) for t in range(len(of["answered"]))]
    said: list[Missing] = [ESTIMATORS[SHOWN](each) for each in known]
    reached = found >= 0.9 * total
    knowing = int(np.argmax(reached)) if reached.any() else 0
    for words in RULES:
        rule = stop_rule(words)
        fired = (t for t, each in enumerate(known) if rule(_progress(each.labels, int(of["seeds"]), said[: t + 1])))
        at = next(fired, None)
        labels = len(of["labels"]) if at is None else int(of["answered"][at])
        row = about(of) | {"rule": words, "fired": at is not None, "labels": labels}
        yield row | {"discovery": round(found[labels] / total, 4), "labels_knowing": knowing}
        if words == AUDITED.split(",")[0]:
            audit = _audited(of, labels, int(found[labels]))
            certified = audit.recall_at_least >= 0.8
            discovery = (audit.found + audit.hits) / total
            row |= {"rule": AUDITED, "fired": at is not None and certified, "labels": labels + audit.labels}
            yield row | {"discovery": round(discovery, 4), "labels_knowing": knowing}


def _progress(labels: np.ndarray, seeds: int, said: list[Missing]) -> Progress:
    return Progress(labels == POSITIVE, seeds, said)


def _audited(of: Record, labels: int, found: int) -> Audit:
    """Audit the rows without an answer until 80 % are certified; only counts matter: the class comes first."""
    missing = int(of["class_size"]) - found
    left = int(of["n"]) - int(of["seeds"]) - labels
    audit = Audit(np.arange(left), found, rng=int(of["rows"][0]))
    while audit.recall_at_least < 0.8 and (rows := audit.query(AUDIT_PAGE)) is not None:
        audit.update((rows < missing).astype(int))
    return audit


def sums(folder: Path) -> pd.DataFrame:
    """Return what the constants of `by_scores` are fitted on: one row per round of the tuning half, at `FIT_SHARES`.

    Columns: group (pool and searcher), found, total (S), missing.
    """
    rows = []
    for of in records(folder):
        whose = about(of)
        if whose["half"] == "tuning" and whose["pool"].startswith(FITTED_ON):
            for _, t in rounds_at(of, FIT_SHARES):
                known = evidence(of, t)
                if not by_scores.too_thin(known.answers[1]):
                    group, missing = f"{whose['pool']} {whose['strategy']}", whose["class_size"] - known.found
                    rows.append((group, known.found, by_scores.chances_of(known)[0], missing))
    return pd.DataFrame(rows, columns=["group", "found", "total", "missing"])


def fitted(frame: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return log c and e of `by_scores` for each end, by quantile regression on `sums`.

    Pools and strategies count the same, however many of their searches get that far.
    """
    weights = 1 / frame.groupby("group").found.transform("size").to_numpy()
    x = np.log((1 + frame.total) / frame.found).to_numpy()
    y = np.log((1 + frame.missing) / frame.found).to_numpy()
    return {end: quantile_line(x, y, q, weights / weights.mean()) for end, q in QUANTILES.items()}


def quantile_line(x: np.ndarray, y: np.ndarray, q: float, weights: np.ndarray) -> tuple[float, float]:
    """Return intercept and slope of the weighted regression of the quantile `q` of y on x (Koenker and Bassett)."""
    n = len(x)
    design = np.column_stack([np.ones(n), x])
    costs = np.concatenate([np.zeros(4), q * weights, (1 - q) * weights])
    solved = linprog(costs, A_eq=np.hstack([design, -design, np.eye(n), -np.eye(n)]), b_eq=y, method="highs")
    intercept, slope = solved.x[:2] - solved.x[2:4]
    return round(float(intercept), 3), round(float(slope), 3)


def store(folder: Path, out: Path) -> None:
    """Judge all records of a folder except those that are fitted on, and write the four tables."""
    said, ended = [], []
    for of in records(folder):
        if about(of)["half"] == "held-out":
            said += estimates(of)
            ended += stops(of)
    out.mkdir(parents=True, exist_ok=True)
    tables = {"": pd.DataFrame(said), "_stops": pd.DataFrame(ended)}
    stopped = summary_of_stops(tables["_stops"], ["rule", *GROUP]).round(3)
    judged = summary_of_estimates(beside_truth(tables[""]), ["estimator", *GROUP, "share"]).round(3)
    tables |= {"_summary": judged, "_stops_summary": stopped}
    for name, table in tables.items():
        write_atomically(out / f"whats_missing{name}.csv", table.to_csv(index=False).encode())
