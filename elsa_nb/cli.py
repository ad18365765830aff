"""The command `elsa-nb`."""

import argparse
import ast
import sys
from collections.abc import Sequence

from elsa_nb import __version__
from elsa_nb.images import training_options
from elsa_nb.profiles import PROFILES, profile


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status. Errors of the user's are one sentence, not a traceback."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, FileNotFoundError) as error:
        print(f"elsa-nb: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nelsa-nb: stopped; what is finished is kept, the same command goes on from there", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="elsa-nb", description="Find every example of a rare class: ELSA, reproduced."
    )
    parser.add_argument("--version", action="version", version=f"elsa-nb {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    reproduce = commands.add_parser("reproduce", help="run every notebook and write the report")
    reproduce.add_argument("--profile", default="quick", help=f"one of {', '.join(PROFILES)} (default: quick)")
    reproduce.add_argument(
        "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="another notebook parameter"
    )
    reproduce.set_defaults(run=_reproduce)

    embed = commands.add_parser("embed", help="extract the bundled images with both encoders")
    embed.add_argument("--encoder", action="append", help="vicreg or barlow-twins (default: both)")
    embed.set_defaults(run=_embed)

    train = commands.add_parser("train", help="train an encoder on images, without labels")
    training_options.declare(train)
    train.set_defaults(run=_train)

    notebooks = commands.add_parser("notebooks", help="execute the committed notebooks in place, profile full")
    notebooks.set_defaults(run=_notebooks)

    report = commands.add_parser("report", help="write the HTML report from what is there")
    report.add_argument("--profile", default="quick", help=f"one of {', '.join(PROFILES)} (default: quick)")
    report.set_defaults(run=_report)

    readme = commands.add_parser("readme", help="write the README's results block from the committed results")
    readme.set_defaults(run=_readme)
    return parser


def _reproduce(options: argparse.Namespace) -> None:
    from elsa_nb.paper.notebooks import run_all

    chosen = profile(options.profile)
    run_all(chosen, dict(map(_parameter, options.parameter)))
    _report(options)


def _report(options: argparse.Namespace) -> None:
    from elsa_nb.paper.report import write_report

    print(f"Report: {write_report(profile(options.profile))}")


def _embed(options: argparse.Namespace) -> None:
    from elsa_nb.images.extract import extract
    from elsa_nb.images.sources import Glyphs

    for encoder in options.encoder or ("vicreg", "barlow-twins"):
        extract(Glyphs.open(), encoder)


def _train(options: argparse.Namespace) -> None:
    from elsa_nb.images.training_runs import run

    run(options)


def _notebooks(options: argparse.Namespace) -> None:
    from elsa_nb.paper.notebooks import execute, notebooks

    for path in notebooks():
        print(path.stem, flush=True)
        execute(path, path, {"profile": "full"})


def _readme(_: argparse.Namespace) -> None:
    from elsa_nb.paper import readme

    readme.write()


def _parameter(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not (equals and name.isidentifier()):
        raise ValueError(f"parameter {text!r}; give NAME=VALUE, such as profile=quick")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value
