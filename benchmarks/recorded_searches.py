"""Searches recorded with all that estimates of the missing positives need: all estimates share one search.

A record is a file of arrays, about 100 kB: the answers in order, with the standing that each row had when it was asked,
and for every round the log-odds of all rows without an answer, the highest one by one and the others as `BANDS` bands
of equally many rows. `evidence` makes of it what an estimator gets on a panel. The record also has the answers
of another proposer that searched on its own from the same seeds, for estimates by capture and recapture.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb import store
from elsa_nb.search.contract import POSITIVE, Log, Strategy
from elsa_nb.search.heads.logistic import confidence
from elsa_nb.search.oracle import Truth
from elsa_nb.search.stopping.remaining import Evidence, log_odds, scale_of, standings

HIGHEST, BANDS = 2000, 500
ENOUGH, DRY = 0.97, 50  # a search ends with this share of the class and this many answers in a row without a find

Record = dict[str, np.ndarray]


def place(folder: Path, pool: str, strategy: str, target: str, repeat: int) -> Path:
    """Return the file of a record."""
    return folder / pool / strategy / f"{zlib.crc32(target.encode()):08x}-{repeat}.npz"


def alone(search: Strategy, positive: np.ndarray, budget: int) -> Log:
    """Drive a search to its end or over its budget; return its log."""
    oracle = Truth(positive)
    while len(search.log.rows) < budget and (batch := search.query()) is not None:
        search.update(oracle.label(batch.rows))
    return search.log


def record(search: Any, positive: np.ndarray, path: Path, beside: Log | None = None, **about: Any) -> Record:
    """Drive a search to its end, write its record to `path` and return it; `about` goes into it as it is.

    `beside` is what another proposer asked on its own (`alone`).
    """
    oracle, seeds = Truth(positive), search.positives
    free = np.ones(len(positive), bool)
    free[seeds] = False
    total, dry = int(positive.sum()), 0
    answers: dict[str, list] = {"rows": [], "labels": [], "standard": []}
    rounds: dict[str, list] = {"answered": [], "highest": [], "bands": [], "mean": [], "deviation": []}
    while (batch := search.query()) is not None:
        scores = search.scores()
        scale = scale_of(scores)
        unasked = np.sort(log_odds(scores[free]))[::-1]
        rest = unasked[HIGHEST:]
        middles = ((np.arange(BANDS) + 0.5) * len(rest) / BANDS).astype(int)
        now = len(positive) - len(seeds) - len(unasked), unasked[:HIGHEST], rest[middles], *scale
        for values, value in zip(rounds.values(), now, strict=True):
            values.append(np.asarray(value, np.float32 if np.ndim(value) else None))
        labels = oracle.label(batch.rows)
        for values, value in zip(
            answers.values(), (batch.rows, labels, standings(scores[batch.rows], scale)), strict=True
        ):
            values.append(value)
        search.update(labels)
        free[batch.rows] = False
        dry = int(np.argmax(labels[::-1] == POSITIVE)) if (labels == POSITIVE).any() else dry + len(labels)
        if len(search.positives) >= ENOUGH * total and dry >= DRY:
            break
    arrays = {name: np.concatenate(parts) for name, parts in answers.items()}
    arrays |= {name: np.array(parts) for name, parts in rounds.items()}
    if beside is not None:
        arrays |= {"beside_rows": beside.rows, "beside_labels": beside.labels}
    known = {"n": len(positive), "seeds": len(seeds), "class_size": total} | about
    arrays |= {name: np.array(value) for name, value in known.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    store.write_with(path, lambda file: np.savez_compressed(file, **arrays))
    return arrays


def evidence(of: Record, t: int) -> Evidence:
    """Return what is known while the questions of round `t` of a record are open."""
    spent = int(of["answered"][t])
    rest = int(of["n"]) - int(of["seeds"]) - spent - HIGHEST
    edges = (np.arange(BANDS + 1) * rest / BANDS).astype(int)
    unasked = np.concatenate([of["highest"][t], np.repeat(of["bands"][t], np.diff(edges))]).astype(float)
    scale = float(of["mean"][t]), float(of["deviation"][t])
    answers = of["labels"][:spent].astype(int), of["standard"][:spent]
    return Evidence(confidence(unasked), scale, *answers, int(of["seeds"]), caught_after(of, spent))


def caught_after(of: Record, spent: int) -> np.ndarray | None:
    """Return which of two proposers has found each find of either, after `spent` answers each: (2, f) bool.

    None where the record has one proposer alone.
    """
    if "beside_rows" not in of:
        return None
    sides = [(of[f"{of_whom}rows"][:spent], of[f"{of_whom}labels"][:spent]) for of_whom in ("", "beside_")]
    finds = [rows[labels == POSITIVE] for rows, labels in sides]
    union = np.unique(np.concatenate(finds))
    return np.array([np.isin(union, each) for each in finds])


def found_after(of: Record) -> np.ndarray:
    """Return the positives known, seeds included, after 0, 1, 2 ... answers (m + 1,)."""
    return int(of["seeds"]) + np.concatenate([[0], np.cumsum(of["labels"] == POSITIVE)])


def records(folder: Path) -> Iterator[Record]:
    """Yield all records in a folder, in the order of their names."""
    for path in sorted(folder.rglob("*.npz")):
        with np.load(path) as arrays:
            yield dict(arrays)
