"""Save figures and tables with the rows they show, and keep the index that says what shows what."""

import io
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from elsa_nb import store
from elsa_nb.profiles import profile


@dataclass(frozen=True)
class Exhibit:
    """A figure or a table: its file name, title, the paper's item it reproduces, the notebook and sweep it is from."""

    name: str
    title: str
    paper_item: str
    notebook: str
    sweep: str = ""


_SEEDS = "03-seeds-and-components"
_TOY = "04-toy-latent-space"
_SPACES = "05-embedding-spaces"
_TRADE_OFF = "06-trade-off"
_TUNED = "07-hyperparameters"
_NOISE = "08-noisy-oracle"
_PHOTOS = "09-photographs"
CATALOGUE = {
    exhibit.name: exhibit
    for exhibit in (
        Exhibit("glyphs", "What the pool looks like", "beyond the paper", "00-start-here"),
        Exhibit("purity", "Neighbours of the same class, by encoder and space", "beyond the paper", "01-embeddings"),
        Exhibit("one-search", "One search at work", "Fig. 1 in spirit, on real images", "02-one-search"),
        Exhibit("table01", "The arms and their components", "Table 1", _SEEDS, "components"),
        Exhibit("table02", "ELSA by the number of seeds", "Table 2", _SEEDS, "components"),
        Exhibit("table03", "Component-wise analysis, VICReg", "Table 3", _SEEDS, "components"),
        Exhibit("table04", "Component-wise analysis, Barlow Twins", "Table 4", _SEEDS, "components"),
        Exhibit("fig02-components", "Component-wise analysis over seeds", "Fig. 2", _SEEDS, "components"),
        Exhibit("equal-budget", "Discovery at equal budget", "beyond the paper", _SEEDS, "components"),
        Exhibit("fig01-toy", "The toy problem, and which part of ELSA solves what", "Fig. 1", _TOY),
        Exhibit("fig04-flow-chart", "The flow of ELSA", "Fig. 4", _TOY),
        Exhibit("fig05-iterations", "The latent space after each iteration", "Fig. 5", _TOY),
        Exhibit("fig06-rands", "RandS against plain random search", "Fig. 6", _TOY),
        Exhibit("table05", "ELSA on the embedding of each encoder", "Table 5", _SPACES, "encoders"),
        Exhibit("encoders-against-top1", "Search against linear top-1", "beyond the paper", _SPACES, "encoders"),
        Exhibit("fig03-trade-off", "Discovery against efficiency", "Fig. 3", _TRADE_OFF, "trade-off"),
        Exhibit("trade-off-equal-budget", "The same at equal budget", "beyond the paper", _TRADE_OFF, "trade-off"),
        Exhibit("table06", "ELSA by the radius a", "Table 6", _TUNED, "hyperparameters"),
        Exhibit("fig07-radius", "Discovery and efficiency over a", "Fig. 7", _TUNED, "hyperparameters"),
        Exhibit("table07", "ELSA by the threshold alpha_1", "Table 7", _TUNED, "hyperparameters"),
        Exhibit("table08", "ELSA by the threshold alpha_2", "Table 8", _TUNED, "hyperparameters"),
        Exhibit("table09", "ELSA by the points sampled, l", "Table 9", _TUNED, "hyperparameters"),
        Exhibit("silent-choices", "What the paper does not say", "beyond the paper", _TUNED, "hyperparameters"),
        Exhibit("table10", "ELSA by the answers flipped", "Table 10", _NOISE, "noise"),
        Exhibit("fig08-noise", "Discovery and efficiency over flipped answers", "Fig. 8", _NOISE, "noise"),
        Exhibit("noise-labels", "Where the extra labels go", "beyond the paper", _NOISE, "noise"),
        Exhibit("noise-choices", "Is it the noise or a silent choice?", "beyond the paper", _NOISE, "noise"),
        Exhibit("photos-training", "Encoders of photographs while they were trained", "beyond the paper", _PHOTOS),
        Exhibit("photos-encoders", "What the encoders of photographs are worth", "beyond the paper", _PHOTOS),
        Exhibit("photos-table02", "ELSA by the number of seeds, on photographs", "Table 2, on photographs", _PHOTOS),
        Exhibit("photos-tables03-04", "Components, on photographs", "Tables 3 and 4, on photographs", _PHOTOS),
        Exhibit("photos-fig02", "Components over seeds, on photographs", "Fig. 2, on photographs", _PHOTOS),
        Exhibit("photos-thinned-table02", "The same, the class thinned", "Table 2, on photographs", _PHOTOS),
        Exhibit("photos-thinned-tables03-04", "The same, the class thinned", "Tables 3 and 4, on photographs", _PHOTOS),
        Exhibit("photos-thinned-fig02", "The same, the class thinned", "Fig. 2, on photographs", _PHOTOS),
        Exhibit("photos-equal-budget", "Discovery at equal budget, on photographs", "beyond the paper", _PHOTOS),
        Exhibit("photos-chance", "Finds besides the seeds, against chance", "beyond the paper", _PHOTOS),
        Exhibit("photos-thinned-chance", "The same, the class thinned", "beyond the paper", _PHOTOS),
        Exhibit("table11", "ELSA by the number of seeds on Food-101", "Table 11", _PHOTOS),
        Exhibit("fig09-rounds", "New positives of each round", "Fig. 9", "11-round-by-round", "components"),
        Exhibit("complexity-time", "Time of a round against n, k, l and d", "Section 5", "12-complexity"),
        Exhibit("complexity-memory", "Memory of a round against n and l", "Section 5", "12-complexity"),
        Exhibit("against-paper", "Every printed number against ours", "Tables 2-11", "99-paper-against-here"),
        Exhibit("verdicts", "A verdict for every claim", "every claim of the text", "99-paper-against-here"),
    )
}
INDEX_COLUMNS = ["kind", *(field.name for field in fields(Exhibit))]


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
    """Save the exhibit `name` as HTML, as `shown`, with its rows in full precision as CSV, and index it.

    Raises ValueError for a name that is not in the catalogue.
    """
    exhibit, folder = _exhibit(name), profile(profile_name).figures
    store.write_atomically(folder / f"{name}.html", (shown.to_html(border=0) + "\n").encode())
    _save_rows(folder / f"{name}.csv", source)
    _add_to_index(folder, "table", exhibit)


def read_index(folder: Path) -> pd.DataFrame:
    """Return what `folder` shows, one row an exhibit, in the order of the notebooks; empty if nothing yet."""
    path = folder / "index.csv"
    if not path.exists():
        return pd.DataFrame(columns=INDEX_COLUMNS)
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _exhibit(name: str) -> Exhibit:
    if name not in CATALOGUE:
        raise ValueError(f"exhibit {name!r} is not in the catalogue; known: {', '.join(CATALOGUE)}; add new ones there")
    return CATALOGUE[name]


def _save_rows(path: Path, rows: pd.DataFrame) -> None:
    store.write_atomically(path, rows.to_csv(index=False, float_format="%.6g").encode())


def _add_to_index(folder: Path, kind: str, exhibit: Exhibit) -> None:
    index = read_index(folder)
    others = index[index["name"] != exhibit.name]
    entry = pd.DataFrame([[kind, *astuple(exhibit)]], columns=INDEX_COLUMNS)
    rows = pd.concat([others, entry])
    rows = rows.iloc[rows["name"].map(list(CATALOGUE).index).argsort(kind="stable")]
    store.write_atomically(folder / "index.csv", rows.to_csv(index=False).encode())
