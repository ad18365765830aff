"""Write answers into files that other programs read.

Each kind is a function of rows of plain values. All files are written whole or not at all. Labels are the words
positive, negative and unsure, or the class, "not" the class and unsure where a format names classes. Where annotators
differ, the table kinds hold a line for each of them, and the others the answer of the annotator asked for.
`label_files.reader` reads all of it.
"""

import csv
import io
import re
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from elsa_nb import store
from elsa_nb.errors import MissingDataError
from elsa_nb.formulas import safe
from elsa_nb.label.label_files.words import check_class
from elsa_nb.label.link_folder import write_links
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import CLASS
from elsa_nb.label.still_here import answers_counted, with_rows
from elsa_nb.option_names import option_named, option_told
from elsa_nb.option_rules import Only, check_modes, given_of
from elsa_nb.written_files import is_replaceable, write_export

# Of the tables, in this order.
COLUMNS = ("item", "label", "annotator", "time", "round", "component", "score", "seconds", "row", "present", "code")
COLUMNS += ("class",)
WORDS = {-1: "unsure", 0: "negative", 1: "positive"}
TABLES = ("csv", "parquet")
STUDIO = "label-studio"
FOLDERS_OF_FINDS = ("links", "copies")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def _kind_in(*kinds: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return a test of whether the kind is one of these; it passes unknown kinds, which are refused elsewhere."""
    return lambda given: (given["kind"] or kind_of(given["file"])) in kinds or given["kind"] not in (None, *KINDS)


_WITH_NAMES = _kind_in("coco", "fiftyone", STUDIO, *FOLDERS_OF_FINDS)
KIND_MODES = {
    "label": Only("where {kind} is not links or copies", _kind_in(*TABLES, "coco", "fiftyone", STUDIO)),
    "images": Only(
        "where {kind} is not csv or parquet, and without {url}",
        lambda given: _WITH_NAMES(given) and given["url"] is None,
    ),
    "url": Only("where {kind} is label-studio", _kind_in(STUDIO)),
    "email": Only("where {kind} is label-studio", _kind_in(STUDIO)),
}


@dataclass(frozen=True)
class Told:
    """What the user said about an export: the folder of the items, the class, whose answers, and for Label Studio
    where its pictures are (`url`) and under which account the answers go in (`email`)."""

    images: Path | None = None
    label: str = "target"
    annotator: str | None = None
    url: str | None = None
    email: str | None = None

    @property
    def classes(self) -> dict[str, str]:
        """What a format with names of classes calls our words."""
        return {"positive": self.label, "negative": f"not {self.label}", "unsure": "unsure"}

    def name(self, item: str) -> str:
        """Return how a file names an item: with the folder in front, if one is given."""
        return item if self.images is None else str(self.images / item)


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

    `kind`: one of `KINDS`; by default as the ending of `path` says. `annotator`: whose answers (csv and parquet:
    everybody's by default; else the session's annotator, whose name is then in the name of the file where the session
    holds several people's). `label` names the class: by default what the session's page calls it, else "target".

    links and copies make a folder, of links to the finds or of copies of them; finds whose files are gone are left out.
    Tables say in `present` whether an item is still there, and in `row` at which row of the pool it is now: by the
    items that the session was last opened with, empty where it knows none.

    `images`: the folder that holds the items. links and copies need it; fiftyone then writes absolute paths,
    without it paths inside a folder without endings (FiftyOne's importer wants data_path= in either case; in the second
    it has to be that folder); coco and label-studio write it before the names.
    `url`: what Label Studio puts before a name to show a picture, such as "/data/local-files/?d=photos/" (its local
    storage) or "https://example.org/photos/"; a slash at its end may be left out. `email`: the account in Label Studio
    that gets the answers; without it they belong to whoever imports them.
    `replace`: an earlier export that still holds what was written is always replaced; with `replace`, so is any other
    file, and an earlier folder of links or copies that was changed since. A folder that no export made never is.

    Raises ValueError for a file or folder at `path` that is not to be replaced, for a folder of links or copies that
    is, holds or lies in `images`, for an unknown kind or annotator, for an `email` that is not an address, for an
    option that has no effect in the kind (`KIND_MODES`) and where a kind cannot hold the answers as they are;
    MissingDataError for a folder `images` that is not here, or where links or copies find none of the finds in it.
    Warns of finds that are left out of a folder of links or copies, since their files are gone.
    """
    options = {"annotator": annotator, "images": images, "label": label, "url": url, "email": email}
    done = export_and_tell(session, path, kind, replace=replace, **options)
    if done.remark:
        warnings.warn(done.remark, stacklevel=2)
    return done.path


def export_and_tell(
    session: Session,
    path: Path | str | None,
    kind: str | None,
    *,
    annotator: str | None = None,
    images: Path | str | None = None,
    label: str | None = None,
    url: str | None = None,
    email: str | None = None,
    replace: bool = False,
) -> Exported:
    """Write what `export` writes, and raise what it raises; return what was done, for a person to read."""
    kind = kind or kind_of(path)
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind {kind!r}; allowed: {', '.join(KINDS)}")
    options = {"images": images, "url": url, "email": email, "label": label}
    check_modes(KIND_MODES, given_of(options), options | {"kind": kind})
    people = session.annotators
    if kind not in TABLES:
        annotator = annotator or session.annotator
    check_answered_by(session, annotator)
    if label is None:
        label = session.meta(CLASS) or "target"
    folder = Path(images) if images is not None else None
    if folder is not None and not folder.is_dir():
        raise MissingDataError(f"{folder} is not a folder here; name the one that holds the items.")
    if email is not None and not _ADDRESS.fullmatch(email):
        raise ValueError(
            f"{option_named('email')} is {email!r}; give the address of an account in Label Studio, such as "
            "ann@example.org"
        )
    answers = with_rows(session, session.answers(annotator))
    rows, about = _export_rows(answers, label), Told(folder, label, annotator, url, email)
    data = b""
    if kind not in FOLDERS_OF_FINDS:
        check_class(label)
        data = WRITERS[kind](rows, about)
    ending = KINDS[kind]
    if path is None:
        whose = f".{annotator}" if annotator is not None and len(people) > 1 else ""
        whose = "".join(letter if letter.isalnum() or letter in ".-_@" else "_" for letter in whose)
        path = session.path.with_name(f"{session.path.stem}{whose}{ending}")
        if (
            kind not in FOLDERS_OF_FINDS
            and path.is_file()
            and not replace
            and not is_replaceable(path, store.sha256_bytes(data))
        ):
            path = path.with_name(f"{session.path.stem}{whose}-answers{ending}")  # such as the table labels came from
    path = Path(path)
    if kind in FOLDERS_OF_FINDS:
        finds = [r["item"] for r in rows if r["label"] == "positive"]
        gone = write_links(path, finds, folder, copies=kind == "copies", replace=replace)
        return Exported(path, answers_counted(answers), gone)
    write_export(path, data, replace=replace)
    return Exported(path, answers_counted(answers))


def check_answered_by(session: Session, annotator: str | None) -> None:
    """Raise ValueError for an annotator who never answered in `session`; None is everybody."""
    people = session.annotators
    if annotator is not None and annotator not in people:
        raise ValueError(
            f"{session.path} has no answers by {annotator!r}; its annotators: {', '.join(people) or 'none'}"
        )


def kind_of(path: Path | str | None) -> str:
    """Return the kind of export that the ending of a file's name means; csv without a name. ValueError for others."""
    if path is None:
        return "csv"
    for kind, ending in KINDS.items():
        if str(path).lower().endswith(ending):
            return kind
    endings = ", ".join(KINDS.values())
    raise ValueError(f"{path} has none of the endings {endings}; name the kind: one of {', '.join(KINDS)}")


def _csv(rows: Sequence[dict], about: Told) -> bytes:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    flags = {True: "true", False: "false", None: None}
    for row in rows:
        writer.writerow({name: safe(value) for name, value in row.items()} | {"present": flags[row["present"]]})
    return stream.getvalue().encode()


def _parquet(rows: Sequence[dict], about: Told) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"round": pa.int32(), "row": pa.int64(), "score": pa.float64(), "seconds": pa.float64()}
    kinds["present"] = pa.bool_()
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), stream)
    return stream.getvalue()


