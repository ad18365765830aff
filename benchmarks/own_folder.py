"""What the first two hundred answers find in a user's own folder: 60 wanted photographs of 3,000.

    ELSA_DATA=... python -m benchmarks.own_folder

The pack food-101-64px-testsplit is written out as a folder of 3,000 JPEG files, 60 of each of ten dishes and others
drawn among the rest, and embedded as `elsa-nb label FOLDER` embeds it, by the encoder that needs no connection
(supervised on ImageNet, of whose classes only a handful are dishes). Each of the ten dishes is then searched for from
one example, four times, for 200 labels, by every strategy as the panel begins it and by the greedy probe on vectors as
they are. `results/own_folder.csv` has one row per search; the example counts as found.
"""

import argparse
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.machine import commit
from benchmarks.summary import RESULTS
from elsa_nb.bench.simulating import by_checksum
from elsa_nb.images.encoders.names import FALLBACK
from elsa_nb.images.extraction.embed import embed_folder
from elsa_nb.images.sources.packs import Pack
from elsa_nb.label.searching import DEFAULT, search_from
from elsa_nb.pool import Pool
from elsa_nb.progress import bar
from elsa_nb.search.metrics import median_interval
from elsa_nb.search.oracle import Truth, simulate
from elsa_nb.store import write_atomically

PACK = "food-101-64px-testsplit"
DISHES, WANTED, IMAGES, REPEATS, LABELS = 10, 60, 3000, 4, 200
RAW_PROBE = "greedy-probe, vectors as they are, l2 = 1"


def chosen(pack: Pack) -> tuple[np.ndarray, list[str]]:
    """Return the rows of the 3,000 photographs, ascending, and the dishes searched for: the first by checksum."""
    names = pack.labels["name"].astype(str).to_numpy()
    dishes = by_checksum(set(names))[:DISHES]
    rng = np.random.default_rng(0)
    wanted = [rng.choice(np.flatnonzero(names == dish), WANTED, replace=False) for dish in dishes]
    others = rng.choice(np.flatnonzero(~np.isin(names, dishes)), IMAGES - DISHES * WANTED, replace=False)
    return np.sort(np.concatenate([*wanted, others])), dishes


def embedded(pack: Pack, rows: np.ndarray) -> tuple[Pool, np.ndarray]:
    """Write the photographs into a folder and embed it; return the pool and the row of the pack of each of its rows."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "photographs"
        folder.mkdir()
        for row in rows:
            (folder / f"{row:06}.jpg").write_bytes(pack.read(row))
        ((_, spaces),) = embed_folder(folder, [FALLBACK], folder=Path(place) / "pools").items()
        pool = spaces["embedding"]
        return replace(pool, vectors=np.array(pool.vectors)), np.array([int(name[:6]) for name in pool.ids])


def strategies(pool: Pool) -> dict[str, Callable[[np.ndarray], Any]]:
    """Return what begins each search, by its name."""
    asked = {"greedy-probe": LABELS, DEFAULT: LABELS, "elsa": None}
    begun = {name: search_from(pool, name, budget=budget) for name, budget in asked.items()}
    return begun | {RAW_PROBE: search_from(pool, "greedy-probe", metric="euclidean", budget=LABELS)}


def searches(pool: Pool, names: np.ndarray, dishes: list[str]) -> pd.DataFrame:
    """Return a row per search: strategy, dish, repeat, wanted, and how many are found after 50, 100 and 200 labels."""
    rows = []
    begun = strategies(pool)
    with bar(None, "searches", None, total=len(begun) * len(dishes) * REPEATS, unit="search") as shown:
        for dish in dishes:
            positive = names == dish
            for repeat in range(REPEATS):
                rng = np.random.default_rng([zlib.crc32(dish.encode()), repeat])
                seed = rng.choice(np.flatnonzero(positive), 1)
                for strategy, begin in begun.items():
                    log = simulate(begin(seed), Truth(positive))
                    found = {f"found_{k}": 1 + int(positive[log.rows[:k]].sum()) for k in (50, 100, LABELS)}
                    rows.append({"strategy": strategy, "dish": dish, "repeat": repeat, "wanted": WANTED, **found})
                    shown.update(1)
    return pd.DataFrame(rows)


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the median finds of each strategy with their interval over dishes."""
    rows = []
    for strategy, of in frame.groupby("strategy", sort=False):
        row: dict[str, Any] = {"strategy": strategy}
        for column in ("found_50", "found_100", f"found_{LABELS}"):
            median, low, high = median_interval(of[column].to_numpy(), of["dish"].to_numpy())
            row[column] = f"{median:g} [{low:g}, {high:g}]"
        rows.append(row)
    return pd.DataFrame(rows)


def in_the_folder(
    name: str, run: Callable[[Pool, np.ndarray, list[str]], pd.DataFrame], shown: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    """Embed the folder, store what `run` makes of pool, names and dishes as `<name>.csv`, and print `shown` of it."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    parser.add_argument("--out", type=Path, default=RESULTS)
    out = parser.parse_args().out
    pack = Pack.open(PACK)
    rows, dishes = chosen(pack)
    pool, rows = embedded(pack, rows)
    frame = run(pool, pack.labels["name"].astype(str).to_numpy()[rows], dishes)
    write_atomically(out / f"{name}.csv", frame.assign(commit=commit()).to_csv(index=False).encode())
    print(shown(frame).to_string(index=False))


def main() -> None:
    """Embed, search, store and print."""
    in_the_folder("own_folder", searches, table)


if __name__ == "__main__":
    main()
