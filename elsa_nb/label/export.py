"""Answers into files that other programs read.

Each kind is a function of rows of plain values. All files are written whole or not at all. Labels are the words
positive, negative and unsure, or the class, "not" the class and unsure where a format names classes. Where annotators
differ, the table kinds hold a line for each of them, and the others the word of the annotator asked for.
`label_files.reader` reads all of it.
"""

import csv
import io
import os
import shutil
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from elsa_nb import store
from elsa_nb.errors import MissingDataError
from elsa_nb.formulas import safe
from elsa_nb.label.exported import COLUMNS, is_export, refuse_foreign
from elsa_nb.label.label_files.words import check_class
from elsa_nb.label.session import Session
from elsa_nb.locks import lock_beside
from elsa_nb.modes import Only, check_modes, given_of
from elsa_nb.pictures.opening import RefusedError, real_path

WORDS = {-1: "unsure", 0: "negative", 1: "positive"}
TABLES = ("csv", "parquet")
STUDIO = "label-studio"


def _kind_in(*kinds: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return what tells whether the kind that is meant is one of these: of an unknown one another sentence tells."""
    return lambda given: (given["kind"] or kind_of(given["file"])) in kinds or given["kind"] not in (None, *KINDS)


_WITH_NAMES = _kind_in("coco", "fiftyone", STUDIO, "links")
KIND_MODES = {
    "label": Only("where {kind} is not links", _kind_in(*TABLES, "coco", "fiftyone", STUDIO)),
    "images": Only(
        "where {kind} is not csv or parquet, and without {url}",
        lambda given: _WITH_NAMES(given) and given["url"] is None,
    ),
    "url": Only("where {kind} is label-studio", _kind_in(STUDIO)),
    "email": Only("where {kind} is label-studio", _kind_in(STUDIO)),
    "replace": Only("where {kind} is not links", _kind_in(*TABLES, "coco", "fiftyone", STUDIO)),
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
        """Return how a file names an item: with the folder in front, where it is told."""
        return item if self.images is None else str(self.images / item)


def answer_rows(session: Session, annotator: str | None = None, label: str = "target") -> list[dict[str, Any]]:
    """Return the current answers, one dictionary an item and annotator, in the order of asking."""
    rows = []
    for a in session.answers(annotator):
        clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(a["at"]))
        told = {"label": WORDS[a["label"]], "time": clock, "class": label}
        rows.append({name: told[name] if name in told else a[name] for name in COLUMNS})
    return rows


def export(
    session: Session,
    path: Path | str | None = None,
    kind: str | None = None,
    *,
    annotator: str | None = None,
    images: Path | str | None = None,
    label: str = "target",
    url: str | None = None,
    email: str | None = None,
    replace: bool = False,
) -> Path:
    """Write the answers of `session` to `path` and return it; by default beside the session file, under its name.

    Where that name is taken by a file that was not exported here, the default has "-answers" behind it.

    `kind`: one of `KINDS`; by default by the ending of `path`. `annotator`: whose answers (csv and parquet: everybody's
    by default; else the session's annotator, whose name is then in the name of the file where the session holds several
    people's). `label` names the class.

    `images`: the folder that holds the items. links needs it; fiftyone then writes absolute paths, without it paths
    inside a folder without endings (FiftyOne's importer wants data_path= in either case; in the second it has to be
    that folder); coco and label-studio write it before the names.
    `url`: what Label Studio puts before a name to show a picture, such as "/data/local-files/?d=photos/" (its local
    storage) or "https://example.org/photos/"; a slash at its end may be left out. `email`: the account in Label Studio
    that gets the answers; without it they belong to who imports them.
    `replace`: write over a file that is there and no export; an earlier export is replaced without it.

    Raises ValueError for a file at `path` that was not exported here, for an unknown kind or annotator, for an option
    that has no effect in the kind (`KIND_MODES`) and where a kind cannot hold the answers as they are; MissingDataError
    for a folder to be linked to that is not here, or holds none of the finds. Warns of links that lead to nothing,
    since their pictures are gone.
    """
    options = {"annotator": annotator, "images": images, "label": label, "url": url, "email": email}
    path, remark = export_and_tell(session, path, kind, replace=replace, **options)
    if remark:
        warnings.warn(remark, stacklevel=2)
    return path


def export_and_tell(
    session: Session,
    path: Path | str | None,
    kind: str | None,
    *,
    annotator: str | None = None,
    images: Path | str | None = None,
    label: str = "target",
    url: str | None = None,
    email: str | None = None,
    replace: bool = False,
) -> tuple[Path, str]:
    """Write what `export` writes; return the path, and what a person should know of what is there ("": nothing)."""
    kind = kind or kind_of(path)
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind {kind!r}; allowed: {', '.join(KINDS)}")
    told = {"images": images, "url": url, "email": email, "label": None if label == "target" else label}
    told |= {"replace": replace}
    check_modes(KIND_MODES, given_of(told), told | {"kind": kind})
    people = session.annotators
    if kind not in TABLES:
        annotator = annotator or session.annotator
    if annotator is not None and annotator not in people:
        raise ValueError(
            f"{session.path} has no answers by {annotator!r}; its annotators: {', '.join(people) or 'none'}"
        )
    check_class(label)
    if kind == "links" and images is not None and not Path(images).is_dir():
        raise MissingDataError(f"{images} is no folder here; name the one that holds the items.")
    write, ending = KINDS[kind]
    if path is None:
        whose = f".{annotator}" if annotator is not None and len(people) > 1 else ""
        whose = "".join(letter if letter.isalnum() or letter in ".-_@" else "_" for letter in whose)
        path = session.path.with_name(f"{session.path.stem}{whose}{ending}")
        if kind != "links" and path.is_file() and not replace and not is_export(path, kind):
            path = path.with_name(f"{session.path.stem}{whose}-answers{ending}")  # such as the table labels came from
    folder = Path(images) if images is not None else None
    path = Path(path)
    if kind != "links":  # which looks for itself
        store.check_replaceable(path)
        cure = "Give another name, or replace it with replace=True (on the command line --replace)."
        refuse_foreign(path, replace or is_export(path, kind), f"an export of answers as {kind}", cure)
    write(path, answer_rows(session, annotator, label), Told(folder, label, annotator, url, email))
    return path, _links_to_nothing(path) if kind == "links" else ""


def kind_of(path: Path | str | None) -> str:
    """Return the kind of export that a file's name ends like: csv without a name. ValueError for another ending."""
    if path is None:
        return "csv"
    for kind, (_, ending) in KINDS.items():
        if str(path).lower().endswith(ending):
            return kind
    endings = ", ".join(ending for _, ending in KINDS.values())
    raise ValueError(f"{path} ends like none of {endings}; say the kind: one of {', '.join(KINDS)}")


def _csv(path: Path, rows: Sequence[dict], told: Told) -> None:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: safe(value) for name, value in row.items()} for row in rows)
    store.write_atomically(path, stream.getvalue().encode())


