"""The grids: what is searched, from which seeds, and that a quick run is a part of the full one."""

import dataclasses
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.experiments import catalogue
from elsa_nb.paper.experiments.catalogue import SWEEPS, sweep
from elsa_nb.paper.experiments.trade_off.sweep import PRINTED_CLASSES
from elsa_nb.paper.runs.grid import RIVAL, Change, Setting, Sweep, changed
from elsa_nb.paper.runs.simulation import draw_seeds
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.readings import READINGS


@pytest.fixture
def names():
    return pd.Series(np.repeat([f"class {i:02}" for i in range(60)], 120))


def test_full_is_the_papers_protocol():
    full = sweep("components", "full")
    assert full.seeds == (1, 2, 5, 10, 50)
    assert (full.n_classes, full.repeats, full.space) == (50, 5, "projection")
    assert full.arms == ("ELSA", "No Active", "NN", "NN.Large")
    assert full.readings == ("paper", "released-code")


def test_quick_searches_are_among_the_full_ones(names):
    quick = {s for unit in sweep("components", "quick").units(names) for s in unit}
    full = {s for unit in sweep("components", "full").units(names) for s in unit}
    assert quick < full
    assert len({s.target for s in quick}) >= 5
    assert len({s.seeds for s in quick}) >= 3
    assert len(full) == 50 * 2 * 5 * (5 * 4 * 2 + 3)


def test_arms_encoders_and_readings_share_their_seeds_and_nothing_else_does(names):
    searches = [s for unit in sweep("components", "quick").units(names) for s in unit]
    states = {}
    for s in searches:
        states.setdefault((s.target, s.seeds, s.repeat), set()).add(tuple(s.seed_sequence.generate_state(4)))
    assert all(len(of_one) == 1 for of_one in states.values())
    assert len(set.union(*states.values())) == len(states)


def test_the_seeding_is_that_of_the_committed_results():
    """Stored results are not told apart by how they were seeded: who changes this runs `full` again."""
    setting = Setting("components", "paper", "vicreg", "projection", "ELSA", "SOLIDUS", seeds=5, repeat=1)
    for_seeds, for_search = setting.seed_sequence.spawn(2)
    assert for_search.generate_state(2).tolist() == [1372417282, 16585903]
    every_seventh = np.arange(1000) % 7 == 0
    drawn = draw_seeds(every_seventh, 5, np.random.default_rng(for_seeds), "SOLIDUS")
    assert drawn.tolist() == [574, 140, 175, 70, 189]


def test_classes_are_a_fixed_choice_among_the_large_enough(names):
    small = pd.concat([names, pd.Series(["rare"] * 99)], ignore_index=True)
    chosen = sweep("components", "full").classes(small)
    assert len(set(chosen)) == 50
    assert "rare" not in chosen
    assert chosen == sweep("components", "full").classes(small.sample(frac=1, random_state=1))
    assert chosen[:5] == sweep("components", "quick").classes(small)


def test_a_pool_with_too_few_classes_is_refused():
    with pytest.raises(ValueError, match="wants 5 classes of 100 or more images; the pool has 1"):
        sweep("components", "quick").classes(pd.Series(["a"] * 200))


