"""`elsa-nb session summary`, `compare` and `rescue`: what was done, by several people, and a file that is damaged."""

import argparse
import shlex
from pathlib import Path

from elsa_nb.arguments import typed_path
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import session_there
from elsa_nb.label.session_queries import disagreements
from elsa_nb.store import is_database


def declare_session(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    summary = actions.add_parser("summary", help="say what was done, for a methods section: answers, times, vectors")
    summary.add_argument("session", type=typed_path, metavar="SESSION")
    summary.add_argument("--annotator", metavar="NAME", help="of one person (default: of everybody)")
    summary.set_defaults(run=_summary)

    out = actions.add_parser("rescue", help="bring every answer that can be read out of a damaged session")
    out.add_argument("session", type=typed_path, metavar="SESSION", help="the damaged file; it is only read")
    what = "a new session, or a .csv (default: SESSION-rescued)"
    out.add_argument("to", type=typed_path, metavar="FILE", nargs="?", help=what)
    out.set_defaults(run=_rescue)

    compare = actions.add_parser("compare", help="say how well the people of a session agree, and where they differ")
    compare.add_argument("session", type=typed_path, metavar="SESSION")
    compare.add_argument("file", type=typed_path, metavar="FILE", nargs="?", help="a CSV for all answers side by side")
    compare.set_defaults(run=_compare)


def _summary(options: argparse.Namespace) -> None:
    from elsa_nb.label.summary import summarize_session  # only now: it loads what searches

    with Session(session_there(options.session), to_read=True) as session:
        print(summarize_session(session, options.annotator))


def _rescue(options: argparse.Namespace) -> None:
    from elsa_nb.label.rescue import rescue  # only now: it loads what reads images

    print(rescue(options.session, options.to))


def _compare(options: argparse.Namespace) -> None:
    from elsa_nb.label import agreement
    from elsa_nb.label.export_kinds import WORDS

    path = session_there(options.session)
    if options.file is not None and is_database(Path(options.file)):
        first, second = (shlex.quote(str(each)) for each in (path, options.file))
        raise ValueError(
            f"{options.file} is a second session, and the people of one session are compared: "
            f"`elsa-nb labels import {first} {second} --annotator NAME` takes its answers into {path}, under a name of "
            f"their own; then `elsa-nb session compare {first}`"
        )
    with Session(path, to_read=True) as session:
        people = session.annotators
        if len(people) < 2:
            raise ValueError(
                f"{path} holds answers by {people[0] if people else 'nobody'}: a second person labels with "
                "`elsa-nb label FOLDER --session FILE --annotator NAME`, or `elsa-nb labels import "
                f"{shlex.quote(str(path))} OTHER.sqlite --annotator NAME` takes in the answers of another session"
            )
        for pair in agreement.agreements(session):
            print(pair)
        for row in disagreements(session):
            print(f"  {row['item']}: " + ", ".join(f"{who} {WORDS[label]}" for who, label in row["labels"].items()))
        if options.file:
            print(agreement.write_merged(session, options.file))
