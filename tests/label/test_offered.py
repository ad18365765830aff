"""What the panel may ask of a search has one place, and a strategy that misspells it is noticed."""

import ast
from typing import ClassVar, Protocol

import numpy as np
import pytest

from elsa_nb.label import offered
from elsa_nb.label.audit_pages import AuditPages
from elsa_nb.label.first_examples import Begin
from elsa_nb.search.contract import Concluding, RegisteredStrategy, Scored, Strategy
from elsa_nb.search.strategies import registry
from elsa_nb.search.strategies.greedy_probe import GreedyProbe
from elsa_nb.store import ROOT


def members(*contracts):
    """Return the public names that protocols say, inherited ones too."""
    bases = [base for each in contracts for base in each.__mro__ if base is not Protocol]
    return {name for base in bases for name in [*vars(base), *vars(base).get("__annotations__", ())] if name[0] != "_"}


ALL = members(RegisteredStrategy, Scored, Concluding)


def misspelt(kind):
    """Return the public members of a strategy that the contract does not know, and what it offers by half."""
    has = {name for name in dir(kind) if name[0] != "_"}
    halves = [members(each) - members(Strategy) for each in (Scored, Concluding)]
    return has - ALL | {name for half in halves if half & has for name in half - has}


@pytest.mark.parametrize("kind", registry.strategies().values(), ids=list(registry.strategies()))
def test_a_registered_strategy_has_no_public_member_that_nobody_asks_for(kind):
    assert misspelt(kind) == set(), "write it as elsa_nb.search.contract does, or begin its name with an underscore"


def test_a_misspelt_member_is_noticed():
    class Theirs(GreedyProbe):
        may_conclude = True

        def conclud(self): ...

    assert misspelt(Theirs) == {"conclud", "conclude"}


def test_the_registry_demands_all_that_the_contract_says():
    class Nothing:
        name, version, config_class, needs, components, colour = "x", 1, object, (), {}, "#000000"

    with pytest.raises(ValueError, match=" lacks ") as error:
        registry.check(Nothing)
    lacking = str(error.value).partition(" lacks ")[2].partition(":")[0]
    assert {*lacking.split(", "), *(name for name in dir(Nothing) if name[0] != "_")} == members(RegisteredStrategy)


def probed(path):
    """Return the names that a module looks for with `getattr` or `hasattr`."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    calls = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in ("getattr", "hasattr")]
    return {call.args[1].value for call in calls if isinstance(call.args[1], ast.Constant)}


def test_one_module_asks_what_a_search_offers_and_asks_by_the_names_of_the_contract():
    here = ROOT / "elsa_nb" / "label"
    of_a_search = (ALL | members(Begin, AuditPages)) - {"name"}  # an encoder has one, too
    for path in here.rglob("*.py"):
        if path.name != "offered.py":
            assert not probed(path) & of_a_search, path
    assert probed(here / "offered.py") <= ALL | {"search", "__dict__"}


class Least:
    """Somebody's own strategy of the least that the contract allows: it asks all rows at once."""

    log: ClassVar = ()

    def query(self): ...

    def update(self, labels): ...


def test_what_a_search_does_not_offer_has_an_answer_all_the_same():
    search = Least()
    assert offered.is_search(search)
    assert not any(asked(search) for asked in (offered.is_confident, offered.is_amendable, offered.is_concluding))
    assert (offered.scores_of(search), offered.vectors_of(search)) == (None, None)
    assert offered.positives_of(search).tolist() == []
    assert [offered.component_name(search, each) for each in (0, 7)] == ["NN", "component 7"]
    assert offered.uncorrected(search).startswith("Least has no amend()")


def test_what_a_search_sets_to_none_it_does_not_offer():
    class Without(Least):
        amend = scores = conclude = None
        may_conclude = True

    asked = offered.is_confident, offered.is_amendable, offered.is_concluding
    assert not any(each(Without()) for each in asked)
    assert offered.uncorrected(Without()).startswith("Without has no amend()")


def test_what_begins_from_the_marked_examples_has_to_be_a_search():
    begin = Begin([[0, 1]], lambda seeds: "harvest")
    begin.query()
    with pytest.raises(ValueError, match="search of type str lacks query, update, log"):
        begin.update(np.array([1, 0]))


def test_of_a_search_inside_another_the_same_is_asked():
    begin = Begin([[0, 1]], lambda seeds: Least())
    assert offered.uncorrected(begin) == ""
    begin.query()
    begin.update(np.array([1, 0]))
    assert offered.uncorrected(begin).startswith("Least has no amend()")
    assert not offered.is_concluding(begin)
    assert begin.positives.tolist() == offered.positives_of(begin).tolist() == [0], "what was marked before it began"
    assert [offered.component_name(begin, each) for each in (16, 0)] == ["sample", "NN"]
