"""Verdicts follow from the numbers: every rule passes on results made to bear it out, and fails on others."""

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.comparison import verdicts
from elsa_nb.paper.comparison.tables import Results
from elsa_nb.paper.experiments.toy import rands
from elsa_nb.paper.measures import budgets, intervals, rules
from elsa_nb.paper.runs.simulation import BUDGETS
from elsa_nb.search.readings import READINGS
from elsa_nb.store import DATA

TARGETS = [f"class {i}" for i in range(8)]
SIZE, POOL = 100, 100_000


def rows(sweep, arm="ELSA", encoder="vicreg", seeds=5, discovery=0.8, efficiency=0.1, reading="paper", **more):
    """Eight searches that find `discovery` of their class, each a little more or less."""
    made = []
    for i, target in enumerate(TARGETS):
        rate = discovery * (1 + 0.01 * (i - 3.5) / 3.5)
        found = rate * SIZE
        labels = found / efficiency
        made.append(
            {
                "sweep": sweep,
                "reading": reading,
                "arm": arm,
                "encoder": encoder,
                "seeds": seeds,
                "target": target,
                "repeat": 0,
                "class_size": SIZE,
                "pool_size": POOL,
                "found": found,
                "labels": labels,
                "discovery_rate": rate,
                "labelling_efficiency": efficiency * (1 + 0.01 * i),
                "discovery_rate_without_seeds": rate,
                "labelling_efficiency_without_seeds": efficiency,
                "discovery_at": np.minimum(BUDGETS / labels, 1) * rate,
                "nn_found": 30,
                "rands_found": 20,
                "final_found": found - 50,
                "nn_found_by_round": [3] * 10,
                "rands_found_by_round": [2] * 10,
                "change": "",
                "flip": 0.0,
                "dataset": "glyphs",
            }
            | more
        )
    return made


def frame(*groups):
    return pd.DataFrame([row for group in groups for row in group])


def components(nn=(0.1, 0.4), no_active=(0.8, 0.02), few=(0.5, 0.09), full=(0.8, 0.1), **more):
    groups = []
    for encoder in ("vicreg", "barlow-twins"):
        name = {"sweep": "components", "encoder": encoder}
        groups += [
            rows(**name, discovery=full[0], efficiency=full[1], **more),
            rows(**name, seeds=1, discovery=few[0], efficiency=few[1]),
            rows(**name, arm="No Active", discovery=no_active[0], efficiency=no_active[1]),
            rows(**name, arm="NN", discovery=nn[0], efficiency=nn[1], nn_found=10, nn_found_by_round=[2] * 5),
        ]
    return frame(*groups)


def swept(name, values, sweep="hyperparameters"):
    """Sweep one hyperparameter: {change: (discovery, efficiency)}."""
    return frame(*(rows(sweep, change=c, discovery=d, efficiency=e) for c, (d, e) in values.items()))


def trade_off(elsa, nn):
    """Three classes, tight, sparse, typical; {class: (discovery, efficiency)} for ELSA and NN, No Active as NN."""
    made = []
    for arm, points in (("ELSA", elsa), ("No Active", nn), ("NN", nn)):
        for target, (discovery, efficiency) in points.items():
            point = rows("trade-off", arm, discovery=discovery, efficiency=efficiency)[:1]
            made.append([row | {"target": target, "change": "a=50, alpha_2=2.0"} for row in point])
    return frame(*made)


A_GOOD = {"a=10": (0.4, 0.15), "": (0.8, 0.12), "a=100": (0.82, 0.09), "a=200": (0.83, 0.05)}
ALPHA_1 = {"alpha_1=0.2": (0.85, 0.05), "": (0.8, 0.12), "alpha_1=2.0": (0.7, 0.2)}
ALPHA_2 = {"alpha_2=1.0": (0.85, 0.1), "": (0.8, 0.12), "alpha_2=3.0": (0.75, 0.14)}
L_GOOD = {"l=25": (0.79, 0.115), "": (0.8, 0.12), "l=100": (0.81, 0.125)}
SETTINGS = swept("all", A_GOOD | ALPHA_1 | ALPHA_2 | L_GOOD)
TIGHT_SPARSE = {"tight": (0.9, 0.5), "sparse": (0.2, 0.1), "typical": (0.6, 0.3)}
WORSE = {"tight": (0.8, 0.4), "sparse": (0.1, 0.05), "typical": (0.3, 0.2)}
TOP1 = {"vicreg": 90.0, "barlow-twins": 80.0, "moco": 70.0, "swav": 60.0}