def _coco(rows: Sequence[dict], about: Told) -> bytes:
    """COCO's images and categories with a label for the whole image; unsure ones are left out."""
    judged = [r for r in rows if r["label"] != "unsure"]
    value = {
        "info": {
            "description": f"image labels for {about.label!r} (whole images, no boxes)",
            "contributor": about.annotator,
        },
        "licenses": [],
        "images": [{"id": i, "file_name": about.name(r["item"])} for i, r in enumerate(judged, 1)],
        "categories": [{"id": 1, "name": about.label}, {"id": 2, "name": f"not {about.label}"}],
        "annotations": [
            {"id": i, "image_id": i, "category_id": 1 if r["label"] == "positive" else 2, "iscrowd": 0}
            for i, r in enumerate(judged, 1)
        ],
    }
    return store.as_json(value)


def _fiftyone(rows: Sequence[dict], about: Told) -> bytes:
    """FiftyOneImageClassificationDataset's labels.json: keys are absolute paths, or paths in a folder without endings.

    That is what its importer looks them up by.
    """
    classes = list(about.classes.values())
    cure = f"name the folder of the items, so that their whole paths are written: {option_told('images')}"
    labels: dict[str, int] = {}
    items: dict[str, str] = {}
    for r in rows:
        item = r["item"]
        stem = str(Path(item)).removesuffix(Path(item).suffix)
        key = stem if about.images is None else str((about.images / item).absolute())
        if about.images is None and ("\\" in item or any(part[0] == "." for part in Path(item).parts)):
            raise ValueError(
                f"{item!r} is hidden from FiftyOne, which passes over names with a dot in front and splits them at a "
                f"backslash; {cure}"
            )
        if key in labels:
            raise ValueError(
                f"{items[key]!r} and {item!r} are the same name to FiftyOne, which leaves out endings; {cure}"
            )
        labels[key], items[key] = classes.index(about.classes[r["label"]]), item
    return store.as_json({"classes": classes, "labels": labels})


