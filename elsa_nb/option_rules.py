"""Which options count only with others, or only without them: an option that would be ignored is refused.

A command declares this where its options are declared (`arguments.Parser.declare_modes`); the function of Python that
does the same checks the same declaration (`check_modes`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Only:
    """When an option counts: `told` says it after the words "counts only", `holds` decides it from all options' values.

    `holds` takes the values by name. In `told` other options are written as "{pool}": --pool in a command, pool in
    Python.
    """

    told: str
    holds: Callable[[Mapping[str, Any]], Any]


class _Names(dict):
    def __missing__(self, key: str) -> str:
        return key


def check_modes(
    modes: Mapping[str, Only], given: Iterable[str], values: Mapping[str, Any], names: Mapping[str, str] | None = None
) -> None:
    """Raise ValueError for the first of the options `given` that has no effect with the others.

    `values` are those of all options, by name; `names` are what options are called here (default: as in Python).
    """
    called = _Names(names or {})
    for option in given:
        if option in modes and not modes[option].holds(values):
            told = modes[option].told.format_map(called)
            raise ValueError(f"{called[option]} counts only {told}; leave it out")


def given_of(values: Mapping[str, Any]) -> list[str]:
    """Return the names of the options of a function that were given: not None, False or empty."""

    def nothing(value: Any) -> bool:
        return value is None or value is False or (isinstance(value, list | tuple) and not value)

    return [name for name, value in values.items() if not nothing(value)]
