"""Earlier labels from a file that is chosen on the page: the same import as `elsa-nb labels import`."""

import html
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath

import ipywidgets

from elsa_nb.label.import_labels import Imported, import_labels
from elsa_nb.label.session import Session
from elsa_nb.option_names import by_page, told_by

MOST_LISTED = 200  # names that are not items here


def import_chosen(
    session: Session, ids: Sequence[str], name: str, data: bytes, *, positive: str | None = None
) -> Imported:
    """Take the labels of a file called `name` that holds `data` into `session`; raises what `import_labels` raises.

    `positive` names the class that is looked for, where the file has classes.
    """
    with tempfile.TemporaryDirectory(prefix="elsa-labels-") as folder:
        path = Path(folder) / "labels"
        path.write_bytes(data)
        shown_as = PurePath(name.replace("\\", "/")).name or "labels"  # the person knows the file by its name
        with told_by(by_page):
            return import_labels(session, path, ids, positive=positive, shown_as=shown_as)


def import_as_html(done: Imported) -> str:
    """Return what became of a file as HTML: the sentences, and a list of the names that are not items here."""
    said = [html.escape(str(done))]
    if missing := done.file.unmatched:
        lines = [html.escape(f"{place}: {name}, {why}") for place, name, why in missing[:MOST_LISTED]]
        lines += [f"and {len(missing) - MOST_LISTED} more"] if len(missing) > MOST_LISTED else []
        listed = "".join(f"<li>{line}</li>" for line in lines)
        said.append(f"<details><summary>{len(missing)} not matched</summary><ul>{listed}</ul></details>")
    return "".join(said)


class ChosenFile(ipywidgets.VBox):
    """A button that lets a person choose a file of labels, what became of it, and a button that takes it back.

    `take(name, data, positive)` imports it and returns a message as HTML, and a function that takes the import back
    and returns a message; an `OSError` or `ValueError` of either is shown on the page.
    """

    def __init__(self, take: Callable[[str, bytes, str | None], tuple[str, Callable[[], str]]]):
        self._take, self._undo = take, None
        self.button = ipywidgets.FileUpload(multiple=False, description="Import labels")
        self.button.tooltip = "earlier labels from a file: CSV, Excel, JSON, Parquet or what other programs write"
        self.wanted = ipywidgets.Text(placeholder="class you are looking for, if the file has several")
        self.wanted.layout.width = "380px"
        self.message = ipywidgets.HTML()
        self.button.observe(self._on_chosen, "value")
        self.back = ipywidgets.Button(description="Take the import back", tooltip="as if the file had not been chosen")
        self.back.layout.display, self.back.layout.width = "none", "auto"
        self.back.on_click(lambda _: self._on_back())
        super().__init__([ipywidgets.HBox([self.button, self.wanted, self.back]), self.message])

    def _on_chosen(self, change: dict) -> None:
        if not change["new"]:
            return
        (file,) = change["new"]
        wanted = self.wanted.value.strip() or None
        try:
            message, self._undo = self._take(file["name"], bytes(file["content"]), wanted)
            self.message.value, self.back.layout.display = message, ""
        except (OSError, ValueError) as error:
            field = f" The field beside the button asks for the class {wanted!r}: change or empty it." if wanted else ""
            self.message.value = html.escape(str(error) + field)
        finally:
            self.button.value = ()  # the same file may be chosen again

    def _on_back(self) -> None:
        undo, self._undo = self._undo, None
        self.back.layout.display = "none"
        if undo is None:  # a second click, before the button was gone
            return
        try:
            self.message.value = html.escape(undo())
        except (OSError, ValueError) as error:
            self.message.value = html.escape(str(error))
