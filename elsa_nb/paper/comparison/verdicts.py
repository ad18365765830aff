"""A verdict for every claim of the paper, computed by a stated rule from results: never typed.

Notebook 99 starts at `verdicts`. `data/claims/claims.csv` lists the claims; the modules `rules` hold one small
function for each that can be tested. It takes the results of the claim's sweeps (those of one reading) and returns its
*tests*, each a number against a threshold. A claim holds where all tests pass, holds in part where some do, does not
hold where none does.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from elsa_nb import store
from elsa_nb.paper.comparison import rules
from elsa_nb.paper.comparison.tables import Results
from elsa_nb.paper.experiments import catalogue
from elsa_nb.paper.measures.printed import CLAIMS, printed_cells
from elsa_nb.paper.measures.rules import RuleTest, rules_of
from elsa_nb.search.readings import READINGS

ALL_RULES = catalogue.RULES | rules_of(rules)
VERDICTS = ("holds", "holds in part", "does not hold", "not testable here")
NO_READING = {"complexity": "section 5", "printed": "the paper itself"}  # what a claim on no search is judged by


def list_claims() -> pd.DataFrame:
    """Return the paper's claims: id, where, sentence, numbers, sweep, untested (why nothing here tests it)."""
    path = CLAIMS / "claims.csv"
    with store.reading(path, "the list of claims", f"{store.RESTORED} brings it back."):
        claims = pd.read_csv(path, dtype=str, keep_default_na=False)
        if lacking := {"id", "where", "sentence", "numbers", "sweep", "untested"} - set(claims):
            raise ValueError(f"it lacks the column {sorted(lacking)[0]}")
        return claims


def verdicts(
    found: Results, fitted: pd.DataFrame | None = None, toys: Mapping[str, pd.DataFrame] | None = None
) -> pd.DataFrame:
    """Return a row a claim and reading: id, where, sentence, reading, verdict, passed, tests, numbers, rule, sweep.

    `fitted` are the exponents of section 5 (`complexity.tables.stored_exponents`), `toys` the searches of the toy
    latent space (`toy.rules.toy_frames`); without them their claims are not testable.
    """
    frames = (
        dict(found.frames)
        | dict(toys or {})
        | {"printed": pd.concat([printed_cells(number) for number in (2, 3, 4, 8, 9)])}
    )
    frames |= {} if fitted is None else {"complexity": fitted}
    missing = {"complexity": "no measurements yet: run notebook 12 in this profile"} | dict(found.missing)
    rows = []
    for claim in list_claims().itertuples():
        readings = [NO_READING[claim.sweep]] if claim.sweep in NO_READING else list(READINGS)
        for reading in readings if claim.sweep else ["-"]:
            judged = _judge(claim, frames, missing, reading, found)
            rows.append((claim.id, claim.where, claim.sentence, reading, *judged, claim.sweep))
    columns = ["id", "where", "sentence", "reading", "verdict", "passed", "tests", "numbers", "rule", "sweep"]
    return pd.DataFrame(rows, columns=columns)


def verdict(tests: list[RuleTest]) -> str:
    """Return what the tests say: all, some or none pass; without any the claim is not testable here."""
    if not tests:
        return VERDICTS[3]
    passed = sum(test.passes for test in tests)
    return VERDICTS[0] if passed == len(tests) else VERDICTS[1] if passed else VERDICTS[2]


def overview(judged: pd.DataFrame) -> pd.DataFrame:
    """Lay the verdicts out: a row a claim, a column a reading; claims that no search tests have one verdict."""
    wide = judged.assign(reading=judged["reading"].where(judged["reading"].isin(list(READINGS)), "as printed"))
    wide = wide.pivot(index=["id", "where", "sentence"], columns="reading", values="verdict")
    order = judged.drop_duplicates("id").set_index(["id", "where", "sentence"]).index
    return wide.reindex(order, columns=[*READINGS, "as printed"]).fillna("")


def evidence(judged: pd.DataFrame) -> pd.DataFrame:
    """Lay out what each tested verdict rests on: a row a claim and reading, its rule and its numbers."""
    tested = judged[judged["tests"] > 0]
    count = tested["passed"].astype(str) + " of " + tested["tests"].astype(str)
    shown = tested.assign(passes=count)[["id", "reading", "verdict", "passes", "numbers", "rule"]]
    return shown.set_index(["id", "reading"])


def _judge(
    claim: Any, frames: Mapping[str, pd.DataFrame], missing: Mapping[str, str], reading: str, found: Results
) -> tuple:
    """Return verdict, tests passed, tests, their numbers (or the reason without any) and the rule's words."""
    if not claim.sweep:
        return VERDICTS[3], 0, 0, claim.untested, ""
    chosen = ALL_RULES[claim.id]
    own = {}
    for sweep in claim.sweep.split():
        if sweep not in frames:
            reason = missing.get(sweep, f"the sweep {sweep} is not part of profile {found.profile}")
            return VERDICTS[3], 0, 0, reason, chosen.says
        frame = frames[sweep]
        own[sweep] = frame[frame["reading"] == reading] if reading in READINGS else frame
        if own[sweep].empty:
            return VERDICTS[3], 0, 0, f"the sweep {sweep} was not run in this reading", chosen.says
    numbers = {name: float(value) for name, _, value in (part.partition("=") for part in claim.numbers.split())}
    numbers |= {f"top1 {encoder}": value for encoder, value in found.top1.items()}
    numbers["printed discovery on Food-101"] = (
        printed_cells(11).query("seeds == '5' and metric == 'discovery_rate'")["value"].item()
    )
    tests = chosen.tests(own, numbers)
    if isinstance(tests, str):
        return VERDICTS[3], 0, 0, tests, chosen.says
    shown = "; ".join(f"{test.says} ({'yes' if test.passes else 'no'})" for test in tests)
    return verdict(tests), sum(test.passes for test in tests), len(tests), shown, chosen.says
