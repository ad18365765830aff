"""The widget between controller and browser: messages in, messages out, one window at a time.

No answer travels in a synced trait: the screen sends events, the controller commits them, the widget acknowledges. A
window that shows the same session while another works on it says so and only looks on.
"""

import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from elsa_nb.label import agreement
from elsa_nb.label.controller import Controller
from elsa_nb.label.items import Content, Items, content_of
from elsa_nb.label.label_files.words import check_class
from elsa_nb.label.lease import LeaseLostError
from elsa_nb.label.session_file import CLASS
from elsa_nb.label.session_queries import disagreements

SILENT_WINDOW = 8.0  # seconds after which another window may take the place of one that says nothing
GOODBYE, VANISHED = 2.0, 8.0  # seconds after which a panel that nobody looks at releases the session
CARD_SIDES, LARGE, LARGEST = (224, 512), 1200, 4096  # pixels: a card's picture, the larger view, that magnified
MOST_COMPARED = 200  # items on which people differ, on one page
LONGEST_NAME = 200  # letters of what is looked for
SCRIPTS = (
    *("cards", "snapshot", "tab", "layout", "keys", "stretch", "pictures", "card_node"),
    *("beside", "zoom", "figures", "compare", "guide", "widget"),
)
_HERE = Path(__file__).parent