def encoders(order):
    """Four encoders whose discovery and efficiency fall in the given order."""
    return frame(
        *(rows("encoders", encoder=e, discovery=0.9 - 0.1 * i, efficiency=0.1 - 0.02 * i) for i, e in enumerate(order))
    )


def noise(discovery, efficiency):
    flips = (0.0, 0.05, 0.15)
    return frame(
        *(
            rows("noise", flip=f, discovery=d, efficiency=e) + rows("noise", flip=f, change="negatives=all")
            for f, d, e in zip(flips, discovery, efficiency, strict=True)
        )
    )


def food(few, many, efficiency=0.15):
    common = {"class_size": 1000, "efficiency": efficiency}
    return frame(
        rows("food-101", seeds=1, discovery=few, **common),
        rows("food-101", discovery=many, **common),
        rows("food-101", seeds=50, discovery=many, **common),
    )


def exponents(value, matrix=0.2):
    fitted = [("NN", "plain", "n", 1.0, value, "seconds"), ("NN", "package", "n", 1.0, 9.0, "seconds")]
    fitted += [("RandS", "plain", "l", 1.0, value, "bytes"), ("NN", "plain", "n", np.nan, 9.0, "bytes")]
    made = pd.DataFrame(fitted, columns=["part", "form", "against", "claimed", "exponent", "of"])
    return made.assign(matrix=matrix)


def spaces(discovery, clusters):
    """Return three searches of the toy space."""
    return pd.DataFrame({"reading": ["paper"] * 3, "discovery": discovery, "clusters": clusters})


def rounds(spacing, shared):
    """Return what the forms of RandS ask, beside points drawn at random: 0.3 apart, of all points 0.4 asked by NN."""
    told = dict.fromkeys(rands.VARIANTS, (spacing, shared)) | {
        rands.RANDOM_LIKELY: (0.3, 2.0),
        rands.RANDOM_ANYWHERE: (0.5, 0.4),
    }
    frame = pd.DataFrame.from_dict(told, orient="index", columns=["spacing", "also asked by NN"])
    return frame.rename_axis("variant").reset_index().assign(reading="paper")


