"""The searches of many drawn toy spaces, kept: they take over a minute, and two notebooks show them.

`data/results/toy.json` is valid while what was computed is the same: the version of what a search does, and the cases.
"""

import io
from dataclasses import asdict
from typing import NamedTuple

import pandas as pd

from elsa_nb import store
from elsa_nb.paper.experiments.toy import rands, space
from elsa_nb.search.config import SearchConfig
from elsa_nb.search.version import SEARCH

SPACES = 200
PATH = store.OUTPUT / "results" / "toy.json"


class ToyResults(NamedTuple):
    """What happened in the spaces 0, 1, ...: `runs` as `space.repeat_searches`, `rounds` as `counts_by_space`."""

    runs: pd.DataFrame
    rounds: pd.DataFrame


def toy_results() -> ToyResults:
    """Return the stored searches; where they are of another version or not there, make them first (two minutes)."""
    key = _key()
    kept = store.locate("results/toy.json")
    if kept.exists():
        card = store.read_card(kept, "the searches of the toy spaces", f"{store.RESTORED} brings it back.")
        if card["of"] == key:
            runs, rounds = (pd.read_csv(io.StringIO(card[name])) for name in ToyResults._fields)
            return ToyResults(runs, rounds)
    found = ToyResults(space.repeat_searches(SPACES), rands.counts_by_space(SPACES))
    tables = {"runs": found.runs.to_csv(index=False), "rounds": found.rounds.to_csv(index=False)}
    store.write_card(PATH, {"of": key, **tables})
    return found


def _key() -> str:
    """Return a hash of what the searches are made of; a field at its default changes no log, so it does not count."""
    default = asdict(SearchConfig())
    cases = {
        case: (asdict(geometry), {name: value for name, value in asdict(how).items() if value != default[name]})
        for case, (geometry, how) in space.TOY_CASES.items()
    }
    return store.sha256_bytes(repr((SEARCH, SPACES, cases, rands.VARIANTS)).encode())
