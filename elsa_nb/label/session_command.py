"""`elsa-nb session rescue` and `compare`: the answers of a file that cannot be opened, and those of several people."""

import argparse

from elsa_nb.arguments import typed_path
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import session_there


def declare_session(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    out = actions.add_parser("rescue", help="bring every answer that can be read out of a damaged session")
    out.add_argument("session", type=typed_path, metavar="SESSION", help="the damaged file; it is only read")
    what = "a new session, or a .csv (default: SESSION-rescued)"
    out.add_argument("to", type=typed_path, metavar="FILE", nargs="?", help=what)
    out.set_defaults(run=_rescue)

    compare = actions.add_parser("compare", help="say how well the people of a session agree, and where they differ")
    compare.add_argument("session", type=typed_path, metavar="SESSION")
    compare.add_argument("file", type=typed_path, metavar="FILE", nargs="?", help="a CSV for all answers side by side")
    compare.set_defaults(run=_compare)


def _rescue(options: argparse.Namespace) -> None:
    from elsa_nb.label.rescue import rescue  # only now: it loads what reads images

    print(rescue(options.session, options.to))


def _compare(options: argparse.Namespace) -> None:
    from elsa_nb.label import agreement
    from elsa_nb.label.export import WORDS

    path = session_there(options.session)
    session = Session(path, to_read=True)
    try:
        people = session.annotators
        if len(people) < 2:
            raise ValueError(
                f"{path} holds answers by {people[0] if people else 'nobody'}: a second person labels with "
                "`elsa-nb label FOLDER --session FILE --annotator NAME`"
            )
        for pair in agreement.agreements(session):
            print(pair)
        for row in session.disagreements():
            print(f"  {row['item']}: " + ", ".join(f"{who} {WORDS[label]}" for who, label in row["labels"].items()))
        if options.file:
            print(agreement.write_merged(session, options.file))
    finally:
        session.close()