# Claim: results that bear it out, results that do not, and what the verdict on the latter is.
CASES = {
    "eighty-percent": ({"components": components(full=(0.85, 0.2))}, {"components": components(full=(0.7, 0.2))}, "no"),
    "eighty-percent-rare": ({"thinned": components(full=(0.85, 0.2))}, {"thinned": components(full=(0.9, 0.01))}, "no"),
    "orders-of-magnitude": (
        {"components": components(full=(0.8, 0.11))},
        {"components": components(full=(0.8, 0.05))},
        "part",
    ),
    "negatives-excluded": ({"components": components()}, {"components": components(labels=60_000)}, "no"),
    "negative-correlation": (
        {"hyperparameters": SETTINGS},
        {"hyperparameters": swept("all", {"a=10": (0.4, 0.05), "": (0.8, 0.12)} | ALPHA_1 | ALPHA_2)},
        "part",
    ),
    "radius": (
        {"hyperparameters": SETTINGS},
        {"hyperparameters": swept("a", {"a=10": (0.8, 0.05), "": (0.8, 0.12), "a=200": (0.8, 0.2)})},
        "no",
    ),
    "radius-50": (
        {"hyperparameters": SETTINGS},
        {"hyperparameters": swept("a", {"": (0.8, 0.05), "a=100": (0.9, 0.1)})},
        "no",
    ),
    "radius-matters": (
        {"hyperparameters": SETTINGS},
        {"hyperparameters": swept("a", {"a=10": (0.8, 0.12)} | ALPHA_1 | ALPHA_2 | L_GOOD)},
        "no",
    ),
    "threshold": (
        {"hyperparameters": SETTINGS},
        {"hyperparameters": swept("alpha_1", {"alpha_1=0.2": (0.7, 0.2), "": (0.8, 0.1), "alpha_1=2.0": (0.8, 0.1)})},
        "no",
    ),
    "not-sensitive-to-l": (
        {"hyperparameters": SETTINGS},
        {"hyperparameters": swept("l", {"l=25": (0.8, 0.05), "": (0.8, 0.12), "l=100": (0.8, 0.12)})},
        "part",
    ),
    "more-seeds": (
        {"components": components()},
        {"components": components(few=(0.9, 0.2))},
        "no",
    ),
    "nn-efficient-but-poor": (
        {"components": components()},
        {"components": components(nn=(0.7, 0.4))},
        "part",
    ),
    "head-saves-labels": ({"components": components()}, {"components": components(no_active=(0.8, 0.09))}, "no"),
    "elsa-beats-nn": (
        {"trade-off": trade_off(TIGHT_SPARSE, WORSE), "components": components(nn=(0.1, 0.05))},
        {"trade-off": trade_off(WORSE, TIGHT_SPARSE), "components": components(nn=(0.9, 0.4))},
        "no",
    ),
    "three-classes": (
        {"trade-off": trade_off(TIGHT_SPARSE, WORSE)},
        {"trade-off": trade_off(TIGHT_SPARSE, TIGHT_SPARSE | {"typical": (0.9, 0.9)})},
        "part",
    ),
    "final-search-finds-the-rest": (
        {"components": components(full=(0.99, 0.1))},
        {"components": components(final_found=0.0)},
        "no",
    ),
    "components-per-round": (
        {"components": components()},
        {"components": components(nn_found=5, rands_found=1, nn_found_by_round=[0], rands_found_by_round=[1])},
        "no",
    ),
    "noise-discovery": (
        {"noise": noise((0.8, 0.79, 0.78), (0.1, 0.1, 0.1))},
        {"noise": noise((0.8, 0.6, 0.5), (0.1, 0.1, 0.1))},
        "no",
    ),
    "noise-efficiency": (
        {"noise": noise((0.8, 0.8, 0.8), (0.1, 0.05, 0.02))},
        {"noise": noise((0.8, 0.8, 0.8), (0.1, 0.11, 0.09))},
        "no",
    ),
    "linear-top1": ({"encoders": encoders(list(TOP1))}, {"encoders": encoders(list(TOP1)[::-1])}, "no"),
    "food-101": ({"food-101": food(0.5, 0.7)}, {"food-101": food(0.5, 0.4, 0.005)}, "no"),
    "toy-space": ({"toy": spaces(0.99, 4)}, {"toy": spaces(0.5, 2)}, "no"),
    "rands-spreads": ({"toy-rands": rounds(0.4, 0.1)}, {"toy-rands": rounds(0.1, 0.1)}, "part"),
    "time": ({"complexity": exponents(1.1)}, {"complexity": exponents(1.6)}, "no"),
    "memory": ({"complexity": exponents(1.0, 1.5)}, {"complexity": exponents(1.0, 0.2)}, "part"),
}
WORDS = {"yes": "holds", "part": "holds in part", "no": "does not hold"}


def judge(frames, *claims):
    """Judge these claims alone: other rules would miss rows that their sweeps always have."""
    listed = verdicts.list_claims()
    fitted = frames.get("complexity")
    searched = {name: each for name, each in frames.items() if name != "complexity"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verdicts, "list_claims", lambda: listed[listed["id"].isin(claims)])
        return verdicts.verdicts(Results("full", searched, {}, TOP1), fitted)


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    whole = intervals.median_interval
    monkeypatch.setattr(intervals, "median_interval", lambda *a, **k: whole(*a, **{"resamples": 60} | k))


@pytest.mark.parametrize("claim", CASES)
def test_a_claim_that_the_results_bear_out_holds(claim):
    row = judge(CASES[claim][0], claim).iloc[0]
    assert row["verdict"] == "holds", row["numbers"]
    assert row["passed"] == row["tests"] > 0


@pytest.mark.parametrize("claim", CASES)
def test_a_claim_that_the_results_contradict_does_not(claim):
    frames, word = CASES[claim][1:]
    row = judge(frames, claim).iloc[0]
    assert row["verdict"] == WORDS[word], row["numbers"]


