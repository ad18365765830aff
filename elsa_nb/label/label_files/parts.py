"""The parts of a JSON value, checked: a file of a known outline may hold anything in it."""

from typing import Any


def record(value: Any, where: str) -> dict[str, Any]:
    """Return a part that is to be an object, {} for none; ValueError for anything else."""
    if not value:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{where} is {_shown(value)}, where a JSON object belongs")
    return value


def listed(value: Any, where: str) -> list[Any]:
    """Return a part that is to be a list, [] for none; ValueError for anything else."""
    if not value:
        return []
    if not isinstance(value, list):
        raise ValueError(f"{where} is {_shown(value)}, where a list belongs")
    return value


def records(value: Any, where: str) -> list[dict[str, Any]]:
    """Return a part that is to be a list of objects; ValueError for anything else."""
    return [record(each, f"entry {i} of {where}") for i, each in enumerate(listed(value, where), 1)]


def word(value: Any, where: str) -> str | int | float | None:
    """Return a part that is to be a word or a number; ValueError for a list or an object."""
    if isinstance(value, list | dict):
        raise ValueError(f"{where} is {_shown(value)}, where a word belongs")
    return value


def _shown(value: Any) -> str:
    text = str(value)
    return repr(value) if isinstance(value, str) and len(value) <= 40 else text[:40] + "..." * (len(text) > 40)
