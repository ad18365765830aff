"""How errors and remarks spell an option: as the user gives it, at a command, in Python or on the page.

These are three doors through which options and files come in; the page has one field alone. A cure helps only if it can
be given at the same door. `option_told` says how to give an option at the door at hand, `option_named` what it is
called there; `told_by` sets the door.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from shlex import quote
from typing import Literal

Value = str | Literal[True] | None  # True: of an option that is switched on; None: one to be filled in
Door = Callable[[str, Value], str]
_FOR_EXPORTS = ("images", "replace")


def by_keyword(option: str, value: Value) -> str:
    """Name an option as a keyword of `label_folder`, `read_labels`, `Pool.from_file` and others."""
    return f"{option}={'...' if value is None else value!r}"


def by_reading(option: str, value: Value) -> str:
    """Name an option of `read_labels` as `label_folder` and `make_job` take it."""
    return f"reading={{{option!r}: {'...' if value is None else repr(value)}}}"


def by_command(option: str, value: Value) -> str:
    """Name an option as commands take it: `elsa-nb label`, `elsa-nb labels import`, `elsa-nb bench`."""
    if value is True:
        return f"`--{option}`"
    return f"`--{option} {'...' if value is None else quote(value)}`"


def by_command_of_vectors(option: str, value: Value) -> str:
    """Name an option of the vectors for a command that reads labels as well: `elsa-nb bench`."""
    return by_command("vectors-encoding" if option == "encoding" else option, value)


def by_page(option: str, value: Value) -> str:
    """Say what to do on the page, which asks for the class that is looked for and for nothing else."""
    if option == "positive":
        return "write it into the field beside the button, and choose the file again"
    if option in _FOR_EXPORTS:
        return f"`elsa-nb labels export SESSION {by_command(option, value).strip('`')}`"
    column = "call the column 'item' in the file, or " if option == "item" else ""
    return f"{column}`elsa-nb labels import SESSION FILE {by_command(option, value).strip('`')}`"


def by_examples(option: str, value: Value) -> str:
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


@contextmanager
def told_of_reading() -> Iterator[None]:
    """Let options of `read_labels` be spelt as they are given beside those of `label_folder`, or of its command."""
    with told_by(by_reading if _DOOR.get() is by_keyword else _DOOR.get()):
        yield


def option_told(option: str, value: Value = None) -> str:
    """Return how to give an option, with this value: "`--strict`" or "strict=True" for True, "..." for None."""
    return _DOOR.get()(option, value)


def embedding_told(folder: str, name: str) -> str:
    """Return how to embed a folder under another name and label by that: a command, or calls in Python.

    `name` is an option of `elsa-nb embed`; for `elsa-nb label` it would be that of an example.
    """
    if _DOOR.get() is by_command:
        return f"`elsa-nb embed {quote(folder)} --name {quote(name)}`, which prints how to label by that"
    call = f"`elsa_nb.images.extraction.embed.embed_folder({folder!r}, name={name!r})`"
    return f"{call}, whose pool `label_folder` takes as {option_told('pool')}"


def option_named(option: str) -> str:
    """Return what an option is called, for a sentence about it: "--strict" in a command, else "strict"."""
    return f"--{option}" if _DOOR.get() in (by_command, by_command_of_vectors) else option
