"""The tables of `data/weights/README.md`, written from the encoders' cards, so that they agree.

`command.py` calls `write_weight_tables` after a training; `python -m` on this module writes them, too.
"""

from pathlib import Path
from typing import Any

from elsa_nb import store
from elsa_nb.store import read_json, write_atomically

START, END = "<!-- generated from the cards -->", "<!-- end of what is generated -->"
_TITLES = {
    "vicreg": "VICReg",
    "barlow-twins": "Barlow Twins",
    "moco-v1": "MoCo v1",
    "moco-v2": "MoCo v2",
    "simsiam": "SimSiam",
    "swav": "SwAV",
    "swav-multicrop": "SwAV multi-crop",
    "obow": "OBoW",
}


def weight_cards(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the cards of the encoders in a folder by name: glyphs first, then photographs; methods in one order."""
    found = {path.stem: read_json(path.with_suffix(".json")) for path in sorted(folder.glob("*.safetensors"))}
    order = list(_TITLES)
    return dict(sorted(found.items(), key=lambda item: (_data(item[1]) != "glyphs", order.index(item[1]["method"]))))


def weight_tables(folder: Path) -> str:
    """Return the two tables of all encoders in a folder, in Markdown: how each was made, and how good it is."""
    how = [
        "| file | method | images | epochs | steps | size | command | threads | wall time |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    measured = [
        "| encoder | space | dimension | 10-NN purity | linear probe | std, mean | std, smallest | effective rank |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, card in weight_cards(folder).items():
        planned = f" of {card['planned_steps']:,}" if "planned_steps" in card else ""  # of a run that was ended early
        how.append(
            f"| `{name}.safetensors` | {_TITLES[card['method']]} | {_data(card)} | {card['config']['epochs']} | "
            f"{card['steps']:,}{planned} | {card['bytes'] / 1e6:.1f} MB | `{card['command']}` | {card['threads']} | "
            f"{card['seconds'] / 60:.0f} min |"
        )
        for space, value in card["quality"].items():
            measured.append(
                f"| {name} | {space} | {value['dimension']} | {value['purity_10nn']:.4f} | "
                f"{value['linear_probe']:.4f} | {value['std_mean']:.2f} | {value['std_smallest']:.3f} | "
                f"{value['effective_rank']:.0f} |"
            )
    return "\n".join([*how, "", *measured])


def replaced(text: str, folder: Path) -> str:
    """Return the text of a README with what lies between its two marks made anew; ValueError without the marks."""
    if text.count(START) != 1 or text.count(END) != 1:
        raise ValueError(f"The text has no place for the tables: it needs the lines {START!r} and {END!r}, once each.")
    before, rest = text.split(START)
    return f"{before}{START}\n\n{weight_tables(folder)}\n\n{END}{rest.split(END)[1]}"


def write_weight_tables(folder: Path | None = None) -> None:
    """Write the tables into the README of a folder of encoders (default: the bundled ones)."""
    folder = Path(folder or store.DATA / "weights")
    path = folder / "README.md"
    write_atomically(path, replaced(path.read_text(encoding="utf-8"), folder).encode())


def _data(card: dict[str, Any]) -> str:
    return card.get("data", "glyphs")


if __name__ == "__main__":
    write_weight_tables()
