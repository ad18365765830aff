"""How the claims about the arms, the seeds and the labels spent are tested, with each threshold in words.

The catalogue collects them; `measures.rules.Rule` says what each takes and returns.
"""

import numpy as np
import pandas as pd

from elsa_nb.paper.measures.budgets import found_after
from elsa_nb.paper.measures.intervals import (
    median_with_interval,
    paired_difference,
    searches_by_encoder,
    searches_of_arm,
)
from elsa_nb.paper.measures.rules import Frames, Numbers, RuleTest, rule


@rule(
    "eighty-percent eighty-percent-rare", "5 seeds, each encoder: median discovery at 0.67 % of the pool at least 0.80"
)
def _eighty_percent(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    tests = []
    for encoder, runs in searches_by_encoder(searches_of_arm(next(iter(frames.values())))):
        labels = numbers["share"] * runs["pool_size"]
        found = median_with_interval(found_after(runs, labels), runs["target"])
        says = f"{encoder}: {found} found after {labels.median():,.0f} labels"
        tests.append(RuleTest(says, found.median >= numbers["discovery"]))
    return tests


@rule(
    "orders-of-magnitude", "5 seeds, each encoder: median efficiency 10 times, and 100 times, that of random labelling"
)
def _orders_of_magnitude(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    tests = []
    for encoder, runs in searches_by_encoder(searches_of_arm(frames["components"])):
        gain = median_with_interval(
            runs["labelling_efficiency"] * runs["pool_size"] / runs["class_size"], runs["target"]
        )
        tests += [RuleTest(f"{encoder}: {gain} times, against {times}", gain.median >= times) for times in (10, 100)]
    return tests


@rule("negatives-excluded", "5 seeds, each encoder: at most half of the negatives are labelled (median)")
def _negatives_excluded(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    tests = []
    for encoder, runs in searches_by_encoder(searches_of_arm(frames["components"])):
        share = (runs["labels"] - runs["found"]) / (runs["pool_size"] - runs["class_size"])
        labelled = median_with_interval(share, runs["target"])
        tests.append(RuleTest(f"{encoder}: share of negatives labelled {labelled}", labelled.median <= 0.5))
    return tests


@rule("more-seeds", "from fewest to most seeds, each encoder, paired by class: the measure rises beyond its interval")
def _more_seeds(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    tests = []
    for encoder, runs in searches_by_encoder(searches_of_arm(frames["components"], seeds=None)):
        fewest, most = runs["seeds"].min(), runs["seeds"].max()
        for metric, called in {
            "discovery_rate": "discovery",
            "discovery_rate_without_seeds": "discovery without the seeds",
            "labelling_efficiency_without_seeds": "efficiency without the seeds",
        }.items():
            gain = paired_difference(searches_of_arm(runs, seeds=most), searches_of_arm(runs, seeds=fewest), metric)
            tests.append(RuleTest(f"{encoder}: {called} from {fewest} to {most} seeds {gain}", gain.low > 0))
    return tests


@rule(
    "nn-efficient-but-poor",
    "5 seeds, each encoder: NN's efficiency above ELSA's beyond the interval; discovery at most half",
)
def _nn_poor(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    tests = []
    for encoder, runs in searches_by_encoder(frames["components"]):
        nearest, full = searches_of_arm(runs, "NN"), searches_of_arm(runs)
        ahead = paired_difference(nearest, full, "labelling_efficiency")
        rates = [median_with_interval(each["discovery_rate"], each["target"]) for each in (nearest, full)]
        tests.append(RuleTest(f"{encoder}: efficiency NN - ELSA {ahead}", ahead.low > 0))
        says = f"{encoder}: discovery of NN {rates[0]}, of ELSA {rates[1]}"
        tests.append(RuleTest(says, rates[0].median <= rates[1].median / 2))
    return tests


@rule("head-saves-labels", "5 seeds, each encoder: median efficiency of ELSA at least twice that of No Active")
def _head_saves(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    tests = []
    for encoder, runs in searches_by_encoder(frames["components"]):
        full, without = (searches_of_arm(runs, name)["labelling_efficiency"].median() for name in ("ELSA", "No Active"))
        tests.append(RuleTest(f"{encoder}: {full:.3f} against {without:.3f}", full >= 2 * without))
    return tests


@rule("final-search-finds-the-rest", "5 seeds, each encoder: at least 95 % of what the rounds left is found (median)")
def _final_search(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    tests = []
    for encoder, runs in searches_by_encoder(searches_of_arm(frames["components"])):
        remaining = runs["class_size"] - (runs["found"] - runs["final_found"])
        runs, remaining = runs[remaining > 0], remaining[remaining > 0]
        if runs.empty:
            return f"{encoder}: the rounds left nothing to find"
        share = median_with_interval(runs["final_found"] / remaining, runs["target"])
        tests.append(RuleTest(f"{encoder}: share found of what was left {share}", share.median >= 0.95))
    return tests


@rule(
    "components-per-round",
    "VICReg, 5 seeds: RandS and NN together, and RandS alone, find more in all rounds than NN as an arm, paired, "
    "beyond the interval; in more than half of the rounds their mean is ahead",
)
def _per_round(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    runs = frames["components"]
    runs = runs[runs["encoder"] == "vicreg"]
    full, nearest = searches_of_arm(runs), searches_of_arm(runs, "NN")
    baseline = nearest.assign(finds=nearest["nn_found"])
    together = paired_difference(full.assign(finds=full["nn_found"] + full["rands_found"]), baseline, "finds")
    alone = paired_difference(full.assign(finds=full["rands_found"]), baseline, "finds")
    ours, theirs = (
        _mean_by_round(full, "nn_found_by_round") + _mean_by_round(full, "rands_found_by_round"),
        _mean_by_round(nearest, "nn_found_by_round"),
    )
    rounds = len(ours)
    ahead = int((ours > np.pad(theirs, (0, max(0, rounds - len(theirs))))[:rounds]).sum())
    return [
        RuleTest(f"RandS and NN found more: {together}", together.low > 0),
        RuleTest(f"RandS alone found more: {alone}", alone.low > 0),
        RuleTest(f"ahead in {ahead} of {rounds} rounds", ahead > rounds / 2),
    ]


def _mean_by_round(runs: pd.DataFrame, column: str) -> np.ndarray:
    rounds = max(map(len, runs[column]))
    return np.mean([np.pad(each, (0, rounds - len(each))) for each in runs[column]], axis=0)
