"""The readers that are fuzzed: those of `benchmarks.damage`, sessions and their rescue, earlier labels, and messages.

A browser's messages are a reader, too: what reaches the kernel of the panel is whatever a page sends.
"""

import gzip
import io
import json
import re
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import comm
import numpy as np
import pandas as pd

from benchmarks import damage
from benchmarks.damage import NAMES, Reader
from elsa_nb import store
from elsa_nb.label import Fixed, Panel, Texts
from elsa_nb.label.answers import Answer
from elsa_nb.label.label_files.reader import read_labels
from elsa_nb.label.rescue import rescue
from elsa_nb.label.session import Session
from elsa_nb.label.session_queries import disagreements

COUNTED = ("executions", "refused", "the same", "other values, no checksum", "finds")
_MENDED = 128  # the bit of the first byte that asks for checksums that fit


def _session(folder: Path) -> None:
    session = Session(folder / "it.sqlite", annotator="ann")
    session.acquire()
    for row, name in enumerate(NAMES.tolist()):
        session.write([Answer(name, -2, int(row % 3 == 0), position=row, row=row)])
    session.release()
    session.close()


def _read_session(folder: Path) -> Any:
    session = Session(folder / "it.sqlite", annotator="ann")
    try:
        return session.answers(), session.rounds(), session.known(), disagreements(session)
    finally:
        session.close()


def _rescue(folder: Path) -> Any:
    return str(rescue(folder / "it.sqlite", folder / "out.sqlite"))


LABELS = {
    "csv": "item,label,annotator\n" + "\n".join(f"{name},{i % 2},ann" for i, name in enumerate(NAMES)),
    "tsv": "filename\tclass\n" + "\n".join(f"{name}\t{'yes' if i % 3 else 'no'}" for i, name in enumerate(NAMES)),
    "txt": "\n".join(NAMES[:9]),
    "jsonl": "\n".join(json.dumps({"image": name, "label": "positive"}) for name in NAMES[:9].tolist()),
    "ls.json": json.dumps(
        [
            {
                "data": {"image": f"/data/upload/{name}"},
                "annotations": [{"result": [{"type": "choices", "value": {"choices": ["positive"]}}], "id": 1}],
            }
            for name in NAMES[:5].tolist()
        ]
    ),
    "coco.json": json.dumps(
        {
            "images": [{"id": i, "file_name": name} for i, name in enumerate(NAMES[:5].tolist())],
            "categories": [{"id": 1, "name": "positive"}],
            "annotations": [{"id": i, "image_id": i, "category_id": 1} for i in range(5)],
        }
    ),
    "via.json": json.dumps(
        {
            name: {"filename": name, "regions": [], "file_attributes": {"label": "positive"}}
            for name in NAMES[:5].tolist()
        }
    ),
    "cvat.xml": "<annotations>"
    + "".join(f'<image id="{i}" name="{name}"><tag label="positive"/></image>' for i, name in enumerate(NAMES[:5]))
    + "</annotations>",
}


PACKED = ("parquet", "feather", "xlsx", "npy", "npz", "csv.gz", "sqlite")


def _labels(folder: Path, kind: str) -> None:
    frame, path = pd.DataFrame({"item": NAMES, "label": np.arange(len(NAMES)) % 2}), folder / f"it.{kind}"
    if kind in ("parquet", "feather"):
        getattr(frame, f"to_{kind}")(path)
    elif kind == "xlsx":
        frame.to_excel(path, index=False)
    elif kind == "npy":
        np.save(path, frame["label"].to_numpy())
    elif kind == "npz":
        np.savez(path, item=NAMES, label=frame["label"].to_numpy())
    elif kind == "csv.gz":
        path.write_bytes(gzip.compress(LABELS["csv"].encode(), mtime=0))
    elif kind == "sqlite":
        _session(folder)
    else:
        path.write_text(LABELS[kind], encoding="utf-8")


def _read_labels(folder: Path, kind: str) -> Any:
    read = read_labels(folder / f"it.{kind}", NAMES.tolist(), every="positive" if kind == "txt" else None)
    str(read)
    return read.given


class _AtOnce(Executor):
    """Does what it is given at once, so that an error in it is seen."""

    def submit(self, function: Callable, /, *arguments: Any, **named: Any) -> Future:
        function(*arguments, **named)
        return Future()


def _messages(folder: Path) -> None:
    events = [{"op": "label", "v": 1}, {"op": "set", "at": 3, "v": 0}, {"op": "rest"}, {"op": "next"}, {"op": "undo"}]
    told = [{"kind": "hello", "nonce": "a", "client": "c"}]
    told += [{"kind": "events", "nonce": "a", "seq": i + 1, "events": [event]} for i, event in enumerate(events)]
    told += [{"kind": kind, "nonce": "a", "client": "c"} for kind in ("sync", "alive", "take", "compare", "bye")]
    told += [{"kind": "want", "nonce": "a", "positions": [0, 1], "rows": [2], "side": 224}]
    told += [{"kind": "zoom", "nonce": "a", "row": 3, "side": 900}, {"kind": "name", "nonce": "a", "text": "a fox"}]
    (folder / "it.json").write_text(json.dumps(told), encoding="utf-8")


