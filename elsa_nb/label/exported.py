"""Whether a file is one that was exported here: such a file is replaced by the next export, anybody else's is not."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# The columns of an export, in this order; those of earlier versions had no others, and lacked some.
COLUMNS = ("item", "label", "annotator", "time", "round", "component", "score", "seconds", "row", "code", "class")
_FEWEST = 4  # of them


def refuse_foreign(path: Path, ours: bool, what: str, cure: str) -> None:
    """Raise ValueError where a file is there and is not `ours`, which is `what`; an empty one is nobody's."""
    if path.is_file() and path.stat().st_size and not ours:
        raise ValueError(f"{path} is there already and is not {what}; it was left as it is. {cure}")


def is_export(path: Path, kind: str) -> bool:
    """Return whether `path` holds an export of this kind; one that cannot be read does not."""
    if not path.is_file():
        return False
    try:
        if kind == "csv":
            return _are_ours(first_line(path).split(","))
        if kind == "parquet":
            import pyarrow.parquet as pq

            return _are_ours(pq.read_schema(path).names)
        return _IN_JSON[kind](json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, NotImplementedError, RecursionError):  # what readers raise over other bytes
        return False


def _are_ours(columns: Sequence[str]) -> bool:
    """Whether a table has the columns of an export and no more: with more, somebody has gone on working in it."""
    return len(columns) >= _FEWEST and list(columns) == [name for name in COLUMNS if name in columns]


def first_line(path: Path) -> str:
    """Return the first line of a text, as much of it as an export's can be long; "" for a file that is not there."""
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return stream.readline(1 << 16).decode(errors="replace").rstrip("\r\n")


def _coco(value: Any) -> bool:
    info = value.get("info") if isinstance(value, dict) else None
    return isinstance(info, dict) and str(info.get("description")).startswith("image labels for ")


def _fiftyone(value: Any) -> bool:
    classes = value["classes"] if isinstance(value, dict) and set(value) == {"classes", "labels"} else None
    # "target: unsure" in an earlier version.
    return isinstance(classes, list) and any(str(each).endswith("unsure") for each in classes)


def _label_studio(value: Any) -> bool:
    if value == []:  # nobody had answered anything
        return True
    task = value[0] if isinstance(value, list) else None
    data = task.get("data") if isinstance(task, dict) else None
    return isinstance(data, dict) and {"image", "class", "component", "score"} <= set(data)


_IN_JSON = {"coco": _coco, "fiftyone": _fiftyone, "label-studio": _label_studio}
