"""Verdicts follow from the numbers: every rule passes on results made to bear it out, and fails on others."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.paper.comparison import verdicts
from elsa_nb.paper.comparison.tables import Results
from elsa_nb.paper.experiments.toy import rands
from elsa_nb.paper.measures import budgets, intervals, more_seeds
from elsa_nb.paper.runs.simulation import BUDGETS
from elsa_nb.profiles import FIGURES
from elsa_nb.search.readings import READINGS
from elsa_nb.store import DATA, ROOT

TARGETS = [f"class {i:02}" for i in range(16)]
SIZE, POOL = 100, 100_000


def rows(sweep, arm="ELSA", encoder="vicreg", seeds=5, discovery=0.8, efficiency=0.1, reading="paper", **more):
    """Sixteen searches that find `discovery` of their class, each a little more or less."""
    made = []
    for i, target in enumerate(TARGETS):
        rate = discovery * (1 + 0.01 * (i - 7.5) / 7.5)
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
                "labelling_efficiency": efficiency * (1 + 0.005 * i),
                "discovery_rate_without_seeds": rate,
                "labelling_efficiency_without_seeds": efficiency,
                "discovery_at": np.minimum(BUDGETS / labels, 1) * rate,
                "final_labels": labels / 2,
                "nn_labels": 300,
                "nn_found": 30,
                "rands_labels": 400,
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
            unfair = {"target": target, "change": "a=50, alpha_2=1.0", "discovery_rate": 1.0}
            made.append([row | unfair for row in point if arm == "ELSA"])
    return frame(*made)


A_GOOD = {"a=10": (0.4, 0.15), "": (0.8, 0.12), "a=100": (0.82, 0.09), "a=200": (0.83, 0.05)}
ALPHA_1 = {"alpha_1=0.2": (0.85, 0.05), "": (0.8, 0.12), "alpha_1=2.0": (0.7, 0.2)}
ALPHA_2 = {"alpha_2=1.0": (0.85, 0.1), "": (0.8, 0.12), "alpha_2=3.0": (0.75, 0.14)}
L_GOOD = {"l=25": (0.79, 0.115), "": (0.8, 0.12), "l=100": (0.81, 0.125)}
SETTINGS = swept("all", A_GOOD | ALPHA_1 | ALPHA_2 | L_GOOD)
TIGHT_SPARSE = {"tight": (0.9, 0.5), "sparse": (0.2, 0.1), "typical": (0.6, 0.3)}
WORSE = {"tight": (0.8, 0.4), "sparse": (0.1, 0.05), "typical": (0.3, 0.2)}


def embeddings(times):
    """Return both encoders' searches in the embedding: of the projection's measures so many times."""
    return frame(
        *(rows("encoders", encoder=e, discovery=0.8 * times, efficiency=0.1) for e in ("vicreg", "barlow-twins"))
    )


def rest(confident, final_found):
    """Return searches that find `final_found` of 100 in the final search, and of these a share in its first half."""
    made = components(full=(0.8, 0.1), final_found=final_found)
    halfway = made["labels"] - made["final_labels"] / 2
    before = made["discovery_rate"] - final_found / SIZE * (1 - confident)
    made["discovery_at"] = [
        np.interp(BUDGETS, [1, at, at * 1.001, labels], [0, rate, rate, end])
        for at, rate, labels, end in zip(halfway, before, made["labels"], made["discovery_rate"], strict=True)
    ]
    return made


def tight(efficient):
    """Return how tight each class lies: as efficient as NN is in it, or the other way round."""
    return pd.DataFrame({"target": TARGETS, "purity": np.linspace(0, 1, len(TARGETS))[:: 1 if efficient else -1]})


def drawn(step, outside=0.01, several=0.8):
    """Return five draws of seeds of each class, each farther out and wider apart; the last single seed lies outside.

    With each draw the first round of NN finds a little less, and ELSA a little more; `step` -1 is the other way round.
    """
    runs, places = [], []
    for repeat in range(5):
        first = {"nn_found_by_round": [10 - step * repeat], "repeat": repeat}
        runs.append(rows("components", "NN", seeds=1, discovery=outside if repeat == 4 else 0.8, **first))
        runs.append(rows("components", "NN", seeds=5, discovery=several, **first))
        runs += [rows("components", seeds=n, discovery=0.5 + 0.05 * step * repeat, repeat=repeat) for n in (2, 5, 10)]
        places += [
            {"target": target, "seeds": n, "repeat": repeat, "outward": repeat / 5, "apart": 1.0 + repeat}
            | {"alone": float(n == 1 and repeat == 4)}
            for target in TARGETS
            for n in (1, 2, 5, 10)
        ]
    return {"components": frame(*runs), "seed-places": pd.DataFrame(places)}


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


SPACES = range(40)


def spaces(discovery, clusters):
    """Return searches of the toy space, all alike."""
    return pd.DataFrame({"reading": "paper", "number": SPACES, "discovery": discovery, "clusters": clusters})


def rounds(spacing, shared, positives=9.0):
    """Return what the forms of RandS ask, beside points drawn at random: of the likely ones 0.3 apart, 2 asked by NN.

    Every other space is a little different, the same for all.
    """
    told = dict.fromkeys(rands.VARIANTS, (spacing, shared, positives)) | {
        rands.RANDOM_LIKELY: (0.3, 2.0, 5.0),
        rands.RANDOM_ANYWHERE: (0.5, 0.4, 2.0),
    }
    frame = pd.DataFrame.from_dict(told, orient="index", columns=["spacing", "also asked by NN", "positives"])
    frame = frame.rename_axis("variant").reset_index().assign(reading="paper")
    return pd.concat([frame.assign(number=n, spacing=frame["spacing"] + 0.1 * (n % 2)) for n in SPACES])


# Claim: results that bear it out, results that do not, and what the verdict on the latter is.
CASES = {
    "eighty-percent": ({"components": components(full=(0.85, 0.2))}, {"components": components(full=(0.7, 0.2))}, "no"),
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
    "final-budget": ({"components": rest(0.9, 20)}, {"components": rest(0.1, 20)}, "no"),
    "not-everything": ({"components": components()}, {"components": components(discovery_rate=1.0)}, "no"),
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
        {"noise": noise((0.8, 0.8, 0.8), (0.1, 0.11, 0.12))},
        "no",
    ),
    "embedding-space": (
        {"components": components(), "encoders": embeddings(1.0)},
        {"components": components(), "encoders": embeddings(0.5)},
        "part",
    ),
    "food-101": ({"food-101": food(0.5, 0.7)}, {"food-101": food(0.5, 0.4, 0.005)}, "no"),
    "food-101-seeds": ({"food-101": food(0.5, 0.7)}, {"food-101": food(0.5, 0.4)}, "no"),
    "sparse-clusters": (
        {"components": components(), "purity": tight(True)},
        {"components": components(), "purity": tight(False)},
        "no",
    ),
    "rands-sparse": (
        {"components": components(rands_labels=100), "purity": tight(True)},
        {"components": components(rands_labels=900), "purity": tight(True)},
        "no",
    ),
    "boundary-queries": (drawn(1), drawn(-1), "no"),
    "outlying-queries": (drawn(1), drawn(1, outside=0.8, several=0.2), "no"),
    "several-views": (drawn(1), drawn(-1), "no"),
    "disconnected-clusters": ({"toy-nn": spaces(0.5, 2)}, {"toy-nn": spaces(0.9, 4)}, "no"),
    "iterative-nn": ({"toy-nn": spaces(0.5, 2)}, {"toy-nn": spaces(0.2, 1)}, "no"),
    "rands-beats-random": ({"toy-rands": rounds(0.1, 0.1)}, {"toy-rands": rounds(0.1, 0.1, 1.0)}, "no"),
    "toy-space": ({"toy": spaces(0.99, 4)}, {"toy": spaces(0.5, 2)}, "no"),
    "rands-spreads": ({"toy-rands": rounds(0.4, 1.0)}, {"toy-rands": rounds(0.1, 1.0)}, "part"),
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
        return verdicts.verdicts(Results("full", searched, {}, {}), fitted)


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
    of_the_tables = {"median-row", "same-runs", "alpha-2-table", "guessing"}
    assert set(CASES) | of_the_tables == set(verdicts.ALL_RULES)
    assert (listed[["where", "sentence"]] != "").all(axis=None)


def test_the_readme_of_the_claims_names_the_file():
    assert "claims.csv" in (DATA / "claims" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        (["yes", "yes"], "holds"),
        (["yes", "no"], "holds in part"),
        (["yes", "open"], "holds in part"),
        (["no", "open"], "does not hold"),
        (["open"], "cannot be told"),
        ([], "not testable here"),
    ],
)
def test_the_verdict_follows_from_the_tests(outcomes, word):
    assert verdicts.verdict(outcomes) == word


def test_what_chance_explains_is_open_in_either_direction():
    half = components().assign(discovery_rate=[0.9, 1.0] * 64)
    row = judge({"components": half}, "not-everything").iloc[0]
    assert (row["verdict"], row["open"], row["tests"]) == ("cannot be told", 2, 2)
    assert "below 1 in 8 of 16 classes (open)" in row["numbers"]


@pytest.mark.parametrize("claim", ["boundary-queries", "several-views"])
def test_one_draw_of_the_seeds_says_nothing_of_where_they_lie(claim):
    made = drawn(1)
    once = made["components"][made["components"]["repeat"] == 0]
    row = judge(made | {"components": once}, claim).iloc[0]
    assert (row["verdict"], row["tests"]) == ("not testable here", 0)
    assert row["numbers"] == "fewer than 3 draws of the seeds of a class"


@given(st.integers(1, 200), st.floats(0.1, 0.6))
def test_what_rises_by_the_seeds_alone_does_not_rise(seeds, found):
    """A search that finds the same share of the rest from any number of seeds has found more by count, of no merit."""
    size = 250
    few, many = (found + (1 - found) * n / size for n in (0, seeds))
    made = [rows("food-101", seeds=n, discovery=d) for n, d in ((0, few), (seeds, many))]
    runs = frame(*made).assign(discovery_rate_without_seeds=found)
    assert runs["discovery_rate"].max() > found
    assert not more_seeds.rise_with_seeds(runs).passes


@pytest.mark.parametrize(("spacing", "shared"), [(0.3, 2.0), (0.2, 3.0)])
def test_points_like_those_drawn_among_the_likely_do_not_spread(spacing, shared):
    """Whether farther apart or fewer asked by NN is judged beside one and the same draw, and equal is not enough."""
    row = judge({"toy-rands": rounds(spacing, shared)}, "rands-spreads").iloc[0]
    assert (row["verdict"], row["passed"]) == ("does not hold", 0), row["numbers"]
    assert rands.RANDOM_ANYWHERE not in row["numbers"]


@given(st.integers(16, 20))
def test_a_share_of_spaces_that_chance_explains_is_open(every):
    """18 of 20 are nine of ten, so 16 to 20 cannot be told from it."""
    found = spaces(0.99, 4).head(20).assign(clusters=[4] * every + [2] * (20 - every))
    row = judge({"toy": found}, "toy-space").iloc[0]
    assert (row["verdict"], row["open"]) == ("holds in part", 1), row["numbers"]


def test_one_test_among_many_needs_more_than_alone():
    """13 of 16 classes are p = 0.02: enough for two tests, not for two of eight where chance explains the others."""
    many = components().assign(discovery_rate=([0.9] * 13 + [1.0] * 3) * 8, labelling_efficiency=[0.005, 0.2] * 64)
    frames = {"components": many.assign(labels=[400, 60_000] * 64)}
    assert judge(frames, "not-everything").iloc[0]["verdict"] == "holds"
    judged = judge(frames, "not-everything", "negatives-excluded", "orders-of-magnitude").set_index(["id", "reading"])
    assert judged.loc[("not-everything", "paper"), "verdict"] == "cannot be told"


def test_the_papers_own_numbers_pass_every_rule_or_it_is_said():
    judged = verdicts.verdicts(Results("quick", {}, {}, {}))
    own = judged[judged["reading"] == verdicts.OWN_NUMBERS].set_index("id")
    assert set(own.index) == set(verdicts.ALL_RULES)
    failed = own["passed"] < own["tests"]
    assert set(verdicts.against_itself(judged).index) == set(own.index[failed])
    assert (own.loc[failed, "said"] != "").all()
    assert (own.loc[~failed, "said"] == "").all()
    assert own.loc["eighty-percent", "numbers"].count("(no)") == 6
    assert own.loc["radius-50", "verdict"] == "holds"


def test_every_part_of_the_paper_has_its_claims():
    """Read with the paper in hand: whoever finds a claim that is not listed adds it."""
    where = " ".join(verdicts.list_claims()["where"])
    sections = ("abstract", "sections 1", "3.1", "3.3", "4.2", "4.4", "section 5", "6.1", "6.2", "6.3", "6.4", "7")
    appendices = [f"appendix {letter}" for letter in "ABCDEF"]
    tables = [f"Table {number}" for number in (5, 6, 7, 8, 9, 10, 11)] + ["Tables 2, 3 and 4"]
    figures = [f"Fig. {number}" for number in (1, 3, 6, 7, 9)]
    lacking = [part for part in (*sections, *appendices, *tables, *figures) if part not in where]
    assert lacking == []


def test_the_committed_page_has_a_verdict_for_every_claim():
    committed = pd.read_csv(FIGURES / "verdicts.csv")
    assert committed["verdict"].isin(verdicts.VERDICTS).all()
    assert list(dict.fromkeys(committed["id"])) == verdicts.list_claims()["id"].tolist()


def test_each_claim_that_was_judged_twice_stands_at_its_two_verdicts():
    flat = components(nn=(0.7, 0.4)).assign(reading="released-code")
    both = verdicts.both_readings(judge({"components": pd.concat([components(), flat])}, "nn-efficient-but-poor"))
    assert both.loc["holds", "holds in part"] == "nn-efficient-but-poor"
    assert both.shape == (1, 1)


def test_the_words_of_the_committed_page_give_the_verdicts_that_were_computed():
    """A verdict in prose is written "`claim`: that in `paper`, that in `released-code`", so that it can be compared."""
    committed = pd.read_csv(FIGURES / "verdicts.csv").set_index(["id", "reading"])["verdict"]
    cells = json.loads(next((ROOT / "notebooks").glob("99-*")).read_text(encoding="utf-8"))["cells"]
    words = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    word = "|".join(sorted(verdicts.VERDICTS, key=len, reverse=True))
    written = re.findall(rf"`([a-z0-9-]+)`: ({word}), ({word})", words)
    assert len(written) == sum(words.count(f"`{claim}`: ") for claim in verdicts.list_claims()["id"]) >= 10
    assert [each for each in written if tuple(committed[each[0]][list(READINGS)]) != each[1:]] == []


def test_each_reading_has_a_verdict_of_its_own():
    flat = components(nn=(0.7, 0.4)).assign(reading="released-code")
    judged = judge({"components": pd.concat([components(), flat])}, "nn-efficient-but-poor")
    assert judged.set_index("reading")["verdict"].to_dict() == {
        "paper": "holds",
        "released-code": "holds in part",
        verdicts.OWN_NUMBERS: "holds",
    }


def test_results_that_are_missing_are_no_verdict_but_a_reason():
    judged = verdicts.verdicts(Results("quick", {}, {"food-101": "no photographs here"}, {}))
    reasons = judged.drop_duplicates("id").set_index("id")["numbers"]
    assert reasons["food-101"] == "no photographs here"
    assert reasons["radius"] == "the sweep hyperparameters is not part of profile quick"
    assert reasons["time"].startswith("no measurements yet")
    reduced = food(0.5, 0.7).assign(dataset="food-101-64px")
    small = judge({"food-101": reduced}, "food-101").iloc[0]
    assert small["verdict"] == "not testable here"
    assert small["numbers"].startswith("a height, and on photographs reduced to 64 x 64")


def test_what_the_paper_says_of_its_own_tables_needs_no_search():
    judged = verdicts.verdicts(Results("quick", {}, {}, {})).set_index("id")
    assert judged.loc["median-row", "verdict"] == "does not hold"
    assert judged.loc["same-runs", "numbers"] == "Table 3: 1 of 10 differ (no); Table 4: 1 of 10 differ (no)"
    assert judged.loc["alpha-2-table", "passed"] == 0


def test_the_pages_show_every_claim_and_every_number():
    judged = verdicts.verdicts(Results("full", {"components": components()}, {}, {}))
    overview = verdicts.overview(judged)
    assert overview.index.get_level_values("id").tolist() == verdicts.list_claims()["id"].tolist()
    assert list(overview.columns) == [*READINGS, "without a search", verdicts.OWN_NUMBERS]
    evidence = verdicts.evidence(judged)
    assert len(evidence) == (judged["tests"] > 0).sum()
    assert "0." in evidence["numbers"].iloc[0]


def test_pairs_are_compared_one_by_one():
    one, other = frame(rows("s", discovery=0.5)), frame(rows("s", discovery=0.4))
    other.loc[0, "discovery_rate"] = 0.0
    shuffled = one.sample(frac=1, random_state=0)
    gain, targets = intervals.paired(shuffled, other, "discovery_rate")
    assert gain.median() == pytest.approx(0.1, abs=0.01)
    assert len(gain) == len(targets) == 16
    times, _ = intervals.paired(shuffled, other, "discovery_rate", ratio=True)
    assert len(times) == 15, "a ratio to nothing is left out"


def test_a_tie_counts_as_the_rule_says():
    values, targets = [1.0] * 9 + [2.0], list("abcdefghij")
    assert intervals.in_most_classes("x", values, targets, "at least", 1).passes
    above = intervals.in_most_classes("x", values, targets, "above", 1)
    assert not above.passes
    assert above.chance == pytest.approx(22 / 1024)
    assert above.says.endswith("above 1 in 1 of 10 classes")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_a_correction_never_lowers_a_p_value_nor_changes_their_order(chances):
    corrected = np.array(intervals.holm(chances))
    assert (corrected >= np.minimum(np.round(chances, 12), 1)).all()
    assert (corrected <= 1).all()
    order = np.argsort(chances, kind="stable")
    assert (np.diff(corrected[order]) >= 0).all()


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
