"""Write answers into files that other programs read, each of one of the kinds of `export_kinds`.

All files are written whole or not at all. Where annotators differ, the table kinds hold a line for each of them, and
the others the answer of the annotator asked for.
"""

import re
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from elsa_nb import store
from elsa_nb.errors import MissingDataError
from elsa_nb.label.export_kinds import COLUMNS, KIND_MODES, KINDS, WORDS, ExportOptions, kind_of
from elsa_nb.label.label_files.words import check_class
from elsa_nb.label.link_folder import write_links
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import CLASS
from elsa_nb.label.still_here import answers_counted, folder_now, with_rows
from elsa_nb.option_names import option_named
from elsa_nb.option_rules import check_modes, given_of
from elsa_nb.written_files import is_replaceable, write_export

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


class Exported(NamedTuple):
    """What an export did: the `path` it wrote, a sentence that counts the answers, and a `remark` ("": none) that a
    person should read.
    """

    path: Path
    counts: str
    remark: str = ""


def answer_rows(session: Session, annotator: str | None, label: str) -> list[dict[str, Any]]:
    """Return the current answers, one dictionary per item and annotator, in the order of asking.

    `row` is where an item is now, and `present` says whether it is there at all (`still_here.with_rows`).
    """
    return _export_rows(with_rows(session, session.answers(annotator)), label)


def _export_rows(answers: Sequence[Mapping[str, Any]], label: str) -> list[dict[str, Any]]:
    rows = []
    for a in answers:
        clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(a["at"]))
        ours = {"label": WORDS[a["label"]], "time": clock, "class": label}
        rows.append({name: ours[name] if name in ours else a[name] for name in COLUMNS})
    return rows


def export(
    session: Session,
    path: Path | str | None = None,
    kind: str | None = None,
    *,
    annotator: str | None = None,
    images: Path | str | None = None,
    label: str | None = None,
    url: str | None = None,
    email: str | None = None,
    replace: bool = False,
) -> Path:
    """Write the answers of `session` to `path` and return it; by default beside the session file, under its name.

    Where another file has that name, "-answers" is added to it.

    `kind`: one of `export_kinds.KINDS`; by default as the ending of `path` says. `annotator`: whose answers (csv and
    parquet: everybody's by default; else the session's annotator, whose name is then in the name of the file where the
    session holds several people's). `label` names the class: by default what the session's page calls it, else
    "target".

    links and copies make a folder, of links to the finds or of copies of them; finds whose files are gone, empty or not
    to be read are left out.
    Tables say in `present` whether an item is still there, and in `row` at which row of the pool it is now: by the
    items that the session was last opened with, empty where it knows none.

    `images`: the folder that holds the items. links and copies need it (by default it is the one that the session was
    last opened with); fiftyone then writes absolute paths,
    without it paths inside a folder without endings (FiftyOne's importer wants data_path= in either case; in the second
    it has to be that folder); coco and label-studio write it before the names.
    `url`: what Label Studio puts before a name to show a picture, such as "/data/local-files/?d=photos/" (its local
    storage) or "https://example.org/photos/"; a slash at its end may be left out. `email`: the account in Label Studio
    that gets the answers; without it they belong to whoever imports them.
    `replace`: an earlier export that still holds what was written is always replaced; with `replace`, so is any other
    file, and an earlier folder of links or copies that was changed since. A folder that no export made never is.

    Raises ValueError for a file or folder at `path` that is not to be replaced, for a folder of links or copies that
    is, holds or lies in `images`, for an unknown kind or annotator, for an `email` that is not an address, for an
    option that has no effect in the kind (`export_kinds.KIND_MODES`) and where a kind cannot hold the answers as they
    are; MissingDataError for a folder `images` that is not here, or where links or copies find none of the finds in it.
    Warns of finds that are left out of a folder of links or copies.
    """
    options = ExportOptions(annotator, images, label, url, email, replace)
    done = export_and_tell(session, path, kind, options)
    if done.remark:
        warnings.warn(done.remark, stacklevel=2)
    return done.path


def export_and_tell(
    session: Session, path: Path | str | None, kind: str | None, options: ExportOptions | None = None
) -> Exported:
    """Write what `export` writes, and raise what it raises; return what was done, for a person to read."""
    kind, options = kind or kind_of(path), options or ExportOptions()
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind {kind!r}; allowed: {', '.join(KINDS)}")
    given = {name: getattr(options, name) for name in ("images", "url", "email", "label")}
    check_modes(KIND_MODES, given_of(given), given | {"kind": kind})
    options = _filled_in(session, kind, options)
    answers = with_rows(session, session.answers(options.annotator))
    rows = _export_rows(answers, str(options.label))
    write, counts = KINDS[kind].write, answers_counted(answers)
    if write is None:
        place = _by_default(session, kind, options) if path is None else Path(path)
        finds = [r["item"] for r in rows if r["label"] == "positive"]
        folder = None if options.images is None else Path(options.images)
        left_out = write_links(place, finds, folder, copies=KINDS[kind].copies, replace=options.replace)
        gone = set(left_out.gone)  # at this moment: the session knows only those that were when it was last opened
        counts = answers_counted([{**each, "present": each["item"] not in gone} for each in answers])
        return Exported(place, counts, str(left_out))
    data = write(rows, options)
    if path is None:
        place = _by_default(session, kind, options)
        if place.is_file() and not options.replace and not is_replaceable(place, store.sha256_bytes(data)):
            ending = KINDS[kind].ending  # such as that of the table labels came from
            place = place.with_name(f"{place.name.removesuffix(ending)}-answers{ending}")
    else:
        place = Path(path)
    write_export(place, data, replace=options.replace)
    return Exported(place, counts)


def _filled_in(session: Session, kind: str, options: ExportOptions) -> ExportOptions:
    """Return the options, checked, with those that depend on the session."""
    annotator = options.annotator
    if KINDS[kind].of_one_person:
        annotator = annotator or session.annotator
    check_answered_by(session, annotator)
    label = (session.meta(CLASS) or "target") if options.label is None else options.label
    if KINDS[kind].write is None and options.images is None:
        options = replace(options, images=folder_now(session))
    if options.images is not None and not Path(options.images).is_dir():
        raise MissingDataError(f"{Path(options.images)} is not a folder here; name the one that holds the items.")
    if options.email is not None and not _ADDRESS.fullmatch(options.email):
        raise ValueError(
            f"{option_named('email')} is {options.email!r}; give the address of an account in Label Studio, such as "
            "ann@example.org"
        )
    if KINDS[kind].write is not None:
        check_class(label)
    return replace(options, annotator=annotator, label=label)


def _by_default(session: Session, kind: str, options: ExportOptions) -> Path:
    """Return where an export goes by default: beside the session, under its name and that of one of several people."""
    who = options.annotator
    whose = f".{who}" if who is not None and len(session.annotators) > 1 else ""
    whose = "".join(letter if letter.isalnum() or letter in ".-_@" else "_" for letter in whose)
    return session.path.with_name(f"{session.path.stem}{whose}{KINDS[kind].ending}")


def check_answered_by(session: Session, annotator: str | None) -> None:
    """Raise ValueError for an annotator who never answered in `session`; None is everybody."""
    people = session.annotators
    if annotator is not None and annotator not in people:
        raise ValueError(
            f"{session.path} has no answers by {annotator!r}; its annotators: {', '.join(people) or 'none'}"
        )
