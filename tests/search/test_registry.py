"""A strategy becomes known by a line here, or by an entry point of an installed package."""

import re

import pytest

from elsa_nb.search.elsa import Search
from elsa_nb.search.strategies import registry
from elsa_nb.search.strategies.greedy_probe import GreedyProbe

THEIRS = """
from elsa_nb.search.strategies.greedy_probe import GreedyProbe

class Theirs(GreedyProbe):
    name = "Their own"
"""


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """Return a function that installs a package with one module and an entry point."""

    def install(code, target="theirs:Theirs"):
        (tmp_path / "theirs.py").write_text(code)
        info = tmp_path / "theirs-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[elsa_nb.strategies]\nown = {target}\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(__import__("sys").modules, "theirs", raising=False)
        registry.strategies.cache_clear()

    yield install
    monkeypatch.undo()
    registry.strategies.cache_clear()


def test_ours_are_known_by_both_names():
    assert registry.strategy("ELSA") is registry.strategy("elsa") is Search
    for name in ("Greedy probe", "greedy-probe", "greedy probe", "Greedy-Probe"):
        assert registry.strategy(name) is GreedyProbe


def test_an_unknown_name_is_refused_with_those_allowed():
    with pytest.raises(ValueError, match=r"strategy 'best' is not known; allowed: elsa, greedy-probe"):
        registry.strategy("best")
    with pytest.raises(ValueError, match=r"strategy \[\] is not known; allowed: elsa"):
        registry.strategy([])


def test_an_installed_package_offers_its_own(offer):
    offer(THEIRS)
    assert list(registry.strategies())[-1] == "Their own"
    assert registry.strategy("their-own").name == "Their own"


@pytest.mark.parametrize(
    ("code", "target", "sentence"),
    [
        (THEIRS, "theirs:Missing", "the strategy 'own' of theirs cannot be loaded (theirs:Missing"),
        ("import nothing_of_this_name", "theirs:Theirs", "the strategy 'own' of theirs cannot be loaded"),
        (
            "raise RuntimeError('no GPU')",
            "theirs:Theirs",
            "cannot be loaded (theirs:Theirs: no GPU): mend or remove it",
        ),
        ("def broken(", "theirs:Theirs", "the strategy 'own' of theirs cannot be loaded (theirs:Theirs: "),
        ("raise SystemExit", "theirs:Theirs", "cannot be loaded (theirs:Theirs: SystemExit)"),
        ("raise AssertionError", "theirs:Theirs", "cannot be loaded (theirs:Theirs: AssertionError)"),
        (THEIRS.replace("Their own", "elsa"), "theirs:Theirs", "theirs offers a second strategy 'elsa'"),
        (THEIRS.replace("Their own", " "), "theirs:Theirs", "has name = ' '; give it one that commands can take"),
        (
            THEIRS + "    config_class = dict",
            "theirs:Theirs",
            "config_class = <class 'dict'>; allowed: a frozen dataclass",
        ),
        (
            THEIRS + "    components = {40: 'x'}",
            "theirs:Theirs",
            "components = {40: 'x'}; allowed: numbers from 0 to 15",
        ),
        (THEIRS + "    components = {'x': 4}", "theirs:Theirs", "components = {'x': 4}; allowed: numbers from 0 to 15"),
        (THEIRS + "    colour = 'blue'", "theirs:Theirs", "has colour = 'blue'; allowed: \"#rrggbb\""),
        (THEIRS.replace("Their own", "ELSA"), "theirs:Theirs", "theirs offers a second strategy 'ELSA'"),
        (THEIRS + "    needs = ('a GPU',)", "theirs:Theirs", "needs 'a GPU'; allowed: neighbours, features"),
        (THEIRS + "    version = '1'", "theirs:Theirs", "has version = '1'; allowed: int"),
        ("class Theirs:\n    name = 'x'", "theirs:Theirs", "the strategy 'Theirs' of theirs has version = None"),
    ],
)
def test_a_package_that_offers_none_is_named(offer, code, target, sentence):
    offer(code, target)
    with pytest.raises(ValueError, match=re.escape(sentence)):
        registry.strategies()


def test_a_strategy_that_lacks_a_member_is_refused(monkeypatch):
    class Incomplete:
        name, version, config_class, needs, components, colour = "x", 1, object, (), {}, "#000000"

    with pytest.raises(
        ValueError, match=r"Incomplete' lacks query, update, amend, scores"
    ):  # it is nobody's but one's own
        registry.check(Incomplete)
    monkeypatch.setattr(Incomplete, "version", "1")
    with pytest.raises(ValueError, match=r"version = '1'; allowed: int, as in elsa_nb\.search\.contract\.Registered"):
        registry.check(Incomplete)


def test_a_search_is_no_strategy_and_a_misspelt_part_is_not_left_out(pool, seeds):
    with pytest.raises(ValueError, match=r"the strategy <Search in .* is not a class; give the class"):
        registry.check(Search(pool, seeds, rng=0))
    with pytest.raises(ValueError, match="feature is not needed by any strategy; allowed: neighbours, features"):
        registry.begin(Search, pool, seeds, rng=0, feature=None)
    with pytest.raises(ValueError, match="the strategy 'object' has name = None"):
        registry.begin(object, pool, seeds, rng=0)
    with pytest.raises(ValueError, match=r"kind = 'elsa'; give the class of a strategy, such as strategy\('harvest'\)"):
        registry.begin("elsa", pool, seeds, rng=0)
