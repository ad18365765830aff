"""The panel: what a notebook shows when its last line is `panel`. It joins session, controller and widget."""

import html
import json
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np

from elsa_nb import fingerprints
from elsa_nb.counts import count_of
from elsa_nb.label.as_items import as_items
from elsa_nb.label.cards import OPEN, UNSURE, check_page_size
from elsa_nb.label.chosen_file import ChosenFile, import_as_html, import_chosen
from elsa_nb.label.controller import Controller
from elsa_nb.label.export import Exported, export_and_tell
from elsa_nb.label.export_kinds import KINDS, ExportOptions, kind_of
from elsa_nb.label.fixed_rows import Fixed
from elsa_nb.label.identity import names_of, settle
from elsa_nb.label.import_labels import take_back
from elsa_nb.label.items import Items
from elsa_nb.label.offered import pool_ids
from elsa_nb.label.session import Session
from elsa_nb.label.widget import Widget
from elsa_nb.option_names import by_page, told_by
from elsa_nb.search.checks import check_count, check_share
from elsa_nb.search.contract import Strategy, check_search
from elsa_nb.search.oracle import Oracle, answers_of, check_oracle
from elsa_nb.search.stopping.estimators import bracket
from elsa_nb.search.stopping.remaining import Estimator
from elsa_nb.table_ids import frame_names

BEAT = 2.0  # seconds between signs of life
CALM = 0.25  # seconds between two updates of the figures


