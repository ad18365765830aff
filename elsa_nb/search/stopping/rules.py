"""Rules that say when a search may stop. None of them stops anything: a person, or a program, does.

A rule is asked after each round, and answers with a sentence on why one may stop now, or with None. `stop_rule` makes a
rule from words: "target 0.9", "budget 500", "empty 50", "knee", "audit 0.8". A new rule is a class here and a line in
`STOP_RULES`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from elsa_nb.counts import percent_of
from elsa_nb.search.checks import as_truths, check_count, check_counts, check_number, check_share
from elsa_nb.search.stopping.remaining import Missing


@dataclass(frozen=True)
class Progress:
    """What a rule sees: `finds` (m,) bool, the answers so far in order; `seeds`, the number of positives given.

    `estimates` are those of the rounds so far, the last one now; `recall_at_least` is what an audit certifies, a share
    from 0 to 1, None where there was none.
    """

    finds: np.ndarray
    seeds: int = 0
    estimates: Sequence[Missing] = ()
    recall_at_least: float | None = None

    def __post_init__(self):
        object.__setattr__(self, "finds", as_truths("finds", self.finds, "an answer (such as labels == 1)"))
        check_count("seeds", self.seeds, 0)
        if (recall := self.recall_at_least) is not None:
            check_number("recall_at_least", recall, "a share from 0 to 1, or None without an audit", least=0, most=1)
        listed = isinstance(self.estimates, Sequence) and not isinstance(self.estimates, str | bytes | Missing)
        for each in self.estimates if listed else [self.estimates]:
            if not (listed and isinstance(each, Missing)):
                raise ValueError(f"estimates: {each!r:.60}; allowed: a list of what an estimator returns (Missing)")

    @property
    def found(self) -> int:
        """The positives known so far, seeds included."""
        return self.seeds + int(np.count_nonzero(self.finds))


class StopRule(Protocol):
    """Say when to stop."""

    name: ClassVar[str]

    def __call__(self, progress: Progress) -> str | None:
        """Return why one may stop now, None where one may not."""


@dataclass(frozen=True)
class TargetShare:
    """Stop when `share` of the class is found by the estimate, in each of the last `rounds` rounds.

    The number missing is taken to be the middle plus `caution` times the way from there to the high end: half way
    through a class the middle is too low, and a search that has only met a dry round must not end. Both numbers were
    chosen on the tuning half of the classes (`benchmarks.whats_missing`).
    """

    name: ClassVar[str] = "target"
    share: float = 0.9
    rounds: int = 2
    caution: float = 0.1

    def __post_init__(self):
        check_share("target", self.share)
        check_counts(self, rounds=1)
        check_number("caution", self.caution, "from 0 (the middle) to 1 (the high end)", least=0, most=1)

    def __call__(self, progress: Progress) -> str | None:
        """Return why one may stop now, None where one may not."""
        last = progress.estimates[-self.rounds :]
        told = [
            each.middle + self.caution * (each.high - each.middle)
            for each in last
            if each.middle is not None and each.high is not None
        ]
        if len(last) < self.rounds or len(told) < len(last):
            return None
        if progress.found < self.share * (progress.found + max(told)):
            return None
        return f"about {percent_of(self.share)} of the class is found, by the estimate"


@dataclass(frozen=True)
class Budget:
    """Stop after `labels` answers."""

    name: ClassVar[str] = "budget"
    labels: int = 500

    def __post_init__(self):
        check_counts(self, labels=1)

    def __call__(self, progress: Progress) -> str | None:
        """Return why one may stop now, None where one may not."""
        spent = len(progress.finds) >= self.labels
        return f"the budget of {self.labels:,} answers is spent" if spent else None


@dataclass(frozen=True)
class Empty:
    """Stop after `answers` answers in a row without a find; the default is two pages of 24, as one would by feeling."""

    name: ClassVar[str] = "empty"
    answers: int = 50

    def __post_init__(self):
        check_counts(self, answers=1)

    def __call__(self, progress: Progress) -> str | None:
        """Return why one may stop now, None where one may not."""
        last = progress.finds[-self.answers :]
        dry = len(last) == self.answers and not last.any()
        return f"no find among the last {self.answers:,} answers" if dry else None


@dataclass(frozen=True)
class Knee:
    """Stop where the curve of finds has a knee, steep before and flat after it (Cormack and Grossman, 2016).

    The knee is the point farthest from the line between the ends of the curve. With f positives found there, the
    slope before it has to be 156 - min(f, 150) times that after; and there have to be `least` answers.
    """

    name: ClassVar[str] = "knee"
    least: int = 100

    def __post_init__(self):
        check_counts(self, least=1)

    def __call__(self, progress: Progress) -> str | None:
        """Return why one may stop now, None where one may not."""
        m = len(progress.finds)
        if m < self.least:
            return None
        curve = np.cumsum(progress.finds)
        at = int(np.argmax(curve / max(curve[-1], 1) - np.arange(1, m + 1) / m)) + 1
        if at == m:
            return None
        before, after = curve[at - 1] / at, (1 + curve[-1] - curve[at - 1]) / (m - at)
        if before / after < 156 - min(int(curve[at - 1]), 150):
            return None
        return f"the curve of finds has a knee after {at:,} answers"


@dataclass(frozen=True)
class Audited:
    """Stop when an audit certifies that `share` of the class is found."""

    name: ClassVar[str] = "audit"
    share: float = 0.8

    def __post_init__(self):
        check_share("audit", self.share)

    def __call__(self, progress: Progress) -> str | None:
        """Return why one may stop now, None where one may not."""
        passed = progress.recall_at_least is not None and progress.recall_at_least >= self.share
        return f"the audit certifies that at least {percent_of(self.share)} of the class is found" if passed else None


STOP_RULES: dict[str, type[StopRule]] = {kind.name: kind for kind in (TargetShare, Budget, Empty, Knee, Audited)}


def stop_rule(text: str) -> StopRule:
    """Return the rule that words such as "target 0.9" name; the number may be left out.

    Raises ValueError for a rule that is not known and for a number that it does not take.
    """
    name, _, number = text.strip().partition(" ") if isinstance(text, str) else ("", "", "")
    if name not in STOP_RULES:
        raise ValueError(
            f"rule {text!r} is not known; allowed: {', '.join(STOP_RULES)}, each with a number, as target 0.9"
        )
    try:
        value = [_number(number.strip())] if number.strip() else []
    except ValueError:
        cure = "give one with a point, and no sign behind it, such as target 0.9 (for 90 %)"
        raise ValueError(f"rule {text!r}: {number!r} is not a number; {cure}") from None
    try:
        return STOP_RULES[name](*value)
    except ValueError as error:
        raise ValueError(f"rule {text!r}: {error}") from None


def _number(text: str) -> int | float:
    """Read a number: a whole one as such, since some rules take no other."""
    try:
        return int(text)
    except ValueError:
        return float(text)
