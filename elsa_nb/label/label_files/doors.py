"""How errors and remarks about a file of labels name an option: as it is given where the file came in.

A file comes from a line of Python, from a command, or from the page, which has one field; a cure that only another of
them takes is none. `option_told` names an option of `reader.read_labels` for where one stands, `told_by` says where.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from shlex import quote

Door = Callable[[str, str | None], str]


def by_keyword(option: str, value: str | None) -> str:
    """Name an option as a keyword of `read_labels`."""
    return f"{option}={'...' if value is None else value!r}"


def by_reading(option: str, value: str | None) -> str:
    """Name an option as `label_folder` and `make_job` take it."""
    return f"reading={{{option!r}: {'...' if value is None else repr(value)}}}"


def by_command(option: str, value: str | None) -> str:
    """Name an option as commands take it: `elsa-nb label`, `elsa-nb labels import`, `elsa-nb bench`."""
    return f"`--{option} {'...' if value is None else quote(value)}`"


def by_page(option: str, value: str | None) -> str:
    """Say what to do on the page, which asks for the class that is looked for and for nothing else."""
    if option == "positive":
        return "write it into the field beside the button, and choose the file again"
    column = "call the column 'item' in the file, or " if option == "item" else ""
    return f"{column}`elsa-nb labels import SESSION FILE {by_command(option, value).strip('`')}`"


def by_examples(option: str, value: str | None) -> str:
    """Say what to do with a file of examples, which comes without options."""
    return "call the column 'item' in the file" if option == "item" else "write the names alone, one a line"


_DOOR: ContextVar[Door] = ContextVar("_DOOR", default=by_keyword)


@contextmanager
def told_by(door: Door) -> Iterator[None]:
    """Let errors and remarks name options as they are given at this door; by default as keywords of Python."""
    before = _DOOR.set(door)
    try:
        yield
    finally:
        _DOOR.reset(before)


def option_told(option: str, value: str | None = None) -> str:
    """Return how to give an option of `read_labels`, with this value or, None, one to be filled in."""
    return _DOOR.get()(option, value)


def is_command() -> bool:
    """Whether a command is at work."""
    return _DOOR.get() is by_command
