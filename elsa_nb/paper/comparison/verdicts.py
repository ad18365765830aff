"""A verdict for every claim of the paper, computed by a stated rule from results: never typed.

Notebook 99 starts at `verdicts`. `data/claims/claims.csv` lists the claims; the modules `rules` hold one small
function for each that can be tested. It takes the results of the claim's sweeps (those of one reading) and returns its
*tests*, each a number against a threshold; the same thresholds are applied to what the paper printed.

A measure of many searches passes where it lies beyond its threshold in most classes, beyond what chance would do: a
sign test, corrected for the number of all such tests of the page (Holm). Where chance explains it, in one direction or
the other, the test is *open*. A claim holds where all tests pass, holds in part where some do, does not hold where none
does and one fails; where all are open it cannot be told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from elsa_nb import store
from elsa_nb.paper.comparison import rules
from elsa_nb.paper.comparison.tables import Results
from elsa_nb.paper.experiments import catalogue
from elsa_nb.paper.measures.intervals import holm
from elsa_nb.paper.measures.printed import CLAIMS, printed_cells
from elsa_nb.paper.measures.rules import RuleTest, rules_of
from elsa_nb.search.readings import READINGS

ALL_RULES = catalogue.RULES | rules_of(rules)
VERDICTS = ("holds", "holds in part", "does not hold", "cannot be told", "not testable here")
OWN_NUMBERS = "the paper's own numbers"  # the rule applied to what the paper printed
NO_READING = {"complexity": "section 5", "printed": OWN_NUMBERS}  # what a claim on no search is judged by
_COLUMNS = ("id", "where", "sentence", "numbers", "sweep", "untested", "own_numbers")
CHANCE = 0.05  # after the correction


@dataclass
class _Judged:
    """A claim in one reading: its tests, or the reason why there are none."""

    claim: Any
    reading: str
    says: str = ""
    tests: Sequence[RuleTest] = ()
    reason: str = ""
    outcomes: list[str] = field(default_factory=list)


def list_claims() -> pd.DataFrame:
    """Return the paper's claims: id, where, sentence, numbers, sweep, untested, own_numbers.

    `untested` says why nothing here tests it, `own_numbers` a remark where the paper's own do not bear it out.
    """
    path = CLAIMS / "claims.csv"
    with store.reading(path, "the list of claims", f"{store.RESTORED} brings it back."):
        claims = pd.read_csv(path, dtype=str, keep_default_na=False)
        if lacking := set(_COLUMNS) - set(claims):
            raise ValueError(f"it lacks the column {sorted(lacking)[0]}")
        return claims


def verdicts(
    found: Results, fitted: pd.DataFrame | None = None, others: Mapping[str, pd.DataFrame] | None = None
) -> pd.DataFrame:
    """Return one row per claim and reading, and one for what the paper's own numbers say by the same rule.

    Columns: id, where, sentence, reading, verdict, passed, open, tests, numbers, rule, sweep, said. `fitted` are the
    exponents of section 5 (`complexity.tables.stored_exponents`), `others` frames that are of no sweep: the searches of
    the toy latent space (`toy.rules.toy_frames`) and "purity", how tight classes lie (`runs.purity.tightness`);
    without them their claims are not testable.
    """
    frames = dict(found.frames) | dict(others or {})
    frames |= {"printed": pd.concat([printed_cells(number) for number in (2, 3, 4, 8, 9)])}
    frames |= {} if fitted is None else {"complexity": fitted}
    missing = {"complexity": "no measurements yet: run notebook 12 in this profile"} | dict(found.missing)
    judged = []
    for claim in list_claims().itertuples():
        readings = [NO_READING[claim.sweep]] if claim.sweep in NO_READING else list(READINGS)
        for reading in readings if claim.sweep else ["-"]:
            judged.append(_judge(claim, frames, missing, reading, found))
        if claim.sweep and OWN_NUMBERS not in readings:
            judged.append(_judge_printed(claim))
    _settle(judged)
    return pd.DataFrame([_row(each) for each in judged])


def verdict(outcomes: Sequence[str]) -> str:
    """Return what the outcomes of a claim's tests ("yes", "no", "open") say together; without any: not testable."""
    if not outcomes:
        return VERDICTS[4]
    if "yes" in outcomes:
        return VERDICTS[0] if set(outcomes) == {"yes"} else VERDICTS[1]
    return VERDICTS[2] if "no" in outcomes else VERDICTS[3]


def overview(judged: pd.DataFrame) -> pd.DataFrame:
    """Lay the verdicts out: one row per claim; columns for each reading, for what needs no search, for the paper."""
    plain = "without a search"
    wide = judged.assign(reading=judged["reading"].where(judged["reading"].isin([*READINGS, OWN_NUMBERS]), plain))
    wide = wide.pivot(index=["id", "where", "sentence"], columns="reading", values="verdict")
    order = judged.drop_duplicates("id").set_index(["id", "where", "sentence"]).index
    return wide.reindex(order, columns=[*READINGS, plain, OWN_NUMBERS], fill_value="").fillna("")