def _parquet(path: Path, rows: Sequence[dict], told: Told) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"round": pa.int32(), "row": pa.int64(), "score": pa.float64(), "seconds": pa.float64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    store.write_with(path, lambda stream: pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), stream))


def _coco(path: Path, rows: Sequence[dict], told: Told) -> None:
    """COCO's images and categories with a label for the whole image; unsure ones are left out."""
    judged = [r for r in rows if r["label"] != "unsure"]
    value = {
        "info": {
            "description": f"image labels for {told.label!r} (whole images, no boxes)",
            "contributor": told.annotator,
        },
        "licenses": [],
        "images": [{"id": i, "file_name": told.name(r["item"])} for i, r in enumerate(judged, 1)],
        "categories": [{"id": 1, "name": told.label}, {"id": 2, "name": f"not {told.label}"}],
        "annotations": [
            {"id": i, "image_id": i, "category_id": 1 if r["label"] == "positive" else 2, "iscrowd": 0}
            for i, r in enumerate(judged, 1)
        ],
    }
    store.write_json(path, value)


_WITH_FOLDER = (
    "name the folder of the items, so that their whole paths are written: images='...' (on the command line --images)"
)


def _fiftyone(path: Path, rows: Sequence[dict], told: Told) -> None:
    """FiftyOneImageClassificationDataset's labels.json: keys are absolute paths, or paths in a folder without ending.

    That is what its importer looks them up by.
    """
    classes = list(told.classes.values())
    labels: dict[str, int] = {}
    items: dict[str, str] = {}
    for r in rows:
        item = r["item"]
        stem = str(Path(item)).removesuffix(Path(item).suffix)
        key = stem if told.images is None else str((told.images / item).absolute())
        if told.images is None and ("\\" in item or any(part[0] == "." for part in Path(item).parts)):
            raise ValueError(
                f"{item!r} is hidden from FiftyOne, which passes over names with a dot in front and splits them at a "
                f"backslash; {_WITH_FOLDER}"
            )
        if key in labels:
            raise ValueError(
                f"{items[key]!r} and {item!r} are one name to FiftyOne, which leaves out endings; {_WITH_FOLDER}"
            )
        labels[key], items[key] = classes.index(told.classes[r["label"]]), item
    store.write_json(path, {"classes": classes, "labels": labels})


