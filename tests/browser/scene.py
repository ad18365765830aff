"""What the notebooks of the browser tests show. The tests copy this file beside their notebooks."""

import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from elsa_nb.images.extraction.extract import extract
from elsa_nb.images.sources.glyphs import Glyphs
from elsa_nb.label import Arrays, Files, Fixed, Panel
from elsa_nb.pool import Pool
from elsa_nb.search.elsa import ELSA, Search
from elsa_nb.store import DATA

CONFIG = replace(ELSA, a=60, l=20, b=20)
GO = "go"


@cache
def glyphs():
    return Glyphs.open()


@cache
def pool():
    """Open the bundled pool; where notebook 01 has not made it yet, make it (two minutes, once)."""
    folder = DATA / "pools" / "glyphs-vicreg-embedding"
    return (
        Pool.open(folder, verify=False) if (folder / "pool.json").exists() else extract(glyphs(), "vicreg")["embedding"]
    )


def truth(character):
    return (glyphs().labels["character"] == character).to_numpy()


def images():
    return Arrays(glyphs(), invert=True)


class Held(Search):
    """A search that finds no round but the first before there is a file `GO` beside the notebook."""

    def query(self):
        while len(self.log.rows) and not Path(GO).exists():
            time.sleep(0.01)
        return super().query()


def panel(character="Ж", session="s.sqlite", page=24, kind=Search, **more):
    rows = np.flatnonzero(truth(character))
    search = kind(pool(), rows[:: len(rows) // 5][:5], config=CONFIG, rng=np.random.default_rng(3))
    return Panel(search, images(), session=session, page=page, title=f"more of {character}", **more)


def fixed(n=96, session="s.sqlite", page=24):
    return Panel(Fixed(100_000, np.arange(n)), images(), session=session, page=page)


def folder(path="pictures", session="s.sqlite", gone=("gone.png", "../x.png")):
    names = [*sorted(str(p.relative_to(path)) for p in Path(path).iterdir() if p.is_file()), *gone]
    return Panel(Fixed(len(names), range(len(names))), Files(path, names), session=session)
