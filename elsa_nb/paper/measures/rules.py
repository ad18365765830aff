"""How a claim is judged: a rule is a function that returns tests, each a number against a threshold in words.

The `rules` module of an experiment makes its own with `@rule`; `experiments.catalogue` collects them with `rules_of`,
and `comparison.verdicts` applies them, to results and to the paper's own printed numbers. Start with `Rule`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import NamedTuple

import pandas as pd

Frames = Mapping[str, pd.DataFrame]
Numbers = Mapping[str, float]


class RuleTest(NamedTuple):
    """One number against a threshold: what it says, whether it passes, and how likely it is by chance.

    `chance` is the two-sided p-value of a test over classes (`intervals.in_most_classes`), before any correction; None
    for a number that stands for itself, such as a printed one.
    """

    says: str
    passes: bool
    chance: float | None = None


@dataclass(frozen=True)
class Rule:
    """How the `claims`, ids of `claims.csv`, are judged: by a function, and by what threshold, in words.

    The function takes the frames of the claim's sweeps, those of one reading, by name, and the numbers that belong to
    it (those of `claims.csv`). It returns tests, or a sentence that says why there are none. `printed` applies the same
    thresholds to what the paper printed, or is a sentence that says why that cannot be done.
    """

    claims: tuple[str, ...]
    says: str
    tests: Callable[[Frames, Numbers], list[RuleTest] | str]
    printed: Callable[[], list[RuleTest]] | str


def rule(
    claims: str, says: str, *, printed: Callable[[], list[RuleTest]] | str
) -> Callable[[Callable[[Frames, Numbers], list[RuleTest] | str]], Rule]:
    """Make the decorated function the rule of `claims` (ids, spaces between them); `says` is its threshold in words.

    `printed` is the same rule for the paper's own numbers, or why there are none to apply it to.
    """
    return lambda tests: Rule(tuple(claims.split()), says, tests, printed)


def rules_of(module: ModuleType) -> dict[str, Rule]:
    """Return {claim: rule} of all rules in a module, in its order; ValueError where two judge one claim."""
    found: dict[str, Rule] = {}
    for each in vars(module).values():
        for claim in each.claims if isinstance(each, Rule) else ():
            if claim in found:
                raise ValueError(f"two rules of {module.__name__} judge the claim {claim!r}; allowed: one")
            found[claim] = each
    return found
