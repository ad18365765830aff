"""What the panel says about the state of the work: how many are missing, what going on costs, when one may stop.

It never stops anything. `Advisor` keeps the estimates of the rounds so far and makes new ones when pages are answered;
the controller asks it.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from elsa_nb.counts import count_of, percent_of
from elsa_nb.search.contract import POSITIVE, UNSURE
from elsa_nb.search.stopping.by_scores import bracket, ends
from elsa_nb.search.stopping.remaining import Estimator, Evidence, Missing, silence
from elsa_nb.search.stopping.rules import Progress, TargetShare

MANY = 10**7  # finds: so many that the estimate can tell any share
LONG = 1.0  # finds: the advice names the fewest answers that are expected to bring so many


class Advisor:
    """The estimate after each page of `size` cards, by `estimate` (None: nothing is ever said), and advice.

    `target` is the share of the class that the person wants: once it is reached, the advice says that one may stop.
    """

    def __init__(self, estimate: Estimator | None, target: float | None, size: int):
        self.rule = None if target is None else TargetShare(share=target)
        # Other estimates than the panel's have other limits, which are not known here.
        self._least = least_finds(self.rule) if self.rule and estimate is bracket else 0
        self._estimate, self._size = estimate, size
        self._made: dict[int, Missing] = {}  # by the number of rounds
        self._at: tuple[int, int, int, bool, str] | None = None
        self._why: str | None = None
        self._beside = ""

    def __call__(
        self,
        evidence: Callable[[], Evidence],
        rounds: int,
        answers: int,
        seconds: float | None,
        seen_again: int = 0,
        *,
        over: bool = False,
        untold: str = "",
    ) -> dict[str, Any] | None:
        """Return what the screen shows: the bracket, how it was made, and the advice; None without an estimator.

        `evidence` is called only if a page of answers has come in since, or one of items seen again (`seen_again` such
        pages so far), or if every item has an answer by now (`over`); `rounds` are those that the search asked,
        `seconds` is the person's time for one answer. With `untold`, the reason, no estimate is shown yet.
        """
        if self._estimate is None:
            return None
        if (at := (rounds, answers // self._size, seen_again, over, untold)) != self._at:
            known = evidence()
            made = {before: each for before, each in self._made.items() if before < rounds}  # undo leads back
            missing = self._estimate(known)
            self._made = made | {rounds: silence(untold) if untold and not missing.silent and not over else missing}
            estimates = [each for _, each in sorted(self._made.items())]
            progress = Progress(known.labels == POSITIVE, known.seeds, estimates)
            self._at, self._why = at, self.rule(progress) if self.rule is not None else None
            self._beside = self._not_in_it(known)
        missing = self._made[rounds]
        shown = {name: getattr(missing, name) for name in ("middle", "low", "high")}
        stop = f"You may stop: {self._why}." if self._why else ""
        advice = " ".join(filter(None, [stop, price(missing.ahead, seconds)]))
        return shown | {"how": missing.how if missing.silent else missing.how + self._beside, "advice": advice}

    def _not_in_it(self, known: Evidence) -> str:
        """Return what an estimate leaves out and a person would look for: unsure answers, and a share out of reach."""
        unsure = int(np.count_nonzero(known.labels == UNSURE))
        said = f" {count_of(unsure, 'unsure answer counts', 'unsure answers count')} as neither." if unsure else ""
        if self.rule is not None and known.found < self._least:
            share = percent_of(self.rule.share)
            said += f" It can tell that {share} is found from {self._least:,} finds on; with fewer, an audit can."
        return said


def least_finds(rule: TargetShare) -> int:
    """Return with how many finds the bracket can say that the rule's share is found, where it expects no more.

    With fewer it leaves room for more than the missing share, however long no find comes.
    """

    def told(found: int) -> bool:
        _, middle, high = ends(0.0, found)
        return found >= rule.share * (found + max(middle + rule.caution * (high - middle), 0.0))

    return 1 + bisect_left(range(1, MANY), True, key=told)


def price(ahead: Sequence[tuple[int, float]], seconds: float | None) -> str:
    """Return in words what going on brings and costs, for the least number of answers that brings one more find."""
    if not ahead:
        return ""
    answers, finds = next(((k, finds) for k, finds in ahead if finds >= LONG), ahead[-1])
    more = f"about {finds:.0f}" if finds >= LONG else "hardly one"
    cost = "" if seconds is None else f", {duration(answers * seconds)}"
    return f"Going on: {more} more for {answers:,} answers{cost}."


def duration(seconds: float) -> str:
    """Return a time in words, rounded up to a minute."""
    minutes = int(np.ceil(seconds / 60))
    return "a minute" if minutes <= 1 else f"{minutes} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
