"""How `elsa-nb` reads what was typed, where Python's argparse is stricter than people are.

`cli` makes its parser of `Parser`, and so are those of all its commands.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from elsa_nb.option_rules import Only, check_modes

_EMPTY = "'' names nothing; is a variable of the shell not set?"


class Parser(argparse.ArgumentParser):
    """An `argparse.ArgumentParser` that takes options between arguments, and shows the usage of the command meant.

    In `labels export SESSION --kind coco FILE`, FILE stands behind an option. In older versions of Python, argparse has
    by then decided that there is no FILE, and reports it as unknown. An argument that a command does not know is
    reported with the usage of that command, not with that of the whole program. Refused are an option that has no
    effect beside the others, even where the value typed is its default (`declare_modes`), an option of one value that
    is typed twice, and an empty text, unless the type of the option is `maybe_nothing`.
    """

    def __init__(self, *arguments: Any, **options: Any):
        """Make a parser as argparse does."""
        super().__init__(*arguments, **options)
        self.modes: dict[str, Only] = {}
        self.given: dict[str, str] = {}  # what was typed: the options, by the names of their values
        # argparse notes nowhere what was typed; these three do. `None` is what counts where none is named.
        for name, action in ((None, _Store), ("store", _Store), ("store_true", _Flag), ("append", _Append)):
            self.register("action", name, action)
        self.register("type", None, typed_text)

    def add_subparsers(self, **options: Any) -> Any:
        """Return what takes commands, as argparse does; each looks at its own arguments, of which some may be empty."""
        commands = super().add_subparsers(**options)
        commands.type = str
        return commands

    def declare_modes(self, **modes: Only) -> None:
        """Declare when options count, by the names of their values: `Only("without {pool}", ...)`."""
        self.modes |= modes

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Return the options and nothing else; end with a usage error where something is left over.

        Raises ValueError for an option that does not count beside the others.
        """
        self.given = {}
        options, left = super().parse_known_args(args, namespace)
        declared = self._actions  # of which argparse has no public list
        for argument in declared:
            optional = not argument.option_strings and argument.nargs == argparse.OPTIONAL
            if optional and getattr(options, argument.dest, None) is None and left and not left[0].startswith("-"):
                taken: Any = argument.type or typed_text
                try:
                    setattr(options, argument.dest, taken(left.pop(0)))
                except argparse.ArgumentTypeError as error:
                    self.error(str(argparse.ArgumentError(argument, str(error))))
        if left:
            blank = "" if left[0].startswith("-") else "; a name that contains a blank needs quotes around it"
            self.error(f"unrecognized arguments: {' '.join(left)}{blank}")
        typed = {each.dest: each.option_strings[-1] for each in declared if each.option_strings}
        check_modes(self.modes, self.given, vars(options), typed | self.given)
        return options, left


class _Store(argparse.Action):
    """The action of an option or argument of one value, or of a fixed number of them, that may be given once."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if option_string is not None:
            if self.dest in parser.given:
                another = " ".join(map(str, values)) if isinstance(values, list) else values
                raise argparse.ArgumentError(self, f"takes one value, and was given another: {another}")
            parser.given[self.dest] = self.option_strings[-1]
        setattr(namespace, self.dest, values)


class _Flag(argparse.Action):
    """The action of an option without a value, that may be given several times."""

    def __init__(self, option_strings: Sequence[str], dest: str, default: Any = False, **options: Any):
        super().__init__(option_strings, dest, nargs=0, default=default, **options)

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        parser.given[self.dest] = self.option_strings[-1]
        setattr(namespace, self.dest, True)


class _Append(argparse.Action):
    """The action of an option that may be given several times, with a value each."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        parser.given[self.dest] = self.option_strings[-1]
        setattr(namespace, self.dest, [*(getattr(namespace, self.dest, None) or ()), values])


def typed_text(text: str) -> str:
    """Return a text that was typed, as it was; raise ArgumentTypeError for an empty one.

    The type of whatever has no other, on the command line.
    """
    if not text:
        raise argparse.ArgumentTypeError(_EMPTY)
    return text


def maybe_nothing(text: str) -> str:
    """Return a text that was typed, as it was: the type of an option for which "" is a value.

    A column or an array may be called so, an address may begin with nothing, and a page may have no token.
    """
    return text


def typed_path(text: str) -> str:
    """Return a path that was typed, with `~/` as the home folder; raise ArgumentTypeError for an empty one, as for ".".

    The type of whatever takes a path, on the command line: files, folders, sessions, pools. A shell puts the home
    folder in the place of `~` itself, but not in `--out=~/pool`.
    """
    return str(Path(text).expanduser()) if typed_text(text).startswith("~/") else text


def typed_share(text: str) -> float:
    """Return a share that was typed as 0.9, 0,9 or 90%; raise ArgumentTypeError for what is not a number."""
    number = text.strip().removesuffix("%").replace(",", ".")
    try:
        return float(number) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share; give one such as 0.9 or 90%") from None