class Panel(ipywidgets.VBox):
    """Label the questions of `search` by hand; the same line opens the session again where it was left.

    `search` is a fresh search (or `label.Begin`, `label.Fixed`); `images` is what its rows show: `label.Files`,
    `label.Arrays`, an array, a list or column of texts, paths or pictures, or anything with `images(rows)` and `ids`.
    `session` is the file that gets every answer before the screen calls it saved. Several people may use one file,
    each under a name of their own (`annotator`). `oracle` answers in a person's place when `play` is called. `estimate`
    says how many are missing (`search.stopping.estimators`; None: nothing is said), and with a `target`, a share of the
    class, the panel says when that estimate allows one to stop. `make_search` makes a fresh search from what the
    session holds; with it, labels can be imported from a file chosen on the page, and the search then begins again with
    them. `begin` makes a search from seeds; with it, that search begins from all finds. `remark` stays on the page
    until it is dismissed.
    `kind` says what search this is: scores of an earlier course of the session count where its kind was the same text.

    After each round the user's own `search` object is where the panel is; `panel.positives` are the finds.

    >>> panel = Panel(search, images, session="cats.sqlite")
    >>> panel
    """

    def __init__(
        self,
        search: Strategy,
        images: Items | Any,
        session: Path | str | Session,
        *,
        annotator: str = "me",
        oracle: Oracle | None = None,
        page: int = 24,
        estimate: Estimator | None = bracket,
        target: float | None = None,
        title: str | None = None,
        make_search: Callable[[], Strategy] | None = None,
        begin: Callable[[np.ndarray], Strategy] | None = None,
        remark: str = "",
        kind: str = "",
    ):
        self._stop = threading.Event()  # before all that may refuse: whatever is half made is closed, too
        check_search(search)
        if oracle is not None:
            check_oracle(oracle)
        check_page_size(page)  # whatever may be refused is, before a session file is made
        if target is not None:
            check_share("target", target)
        for name, given in (("estimate", estimate), ("make_search", make_search), ("begin", begin)):
            if given is not None and not callable(given):
                raise ValueError(f"{name} is {given!r:.100}; give None or a function")
        items = self._items = as_items(images)
        ids = names_of(pool_ids(search), items, frame_names(images))
        if isinstance(search, Fixed) and search.n != len(ids):
            raise ValueError(f"{len(ids)} images or texts for a search over {search.n} rows; give one per row")
        if not isinstance(session, Session):
            session = Session(session, annotator=annotator, code=code_stamp())
        self.session, self.oracle, self._make_search = session, oracle, make_search
        try:
            settled = settle(session, items, ids)
            options = {"estimate": estimate, "target": target, "settled": settled, "begin": begin, "kind": kind}
            self.controller = Controller(search, ids, session, size=page, **options)
        except BaseException:
            session.close()
            raise
        shown = {"title": title or session.path.name, "doors": make_search is not None, "remark": remark}
        self.widget = Widget(self.controller, items, **shown)
        super().__init__([self.widget, *self._controls()])
        threading.Thread(target=_beat, args=(weakref.ref(self), self._stop), name="elsa-beat", daemon=True).start()

    def __repr__(self):
        f = self.figures
        state = "finished" if self.controller.cards.over else f"round {f['round']}"
        state += "; closed, and opened again by the line that made it" if self._stop.is_set() else ""
        counts = f"{count_of(f['labels'], 'label')}, {count_of(f['positives'], 'positive')}"
        return f"Panel({self.widget.title}: {counts}, {state})"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        shown = {} if self._stop.is_set() else super()._repr_mimebundle_(**kwargs)  # a closed panel has no screen
        return shown | {"text/plain": repr(self)}

    def _controls(self) -> list[ipywidgets.Widget]:
        kind = ipywidgets.Dropdown(options=list(KINDS), layout={"width": "170px"}, tooltip="file format")
        button = ipywidgets.Button(description="Export", tooltip="write the answers to a file beside the session")
        message = ipywidgets.HTML()
        button.on_click(lambda _: self._export_beside(kind.value, message))
        parts = [kind, button, message]
        if self.oracle is not None:
            go = ipywidgets.Button(description="Simulated person", tooltip="let the oracle answer the next 10 pages")
            go.on_click(lambda _: threading.Thread(target=self._play_on, args=(message,)).start())
            parts.insert(0, go)
        chosen = [] if self._make_search is None else [ChosenFile(self._import_chosen)]
        return [ipywidgets.HBox(parts), *chosen]

    def _import_chosen(self, name: str, data: bytes, positive: str | None) -> tuple[str, Callable[[], str]]:
        session = self.session
        if not self.controller.held:
            raise ValueError("another window or process works on this session: import the labels there.")
        rounds, carried = session.rounds(), self.controller.carried
        key = f"carried:{session.annotator}"
        before = session.meta(key) or json.dumps({"items": [], "after": 0})  # nothing was carried
        done = import_chosen(session, self.controller.ids, name, data, positive=positive)
        self._begin_again("The search goes on from the labels of the file; your answers are kept.")
        answers, _ = session.mark()

        def back() -> str:
            if not self.controller.held or session.mark()[0] != answers:
                raise ValueError(
                    "answers were given since: the import stays. What is wrong can be changed on its card."
                )
            with session.together():
                take_back(session, done)
                session.remark(key, before)
                session.replace_rounds(rounds)
            self._begin_again("", carried=carried)
            return f"Taken back: nothing of {done.file.path.name} is in the session."

        return import_as_html(done), back

    def _begin_again(self, notice: str, **options: Any) -> None:
        self.controller.begin_again(self._make_search(), notice, **options)
        self.widget.renew()
        self.widget.figures = self.figures

    def _export_beside(self, kind: str, message: ipywidgets.HTML) -> None:
        try:
            with told_by(by_page):
                done = self._export(None, kind, {})
        except (OSError, ValueError) as error:
            message.value = html.escape(str(error))
        else:
            message.value = html.escape(". ".join(filter(None, (f"written: {done.path}", done.counts, done.remark))))

    def _play_on(self, message: ipywidgets.HTML) -> None:
        """Play some pages on a thread of its own, where an error would reach nobody."""
        message.value = ""
        try:
            self.play(pages=10, pause=0.3)
        except Exception as error:  # whatever the oracle raises: it may be anybody's
            message.value = html.escape(f"The simulated person stopped: {error}")

    # --- what came out

    @property
    def positives(self) -> np.ndarray:
        """The rows labelled positive on this panel, ascending; seeds are not among them unless asked again."""
        return np.unique(np.array(self.controller.finds(), np.int64))

    @property
    def rows_answered(self) -> np.ndarray:
        """The rows with an answer on this panel, ascending."""
        with self.controller.lock:
            rows = [row for asked in self.controller.asked for row in asked.rows]
            answered = [row for row, label in zip(rows, self.controller.cards.labels, strict=True) if label >= UNSURE]
        return np.unique(np.array(answered, np.int64))

    @property
    def figures(self) -> dict[str, Any]:
        """The figures under the grid, of this moment."""
        return self.controller.figures()

    def export(self, path: Path | str | None = None, kind: str | None = None, **options: Any) -> Path:
        """Write the answers to `path` (kind by its ending) and return it; see `elsa_nb.label.export`.

        Where the items are files, kinds that need their folder get it.
        """
        done = self._export(path, kind, options)
        if done.remark:
            warnings.warn(done.remark, stacklevel=2)
        return done.path

    def _export(self, path: Path | str | None, kind: str | None, options: dict[str, Any]) -> Exported:
        kind = kind or kind_of(path)
        if isinstance(kind, str) and kind in KINDS and KINDS[kind].by_place:
            options = {"images": getattr(self._items, "folder", None)} | options
        return export_and_tell(self.session, path, kind, ExportOptions(**options))

    # --- the simulated person

    def play(self, *, pages: int | None = None, finds: int | None = None, pause: float = 0.0) -> dict[str, Any]:
        """Let `oracle` work on this very panel: `pages` pages, or until `finds` positives, or to the end.

        It sends the messages that a browser sends, so everything behind the screen is what a person would use. Open
        windows look on meanwhile. `pause` seconds lie between pages. Returns the figures.
        """
        if self.oracle is None:
            raise ValueError("this panel has no simulated person: make it with Panel(..., oracle=Truth(positive))")
        if self._stop.is_set():
            raise ValueError("this panel is closed: make one with the same session file, which goes on where it was")
        check_oracle(self.oracle)  # the attribute may have been set since
        for name, most in {"pages": pages, "finds": finds}.items():
            if most is not None:
                check_count(name, most, 0)
        window = _Window(self.widget)
        turned = 0
        while (
            not self.controller.cards.over and turned != pages and not (finds and len(self.controller.finds()) >= finds)
        ):
            window.answer_page(self.oracle)
            turned += 1
            time.sleep(pause)
        window.say("bye")
        self.widget.figures = self.figures
        return self.widget.figures

    def look_again(self) -> int:
        """Press the button that asks about doubtful answers again, if it is there; return how many are on its page.

        The page comes at once if nobody has answered in the open round, else after it; `play(pages=1)` answers it.
        """
        self.controller.doubter.wait()
        with self.controller.lock:
            offer = self.controller.doubter.offer(self.controller.asked)
        if offer is None:
            return 0
        window = _Window(self.widget)
        window.say("again")
        window.wait()
        window.say("bye")
        return len(offer.rows)

    def close(self) -> None:
        """Finish, give the lease back and close the file; a closed panel cannot be used again."""
        if hasattr(self, "_stop"):  # else nothing was made: it was called with unknown arguments
            self._stop.set()
        if hasattr(self, "controller"):  # else its arguments were refused, and only the widget goes
            self.controller.close()
        _close_within(self)
        super().close()
        vars(self).pop("_repr_mimebundle_", None)  # a closed widget has none, and a notebook would show nothing