def _read_messages(folder: Path) -> Any:
    """Send a fresh panel the messages of a browser; what it then holds is what its session file holds."""

    try:
        told = json.loads((folder / "it.json").read_bytes())
    except (ValueError, RecursionError):
        raise ValueError(f"{folder}: no JSON, which no browser sends") from None
    with mock.patch.object(comm, "create_comm", lambda *_, **__: comm.DummyComm()):
        items = Texts(NAMES.tolist(), NAMES.tolist())
        panel = Panel(Fixed(len(NAMES), np.arange(len(NAMES))), items, folder / "s.sqlite", page=12)
    try:
        panel.widget._readers = panel.widget._larger = _AtOnce()
        for content in told if isinstance(told, list) else [told]:
            if isinstance(content, dict):  # as the protocol of Jupyter's messages has it
                panel.widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
        with panel.controller.lock:
            cards = list(panel.controller.cards.labels)
        held = {e.position: e.label for e in panel.controller.session.events() if e.position is not None}
        if any(label > -2 and held.get(position) != label for position, label in enumerate(cards)):
            raise RuntimeError("the screen holds an answer that the file does not hold")
        return cards
    finally:
        panel.close()


FUZZED: dict[str, Reader] = {
    **damage.READERS,
    "session": Reader(("it.sqlite",), _session, _read_session),
    "session rescue": Reader(("it.sqlite",), _session, _rescue),
    **damage._kinds(_labels, _read_labels, (*LABELS, *PACKED), "labels"),
    "browser messages": Reader(("it.json",), _messages, _read_messages),
}


class Fuzzed:
    """One reader and its files in `folder`: called with an input, it counts the outcome in `counts` (5,) int64."""

    def __init__(self, name: str, folder: Path, finds: Path, counts: np.ndarray):
        self.name, self.folder, self.finds, self.counts = name, folder, finds, counts
        self.reader = FUZZED[name]
        self.reader.make(folder)
        self.whole = {file: (folder / file).read_bytes() for file in self.reader.files}
        self.before = self.reader.read(folder)
        damage.restore(self.folder, self.whole)
        self.seen: set[str] = set()

    def corpus(self) -> Iterator[bytes]:
        """Yield the inputs to begin with: each file as it is, with and without mended checksums."""
        for number, content in enumerate(self.whole.values()):
            yield bytes([number]) + content
            yield bytes([number | _MENDED]) + content

    def __call__(self, data: bytes) -> None:
        """Read the files with one of them changed to what `data` says."""
        if not data:
            return
        file = self.reader.files[(data[0] % _MENDED) % len(self.reader.files)]
        mended = data[0] >= _MENDED
        (self.folder / file).write_bytes(data[1:])
        if mended:
            self._mend(file, data[1:])
        reader = replace(self.reader, sealed=self.reader.sealed and not mended)
        with redirect_stderr(io.StringIO()):
            outcome = damage._outcome(reader, self.folder, self.before)
        self.counts[0] += 1
        if outcome in COUNTED:
            self.counts[COUNTED.index(outcome)] += 1
        else:
            self._keep(outcome, data)
        damage.restore(self.folder, self.whole)

    def _mend(self, file: str, content: bytes) -> None:
        """Make the checksums of the reader's cards fit the changed file, and its own seal if it has one."""
        path = self.folder / file
        if file.endswith(".rows"):
            path.unlink()  # the writer replaces no database, and an input may begin like one
            store.write_sealed(path, content)
        elif file.endswith(".json"):
            self._seal(path, content)
        else:
            old, new = store.sha256_bytes(self.whole[file]).encode(), store.sha256_bytes(content).encode()
            for card, text in self.whole.items():
                if card.endswith(".json") and old in text:
                    self._seal(self.folder / card, text.replace(old, new))

    def _seal(self, path: Path, text: bytes) -> None:
        try:
            card = json.loads(text)
            store.write_card(path, {key: value for key, value in card.items() if key not in store._SEALS})
        except (ValueError, AttributeError, TypeError, RecursionError):  # not what could have been sealed
            path.write_bytes(text)

    def _keep(self, outcome: str, data: bytes) -> None:
        """Keep the first input of each kind of find, and where it was raised."""
        self.counts[-1] += 1
        kind = re.sub(r"[^A-Za-z ,]+", "", outcome.partition(":")[0])
        if kind in self.seen:
            return
        self.seen.add(kind)
        self.finds.mkdir(parents=True, exist_ok=True)
        (self.finds / f"{kind}.input").write_bytes(data)
        told = outcome
        try:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                self.reader.read(self.folder)
        except Exception:  # what was found, in full
            told += "\n" + traceback.format_exc()
        (self.finds / f"{kind}.txt").write_text(told, encoding="utf-8")
