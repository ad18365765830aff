"""How `elsa-nb` reads what was typed, where Python's argparse is stricter than people are.

`cli` makes its parser of `Parser`, and so are those of all its commands.
"""

import argparse
from collections.abc import Sequence
from typing import Any

from elsa_nb.option_rules import Only, check_modes

_EMPTY = "'' names nothing; is a variable of the shell not set?"


class Parser(argparse.ArgumentParser):
    """An `argparse.ArgumentParser` that takes options between arguments, and shows the usage of the command meant.

    In `labels export SESSION --kind coco FILE`, FILE stands behind an option. In older versions of Python, argparse has
    by then decided that there is no FILE, and reports it as unknown. An argument that a command does not know is
    reported with the usage of that command, not with that of the whole program. An option that can have no effect is
    refused (`declare_modes`), even with its default value, and so is an option for one value that was given two.
    """

    def __init__(self, *arguments: Any, **options: Any):
        """Make a parser as argparse does."""
        super().__init__(*arguments, **options)
        self.modes: dict[str, Only] = {}
        self._given: dict[str, str] = {}

    def declare_modes(self, **modes: Only) -> None:
        """Declare when options count, by the names of their values: `Only("without {pool}", ...)`."""
        self.modes |= modes

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Return the options and nothing else; end with a usage error where something is left over.

        Raises ValueError for an option that does not count beside the others.
        """
        self._given = {}
        options, left = super().parse_known_args(args, namespace)
        for argument in self._get_positional_actions():
            given = getattr(options, argument.dest, None)
            if argument.nargs == argparse.OPTIONAL and given is None and left and not left[0].startswith("-"):
                try:
                    setattr(options, argument.dest, self._get_value(argument, left.pop(0)))
                except argparse.ArgumentError as error:
                    self.error(str(error))
        if left:
            blank = "" if left[0].startswith("-") else "; a name that contains a blank needs quotes around it"
            self.error(f"unrecognized arguments: {' '.join(left)}{blank}")
        typed = {each.dest: each.option_strings[-1] for each in self._actions if each.option_strings}
        check_modes(self.modes, self._given, vars(options), typed | self._given)
        return options, left

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """Return what was typed for an option or argument, and remember the option."""
        if action.option_strings:
            once = action.nargs != 0 and not isinstance(action, argparse._AppendAction)
            if once and action.dest in self._given:
                raise argparse.ArgumentError(action, f"takes one value, and was given another: {' '.join(arg_strings)}")
            self._given[action.dest] = action.option_strings[-1]
        return super()._get_values(action, arg_strings)

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        """Return what was typed, of its type; refuse an empty text, unless its type is `maybe_nothing`."""
        if not arg_string and action.type is None and action.nargs != argparse.PARSER:  # else: what a command gets
            raise argparse.ArgumentError(action, _EMPTY)
        return super()._get_value(action, arg_string)


def maybe_nothing(text: str) -> str:
    """Return a text that was typed, as it was: the type of an option for which "" is a value.

    A column or an array may be called so, an address may begin with nothing, and a page may have no token.
    """
    return text


def typed_path(text: str) -> str:
    """Return a path that was typed, as it was; raise ArgumentTypeError for an empty one, which would mean ".".

    The type of whatever takes a path, on the command line: files, folders, sessions, pools.
    """
    if not text:
        raise argparse.ArgumentTypeError(_EMPTY)
    return text


def typed_share(text: str) -> float:
    """Return a share that was typed as 0.9, 0,9 or 90%; raise ArgumentTypeError for what is not a number."""
    number = text.strip().removesuffix("%").replace(",", ".")
    try:
        return float(number) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share; give one such as 0.9 or 90%") from None