def test_every_claim_is_tested_or_says_why_not():
    listed = verdicts.list_claims()
    assert not listed["id"].duplicated().any()
    tested = listed[listed["sweep"] != ""]
    assert set(tested["id"]) == set(verdicts.ALL_RULES)
    assert (tested["untested"] == "").all()
    assert (listed.loc[listed["sweep"] == "", "untested"] != "").all()
    assert set(CASES) | {"median-row", "same-runs", "alpha-2-table"} == set(verdicts.ALL_RULES)
    assert (listed[["where", "sentence"]] != "").all(axis=None)


def test_the_readme_of_the_claims_names_the_file():
    assert "claims.csv" in (DATA / "claims" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("passes", "word"),
    [
        ([True, True], "holds"),
        ([True, False], "holds in part"),
        ([False], "does not hold"),
        ([], "not testable here"),
    ],
)
def test_the_verdict_follows_from_the_tests(passes, word):
    assert verdicts.verdict([rules.RuleTest("", each) for each in passes]) == word


def test_each_reading_has_a_verdict_of_its_own():
    flat = components(nn=(0.7, 0.4)).assign(reading="released-code")
    judged = judge({"components": pd.concat([components(), flat])}, "nn-efficient-but-poor")
    assert judged.set_index("reading")["verdict"].to_dict() == {"paper": "holds", "released-code": "holds in part"}


def test_results_that_are_missing_are_no_verdict_but_a_reason():
    judged = verdicts.verdicts(Results("quick", {}, {"food-101": "no photographs here"}, {}))
    reasons = judged.drop_duplicates("id").set_index("id")["numbers"]
    assert reasons["food-101"] == "no photographs here"
    assert reasons["radius"] == "the sweep hyperparameters is not part of profile quick"
    assert reasons["time"].startswith("no measurements yet")
    few = judge({"encoders": encoders(["vicreg", "moco"])}, "linear-top1").iloc[0]
    assert few["verdict"] == "not testable here"
    assert few["numbers"].startswith("2 encoders")


def test_what_the_paper_says_of_its_own_tables_needs_no_search():
    judged = verdicts.verdicts(Results("quick", {}, {}, {})).set_index("id")
    assert judged.loc["median-row", "verdict"] == "does not hold"
    assert judged.loc["same-runs", "numbers"] == "Table 3: 1 of 10 differ (no); Table 4: 1 of 10 differ (no)"
    assert judged.loc["alpha-2-table", "passed"] == 0


def test_the_pages_show_every_claim_and_every_number():
    judged = verdicts.verdicts(Results("full", {"components": components()}, {}, {}))
    overview = verdicts.overview(judged)
    assert overview.index.get_level_values("id").tolist() == verdicts.list_claims()["id"].tolist()
    assert list(overview.columns) == [*READINGS, "as printed"]
    evidence = verdicts.evidence(judged)
    assert len(evidence) == (judged["tests"] > 0).sum()
    assert "0." in evidence["numbers"].iloc[0]


def test_pairs_are_compared_one_by_one():
    one, other = frame(rows("s", discovery=0.5)), frame(rows("s", discovery=0.4))
    other.loc[0, "discovery_rate"] = 0.0
    gain = intervals.paired_difference(one.sample(frac=1, random_state=0), other, "discovery_rate")
    assert gain.median == pytest.approx(0.1, abs=0.01)
    assert gain.low > 0


def test_the_area_of_a_trade_off_counts_what_some_setting_reaches():
    assert intervals.area_under_front([0.5, 0.1], [0.2, 0.8]) == pytest.approx(0.5 * 0.2 + 0.1 * 0.6)
    assert intervals.area_under_front([0.5, 0.4], [0.8, 0.2]) == pytest.approx(0.4)


def test_rank_correlation_knows_ties_and_constants():
    assert intervals.rank_correlation([1, 2, 3], [10, 20, 15]) == pytest.approx(0.5)
    assert intervals.rank_correlation([1, 2, 3], [7, 7, 7]) == 0


def test_found_after_reads_the_last_number_of_labels_stored():
    runs = frame(rows("s", discovery=0.8, efficiency=0.1))
    labels = runs["labels"]
    assert budgets.found_after(runs, [0.0] * len(runs)).tolist() == [0.0] * len(runs)
    assert budgets.found_after(runs, labels * 2) == pytest.approx(runs["discovery_rate"].to_numpy())
    assert (budgets.found_after(runs, labels / 2) <= runs["discovery_rate"] / 2 + 1e-9).all()
