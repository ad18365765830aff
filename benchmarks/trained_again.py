"""How much the luck of one training matters: VICReg and Barlow Twins trained anew from other seeds, and searched alike.

    python -m benchmarks.trained_again                   # seeds 1 and 2: an hour per training on one core, then minutes
    python -m benchmarks.trained_again --training-seeds 1

Each follows the recipe of the bundled encoder, except for the seed, and in float32 where the bundled ones were trained
in bfloat16 (as fast on processors without bfloat16). Weights go to `data/cache/trained-again`; those that are there,
with their card, are not trained again, an interrupted training goes on, and so do the searches.

The searches are those of Table 5 (ELSA in the embedding, classes, examples and repeats as there) and, twice per class,
those of Table 3 (every arm in the projection): the same classes and examples as the committed searches of the bundled
encoders, which count as training 0. `results/trained_again.parquet` has one row per search,
`results/trained_again_worth.csv` how good each encoder is. Notebook 05 shows both.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmarks.machine import commit
from benchmarks.summary import RESULTS
from elsa_nb.images.encoders.small_resnet import load_trained
from elsa_nb.images.extraction.extract import extract_all
from elsa_nb.images.sources.by_name import open_dataset
from elsa_nb.paper.experiments.catalogue import sweep
from elsa_nb.paper.experiments.encoders.measured import FLOOR_WEIGHTS, measured_encoders, worth_of
from elsa_nb.paper.experiments.encoders.trained_again import SEARCH_COLUMNS
from elsa_nb.paper.runs import runner
from elsa_nb.paper.runs.grid import Sweep
from elsa_nb.paper.runs.place import Place
from elsa_nb.store import DATA, read_json, write_atomically

WORK = DATA / "cache" / "trained-again"
RETRAINED = ("vicreg", "barlow-twins")
REPEATS = 2  # of the searches in the projection


def plans(encoders: Sequence[str]) -> tuple[Sweep, Sweep]:
    """Return the searches in these encoders: those of Table 5, and those of Table 3 from five examples."""
    table5, table3 = sweep("encoders", "full"), sweep("components", "full")
    return (
        replace(table5, encoders=tuple(encoders)),
        replace(table3, encoders=tuple(encoders), seeds=(5,), rivals=(), repeats=REPEATS),
    )


def trained(method: str, seed: int) -> str:
    """Train a method from a seed, if its weights are not there, and make its pools; return their encoder's name."""
    name = f"{method}-seed-{seed}"
    out = WORK / f"{name}.safetensors"
    if not out.with_suffix(".json").exists():
        options = ["--method", method, "--seed", str(seed), "--precision", "float32", "--out", str(out)]
        subprocess.run([sys.executable, "-m", "elsa_nb.images.training", *options], check=True)
    extract_all(open_dataset("glyphs"), {name: load_trained(name, WORK)}, name="glyphs")
    return name


def searched(encoders: Sequence[str]) -> pd.DataFrame:
    """Run the searches in these encoders' pools, or take up what is there; return them as the runner gives them."""
    runs = [runner.run(plan, "full", folder=WORK / "results") for plan in plans(encoders)]
    return pd.concat(runs, ignore_index=True)


def bundled() -> pd.DataFrame:
    """Return the committed searches that those of `searched` repeat; of Table 5 those of all encoders trained here."""
    table5, table3 = (runner.stored_results(name, "full") for name in ("encoders", "components"))
    table3 = table3[table3["encoder"].isin(RETRAINED)].query("seeds == 5 and reading != 'rival' and repeat < @REPEATS")
    return pd.concat([table5[~table5["encoder"].isin(FLOOR_WEIGHTS)], table3], ignore_index=True)


def told(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what is stored of searches: method and seed of the training, where they took place, what they found."""
    parts = frame["encoder"].str.partition("-seed-")
    training = parts[2].replace("", "0").astype(int)
    return frame.assign(encoder=parts[0], training=training, log=frame["log_sha256"].str[:16])[list(SEARCH_COLUMNS)]


def worth(encoder: str, figures: Mapping[str, float], card: dict) -> dict:
    """Return how good an encoder is, `figures` of `measured`, with the checksum of its weights."""
    method, _, seed = encoder.partition("-seed-")
    return {
        "encoder": method,
        "training": int(seed or 0),
        "linear_top1": round(figures["linear_top1"], 4),
        "purity": round(figures["purity"], 6),
        "loss": round(card["loss_curve"][-1]["loss"], 4),
        "precision": card["config"]["precision"],
        "weights_sha256": card["sha256"],
        "commit": commit(),
    }


def main() -> None:
    """Train, search and store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trained_again", description=__doc__.split("\n")[0])
    parser.add_argument("--training-seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    names = [trained(method, seed) for seed in asked.training_seeds for method in RETRAINED]
    frame = pd.concat([told(bundled()), told(searched(names))], ignore_index=True)
    kept = measured_encoders("full").set_index("encoder")
    worths = [worth(method, kept.loc[method], read_json(DATA / "weights" / f"{method}.json")) for method in RETRAINED]
    for name in names:
        figures = worth_of(Place.of("full", name, "embedding"))
        worths.append(worth(name, figures, read_json(WORK / f"{name}.json")))
    counts = frame[frame["encoder"].isin(RETRAINED)].groupby(["encoder", "training"]).size()
    if counts.nunique() != 1:
        raise RuntimeError(f"trainings were not searched alike: {counts.to_dict()}")
    write_atomically(asked.out / "trained_again.parquet", frame.to_parquet(index=False, compression="zstd"))
    write_atomically(asked.out / "trained_again_worth.csv", pd.DataFrame(worths).to_csv(index=False).encode())
    print(f"{len(frame):,} searches, {len(worths)} encoders: {asked.out / 'trained_again.parquet'}")


if __name__ == "__main__":
    main()
