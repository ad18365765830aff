"""Which options count only beside others, or without them: one that would be passed over in silence is refused.

A command declares it where its options are declared (`arguments.Parser.declare_modes`); a function of Python that is
the same door checks the same declaration (`check_modes`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Only:
    """When an option counts: `told` in words that follow "counts only", `holds` of the values of all options by name.

    In `told` stand other options as "{pool}", which is --pool in a command and pool in Python.
    """

    told: str
    holds: Callable[[Mapping[str, Any]], Any]


class _Names(dict):
    def __missing__(self, key: str) -> str:
        return key


def check_modes(
    modes: Mapping[str, Only], given: Iterable[str], values: Mapping[str, Any], names: Mapping[str, str] | None = None
) -> None:
    """Raise ValueError for the first of the options `given` that has no effect beside the others.

    `values` are those of all options, by name; `names` says how options are called here (default: as in Python).
    """
    called = _Names(names or {})
    for option in given:
        if option in modes and not modes[option].holds(values):
            told = modes[option].told.format_map(called)
            raise ValueError(f"{called[option]} counts only {told}; leave it out")


def given_of(values: Mapping[str, Any]) -> list[str]:
    """Return the names of the options of a function that are not left at what means nothing: None, False or empty."""

    def nothing(value: Any) -> bool:
        return value is None or value is False or (isinstance(value, list | tuple) and not value)

    return [name for name, value in values.items() if not nothing(value)]
