"""How a claim is judged: a rule is a function that returns tests, each a number against a threshold in words.

The `rules` module of an experiment makes its own with `@rule`; `experiments.catalogue` collects them with `rules_of`,
and `comparison.verdicts` applies them. Start with `Rule`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import NamedTuple

import pandas as pd

Frames = Mapping[str, pd.DataFrame]
Numbers = Mapping[str, float]


class RuleTest(NamedTuple):
    """One number against a threshold: what it says, and whether it passes."""

    says: str
    passes: bool


@dataclass(frozen=True)
class Rule:
    """How the `claims`, ids of `claims.csv`, are judged: by a function, and by what threshold, in words.

    The function takes the frames of the claim's sweeps, those of one reading, by name, and the numbers that belong to
    it (those of `claims.csv`, `top1 <encoder>`). It returns tests, or a sentence that says why there are none.
    """

    claims: tuple[str, ...]
    says: str
    tests: Callable[[Frames, Numbers], list[RuleTest] | str]


def rule(claims: str, says: str) -> Callable[[Callable[[Frames, Numbers], list[RuleTest] | str]], Rule]:
    """Make the decorated function the rule of `claims` (ids, spaces between them); `says` is its threshold in words."""
    return lambda tests: Rule(tuple(claims.split()), says, tests)


def rules_of(module: ModuleType) -> dict[str, Rule]:
    """Return {claim: rule} of all rules that stand in a module, in its order; ValueError where two judge one claim."""
    found: dict[str, Rule] = {}
    for each in vars(module).values():
        for claim in each.claims if isinstance(each, Rule) else ():
            if claim in found:
                raise ValueError(f"two rules of {module.__name__} judge the claim {claim!r}; allowed: one")
            found[claim] = each
    return found
