"""How a claim is judged: a rule is a function that returns tests, each a number against a threshold in words.

Every experiment's `rules` enter theirs with `rule`; `comparison.verdicts` applies them. Start with `Rule`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

Frames = Mapping[str, pd.DataFrame]
Numbers = Mapping[str, float]


class Test(NamedTuple):
    """One number against a threshold: what it says, and whether it passes."""

    says: str
    passes: bool


@dataclass(frozen=True)
class Rule:
    """How a claim is judged: a function of the frames of its sweeps and of its numbers, and the threshold in words.

    It returns tests, or a sentence that says why there are none.
    """

    tests: Callable[[Frames, Numbers], list[Test] | str]
    says: str


def rule(rules: dict[str, Rule], names: str, says: str) -> Callable:
    """Enter the decorated function in `rules` as the rule of the claims `names`, with its threshold in words."""

    def enter(tests: Callable) -> Callable:
        rules.update(dict.fromkeys(names.split(), Rule(tests, says)))
        return tests

    return enter
