"""Section 5: both forms of a part agree, exponents are found again, and memory grows as counted."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.experiments.complexity import figures, measure, tables
from elsa_nb.paper.publishing import exhibits
from elsa_nb.search import algorithms

TINY = measure.SizePlan(
    n=(400, 800),
    k=(8, 16),
    l=(8, 16),
    d=(16, 32),
    lists=(200, 400),
    memory=(500, 1000),
    rows=400,
    pool_rows=600,
    turns=2,
)


@pytest.fixture(scope="module")
def small_pool():
    rows = np.random.default_rng(0).standard_normal((600, 24), np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "_pool_rows", lambda profile_name, count, rng: rows[:count])
        yield


@pytest.fixture(scope="module")
def points(small_pool):
    """Measure times once for all."""
    return measure.measure_time("quick", TINY)


@pytest.fixture(scope="module")
def memory(small_pool):
    """Measure memory once for all."""
    return measure.measure_memory("quick", TINY)


@pytest.fixture
def ground():
    rng = np.random.default_rng(1)
    return measure.RoundInputs.of(rng.standard_normal((700, 12), np.float32), rng, asking=64)


def test_both_forms_of_nearest_neighbours_return_the_same_rows(ground):
    queries = ground.asking[:10]
    everything = np.ones(len(ground.vectors), bool)
    package = algorithms.nearest_neighbours(ground.neighbours, queries, 40, everything)
    plain = measure.plain_neighbours(ground, queries, 40)
    assert set(plain[:10]) == set(queries)
    assert plain[10:].tolist() == package[10:].tolist()


def test_both_forms_of_the_sampler_return_the_same_rows(ground):
    tasks = measure.part_calls(ground, np.random.default_rng(2), k=4, l=4)
    plain, package = tasks["Sampler", "plain"](), tasks["Sampler", "package"]()
    queried = np.setdiff1d(plain, package)
    assert len(plain) > 20
    assert set(package) <= set(plain)  # the queries are known already, and not allowed
    assert len(queried) <= 4


@pytest.mark.slow
def test_every_series_is_timed_in_both_forms(points):
    assert (points["seconds"] >= 0).all()
    timed = points[~points["part"].isin(["lists", "round"])]
    for against, parts in measure.TIMED_PARTS.items():
        here = timed[timed["against"] == against]
        sizes = getattr(TINY, against)
        assert set(here["part"]) == set(parts)
        assert len(here) == len(parts) * 2 * len(sizes) * TINY.turns
    by_n = points[(points["against"] == "n") & (points["form"] == "plain") & (points["turn"] == 0)]
    one = by_n[by_n["size"] == 800].set_index("part")["seconds"]
    assert one["round"] == pytest.approx(one[["NN", "Sampler", "RandS"]].sum())


@pytest.mark.thorough
def test_memory_of_the_plain_form_is_the_claimed_matrix(memory):
    memory = memory.set_index(["part", "form", "against", "size"])["bytes"]
    matrix = 1000 * measure.SAMPLED_POINTS * 4
    assert matrix <= memory["RandS", "plain", "n", 1000] < 1.5 * matrix
    assert memory["RandS", "plain", "l", 16] > 1.5 * memory["RandS", "plain", "l", 8]
    assert memory["NN", "plain", "n", 1000] == pytest.approx(memory["RandS", "plain", "n", 1000], rel=0.01)
    assert memory["vectors", "both", "n", 1000] == 1000 * measure.DIMENSION * 4


def made(b, turns=5, noise=0.0, parts=("NN",), against="n"):
    rng = np.random.default_rng(3)
    rows = [
        (part, form, against, size, turn, 1e-6 * size**b * np.exp(noise * rng.normal()))
        for part in parts
        for form in ("plain", "package")
        for size in (100, 200, 400)
        for turn in range(turns)
    ]
    return pd.DataFrame(rows, columns=["part", "form", "against", "size", "turn", "seconds"])


@pytest.mark.parametrize("b", [0.0, 0.7, 1.0, 2.0])
def test_an_exponent_is_found_again_within_its_interval(b):
    row = tables.exponents(made(b, turns=15, noise=0.1)).iloc[0]
    assert row["exponent"] == pytest.approx(b, abs=0.1)
    assert row["low"] <= row["exponent"] <= row["high"]
    assert row["claimed"] == 1


def test_one_slow_turn_does_not_move_the_exponent():
    points = made(1.0)
    slow = (points["turn"] == 2) & (points["size"] == 400)
    points.loc[slow, "seconds"] *= 50
    assert tables.exponents(points).iloc[0]["exponent"] == pytest.approx(1.0)


def test_an_exponent_needs_two_sizes():
    with pytest.raises(ValueError, match=r"sizes \[100\]; an exponent needs two or more"):
        tables.log_log_slope(pd.Series([100, 100]), pd.Series([1.0, 2.0]))


def test_claims_are_only_those_of_section_5():
    fitted = tables.exponents(made(1.0, parts=("NN", "lists")))
    assert fitted.set_index(["part", "form"])["claimed"].isna().to_dict() == {
        ("NN", "plain"): False,
        ("NN", "package"): False,
        ("lists", "plain"): True,
        ("lists", "package"): True,
    }
    shown = tables.exponents_beside_claims(fitted)
    assert shown.loc[("NN", "n"), "plain"].startswith("1.00 [1.00")
    assert shown.loc[("lists", "n"), "claimed"] == ""


def test_the_ratio_is_taken_turn_by_turn():
    points = made(1.0, parts=("NN", "RandS", "Sampler", "round"))
    points.loc[points["form"] == "plain", "seconds"] *= 10 * (1 + points["turn"])
    points.loc[points["form"] == "package", "seconds"] *= 1 + points["turn"]
    assert tables.speedup(points)["plain / package"].tolist() == pytest.approx([10] * 4)


@pytest.mark.slow
def test_what_the_notebook_stored_is_fitted_again(tmp_path, monkeypatch, points, memory):
    monkeypatch.setattr("elsa_nb.profiles.ROOT", tmp_path)
    assert tables.stored_exponents("quick") is None
    for name, figure, frame in (
        ("complexity-time", figures.plot_time(points), points),
        ("complexity-memory", figures.plot_memory(memory), memory),
    ):
        exhibits.save_figure(figure, name, "quick", frame)
        plt.close(figure)
    fitted = tables.stored_exponents("quick")
    again = tables.exponents(memory, "bytes")
    assert set(fitted["of"]) == {"seconds", "bytes"}
    kept = fitted[fitted["of"] == "bytes"]["exponent"].to_numpy()
    assert kept == pytest.approx(again["exponent"].to_numpy(), abs=1e-4)
    assert fitted["matrix"].iloc[0] == pytest.approx(tables.matrix_share(memory), rel=1e-4)
