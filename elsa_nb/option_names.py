"""How errors and remarks about a file spell an option: as the user gives it, wherever the file came in.

A file comes in through a line of Python, a command, or the page, which has one field: three doors. A cure helps only if
it can be given at the same door. `option_told` spells an option of `read_labels`, or the encoding of any text, for the
door at hand; `told_by` sets the door.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from shlex import quote

Door = Callable[[str, str | None], str]


def by_keyword(option: str, value: str | None) -> str:
    """Name an option as a keyword of `read_labels`, `Pool.from_file` and others."""
    return f"{option}={'...' if value is None else value!r}"


def by_reading(option: str, value: str | None) -> str:
    """Name an option as `label_folder` and `make_job` take it."""
    return f"reading={{{option!r}: {'...' if value is None else repr(value)}}}"


def by_command(option: str, value: str | None) -> str:
    """Name an option as commands take it: `elsa-nb label`, `elsa-nb labels import`, `elsa-nb bench`."""
    return f"`--{option} {'...' if value is None else quote(value)}`"


def by_command_of_vectors(option: str, value: str | None) -> str:
    """Name an option of the vectors for a command that reads labels as well: `elsa-nb bench`."""
    return by_command(f"vectors-{option}", value)


def by_page(option: str, value: str | None) -> str:
    """Say what to do on the page, which asks for the class that is looked for and for nothing else."""
    if option == "positive":
        return "write it into the field beside the button, and choose the file again"
    column = "call the column 'item' in the file, or " if option == "item" else ""
    return f"{column}`elsa-nb labels import SESSION FILE {by_command(option, value).strip('`')}`"


def by_examples(option: str, value: str | None) -> str:
    """Say what to do with a file of examples, which comes without options."""
    cures = {"item": "call the column 'item' in the file", "encoding": "save it as UTF-8"}
    return cures.get(option, "write the names alone, one per line")


_DOOR: ContextVar[Door] = ContextVar("_DOOR", default=by_keyword)


@contextmanager
def told_by(door: Door) -> Iterator[None]:
    """Let errors and remarks spell options as they are given at this door; the default is keywords of Python."""
    before = _DOOR.set(door)
    try:
        yield
    finally:
        _DOOR.reset(before)


def option_told(option: str, value: str | None = None) -> str:
    """Return how to give an option, with this value or, for None, with one to be filled in."""
    return _DOOR.get()(option, value)


def is_command() -> bool:
    """Whether a command is at work."""
    return _DOOR.get() is by_command
