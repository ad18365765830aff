"""All experiments: their sweeps, exhibits and rules, collected from the folders beside this file.

A folder here is an experiment. What it offers is in modules of the same names in each, any of which may be missing:
`sweep` (SWEEPS: {sweep: {profile: Sweep}}), `exhibits` (EXHIBITS) and `rules` (functions under `@rule`). Notebooks
start at `run_sweep`.
"""

import functools
import pkgutil
from importlib import import_module
from types import ModuleType
from typing import Any

import pandas as pd

from elsa_nb.errors import check_known
from elsa_nb.paper import experiments
from elsa_nb.paper.measures.exhibit import Exhibit
from elsa_nb.paper.measures.rules import Rule, rules_of
from elsa_nb.paper.runs import runner
from elsa_nb.paper.runs.grid import Sweep


def _modules(name: str) -> dict[str, ModuleType]:
    """Return {folder: its module `name`} for the experiments that have one."""
    found = {}
    for folder in pkgutil.iter_modules(experiments.__path__, f"{experiments.__name__}."):
        if folder.ispkg:
            files = pkgutil.iter_modules(import_module(folder.name).__path__)
            if name in {file.name for file in files}:
                found[folder.name] = import_module(f"{folder.name}.{name}")
    return found


def _joined(offered: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the entries of all experiments, in the order of the notebooks that show them first.

    Raises ValueError for a name that two of them give away.
    """
    joined: dict[str, Any] = {}
    for folder in sorted(offered, key=lambda folder: _FIRST.get(folder, "")):
        if twice := sorted(joined.keys() & offered[folder].keys()):
            raise ValueError(f"{twice[0]!r} is in two experiments, one of them {folder}; give it another name there")
        joined |= offered[folder]
    return joined


_SHOWN: dict[str, tuple[Exhibit, ...]] = {folder: module.EXHIBITS for folder, module in _modules("exhibits").items()}
_FIRST = {folder: min(exhibit.notebook for exhibit in exhibits) for folder, exhibits in _SHOWN.items()}
EXHIBITS: dict[str, Exhibit] = dict(
    sorted(
        _joined({folder: {each.name: each for each in exhibits} for folder, exhibits in _SHOWN.items()}).items(),
        key=lambda entry: entry[1].notebook,
    )
)
SWEEPS: dict[str, dict[str, Sweep]] = _joined({folder: module.SWEEPS for folder, module in _modules("sweep").items()})
RULES: dict[str, Rule] = _joined({folder: rules_of(module) for folder, module in _modules("rules").items()})


def sweep(name: str, profile: str) -> Sweep:
    """Return the sweep `name` as `profile` runs it; ValueError where either is unknown."""
    check_known("sweep", name, SWEEPS)
    if not isinstance(profile, str) or profile not in SWEEPS[name]:
        raise ValueError(f"sweep {name!r} has no profile {profile!r}; allowed: {', '.join(SWEEPS[name])}")
    return SWEEPS[name][profile]


def run_sweep(name: str, profile: str, **options: Any) -> pd.DataFrame:
    """Return the results of sweep `name` in `profile`, one row per search; the `options` are those of `runner.run`.

    What notebooks say in words is about profile `full`. In another one this is printed, the first time.
    """
    frame = runner.run(sweep(name, profile), profile, **options)
    if profile != "full":
        _say_what_words_are_about(profile)
    return frame


@functools.cache
def _say_what_words_are_about(profile: str) -> None:
    print(f"The sentences below are about profile full; these outputs are of profile {profile}.")