def test_classes_by_name_or_by_purity_are_not_counted_against_the_others():
    names = pd.Series(["a"] * 120 + ["b"] * 110)
    assert Sweep("s", ("e",), chosen="by name", targets=("a",)).classes(names) == ["a"]
    with pytest.raises(ValueError, match="wants 3 classes of 100 or more images; the pool has 2"):
        Sweep("s", ("e",), chosen="by purity", n_classes=1).classes(names, lambda: np.arange(230.0))
    three = pd.concat([names, pd.Series(["c"] * 100)], ignore_index=True)
    assert Sweep("s", ("e",), chosen="by purity").classes(three, lambda: np.arange(330.0)) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"rivals": ("Havest",)}, "rivals: 'Havest' is not known; allowed: 'ELSA', 'Greedy probe', 'Harvest', 'G"),
        ({"rivals": ("harvest",)}, "rivals: 'harvest' is not known"),  # ELSA was searched with under this name
        ({"readings": ("papr",)}, "readings: 'papr' is not known; allowed: 'paper', 'released-code'"),
        ({"readings": "paper"}, r"readings = 'paper'; allowed: several in brackets: \('paper',\)"),
        ({"arms": ("elsa",)}, "arms: 'elsa' is not known"),
        ({"seeds": (0,)}, "seeds = 0; allowed: a whole number, 1 or more"),
        ({"flips": (10,)}, "flips = 10; allowed: probabilities from 0 to 1"),
        ({"share": 5}, "share = 5; allowed"),
        ({"n_classes": -1}, "n_classes = -1; allowed"),
        ({"chosen": "by hand"}, "chosen: 'by hand' is not known"),
        ({"chosen": "by name"}, "targets names no class"),
        ({"changes": ("a=25",)}, r"changes: 'a=25'; allowed: Change\('a=25'\)"),
        ({"changes": (Change("a=x"),)}, "change 'a=x'; allowed: a field of SearchConfig"),
        ({"changes": (Change(None),)}, "changes: Change"),
        ({"changes": ()}, "it searches nothing; name encoders, seeds, flips, and rivals or readings with arms"),
        ({"encoders": ()}, "it searches nothing"),
        ({"seeds": ()}, "it searches nothing"),
        ({"name": ""}, "its results are files of that name; give a word"),
        ({"name": "a/b"}, "its results are files of that name; give a word"),
        ({"changes": (Change("a=25", arms=("N",)),)}, "arms of a change: 'N' is not known"),
    ],
)
def test_a_sweep_over_what_does_not_exist_is_refused_before_it_searches(given, told):
    whole = {"name": "s", "encoders": ("e",)} | given
    with pytest.raises(ValueError, match=f"sweep {whole['name']!r}: .*{told}"):
        Sweep(**whole)


def test_a_rival_runs_once_not_once_a_reading(names):
    unit = next(iter(sweep("components", "quick").units(names)))
    assert [s.arm for s in unit if s.reading == RIVAL] == ["Greedy probe", "Greedy probe, prepared", "Harvest"]


NOVEL = {
    "__init__": '"""An experiment that was not here before."""',
    "sweep": """
from elsa_nb.paper.runs.by_profile import by_profile
from elsa_nb.paper.runs.grid import Sweep
SWEEPS = {"novel": by_profile(Sweep("novel", ("vicreg",)))}
""",
    "exhibits": """
from elsa_nb.paper.measures.exhibit import Exhibit
EXHIBITS = (Exhibit("novel-table", "A table", "beyond the paper", "98-novel", "novel"),)
""",
}
FIND = """
import sys
from elsa_nb.paper import experiments
experiments.__path__.append(sys.argv[1])
from elsa_nb.paper.experiments import catalogue
from elsa_nb.paper.publishing import exhibits
print(list(catalogue.SWEEPS)[-1], catalogue.sweep("novel", "quick").repeats, "novel-table" in exhibits.CATALOGUE)
"""