def evidence(judged: pd.DataFrame) -> pd.DataFrame:
    """Lay out what each tested verdict rests on: one row per claim and reading, its rule and its numbers."""
    tested = judged[judged["tests"] > 0]
    count = tested["passed"].astype(str) + " of " + tested["tests"].astype(str)
    rule = tested["rule"].where(~tested["id"].duplicated(), "")  # once per claim
    shown = tested.assign(passes=count, rule=rule)[["id", "reading", "verdict", "passes", "numbers", "rule"]]
    return shown.set_index(["id", "reading"])


def against_itself(judged: pd.DataFrame) -> pd.DataFrame:
    """Return the claims that the paper's own printed numbers do not bear out in full, with a remark on each."""
    rows = judged[(judged["reading"] == OWN_NUMBERS) & (judged["tests"] > judged["passed"])]
    return rows.set_index("id")[["where", "verdict", "numbers", "said"]]


def by_verdict(judged: pd.DataFrame) -> pd.DataFrame:
    """Return which claims have each verdict: one row per verdict, the columns of `overview`; "5: their ids"."""
    wide = overview(judged).droplevel(["where", "sentence"])
    cells = {
        column: {word: wide.index[wide[column] == word].tolist() for word in VERDICTS}
        for column in wide
        if wide[column].any()
    }
    text = {
        column: {word: f"{len(ids)}: {', '.join(ids)}" if ids else "0" for word, ids in row.items()}
        for column, row in cells.items()
    }
    return pd.DataFrame(text).rename_axis("verdict")


def both_readings(judged: pd.DataFrame) -> pd.DataFrame:
    """Return which claims have which two verdicts: a row for each in the first reading, a column for the second."""
    one, other = READINGS
    wide = overview(judged).reset_index()
    names = {
        second: {first: ", ".join(wide["id"][(wide[one] == first) & (wide[other] == second)]) for first in VERDICTS}
        for second in VERDICTS
    }
    pairs = pd.DataFrame(names).rename_axis(index=one, columns=other)
    return pairs.loc[(pairs != "").any(axis=1), (pairs != "").any(axis=0)]


def count_tests(judged: pd.DataFrame) -> pd.Series:
    """Return how many tests the page makes on results (not on printed numbers), and how they come out."""
    here = judged[judged["reading"] != OWN_NUMBERS][["tests", "passed", "open"]].sum()
    return pd.Series(
        {
            "tests": here["tests"],
            "pass": here["passed"],
            "open": here["open"],
            "fail": here["tests"] - here["passed"] - here["open"],
        }
    )


def _settle(judged: Sequence[_Judged]) -> None:
    """Give every test its outcome, chance corrected for the number of all tests that it could explain."""
    chances = [test.chance for each in judged for test in each.tests if test.chance is not None]
    corrected = iter(holm(chances))
    for each in judged:
        for test in each.tests:
            explained = test.chance is not None and next(corrected) >= CHANCE
            each.outcomes.append("open" if explained else "yes" if test.passes else "no")


def _row(each: _Judged) -> dict[str, Any]:
    claim = each.claim
    shown = "; ".join(f"{test.says} ({outcome})" for test, outcome in zip(each.tests, each.outcomes, strict=True))
    return {
        "id": claim.id,
        "where": claim.where,
        "sentence": claim.sentence,
        "reading": each.reading,
        "verdict": verdict(each.outcomes),
        "passed": each.outcomes.count("yes"),
        "open": each.outcomes.count("open"),
        "tests": len(each.tests),
        "numbers": shown or each.reason,
        "rule": each.says,
        "sweep": claim.sweep,
        "said": claim.own_numbers if each.reading == OWN_NUMBERS else "",
    }


def _judge(
    claim: Any, frames: Mapping[str, pd.DataFrame], missing: Mapping[str, str], reading: str, found: Results
) -> _Judged:
    if not claim.sweep:
        return _Judged(claim, reading, reason=claim.untested)
    chosen = ALL_RULES[claim.id]
    own = {}
    for named in claim.sweep.split():
        sweep = named.strip("()")
        frame = frames.get(sweep, pd.DataFrame())
        if reading in READINGS and "reading" in frame:
            frame = frame[frame["reading"] == reading]
        if not frame.empty:
            own[sweep] = frame
        elif sweep == named:  # in brackets: a help where it was run
            reason = missing.get(sweep, f"the sweep {sweep} is not part of profile {found.profile}")
            reason = f"the sweep {sweep} was not run in this reading" if sweep in frames else reason
            return _Judged(claim, reading, chosen.says, reason=reason)
    numbers = {name: float(value) for name, _, value in (part.partition("=") for part in claim.numbers.split())}
    tests = chosen.tests(own, numbers)
    if isinstance(tests, str):
        return _Judged(claim, reading, chosen.says, reason=tests)
    return _Judged(claim, reading, chosen.says, tests)


def _judge_printed(claim: Any) -> _Judged:
    chosen = ALL_RULES[claim.id]
    if isinstance(chosen.printed, str):
        return _Judged(claim, OWN_NUMBERS, chosen.says, reason=chosen.printed)
    return _Judged(claim, OWN_NUMBERS, chosen.says, chosen.printed())