def _label_studio(rows: Sequence[dict], about: Told) -> bytes:
    """Label Studio tasks with a finished choice each (`<Choices name="label" toName="image">`).

    Label Studio refuses a file that names an account it does not know, so the annotator stands among a task's data.
    """
    tasks = []
    for r in rows:
        choice = {"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": [r["label"]]}}
        done: dict[str, Any] = {"result": [choice]}
        done |= {"completed_by": {"email": about.email}} if about.email else {}
        done |= {"lead_time": r["seconds"]} if r["seconds"] is not None else {}
        image = about.name(r["item"]) if about.url is None else _joined(about.url, quote(r["item"]))
        data = {"image": image} | {key: r[key] for key in ("item", "class", "annotator", "component", "score")}
        tasks.append({"data": data, "annotations": [done]})
    return store.as_json(tasks)


def _joined(url: str, name: str) -> str:
    """Append a name to an address, with a slash between them where the address ends in a letter or a digit."""
    return url + ("/" if url[-1:].isalnum() else "") + name


WRITERS: dict[str, Callable[[Sequence[dict], Told], bytes]] = {
    "csv": _csv,
    "parquet": _parquet,
    "coco": _coco,
    "fiftyone": _fiftyone,
    STUDIO: _label_studio,
}
KINDS = {
    "csv": ".csv",
    "parquet": ".parquet",
    "coco": ".coco.json",
    "fiftyone": ".fiftyone.json",
    STUDIO: ".label-studio.json",
    "links": "-links",
    "copies": "-copies",
}