def _label_studio(path: Path, rows: Sequence[dict], told: Told) -> None:
    """Label Studio tasks with a finished choice each (`<Choices name="label" toName="image">`).

    Label Studio refuses a file that names an account it does not know, so the annotator stands among a task's data.
    """
    tasks = []
    for r in rows:
        choice = {"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": [r["label"]]}}
        done: dict[str, Any] = {"result": [choice]}
        done |= {"completed_by": {"email": told.email}} if told.email else {}
        done |= {"lead_time": r["seconds"]} if r["seconds"] is not None else {}
        image = told.name(r["item"]) if told.url is None else _joined(told.url, quote(r["item"]))
        data = {"image": image} | {key: r[key] for key in ("item", "class", "annotator", "component", "score")}
        tasks.append({"data": data, "annotations": [done]})
    store.write_json(path, tasks)


def _joined(url: str, name: str) -> str:
    """Put a name behind an address, with a slash where the address ends in a word and not in what leads on."""
    return url + ("/" if url[-1:].isalnum() else "") + name


def _links(path: Path, rows: Sequence[dict], told: Told) -> None:
    """Make a folder with a link to each positive."""
    if (images := told.images) is None:
        raise ValueError("a folder of links needs the folder of the items: images='...' (on the command line --images)")
    with lock_beside(path, "The folder of links").acquire(wait=True):
        _make_links(path, images.resolve(), rows, told)


def _make_links(path: Path, root: Path, rows: Sequence[dict], told: Told) -> None:
    """Make the links in a folder beside `path`, and put it in the place of an earlier one, which stays until then.

    To be called by one process at a time. A killed one may leave the two folders beside `path`, whose names begin with
    a dot; the next call puts an earlier one back that has not been replaced, and removes what else is left.
    """
    fresh, before = (path.with_name(f".{path.name}.{which}") for which in ("new", "before"))
    for folder in (path, fresh, before):
        known = folder.is_dir() and not folder.is_symlink() and all(p.is_symlink() for p in folder.iterdir())
        if os.path.lexists(folder) and not known:
            raise ValueError(f"{folder} exists and is no folder of links; give another name")
    if before.exists() and not path.exists():
        before.rename(path)
    for left in (fresh, before):
        if left.exists():
            shutil.rmtree(left)
    fresh.mkdir()
    try:
        for number, r in enumerate((r for r in rows if r["label"] == "positive"), 1):
            try:
                target = real_path(root, r["item"])
            except RefusedError:
                raise RefusedError(f"{r['item']!r} leads out of {told.images}; nothing was written") from None
            (fresh / _link_name(number, Path(r["item"]).name)).symlink_to(target)
        made = list(fresh.iterdir())
        if made and not any(link.exists() for link in made):
            raise MissingDataError(
                f"none of the {len(made):,} finds is in {told.images}; name the folder of the items."
            )
        fresh.chmod(0o755)
        if path.exists():
            path.rename(before)
        fresh.rename(path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        if before.exists() and not path.exists():
            before.rename(path)
        raise
    if before.exists():
        shutil.rmtree(before)


def _links_to_nothing(links: Path) -> str:
    """Say how many links of an export lead to pictures that are gone; "": none."""
    made = sorted(links.iterdir())
    gone = [str(link.readlink()) for link in made if not link.exists()]
    lead = "is gone: its link leads" if len(gone) == 1 else "are gone: their links lead"
    return f"{len(gone):,} of the {len(made):,} finds {lead} to nothing, such as {gone[0]}" if gone else ""


def _link_name(number: int, name: str) -> str:
    """Return a number and a name, which loses its beginning where both together are longer than a file's may be."""
    number_and_dash = f"{number:05d}-"
    kept = os.fsencode(name)[-(255 - len(number_and_dash)) :]
    return number_and_dash + kept.decode(errors="ignore")


KINDS: dict[str, tuple[Callable, str]] = {
    "csv": (_csv, ".csv"),
    "parquet": (_parquet, ".parquet"),
    "coco": (_coco, ".coco.json"),
    "fiftyone": (_fiftyone, ".fiftyone.json"),
    "label-studio": (_label_studio, ".label-studio.json"),
    "links": (_links, "-links"),
}
