"""The command `elsa-nb`."""

import argparse
import ast
import errno
import io
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence

from elsa_nb import __version__
from elsa_nb.arguments import Parser
from elsa_nb.bench.command import declare_bench
from elsa_nb.dask_workers import check_answers
from elsa_nb.errors import MissingDataError
from elsa_nb.images.extraction.requirements import require
from elsa_nb.images.options import declare_embed, declare_train
from elsa_nb.label.labels_command import declare_labels
from elsa_nb.label.session_command import declare_session
from elsa_nb.label_command import declare_label, label_command
from elsa_nb.option_names import by_command, told_by
from elsa_nb.option_rules import Only
from elsa_nb.pool_command import declare_pool
from elsa_nb.profiles import PROFILES, profile
from elsa_nb.search.contract import QueryError
from elsa_nb.store import INSTALLED

# Packages that searching does without, and the extra of pyproject.toml that brings each.
_EXTRA_OF = dict.fromkeys(("torch", "torchvision", "safetensors"), "images")
_EXTRA_OF |= dict.fromkeys(("ipywidgets", "anywidget", "voila", "matplotlib", "nbformat", "traitlets"), "label")
_EXTRA_OF |= dict.fromkeys(("papermill", "fontTools"), "reproduce")
_ELSEWHERE = "Name a place that you may write to, or let its owner open it to you."
_CURES = dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _ELSEWHERE)
_CURES[errno.ENOSPC] = _CURES[errno.EDQUOT] = "Make room, then give the same command again."
_CURES[errno.EFBIG] = "This disk takes no file of that size, or a limit is set (`ulimit -f`): raise it, or use another."
_CURES[errno.ENAMETOOLONG] = "Give a shorter name."
_CURES[errno.ENOTDIR] = "A part of that path is a file; name a folder."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status. Errors of the user's are one sentence, not a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # In a pipe or a log, too, each line is seen at once; a name that is not UTF-8 is told escaped, as in errors.
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        options = _parser().parse_args(arguments)
        with told_by(by_command):
            options.run(options)
    except BrokenPipeError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, MissingDataError, QueryError) as error:
        print(f"elsa-nb: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        # What the system refuses: a full disk, a folder that may not be written, an address that does not answer.
        where = f"{error.filename}: " if error.filename else ""
        cure = f". {_CURES[error.errno]}" if error.errno in _CURES else ""
        print(f"elsa-nb: {where}{error.strerror or error}{cure}", file=sys.stderr)
        return 1
    except RuntimeError as error:
        if not str(error).startswith("Symlink loop"):  # pathlib's, before Python 3.13
            raise
        print(f"elsa-nb: {error}: it leads to itself; name the file or folder that it should lead to", file=sys.stderr)
        return 1
    except sqlite3.Error as error:
        print(f"elsa-nb: the session file cannot be used ({error})", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if package not in _EXTRA_OF:
            raise
        print(
            f"elsa-nb: this needs the package {package}, which is not installed: "
            f"pip install 'elsa_nb[{_EXTRA_OF[package]}]'",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nelsa-nb: stopped; what is finished is kept, and the same command goes on from there", file=sys.stderr)
        return 130
    return 0


def _parser() -> Parser:
    parser = Parser(prog="elsa-nb", description="Find every example of a rare class: ELSA, reproduced.")
    parser.add_argument("--version", action="version", version=f"elsa-nb {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, declare, what in _COMMANDS:
        declare(commands.add_parser(name, help=what))
    return parser


def _declare_reproduce(parser: Parser) -> None:
    parser.add_argument("--profile", default="quick", help=f"one of {', '.join(PROFILES)} (default: quick)")
    parser.add_argument(
        "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="another notebook parameter"
    )
    parser.add_argument("--dask", metavar="ADDRESS", help="run the searches on this cluster (tcp://host:8786)")
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="notebooks at once (default: 2 in quick, 1 where searches fill all cores)"
    )
    parser.set_defaults(run=_reproduce)


def _reproduce(options: argparse.Namespace) -> None:
    chosen = profile(options.profile)
    require(chosen)
    if cluster := options.dask or os.environ.get("ELSA_DASK"):
        check_answers(cluster)
        os.environ["ELSA_DASK"] = cluster  # the notebooks run in processes of their own
    # Only now: the import takes longer than finding out what is missing.
    from elsa_nb.paper.publishing.notebooks import run_notebooks

    jobs = options.jobs if options.jobs is not None else 2 if chosen.name == "quick" else 1
    run_notebooks(chosen, dict(map(_parameter, options.parameter)), jobs)
    _report(options)


def _declare_embed(parser: Parser) -> None:
    declare_embed(parser)
    parser.set_defaults(run=_embed)


def _embed(options: argparse.Namespace) -> None:
    from elsa_nb.images.extraction.embed import embed_command

    embed_command(options)


def _declare_encoders(parser: Parser) -> None:
    parser.add_argument("action", nargs="?", choices=("get",), help="get: download what follows")
    parser.add_argument("names", nargs="*", metavar="NAME", help="all, or some of those listed")
    parser.set_defaults(run=_encoders)


def _encoders(options: argparse.Namespace) -> None:
    from elsa_nb.images.encoders.catalogue import download_encoders, encoder_table

    if options.action == "get":
        download_encoders(options.names)
    else:
        print(encoder_table())


def _declare_data(parser: Parser) -> None:
    parser.add_argument("action", choices=("get",))
    parser.add_argument("name", metavar="NAME", help="food-101, tiny-imagenet or cifar-10")
    parser.set_defaults(run=_data)


def _data(options: argparse.Namespace) -> None:
    from elsa_nb.images.sources.official_packs import make_pack

    print(make_pack(options.name))


def _declare_train(parser: Parser) -> None:
    declare_train(parser)
    parser.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> None:
    from elsa_nb.images.training.command import train_command

    train_command(options)


def _declare_notebooks(parser: Parser) -> None:
    parser.set_defaults(run=_notebooks)


def _notebooks(options: argparse.Namespace) -> None:
    _need_checkout("notebooks")
    from elsa_nb.paper.publishing.notebooks import execute_notebook, notebook_paths

    for path in notebook_paths():
        print(path.stem, flush=True)
        execute_notebook(path, path, {"profile": "full"})


def _declare_report(parser: Parser) -> None:
    parser.add_argument("--profile", default="quick", help=f"one of {', '.join(PROFILES)} (default: quick)")
    parser.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> None:
    from elsa_nb.paper.publishing.html_report import write_report

    print(f"Report: {write_report(profile(options.profile))}")


def _declare_readme(parser: Parser) -> None:
    parser.set_defaults(run=_readme)


def _readme(_: argparse.Namespace) -> None:
    _need_checkout("readme")
    from elsa_nb.paper.publishing import readme_blocks

    readme_blocks.write_blocks()


def _declare_verify(parser: Parser) -> None:
    rows = parser.add_mutually_exclusive_group()
    rows.add_argument("--all", action="store_true", help="every stored search (an hour on two cores)")
    rows.add_argument("--sample", type=int, metavar="N", help="N stored searches drawn at random")
    rows.add_argument("--row", nargs=2, metavar=("SWEEP", "N"), help="row N of a sweep's results, told in full")
    parser.add_argument("--profile", default="full", help="whose results --row means (default: full)")
    parser.add_argument("--record", action="store_true", help="keep the canaries' logs as those of this processor")
    canaries = "without {all}, {sample} and {row}"
    parser.declare_modes(
        profile=Only("with {row}", lambda given: given["row"]),
        record=Only(canaries, lambda given: not (given["all"] or given["sample"] is not None or given["row"])),
    )
    parser.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> None:
    _need_checkout("verify")
    from elsa_nb.paper.runs import verify

    verify.run_verify(options)


def _declare_label(parser: Parser) -> None:
    declare_label(parser)
    parser.set_defaults(run=label_command)


# In the order in which `elsa-nb --help` lists them.
_COMMANDS: tuple[tuple[str, Callable[[Parser], None], str], ...] = (
    ("reproduce", _declare_reproduce, "run every notebook and write the report"),
    ("embed", _declare_embed, "turn images into pools of vectors, with many encoders at once"),
    ("encoders", _declare_encoders, "list the published encoders; `encoders get NAME` downloads one"),
    ("pool", declare_pool, "make a pool of vectors that you have already, or one of several encoders' pools"),
    ("bench", declare_bench, "compare searchers on vectors whose labels you know, at equal budgets"),
    ("labels", declare_labels, "take earlier labels into a session, or write its answers for others"),
    ("session", declare_session, "sum up a session, compare its annotators, or rescue a damaged one"),
    ("data", _declare_data, "make a pack of labelled photographs from its official source"),
    ("train", _declare_train, "train an encoder on images, without labels"),
    ("notebooks", _declare_notebooks, "execute the committed notebooks in place, profile full"),
    ("report", _declare_report, "write the HTML report from what is there"),
    ("readme", _declare_readme, "write the results and speeds that README and docs show"),
    ("verify", _declare_verify, "run stored searches again and compare their logs"),
    ("label", _declare_label, "label the images of a folder by hand, as a web page on this machine"),
)


def _need_checkout(command: str) -> None:
    """Raise ValueError in a package that was installed from a wheel, which has no committed results and no README."""
    if INSTALLED:
        raise ValueError(
            f"`elsa-nb {command}` works on the committed results of a checkout, and this package is installed in "
            "site-packages: clone the repository, and use `make setup` there"
        )


def _parameter(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not (equals and name.isidentifier()):
        raise ValueError(f"parameter {text!r}; give NAME=VALUE, such as profile=quick")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value
