"""`elsa-nb session rescue`: what can be done with a session file that cannot be opened."""

import argparse


def declare_session(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    out = actions.add_parser("rescue", help="bring every answer that can be read out of a damaged session")
    out.add_argument("session", metavar="SESSION", help="the damaged file; it is only read")
    out.add_argument("to", metavar="FILE", nargs="?", help="a new session, or a .csv (default: SESSION-rescued)")
    out.set_defaults(run=_rescue)


def _rescue(options: argparse.Namespace) -> None:
    from elsa_nb.label.rescue import rescue  # only now: it loads what reads images

    print(rescue(options.session, options.to))
