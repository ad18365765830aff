"""The kinds of files and folders that answers are exported into: what is written, and which options count.

A kind is a function of rows of plain values. Labels are the words positive, negative and unsure, or the class, "not"
the class and unsure where a format names classes. `label_files.reader` reads all of it.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from elsa_nb import store
from elsa_nb.formulas import safe
from elsa_nb.option_names import option_told
from elsa_nb.option_rules import Only

# Of the tables, in this order.
COLUMNS = ("item", "label", "annotator", "time", "round", "component", "score", "seconds", "row", "present", "code")
COLUMNS += ("class",)
WORDS = {-1: "unsure", 0: "negative", 1: "positive"}


@dataclass(frozen=True)
class ExportOptions:
    """What the user says about an export; `export.export` says what the options mean.

    What writes a file gets them with `label` and, unless the file holds the answers of all, `annotator` filled in.
    """

    annotator: str | None = None
    images: Path | str | None = None
    label: str | None = None
    url: str | None = None
    email: str | None = None
    replace: bool = False

    @property
    def classes(self) -> dict[str, str]:
        """What a format with names of classes calls our words."""
        return {"positive": str(self.label), "negative": f"not {self.label}", "unsure": "unsure"}

    def name(self, item: str) -> str:
        """Return how a file names an item: with the folder in front, if one is given."""
        return item if self.images is None else str(Path(self.images) / item)


@dataclass(frozen=True)
class Kind:
    """A kind of export: how the names of its files end, what writes one, and what it needs.

    `write` makes the bytes of a file of the rows; None: it is a folder of the finds, of links to them or of `copies`.
    `options` are those that count in this kind only. `of_one_person`: where annotators differ, it holds the answers of
    one of them, and otherwise a line for each. `by_place`: it says where items are, so that a page hands over their
    folder by itself.
    """

    ending: str
    write: Callable[[Sequence[dict], ExportOptions], bytes] | None = None
    options: tuple[str, ...] = ("images", "label")
    of_one_person: bool = True
    by_place: bool = False
    copies: bool = False


def kind_of(path: Path | str | None) -> str:
    """Return the kind of export that the ending of a file's name means; csv without a name. ValueError for others."""
    if path is None:
        return "csv"
    for name, kind in KINDS.items():
        if str(path).lower().endswith(kind.ending):
            return name
    endings = ", ".join(kind.ending for kind in KINDS.values())
    raise ValueError(f"{path} has none of the endings {endings}; name the kind: one of {', '.join(KINDS)}")


def _csv(rows: Sequence[dict], about: ExportOptions) -> bytes:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    flags = {True: "true", False: "false", None: None}
    for row in rows:
        writer.writerow({name: safe(value) for name, value in row.items()} | {"present": flags[row["present"]]})
    return stream.getvalue().encode()


def _parquet(rows: Sequence[dict], about: ExportOptions) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"round": pa.int32(), "row": pa.int64(), "score": pa.float64(), "seconds": pa.float64()}
    kinds["present"] = pa.bool_()
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), stream)
    return stream.getvalue()


def _coco(rows: Sequence[dict], about: ExportOptions) -> bytes:
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


def _fiftyone(rows: Sequence[dict], about: ExportOptions) -> bytes:
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
        key = stem if about.images is None else str((Path(about.images) / item).absolute())
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


def _label_studio(rows: Sequence[dict], about: ExportOptions) -> bytes:
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


KINDS = {
    "csv": Kind(".csv", _csv, ("label",), of_one_person=False),
    "parquet": Kind(".parquet", _parquet, ("label",), of_one_person=False),
    "coco": Kind(".coco.json", _coco),
    "fiftyone": Kind(".fiftyone.json", _fiftyone, by_place=True),
    "label-studio": Kind(".label-studio.json", _label_studio, ("images", "label", "url", "email")),
    "links": Kind("-links", options=("images",), by_place=True),
    "copies": Kind("-copies", options=("images",), by_place=True, copies=True),
}


def _told(option: str) -> str:
    """Say in which kinds an option counts, or in which it does not if these are fewer."""
    having = [name for name, kind in KINDS.items() if option in kind.options]
    lacking = [name for name in KINDS if name not in having]
    those = f"not {' or '.join(lacking)}" if len(lacking) < len(having) else " or ".join(having)
    return f"where {{kind}} is {those}"


def _counts(option: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return a test of whether an option counts; it passes unknown kinds, which are refused elsewhere."""

    def counts(given: Mapping[str, Any]) -> bool:
        kind = given["kind"] or kind_of(given["file"])
        return kind not in KINDS or option in KINDS[kind].options

    return counts


_with_names = _counts("images")
KIND_MODES = {option: Only(_told(option), _counts(option)) for option in ("label", "url", "email")}
KIND_MODES["images"] = Only(
    f"{_told('images')}, and without {{url}}", lambda given: _with_names(given) and given["url"] is None
)
