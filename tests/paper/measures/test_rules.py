"""Rules are found where they stand, and no two of them judge one claim."""

from types import ModuleType

import pytest

from elsa_nb.paper.measures.rules import RuleTest as Passed
from elsa_nb.paper.measures.rules import rule, rules_of


def module_with(**entries):
    module = ModuleType("rules_of_a_test")
    vars(module).update(entries)
    return module


def passing(frames, numbers):
    return [Passed(f"more than {numbers['least']}", True)]


def test_a_rule_is_found_under_each_claim_that_it_judges_and_other_names_are_not():
    found = rules_of(
        module_with(_ours=rule("first second", "in words", printed="none")(passing), helper=passing, LIMIT=0.5)
    )
    assert list(found) == ["first", "second"]
    assert found["first"] is found["second"]
    assert found["first"].says == "in words"
    assert found["first"].tests({}, {"least": 3}) == [Passed("more than 3", True)]


def test_two_rules_of_one_claim_are_refused():
    twice = module_with(
        _one=rule("claim", "a", printed="none")(passing), _other=rule("another claim", "b", printed="none")(passing)
    )
    with pytest.raises(ValueError, match=r"two rules of rules_of_a_test judge the claim 'claim'"):
        rules_of(twice)
