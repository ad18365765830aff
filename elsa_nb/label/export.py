"""Answers into files that other programs read, and earlier labels from files into a session.

Each kind is a function of rows of plain values. All files are written whole or not at all. Labels are the words
positive, negative and unsure; where annotators differ, the table kinds hold a line for each of them, and the others
the word of the annotator asked for.
"""

import csv
import io
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from elsa_nb import store
from elsa_nb.label.items import RefusedError
from elsa_nb.label.session import Answer, Session

WORDS = {-1: "unsure", 0: "negative", 1: "positive"}
NUMBERS = {word: label for label, word in WORDS.items()}
COLUMNS = ("item", "label", "annotator", "time", "round", "component", "score", "seconds", "row", "code")


def answer_rows(session: Session, annotator: str | None = None) -> list[dict[str, Any]]:
    """Return the current answers, one dictionary an item and annotator, in the order of asking."""
    rows = []
    for a in session.answers(annotator):
        clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(a["at"]))
        rows.append(
            {"item": a["item"], "label": WORDS[a["label"]], "time": clock}
            | {k: a[k] for k in COLUMNS[2:] if k != "time"}
        )
    return [{name: row[name] for name in COLUMNS} for row in rows]


def export(
    session: Session,
    path: Path | str | None = None,
    kind: str | None = None,
    *,
    annotator: str | None = None,
    images: Path | str | None = None,
    label: str = "target",
) -> Path:
    """Write the answers of `session` to `path` and return it; by default beside the session file.

    `kind`: one of csv, parquet, coco, fiftyone, label-studio, links; by default by the ending of `path`. `annotator`:
    whose answers (csv and parquet: everybody's by default; else the session's annotator). `images`: the folder that
    holds the items (needed for links; the others write it before the names). `label` names the class.
    """
    kind = kind or {".csv": "csv", ".parquet": "parquet"}.get(Path(path or "x.csv").suffix)
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r}; allowed: {', '.join(KINDS)}")
    write, ending = KINDS[kind]
    path = Path(path) if path is not None else session.path.with_name(f"{session.path.stem}{ending}")
    if kind not in ("csv", "parquet"):
        annotator = annotator or session.annotator
    write(path, answer_rows(session, annotator), Path(images) if images is not None else None, label)
    return path


def _csv(path: Path, rows: Sequence[dict], images: Path | None, label: str) -> None:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    store.write_atomically(path, stream.getvalue().encode())


def _parquet(path: Path, rows: Sequence[dict], images: Path | None, label: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"round": pa.int32(), "row": pa.int64(), "score": pa.float64(), "seconds": pa.float64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    store.write_with(path, lambda stream: pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), stream))


def _coco(path: Path, rows: Sequence[dict], images: Path | None, label: str) -> None:
    """COCO's images and categories with a label for the whole image; unsure ones are left out."""
    judged = [r for r in rows if r["label"] != "unsure"]
    value = {
        "info": {"description": f"image labels for {label!r} (whole images, no boxes)"},
        "images": [{"id": i, "file_name": _name(r, images)} for i, r in enumerate(judged, 1)],
        "categories": [{"id": 1, "name": label}, {"id": 2, "name": f"not {label}"}],
        "annotations": [
            {"id": i, "image_id": i, "category_id": 1 if r["label"] == "positive" else 2}
            for i, r in enumerate(judged, 1)
        ],
    }
    store.write_json(path, value)


def _fiftyone(path: Path, rows: Sequence[dict], images: Path | None, label: str) -> None:
    """FiftyOneImageClassificationDataset's labels.json, with the classes positive, negative, unsure."""
    classes = list(WORDS.values())
    labels = {_name(r, images): classes.index(r["label"]) for r in rows}
    store.write_json(path, {"classes": [f"{label}: {word}" for word in classes], "labels": labels})


def _label_studio(path: Path, rows: Sequence[dict], images: Path | None, label: str) -> None:
    """Label Studio tasks with a finished choice each (`<Choices name="label" toName="image">`)."""
    tasks = []
    for r in rows:
        choice = {"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": [r["label"]]}}
        done = {"result": [choice], "completed_by": {"email": r["annotator"]}, "lead_time": r["seconds"]}
        data = {"image": _name(r, images), "class": label, "component": r["component"], "score": r["score"]}
        tasks.append({"data": data, "annotations": [done]})
    store.write_json(path, tasks)


def _links(path: Path, rows: Sequence[dict], images: Path | None, label: str) -> None:
    """Make a folder with a link to each positive."""
    if images is None:
        raise ValueError("a folder of links needs the folder of the items: export(..., images=folder)")
    if path.exists() and (not path.is_dir() or any(not p.is_symlink() for p in path.iterdir())):
        raise ValueError(f"{path} exists and is no folder of links; give another name")
    root = images.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        for number, r in enumerate((r for r in rows if r["label"] == "positive"), 1):
            target = Path(os.path.realpath(root / r["item"]))
            if not target.is_relative_to(root):
                raise RefusedError(f"{r['item']!r} leads out of {images}; nothing was written")
            (fresh / f"{number:05d}-{target.name}").symlink_to(target)
        fresh.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        fresh.rename(path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _name(row: dict, images: Path | None) -> str:
    return row["item"] if images is None else str(images / row["item"])


KINDS: dict[str, tuple[Callable, str]] = {
    "csv": (_csv, ".csv"),
    "parquet": (_parquet, ".parquet"),
    "coco": (_coco, ".coco.json"),
    "fiftyone": (_fiftyone, ".fiftyone.json"),
    "label-studio": (_label_studio, ".label-studio.json"),
    "links": (_links, "-links"),
}


def import_labels(session: Session, path: Path | str, ids: Sequence[str]) -> int:
    """Take earlier labels from a CSV or Parquet file with the columns `item` and `label`; return how many were new.

    Labels are the words positive, negative, unsure (or 1, 0, -1). They count as known: a search that asks such an item
    gets the answer from the file. Raises ValueError, and stores nothing, where an item or a label is not known.
    """
    path = Path(path)
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        lines = pq.read_table(path).to_pylist()
    else:
        with path.open(encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream))
    if lines and not {"item", "label"} <= set(lines[0]):
        raise ValueError(f"{path} has the columns {', '.join(lines[0])}; it needs `item` and `label`")
    rows, known = {str(item): row for row, item in enumerate(ids)}, session.known()
    answers = []
    for number, line in enumerate(lines, 2):
        item, word = str(line["item"]), str(line["label"]).strip()
        label = NUMBERS.get(word, {"1": 1, "0": 0, "-1": -1}.get(word))
        if item not in rows or label is None:
            what = f"the item {item!r} is not in the pool" if item not in rows else f"the label {word!r} is not known"
            raise ValueError(f"{path}, line {number}: {what}; nothing was imported")
        if known.get(item) != label:
            answers.append(Answer(item, known.get(item, -2), label, row=rows[item]))
    session.record(answers, "import")
    return len(answers)
