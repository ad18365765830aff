"""Save figures and tables with the rows they show, and keep the index that says what shows what.

Notebooks call `save_figure` and `save_table`, and show what `readable` makes of a frame.
"""

import io
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from elsa_nb import store
from elsa_nb.locks import Lock
from elsa_nb.paper.comparison import exhibits as comparison
from elsa_nb.paper.experiments import catalogue
from elsa_nb.paper.measures.exhibit import Exhibit
from elsa_nb.paper.measures.wording import readable as readable
from elsa_nb.paper.measures.wording import without_holes
from elsa_nb.profiles import profile

CATALOGUE = catalogue.EXHIBITS | {exhibit.name: exhibit for exhibit in comparison.EXHIBITS}
INDEX_COLUMNS = ["kind", "name", "title", "paper_item", "notebook", "sweep"]

# The backend is loaded now, not by the first figure: every figure is drawn inside `rc_context`, which would undo at its
# end that a notebook's backend made matplotlib interactive, and the notebook would show its first figure only.
plt.switch_backend(matplotlib.get_backend())


def save_figure(figure: Figure, name: str, profile_name: str, source: pd.DataFrame) -> None:
    """Save the exhibit `name` as PNG and SVG, with exactly the rows it draws as CSV, and index it.

    Raises ValueError for a name that is not in the catalogue.
    """
    exhibit, folder = _exhibit(name), profile(profile_name).figures
    for suffix, options in (("png", {"dpi": 160}), ("svg", {"metadata": {"Date": None}})):
        buffer = io.BytesIO()
        with plt.rc_context({"svg.hashsalt": name}):
            figure.savefig(buffer, format=suffix, bbox_inches="tight", **options)
        store.write_atomically(folder / f"{name}.{suffix}", buffer.getvalue())
    _save_rows(folder / f"{name}.csv", source)
    _add_to_index(folder, "figure", exhibit)


def save_table(shown: pd.DataFrame, name: str, profile_name: str, source: pd.DataFrame) -> None:
    """Save the exhibit `name` as HTML, as `shown` in words, with its rows in full precision as CSV, and index it.

    Raises ValueError for a name that is not in the catalogue.
    """
    exhibit, folder = _exhibit(name), profile(profile_name).figures
    numbered = shown.index.name is None and pd.api.types.is_integer_dtype(shown.index)  # by pandas, for no reader
    shown = readable(shown.rename_axis(columns=None) if numbered else shown)  # else pandas leaves a column for its name
    table = without_holes(shown.to_html(border=0, index=not numbered))
    store.write_atomically(folder / f"{name}.html", f"{table}\n".encode())
    _save_rows(folder / f"{name}.csv", source)
    _add_to_index(folder, "table", exhibit)


def read_index(folder: Path) -> pd.DataFrame:
    """Return what `folder` shows, one row per exhibit, in the order of the notebooks; empty if nothing yet."""
    path = folder / "index.csv"
    if not path.exists():
        return pd.DataFrame(columns=INDEX_COLUMNS)
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _exhibit(name: str) -> Exhibit:
    if not isinstance(name, str) or name not in CATALOGUE:
        raise ValueError(
            f"exhibit {name!r} is not in the catalogue; known: {', '.join(CATALOGUE)}; add it to the `exhibits` of its "
            "experiment"
        )
    return CATALOGUE[name]


def _save_rows(path: Path, rows: pd.DataFrame) -> None:
    store.write_atomically(path, rows.to_csv(index=False, float_format="%.6g").encode())


def _add_to_index(folder: Path, kind: str, exhibit: Exhibit) -> None:
    sweep = "" if exhibit.photographs else exhibit.sweep  # theirs may be another profile's
    entry = [kind, exhibit.name, exhibit.title, exhibit.paper_item, exhibit.notebook, sweep]
    with Lock(folder / ".index.lock", f"The index of {folder}").acquire(wait=True, quiet=True):  # of notebooks at once
        index = read_index(folder)
        others = index[index["name"] != exhibit.name]
        rows = pd.concat([others, pd.DataFrame([entry], columns=INDEX_COLUMNS)])
        rows = rows.iloc[rows["name"].map(list(CATALOGUE).index).argsort(kind="stable")]
        store.write_atomically(folder / "index.csv", rows.to_csv(index=False).encode())