def _close_within(widget: ipywidgets.Widget) -> None:
    """Close all widgets inside one, layouts and styles too: ipywidgets keeps each alive until that is closed."""
    if widget.comm is None:  # closed, or never made
        return
    beside = [getattr(widget, name) for name in ("layout", "style") if widget.has_trait(name)]
    for part in (*getattr(widget, "children", ()), *beside):
        if isinstance(part, ipywidgets.Widget):
            _close_within(part)
            part.close()


def code_stamp() -> str:
    """Return what answers are stamped with: twelve digits of the hash of the code that asked for them."""
    return fingerprints.code_hash("elsa_nb.search", "elsa_nb.label")[:12]


class _Window:
    """What a browser window does, without a browser."""

    def __init__(self, widget: Widget):
        self.widget, self.seq = widget, 0
        self.nonce = f"simulated-{time.monotonic_ns()}"
        self.say("take", client=self.nonce)

    def say(self, kind: str, **more: Any) -> None:
        self.widget.hear({"kind": kind, "nonce": self.nonce} | more)

    def send(self, *events: dict) -> None:
        self.seq += 1
        self.say("events", seq=self.seq, events=list(events))

    def answer_page(self, oracle: Oracle, patience: float = 300.0) -> None:
        """Answer the open cards of the page: finds and doubts one by one, the rest at once; go to the next page."""
        controller = self.widget.controller
        with controller.lock:
            first, end = controller.cards.page(controller.cards.cursor)
            cards = [controller.card(p) for p in range(first, end) if controller.cards.labels[p] == OPEN]
            blind = controller.asked[-1].blind and controller.cards.rounds[-1] == first
        # All answers are there, and are answers, before the first is sent: the screen's messages are not refused.
        labels = answers_of(oracle, np.array([c["row"] for c in cards], np.int64)).tolist()
        for card, label in zip(cards, labels, strict=True):
            if label or blind:
                self.send({"op": "set", "at": card["position"], "v": label})
        self.send({"op": "rest"}, {"op": "next"})
        self.wait(patience)

    def wait(self, patience: float = 300.0) -> None:
        """Wait for the round that is being looked for."""
        controller = self.widget.controller
        until = time.monotonic() + patience
        while True:
            with controller.lock:  # else an error could come between the two
                waiting, error = controller.cards.waiting, controller.error
            if not waiting:
                break
            if time.monotonic() > until:
                raise TimeoutError(f"the next round did not come within {patience:.0f} s")
            time.sleep(0.002)
        if error:
            raise RuntimeError(error)


def _is_over(controller: Controller, troubled: str | None) -> bool:
    """Take back what the beat before this one said of a trouble, if nothing else was said since."""
    with controller.lock:
        over = troubled is not None and controller.error == troubled
        if over:
            controller.error = None
        return over


def _beat(reference: weakref.ref, stop: threading.Event) -> None:
    """Keep the lease alive and the figures up to date, as long as the panel lives."""
    last, troubled = time.monotonic(), None
    while not stop.is_set():
        panel = reference()
        if panel is None:
            return
        widget, controller = panel.widget, panel.controller
        try:
            widget.refresh()
            if time.monotonic() - last > BEAT:
                last = time.monotonic()
                if widget.abandoned:
                    controller.rest()
                elif controller.look_around() | _is_over(controller, troubled):
                    widget.renew()
                troubled = None
        except Exception as error:  # an error on this thread would reach nobody; the panel shows it
            if stop.is_set():
                return
            controller.error = troubled = str(error)
            with suppress(Exception):  # the file cannot be read now; the page asks again
                widget.renew()
        del panel, widget, controller
        stop.wait(CALM)
