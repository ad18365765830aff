"""`elsa-nb labels import` and `elsa-nb labels export`: labels into a session file and out of it, without the page."""

import argparse
import shlex
from pathlib import Path

from elsa_nb.arguments import Parser, maybe_nothing, typed_path
from elsa_nb.counts import count_of
from elsa_nb.errors import MissingDataError
from elsa_nb.label.export import export_and_tell
from elsa_nb.label.export_kinds import KIND_MODES, KINDS, ExportOptions, kind_of
from elsa_nb.label.import_labels import import_labels
from elsa_nb.label.remembered_items import check_names, names_in, note_names
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import check_session_folder, session_there
from elsa_nb.label.still_here import names_now
from elsa_nb.pool import Pool
from elsa_nb.search.contract import POSITIVE


def declare_labels(parser: Parser) -> None:
    """Add what the commands take to their parser."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    into = actions.add_parser("import", help="take earlier labels from a file or folder into a session")
    what = "the session file; a new one is made where there is a --pool"
    into.add_argument("session", type=typed_path, metavar="SESSION", help=what)
    what = "CSV, Excel, JSON, Parquet, XML of labelling programs, one folder per class"
    into.add_argument("file", type=typed_path, metavar="FILE", help=what)
    what = "the pool that the session is about (default: what the session remembers)"
    into.add_argument("--pool", type=typed_path, metavar="FOLDER", help=what)
    declare_reading(into)
    into.add_argument("--annotator", default="me", help="whose labels they become (default: me)")
    into.add_argument("--from", dest="person", metavar="NAME", help="only the labels of this person in the file")
    into.add_argument("--replace", action="store_true", help="let the file win over answers given on screen")
    into.set_defaults(run=_import)

    out = actions.add_parser("export", help="write the answers of a session for other programs")
    out.add_argument("session", type=typed_path, metavar="SESSION")
    what = "where to (default: beside the session)"
    out.add_argument("file", type=typed_path, metavar="FILE", nargs="?", help=what)
    out.add_argument("--kind", help=f"one of {', '.join(KINDS)} (default: by FILE's ending, else csv)")
    what = "what the class is called (default: as the page calls it, else target)"
    out.add_argument("--class", dest="label", metavar="NAME", help=what)
    what = "the folder of the items: whole paths; links and copies need it (default: as the session was last opened)"
    out.add_argument("--images", type=typed_path, metavar="FOLDER", help=what)
    out.add_argument("--annotator", help="whose answers (default: csv and parquet everybody's, else the only person's)")
    what = "label-studio: what stands before a name, such as /data/local-files/?d=photos/"
    out.add_argument("--url", type=maybe_nothing, help=what)
    out.add_argument("--email", help="label-studio: the account that gets the answers")
    what = "replace what is there even if it is not an export or was changed since"
    out.add_argument("--replace", action="store_true", help=what)
    out.declare_modes(**KIND_MODES)
    out.set_defaults(run=_export)


READING = ("positive", "negative", "unsure", "item", "label", "every", "encoding")


def declare_reading(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what a file of labels means, those called `READING`, to a parser."""
    for option, what in (("positive", "looked for"), ("negative", "not looked for"), ("unsure", "that are doubtful")):
        parser.add_argument(f"--{option}", action="append", metavar="CLASS", help=f"the class, or classes, {what}")
    parser.add_argument(
        "--item", type=maybe_nothing, metavar="COLUMN", help="the column of items; `row`: the pool's order"
    )
    parser.add_argument(
        "--label", type=maybe_nothing, metavar="COLUMN", help="the column, attribute or question of labels"
    )
    parser.add_argument("--every", metavar="WORD", help="what a plain list of names is: positive, negative or unsure")
    parser.add_argument("--encoding", help="of a text file (default: detected)")


def _import(options: argparse.Namespace) -> None:
    from elsa_nb.label.audits import audit_files, take_audits  # only now: it loads what searches

    path = Path(options.session)
    if options.pool is None and not path.exists():
        raise MissingDataError(f"{path} is not here; to make it, say which items it is about: --pool FOLDER.")
    check_session_folder(path)
    pool = None if options.pool is None else Pool.open(options.pool, verify=False).ids
    session = Session(path, annotator=options.annotator)
    try:
        if pool is not None:
            check_names(session, pool)
        if (ids := names_in(session) if pool is None else pool) is None:
            raise ValueError(f"{path} does not know its items yet; say which pool it is about: --pool FOLDER.")
        keys = (*READING, "replace")
        given = {key: getattr(options, key) for key in keys}
        if Path(options.file).absolute() in map(Path.absolute, audit_files(path)):  # of this very session
            print(take_audits(session, [str(item) for item in ids]) or f"{path} has all answers of {options.file}.")
        else:
            print(import_labels(session, options.file, ids, annotator=options.person, **given))
        note_names(session, ids)
    except BaseException:
        session.abandon()
        raise
    session.close()


def _export(options: argparse.Namespace) -> None:
    path = session_there(options.session)
    with Session(path, to_read=True) as session:
        people = session.annotators
        if not people:
            raise ValueError(f"{path} holds no answers; nothing was written.")
        if (kind := options.kind or kind_of(options.file)) not in KINDS:
            raise ValueError(f"--kind {kind}; allowed: {', '.join(KINDS)}")
        annotator = options.annotator
        if KINDS[kind].of_one_person and annotator is None:
            if len(people) > 1:
                raise ValueError(
                    f"{path} holds answers by {', '.join(people)}; a {kind} file takes those of one: --annotator NAME."
                )
            annotator = people[0]
        keys = ("label", "images", "url", "email", "replace")
        given = {key: getattr(options, key) for key in keys}
        done = export_and_tell(session, options.file, kind, ExportOptions(annotator, **given))
        lacking = [said for who in (people if annotator is None else [annotator]) for said in _lacking(path, who)]
        print(*filter(None, (done.path, f"{done.counts}.", done.remark and f"{done.remark}.", *lacking)), sep="\n")
        if "url" in KINDS[kind].options and options.url is None:
            print("Label Studio shows pictures by their addresses: --url says what stands before their names.")


def _lacking(path: Path, annotator: str) -> list[str]:
    """Say for each audit of a session which of an annotator's answers the session, and so its export, lacks."""
    from elsa_nb.label.audits import answers_lacking, audit_files  # only now: it loads what searches

    said = []
    with Session(path, annotator=annotator, to_read=True) as session:
        names = names_now(session)
        for audit in audit_files(path):
            if new := answers_lacking(session, audit, None if names is None else set(names)):
                finds = count_of(sum(answer.label == POSITIVE for answer in new), "find")
                command = ["elsa-nb", "labels", "import", str(path), str(audit)]
                command += [] if annotator == "me" else ["--annotator", annotator]
                said.append(
                    f"Not in it: {count_of(len(new), 'answer')}, {finds}, by {annotator} in the audit {audit.name}. "
                    f"`{shlex.join(command)}` takes them into the session, and so does opening its page "
                    "(`elsa-nb label FOLDER`)."
                )
    return said
