"""The README of the weights says what the cards say."""

import pytest

from elsa_nb.images.training.weight_cards import END, START, replaced, weight_cards, weight_tables
from elsa_nb.store import DATA, write_json

CARD = {"config": {"epochs": 2}, "steps": 3, "bytes": 4_000_000, "command": "go", "threads": 1, "seconds": 90}
FIGURES = {"dimension": 8, "purity_10nn": 0.5, "linear_probe": 0.25, "std_mean": 1.0, "std_smallest": 0.5}


def test_the_committed_readme_is_up_to_date():
    path = DATA / "weights" / "README.md"
    text = path.read_text()
    assert text == replaced(text, path.parent), "run `python -m elsa_nb.images.training.weight_cards`"


def test_tables_hold_every_encoder_glyphs_first(tmp_path):
    for name, method, data in (("a", "swav", "glyphs"), ("b", "vicreg", "photos"), ("c", "moco-v1", "glyphs")):
        early = {"planned_steps": 4000} if name == "b" else {}
        quality = {"embedding": {**FIGURES, "effective_rank": 3.0}}
        write_json(tmp_path / f"{name}.json", {**CARD, "method": method, "data": data, "quality": quality, **early})
        (tmp_path / f"{name}.safetensors").write_bytes(b"")
    assert list(weight_cards(tmp_path)) == ["c", "a", "b"]
    told = weight_tables(tmp_path)
    assert "| `a.safetensors` | SwAV | glyphs | 2 | 3 | 4.0 MB | `go` | 1 | 2 min |" in told
    assert "| `b.safetensors` | VICReg | photos | 2 | 3 of 4,000 |" in told
    assert "| b | embedding | 8 | 0.5000 | 0.2500 | 1.00 | 0.500 | 3 |" in told
    text = replaced(f"before\n{START}\nold\n{END}\nafter\n", tmp_path)
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    with pytest.raises(ValueError, match="needs the lines"):
        replaced("no marks", tmp_path)