def find(folder):
    return subprocess.run([sys.executable, "-c", FIND, folder], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_an_experiment_is_one_folder(tmp_path):
    (tmp_path / "novel").mkdir()
    for name, source in NOVEL.items():
        (tmp_path / "novel" / f"{name}.py").write_text(source)
    assert find(tmp_path).stdout.split() == ["novel", "1", "True"]
    exhibits = tmp_path / "novel" / "exhibits.py"
    exhibits.write_text(exhibits.read_text().replace("novel-table", "table02"))
    assert "'table02' is in two experiments" in find(tmp_path).stderr


@pytest.mark.parametrize(
    ("name", "profile", "sentence"),
    [
        ("component", "quick", "sweep 'component' is not known; allowed: components"),
        ("components", "fast", "allowed: quick"),
        ("thinned", "full", "sweep 'thinned' has no profile 'full'; allowed: photos"),
    ],
)
def test_unknown_names_are_refused(name, profile, sentence):
    with pytest.raises(ValueError, match=sentence):
        sweep(name, profile)


def test_sweeps_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SWEEPS["components"]["full"].repeats = 1


def test_a_change_sets_the_fields_it_names_and_no_other():
    paper = READINGS["paper"]["ELSA"]
    assert changed(paper, "") == paper
    assert changed(paper, "a=25, alpha_2=3.0") == dataclasses.replace(paper, a=25, alpha_2=3.0)
    assert changed(paper, "relabel=True") == dataclasses.replace(paper, relabel=True)
    assert changed(paper, "rands=appendix b") == dataclasses.replace(paper, rands="appendix b")
    assert changed(paper, "head=mlp").head == HeadConfig("mlp")


@pytest.mark.parametrize("text", ["c=3", "a", "head=forest", "relabel=1", "a=many", "confidence=odds", "__class__=3"])
def test_a_change_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="allowed"):
        changed(READINGS["paper"]["ELSA"], text)


def settings(name, profile, names, purity=None):
    return [s for unit in sweep(name, profile).units(names, purity) for s in unit]


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_every_value_of_tables_6_to_9_is_tried_in_both_readings(names, profile):
    tried = {(s.reading, s.change) for s in settings("hyperparameters", profile, names)}
    grid = {
        "a": (10, 25, 100, 200),
        "alpha_1": (0.2, 0.5, 0.7, 1.5, 2.0),
        "alpha_2": (1.0, 1.5, 3.0, 4.0),
        "l": (25, 100),
    }
    for reading in READINGS:
        assert (reading, "") in tried
        for name, values in grid.items():
            assert {(reading, f"{name}={value}") for value in values} <= tried
    assert ("paper", "head=mlp") in tried
    assert ("released-code", "head=mlp") not in tried


def test_no_change_repeats_the_reading(names):
    for s in settings("hyperparameters", "quick", names):
        assert (s.config == READINGS[s.reading]["ELSA"]) == (s.change == "")


def test_noise_is_tried_as_in_table_10_from_the_same_seeds(names):
    searches = settings("noise", "full", names)
    assert {s.flip for s in searches} == {0.0, 0.025, 0.05, 0.1, 0.15}
    assert len([s for s in searches if not s.change]) == 5 * 2 * 50 * 5
    assert {s.reading for s in searches if s.change} == {"paper"}
    assert len({tuple(s.seed_sequence.generate_state(4)) for s in searches}) == 50 * 5


def test_the_trade_off_takes_the_tightest_the_sparsest_and_the_median_class(names):
    mean = {name: i for i, name in enumerate(sorted(names.unique()))}
    searches = settings("trade-off", "full", names, lambda: names.map(mean).to_numpy() / 60)
    assert list(dict.fromkeys(s.target for s in searches)) == ["class 59", "class 00", "class 30"]
    assert len({s.change for s in searches if s.arm == "ELSA"}) == 25
    assert {"rounds" in s.change for s in searches if s.arm == "NN"} == {True}


def test_the_trade_off_of_the_papers_pool_takes_the_printed_classes():
    plan = sweep("trade-off", "paper")
    assert plan.classes(pd.Series(np.repeat([*PRINTED_CLASSES, "n01440764"], 100))) == list(PRINTED_CLASSES)
    with pytest.raises(ValueError, match="wants the class 'n02088364'"):
        plan.classes(pd.Series(np.repeat(["n04311174", "n03344393", "n01440764"], 100)))


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_a_profile_other_than_full_is_told_from_what_the_sentences_are_about(profile, monkeypatch, capsys):
    monkeypatch.setattr(catalogue.runner, "run", lambda *plan, **options: pd.DataFrame())
    catalogue._say_what_words_are_about.cache_clear()
    for name in ("components", "noise"):
        catalogue.run_sweep(name, profile)
    said = "The sentences below are about profile full; these outputs are of profile quick.\n"
    assert capsys.readouterr().out == (said if profile == "quick" else "")