class Widget(anywidget.AnyWidget):
    """The grid of cards in the browser; with `doors` it names other ways to begin if a first look brings nothing.

    A `remark` stays above it until the person dismisses it, and comes back where it says something else then.
    """

    # One module without a build step: the reducer, the parts, and last the view.
    _esm = "".join((_HERE / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    _css = (_HERE / "widget.css").read_text("utf-8")
    figures = traitlets.Dict().tag(sync=True)

    def __init__(self, controller: Controller, items: Items, *, title: str = "", doors: bool = False, remark: str = ""):
        self.controller, self.items, self.title, self.doors = controller, items, title, doors
        session = controller.session
        self.remark = "" if session.meta(f"{DISMISSED}{session.annotator}") == json.dumps(remark) else remark
        self._lock = threading.RLock()
        self._readers = ThreadPoolExecutor(2, "elsa-pictures")
        self._larger = ThreadPoolExecutor(1, "elsa-larger-view")  # it must not wait for a page of small ones
        self._active: str | None = None  # the nonce of the window that works
        self._client, self._seen, self._seq = "", 0.0, 0
        self._side = CARD_SIDES[0]  # of the pictures that the active window shows
        self._changed = threading.Event()
        self._left: float | None = None  # when the last window said goodbye
        controller.publish = self._publish
        super().__init__(figures=controller.figures())
        self.on_msg(lambda _, content, buffers: self.hear(content))

    def __repr__(self):
        return f"Widget({self.title})"

    # --- in

    def hear(self, content: dict[str, Any]) -> None:
        """Do what a window says: `content` has its "kind", the window's "nonce", and what belongs to that kind.

        Nonsense is ignored, since it comes from a browser. The answer goes out as a message.
        """
        kind, nonce = content.get("kind"), content.get("nonce")
        handler = getattr(self, f"_on_{kind}", None) if kind in _KINDS else None
        if handler is None or not isinstance(nonce, str) or self.comm is None:  # None: it is closed
            return
        if nonce == self._active:
            self._seen = time.monotonic()
        if self.controller.wake():
            self.renew()
        handler(nonce, content)

    def _on_hello(self, nonce: str, content: dict) -> None:
        with self._lock:
            if self._free(content.get("client")):
                self._activate(nonce, content.get("client"))
        self._roles()
        self._snapshot(nonce)

    def _on_sync(self, nonce: str, content: dict) -> None:
        self._snapshot(nonce, force=bool(content.get("force")))

    def _on_alive(self, nonce: str, content: dict) -> None:
        if nonce != self._active:
            with self._lock:
                if self._free(content.get("client")) and self._active != nonce:
                    self._activate(nonce, content.get("client"))
                    self._snapshot(nonce, force=True)
                    self._roles()

    def _on_take(self, nonce: str, content: dict) -> None:
        if not self.controller.held:
            self.controller.look_around(force=True)
        with self._lock:
            self._activate(nonce, content.get("client"))
        self._snapshot(nonce, force=True)
        self._roles()

    def _on_bye(self, nonce: str, content: dict) -> None:
        with self._lock:
            if nonce == self._active:
                self._active, self._left = None, time.monotonic()

    def _on_events(self, nonce: str, content: dict) -> None:
        seq, events = content.get("seq"), content.get("events")
        if not isinstance(seq, int) or not isinstance(events, list) or not all(isinstance(e, dict) for e in events):
            return
        with self._lock:
            if nonce != self._active or not self.controller.held:
                self._roles()
                self.send({"kind": "refused", "to": nonce})
                return
            if seq > self._seq + 1:
                self.send({"kind": "resend", "to": nonce, "from": self._seq + 1})
                return
            with self.controller.lock:
                if seq == self._seq + 1:
                    troubled = self.controller.error
                    if not self.controller.handle(events):
                        self._roles()
                        self.send({"kind": "refused", "to": nonce})
                        return
                    self._seq = seq
                    if troubled:  # and now they are stored: what the page says of the trouble no longer holds
                        self._roles()
                else:
                    events = []  # a second copy of what was committed: acknowledge, do nothing
                cards = self.controller.cards
                state = {"check": cards.check, "n": len(cards.labels)}
                self.send({"kind": "ack", "to": nonce, "seq": seq, "events": events} | state)
        self._changed.set()

    def _on_start(self, nonce: str, content: dict) -> None:
        if nonce == self._active and self.controller.held:
            self.controller.start()

    def _on_conclude(self, nonce: str, content: dict) -> None:
        if nonce == self._active and self.controller.held:
            self.controller.conclude()
            self._changed.set()

    def _on_again(self, nonce: str, content: dict) -> None:
        with self._lock, self.controller.lock:  # else the page could be dealt before the screen knows that it comes
            if nonce == self._active and self.controller.held:
                self.controller.look_again()
                self._snapshot(nonce)
        self._changed.set()

    def _on_name(self, nonce: str, content: dict) -> None:
        text = content.get("text")
        if nonce == self._active and self.controller.held and isinstance(text, str):
            text = text[:LONGEST_NAME].strip()  # nothing takes the name away
            try:
                if text:
                    check_class(text)
                self.controller.session.remark(CLASS, text)
            except LeaseLostError:  # somebody took over a moment ago; the next sign of life says so on screen
                return
            except ValueError as error:
                self.send({"kind": "named", "text": self.controller.session.meta(CLASS) or ""})
                self._say_banner(str(error), to=nonce)
                return
            self.send({"kind": "named", "text": text})
            self._roles()  # the text above the cards may be about a name that was refused

    def _on_dismiss(self, nonce: str, content: dict) -> None:
        if nonce == self._active and self.controller.held and self.remark:
            session = self.controller.session
            with suppress(LeaseLostError):  # somebody took over a moment ago: the remark is shown again
                session.remark(f"{DISMISSED}{session.annotator}", json.dumps(self.remark))
                self.remark = ""
            self._roles()  # other windows show it, and so does this one if a snapshot was on its way meanwhile

    def _on_compare(self, nonce: str, content: dict) -> None:
        session = self.controller.session
        differ = disagreements(session)
        places = self.controller.places([each["item"] for each in differ])
        there = [each for each in differ if each["item"] in places]
        items = [each | dict(zip(("row", "position"), places[each["item"]], strict=True)) for each in there]
        pairs = list(map(str, agreement.agreements(session)))
        self.send({"kind": "compared", "to": nonce, "pairs": pairs, "items": items[:MOST_COMPARED], "n": len(items)})

    def _on_want(self, nonce: str, content: dict) -> None:
        positions = [p for p in content.get("positions", ()) if isinstance(p, int)]
        rows = [r for r in content.get("rows", ()) if isinstance(r, int)]
        side = next((each for each in CARD_SIDES if each == content.get("side")), CARD_SIDES[0])
        with self._lock:
            if nonce == self._active:
                self._side = side
        self._readers.submit(self._send_cards, nonce, positions[:600], rows[:600], side)

    def _on_zoom(self, nonce: str, content: dict) -> None:
        row, side = content.get("row"), content.get("side", LARGE)
        if isinstance(row, int) and isinstance(side, int):
            self._larger.submit(self._send_zoom, nonce, row, max(1, min(side, LARGEST)))

    def close(self) -> None:
        """Close it in all windows, and end its threads; a closed widget hears nothing any more."""
        if hasattr(self, "_larger"):  # else it was called wrongly, and nothing was made
            self.controller.publish = lambda message: None
            for worker in (self._readers, self._larger):
                worker.shutdown(wait=False, cancel_futures=True)  # whatever thread this is, one of these included
        super().close()

    # --- out

    @property
    def abandoned(self) -> bool:
        """Whether the last window was closed a while ago (or went silent long ago) and no other came."""
        now = time.monotonic()
        with self._lock:
            if self._active is None:
                return self._left is not None and now - self._left > GOODBYE
            return now - self._seen > VANISHED

    def refresh(self) -> None:
        """Bring the figures up to date, if anything has happened since they were."""
        if self._changed.is_set():
            self._changed.clear()
            self.figures = self.controller.figures()

    def renew(self) -> None:
        """Tell all windows where they stand, and what the cards are now."""
        self._roles()
        with self._lock:
            active = self._active
        if active:
            self._snapshot(active, force=True)

    def _publish(self, message: dict[str, Any]) -> None:
        if message["kind"] == "doubts":
            self._changed.set()
            return
        if message["kind"] == "ahead":
            self._readers.submit(self._send_cards, None, [], message["rows"], self._side)
            return
        if message["kind"] == "deal" and not message["more"]:
            # What the first page says goes with it; its pictures mostly went ahead. So the page is there at once.
            with self.controller.lock:
                start, end = self.controller.cards.page(self.controller.cards.cursor)
                message = message | {"cards": [self.controller.card(position) for position in range(start, end)]}
        self.send(message)
        self._changed.set()

    def _free(self, client: str | None) -> bool:
        return self._active is None or client == self._client or time.monotonic() - self._seen > SILENT_WINDOW

    def _activate(self, nonce: str, client: str | None) -> None:
        if nonce != self._active:
            self._active, self._client, self._seq, self._left = nonce, client or "", 0, None
        self._seen = time.monotonic()

    def _banner(self) -> str:
        """Say why a window may only look on, or what the person should know."""
        if self.controller.session.read_only:
            return f"{self.controller.session.path} can only be read here. You can look on; nothing is stored."
        if not self.controller.held:
            holder = self.controller.session.held_by
            return f"This session is open elsewhere ({holder}). Here you can look on." if holder else "Reopening..."
        return self.controller.error or self.controller.notice

    def _roles(self) -> None:
        self._say_banner(self._banner())

    def _say_banner(self, text: str, **to: str) -> None:
        """Say who works here, with a text above the cards; `to` one window, or to all."""
        roles = {"active": self._active, "held": self.controller.held, "text": text, "other": OTHER}
        self.send({"kind": "roles", "unsaved": self.controller.refused, "remark": self.remark} | roles | to)

    def _snapshot(self, nonce: str, *, force: bool = False) -> None:
        with self._lock, self.controller.lock:
            cards = self.controller.cards
            state = {
                name: getattr(cards, name)
                for name in ("size", "rounds", "overviews", "cursor", "waiting", "over", "check", "open")
            }
            active = nonce == self._active and self.controller.held
            content = {"kind": "snapshot", "to": nonce, "force": force, "title": self.title, "active": active} | state
            content["seq"] = self._seq if nonce == self._active else 0
            content["unsaved"] = self.controller.refused
            content["text"] = self._banner() or ("" if active else OTHER)
            content["people"] = len({*self.controller.session.annotators, self.controller.session.annotator})
            content["sought"] = self.controller.session.meta(CLASS) or ""
            content["doors"], content["remark"] = self.doors, self.remark
            content["earlier"], content["later"] = list(cards.earlier.items()), list(cards.later.items())
            content["seeds"] = self.controller.rounds.seeds[:24].tolist()
            buffers = [np.array(cards.labels, np.int8).tobytes(), _flat(cards.history), _flat(cards.undone)]
            self.send(content, buffers)

    def _send_cards(self, nonce: str | None, positions: list[int], rows: list[int], side: int) -> None:
        with self.controller.lock:
            cards = [self.controller.card(p) for p in positions if 0 <= p < len(self.controller.cards.labels)]
            # Only what the session is about is ever read; a row number from the browser is a request, not a right.
            rows = list(dict.fromkeys([c["row"] for c in cards] + [r for r in rows if self.controller.may_show(r)]))
        for start in range(0, max(len(rows), 1), 24):
            part = set(rows[start : start + 24])
            pictures, buffers = [], []
            for row in rows[start : start + 24]:
                content = content_of(self.items, row, side)
                pictures.append(_described(row, content, len(buffers)) | {"side": side})
                if content.data:
                    buffers.append(content.data)
            sent = [c for c in cards if c["row"] in part]
            self.send({"kind": "cards", "to": nonce, "cards": sent, "pictures": pictures}, buffers)

    def _send_zoom(self, nonce: str, row: int, side: int) -> None:
        if not self.controller.may_show(row):
            return
        content = content_of(self.items, row, side)
        described = _described(row, content, 0)
        described |= {
            "kind": "zoom",
            "to": nonce,
            "content": content.kind,
            "side": side,
            "item": str(self.controller.ids[row]),
        }
        self.send(described, [content.data] if content.data else [])


OTHER = "Another window is working on this session. Here you can look on."
_KINDS = {"hello", "sync", "alive", "take", "bye", "start", "conclude", "again", "name", "events", "want", "zoom"}
_KINDS |= {"compare", "dismiss"}
DISMISSED = "dismissed:"  # with an annotator's name the key of the remark that is not to be shown any more


def _described(row: int, content: Content, buffer: int) -> dict[str, Any]:
    data = buffer if content.data else -1
    return {"row": row, "kind": content.kind, "mime": content.mime, "text": content.text, "buffer": data}


def _flat(entries: Sequence[list[tuple[int, int]] | int]) -> bytes:
    """Return actions as int32: the number of pairs and the pairs, or -1 - start where a round was dealt."""
    flat: list[int] = []
    for entry in entries:
        if isinstance(entry, int):
            flat.append(-entry - 1)
        else:
            flat.append(len(entry))
            flat += [number for pair in entry for number in pair]
    return np.array(flat, np.int32).tobytes()
